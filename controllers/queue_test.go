package controllers_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/configz"
)

func TestAGroupSaysWhoWaitsForIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.servedBrand("lumi")
	w.create(skillGroup("after-sales", "lumi"))
	group := &v1alpha1.SkillGroup{}
	healthy := func(reason, message string) {
		t.Helper()
		if found := w.waitFor(group, "after-sales", v1alpha1.ConditionQueueHealthy, reason); found.Message != message {
			t.Errorf("message is %q, want %q", found.Message, message)
		}
	}
	healthy(v1alpha1.ReasonNotReported, "No replica of the router says who waits")
	w.waitFor(group, "after-sales", v1alpha1.ConditionReady, v1alpha1.ReasonReady)

	// Nothing but asking again tells who waits.
	now := w.clock.now()
	w.data.wait(map[string]configz.Queue{"after-sales": {Waiting: 7, OldestSince: now}})
	healthy(v1alpha1.ReasonQueueLong, "7 customers wait, more than 5")
	if got := group.Status.Queue; got == nil || got.Waiting != 7 || !got.OldestWaitingSince.Time.Equal(now.Truncate(time.Second)) {
		t.Errorf("queue is %+v, want 7 since %s", got, now)
	}
	w.data.wait(map[string]configz.Queue{"after-sales": {Waiting: 1, OldestSince: now.Add(-time.Hour)}})
	nudge(w, "after-sales", group)
	healthy(v1alpha1.ReasonQueueSlow, "Somebody has waited for more than 5 minutes; 1 wait")
	w.data.wait(map[string]configz.Queue{})
	change(w, "after-sales", group, func(g *v1alpha1.SkillGroup) { g.Labels = map[string]string{"nudged": "again"} })
	healthy(v1alpha1.ReasonQueueShort, "Nobody waits")
	w.eventually(func() error {
		for reason, want := range map[string][]string{
			v1alpha1.ReasonQueueLong:  {"7 customers wait, more than 5"},
			v1alpha1.ReasonQueueSlow:  {"Somebody has waited for more than 5 minutes; 1 wait"},
			v1alpha1.ReasonQueueShort: {"Nobody waits"},
		} {
			if diff := cmp.Diff(want, w.events(reason)); diff != "" {
				return fmt.Errorf("events of %s (-want +got):\n%s", reason, diff)
			}
		}
		return nil
	})

	w.settled()
	before := w.writes.count()
	change(w, "after-sales", group, func(g *v1alpha1.SkillGroup) { g.Labels = nil })
	w.settled()
	if diff := cmp.Diff([]string(nil), w.writes.since(before), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("writes of a second look (-want +got):\n%s", diff)
	}
}

func TestAQueueOverflowsIntoAGroupThatExists(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.servedBrand("lumi")
	declared := queued(v1alpha1.SkillGroupQueue{Overflow: overflow("3m", "pre-sales")})
	w.create(declared)
	group := &v1alpha1.SkillGroup{}
	resolved := func(reason, message string) {
		t.Helper()
		w.eventually(func() error {
			if found := w.waitFor(group, "after-sales", v1alpha1.ConditionReferencesResolved, reason); found.Message != message {
				return fmt.Errorf("message is %q, want %q", found.Message, message)
			}
			return nil
		})
	}
	resolved(v1alpha1.ReasonNotFound, "SkillGroup pre-sales does not exist in this namespace")
	other := skillGroup("pre-sales", "moon")
	w.create(other)
	resolved(v1alpha1.ReasonNotFound, "SkillGroup pre-sales belongs to Brand moon, not to Brand lumi")
	if err := w.client.Delete(t.Context(), other); err != nil {
		t.Fatal(err)
	}
	resolved(v1alpha1.ReasonNotFound, "SkillGroup pre-sales does not exist in this namespace")
	w.create(skillGroup("pre-sales", "lumi"))
	resolved(v1alpha1.ReasonResolved, "Everything that is referred to exists")
}
