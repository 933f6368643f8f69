// Command holidays renders the days off and make-up workdays of mainland China, as announced by the State Council, as the
// HolidayCalendar china. Its input, a file a year, comes from https://github.com/NateScarlet/holiday-cn (MIT licence, beside
// the files):
//
//	curl -fo hack/holidays/holiday-cn/2027.json https://raw.githubusercontent.com/NateScarlet/holiday-cn/master/2027.json
//	go run ./hack/holidays
//	go test ./charts/yingda -run Calendars -update
//
// The announcements name the days that are worked, not the weekdays that these stand in for. So the calendar leaves follows
// to its default.
package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/domain/schedule"
)

const head = `# The days off and make-up workdays (调休) of mainland China, as announced by the State Council. Schedules refer to it by
#   calendarRefs: [{name: china}]
# Made by "go run ./hack/holidays" from https://github.com/NateScarlet/holiday-cn (MIT licence, hack/holidays/holiday-cn/LICENSE).
# The announcements do not say which weekday a make-up workday stands in for, so that it follows the default, Monday. Where
# your weekdays differ, list the days again in a calendar of your own, with follows, and refer to it after this one.
apiVersion: yingda.dev/v1alpha1
kind: HolidayCalendar
metadata:
  name: china
spec:
  days:
`

func main() {
	from := flag.String("from", "hack/holidays/holiday-cn", "folder with a file a year")
	to := flag.String("to", "config/calendars/china.yaml", "file to write")
	flag.Parse()
	if err := run(*from, *to); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(from, to string) error {
	days, err := read(from)
	if err != nil {
		return err
	}
	if _, err := schedule.CompileCalendar(v1alpha1.HolidayCalendarSpec{Days: days}); err != nil {
		return fmt.Errorf("checking the days: %w", err)
	}
	if err := os.WriteFile(to, render(days), 0o644); err != nil {
		return fmt.Errorf("writing the calendar: %w", err)
	}
	return nil
}

// announced is a day of a file.
type announced struct {
	Name     string `json:"name"`
	Date     string `json:"date"`
	IsOffDay bool   `json:"isOffDay"`
}

// read returns the days of all files of a folder, in order. A file holds the days of one announcement: late December can stand
// in the next year's.
func read(folder string) ([]v1alpha1.CalendarDay, error) {
	files, err := filepath.Glob(filepath.Join(folder, "*.json"))
	if err != nil {
		return nil, fmt.Errorf("looking for years: %w", err)
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("there is no year in %s", folder)
	}
	var days []v1alpha1.CalendarDay
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("reading a year: %w", err)
		}
		var year struct {
			Days []announced `json:"days"`
		}
		if err := json.Unmarshal(text, &year); err != nil {
			return nil, fmt.Errorf("reading %s: %w", file, err)
		}
		for _, a := range year.Days {
			day := v1alpha1.CalendarDay{Date: a.Date, Kind: v1alpha1.CalendarDayOff, Name: a.Name}
			if !a.IsOffDay {
				day.Kind, day.Name = v1alpha1.CalendarDayWorkday, a.Name+"补班"
			}
			days = append(days, day)
		}
	}
	slices.SortFunc(days, func(a, b v1alpha1.CalendarDay) int { return cmp.Compare(a.Date, b.Date) })
	return days, nil
}

// render writes one day a line, so that a reviewer sees what a year brings.
func render(days []v1alpha1.CalendarDay) []byte {
	var out bytes.Buffer
	out.WriteString(head)
	for _, day := range days {
		fmt.Fprintf(&out, "    - {date: %q, kind: %s, name: %s}\n", day.Date, day.Kind, day.Name)
	}
	return out.Bytes()
}
