package controllers_test

import (
	"fmt"
	"testing"

	"github.com/yingda-dev/yingda/api/v1alpha1"
)

func TestAGroupNeedsTheScheduleThatItIsServedBy(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.servedBrand("lumi")
	lumi, group := &v1alpha1.Brand{}, &v1alpha1.SkillGroup{}
	w.waitFor(group, "lumi-everybody", v1alpha1.ConditionReady, v1alpha1.ReasonReady)
	// Replicas do not report a group whose schedule they have not.
	w.data.hold("SkillGroup", "lumi-everybody", 0)
	change(w, "lumi", lumi, func(b *v1alpha1.Brand) {
		b.Spec.Defaults.ScheduleRef = &v1alpha1.ShiftScheduleReference{Name: "online"}
	})
	missing := w.waitFor(group, "lumi-everybody", v1alpha1.ConditionReferencesResolved, v1alpha1.ReasonNotFound)
	if want := "ShiftSchedule online does not exist in this namespace"; missing.Message != want {
		t.Errorf("message is %q, want %q", missing.Message, want)
	}
	served := w.waitFor(group, "lumi-everybody", v1alpha1.ConditionAcknowledged, v1alpha1.ReasonAwaitingReferences)
	if want := "Without its ShiftSchedule the group is served around the clock, not as declared"; served.Message != want {
		t.Errorf("message is %q, want %q", served.Message, want)
	}
	online := alwaysOpen("online")
	online.Spec.TimeZone = "Mars/Olympus"
	w.create(online)
	w.waitFor(group, "lumi-everybody", v1alpha1.ConditionReferencesResolved, v1alpha1.ReasonInvalid)
	w.data.release("SkillGroup", "lumi-everybody")
	change(w, "online", online, func(s *v1alpha1.ShiftSchedule) { s.Spec.TimeZone = "Asia/Shanghai" })
	w.waitFor(group, "lumi-everybody", v1alpha1.ConditionReady, v1alpha1.ReasonReady)
}

func TestAGroupIsNotReadyWhileItsScheduleLacksACalendar(t *testing.T) {
	w := newWorld(t)
	w.servedBrand("lumi")
	online, group := naming(alwaysOpen("online"), w.namespace), &v1alpha1.SkillGroup{}
	w.create(online)
	change(w, "lumi-everybody", group, func(g *v1alpha1.SkillGroup) {
		g.Spec.ScheduleRef = &v1alpha1.ShiftScheduleReference{Name: "online"}
	})
	missing := w.waitFor(group, "lumi-everybody", v1alpha1.ConditionReferencesResolved, v1alpha1.ReasonNotFound)
	if want := "ShiftSchedule online is in force in part: HolidayCalendar " + w.namespace + " does not exist"; missing.Message != want {
		t.Errorf("message is %q, want %q", missing.Message, want)
	}
	w.waitFor(group, "lumi-everybody", v1alpha1.ConditionReady, v1alpha1.ReasonNotFound)
	// What it wants is known all the same.
	w.wants("lumi-everybody", 1, "The schedule wants 1 (shift all-day)")

	w.createCalendar(calendar(w.namespace, day("2026-02-30", v1alpha1.CalendarDayOff)))
	w.waitFor(group, "lumi-everybody", v1alpha1.ConditionReady, v1alpha1.ReasonInvalid)
	change(w, w.namespace, &v1alpha1.HolidayCalendar{}, func(c *v1alpha1.HolidayCalendar) { c.Spec.Days[0].Date = "2026-02-28" })
	w.waitFor(group, "lumi-everybody", v1alpha1.ConditionReady, v1alpha1.ReasonReady)
	w.remove(&v1alpha1.HolidayCalendar{}, w.namespace)
	w.waitFor(group, "lumi-everybody", v1alpha1.ConditionReady, v1alpha1.ReasonNotFound)
}

func TestAGroupCountsTheAgentsThatItsSelectorChooses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.create(brand("lumi"), skillGroup("after-sales", "lumi"),
		agent("xiaomei", "lumi", map[string]string{"team": "after-sales"}), agent("laozhang", "lumi", map[string]string{"team": "other"}))
	w.agents("after-sales", 1)
	change(w, "laozhang", &v1alpha1.Agent{}, func(a *v1alpha1.Agent) { a.Labels = map[string]string{"team": "after-sales"} })
	w.agents("after-sales", 2)
}

func (w *world) agents(group string, want int32) {
	w.t.Helper()
	w.eventually(func() error {
		g := &v1alpha1.SkillGroup{}
		if err := w.get(group, g); err != nil {
			return err
		}
		if g.Status.Agents != want {
			return fmt.Errorf("%d agents, want %d", g.Status.Agents, want)
		}
		return nil
	})
}
