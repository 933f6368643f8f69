package controllers_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/domain/schedule"
	"github.com/yingda-dev/yingda/internal/keda"
)

func scaled(least int32, peaks v1alpha1.PeakScaling) *v1alpha1.Channel {
	return channel("shop", "lumi", scaling(least, peaks))
}

func scaling(least int32, peaks v1alpha1.PeakScaling) func(*v1alpha1.Channel) {
	return func(c *v1alpha1.Channel) {
		c.Spec.Scaling = v1alpha1.ScalingSpec{MinReplicas: least, PeakScaling: peaks}
	}
}

func scaledRouter(replicas int32, peaks v1alpha1.PeakScaling) *v1alpha1.Brand {
	return brand("lumi", func(b *v1alpha1.Brand) { b.Spec.Router = v1alpha1.RouterSpec{Replicas: replicas, Scaling: &peaks} })
}

func scaledDesk(replicas int32, peaks v1alpha1.PeakScaling) *v1alpha1.Brand {
	return brand("lumi", func(b *v1alpha1.Brand) { b.Spec.Desk.Replicas, b.Spec.Desk.Scaling = replicas, &peaks })
}

// peaking is a schedule, always open, with a peak of an hour every day.
func peaking(name string, start time.Time) *v1alpha1.ShiftSchedule {
	start = start.In(whereItIsNoon(start))
	daily := alwaysOpen(name)
	daily.Spec.TimeZone = start.Location().String()
	daily.Spec.Shifts[0].Peaks = []v1alpha1.Peak{{Name: "noon", Start: start.Format("15:04"), Duration: "1h", Seats: 3}}
	return daily
}

// ends is how the status tells when a peak ends that starts then.
func ends(start time.Time) string {
	return start.Add(time.Hour).In(whereItIsNoon(start)).Format(schedule.ToTheMinute)
}

// whereItIsNoon is a zone in whose days a moment is far from both ends, where what begins then would be cut off.
func whereItIsNoon(t time.Time) *time.Location {
	east := 12 - t.UTC().Hour()
	// The sign of these names is that of POSIX: west is positive.
	location, err := time.LoadLocation(fmt.Sprintf("Etc/GMT%+d", -east))
	if err != nil {
		panic(err)
	}
	return location
}

// scheduled makes a Brand whose group works by the schedule "online", and whose data plane runs.
func (w *world) scheduled(by *v1alpha1.ShiftSchedule, edits ...func(*v1alpha1.Brand)) {
	w.t.Helper()
	group := skillGroup("lumi-everybody", "lumi")
	group.Spec.ScheduleRef = &v1alpha1.ShiftScheduleReference{Name: by.Name}
	w.create(secret("lumi-postgres"), by, group, brand("lumi", edits...))
	w.finishSetup("lumi")
	w.run("lumi-router", "lumi-workflows", "lumi-desk")
	w.waitFor(&v1alpha1.Brand{}, "lumi", v1alpha1.ConditionReady, v1alpha1.ReasonReady)
}

// has waits until a Deployment wants so many replicas.
func (w *world) has(name string, replicas int32) *appsv1.Deployment {
	w.t.Helper()
	deployment := &appsv1.Deployment{}
	w.eventually(func() error {
		if err := w.get(name, deployment); err != nil {
			return err
		}
		if *deployment.Spec.Replicas != replicas {
			return fmt.Errorf("%s wants %d replicas, not %d", name, *deployment.Spec.Replicas, replicas)
		}
		return nil
	})
	return deployment
}

// says waits until a Channel reports so many replicas, and why.
func (w *world) says(name string, want v1alpha1.ReplicasStatus) {
	w.t.Helper()
	w.eventually(func() error {
		found := &v1alpha1.Channel{}
		if err := w.get(name, found); err != nil {
			return err
		}
		if found.Status.Connector == nil {
			return fmt.Errorf("Channel %s reports no connector", name)
		}
		if diff := cmp.Diff(want, found.Status.Connector.ReplicasStatus); diff != "" {
			return fmt.Errorf("Channel %s (-want +got):\n%s", name, diff)
		}
		return nil
	})
}

// autoscale plays the HorizontalPodAutoscaler.
func (w *world) autoscale(name string, replicas int32) {
	w.t.Helper()
	deployment := &appsv1.Deployment{}
	if err := w.get(name, deployment); err != nil {
		w.t.Fatal(err)
	}
	to := &autoscalingv1.Scale{Spec: autoscalingv1.ScaleSpec{Replicas: replicas}}
	err := w.client.SubResource("scale").Update(w.t.Context(), deployment, client.WithSubResourceBody(to), client.FieldOwner("kube-controller-manager"))
	if err != nil {
		w.t.Fatal(err)
	}
}

// replicasOf records every number of replicas that a Deployment has from now on, until it is asked.
func (w *world) replicasOf(name string) func() []int32 {
	w.t.Helper()
	watcher, err := client.NewWithWatch(apiServer, client.Options{Scheme: w.client.Scheme()})
	if err != nil {
		w.t.Fatal(err)
	}
	changes, err := watcher.Watch(w.t.Context(), &appsv1.DeploymentList{}, client.InNamespace(w.namespace), client.MatchingFields{"metadata.name": name})
	if err != nil {
		w.t.Fatal(err)
	}
	seen := make(chan []int32)
	go func() {
		var numbers []int32
		for change := range changes.ResultChan() {
			if deployment, ok := change.Object.(*appsv1.Deployment); ok {
				numbers = append(numbers, *deployment.Spec.Replicas)
			}
		}
		seen <- numbers
	}()
	return func() []int32 {
		changes.Stop()
		return <-seen
	}
}

func TestPodsAreLiftedBeforeThePeakAndByItselfOnTime(t *testing.T) {
	w := newWorld(t)
	start := time.Now().UTC().Truncate(time.Minute).Add(20 * time.Minute)
	w.scheduled(peaking("online", start))
	// The lead begins in a few seconds; nothing but the clock changes then.
	lifted := time.Now().Add(6 * time.Second)
	lead := fmt.Sprintf("%ds", int(start.Sub(lifted).Seconds()))
	w.data.say("shop", accepted())
	w.create(secret("shop-wechat"), channel("shop", "lumi", scaling(1, v1alpha1.PeakScaling{PeakReplicas: new(int32(3)), LeadTime: lead})))
	w.has("lumi-miniprogram", 1)
	w.run("lumi-miniprogram")
	w.has("lumi-miniprogram", 3)
	if early := time.Until(lifted); early > time.Second {
		t.Errorf("the pods were lifted %s early", early)
	} else if early < -5*time.Second {
		t.Errorf("the pods were lifted %s late", -early)
	}
	w.says("shop", v1alpha1.ReplicasStatus{
		WantedReplicas: 3, ReadyReplicas: 1, Reason: "peak noon of online until " + ends(start),
	})
	t.Run("and lowered when there is no peak any more", func(*testing.T) {
		change(w, "online", &v1alpha1.ShiftSchedule{}, func(s *v1alpha1.ShiftSchedule) { s.Spec.Shifts[0].Peaks = nil })
		w.has("lumi-miniprogram", 1)
		w.says("shop", v1alpha1.ReplicasStatus{WantedReplicas: 1, ReadyReplicas: 1, Reason: "no peak in the week ahead"})
	})
	t.Run("and lifted by a sales day of a calendar", func(*testing.T) {
		name := w.namespace
		w.createCalendar(calendar(name, around(w.clock.now(), v1alpha1.CalendarDayPeak)...))
		change(w, "online", &v1alpha1.ShiftSchedule{}, func(s *v1alpha1.ShiftSchedule) { naming(s, name) })
		w.has("lumi-miniprogram", 3)
		change(w, name, &v1alpha1.HolidayCalendar{}, func(c *v1alpha1.HolidayCalendar) { c.Spec.Days = nil })
		w.has("lumi-miniprogram", 1)
	})
}

func TestAnAutoscalerTakesOverWithoutADrop(t *testing.T) { //nolint:tparallel // Its subtests go on where it was.
	t.Parallel()
	w := newWorld(t)
	start := time.Now().UTC().Truncate(time.Minute).Add(-10 * time.Minute)
	w.scheduled(peaking("online", start))
	w.data.say("shop", accepted())
	w.create(secret("shop-wechat"), channel("shop", "lumi", scaling(2, v1alpha1.PeakScaling{})))
	w.run("lumi-miniprogram")
	w.has("lumi-miniprogram", 2)
	numbers := w.replicasOf("lumi-miniprogram")
	shop, autoscaler := &v1alpha1.Channel{}, &autoscalingv2.HorizontalPodAutoscaler{}
	change(w, "shop", shop, scaling(2, v1alpha1.PeakScaling{PeakReplicas: new(int32(4)), MaxReplicas: new(int32(6))}))
	w.eventually(func() error { return w.get("lumi-miniprogram", autoscaler) })
	if *autoscaler.Spec.MinReplicas != 4 || autoscaler.Spec.MaxReplicas != 6 {
		t.Errorf("the autoscaler goes from %d to %d, want 4 to 6", *autoscaler.Spec.MinReplicas, autoscaler.Spec.MaxReplicas)
	}
	w.settled()
	if diff := cmp.Diff([]int32{2}, slices.Compact(numbers())); diff != "" {
		t.Errorf("numbers of replicas while it took over (-want +got):\n%s", diff)
	}

	w.autoscale("lumi-miniprogram", 5)
	peak := "peak noon of online until " + ends(start)
	w.says("shop", v1alpha1.ReplicasStatus{WantedReplicas: 5, ReadyReplicas: 1, Reason: "the autoscaler asks for it; the schedule for 4: " + peak})
	w.settled()
	quietly := w.writes.count()
	nudge(w, "shop", shop)
	w.settled()
	if writes := w.writes.since(quietly); len(writes) > 0 {
		t.Errorf("a second look writes %q", writes)
	}

	t.Run("a new image leaves it the number", func(*testing.T) {
		w.halt()
		w.settings.Image = "yingda:next"
		w.start()
		w.rollsAfterSetup("lumi", w.setupJob("lumi"))
		w.eventually(func() error {
			if image := w.template("lumi-miniprogram").Spec.Containers[0].Image; image != "yingda:next" {
				return fmt.Errorf("the connectors run %s", image)
			}
			return nil
		})
		w.has("lumi-miniprogram", 5)
	})
	t.Run("KEDA takes over from it, and nothing changes meanwhile", func(t *testing.T) {
		w.halt()
		w.settings.KEDA = true
		w.start()
		w.gone(autoscaler, "lumi-miniprogram")
		object := &keda.ScaledObject{}
		w.eventually(func() error { return w.get("lumi-miniprogram", object) })
		if *object.Spec.MinReplicaCount != 2 || *object.Spec.MaxReplicaCount != 6 || object.Spec.Triggers[0].Metadata["desiredReplicas"] != "4" {
			t.Errorf("the ScaledObject is %+v", object.Spec)
		}
		w.has("lumi-miniprogram", 5)
	})
	t.Run("without an autoscaler the operator has the number again", func(*testing.T) {
		change(w, "shop", shop, scaling(3, v1alpha1.PeakScaling{}))
		w.has("lumi-miniprogram", 3)
		w.gone(&keda.ScaledObject{}, "lumi-miniprogram")
	})
}

func TestAPoolHasABudgetWhileItMayHaveTwoReplicas(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.scheduled(alwaysOpen("online"))
	w.data.say("shop", accepted())
	budget := &policyv1.PodDisruptionBudget{}
	w.create(secret("shop-wechat"), channel("shop", "lumi", scaling(1, v1alpha1.PeakScaling{})))
	w.run("lumi-miniprogram")
	w.waitFor(&v1alpha1.Channel{}, "shop", v1alpha1.ConditionReady, v1alpha1.ReasonReady)
	for _, name := range []string{"lumi-miniprogram", "lumi-router", "lumi-workflows"} {
		if err := w.get(name, budget); !apierrors.IsNotFound(err) {
			t.Errorf("one replica of %s has a budget: %v", name, err)
		}
	}
	change(w, "shop", &v1alpha1.Channel{}, scaling(1, v1alpha1.PeakScaling{PeakReplicas: new(int32(2))}))
	w.eventually(func() error { return w.get("lumi-miniprogram", budget) })
	change(w, "shop", &v1alpha1.Channel{}, scaling(1, v1alpha1.PeakScaling{}))
	w.gone(budget, "lumi-miniprogram")
}

// measure plays what a HorizontalPodAutoscaler finds out about its metrics, some time ago.
func (w *world) measure(name string, status corev1.ConditionStatus, reason string, ago time.Duration) {
	w.t.Helper()
	autoscaler := &autoscalingv2.HorizontalPodAutoscaler{}
	w.eventually(func() error { return w.get(name, autoscaler) })
	autoscaler.Status.Conditions = []autoscalingv2.HorizontalPodAutoscalerCondition{{
		Type: autoscalingv2.ScalingActive, Status: status, Reason: reason, LastTransitionTime: metav1.NewTime(time.Now().Add(-ago)),
	}}
	if err := w.client.Status().Update(w.t.Context(), autoscaler, client.FieldOwner("kube-controller-manager")); err != nil {
		w.t.Fatal(err)
	}
}

func TestAnAutoscalerWithoutMetricsIsTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	most := v1alpha1.PeakScaling{PeakReplicas: new(int32(2)), MaxReplicas: new(int32(6))}
	w.scheduled(alwaysOpen("online"), func(b *v1alpha1.Brand) { b.Spec.Desk.Scaling = &most })
	w.data.say("shop", accepted())
	w.create(secret("shop-wechat"), channel("shop", "lumi", scaling(1, most)))
	w.run("lumi-miniprogram")
	w.autoscale("lumi-miniprogram", 3)
	load := v1alpha1.ReplicasStatus{WantedReplicas: 3, ReadyReplicas: 1, Reason: "the autoscaler asks for it; the schedule for 1: no peak in the week ahead"}
	w.says("shop", load)

	w.measure("lumi-desk", corev1.ConditionFalse, "FailedGetResourceMetric", time.Hour)
	// It is not old enough to be told when the Channel is looked at for it.
	w.measure("lumi-miniprogram", corev1.ConditionFalse, "FailedGetResourceMetric", 105*time.Second)
	const reason = "the autoscaler has no metrics (FailedGetResourceMetric): install a metrics server, or leave maxReplicas out; " +
		"the schedule asks for 1: no peak in the week ahead"
	w.says("shop", v1alpha1.ReplicasStatus{WantedReplicas: 3, ReadyReplicas: 1, Reason: reason})
	lumi := &v1alpha1.Brand{}
	nudge(w, "lumi", lumi)
	w.eventually(func() error {
		if err := w.get("lumi", lumi); err != nil {
			return err
		}
		if status := lumi.Status.Desk; status == nil || status.Reason != reason {
			return fmt.Errorf("the desk's status is %+v", status)
		}
		return nil
	})
	w.settled()
	quietly := w.writes.count()
	nudge(w, "shop", &v1alpha1.Channel{})
	w.settled()
	if writes := w.writes.since(quietly); len(writes) > 0 {
		t.Errorf("a second look writes %q", writes)
	}

	w.measure("lumi-miniprogram", corev1.ConditionTrue, "ValidMetricFound", 0)
	w.says("shop", load)
}

func TestASecuredBrandIsScaledByKEDA(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(w *world) { w.settings.KEDA = true })
	w.create(secret("kafka"), secret("temporal"), secret("key"))
	w.scheduled(peaking("online", time.Now().Add(2*time.Hour)), securedBothWays, func(b *v1alpha1.Brand) {
		b.Spec.Kafka.Topics.Partitions = 4
		b.Spec.Router = v1alpha1.RouterSpec{Replicas: 2, Scaling: &v1alpha1.PeakScaling{PeakReplicas: new(int32(5)), MaxReplicas: new(int32(8))}}
		b.Spec.Desk.Scaling = &v1alpha1.PeakScaling{MaxReplicas: new(int32(3))}
	})
	router, desk, signIn := &keda.ScaledObject{}, &keda.ScaledObject{}, &keda.TriggerAuthentication{}
	w.eventually(func() error { return w.get("lumi-router", router) })
	w.eventually(func() error { return w.get("lumi-desk", desk) })
	w.eventually(func() error { return w.get("lumi-router", signIn) })
	if *router.Spec.MaxReplicaCount != 4 {
		t.Errorf("the router goes up to %d, and has 4 partitions", *router.Spec.MaxReplicaCount)
	}
	var kinds []string
	for _, trigger := range append(router.Spec.Triggers, desk.Spec.Triggers...) {
		if len(kinds) == 0 || kinds[len(kinds)-1] != trigger.Type {
			kinds = append(kinds, trigger.Type)
		}
	}
	if diff := cmp.Diff([]string{"cron", "cpu", "kafka", "cron", "cpu"}, kinds); diff != "" {
		t.Errorf("triggers of the router and the desk (-want +got):\n%s", diff)
	}
	want := []keda.SecretTarget{{Parameter: "ca", Name: "kafka", Key: "ca.crt"}, {Parameter: "username", Name: "kafka", Key: "username"}, {Parameter: "password", Name: "kafka", Key: "password"}}
	if diff := cmp.Diff(want, signIn.Spec.SecretTargetRef); diff != "" {
		t.Errorf("KEDA signs in by (-want +got):\n%s", diff)
	}
	lumi := &v1alpha1.Brand{}
	w.eventually(func() error {
		if err := w.get("lumi", lumi); err != nil {
			return err
		}
		if status := lumi.Status.Router; status == nil || status.WantedReplicas != 2 || !strings.HasSuffix(status.Reason, "; no more than the 4 partitions") {
			return fmt.Errorf("the router's status is %+v", status)
		}
		return nil
	})
	w.settled()
	quietly := w.writes.count()
	nudge(w, "lumi", lumi)
	w.settled()
	if writes := w.writes.since(quietly); len(writes) > 0 {
		t.Errorf("a second look writes %q", writes)
	}
}
