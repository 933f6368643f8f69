package controllers_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"github.com/yingda-dev/yingda/api/v1alpha1"
)

// securedBothWays is a Brand whose connections to Kafka and Temporal, and whose own keys, are secured by a Secret each.
func securedBothWays(b *v1alpha1.Brand) {
	b.Spec.Kafka = kafkaSecured(&v1alpha1.KafkaTLS{CASecretRef: credentials("kafka")}, v1alpha1.KafkaSASLScramSHA512).Spec.Kafka
	b.Spec.Kafka.SASL.SecretRef.Name = "kafka"
	b.Spec.Temporal.TLS = &v1alpha1.TemporalTLS{SecretRef: credentials("temporal")}
	b.Spec.Privacy = &v1alpha1.PrivacySpec{EncryptionKeySecretRef: credentials("key")}
}

func TestTheSecretsOfSecuredConnectionsAreReferences(t *testing.T) { //nolint:tparallel // Its subtests go on where it was.
	t.Parallel()
	w := newWorld(t)
	w.create(secret("lumi-postgres"), unlabelledSecret("temporal"), skillGroup("lumi-everybody", "lumi"), brand("lumi", securedBothWays))
	lumi := &v1alpha1.Brand{}
	missing := w.waitFor(lumi, "lumi", v1alpha1.ConditionReferencesResolved, v1alpha1.ReasonNotFound)
	want := `Secret kafka does not exist in this namespace; Secret temporal does not carry the label yingda.dev/credentials: "true"; Secret key does not exist in this namespace`
	if missing.Message != want {
		t.Errorf("message is %q, want %q", missing.Message, want)
	}
	awaiting := w.waitFor(lumi, "lumi", v1alpha1.ConditionProvisioned, v1alpha1.ReasonAwaitingReferences)
	if want := "Setup waits for the Secret kafka and the Secret temporal and the Secret key"; awaiting.Message != want {
		t.Errorf("message is %q, want %q", awaiting.Message, want)
	}
	w.create(secret("kafka"), secret("key"))
	w.waitFor(lumi, "lumi", v1alpha1.ConditionReferencesResolved, v1alpha1.ReasonNotLabelled)
	change(w, "temporal", &corev1.Secret{}, func(s *corev1.Secret) { s.Labels = map[string]string{v1alpha1.CredentialsLabel: "true"} })
	w.waitFor(lumi, "lumi", v1alpha1.ConditionReferencesResolved, v1alpha1.ReasonResolved)
	setup := w.setupJob("lumi")
	w.finishSetup("lumi")
	w.run("lumi-router", "lumi-workflows", "lumi-desk")
	w.servedChannel("shop", "lumi")

	workflows := w.template("lumi-workflows")
	for name, tt := range map[string]struct {
		pod  corev1.PodSpec
		want []string
	}{
		"setup":         {setup.Spec.Template.Spec, []string{"lumi-postgres", "kafka", "kafka", "temporal", "key"}},
		"the router":    {w.template("lumi-router").Spec, []string{"lumi-postgres", "kafka", "kafka", "temporal", "key"}},
		"the workflows": {workflows.Spec, []string{"lumi-postgres", "temporal", "key"}},
		"the desk":      {w.template("lumi-desk").Spec, []string{"lumi-postgres", "kafka", "kafka", "key"}},
		"the connector": {w.template("lumi-miniprogram").Spec, []string{"lumi-postgres", "kafka", "kafka"}},
	} {
		if diff := cmp.Diff(tt.want, mounted(tt.pod)); diff != "" {
			t.Errorf("Secrets that %s mounts (-want +got):\n%s", name, diff)
		}
	}

	t.Run("a new password is set up anew before who uses it rolls, and nobody else does", func(*testing.T) {
		router := w.template("lumi-router")
		change(w, "kafka", &corev1.Secret{}, func(s *corev1.Secret) { s.Data["password"] = []byte("new") })
		w.rollsAfterSetup("lumi", setup)
		w.eventually(func() error {
			if cmp.Equal(router, w.template("lumi-router")) {
				return errors.New("the router does not roll though its setup is done")
			}
			return nil
		})
		w.waitFor(lumi, "lumi", v1alpha1.ConditionReady, v1alpha1.ReasonReady)
		if diff := cmp.Diff(workflows, w.template("lumi-workflows")); diff != "" {
			t.Errorf("the workflows are rolled (-before +after):\n%s", diff)
		}
	})
}
