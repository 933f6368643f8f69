//go:build e2e

package e2e

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/yingda-dev/yingda/api/v1alpha1"
)

// The second sample brand, config/samples/qiming, of whose folder and namespace the name is.
const (
	secondBrand   = "qiming"
	secondChannel = "teahouse"
	secondAgent   = "achen"
	// onboardLimit is far beyond the ten seconds that are promised: a busy machine fails no test for its speed.
	onboardLimit = 90 * time.Second
)

// anotherBrand has a brand come from one folder, serve a customer, and leave nothing behind.
func (s *story) anotherBrand() {
	t := s.t
	place := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: secondBrand}}
	if err := s.kube.Get(t.Context(), client.ObjectKeyFromObject(place), place); !apierrors.IsNotFound(err) {
		t.Skipf("somebody uses the namespace %s (%v)", secondBrand, err)
	}
	folder := filepath.Join("config", "samples", secondBrand)
	kubectl := func(ctx context.Context, args ...string) error {
		return runProgram(ctx, s.root, filepath.Join(s.root, "bin", "k8s", "kubectl"), append([]string{"--kubeconfig=" + s.env["KUBECONFIG"]}, args...)...)
	}
	cleanly(t, func(ctx context.Context) error { return kubectl(ctx, "delete", "-k", folder, "--ignore-not-found") })

	began := time.Now()
	must(t, kubectl(t.Context(), "apply", "-k", folder))
	brand := &v1alpha1.Brand{ObjectMeta: metav1.ObjectMeta{Namespace: secondBrand, Name: secondBrand}}
	channel := &v1alpha1.Channel{ObjectMeta: metav1.ObjectMeta{Namespace: secondBrand, Name: secondChannel}}
	for _, object := range []client.Object{brand, channel} {
		await(t, object.GetName()+" is Ready", onboardLimit, s.kube.conditions(object), isReady)
		must(t, s.kube.Get(t.Context(), client.ObjectKeyFromObject(object), object))
	}
	t.Logf("from apply to Ready: %s", time.Since(began).Round(100*time.Millisecond))

	s.serves(t, brand, channel)

	brand.Spec.DeletionPolicy = v1alpha1.DeletionPolicyDelete
	must(t, s.kube.Update(t.Context(), brand))
	began = time.Now()
	for _, object := range []client.Object{brand, channel} {
		must(t, s.kube.Delete(t.Context(), object))
	}
	await(t, "the Brand has gone after its Channel", 2*onboardLimit, func(ctx context.Context) (bool, error) {
		err := s.kube.Get(ctx, client.ObjectKeyFromObject(brand), brand)
		return apierrors.IsNotFound(err), client.IgnoreNotFound(err)
	}, func(gone bool) bool { return gone })
	t.Logf("from delete to gone, data and all: %s", time.Since(began).Round(100*time.Millisecond))
	s.leftNothing(t)
}

// serves has a customer of the second brand answered by an agent of it.
func (s *story) serves(t *testing.T, brand *v1alpha1.Brand, channel *v1alpha1.Channel) {
	t.Helper()
	account := s.sim.app(channel.Spec.MiniProgram.AppID)
	must(t, account.change(t.Context(), console{CallbackURL: channel.Status.WebhookURL}))
	await(t, "the webhook is verified", soon, func(ctx context.Context) (bool, error) { return true, account.verify(ctx) }, func(bool) bool { return true })
	token := &corev1.Secret{}
	must(t, s.kube.Get(t.Context(), client.ObjectKey{Namespace: secondBrand, Name: secondAgent + "-trial-token"}, token))
	agent := desk{url: brand.Status.DeskURL, token: string(token.Data["token"]), agent: secondAgent}
	// A node opens the port of a new Service some moments after its pods are ready.
	await(t, "the desk is reached", soon, func(ctx context.Context) (bool, error) { return true, agent.setDuty(ctx, true) }, func(bool) bool { return true })
	c := account.customer(s.customer("second-brand").openid)
	c.writes(t, "转人工")
	given := agent.sees(t, c, assigned)
	agent.replies(t, c, given.ID, "您好,我是阿陈。")
}

// leftNothing looks for events that tell of what could not be drained or removed.
func (s *story) leftNothing(t *testing.T) {
	t.Helper()
	var events eventsv1.EventList
	must(t, s.kube.List(t.Context(), &events, client.InNamespace(secondBrand)))
	for i := range events.Items {
		if e := &events.Items[i]; e.Reason == v1alpha1.ReasonDrainIncomplete || e.Reason == v1alpha1.ReasonTeardownIncomplete {
			t.Errorf("%s %s: %s", e.Regarding.Kind, e.Regarding.Name, e.Note)
		}
	}
}
