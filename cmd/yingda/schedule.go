package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/yingda-dev/yingda/internal/timetable"
)

// standardStream names standard input and output where a file is asked for.
const standardStream = "-"

func newScheduleCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "schedule", Short: "Look at ShiftSchedules, without a cluster"}
	cmd.AddCommand(newExplainCommand(time.Now))
	return cmd
}

// explainFlags are how schedule explain was started.
type explainFlags struct {
	files          []string
	name, from, to string
	ics            string
}

func newExplainCommand(now func() time.Time) *cobra.Command {
	var e explainFlags
	cmd := &cobra.Command{
		Use:   "explain -f FILE",
		Short: "Print what a ShiftSchedule means, date by date",
		Long: "Print what a ShiftSchedule means, date by date: shifts, peaks, seats and hours, days off and make-up workdays, overrides, " +
			"changes of clocks, gaps, and shifts that hide others. The files hold the schedule and its HolidayCalendars; other kinds are left out.",
		Example: `  yingda schedule explain -f schedule.yaml -f calendars.yaml --from 2026-09-28 --to 2026-10-11
  kubectl get shiftschedules,holidaycalendars -o yaml | yingda schedule explain -f - --name online
  yingda schedule explain -f schedule.yaml --ics shifts.ics`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return e.run(cmd, now()) },
	}
	flags := cmd.Flags()
	flags.StringArrayVarP(&e.files, "filename", "f", nil, "file of YAML documents, or - for standard input; may be given several times")
	flags.StringVar(&e.name, "name", "", "name of the ShiftSchedule, where the files hold several")
	flags.StringVar(&e.from, "from", "", "first date, YYYY-MM-DD; default today in the schedule's time zone")
	flags.StringVar(&e.to, "to", "", "last date, YYYY-MM-DD, at most 400 dates; default 6 days after the first")
	flags.StringVar(&e.ics, "ics", "", "file to write as well, a calendar for a phone (iCalendar), or - for standard output instead of the text")
	_ = cmd.MarkFlagRequired("filename") // It fails for a flag that is not defined; this is, some lines above.
	return cmd
}

func (e *explainFlags) run(cmd *cobra.Command, now time.Time) error {
	objects, err := readObjects(e.files, cmd.InOrStdin())
	if err != nil {
		return err
	}
	shown, err := objects.Timetable(e.name)
	if err != nil {
		return err
	}
	dates, err := shown.Dates(e.from, e.to, now)
	if err != nil {
		return err
	}
	out := cmd.OutOrStdout()
	switch e.ics {
	case standardStream:
		_, err = out.Write(shown.ICalendar(dates, now))
		return err
	case "":
	default:
		if err := os.WriteFile(e.ics, shown.ICalendar(dates, now), 0o644); err != nil { //nolint:gosec // hours of opening are to be shared
			return fmt.Errorf("writing the calendar: %w", err)
		}
	}
	_, err = io.WriteString(out, shown.Text(dates))
	return err
}

// readObjects reads the schedules and calendars of files.
func readObjects(files []string, stdin io.Reader) (*timetable.Objects, error) {
	objects := &timetable.Objects{}
	for _, file := range files {
		if err := readInto(objects, file, stdin); err != nil {
			return nil, fmt.Errorf("reading %s: %w", file, err)
		}
	}
	return objects, nil
}

func readInto(objects *timetable.Objects, file string, stdin io.Reader) error {
	if file == standardStream {
		return objects.Read(stdin)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	return objects.Read(bytes.NewReader(text))
}
