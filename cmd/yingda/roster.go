package main

import (
	"errors"
	"fmt"
	"io"
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

const rosterPlanHelp = `Plan a week of seats from a group's own history.

The history is a CSV file with a line for every hour, or part of one, in which contacts came. Its columns, named in the first
line: start (2026-10-01 09:00:00+08, or 2026-10-01 09:00 by the schedule's clock), contacts, handling_seconds (their mean) and,
where it has several groups, skill_group. Postgres has it:

  psql "$POSTGRES_URL" --csv -c "` + historyQuery + `" > history.csv

Seats are those on duty, as in a ShiftSchedule and in a SkillGroup's status; how many people to roster for them is beside them.`

// rosterFlags are how roster plan was started.
type rosterFlags struct {
	files   []string
	history string
	group   string
	week    string
	output  string
	target  staffing.Target
	atOnce  float64
}

func newRosterCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "roster", Short: "Plan who works when"}
	cmd.AddCommand(newRosterPlanCommand())
	return cmd
}

func newRosterPlanCommand() *cobra.Command {
	var r rosterFlags
	cmd := &cobra.Command{
		Use:     "plan",
		Short:   "Compare a schedule's seats with what a group's history wants, or write the schedule that has them",
		Long:    rosterPlanHelp,
		Example: "  yingda roster plan -f schedule.yaml -f calendars/china.yaml --history history.csv --group after-sales\n  yingda roster plan -f schedule.yaml --history history.csv --group after-sales -o yaml | kubectl apply -f -",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return r.run(cmd.OutOrStdout(), cmd.ErrOrStderr()) },
	}
	flags := cmd.Flags()
	flags.StringArrayVarP(&r.files, "filename", "f", nil, "file with the ShiftSchedule, or with a HolidayCalendar that it refers to; may be repeated")
	flags.StringVar(&r.history, "history", "", "CSV file with the history")
	flags.StringVar(&r.group, "group", "", "SkillGroup that is planned, whose lines of the history count")
	flags.StringVar(&r.week, "week", "", "first day of the week, YYYY-MM-DD (default the Monday after the history)")
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

func (r *rosterFlags) run(out, hints io.Writer) error {
	if err := r.validate(); err != nil {
		return err
	}
	objects, err := readRosterObjects(r.files)
	if err != nil {
		return err
	}
	history, err := readHistoryFile(r.history, r.group, objects.schedule.Spec.TimeZone)
	if err != nil {
		return err
	}
	calendars, missing := objects.referred()
	for _, name := range missing {
		fmt.Fprintf(hints, "HolidayCalendar %s is in none of the files: its days are planned as usual ones\n", name)
	}
	week, err := roster.Plan(roster.Question{
		Schedule: objects.schedule.Spec, Calendars: calendars, History: history,
		From: r.week, Target: r.target, Concurrency: r.atOnce,
	})
	if err != nil {
		return fmt.Errorf("planning the week: %w", err)
	}
	if r.output == "yaml" {
		return writeSchedule(out, objects.schedule, week.Cover())
	}
	return rosterTable{group: r.group, target: r.target, week: week}.write(out)
}

func (r *rosterFlags) validate() error {
	percent := func(n float64) bool { return n >= 0 && n <= 100 }
	switch {
	case r.output != "table" && r.output != "yaml":
		return fmt.Errorf("--output is table or yaml, not %s", r.output)
	case r.target.Within < 0 || !percent(r.target.Percent) || !percent(r.target.MaxOccupancy):
		return errors.New("--answered-within is at least 0, --answered-percent and --max-occupancy-percent are from 0 to 100")
	case !percent(r.target.Shrinkage) || r.target.Shrinkage > 90:
		return errors.New("--shrinkage-percent is from 0 to 90")
	case r.atOnce < 1 || r.atOnce > 100:
		return errors.New("--at-once is from 1 to 100")
	}
	return nil
}
