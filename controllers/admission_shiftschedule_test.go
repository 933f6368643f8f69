package controllers_test

import (
	"testing"

	"github.com/yingda-dev/yingda/api/v1alpha1"
)

func TestAdmissionOfShiftSchedules(t *testing.T) { newAdmission(t).tries(shiftScheduleAttempts()) }

func shiftScheduleAttempts() map[string]attempt {
	tests := map[string]attempt{
		"a shift around the clock":               {shift("24h", ""), ""},
		"a shift of no length":                   {shift("0s", ""), "duration must be over 0 and at most 24h"},
		"a shift of more than a day":             {shift("24h1s", ""), "duration must be over 0 and at most 24h"},
		"a peak inside":                          {shift("12h", "2h"), ""},
		"a peak of no length":                    {shift("12h", "0h"), "duration must be over 0 and at most 24h"},
		"an override of one day":                 {override("2026-11-11", "2026-11-11"), ""},
		"an override that ends before it starts": {override("2026-11-12", "2026-11-11"), "from must not be after to"},
		"a shift of some length":                 {shift("1d", ""), "write duration in hours, minutes and seconds, for example 12h"},
		"a shift beyond all clocks":              {shift("999999999999h", ""), "write duration in hours"},
		"a peak of some length":                  {shift("12h", "2"), "write duration in hours, minutes and seconds, for example 2h"},
		"a shift that starts late":               {starting("23:59"), ""},
		"a shift that starts at no hour":         {starting("24:00"), "write start as HH:MM from 00:00 to 23:59, for example 09:00"},
		"a shift that starts at 9":               {starting("9:00"), "write start as HH:MM"},
		"a rotation from its anchor":             {rotation("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TU", "2026-01-05"), ""},
		"a rotation without an anchor":           {rotation("FREQ=DAILY", ""), "set rrule and anchorDate together: the rule counts from that date"},
		"a rotation on days":                     {rotation("FREQ=DAILY", "2026-01-05", v1alpha1.Monday), "set either days, for a shift of every week, or rrule with anchorDate, for a rotation"},
		"a shift on no days":                     {rotation("", ""), "set either days, for a shift of every week, or rrule with anchorDate, for a rotation"},
		"a shift on a day that there is not":     {rotation("", "", "Monday"), "Unsupported value"},
		"a rotation in words":                    {rotation("every other week", "2026-01-05"), "write rrule as NAME=VALUE parts of FREQ, INTERVAL, BYDAY, BYMONTHDAY, UNTIL and COUNT"},
		"a rotation by the hour of a day":        {rotation("FREQ=DAILY;BYHOUR=9", "2026-01-05"), "write rrule as NAME=VALUE parts"},
		"a rotation from no date":                {rotation("FREQ=DAILY", "2026-13-01"), "write anchorDate as YYYY-MM-DD, for example 2026-01-05"},
		"an override from no date":               {override("2026-13-01", "2026-12-31"), "write from as YYYY-MM-DD, for example 2026-02-16"},
		"an override to no date":                 {override("2026-11-11", "2026/11/12"), "write to as YYYY-MM-DD, for example 2026-02-22"},
		"a schedule by a calendar":               {naming(alwaysOpen("online"), "china"), ""},
		"a schedule by one calendar twice":       {naming(alwaysOpen("online"), "china", "china"), "Duplicate value"},
		"a schedule by a calendar without name":  {naming(alwaysOpen("online"), ""), "spec.calendarRefs[0].name"},
		"a schedule by eight calendars":          {naming(alwaysOpen("online"), "a", "b", "c", "d", "e", "f", "g", "h"), ""},
		"a schedule by nine":                     {naming(alwaysOpen("online"), "a", "b", "c", "d", "e", "f", "g", "h", "i"), "must have at most 8 items"},
		"holidays like Sundays":                  {holidays(v1alpha1.HolidayLikeSunday), ""},
		"holidays as usual":                      {holidays(v1alpha1.HolidayAsUsual), ""},
		"holidays of another kind":               {holidays("Open"), "Unsupported value"},
	}
	// What starts on the dates of an override is held to the same as what starts every week.
	for name, tt := range map[string]struct {
		edit func(*v1alpha1.Shift)
		want string
	}{
		"of a day":                           {func(*v1alpha1.Shift) {}, ""},
		"of no length":                       {func(s *v1alpha1.Shift) { s.Duration = "0s" }, "duration must be over 0 and at most 24h"},
		"of some length":                     {func(s *v1alpha1.Shift) { s.Duration = "1d" }, "write duration in hours, minutes and seconds, for example 12h"},
		"that starts at 9":                   {func(s *v1alpha1.Shift) { s.Start = "9:00" }, "write start as HH:MM from 00:00 to 23:59, for example 09:00"},
		"with a peak that starts late":       {func(s *v1alpha1.Shift) { s.Peaks[0].Start = "23:59" }, ""},
		"with a peak that starts at no hour": {func(s *v1alpha1.Shift) { s.Peaks[0].Start = "24:00" }, "write start as HH:MM from 00:00 to 23:59, for example 09:00"},
		"with a peak of no length":           {func(s *v1alpha1.Shift) { s.Peaks[0].Duration = "0s" }, "duration must be over 0 and at most 24h"},
		"with a peak of some length":         {func(s *v1alpha1.Shift) { s.Peaks[0].Duration = "2" }, "write duration in hours, minutes and seconds, for example 2h"},
	} {
		weekly := shift("24h", "2h")
		tt.edit(&weekly.Spec.Shifts[0].Shift)
		tests["a shift of every week "+name] = attempt{weekly, tt.want}
		dated := override("2026-11-11", "2026-11-11")
		dated.Spec.Overrides[0].Shifts = []v1alpha1.Shift{shift("24h", "2h").Spec.Shifts[0].Shift}
		tt.edit(&dated.Spec.Overrides[0].Shifts[0])
		tests["a shift of an override "+name] = attempt{dated, tt.want}
	}
	return tests
}

func shift(duration, peak string) *v1alpha1.ShiftSchedule {
	schedule := alwaysOpen("online")
	schedule.Spec.Shifts[0].Duration = duration
	if peak != "" {
		schedule.Spec.Shifts[0].Peaks = []v1alpha1.Peak{{Name: "noon", Start: "12:00", Duration: peak, Seats: 3}}
	}
	return schedule
}

func starting(start string) *v1alpha1.ShiftSchedule {
	schedule := alwaysOpen("online")
	schedule.Spec.Shifts[0].Start = start
	return schedule
}

func rotation(rule, anchor string, days ...v1alpha1.Weekday) *v1alpha1.ShiftSchedule {
	schedule := alwaysOpen("online")
	first := &schedule.Spec.Shifts[0]
	first.Days, first.RRule, first.AnchorDate = days, rule, anchor
	return schedule
}

func override(from, to string) *v1alpha1.ShiftSchedule {
	schedule := alwaysOpen("online")
	schedule.Spec.Overrides = []v1alpha1.ScheduleOverride{{Name: "closed", From: from, To: to}}
	return schedule
}

func holidays(policy v1alpha1.HolidayPolicy) *v1alpha1.ShiftSchedule {
	schedule := alwaysOpen("online")
	schedule.Spec.OnHoliday = policy
	return schedule
}
