package task

import (
	"errors"
	"slices"
	"testing"
	"time"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/domain/schedule"
)

// noon is a Monday at 12:00 in Shanghai.
func noon() time.Time { return time.Date(2026, 11, 23, 4, 0, 0, 0, time.UTC) }

func TestCheck(t *testing.T) {
	t.Parallel()
	promised, callBack, offHours := Task{}, Task{NeedsReason: true}, Task{FromOpening: true}
	soon := noon().Add(time.Hour)
	for name, tc := range map[string]struct {
		task     Task
		decision Decision
		want     string
	}{
		"a promise is kept without a word":             {promised, Decision{Action: Done}, ""},
		"what has ended stays":                         {Task{Ended: true}, Decision{Action: Done}, "Ended"},
		"a call-back without a reason is not done":     {callBack, Decision{Action: Done, Note: "嗯"}, "NeedsReasonCode"},
		"a call-back with another reason is not done":  {callBack, Decision{Action: Done, Note: "嗯", ReasonCode: "Weather"}, "NeedsReasonCode"},
		"a call-back without a note is not done":       {callBack, Decision{Action: Done, Note: " ", ReasonCode: "Price"}, "NeedsNote"},
		"a call-back with both is done":                {callBack, Decision{Action: Done, Note: "太贵", ReasonCode: "Price"}, ""},
		"nothing is cancelled in silence":              {promised, Decision{Action: Cancel}, "NeedsNote"},
		"a promise is postponed to a time to come":     {promised, Decision{Action: Postpone, Note: "缺货", Due: soon}, ""},
		"nothing is postponed into the past":           {promised, Decision{Action: Postpone, Note: "缺货", Due: noon()}, "BadDue"},
		"nothing is postponed for more than a month":   {promised, Decision{Action: Postpone, Note: "缺货", Due: noon().Add(Longest + 1)}, "BadDue"},
		"nothing is postponed in silence":              {promised, Decision{Action: Postpone, Due: soon}, "NeedsNote"},
		"what the customer was told is not postponed":  {offHours, Decision{Action: Postpone, Note: "忙", Due: soon}, "NotPostponable"},
		"a promise is given to somebody":               {promised, Decision{Action: Reassign, Owner: "bo"}, ""},
		"a promise is not given to nobody":             {promised, Decision{Action: Reassign}, "NeedsOwner"},
		"an action that there is not is named as such": {promised, Decision{Action: "forget"}, "NoSuchAction"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var refused *RefusedError
			err := Check(tc.task, tc.decision, noon())
			if errors.As(err, &refused); err == nil && tc.want != "" || err != nil && refused.Reason != tc.want {
				t.Errorf("Check: %v, want %q", err, tc.want)
			}
		})
	}
}

// TestWhatIsAllowedIsNotTheWrongThing holds that Allowed and Check agree: an action that is offered may lack something, and
// is never the wrong one; one that is not offered is.
func TestWhatIsAllowedIsNotTheWrongThing(t *testing.T) {
	t.Parallel()
	for _, task := range []Task{{}, {Ended: true}, {FromOpening: true}, {NeedsReason: true}} {
		for _, action := range []Action{Done, Cancel, Postpone, Reassign} {
			var refused *RefusedError
			wrong := errors.As(Check(task, Decision{Action: action}, noon()), &refused) && !refused.Incomplete
			if offered := slices.Contains(Allowed(task), action); offered == wrong {
				t.Errorf("%+v: %s is offered %t and wrong %t", task, action, offered, wrong)
			}
		}
	}
}

func TestPaid(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ at, want time.Time }{
		"an hour ago":                     {noon().Add(-time.Hour), noon().Add(-time.Hour)},
		"a month ago":                     {noon().Add(-Longest), noon().Add(-Longest)},
		"by a clock that is ahead is now": {noon().Add(5 * time.Minute), noon()},
		"in the future is refused":        {noon().Add(5*time.Minute + 1), time.Time{}},
		"before that is refused":          {noon().Add(-Longest - 1), time.Time{}},
		"never is refused":                {},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := Paid(tc.at, noon())
			if !got.Equal(tc.want) || (err != nil) != tc.want.IsZero() {
				t.Errorf("paid %v, %v, want %v", got, err, tc.want)
			}
		})
	}
}

func TestPresets(t *testing.T) {
	t.Parallel()
	zone, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		t.Fatal(err)
	}
	hours, err := schedule.Compile(yingdav1.ShiftScheduleSpec{Shifts: []yingdav1.WeeklyShift{
		{Days: []yingdav1.Weekday{yingdav1.Monday}, Shift: yingdav1.Shift{Name: "morning", Start: "09:00", Duration: "4h"}},
		{Days: []yingdav1.Weekday{yingdav1.Monday}, Shift: yingdav1.Shift{Name: "evening", Start: "18:00", Duration: "3h"}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	at := func(day, hour int) time.Time { return time.Date(2026, 11, day, hour, 0, 0, 0, zone) }
	for name, tc := range map[string]struct {
		preset Preset
		now    time.Time
		hours  *schedule.Schedule
		want   time.Time
	}{
		"within an hour is an hour":                          {WithinHour, at(23, 12), hours, at(23, 13)},
		"within 24 hours is a day":                           {Within24Hours, at(23, 12), hours, at(24, 12)},
		"tomorrow noon is noon of the next date":             {TomorrowNoon, at(23, 1), hours, at(24, 12)},
		"today is before the group closes for the last time": {Today, at(23, 12), hours, at(23, 21)},
		"today in the break is before the next closing":      {Today, at(23, 15), hours, at(23, 21)},
		"today after the closing is before midnight":         {Today, at(23, 22), hours, at(24, 0)},
		"today without hours is before midnight":             {Today, at(23, 12), nil, at(24, 0)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got, ok := tc.preset.Due(tc.now, tc.hours, zone); !ok || !got.Equal(tc.want) {
				t.Errorf("due %v (%t), want %v", got, ok, tc.want)
			}
		})
	}
	if _, ok := Preset("Soon").Due(noon(), nil, zone); ok {
		t.Error("soon is a time")
	}
}
