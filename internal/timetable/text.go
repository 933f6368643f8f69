package timetable

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/yingda-dev/yingda/internal/domain/schedule"
)

// Text shows the dates as a person reads them: what is on, for how long and with how many seats, what is unlike others, where nobody
// is scheduled although somebody might expect it, and which shifts hide others.
func (t *Timetable) Text(dates Dates) string {
	var out strings.Builder
	from, until := t.span(dates)
	fmt.Fprintf(&out, "ShiftSchedule %s, %s to %s, times of %s\n", t.title(), from.Format(time.DateOnly), dates[len(dates)-1].Format(time.DateOnly), t.schedule.Location())
	for _, name := range t.missing {
		fmt.Fprintf(&out, "HolidayCalendar %s was not given: its days are shown as if they were like others\n", name)
	}
	closed := 0
	for _, date := range dates {
		day := t.schedule.Day(date)
		open := t.schedule.BusinessTime(day.From, day.Until)
		length := hours(open)
		if open == 0 {
			length = "closed"
			closed++
		}
		head := notes(&day)
		if note := clocks(&day); note != "" {
			head = append(head, note)
		}
		fmt.Fprintf(&out, "\n%s\n", strings.TrimRight(fmt.Sprintf("%s  %-8s %s", date.Format("Mon 2006-01-02"), length, strings.Join(head, "; ")), " "))
		for _, line := range t.lines(&day) {
			fmt.Fprintf(&out, "    %s\n", line.text)
		}
	}
	fmt.Fprintf(&out, "\nOpen %s on %d of %d dates; %s seat hours\n", hours(t.schedule.BusinessTime(from, until)), len(dates)-closed, len(dates), t.seatHours(from, until))
	return out.String()
}

func (t *Timetable) title() string {
	if t.namespace == "" {
		return t.name
	}
	return t.namespace + "/" + t.name
}

// line is shown in order of time; of two at one time the more general comes first.
type line struct {
	at   time.Time
	rank int
	text string
}

func (t *Timetable) lines(day *schedule.Day) []line {
	var lines []line
	add := func(rank int, from, until time.Time, format string, args ...any) {
		lines = append(lines, line{from, rank, fmt.Sprintf("%-20s", period(day, from, until)) + fmt.Sprintf(format, args...)})
	}
	for _, sh := range t.goingOn(day) {
		lines = append(lines, line{day.From, 0, fmt.Sprintf("%-20s%s, since %s", period(day, day.From, sh.Until), sh.Name, sh.From.Format("Mon 15:04"))})
	}
	for _, sh := range day.Shifts {
		text := fmt.Sprintf("%s, %s, %s", sh.Name, hours(sh.Until.Sub(sh.From)), seats(sh.Seats))
		if at := sh.From.Format("15:04"); at != sh.Start {
			text += ", written " + sh.Start + ", which clocks skip"
		}
		add(1, sh.From, sh.Until, "%s", text)
		for _, part := range sh.Parts {
			if part.State.Peak != "" {
				add(2, part.From, part.Until, "  %s, %s, %s", part.State.Peak, hours(part.Until.Sub(part.From)), seats(part.State.Seats))
			}
		}
	}
	for _, overlap := range t.schedule.Overlaps(day.From, day.Until) {
		add(3, overlap.From, overlap.Until, "%s hides %s", overlap.By, overlap.Hidden)
	}
	for _, gap := range t.schedule.Gaps(day.From, day.Until) {
		add(3, gap.From, gap.Until, "nobody: %s", why(gap))
	}
	slices.SortStableFunc(lines, func(a, b line) int { return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.rank, b.rank)) })
	return lines
}

// goingOn are the shifts that started on dates before and end on this one: mostly one of the night.
func (t *Timetable) goingOn(day *schedule.Day) []schedule.ShiftOn {
	yesterday := t.schedule.Day(day.From.Add(-time.Hour))
	before := t.schedule.Day(yesterday.From.Add(-time.Hour)) // from where 24 hours reach today when clocks go forward
	return slices.DeleteFunc(slices.Concat(before.Shifts, yesterday.Shifts), func(sh schedule.ShiftOn) bool { return !sh.Until.After(day.From) })
}

// period is 09:00-21:00, 09:00-24:00, or 22:00-06:00 Tue where it ends on another date.
func period(day *schedule.Day, from, until time.Time) string {
	text := from.Format("15:04-")
	switch {
	case until.Equal(day.Until):
		return text + "24:00"
	case until.After(day.Until):
		return text + until.Format("15:04 Mon")
	}
	return text + until.Format("15:04")
}

// seatHours are the hours that people are wanted for, all together, to one decimal.
func (t *Timetable) seatHours(from, until time.Time) string {
	var sum float64
	for span := range t.schedule.Spans(from, until) {
		sum += float64(span.State.Seats) * span.Until.Sub(span.From).Hours()
	}
	return strconv.FormatFloat(math.Round(sum*10)/10, 'f', -1, 64)
}
