package scaling

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Cron is a set of lifts by cron expressions of minute, hour, day of month, month and any weekday, in UTC: what begins at Start
// lasts until the next End.
type Cron struct{ Start, End string }

// Crons are the lifts of a plan, to the minute: lifts of one time of day are one Cron for each month.
//
// KEDA takes a moment for inside where the next End comes before the next Start. That is so exactly within the lifts, since
// those of one Cron take turns with the time between them, also from December to January: after the last of a year the first
// Start of the next one comes before its End. UTC, because it has no time of day twice, and skips none.
func (p Plan) Crons() []Cron {
	type group struct {
		start, end           string
		startMonth, endMonth time.Month
		// alone tells lifts of a day or more apart: one would still be on when the next one of its group starts.
		alone int
	}
	type days struct{ start, end []string }
	var order []group
	groups := map[group]*days{}
	for i, span := range p.Lifts {
		start, end := span.Start.UTC().Truncate(time.Minute), span.End.UTC().Add(time.Minute-1).Truncate(time.Minute)
		key := group{start: clock(start), end: clock(end), startMonth: start.Month(), endMonth: end.Month()}
		if end.Sub(start) >= day {
			key.alone = i + 1
		}
		if groups[key] == nil {
			groups[key] = &days{}
			order = append(order, key)
		}
		groups[key].start = append(groups[key].start, strconv.Itoa(start.Day()))
		groups[key].end = append(groups[key].end, strconv.Itoa(end.Day()))
	}
	crons := make([]Cron, 0, len(order))
	for _, key := range order {
		crons = append(crons, Cron{
			Start: expression(key.start, groups[key].start, key.startMonth),
			End:   expression(key.end, groups[key].end, key.endMonth),
		})
	}
	return crons
}

// clock is minute and hour as cron has them.
func clock(t time.Time) string { return fmt.Sprintf("%d %d", t.Minute(), t.Hour()) }

func expression(clock string, days []string, month time.Month) string {
	return fmt.Sprintf("%s %s %d *", clock, strings.Join(days, ","), month)
}
