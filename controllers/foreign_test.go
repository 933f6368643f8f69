package controllers_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/yingda-dev/yingda/api/v1alpha1"
)

func TestASecretOfSomebodyElseIsLeftAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	mine := unlabelledSecret("xiaomei-trial-token")
	w.create(brand("lumi"), mine, agent("xiaomei", "lumi", nil))
	found := w.waitFor(&v1alpha1.Agent{}, "xiaomei", v1alpha1.ConditionReferencesResolved, v1alpha1.ReasonInvalid)
	if !strings.Contains(found.Message, "xiaomei-trial-token") {
		t.Errorf("message %q does not name the Secret", found.Message)
	}
	kept := &corev1.Secret{}
	if err := w.get(mine.Name, kept); err != nil || kept.UID != mine.UID {
		t.Errorf("the Secret is not the one of before: %v", err)
	}
}

func TestADeploymentOfSomebodyElseIsNotTakenOver(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	labels := map[string]string{"app": "other"}
	foreign := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: "lumi-router"}, Spec: appsv1.DeploymentSpec{
		Selector: &metav1.LabelSelector{MatchLabels: labels},
		Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: corev1.PodSpec{
			Containers: []corev1.Container{{Name: "other", Image: "other:1"}},
		}},
	}}
	pool := foreign.DeepCopy()
	pool.Name = "lumi-miniprogram"
	w.create(foreign, pool, secret("lumi-postgres"), skillGroup("lumi-everybody", "lumi"), brand("lumi"), secret("shop-wechat"), channel("shop", "lumi"))
	w.finishSetup("lumi")
	taken := w.waitFor(&v1alpha1.Brand{}, "lumi", v1alpha1.ConditionReferencesResolved, v1alpha1.ReasonNameTaken)
	if want := "Deployment lumi-router belongs to somebody else; delete or rename it"; taken.Message != want {
		t.Errorf("message is %q, want %q", taken.Message, want)
	}
	taken = w.waitFor(&v1alpha1.Channel{}, "shop", v1alpha1.ConditionReferencesResolved, v1alpha1.ReasonNameTaken)
	if want := "Deployment lumi-miniprogram belongs to somebody else; delete or rename it"; taken.Message != want {
		t.Errorf("message is %q, want %q", taken.Message, want)
	}
	// What nobody is in the way of is made.
	w.run("lumi-workflows", "lumi-desk")
	w.waitFor(&v1alpha1.Brand{}, "lumi", v1alpha1.ConditionDeskAvailable, v1alpha1.ReasonAvailable)
	w.settled()
	now := &appsv1.Deployment{}
	if err := w.get("lumi-router", now); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(foreign.Spec, now.Spec); diff != "" {
		t.Errorf("the Deployment changed (-before +after):\n%s", diff)
	}
}
