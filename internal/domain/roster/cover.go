package roster

import (
	"maps"
	"slices"
	"strings"
	"time"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/domain/duration"
	"github.com/yingda-dev/yingda/internal/domain/staffing"
)

// maxPeaks is how many peaks a shift may have.
const maxPeaks = 8

// Cover is the schedule with the seats that the weeks want, and with nothing else changed. A shift that starts on several days
// gets, for each hour, what the busiest of them wants. What a sales peak wants goes into an override of its date, so that other
// weeks do not pay for it. Shifts that are never on in these weeks keep their seats.
func (w *Weeks) Cover() yingdav1.ShiftScheduleSpec {
	spec := w.spec.DeepCopy()
	peaks := map[string]yingdav1.ScheduleOverride{}
	each(spec, func(id string, shift *yingdav1.Shift) {
		declared := shift.DeepCopy()
		var usual [24]int32
		for one, wanted := range w.wanted {
			switch {
			case one.shift != id:
			case w.peaks[one.date] && strings.HasPrefix(id, weeklyPrefix):
				override := peaks[one.date]
				override.Name, override.From, override.To = "peak-"+one.date, one.date, one.date
				override.Shifts = append(override.Shifts, seated(declared, *wanted))
				peaks[one.date] = override
			default:
				for hour := range usual {
					usual[hour] = max(usual[hour], wanted[hour])
				}
			}
		}
		*shift = seated(declared, usual)
	})
	for _, date := range slices.Sorted(maps.Keys(peaks)) {
		spec.Overrides = append(spec.Overrides, peaks[date])
	}
	return *spec
}

// run is a part of a shift that wants the same seats throughout, from and until as time since its start.
type run struct {
	from, until time.Duration
	seats       int32
}

// seated is a shift with the seats that are wanted in the hours of the clock; 0 is an hour of which nothing is known.
func seated(declared *yingdav1.Shift, wanted [24]int32) yingdav1.Shift {
	shift := *declared.DeepCopy()
	start, _ := time.Parse("15:04", shift.Start) // compiled before
	length, _ := duration.Parse(shift.Duration)  // compiled before
	runs := fewer(runs(start, length, wanted))
	if len(runs) == 0 {
		return shift
	}
	base := least(runs)
	shift.Seats, shift.Peaks = &base, nil
	names := map[string]bool{}
	for _, run := range runs {
		if run.seats == base {
			continue
		}
		peak := yingdav1.Peak{Start: start.Add(run.from).Format("15:04"), Duration: staffing.Short(run.until - run.from), Seats: run.seats}
		peak.Name = peakName(declared.Peaks, peak.Start, names)
		shift.Peaks = append(shift.Peaks, peak)
	}
	return shift
}

// runs cuts a shift at the hours of the clock and joins what wants the same.
func runs(start time.Time, length time.Duration, wanted [24]int32) []run {
	var all []run
	for from := time.Duration(0); from < length; {
		at := start.Add(from)
		until := min(length, from+at.Truncate(time.Hour).Add(time.Hour).Sub(at))
		seats := wanted[at.Hour()]
		last := len(all) - 1
		switch {
		case last >= 0 && (seats == 0 || seats == all[last].seats):
			all[last].until = until
		case seats > 0 && last < 0:
			all = append(all, run{until: until, seats: seats})
		case seats > 0:
			all = append(all, run{from: from, until: until, seats: seats})
		}
		from = until
	}
	return all
}

// fewer joins neighbours, those first for which it costs the least, until there are no more peaks than a shift may have.
func fewer(runs []run) []run {
	for peaks(runs) > maxPeaks {
		cheapest := 0
		for i := range len(runs) - 1 {
			if costs(runs[i], runs[i+1]) < costs(runs[cheapest], runs[cheapest+1]) {
				cheapest = i
			}
		}
		runs[cheapest].seats = max(runs[cheapest].seats, runs[cheapest+1].seats)
		runs[cheapest].until = runs[cheapest+1].until
		runs = slices.Delete(runs, cheapest+1, cheapest+2)
	}
	return runs
}

// costs is the time of seats that joining two neighbours adds.
func costs(a, b run) time.Duration {
	if a.seats > b.seats {
		a, b = b, a
	}
	return time.Duration(b.seats-a.seats) * (a.until - a.from)
}

func peaks(runs []run) int {
	n := 0
	for _, run := range runs {
		if run.seats > least(runs) {
			n++
		}
	}
	return n
}

func least(runs []run) int32 {
	seats := runs[0].seats
	for _, run := range runs {
		seats = min(seats, run.seats)
	}
	return seats
}

// peakName keeps the name of a peak that starts then.
func peakName(declared []yingdav1.Peak, start string, taken map[string]bool) string {
	name := "peak-" + strings.ReplaceAll(start, ":", "")
	for _, peak := range declared {
		if peak.Start == start {
			name = peak.Name
		}
	}
	for taken[name] {
		name += "-again"
	}
	taken[name] = true
	return name
}
