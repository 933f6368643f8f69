package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const shopHours = `apiVersion: yingda.dev/v1alpha1
kind: ShiftSchedule
metadata: {name: shop}
spec:
  timeZone: Asia/Shanghai
  calendarRefs: [{name: china}]
  shifts: [{name: day, days: [Wed, Thu, Fri], start: "09:00", duration: 8h}]
`

// explain runs the command at noon of 30 September 2026 in Shanghai.
func explain(t *testing.T, stdin string, args ...string) (string, error) {
	t.Helper()
	cmd := newExplainCommand(func() time.Time { return time.Date(2026, 9, 30, 4, 0, 0, 0, time.UTC) })
	var out bytes.Buffer
	cmd.SetOut(&out)
	cmd.SetErr(&out)
	cmd.SetIn(strings.NewReader(stdin))
	cmd.SetArgs(args)
	err := cmd.ExecuteContext(t.Context())
	return out.String(), err
}

func TestExplainReadsFilesAndStandardInput(t *testing.T) {
	t.Parallel()
	china := filepath.Join("..", "..", "config", "calendars", "china.yaml")
	got, err := explain(t, shopHours, "-f", "-", "-f", china, "--to", "2026-10-01")
	if err != nil {
		t.Fatal(err)
	}
	want := `ShiftSchedule shop, 2026-09-30 to 2026-10-01, times of Asia/Shanghai

Wed 2026-09-30  8h
    09:00-17:00         day, 8h, 1 seat

Thu 2026-10-01  closed   国庆节 (day off)
    09:00-17:00         nobody: day off 国庆节

Open 8h on 1 of 2 dates; 8 seat hours
`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestExplainWritesACalendar(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "shifts.ics")
	text, err := explain(t, shopHours, "-f", "-", "--ics", file)
	if err != nil {
		t.Fatal(err)
	}
	written, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	printed, err := explain(t, shopHours, "-f", "-", "--ics", "-")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(text, "ShiftSchedule shop") || !strings.HasPrefix(printed, "BEGIN:VCALENDAR\r\n") || printed != string(written) {
		t.Errorf("the text %q, the calendar as a file %q and printed %q", text, written, printed)
	}
}

func TestExplainSaysWhichFileIsWrong(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		args []string
		want string
	}{
		"no file":           {nil, `required flag(s) "filename" not set`},
		"one that is not":   {[]string{"-f", "nowhere.yaml"}, "reading nowhere.yaml: open nowhere.yaml: no such file or directory"},
		"one that is wrong": {[]string{"-f", "-"}, "reading -: document 1:\nShiftSchedule shop: unknown field \"spec.zone\""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := explain(t, strings.Replace(shopHours, "timeZone", "zone", 1), tc.args...); err == nil || err.Error() != tc.want {
				t.Errorf("got  %v\nwant %s", err, tc.want)
			}
		})
	}
}
