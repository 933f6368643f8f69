package controllers_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/yingda-dev/yingda/api/v1alpha1"
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

func TestConnectorsMountTheirOwnLoginAlone(t *testing.T) { //nolint:tparallel // Its subtests go on where it was.
	t.Parallel()
	w := newWorld(t)
	w.create(secret("lumi-postgres"), skillGroup("lumi-everybody", "lumi"), brand("lumi", ownLogin("lumi-connector")))
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

	router := w.template("lumi-router")
	for name, tt := range map[string]struct {
		pod  corev1.PodSpec
		want []string
	}{
		"setup":         {setup.Spec.Template.Spec, []string{"lumi-postgres", "lumi-connector"}},
		"the router":    {router.Spec, []string{"lumi-postgres"}},
		"the desk":      {w.template("lumi-desk").Spec, []string{"lumi-postgres"}},
		"the workflows": {w.template("lumi-workflows").Spec, []string{"lumi-postgres"}},
		"the connector": {w.template("lumi-miniprogram").Spec, []string{"lumi-connector"}},
	} {
		if diff := cmp.Diff(tt.want, mounted(tt.pod)); diff != "" {
			t.Errorf("Secrets that %s mounts (-want +got):\n%s", name, diff)
		}
	}

	t.Run("a new login is set up anew before connectors roll, and nobody else does", func(*testing.T) {
		change(w, "lumi-connector", &corev1.Secret{}, func(s *corev1.Secret) { s.Data["url"] = []byte("postgres://other@db/lumi") })
		w.rollsAfterSetup("lumi", setup)
		w.waitFor(lumi, "lumi", v1alpha1.ConditionReady, v1alpha1.ReasonReady)
		if diff := cmp.Diff(router, w.template("lumi-router")); diff != "" {
			t.Errorf("the router is rolled (-before +after):\n%s", diff)
		}
	})
	t.Run("a new image is set up before connectors roll", func(*testing.T) {
		last := w.setupJob("lumi")
		w.halt()
		w.settings.Image = "yingda:next"
		w.start()
		w.rollsAfterSetup("lumi", last)
	})
}

// rollsAfterSetup waits for another setup than the last, and sees that connectors are rolled once it is done and not before.
func (w *world) rollsAfterSetup(brand string, last *batchv1.Job) {
	w.t.Helper()
	connector := w.template(brand + "-miniprogram")
	w.eventually(func() error {
		if w.setupJob(brand).UID == last.UID {
			return errors.New("the setup of before is still there")
		}
		return nil
	})
	w.settled()
	if diff := cmp.Diff(connector, w.template(brand+"-miniprogram")); diff != "" {
		w.t.Errorf("connectors roll before their setup is done (-before +after):\n%s", diff)
	}
	w.finishSetup(brand)
	w.eventually(func() error {
		if cmp.Equal(connector, w.template(brand+"-miniprogram")) {
			return errors.New("connectors do not roll though their setup is done")
		}
		return nil
	})
}
