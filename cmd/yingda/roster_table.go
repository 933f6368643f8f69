package main

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/yingda-dev/yingda/internal/domain/roster"
	"github.com/yingda-dev/yingda/internal/domain/staffing"
)

// rosterTable shows planned weeks to a person.
type rosterTable struct {
	group  string
	target staffing.Target
	weeks  *roster.Weeks
}

func (r rosterTable) write(out io.Writer) error {
	first := r.weeks.Hours[0].Start
	span := "week of"
	if n := r.number(); n > 1 {
		span = fmt.Sprintf("%d weeks from", n)
	}
	fmt.Fprintf(out, "%s, %s %s (%s): seats on duty, scheduled/wanted, ! where they are short\n\n", r.group, span, first.Format("Mon 2006-01-02"), first.Location())
	if err := r.hours(out); err != nil {
		return err
	}
	if err := r.shortfalls(out); err != nil {
		return err
	}
	r.sums(out)
	return nil
}

// number is how many weeks there are.
func (r rosterTable) number() int { return int(math.Round(float64(len(r.weeks.Hours)) / (7 * 24))) }

// hours has a line for each shift of each day, and a column for each hour in which any is on.
func (r rosterTable) hours(out io.Writer) error {
	var columns [24]bool
	var lines []string
	cells := map[string]*[24]string{}
	for _, hour := range r.weeks.Hours {
		if hour.Open == 0 {
			continue
		}
		of := hour.Start.Hour()
		columns[of] = true
		line := hour.Start.Format("Mon 01-02") + "\t" + hour.Shift
		if cells[line] == nil {
			lines = append(lines, line)
			cells[line] = new([24]string)
		}
		cell := fmt.Sprintf("%d/%d", hour.Scheduled, hour.Wanted())
		if hour.Short() {
			cell += "!"
		}
		cells[line][of] = cell
	}
	var text bytes.Buffer
	table := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	fmt.Fprint(table, "DAY\tSHIFT")
	for of, on := range columns {
		if on {
			fmt.Fprintf(table, "\t%02d", of)
		}
	}
	fmt.Fprintln(table)
	for _, line := range lines {
		fmt.Fprint(table, line)
		for of, on := range columns {
			if on {
				fmt.Fprint(table, "\t"+cells[line][of])
			}
		}
		fmt.Fprintln(table)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	for line := range strings.Lines(text.String()) {
		fmt.Fprintln(out, strings.TrimRight(line, " \n")) // a cell that is empty is padded all the same
	}
	return nil
}

// shortfalls joins the hours that are short one after the other, and says why of the worst.
func (r rosterTable) shortfalls(out io.Writer) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	var spans [][]roster.Hour
	for i, hour := range r.weeks.Hours {
		switch {
		case !hour.Short():
		case i > 0 && len(spans) > 0 && r.weeks.Hours[i-1].Short() && r.weeks.Hours[i-1].Shift == hour.Shift:
			spans[len(spans)-1] = append(spans[len(spans)-1], hour)
		default:
			spans = append(spans, []roster.Hour{hour})
		}
	}
	if len(spans) == 0 {
		return nil
	}
	fmt.Fprintln(out)
	fmt.Fprintln(table, "SHORT\tSHIFT\tMISSING\tANSWERED\tWORST HOUR")
	for _, span := range spans {
		missing := func(a, b roster.Hour) int { return cmp.Compare(a.Wanted()-a.Scheduled, b.Wanted()-b.Scheduled) }
		most := slices.MaxFunc(span, missing)
		worst := slices.MinFunc(span, func(a, b roster.Hour) int { return cmp.Or(cmp.Compare(r.reached(a), r.reached(b)), missing(b, a)) })
		from := "Mon 15:04"
		if r.number() > 1 {
			from = "Mon 01-02 15:04"
		}
		first, last := span[0].Start, span[len(span)-1].Start.Add(time.Hour)
		fmt.Fprintf(table, "%s-%s\t%s\t%d\t%.0f %%\t%s %s\n", first.Format(from), last.Format("15:04"), span[0].Shift,
			most.Wanted()-most.Scheduled, 100*r.reached(worst), worst.Start.Format("15:04"), worst.Recommended)
	}
	return table.Flush()
}

// reached is the share of contacts that the scheduled seats answer in time.
func (r rosterTable) reached(hour roster.Hour) float64 {
	return staffing.Reach(hour.Recommended.Load, r.target.Within, hour.Scheduled).ServiceLevel
}

func (r rosterTable) sums(out io.Writer) {
	var open, short int
	var scheduled, wanted, rostered, contacts, inTime, closed float64
	for _, hour := range r.weeks.Hours {
		if hour.Open == 0 {
			closed += hour.Expected
			continue
		}
		open++
		if hour.Short() {
			short++
		}
		scheduled += float64(hour.Scheduled) * hour.Open.Hours()
		wanted += float64(hour.Wanted()) * hour.Open.Hours()
		rostered += float64(max(hour.Recommended.Seats, hour.Wanted())) * hour.Open.Hours()
		contacts += hour.Expected
		inTime += hour.Expected * r.reached(hour)
	}
	var lines []string
	line := func(format string, values ...any) { lines = append(lines, fmt.Sprintf(format, values...)) }
	line("%d of %d open hours are short.", short, open)
	line("Hours on duty: %.0f scheduled, %.0f wanted; %.0f to roster at %.0f %% shrinkage.", scheduled, wanted, rostered, r.target.Shrinkage)
	if contacts > 0 {
		line("Contacts: %.0f expected at %s each, of which the schedule answers %.0f %% within %s.", contacts, staffing.Short(r.weeks.Handling),
			100*inTime/contacts, staffing.Short(r.target.Within))
	}
	if closed >= 1 {
		line("Another %.0f are expected while it is closed.", closed)
	}
	known := r.weeks.Known
	year, month, day := r.weeks.Hours[0].Start.Date()
	after := roster.Span{First: known.Last, Last: time.Date(year, month, day, 0, 0, 0, 0, time.UTC)}.Days() - 1
	line("History: %d days, %s to %s; days from it to the first planned one: %d.", known.Days(), known.First.Format(time.DateOnly), known.Last.Format(time.DateOnly), after)
	if tried := r.weeks.Accuracy; tried.Days > 0 {
		line("Forecasts a week ahead were off by %.1f of %.1f contacts an hour (%d days tried; repeating the week before: %.1f).",
			tried.MeanError, tried.Contacts, tried.Days, tried.NaiveError)
	} else {
		line("The history is too short to try forecasts on: three weeks and a day are the least.")
	}
	fmt.Fprintln(out, "\n"+strings.Join(lines, "\n"))
}
