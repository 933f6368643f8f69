package catalog

import (
	"testing"
	"time"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/domain/schedule"
)

func TestAGroupOpensForWhoFoundItClosed(t *testing.T) {
	t.Parallel()
	hours, err := schedule.Compile(yingdav1.ShiftScheduleSpec{Shifts: []yingdav1.WeeklyShift{{
		Days: []yingdav1.Weekday{yingdav1.Monday, yingdav1.Tuesday}, Shift: yingdav1.Shift{Name: "day", Start: "09:00", Duration: "12h"},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	// The 23rd of November 2026 is a Monday.
	at := func(day, hour int) time.Time { return time.Date(2026, 11, day, hour, 0, 0, 0, hours.Location()) }
	closing := &Group{Schedule: hours}
	for name, tc := range map[string]struct {
		group      *Group
		since, now time.Time
		want       time.Time
	}{
		"in the next morning": {closing, at(23, 22), at(23, 23), at(24, 9)},
		"in that morning still, when nobody looked until it closed": {closing, at(23, 22), at(24, 23), at(24, 9)},
		"at once, where the schedule was changed to be open then":   {closing, at(23, 20), at(23, 20), at(23, 20)},
		"with the next shift, where that one is over by now":        {closing, at(23, 20), at(23, 22), at(24, 9)},
		"at once, where it has no schedule any more":                {&Group{}, at(23, 22), at(23, 23), at(23, 23)},
		"at once, where there is no group any more":                 {nil, at(23, 22), at(23, 23), at(23, 23)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got, known := tc.group.Opening(tc.since, tc.now); !known || !got.Equal(tc.want) {
				t.Errorf("opens %v (%t), want %v", got, known, tc.want)
			}
		})
	}
}
