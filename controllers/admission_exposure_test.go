package controllers_test

import (
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/yingda-dev/yingda/api/v1alpha1"
)

func TestAdmissionOfExposures(t *testing.T) { newAdmission(t).tries(exposureAttempts()) }

// exposureAttempts tries each exposure of a Channel's webhook and of a Brand's desk.
func exposureAttempts() map[string]attempt {
	tests := map[string]attempt{}
	for of, exposed := range map[string]func(v1alpha1.ExposureSpec) client.Object{
		"a webhook": func(e v1alpha1.ExposureSpec) client.Object {
			return channelWith(func(s *v1alpha1.ChannelSpec) { s.Exposure = &e })
		},
		"a desk": func(e v1alpha1.ExposureSpec) client.Object {
			return brand("lumi", func(b *v1alpha1.Brand) { b.Spec.Desk.Exposure = &e })
		},
	} {
		for name, tt := range exposures() {
			tests[of+" through "+name] = attempt{exposed(tt.exposure), tt.want}
		}
	}
	return tests
}

// tried is an exposure to try, and the message of its refusal; empty means that it is accepted.
type tried struct {
	exposure v1alpha1.ExposureSpec
	want     string
}

func exposures() map[string]tried {
	host := func(name string) v1alpha1.ExposureSpec { return *throughGateway(name) }
	ingress := func(class, certificate string) v1alpha1.ExposureSpec {
		return v1alpha1.ExposureSpec{Host: "hooks.lumi.example", IngressClassName: class, TLSSecretName: certificate}
	}
	gateways := func(references ...v1alpha1.GatewayReference) v1alpha1.ExposureSpec {
		return v1alpha1.ExposureSpec{Host: "hooks.lumi.example", ParentRefs: references}
	}
	both := gateways(v1alpha1.GatewayReference{Name: "public"})
	both.IngressClassName = "nginx"
	certificate := gateways(v1alpha1.GatewayReference{Name: "public"})
	certificate.TLSSecretName = "tls"
	return map[string]tried{
		"a Gateway":                          {host("hooks.lumi.example"), ""},
		"an Ingress":                         {ingress("nginx", "tls"), ""},
		"neither":                            {ingress("", ""), "set parentRefs for a Gateway, or ingressClassName for an Ingress"},
		"both":                               {both, "set parentRefs for a Gateway, or ingressClassName for an Ingress"},
		"a Gateway with a certificate":       {certificate, "tlsSecretName is for an Ingress"},
		"an Ingress of a class in capitals":  {ingress("Nginx", ""), "write ingressClassName as kubectl get ingressclasses shows it"},
		"an Ingress with TLS in capitals":    {ingress("nginx", "TLS"), "write tlsSecretName as the name of a Secret"},
		"a Gateway in capitals":              {gateways(v1alpha1.GatewayReference{Name: "Public"}), "write name as kubectl get gateways shows it"},
		"a Gateway of a namespace with dots": {gateways(v1alpha1.GatewayReference{Name: "public", Namespace: "in.fra"}), "write namespace as the name of a namespace"},
		"a listener in capitals":             {gateways(v1alpha1.GatewayReference{Name: "public", SectionName: "HTTPS"}), "write sectionName as the Gateway names its listener"},
		"two listeners of a Gateway": {
			gateways(v1alpha1.GatewayReference{Name: "public", SectionName: "a"}, v1alpha1.GatewayReference{Name: "public", SectionName: "b"}), "",
		},
		"one Gateway twice": {
			gateways(v1alpha1.GatewayReference{Name: "public"}, v1alpha1.GatewayReference{Name: "public"}), "name each Gateway, or each listener of it, once",
		},
		"a host with a scheme": {host("https://hooks.lumi.example"), "write host as a DNS name in lower case"},
		"a host in capitals":   {host("Hooks.lumi.example"), "write host as a DNS name in lower case"},
	}
}
