package timetable

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	ics "github.com/arran4/golang-ical"
	"github.com/google/go-cmp/cmp"

	"github.com/yingda-dev/yingda/internal/golden"
)

// stamp is when the calendars of the tests are made.
func stamp() time.Time { return time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC) }

func open(t *testing.T, name string) *Timetable {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name, "in.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return read(t, string(text))
}

func read(t *testing.T, text string) *Timetable {
	t.Helper()
	objects := &Objects{}
	if err := objects.Read(strings.NewReader(text)); err != nil {
		t.Fatal(err)
	}
	shown, err := objects.Timetable("")
	if err != nil {
		t.Fatal(err)
	}
	return shown
}

func datesOf(t *testing.T, shown *Timetable, from, to string) Dates {
	t.Helper()
	dates, err := shown.Dates(from, to, stamp())
	if err != nil {
		t.Fatal(err)
	}
	return dates
}

func TestShown(t *testing.T) {
	t.Parallel()
	for name, dates := range map[string][2]string{
		"lumi":     {"2026-10-05", "2026-10-18"},
		"new-york": {"2026-03-06", "2026-03-10"},
		"berlin":   {"2026-10-23", "2026-10-26"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			shown := open(t, name)
			dates := datesOf(t, shown, dates[0], dates[1])
			golden.Compare(t, name+"/want.txt", []byte(shown.Text(dates)))
			calendar := shown.ICalendar(dates, stamp())
			golden.Compare(t, name+"/want.ics", calendar)
			checkCalendar(t, shown, dates, calendar)
		})
	}
}

// checkCalendar reads a calendar with a library that had no part in writing it, and compares it with the schedule.
func checkCalendar(t *testing.T, shown *Timetable, dates Dates, text []byte) {
	t.Helper()
	checkLines(t, text)
	parsed, err := ics.ParseCalendar(bytes.NewReader(text))
	if err != nil {
		t.Fatalf("the calendar cannot be read: %v", err)
	}
	ids := map[string]bool{}
	type shift struct {
		From, Until time.Time
		Summary     string
	}
	var got, want []shift
	for _, event := range parsed.Events() {
		if ids[event.Id()] {
			t.Errorf("the UID %s comes twice", event.Id())
		}
		ids[event.Id()] = true
		if strings.HasPrefix(event.Id(), "date-") {
			continue
		}
		from, fromErr := event.GetStartAt()
		until, untilErr := event.GetEndAt()
		if fromErr != nil || untilErr != nil {
			t.Fatalf("%s: %v, %v", event.Id(), fromErr, untilErr)
		}
		got = append(got, shift{from, until, event.GetProperty(ics.ComponentPropertySummary).Value})
	}
	for _, date := range dates {
		day := shown.schedule.Day(date)
		for _, sh := range day.Shifts {
			if shown.seen(&sh) {
				want = append(want, shift{sh.From, sh.Until, sh.Name + ", " + seatRange(&sh)})
			}
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("shifts of the calendar (-want +got):\n%s", diff)
	}
}

func checkLines(t *testing.T, text []byte) {
	t.Helper()
	if !bytes.HasSuffix(text, []byte("\r\n")) {
		t.Error("the calendar does not end with a line's end")
	}
	for line := range bytes.SplitSeq(text, []byte("\r\n")) {
		if len(line) > maxOctets || !utf8.Valid(line) || bytes.ContainsAny(line, "\r\n") {
			t.Errorf("not a line of at most %d octets: %q", maxOctets, line)
		}
	}
}

func TestNamesOfAnyKindSurviveTheCalendar(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		strings.Repeat("夜", 63), `a\n,;:b`, `"quoted"`, strings.Repeat("a", 62) + "é", "早🌅班", "semi;colon,comma",
	} {
		shown := read(t, "apiVersion: yingda.dev/v1alpha1\nkind: ShiftSchedule\nmetadata: {name: online}\nspec: {shifts: [{name: '"+name+
			"', days: [Mon, Tue], start: '09:00', duration: 1h}]}")
		dates := datesOf(t, shown, "2026-09-01", "2026-09-14")
		checkCalendar(t, shown, dates, shown.ICalendar(dates, stamp()))
	}
	if got := escape("a\tb\r\nc\x00\xff"); got != `ab\nc` {
		t.Errorf("escape leaves %q", got)
	}
}

func TestAShiftHasTheSameUIDInEveryCalendar(t *testing.T) {
	t.Parallel()
	shown := open(t, "lumi")
	week, day := shown.ICalendar(datesOf(t, shown, "2026-10-05", "2026-10-11"), stamp()), shown.ICalendar(datesOf(t, shown, "2026-10-06", "2026-10-06"), stamp().Add(time.Hour))
	for line := range bytes.SplitSeq(day, []byte("\r\n")) {
		if bytes.HasPrefix(line, []byte("UID:")) && !bytes.Contains(week, line) {
			t.Errorf("%s is not in the week", line)
		}
	}
}

// TestTheDocsShowWhatIsPrinted reads the first schedule of docs/schedules.md and compares what it says of it.
func TestTheDocsShowWhatIsPrinted(t *testing.T) {
	t.Parallel()
	root := filepath.Join("..", "..")
	docs, err := os.ReadFile(filepath.Join(root, "docs", "schedules.md"))
	if err != nil {
		t.Fatal(err)
	}
	china, err := os.ReadFile(filepath.Join(root, "config", "calendars", "china.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	block := func(language string) string {
		_, after, _ := strings.Cut(string(docs), "```"+language+"\n")
		text, _, _ := strings.Cut(after, "```")
		return text
	}
	shown := read(t, block("yaml")+"---\n"+string(china))
	if diff := cmp.Diff(block("text"), shown.Text(datesOf(t, shown, "2026-10-07", "2026-10-12"))); diff != "" {
		t.Errorf("docs/schedules.md (-docs +printed):\n%s", diff)
	}
}

func TestDates(t *testing.T) {
	t.Parallel()
	shown := open(t, "lumi")
	for name, tc := range map[string]struct{ from, to, first, last, err string }{
		"a week from today in the time zone": {first: "2026-09-02", last: "2026-09-08"},
		"a week from a date":                 {from: "2026-10-05", first: "2026-10-05", last: "2026-10-11"},
		"until a date":                       {to: "2026-09-03", first: "2026-09-02", last: "2026-09-03"},
		"one date":                           {from: "2026-10-05", to: "2026-10-05", first: "2026-10-05", last: "2026-10-05"},
		"backwards":                          {from: "2026-10-05", to: "2026-10-04", err: "to: 2026-10-04 is before 2026-10-05"},
		"no date":                            {from: "2026-02-30", err: `from: "2026-02-30" is no date: write YYYY-MM-DD`},
		"too many":                           {from: "2026-01-01", to: "2027-02-05", err: "to: at most 400 dates can be shown, so until 2027-02-04"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dates, err := shown.Dates(tc.from, tc.to, time.Date(2026, 9, 1, 17, 0, 0, 0, time.UTC))
			if tc.err != "" {
				if err == nil || err.Error() != tc.err {
					t.Errorf("error %v, want %s", err, tc.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			first, last := dates[0].Format(time.DateOnly), dates[len(dates)-1].Format(time.DateOnly)
			if first != tc.first || last != tc.last {
				t.Errorf("%s to %s, want %s to %s", first, last, tc.first, tc.last)
			}
		})
	}
}

func TestWhatCannotBeShownIsSaid(t *testing.T) {
	t.Parallel()
	const kind = "apiVersion: yingda.dev/v1alpha1\nkind: ShiftSchedule\n"
	for name, tc := range map[string]struct{ text, choice, want string }{
		"nothing of the kind":         {text: "kind: Namespace", want: "there is no ShiftSchedule in what was read"},
		"another group's kind":        {text: "apiVersion: other/v1\nkind: ShiftSchedule", want: "there is no ShiftSchedule in what was read"},
		"several":                     {text: kind + "metadata: {name: a}\n---\n" + kind + "metadata: {name: b}", want: "there are several ShiftSchedules in what was read: choose one of a, b"},
		"another":                     {text: kind + "metadata: {name: a}", choice: "b", want: "there is no ShiftSchedule b in what was read; there are a"},
		"a field that does not exist": {text: kind + "spec: {shift: []}", want: "document 1:\nShiftSchedule : unknown field \"spec.shift\""},
		"fields that do not exist": {
			text: "kind: Namespace\n---\n" + kind + "metadata: {name: a}\nspec: {timezone: UTC, shifts: [{name: day, peaks: [{name: noon, seat: 3}]}]}",
			want: "document 2:\nShiftSchedule a: unknown field \"spec.shifts[0].peaks[0].seat\"\nShiftSchedule a: unknown field \"spec.timezone\"",
		},
		"a key that is written twice": {
			text: kind + "metadata: {name: a}\nspec:\n  timeZone: UTC\n  timeZone: UTC",
			want: "document 1:\nyaml: unmarshal errors:\n  line 6: key \"timeZone\" already set in map",
		},
		"mistakes of a schedule and of its calendar": {
			text: kind + "metadata: {name: a}\nspec: {timeZone: Mars, calendarRefs: [{name: c}], shifts: [{name: d, rrule: FREQ=YEARLY, anchorDate: '2026-01-05', start: '9:00', duration: 8h}]}\n---\n" +
				"apiVersion: yingda.dev/v1alpha1\nkind: HolidayCalendar\nmetadata: {name: c}\nspec: {days: [{date: 2026-1-1, kind: DayOff}]}",
			want: `HolidayCalendar c: spec.days[0].date: Invalid value: "2026-1-1": day 2026-1-1: write a date that exists as YYYY-MM-DD
ShiftSchedule a: spec.timeZone: Invalid value: "Mars": write an IANA time zone, for example Asia/Shanghai or Europe/Berlin
ShiftSchedule a: spec.shifts[0].start: Invalid value: "9:00": shift d: write the start as HH:MM from 00:00 to 23:59
ShiftSchedule a: spec.shifts[0].rrule: Invalid value: "FREQ=YEARLY": shift d: "FREQ=YEARLY" is not supported: write FREQ=MONTHLY;INTERVAL=12 with an anchorDate in the month`,
		},
		"a mistake": {text: kind + "metadata: {name: a}\nspec: {timeZone: Mars}", want: `ShiftSchedule a: spec.timeZone: Invalid value: "Mars": write an IANA time zone, for example Asia/Shanghai or Europe/Berlin`},
		"a mistake in a calendar": {
			text: kind + "metadata: {name: a}\nspec: {calendarRefs: [{name: c}]}\n---\napiVersion: yingda.dev/v1alpha1\nkind: HolidayCalendar\nmetadata: {name: c}\nspec: {days: [{date: 2026-1-1, kind: DayOff}]}",
			want: `HolidayCalendar c: spec.days[0].date: Invalid value: "2026-1-1": day 2026-1-1: write a date that exists as YYYY-MM-DD`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			objects := &Objects{}
			err := objects.Read(strings.NewReader(tc.text))
			if err == nil {
				_, err = objects.Timetable(tc.choice)
			}
			if err == nil || err.Error() != tc.want {
				t.Errorf("got  %v\nwant %s", err, tc.want)
			}
		})
	}
}
