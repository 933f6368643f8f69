package timetable

import (
	"fmt"
	"strings"
	"time"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/domain/schedule"
)

// notes say what is unlike others about a date, the strongest first.
func notes(day *schedule.Day) []string {
	var all []string
	if day.Override != "" {
		all = append(all, "override "+day.Override)
	}
	if kind := kindOf(day); kind != "" {
		if day.Name != "" {
			kind = day.Name + " (" + kind + ")"
		}
		all = append(all, kind)
	}
	return all
}

// kindOf says what a calendar makes of a date.
func kindOf(day *schedule.Day) string {
	switch day.Kind {
	case yingdav1.CalendarDayOff:
		return "day off"
	case yingdav1.CalendarDayWorkday:
		return "make-up workday, like a " + day.Weekday.String()
	case yingdav1.CalendarDayPeak:
		return "sales peak"
	}
	return ""
}

// clocks say that a date is not 24 hours long; empty when it is.
func clocks(day *schedule.Day) string {
	length := day.Until.Sub(day.From)
	if length == 24*time.Hour {
		return ""
	}
	_, change := day.From.ZoneBounds()
	_, before := day.From.Zone()
	direction, by := "forward", 24*time.Hour-length
	if by < 0 {
		direction, by = "back", -by
	}
	// The wall shows the time of before up to the change.
	at := change.In(time.FixedZone("", before)).Format("15:04")
	return fmt.Sprintf("clocks go %s by %s at %s, the date has %s", direction, hours(by), at, hours(length))
}

// why says why nobody is scheduled.
func why(gap schedule.Gap) string {
	text := map[yingdav1.GapReason]string{
		yingdav1.GapDayOff: "day off", yingdav1.GapWorkday: "make-up workday", yingdav1.GapOverride: "override",
		yingdav1.GapBetweenShifts: "break after",
	}[gap.Reason]
	return strings.TrimSpace(text + " " + gap.Name)
}

// hours are a duration as people write it: 7h30m.
func hours(d time.Duration) string {
	text := d.Round(time.Second).String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}
