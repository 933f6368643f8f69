package controllers_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/configz"
)

func TestAGroupWantsWhatItsCustomersTake(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.servedBrand("lumi")
	online := alwaysOpen("online")
	online.Spec.TimeZone = "UTC"
	w.create(online)
	declared := skillGroup("after-sales", "lumi")
	declared.Spec.ScheduleRef = &v1alpha1.ShiftScheduleReference{Name: "online"}
	declared.Spec.Seats.AnsweredWithin = "2m"
	w.create(declared, agent("xiaomei", "lumi", map[string]string{"team": "after-sales"}))
	w.data.duty("xiaomei")
	w.wants("after-sales", 1, "The schedule wants 1 (shift all-day); what its customers want is not known: no replica of the router says")

	hour := w.clock.now().UTC().Truncate(time.Hour)
	// forecast is for the day from an hour on, with contacts in one hour of it.
	forecast := func(from time.Time, at int, contacts float64) *configz.Forecast {
		arrivals := make([]float64, 24)
		arrivals[at] = contacts
		return &configz.Forecast{From: from, Arrivals: arrivals, MeanAbsoluteError: new(1.25)}
	}
	w.data.work("after-sales", configz.Workload{At: hour, Arrivals: 42, HandlingSeconds: 600, Forecast: forecast(hour, 0, 0)})
	const most = "42 contacts/h at 10m, 5 at once, want 3 seats for 90 % within 2m, 5 rostered at 30 % shrinkage; the schedule wants 1 (shift all-day)"
	look := func(at string) {
		t.Helper()
		change(w, "after-sales", declared, func(g *v1alpha1.SkillGroup) { g.Labels = map[string]string{"looked-at": at} })
	}
	look("first")
	group := w.wants("after-sales", 3, most)
	w.waitFor(group, "after-sales", v1alpha1.ConditionStaffed, v1alpha1.ReasonUnderstaffed)
	if got := group.Status.Seats; *got.Recommended != 3 || *got.Scheduled != 1 {
		t.Errorf("seats are %+v", got)
	}
	if got := group.Status.Forecast; got == nil || len(got.Hours) != 24 || !got.Hours[0].Start.Time.Equal(hour) || got.MeanAbsoluteError != "1.2" {
		t.Errorf("forecast is %+v", got)
	}

	// Looking again, at the same load and a forecast of the same hour, writes nothing.
	w.data.work("after-sales", configz.Workload{At: hour, Arrivals: 42, HandlingSeconds: 600, Forecast: forecast(hour, 3, 1)})
	w.settled()
	before := w.writes.count()
	look("again")
	w.settled()
	if diff := cmp.Diff([]string(nil), w.writes.since(before), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("writes of a second look (-want +got):\n%s", diff)
	}

	// The load is gone, and a later forecast wants more than the schedule tomorrow.
	w.data.work("after-sales", configz.Workload{
		At: hour.Add(time.Minute), HandlingSeconds: 600, Forecast: forecast(hour.Add(time.Hour), 22, 60),
	})
	look("later")
	w.wants("after-sales", 1, "The schedule wants 1 (shift all-day)")
	found := w.waitFor(group, "after-sales", v1alpha1.ConditionStaffed, v1alpha1.ReasonStaffingShortfall)
	from := hour.Add(23 * time.Hour)
	want := "The schedule wants fewer seats than the forecast in the coming day: " +
		from.Format("15:04") + "-" + from.Add(time.Hour).Format("15:04") + " wants 3 instead of 1 (UTC)"
	if found.Message != want {
		t.Errorf("message is %q, want %q", found.Message, want)
	}
}
