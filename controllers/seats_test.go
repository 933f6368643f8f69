package controllers_test

import (
	"errors"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/conditions"
	"github.com/yingda-dev/yingda/internal/configz"
)

// wants waits until a group wants that many seats for that reason.
func (w *world) wants(name string, seats int32, reason string) *v1alpha1.SkillGroup {
	w.t.Helper()
	group := &v1alpha1.SkillGroup{}
	w.eventually(func() error {
		if err := w.get(name, group); err != nil {
			return err
		}
		if got := group.Status.Seats; got == nil || got.Wanted == nil || *got.Wanted != seats || got.Reason != reason {
			return fmt.Errorf("seats of %s are %+v, want %d because %q", name, got, seats, reason)
		}
		return nil
	})
	return group
}

func TestAGroupWantsWhatItsScheduleWantsFromTheMomentOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.create(brand("lumi", func(b *v1alpha1.Brand) {
		b.Spec.Defaults.ScheduleRef = &v1alpha1.ShiftScheduleReference{Name: "online"}
	}))
	late := skillGroup("after-sales", "lumi")
	late.Spec.ScheduleRef = &v1alpha1.ShiftScheduleReference{Name: "late"}
	w.create(skillGroup("pre-sales", "lumi"), late)
	w.cannotTell("pre-sales", "What the schedule wants is not known: ShiftSchedule online does not exist in this namespace")

	// Nobody touches anything at noon: that the group wants more then is the clock's doing alone.
	now := w.clock.now()
	noon := now.UTC().Truncate(24 * time.Hour).Add(36 * time.Hour)
	w.clock.advance(noon.Add(-5 * time.Second).Sub(now))
	online, night := alwaysOpen("online"), alwaysOpen("late")
	online.Spec.TimeZone, night.Spec.TimeZone = "UTC", "UTC"
	online.Spec.Shifts[0].Peaks = []v1alpha1.Peak{{Name: "noon", Start: "12:00", Duration: "2h", Seats: 3}}
	night.Spec.Shifts[0].Start, night.Spec.Shifts[0].Duration = "20:00", "4h"
	w.create(online, night)
	w.wants("pre-sales", 1, "The schedule wants 1 (shift all-day)")
	if before := w.clock.now(); !before.Before(noon) {
		t.Fatalf("it took until %s to see what the schedule wants before noon", before)
	}
	w.wants("pre-sales", 3, "The schedule wants 3 (peak noon)")
	if then := w.clock.now(); then.Before(noon) {
		t.Errorf("the peak's seats are wanted at %s", then)
	}
	group := w.wants("after-sales", 0, "The schedule wants 0 (closed)")
	if *group.Status.Seats.Scheduled != 0 {
		t.Errorf("scheduled is %d", *group.Status.Seats.Scheduled)
	}
	change(w, "online", online, func(s *v1alpha1.ShiftSchedule) { s.Spec.Shifts[0].Peaks[0].Seats = 4 })
	w.wants("pre-sales", 4, "The schedule wants 4 (peak noon)")
}

// cannotTell waits until a group says why nobody knows what it wants.
func (w *world) cannotTell(name, reason string) {
	w.t.Helper()
	w.eventually(func() error {
		group := &v1alpha1.SkillGroup{}
		if err := w.get(name, group); err != nil {
			return err
		}
		if got := group.Status.Seats; got == nil || got.Wanted != nil || got.Reason != reason {
			return fmt.Errorf("seats of %s are %+v, want nothing because %q", name, got, reason)
		}
		return nil
	})
}

func TestSeatsAreAskedForByScaling(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	declared := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": v1alpha1.GroupVersion().String(), "kind": "SkillGroup",
		"metadata": map[string]any{"name": "after-sales", "namespace": w.namespace},
		"spec":     map[string]any{"brandRef": map[string]any{"name": "lumi"}, "agentSelector": map[string]any{}},
	}}
	sync := func() {
		t.Helper()
		err := w.client.Apply(t.Context(), client.ApplyConfigurationFromUnstructured(declared.DeepCopy()), client.FieldOwner("gitops"), client.ForceOwnership)
		if err != nil {
			t.Fatal(err)
		}
	}
	w.create(brand("lumi"))
	sync()
	group := w.wants("after-sales", 0, "Neither a schedule nor anybody asks for seats")

	scale, scales := &autoscalingv1.Scale{}, w.client.SubResource("scale")
	if err := scales.Get(t.Context(), group, scale); err != nil || scale.Spec.Replicas != 0 {
		t.Fatalf("a group that declares no seats has scale %d, %v", scale.Spec.Replicas, err)
	}
	scale.Spec.Replicas = 3
	if err := scales.Update(t.Context(), group, client.WithSubResourceBody(scale)); err != nil {
		t.Fatal(err)
	}
	w.wants("after-sales", 3, "3 were asked for")

	// This is what kubectl scale sends.
	ask := func(replicas int) error {
		patch := client.RawPatch(types.MergePatchType, fmt.Appendf(nil, `{"spec":{"replicas":%d}}`, replicas))
		return scales.Patch(t.Context(), group, patch, client.WithSubResourceBody(&autoscalingv1.Scale{}))
	}
	if err := ask(5); err != nil {
		t.Fatal(err)
	}
	w.wants("after-sales", 5, "5 were asked for")
	if err := unstructured.SetNestedMap(declared.Object, map[string]any{"min": int64(1), "max": int64(4)}, "spec", "seats"); err != nil {
		t.Fatal(err)
	}
	sync()
	w.wants("after-sales", 4, "5 were asked for, limited to max 4")
	if err := ask(0); err != nil {
		t.Fatal(err)
	}
	w.wants("after-sales", 1, "Neither a schedule nor anybody asks for seats, raised to min 1")
	if err := ask(10_001); err == nil {
		t.Error("more seats were asked for than any group has")
	}
}

// readyOf records what Ready says of a group from now on, until it is asked.
func (w *world) readyOf(name string) func() []metav1.ConditionStatus {
	w.t.Helper()
	watcher, err := client.NewWithWatch(apiServer, client.Options{Scheme: w.client.Scheme()})
	if err != nil {
		w.t.Fatal(err)
	}
	changes, err := watcher.Watch(w.t.Context(), &v1alpha1.SkillGroupList{}, client.InNamespace(w.namespace), client.MatchingFields{"metadata.name": name})
	if err != nil {
		w.t.Fatal(err)
	}
	seen := make(chan []metav1.ConditionStatus)
	go func() {
		var said []metav1.ConditionStatus
		for change := range changes.ResultChan() {
			if group, ok := change.Object.(*v1alpha1.SkillGroup); ok {
				ready, _ := conditions.Find(group.Status.Conditions, v1alpha1.ConditionReady)
				said = append(said, ready.Status)
			}
		}
		seen <- said
	}()
	return func() []metav1.ConditionStatus {
		changes.Stop()
		return <-seen
	}
}

func TestScalingAGroupTakesItNotOutOfService(t *testing.T) {
	w := newWorld(t)
	w.servedBrand("lumi")
	group := &v1alpha1.SkillGroup{}
	w.waitFor(group, "lumi-everybody", v1alpha1.ConditionReady, v1alpha1.ReasonReady)

	// Replicas are slow: they go on with the generation of before.
	w.data.hold("SkillGroup", "lumi-everybody", group.Generation)
	ready := w.readyOf("lumi-everybody")
	for _, seats := range []int32{3, 5} {
		if err := w.client.SubResource("scale").Update(t.Context(), group, client.WithSubResourceBody(&autoscalingv1.Scale{
			ObjectMeta: metav1.ObjectMeta{Name: group.Name, Namespace: group.Namespace}, Spec: autoscalingv1.ScaleSpec{Replicas: seats},
		})); err != nil {
			t.Fatal(err)
		}
		w.wants("lumi-everybody", seats, fmt.Sprintf("%d were asked for", seats))
		w.waitFor(group, "lumi-everybody", v1alpha1.ConditionReady, v1alpha1.ReasonReady)
	}
	said := ready()
	if len(said) == 0 {
		t.Error("nothing was said of the group")
	}
	for _, said := range said {
		if said != metav1.ConditionTrue {
			t.Fatalf("a group that is scaled says that it is ready: %s", said)
		}
	}
	// What changes how customers are served is waited for.
	change(w, "lumi-everybody", group, func(g *v1alpha1.SkillGroup) { g.Spec.DisplayName = "大家" })
	w.waitFor(group, "lumi-everybody", v1alpha1.ConditionReady, v1alpha1.ReasonAwaitingReload)
}

func TestAGroupSaysWhetherItsSeatsAreTaken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.servedBrand("lumi")
	sales := map[string]string{"team": "after-sales"}
	declared := skillGroup("after-sales", "lumi")
	declared.Spec.Seats.Min = new(int32(2))
	w.create(declared, agent("xiaomei", "lumi", sales), agent("xiaohong", "lumi", sales), agent("laozhang", "lumi", nil))
	group := &v1alpha1.SkillGroup{}
	staffed := func(reason, message string) {
		t.Helper()
		if found := w.waitFor(group, "after-sales", v1alpha1.ConditionStaffed, reason); found.Message != message {
			t.Errorf("message is %q, want %q", found.Message, message)
		}
	}
	staffed(v1alpha1.ReasonNotReported, "No replica of the desk says who is on duty")
	w.waitFor(group, "after-sales", v1alpha1.ConditionReady, v1alpha1.ReasonReady)

	// Nothing but asking again tells who has come.
	w.data.duty("laozhang", "xiaomei")
	staffed(v1alpha1.ReasonUnderstaffed, "1 of 2 seats are taken")
	w.eventually(func() error {
		if known, _ := conditions.Find(group.Status.Conditions, v1alpha1.ConditionReady); known.Status != metav1.ConditionTrue {
			return fmt.Errorf("a group with too few agents is not ready: %+v", known)
		}
		scale := &autoscalingv1.Scale{}
		err := w.client.SubResource("scale").Get(t.Context(), group, scale)
		if scale.Status.Replicas != 1 {
			return errors.Join(err, fmt.Errorf("the scale has %d replicas, want the 1 on duty", scale.Status.Replicas))
		}
		return err
	})
	w.data.duty("xiaohong", "xiaomei")
	nudge(w, "after-sales", group)
	staffed(v1alpha1.ReasonStaffed, "2 of 2 seats are taken")

	w.settled()
	before := w.writes.count()
	change(w, "after-sales", group, func(g *v1alpha1.SkillGroup) { g.Labels = map[string]string{"nudged": "again"} })
	w.settled()
	if diff := cmp.Diff([]string(nil), w.writes.since(before), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("writes of a second look (-want +got):\n%s", diff)
	}
}

func TestThoseOnCallAreCalledWhenAGroupHasLackedAgentsForFiveMinutes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.servedBrand("lumi")
	sales := map[string]string{"team": "after-sales"}
	declared := skillGroup("after-sales", "lumi")
	declared.Spec.Seats.Min = new(int32(1))
	reserve := agent("laozhang", "lumi", sales)
	reserve.Spec.OnCall = v1alpha1.OnCallWhenShort
	w.data.duty()
	w.create(declared, agent("xiaomei", "lumi", sales), reserve)
	group := &v1alpha1.SkillGroup{}
	w.waitFor(group, "after-sales", v1alpha1.ConditionStaffed, v1alpha1.ReasonUnderstaffed)
	if group.Status.Seats.ShortSince == nil {
		t.Error("nobody says since when")
	}
	w.clock.advance(5 * time.Minute)
	nudge(w, "after-sales", group)
	found := w.waitFor(group, "after-sales", v1alpha1.ConditionStaffed, v1alpha1.ReasonOnCallCalled)
	want := "0 of 1 seats are taken; called: laozhang"
	if found.Message != want {
		t.Errorf("message is %q, want %q", found.Message, want)
	}
	w.eventually(func() error {
		if notes := w.events(v1alpha1.ReasonOnCallCalled); !cmp.Equal(notes, []string{want}) {
			return fmt.Errorf("events are %q, want one", notes)
		}
		return nil
	})
	if _, says := conditions.Find(group.Status.Conditions, v1alpha1.ConditionOnCallReached); says {
		t.Error("without a webhook somebody says whether it was reached")
	}
	paging := pagedAt("https://pager.example/call", "lumi-pager")
	change(w, "lumi", &v1alpha1.Brand{}, func(b *v1alpha1.Brand) { paging(b) })
	w.waitFor(group, "after-sales", v1alpha1.ConditionOnCallReached, v1alpha1.ReasonNotReported)
	for _, call := range []configz.Call{{Attempts: 1, Outcome: configz.CallUntrusted}, {Attempts: 2, Outcome: configz.CallUntrusted}, {Attempts: 3, Outcome: configz.CallDelivered}} {
		w.data.answer("after-sales", call)
		change(w, "after-sales", group, func(g *v1alpha1.SkillGroup) { g.Labels = map[string]string{"nudged": strconv.Itoa(int(call.Attempts))} })
		if call.Outcome == configz.CallDelivered {
			w.waitFor(group, "after-sales", v1alpha1.ConditionOnCallReached, v1alpha1.ReasonWebhookDelivered)
		} else {
			w.waitFor(group, "after-sales", v1alpha1.ConditionOnCallReached, v1alpha1.ReasonWebhookUntrusted)
		}
	}
	w.eventually(func() error {
		if failed, taken := w.events(v1alpha1.ReasonWebhookUntrusted), w.events(v1alpha1.ReasonWebhookDelivered); len(failed) != 1 || len(taken) != 1 {
			return fmt.Errorf("events are %q and %q, want one each", failed, taken)
		}
		return nil
	})
	w.data.duty("laozhang")
	change(w, "after-sales", group, func(g *v1alpha1.SkillGroup) { g.Labels = map[string]string{"nudged": "again"} })
	w.waitFor(group, "after-sales", v1alpha1.ConditionStaffed, v1alpha1.ReasonStaffed)
	if group.Status.Seats.ShortSince != nil {
		t.Errorf("with enough agents it is short since %s", group.Status.Seats.ShortSince)
	}
}
