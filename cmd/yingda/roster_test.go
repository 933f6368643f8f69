package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/yingda-dev/yingda/internal/domain/roster"
	"github.com/yingda-dev/yingda/internal/golden"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/testenv"
)

const rosterDocs = "../../docs/staffing"

// rosterPlan runs the command of docs/staffing.md with more arguments, on 2 November 2026.
func rosterPlan(t *testing.T, arguments ...string) (out, hints string, err error) {
	t.Helper()
	plan := newRosterPlanCommand(func() time.Time { return time.Date(2026, 11, 2, 4, 0, 0, 0, time.UTC) })
	plan.SilenceUsage, plan.SilenceErrors = true, true
	var stdout, stderr bytes.Buffer
	plan.SetOut(&stdout)
	plan.SetErr(&stderr)
	plan.SetArgs(append([]string{
		"-f", "../../config/calendars/china.yaml",
		"--history", filepath.Join(rosterDocs, "history.csv"), "--group", "after-sales", "--at-once", "3",
	}, arguments...))
	err = plan.ExecuteContext(t.Context())
	return stdout.String(), stderr.String(), err
}

// TestRosterPlan runs what docs/staffing.md shows, in its order, and reads there what came out.
func TestRosterPlan(t *testing.T) {
	docs, err := os.ReadFile(rosterDocs + ".md")
	if err != nil {
		t.Fatal(err)
	}
	written := filepath.Join(t.TempDir(), "wanted.yaml")
	for _, step := range []struct {
		file      string
		arguments []string
	}{
		{"plan.txt", []string{"-f", filepath.Join(rosterDocs, "schedule.yaml")}},
		{"wanted.yaml", []string{"-f", filepath.Join(rosterDocs, "schedule.yaml"), "-o", "yaml"}},
		{"covered.txt", []string{"-f", written}},
	} {
		out, hints, err := rosterPlan(t, step.arguments...)
		if err != nil || hints != "" {
			t.Fatalf("%s: %v, %s", step.file, err, hints)
		}
		golden.Compare(t, "roster/"+step.file, []byte(out))
		if !strings.Contains(string(docs), out) {
			t.Errorf("docs/staffing.md does not show testdata/roster/%s", step.file)
		}
		if step.file == filepath.Base(written) {
			if err := os.WriteFile(written, []byte(out), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestRosterPlanSaysWhatIsMissing(t *testing.T) {
	write := func(text string) string {
		file := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	sample := filepath.Join(rosterDocs, "schedule.yaml")
	for name, tt := range map[string]struct {
		arguments []string
		want      string
	}{
		"no schedule":          {nil, "there is no ShiftSchedule in what was read"},
		"two schedules":        {[]string{"-f", sample, "-f", sample}, "there are several ShiftSchedules in what was read: choose one of after-sales, after-sales"},
		"an unknown field":     {[]string{"-f", write("apiVersion: yingda.dev/v1alpha1\nkind: ShiftSchedule\nspec: {shift: []}")}, `unknown field "spec.shift"`},
		"an unknown output":    {[]string{"-f", sample, "-o", "json"}, "--output is table or yaml, not json"},
		"another schedule":     {[]string{"-f", sample, "--name", "online"}, "there is no ShiftSchedule online in what was read; there are after-sales"},
		"too many weeks":       {[]string{"-f", sample, "--weeks", "13"}, "--weeks is from 1 to 12"},
		"too far ahead":        {[]string{"-f", sample, "--week", "2027-02-01"}, "the history ends on 2026-11-01, too long before 2027-02-07 to say anything of it: take a newer one, or plan dates until 2027-01-31"},
		"too little past":      {[]string{"-f", sample, "--week", "2026-10-02"}, "the history before 2026-10-02 has 4 of the days that a forecast takes: give it 7, one of each weekday"},
		"a group without past": {[]string{"-f", sample, "--group", "pre-sales"}, "the history has no contacts"},
		"no column":            {[]string{"-f", sample, "--history", write("start,contacts\n")}, "line 1: name the columns start, contacts and handling_seconds"},
		"no time":              {[]string{"-f", sample, "--history", write("start,contacts,handling_seconds\n2026-10-01 09:00,1,1\nnoon,1,1\n")}, `line 3: write start as 2026-10-01 09:00:00+08 or 2026-10-01 09:00, not "noon"`},
		"no number":            {[]string{"-f", sample, "--history", write("start,contacts,handling_seconds\n2026-10-01 09:00,NaN,1\n")}, `line 2: contacts: write a number from 0 on, not "NaN"`},
		"a percentage over it": {[]string{"-f", sample, "--answered-percent", "101"}, "--answered-percent and --max-occupancy-percent are from 0 to 100"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, _, err := rosterPlan(t, tt.arguments...); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got  %v\nwant %s", err, tt.want)
			}
		})
	}
}

func TestRosterPlanHintsAtACalendarThatIsMissing(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(rosterDocs, "schedule.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "schedule.yaml")
	if err := os.WriteFile(file, bytes.ReplaceAll(text, []byte("china"), []byte("mars")), 0o600); err != nil {
		t.Fatal(err)
	}
	_, hints, err := rosterPlan(t, "-f", file)
	if want := "HolidayCalendar mars is in none of the files: its days are planned as usual ones\n"; err != nil || hints != want {
		t.Errorf("got %q, %v; want %q", hints, err, want)
	}
}

// twoTeams work by turns, a week each, and a third is gone.
const twoTeams = `apiVersion: yingda.dev/v1alpha1
kind: ShiftSchedule
metadata: {name: teams}
spec:
  shifts:
  - {name: early, rrule: "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO", anchorDate: "2026-11-02", start: "09:00", duration: 2h}
  - {name: late, rrule: "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO", anchorDate: "2026-11-09", start: "12:00", duration: 2h}
  - {name: summer, rrule: "FREQ=DAILY;UNTIL=20260831", anchorDate: "2026-07-01", start: "09:00", duration: 1h}
`

func TestRosterPlanPlansTheWeeksOfARotation(t *testing.T) {
	file := filepath.Join(t.TempDir(), "teams.yaml")
	if err := os.WriteFile(file, []byte(twoTeams), 0o600); err != nil {
		t.Fatal(err)
	}
	out, hints, err := rosterPlan(t, "-f", file)
	if err != nil {
		t.Fatal(err)
	}
	golden.Compare(t, "roster/rotation.txt", []byte(out))
	if want := "Shift summer is on in none of the planned weeks and keeps its seats: plan more of them with --weeks\n"; hints != want {
		t.Errorf("got %q, want %q", hints, want)
	}
}

func TestRosterPlanSaysHowFarItIsToBeTrusted(t *testing.T) {
	zone, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		t.Fatal(err)
	}
	date := func(month time.Month, day int) time.Time { return time.Date(2026, month, day, 0, 0, 0, 0, time.UTC) }
	weeks := func(known roster.Span, first time.Time) *roster.Weeks {
		start := time.Date(first.Year(), first.Month(), first.Day(), 0, 0, 0, 0, zone)
		return &roster.Weeks{Known: known, Hours: []roster.Hour{{Start: start}, {Start: start.AddDate(0, 0, 6)}}}
	}
	month := roster.Span{First: date(10, 1), Last: date(11, 1)}
	for name, tt := range map[string]struct {
		weeks *roster.Weeks
		today time.Time
		want  []string
	}{
		"a month, the week after it": {weeks(month, date(11, 2)), date(11, 2), nil},
		"ten days": {
			weeks(roster.Span{First: date(10, 23), Last: date(11, 1)}, date(11, 2)), date(11, 2),
			[]string{"The history has 10 days: with fewer than 28 there is no trend in it, and chance weighs much"},
		},
		"an old history, whose week is past": {weeks(month, date(11, 2)), date(12, 1), []string{
			"The newest history is of 2026-11-01, 29 days ago: customers may come differently by now",
			"What is planned is past, it ended on 2026-11-08: give newer history, or another --week",
		}},
		"a week far ahead": {weeks(month, date(12, 7)), date(11, 2), []string{
			"The first planned date is 35 days after the newest history: the further ahead, the less it says",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, cautions(tt.weeks, tt.today)); diff != "" {
				t.Errorf("cautions (-want +got):\n%s", diff)
			}
		})
	}
}

func migrateForHistory(ctx context.Context, url string) error { return store.Migrate(ctx, url, "") }

// TestHistoryQuery takes the history from a real schema, by way of the text that psql --csv writes.
func TestHistoryQuery(t *testing.T) {
	connection, err := pgx.Connect(t.Context(), testenv.Database(t, migrateForHistory))
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close(t.Context())
	if _, err := connection.Exec(t.Context(), `
		INSERT INTO workload (skill_group, quarter, arrivals, handled, handling_seconds)
		SELECT 'after-sales', day + n * interval '15 minutes', 1, n, n * n * 60
		FROM generate_series(0, 4) AS n, (SELECT current_date - interval '1 day' AS day) AS yesterday`); err != nil {
		t.Fatal(err)
	}
	var lines bytes.Buffer
	if _, err = connection.PgConn().CopyTo(t.Context(), &lines, "COPY ("+historyQuery+") TO STDOUT WITH (FORMAT csv, HEADER)"); err != nil {
		t.Fatal(err)
	}
	got, err := readHistory(&lines, "after-sales", time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	midnight := got[0].Start
	want := []roster.Interval{
		{Start: midnight, Contacts: 4, Handling: 140 * time.Second},
		{Start: midnight.Add(time.Hour), Contacts: 1, Handling: 240 * time.Second},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("history (-want +got):\n%s", diff)
	}
}
