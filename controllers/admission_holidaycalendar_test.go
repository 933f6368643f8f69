package controllers_test

import (
	"strings"
	"testing"
	"time"

	"github.com/yingda-dev/yingda/api/v1alpha1"
)

func TestAdmissionOfHolidayCalendars(t *testing.T) { newAdmission(t).tries(calendarAttempts()) }

func calendarAttempts() map[string]attempt {
	return map[string]attempt{
		"a calendar without days":                   {calendar("china"), ""},
		"a day off":                                 {dated("2026-10-01", v1alpha1.CalendarDayOff, ""), ""},
		"a day off by the word that YAML takes":     {dated("2026-10-01", "Off", ""), "Unsupported value"},
		"a make-up workday":                         {dated("2026-10-10", v1alpha1.CalendarDayWorkday, ""), ""},
		"a make-up workday that follows":            {dated("2026-10-10", v1alpha1.CalendarDayWorkday, v1alpha1.Wednesday), ""},
		"a make-up workday that follows no weekday": {dated("2026-10-10", v1alpha1.CalendarDayWorkday, "Monday"), "Unsupported value"},
		"a day off that follows":                    {dated("2026-10-01", v1alpha1.CalendarDayOff, v1alpha1.Monday), "set follows only where kind is Workday"},
		"a sales peak that follows":                 {dated("2026-11-11", v1alpha1.CalendarDayPeak, v1alpha1.Monday), "set follows only where kind is Workday"},
		"a sales peak":                              {dated("2026-11-11", v1alpha1.CalendarDayPeak, ""), ""},
		"a day of a month that does not exist":      {dated("2026-13-01", v1alpha1.CalendarDayOff, ""), "write date as YYYY-MM-DD, for example 2026-10-01"},
		"a day written with slashes":                {dated("2026/10/1", v1alpha1.CalendarDayOff, ""), "write date as YYYY-MM-DD"},
		"a day twice":                               {calendar("china", day("2026-10-01", v1alpha1.CalendarDayOff), day("2026-10-01", v1alpha1.CalendarDayPeak)), "Duplicate value"},
		"a calendar of five years, every day":       {calendar("china", days(2000)...), ""},
		"a calendar of more":                        {calendar("china", days(2001)...), "must have at most 2000 items"},
	}
}

func dated(date string, kind v1alpha1.CalendarDayKind, follows v1alpha1.Weekday) *v1alpha1.HolidayCalendar {
	one := day(date, kind)
	one.Follows = follows
	return calendar("china", one)
}

// days are that many days off, one after the other, of long names.
func days(n int) []v1alpha1.CalendarDay {
	all := make([]v1alpha1.CalendarDay, 0, n)
	for i := range n {
		one := day(time.Date(2026, 1, 1+i, 0, 0, 0, 0, time.UTC).Format(time.DateOnly), v1alpha1.CalendarDayOff)
		one.Name = strings.Repeat("节", 63)
		all = append(all, one)
	}
	return all
}
