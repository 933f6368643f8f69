package shiftschedule

import (
	"time"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/domain/schedule"
)

const (
	// gapDates is how many dates the status looks at, today among them.
	gapDates = 14
	// maxGaps is the bound of the resource's schema.
	maxGaps = 16
)

// gapsAhead are the gaps of today and the dates after it. They depend on the date and not on the hour: what has passed today stays
// listed until midnight, so that no write is owed to the clock in between.
func gapsAhead(compiled *schedule.Schedule, now time.Time) []v1alpha1.ScheduleGap {
	type hours struct {
		reason             v1alpha1.GapReason
		name, from, length string
	}
	today, last := compiled.Day(now), compiled.Day(now.In(compiled.Location()).AddDate(0, 0, gapDates-1))
	var listed []v1alpha1.ScheduleGap
	known := map[hours]bool{}
	for _, gap := range compiled.Gaps(today.From, last.Until) {
		h := hours{gap.Reason, gap.Name, gap.From.Format(time.TimeOnly), gap.Until.Sub(gap.From).String()}
		if gap.Reason == v1alpha1.GapBetweenShifts && known[h] {
			continue // the lunch break of every day would hide the holiday behind it
		}
		known[h] = true
		listed = append(listed, v1alpha1.ScheduleGap{
			From: gap.From.Format(schedule.ToTheMinute), Until: gap.Until.Format(schedule.ToTheMinute), Reason: gap.Reason, Name: gap.Name,
		})
	}
	return listed[:min(len(listed), maxGaps)]
}
