package controllers_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/dataplane"
)

// mounted are the Secrets that a pod mounts.
func mounted(pod corev1.PodSpec) []string {
	var names []string
	for _, volume := range pod.Volumes {
		if volume.Projected == nil {
			continue
		}
		for _, source := range volume.Projected.Sources {
			names = append(names, source.Secret.Name)
		}
	}
	return names
}

func (w *world) template(deployment string) corev1.PodTemplateSpec {
	w.t.Helper()
	found := &appsv1.Deployment{}
	w.eventually(func() error { return w.get(deployment, found) })
	return found.Spec.Template
}

func TestConnectorsMountTheirOwnLoginAlone(t *testing.T) {
	w := newWorld(t)
	w.create(secret("lumi-postgres"), brand("lumi", ownLogin("lumi-connector")))
	lumi := &v1alpha1.Brand{}
	missing := w.waitFor(lumi, "lumi", v1alpha1.ConditionReferencesResolved, v1alpha1.ReasonNotFound)
	if want := "Secret lumi-connector does not exist in this namespace"; missing.Message != want {
		t.Errorf("message is %q, want %q", missing.Message, want)
	}
	w.create(unlabelledSecret("lumi-connector"))
	w.waitFor(lumi, "lumi", v1alpha1.ConditionReferencesResolved, v1alpha1.ReasonNotLabelled)
	change(w, "lumi-connector", &corev1.Secret{}, func(s *corev1.Secret) { s.Labels = map[string]string{v1alpha1.CredentialsLabel: "true"} })
	w.waitFor(lumi, "lumi", v1alpha1.ConditionReferencesResolved, v1alpha1.ReasonResolved)
	setup := w.setupJob("lumi")
	w.finishSetup("lumi")
	w.run("lumi-router", "lumi-workflows", "lumi-desk")
	w.servedChannel("shop", "lumi")

	connector, router := w.template("lumi-miniprogram"), w.template("lumi-router")
	for name, tt := range map[string]struct {
		pod  corev1.PodSpec
		want []string
	}{
		"setup":         {setup.Spec.Template.Spec, []string{"lumi-postgres", "lumi-connector"}},
		"the router":    {router.Spec, []string{"lumi-postgres"}},
		"the desk":      {w.template("lumi-desk").Spec, []string{"lumi-postgres"}},
		"the workflows": {w.template("lumi-workflows").Spec, []string{"lumi-postgres"}},
		"the connector": {connector.Spec, []string{"lumi-connector"}},
	} {
		if diff := cmp.Diff(tt.want, mounted(tt.pod)); diff != "" {
			t.Errorf("Secrets that %s mounts (-want +got):\n%s", name, diff)
		}
	}

	t.Run("a new login is set up anew, and rolls connectors and nobody else", func(t *testing.T) {
		change(w, "lumi-connector", &corev1.Secret{}, func(s *corev1.Secret) { s.Data["url"] = []byte("postgres://other@db/lumi") })
		w.eventually(func() error {
			if w.setupJob("lumi").UID == setup.UID {
				return errors.New("the new login is not set up")
			}
			return nil
		})
		w.finishSetup("lumi")
		w.eventually(func() error {
			if now := w.template("lumi-miniprogram").Annotations[dataplane.AnnotationConnections]; now == connector.Annotations[dataplane.AnnotationConnections] {
				return fmt.Errorf("connectors still have connections %s", now)
			}
			return nil
		})
		w.waitFor(lumi, "lumi", v1alpha1.ConditionReady, v1alpha1.ReasonReady)
		if diff := cmp.Diff(router, w.template("lumi-router")); diff != "" {
			t.Errorf("the router is rolled (-before +after):\n%s", diff)
		}
	})
}
