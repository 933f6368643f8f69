package controllers_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/conditions"
)

func TestAChannelGoesOnceItsMessagesAreSettled(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.servedBrand("lumi")
	w.servedChannel("shop", "lumi")
	shop := &v1alpha1.Channel{}

	w.data.owe(3)
	w.remove(shop, "shop")
	draining := w.waitFor(shop, "shop", v1alpha1.ConditionReady, v1alpha1.ReasonDraining)
	if !strings.Contains(draining.Message, "on their way: 3") {
		t.Errorf("message %q does not say what it waits for", draining.Message)
	}
	if err := w.get("lumi-miniprogram", &appsv1.Deployment{}); err != nil {
		t.Errorf("the pool went before its last Channel had drained: %v", err)
	}
	w.data.spool(true)
	w.data.owe(0)
	w.eventually(func() error {
		if err := w.get("shop", shop); err != nil {
			return err
		}
		waits, _ := conditions.Find(shop.Status.Conditions, v1alpha1.ConditionReady)
		if !strings.Contains(waits.Message, "wait in the spool") {
			return fmt.Errorf("message %q does not say what it waits for", waits.Message)
		}
		return nil
	})
	w.data.spool(false)
	w.gone(shop, "shop")
	w.gone(&appsv1.Deployment{}, "lumi-miniprogram")
	if notes := w.events(v1alpha1.ReasonDrainIncomplete); len(notes) > 0 {
		t.Errorf("a Channel that drained is said not to have: %q", notes)
	}
}

func TestAChannelThatCannotDrainGoesAfterTwoMinutes(t *testing.T) {
	t.Parallel()
	for sentence, tt := range map[string]struct {
		hinder func(w *world)
		want   string
	}{
		"with messages that nobody settles":          {func(w *world) { w.data.owe(2) }, "on their way: 2"},
		"with messages in the spool":                 {func(w *world) { w.data.spool(true) }, "wait in the spool"},
		"with a replica that goes on as it was told": {func(w *world) { w.data.hold("Channel", "shop", 1) }, "not every replica has confirmed"},
	} {
		t.Run(sentence, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.servedBrand("lumi")
			w.servedChannel("shop", "lumi")
			shop := &v1alpha1.Channel{}
			tt.hinder(w)
			w.remove(shop, "shop")
			w.waitFor(shop, "shop", v1alpha1.ConditionReady, v1alpha1.ReasonDraining)
			w.clock.advance(2 * time.Minute)
			nudge(w, "shop", shop)
			w.gone(shop, "shop")
			w.eventually(func() error {
				if notes := w.events(v1alpha1.ReasonDrainIncomplete); len(notes) != 1 || !strings.Contains(notes[0], tt.want) {
					return fmt.Errorf("events are %q, want one that says %q", notes, tt.want)
				}
				return nil
			})
		})
	}
}

func TestAChannelThatNobodyServesGoesAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	shop := &v1alpha1.Channel{}
	w.create(channel("shop", "nowhere"))
	w.waitFor(shop, "shop", v1alpha1.ConditionReady, v1alpha1.ReasonNotFound)
	w.remove(shop, "shop")
	w.gone(shop, "shop")
}

// events are the notes of the events with a reason.
func (w *world) events(reason string) []string {
	w.t.Helper()
	var all eventsv1.EventList
	if err := w.client.List(w.t.Context(), &all, client.InNamespace(w.namespace)); err != nil {
		w.t.Fatal(err)
	}
	var notes []string
	for i := range all.Items {
		if all.Items[i].Reason == reason {
			notes = append(notes, all.Items[i].Note)
		}
	}
	slices.Sort(notes)
	return notes
}

func removable(b *v1alpha1.Brand) { b.Spec.DeletionPolicy = v1alpha1.DeletionPolicyDelete }

// departingBrand is one with the policy Delete whose router still runs.
func departingBrand(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	w.create(secret("lumi-postgres"), skillGroup("lumi-everybody", "lumi"), brand("lumi", removable))
	w.finishSetup("lumi")
	w.run("lumi-router", "lumi-workflows", "lumi-desk")
	w.waitFor(&v1alpha1.Brand{}, "lumi", v1alpha1.ConditionReady, v1alpha1.ReasonReady)
	w.remove(&v1alpha1.Brand{}, "lumi")
	w.waitFor(&v1alpha1.Brand{}, "lumi", v1alpha1.ConditionReady, v1alpha1.ReasonTearingDown)
	return w
}

// endPods plays the garbage collector and the kubelet for the Deployments that are gone.
func (w *world) endPods() {
	w.t.Helper()
	for _, name := range []string{"lumi-router", "lumi-workflows", "lumi-desk"} {
		w.gone(&appsv1.Deployment{}, name)
		pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: name + "-0"}}
		if err := w.client.Delete(w.t.Context(), pod, client.GracePeriodSeconds(0)); err != nil {
			w.t.Fatal(err)
		}
	}
}

func TestDeletionPolicyDeleteRemovesTheDataOnceNobodyUsesIt(t *testing.T) {
	t.Parallel()
	w := departingBrand(t)
	teardown := &batchv1.Job{}
	w.gone(&appsv1.Deployment{}, "lumi-router")
	if err := w.get("lumi-teardown", teardown); err == nil {
		t.Error("the data is removed while pods still use it")
	}
	w.endPods()
	w.eventually(func() error { return w.get("lumi-teardown", teardown) })
	if args := teardown.Spec.Template.Spec.Containers[0].Args; args[0] != "teardown" {
		t.Errorf("the Job runs %q", args)
	}
	w.endJob(teardown, batchv1.JobSuccessCriteriaMet, batchv1.JobComplete)
	w.gone(&v1alpha1.Brand{}, "lumi")
	if notes := w.events(v1alpha1.ReasonTeardownIncomplete); len(notes) > 0 {
		t.Errorf("a Brand without a trace is said to have left some: %q", notes)
	}
}

func TestATeardownThatFailsSaysWhatIsLeft(t *testing.T) {
	t.Parallel()
	w := departingBrand(t)
	w.endPods()
	teardown := &batchv1.Job{}
	w.eventually(func() error { return w.get("lumi-teardown", teardown) })
	w.lastWords(teardown, "teardown", "deleting topics: kafka.infra:9092: connection refused")
	w.endJob(teardown, batchv1.JobFailureTarget, batchv1.JobFailed)
	w.gone(&v1alpha1.Brand{}, "lumi")
	w.eventually(func() error {
		if notes := w.events(v1alpha1.ReasonTeardownIncomplete); len(notes) != 1 || !strings.Contains(notes[0], "deleting topics") {
			return fmt.Errorf("events are %q, want one that says what failed", notes)
		}
		return nil
	})
}

func TestABrandThatIsTornDownSaysWhatIsStillTrueOfIt(t *testing.T) {
	t.Parallel()
	w := departingBrand(t)
	lumi := &v1alpha1.Brand{}
	waits := w.waitFor(lumi, "lumi", v1alpha1.ConditionTornDown, v1alpha1.ReasonTearingDown)
	if want := "The data is removed once the Brand's pods have ended"; waits.Message != want {
		t.Errorf("message is %q, want %q", waits.Message, want)
	}
	w.waitFor(lumi, "lumi", v1alpha1.ConditionReferencesResolved, v1alpha1.ReasonResolved)
	w.waitFor(lumi, "lumi", v1alpha1.ConditionProvisioned, v1alpha1.ReasonTearingDown)
	w.waitFor(lumi, "lumi", v1alpha1.ConditionDeskAvailable, v1alpha1.ReasonNoReadyReplica)
	w.endPods()
	w.waitFor(lumi, "lumi", v1alpha1.ConditionAcknowledged, v1alpha1.ReasonAwaitingReplicas)
	w.eventually(func() error {
		if err := w.get("lumi", lumi); err != nil {
			return err
		}
		removed, _ := conditions.Find(lumi.Status.Conditions, v1alpha1.ConditionTornDown)
		if want := "Topics, data and Temporal namespace are being removed"; removed.Message != want {
			return fmt.Errorf("message is %q, want %q", removed.Message, want)
		}
		return nil
	})
}

func TestABrandGoesAfterTwoMinutesWhoeverLeadsMeanwhile(t *testing.T) {
	t.Parallel()
	w := departingBrand(t)
	w.waitFor(&v1alpha1.Brand{}, "lumi", v1alpha1.ConditionTornDown, v1alpha1.ReasonTearingDown)
	w.halt()
	w.clock.advance(2 * time.Minute)
	w.start()
	w.gone(&v1alpha1.Brand{}, "lumi")
}

func TestABrandGoesAfterTwoMinutesWhenItsPodsDoNotEnd(t *testing.T) {
	t.Parallel()
	w := departingBrand(t)
	w.waitFor(&v1alpha1.Brand{}, "lumi", v1alpha1.ConditionTornDown, v1alpha1.ReasonTearingDown)
	w.clock.advance(2 * time.Minute)
	w.gone(&v1alpha1.Brand{}, "lumi")
	w.eventually(func() error {
		if notes := w.events(v1alpha1.ReasonTeardownIncomplete); len(notes) != 1 || !strings.Contains(notes[0], "3 pods did not end") {
			return fmt.Errorf("events are %q, want one that names the pods", notes)
		}
		return nil
	})
}

func TestABrandThatNeverRanGoesAfterTwoMinutesWhenItsTeardownCannotStart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	theirs := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "lumi-teardown"}}
	w.create(theirs, brand("lumi", removable))
	w.waitFor(&v1alpha1.Brand{}, "lumi", v1alpha1.ConditionReferencesResolved, v1alpha1.ReasonNotFound)
	w.remove(&v1alpha1.Brand{}, "lumi")
	said := w.waitFor(&v1alpha1.Brand{}, "lumi", v1alpha1.ConditionTornDown, v1alpha1.ReasonTearingDown)
	if !strings.Contains(said.Message, "lumi-teardown") {
		t.Errorf("the condition says %q, want what is in the way", said.Message)
	}
	w.clock.advance(2 * time.Minute)
	w.gone(&v1alpha1.Brand{}, "lumi")
	w.eventually(func() error {
		if notes := w.events(v1alpha1.ReasonTeardownIncomplete); len(notes) != 1 || !strings.Contains(notes[0], "could not start") {
			return fmt.Errorf("events are %q, want one that says that nothing was removed", notes)
		}
		return nil
	})
}

func TestTheDataOfARetainedBrandIsLeftAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.servedBrand("lumi")
	w.remove(&v1alpha1.Brand{}, "lumi")
	w.gone(&v1alpha1.Brand{}, "lumi")
	if err := w.get("lumi-teardown", &batchv1.Job{}); err == nil {
		t.Error("a Job removes the data of a Brand that retains it")
	}
}

func TestADedicatedChannelHasAPoolOfItsOwn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.servedBrand("lumi")
	w.servedChannel("shop", "lumi")
	w.data.say("flagship", accepted())
	w.create(secret("flagship-wechat"), channel("flagship", "lumi", func(c *v1alpha1.Channel) { c.Spec.Isolation = v1alpha1.IsolationDedicated }))
	w.run("lumi-miniprogram-flagship")
	flagship := &v1alpha1.Channel{}
	w.waitFor(flagship, "flagship", v1alpha1.ConditionReady, v1alpha1.ReasonReady)
	if got := flagship.Status.Connector.Name; got != "lumi-miniprogram-flagship" {
		t.Errorf("the connector is %s", got)
	}
	own := &appsv1.Deployment{}
	if err := w.get("lumi-miniprogram-flagship", own); err != nil {
		t.Fatal(err)
	}
	args := own.Spec.Template.Spec.Containers[0].Args
	for _, want := range []string{"--pool=miniprogram-flagship", "--create-topic", "--partitions=12"} {
		if !slices.Contains(args, want) {
			t.Errorf("the connector runs without %s: %q", want, args)
		}
	}
	shared := &rbacv1.Role{}
	if err := w.get("lumi-miniprogram", shared); err != nil {
		t.Fatal(err)
	}
	if names := secretRules(shared); slices.Contains(names, "flagship-wechat") {
		t.Errorf("the shared pool may read the Secrets %q", names)
	}
	w.remove(&v1alpha1.Channel{}, "flagship")
	w.gone(&appsv1.Deployment{}, "lumi-miniprogram-flagship")
	w.waitFor(&v1alpha1.Channel{}, "shop", v1alpha1.ConditionReady, v1alpha1.ReasonReady)
}
