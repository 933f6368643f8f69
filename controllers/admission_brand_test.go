package controllers_test

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/yingda-dev/yingda/api/v1alpha1"
)

func TestAdmissionOfBrands(t *testing.T) { newAdmission(t).tries(brandAttempts()) }

func brandAttempts() map[string]attempt {
	return map[string]attempt{
		"a Brand with a good name":                 {brand("lumi-2"), ""},
		"a Brand whose name starts with a digit":   {brand("2lumi"), "name a Brand with at most 40"},
		"a Brand whose name has a dot":             {brand("lu.mi"), "name a Brand with at most 40"},
		"a Brand with the longest name":            {brand(strings.Repeat("a", 40)), ""},
		"a Brand with a longer name":               {brand(strings.Repeat("a", 41)), "name a Brand with at most 40"},
		"a broker with a port":                     {brokers("a:1", "b.c:65535"), ""},
		"a broker without a port":                  {brokers("kafka.infra"), "write each bootstrap server as host:port"},
		"Temporal with a port":                     {temporal("temporal.infra:7233"), ""},
		"Temporal without a port":                  {temporal("temporal.infra"), "write the Temporal address as host:port"},
		"another Secret for connectors":            {connectorSecret("lumi-connector"), ""},
		"the owner's Secret for connectors":        {connectorSecret("lumi-postgres"), "connectorSecretRef must name another Secret than secretRef"},
		"no name of a Secret for connectors":       {connectorSecret(""), "spec.postgres.connectorSecretRef.name"},
		"a prefix with dots":                       {prefixed("cs.yingda-1"), ""},
		"a prefix in capitals":                     {prefixed("Yingda"), "write prefix in lower-case letters"},
		"a Temporal namespace":                     {brand("lumi", inNamespace), ""},
		"a Temporal namespace with a space":        {brand("lumi", func(b *v1alpha1.Brand) { b.Spec.Temporal.Namespace = "lumi prod" }), "write the Temporal namespace in letters"},
		"TLS by the system's authorities":          {kafkaSecured(&v1alpha1.KafkaTLS{}, ""), ""},
		"TLS by authorities and a certificate":     {kafkaSecured(&v1alpha1.KafkaTLS{CASecretRef: credentials("ca"), ClientSecretRef: credentials("ca")}, ""), ""},
		"no name of the Secret of authorities":     {kafkaSecured(&v1alpha1.KafkaTLS{CASecretRef: credentials("")}, ""), "spec.kafka.tls.caSecretRef.name"},
		"no name of the Secret of a certificate":   {kafkaSecured(&v1alpha1.KafkaTLS{ClientSecretRef: credentials("")}, ""), "spec.kafka.tls.clientSecretRef.name"},
		"PLAIN by TLS":                             {kafkaSecured(&v1alpha1.KafkaTLS{}, v1alpha1.KafkaSASLPlain), ""},
		"PLAIN without TLS":                        {kafkaSecured(nil, v1alpha1.KafkaSASLPlain), "PLAIN would send the password in plain text: set spec.kafka.tls"},
		"SCRAM-SHA-256 without TLS":                {kafkaSecured(nil, v1alpha1.KafkaSASLScramSHA256), ""},
		"SCRAM-SHA-512 by TLS":                     {kafkaSecured(&v1alpha1.KafkaTLS{}, v1alpha1.KafkaSASLScramSHA512), ""},
		"a mechanism that does not exist":          {kafkaSecured(nil, "GSSAPI"), "Unsupported value"},
		"Temporal by TLS":                          {temporalSecured(v1alpha1.TemporalTLS{}), ""},
		"Temporal by TLS and a certificate":        {temporalSecured(v1alpha1.TemporalTLS{SecretRef: credentials("temporal")}), ""},
		"keys that a key of the Brand's wraps":     {encryptedBy("lumi-key"), ""},
		"privacy that says nothing":                {kept(nil), ""},
		"conversations kept for a year":            {kept(new(int32(365))), ""},
		"conversations kept for a week":            {kept(new(int32(7))), "should be greater than or equal to 30"},
		"keys replaced every quarter":              {rotating(90), ""},
		"keys replaced every hour":                 {rotating(0), "should be greater than or equal to 1"},
		"no name of the Secret of a key":           {encryptedBy(""), "spec.privacy.encryptionKeySecretRef.name"},
		"no name of the Secret of Temporal":        {temporalSecured(v1alpha1.TemporalTLS{SecretRef: credentials("")}), "spec.temporal.tls.secretRef.name"},
		"Temporal by another name":                 {temporalSecured(v1alpha1.TemporalTLS{ServerName: "frontend.temporal"}), ""},
		"Temporal by a name with a port":           {temporalSecured(v1alpha1.TemporalTLS{ServerName: "frontend.temporal:7233"}), "write serverName as a host name without a port"},
		"a webhook":                                {paged("https://pager.example/yingda"), ""},
		"a webhook at a port, and nothing else":    {paged("https://Pager.infra:8443"), ""},
		"a webhook of a private authority":         {brand("lumi", pagedAt("https://pager.infra", "lumi-pager"), trusting("pager-ca")), ""},
		"no name of the Secret of its authorities": {brand("lumi", pagedAt("https://pager.infra", "lumi-pager"), trusting("")), "spec.onCall.webhook.caSecretRef.name"},
		"a webhook in plain text":                  {paged("http://pager.example/yingda"), "write url as https://host/path"},
		"a webhook with a user":                    {paged("https://user:word@pager.example/"), "write url as https://host/path"},
		"a webhook with a query":                   {paged("https://pager.example/send?key=1"), "write url as https://host/path"},
		"a webhook with a fragment":                {paged("https://pager.example/send#key"), "write url as https://host/path"},
		"a webhook without a host":                 {paged("https:///yingda"), "write url as https://host/path"},
		"no name of the Secret of a webhook":       {brand("lumi", pagedAt("https://pager.example/", "")), "spec.onCall.webhook.secretRef.name"},
		"forms at a host":                          {formsAt("https://service.lumi.example"), ""},
		"forms at a port":                          {formsAt("https://service.lumi.example:8443/"), ""},
		"forms in plain text":                      {formsAt("http://service.lumi.example"), "write formsURL as https://host"},
		"forms below a path":                       {formsAt("https://lumi.example/service"), "write formsURL as https://host"},
		"a router for peaks and load":              {scaledRouter(2, v1alpha1.PeakScaling{PeakReplicas: new(int32(3)), MaxReplicas: new(int32(10))}), ""},
		"a router with fewer for peaks":            {scaledRouter(4, v1alpha1.PeakScaling{PeakReplicas: new(int32(3))}), "scaling.peakReplicas must be at least replicas"},
		"a router with fewer at most":              {scaledRouter(4, v1alpha1.PeakScaling{MaxReplicas: new(int32(3))}), "scaling.maxReplicas must be at least replicas and scaling.peakReplicas"},
		"a desk for peaks and load":                {scaledDesk(2, v1alpha1.PeakScaling{PeakReplicas: new(int32(3)), MaxReplicas: new(int32(3))}), ""},
		"a desk with fewer for peaks":              {scaledDesk(4, v1alpha1.PeakScaling{PeakReplicas: new(int32(3))}), "scaling.peakReplicas must be at least replicas"},
		"a desk with fewer at most than for peaks": {scaledDesk(1, v1alpha1.PeakScaling{PeakReplicas: new(int32(4)), MaxReplicas: new(int32(3))}), "scaling.maxReplicas must be at least replicas and scaling.peakReplicas"},
		"a router with a lead of six hours":        {scaledRouter(1, v1alpha1.PeakScaling{LeadTime: "6h"}), ""},
		"a router with a longer lead":              {scaledRouter(1, v1alpha1.PeakScaling{LeadTime: "6h1s"}), "leadTime must be at most 6h"},
		"a router with a lead without a unit":      {scaledRouter(1, v1alpha1.PeakScaling{LeadTime: "10"}), "write leadTime in hours, minutes and seconds, for example 10m"},
		"a desk with a lead of six hours":          {scaledDesk(1, v1alpha1.PeakScaling{LeadTime: "6h"}), ""},
		"a desk with a longer lead":                {scaledDesk(1, v1alpha1.PeakScaling{LeadTime: "6h1s"}), "leadTime must be at most 6h"},
		"a desk with a lead without a unit":        {scaledDesk(1, v1alpha1.PeakScaling{LeadTime: "10"}), "write leadTime in hours, minutes and seconds, for example 10m"},
		"a deletion policy that does not exist":    {brand("lumi", func(b *v1alpha1.Brand) { b.Spec.DeletionPolicy = "Maybe" }), "Unsupported value"},
		"a Brand that leaves nothing behind":       {brand("lumi", removable), ""},
	}
}

func named(name string, b *v1alpha1.Brand) *v1alpha1.Brand {
	b.Name = name
	return b
}

func inNamespace(b *v1alpha1.Brand) { b.Spec.Temporal.Namespace = "lumi" }

func brokers(addresses ...string) *v1alpha1.Brand {
	return brand("lumi", func(b *v1alpha1.Brand) { b.Spec.Kafka.BootstrapServers = addresses })
}

func temporal(address string) *v1alpha1.Brand {
	return brand("lumi", func(b *v1alpha1.Brand) { b.Spec.Temporal.Address = address })
}

func credentials(name string) *v1alpha1.CredentialsReference {
	return &v1alpha1.CredentialsReference{Name: name}
}

// kafkaSecured is a Brand with TLS and, where there is a mechanism, a user.
func kafkaSecured(tls *v1alpha1.KafkaTLS, mechanism v1alpha1.KafkaSASLMechanism) *v1alpha1.Brand {
	return brand("lumi", func(b *v1alpha1.Brand) {
		b.Spec.Kafka.TLS = tls
		if mechanism != "" {
			b.Spec.Kafka.SASL = &v1alpha1.KafkaSASL{Mechanism: mechanism, SecretRef: *credentials("kafka-user")}
		}
	})
}

func temporalSecured(tls v1alpha1.TemporalTLS) *v1alpha1.Brand {
	return brand("lumi", func(b *v1alpha1.Brand) { b.Spec.Temporal.TLS = &tls })
}

// encryptedBy is a Brand whose own keys are wrapped by the key in a Secret.
func encryptedBy(name string) *v1alpha1.Brand {
	return brand("lumi", func(b *v1alpha1.Brand) {
		b.Spec.Privacy = &v1alpha1.PrivacySpec{EncryptionKeySecretRef: credentials(name)}
	})
}

// rotating is a Brand that replaces its keys every so many days, and those of now.
func rotating(days int32) *v1alpha1.Brand {
	return brand("lumi", func(b *v1alpha1.Brand) {
		b.Spec.Privacy = &v1alpha1.PrivacySpec{KeyRotationDays: &days, RotateKeysAfter: new(metav1.Now())}
	})
}

// kept is a Brand that keeps conversations for so many days.
func kept(days *int32) *v1alpha1.Brand {
	return brand("lumi", func(b *v1alpha1.Brand) { b.Spec.Privacy = &v1alpha1.PrivacySpec{RetentionDays: days} })
}

func connectorSecret(name string) *v1alpha1.Brand { return brand("lumi", ownLogin(name)) }

func prefixed(prefix string) *v1alpha1.Brand {
	return brand("lumi", func(b *v1alpha1.Brand) { b.Spec.Kafka.Topics.Prefix = prefix })
}

func formsAt(url string) *v1alpha1.Brand {
	return brand("lumi", func(b *v1alpha1.Brand) { b.Spec.Desk.FormsURL = url })
}

func paged(url string) *v1alpha1.Brand { return brand("lumi", pagedAt(url, "lumi-pager")) }

// pagedAt has the Brand's webhook called when those on call are.
func pagedAt(url, secretName string) func(*v1alpha1.Brand) {
	return func(b *v1alpha1.Brand) {
		b.Spec.OnCall = &v1alpha1.BrandOnCall{Webhook: v1alpha1.OnCallWebhook{URL: url, SecretRef: &v1alpha1.CredentialsReference{Name: secretName}}}
	}
}

// trusting has the webhook's certificate be of authorities in a Secret.
func trusting(secretName string) func(*v1alpha1.Brand) {
	return func(b *v1alpha1.Brand) {
		b.Spec.OnCall.Webhook.CASecretRef = &v1alpha1.CredentialsReference{Name: secretName}
	}
}
