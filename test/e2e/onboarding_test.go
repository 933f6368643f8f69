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
	// onboardPatience is far beyond the ten seconds that are promised where the nodes have the image: how long it took is logged.
	onboardPatience = 90 * time.Second
	// removalLimit is for a Channel, which may drain for two minutes, the Brand, which goes after it, and the namespace with its pods.
	removalLimit = 4 * time.Minute
)

// anotherBrand has a brand come from one folder, serve a customer, and leave nothing behind: first with all of its folder at once, but
// its data, to which it comes back, then with its data.
func (s *story) anotherBrand() {
	t := s.t
	place := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: secondBrand}}
	if err := s.kube.Get(t.Context(), client.ObjectKeyFromObject(place), place); !apierrors.IsNotFound(err) {
		t.Skipf("somebody uses the namespace %s (%v)", secondBrand, err)
	}
	cleanly(t, s.deletesSecondFolder)

	brand, channel := s.onboards(t)
	s.serves(t, brand, channel)
	// Brand and Channel are still there when their Secrets and their namespace are on the way out.
	began := time.Now()
	must(t, s.deletesSecondFolder(t.Context()))
	s.leavesNothing(t)
	t.Logf("from delete to gone, all but its data: %s", time.Since(began).Round(100*time.Millisecond))

	brand, channel = s.onboards(t)
	brand.Spec.DeletionPolicy = v1alpha1.DeletionPolicyDelete
	must(t, s.kube.Update(t.Context(), brand))
	began = time.Now()
	for _, object := range []client.Object{brand, channel} {
		must(t, s.kube.Delete(t.Context(), object))
	}
	await(t, "the Brand has gone after its Channel", removalLimit, func(ctx context.Context) (bool, error) {
		err := s.kube.Get(ctx, client.ObjectKeyFromObject(brand), brand)
		return apierrors.IsNotFound(err), client.IgnoreNotFound(err)
	}, func(gone bool) bool { return gone })
	t.Logf("from delete to gone, data and all: %s", time.Since(began).Round(100*time.Millisecond))
	s.givesUpNothing(t)
	await(t, "all that was made for the Brand has gone after it", soon, func(ctx context.Context) ([]string, error) {
		return s.kube.made(ctx, secondBrand)
	}, none)
	must(t, s.deletesSecondFolder(t.Context()))
	s.leavesNothing(t)
}

// onboards applies the folder of the second brand, and logs how long it took to be Ready.
func (s *story) onboards(t *testing.T) (brand *v1alpha1.Brand, channel *v1alpha1.Channel) {
	t.Helper()
	began := time.Now()
	must(t, s.kubectl(t.Context(), "apply", "-k", secondFolder()))
	brand = &v1alpha1.Brand{ObjectMeta: metav1.ObjectMeta{Namespace: secondBrand, Name: secondBrand}}
	channel = &v1alpha1.Channel{ObjectMeta: metav1.ObjectMeta{Namespace: secondBrand, Name: secondChannel}}
	for _, object := range []client.Object{brand, channel} {
		await(t, object.GetName()+" is Ready", onboardPatience, s.kube.conditions(object), isReady)
	}
	t.Logf("from apply to Ready: %s", time.Since(began).Round(100*time.Millisecond))
	for _, object := range []client.Object{brand, channel} {
		must(t, s.kube.Get(t.Context(), client.ObjectKeyFromObject(object), object))
	}
	return brand, channel
}

func secondFolder() string { return filepath.Join("config", "samples", secondBrand) }

// kubectl runs the checkout's own, in its root.
func (s *story) kubectl(ctx context.Context, args ...string) error {
	return s.program(ctx, filepath.Join("k8s", "kubectl"), append([]string{"--kubeconfig=" + s.env["KUBECONFIG"]}, args...)...)
}

// deletesSecondFolder removes the second brand as it came, Secrets, namespace and all, and waits until it is gone.
func (s *story) deletesSecondFolder(ctx context.Context) error {
	return s.kubectl(ctx, "delete", "-k", secondFolder(), "--ignore-not-found", "--timeout="+removalLimit.String())
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

// leavesNothing waits until nothing of the second brand is in the cluster any more: pods and the namespace end in their own time.
func (s *story) leavesNothing(t *testing.T) {
	t.Helper()
	await(t, "nothing of the brand is left in the cluster", removalLimit, func(ctx context.Context) ([]string, error) {
		return s.kube.remains(ctx, secondBrand)
	}, none)
}

func none(names []string) bool { return len(names) == 0 }

// givesUpNothing looks for events that tell of what could not be drained or removed.
func (s *story) givesUpNothing(t *testing.T) {
	t.Helper()
	var events eventsv1.EventList
	must(t, s.kube.List(t.Context(), &events, client.InNamespace(secondBrand)))
	for i := range events.Items {
		if e := &events.Items[i]; e.Reason == v1alpha1.ReasonDrainIncomplete || e.Reason == v1alpha1.ReasonTeardownIncomplete {
			t.Errorf("%s %s: %s", e.Regarding.Kind, e.Regarding.Name, e.Note)
		}
	}
}
