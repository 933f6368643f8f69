package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/yingda-dev/yingda/internal/domain/roster"
	"github.com/yingda-dev/yingda/internal/domain/staffing"
)

// historyQuery is the history of every group, from the 60 days before today: what recommended seats are made from, too.
const historyQuery = `SELECT skill_group, date_trunc('hour', quarter) AS start, sum(arrivals) AS contacts,
    round(sum(handling_seconds)::numeric / nullif(sum(handled), 0)) AS handling_seconds
  FROM workload WHERE quarter >= current_date - 60 AND quarter < current_date
  GROUP BY 1, 2 ORDER BY 1, 2`

const rosterPlanHelp = `Plan a week of seats from a group's own history, or as many weeks as the schedule's rotations take to begin anew.

The history is a CSV file with a line for every hour, or part of one, in which contacts came. Its columns, named in the first
line: start (2026-10-01 09:00:00+08, or 2026-10-01 09:00 by the schedule's clock), contacts, handling_seconds (their mean) and,
where it has several groups, skill_group. Postgres has it:

  psql "$POSTGRES_URL" --csv -c "` + historyQuery + `" > history.csv

Seats are those on duty, as in a ShiftSchedule and in a SkillGroup's status; how many people to roster for them is beside them.`

// rosterFlags are how roster plan was started.
type rosterFlags struct {
	files   []string
	name    string
	history string
	group   string
	week    string
	weeks   int
	output  string
	target  staffing.Target
	atOnce  float64
}

func newRosterCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "roster", Short: "Plan who works when"}
	cmd.AddCommand(newRosterPlanCommand(time.Now))
	return cmd
}

func newRosterPlanCommand(now func() time.Time) *cobra.Command {
	var r rosterFlags
	cmd := &cobra.Command{
		Use:     "plan",
		Short:   "Compare a schedule's seats with what a group's history wants, or write the schedule that has them",
		Long:    rosterPlanHelp,
		Example: "  yingda roster plan -f schedule.yaml -f calendars/china.yaml --history history.csv --group after-sales\n  yingda roster plan -f schedule.yaml --history history.csv --group after-sales -o yaml | kubectl apply --server-side -f -",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return r.run(cmd, now()) },
	}
	flags := cmd.Flags()
	flags.StringArrayVarP(&r.files, "filename", "f", nil, "file of YAML documents with the ShiftSchedule and the HolidayCalendars that it refers to, or - for standard input; may be repeated")
	flags.StringVar(&r.name, "name", "", "name of the ShiftSchedule, where the files hold several")
	flags.StringVar(&r.history, "history", "", "CSV file with the history")
	flags.StringVar(&r.group, "group", "", "SkillGroup that is planned, whose lines of the history count")
	flags.StringVar(&r.week, "week", "", "first day of the week, YYYY-MM-DD (default the Monday after the history)")
	flags.IntVar(&r.weeks, "weeks", 0, fmt.Sprintf("number of weeks, 1 to %d (default 1, or until the schedule's rotations begin anew)", roster.MaxWeeks))
	flags.StringVarP(&r.output, "output", "o", "table", "table, or yaml: a ShiftSchedule with the wanted seats")
	flags.DurationVar(&r.target.Within, "answered-within", 2*time.Minute, "time in which customers are answered")
	flags.Float64Var(&r.target.Percent, "answered-percent", staffing.DefaultPercent, "percentage of customers who are answered in that time")
	flags.Float64Var(&r.target.MaxOccupancy, "max-occupancy-percent", staffing.DefaultMaxOccupancy, "largest percentage of their time for which agents are busy; 0 means no bound")
	flags.Float64Var(&r.target.Shrinkage, "shrinkage-percent", staffing.DefaultShrinkage, "percentage of rostered agents who are not on duty")
	flags.Float64Var(&r.atOnce, "at-once", 1, "contacts that one agent serves at once")
	for _, required := range []string{"filename", "history", "group"} {
		_ = cmd.MarkFlagRequired(required) // It fails for a flag that is not defined; these are, some lines above.
	}
	return cmd
}

func (r *rosterFlags) run(cmd *cobra.Command, now time.Time) error {
	if err := r.validate(); err != nil {
		return err
	}
	objects, err := readObjects(r.files, cmd.InOrStdin())
	if err != nil {
		return err
	}
	// Compiled for its mistakes alone, which it tells a line each.
	if _, err := objects.Timetable(r.name); err != nil {
		return err
	}
	chosen, err := objects.Schedule(r.name)
	if err != nil {
		return err
	}
	history, err := readHistoryFile(r.history, r.group, chosen.Spec.TimeZone)
	if err != nil {
		return err
	}
	calendars, missing := objects.Calendars(chosen.Spec)
	for _, name := range missing {
		fmt.Fprintf(cmd.ErrOrStderr(), "HolidayCalendar %s is in none of the files: its days are planned as usual ones\n", name)
	}
	question := roster.Question{
		Schedule: chosen.Spec, History: history, From: r.week, Weeks: r.weeks, Target: r.target, Concurrency: r.atOnce,
	}
	for i := range calendars {
		question.Calendars = append(question.Calendars, calendars[i].Spec)
	}
	weeks, err := roster.Plan(question)
	if err != nil {
		return fmt.Errorf("planning: %w", err)
	}
	for _, caution := range cautions(weeks, now) {
		fmt.Fprintln(cmd.ErrOrStderr(), caution)
	}
	if r.output == "yaml" {
		return writeSchedule(cmd.OutOrStdout(), chosen, weeks.Cover())
	}
	return rosterTable{group: r.group, target: r.target, weeks: weeks}.write(cmd.OutOrStdout())
}

const (
	// thinHistory is how many days of history let a forecast be tried on them and see a trend.
	thinHistory = 28
	// oldHistory is after how many days a history is worth a word: some planning ahead is usual.
	oldHistory = 14
)

// cautions say why a plan deserves less trust than it looks, a line each.
func cautions(weeks *roster.Weeks, now time.Time) (lines []string) {
	say := func(format string, values ...any) { lines = append(lines, fmt.Sprintf(format, values...)) }
	first := weeks.Hours[0].Start
	today := now.In(first.Location())
	if n := weeks.Known.Days(); n < thinHistory {
		say("The history has %d days: with fewer than %d there is no trend in it, and chance weighs much", n, thinHistory)
	}
	newest := time.Date(weeks.Known.Last.Year(), weeks.Known.Last.Month(), weeks.Known.Last.Day(), 12, 0, 0, 0, first.Location())
	if n := int(today.Sub(newest).Hours() / 24); n > oldHistory {
		say("The newest history is of %s, %d days ago: customers may come differently by now", newest.Format(time.DateOnly), n)
	}
	if last := weeks.Hours[len(weeks.Hours)-1].Start; last.Before(today) {
		say("What is planned is past, it ended on %s: give newer history, or another --week", last.Format(time.DateOnly))
	}
	if n := int(first.Sub(newest).Hours() / 24); n > oldHistory {
		say("The first planned date is %d days after the newest history: the further ahead, the less it says", n)
	}
	for _, name := range weeks.Idle() {
		say("Shift %s is on in none of the planned weeks and keeps its seats: plan more of them with --weeks", name)
	}
	return lines
}

func (r *rosterFlags) validate() error {
	percent := func(n float64) bool { return n >= 0 && n <= 100 }
	switch {
	case r.output != "table" && r.output != "yaml":
		return fmt.Errorf("--output is table or yaml, not %s", r.output)
	case r.weeks < 0 || r.weeks > roster.MaxWeeks:
		return fmt.Errorf("--weeks is from 1 to %d", roster.MaxWeeks)
	case r.target.Within < 0 || !percent(r.target.Percent) || !percent(r.target.MaxOccupancy):
		return errors.New("--answered-within is at least 0, --answered-percent and --max-occupancy-percent are from 0 to 100")
	case !percent(r.target.Shrinkage) || r.target.Shrinkage > 90:
		return errors.New("--shrinkage-percent is from 0 to 90")
	case r.atOnce < 1 || r.atOnce > 100:
		return errors.New("--at-once is from 1 to 100")
	}
	return nil
}
