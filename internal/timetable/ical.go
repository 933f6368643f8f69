package timetable

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/yingda-dev/yingda/internal/domain/schedule"
)

// maxOctets is how long a line of a calendar may be before it is folded (RFC 5545, 3.1).
const maxOctets = 75

// ICalendar is the dates as an iCalendar (RFC 5545) for a phone: an event for each shift, and one of the whole day for each date
// that is unlike others. Times are UTC, so that it needs no definition of the zone. A shift has the same UID in every calendar
// that is made of the schedule: what is imported again replaces what was there. A shift that others hide all of the time is left
// out. The stamp is when the calendar was made.
func (t *Timetable) ICalendar(dates Dates, stamp time.Time) []byte {
	c := &calendar{stamp: stamp}
	c.line("BEGIN", "VCALENDAR")
	c.line("VERSION", "2.0")
	c.line("PRODID", "-//yingda.dev//schedule explain//EN")
	c.line("CALSCALE", "GREGORIAN")
	c.line("X-WR-CALNAME", escape(t.title()))
	for _, date := range dates {
		day := t.schedule.Day(date)
		if unlike := notes(&day); len(unlike) > 0 {
			c.event("date-"+date.Format(time.DateOnly)+t.domain(), strings.Join(unlike, "; "), "", func() {
				c.line("DTSTART;VALUE=DATE", date.Format("20060102"))
				c.line("DTEND;VALUE=DATE", date.AddDate(0, 0, 1).Format("20060102"))
				c.line("TRANSP", "TRANSPARENT")
			})
		}
		for _, sh := range day.Shifts {
			if !t.seen(&sh) {
				continue
			}
			c.event("shift-"+date.Format(time.DateOnly)+"-"+sh.Name+t.domain(), sh.Name+", "+seatRange(&sh), t.description(&day, &sh), func() {
				c.line("DTSTART", utc(sh.From))
				c.line("DTEND", utc(sh.Until))
			})
		}
	}
	c.line("END", "VCALENDAR")
	return []byte(c.out.String())
}

// domain ends the UIDs of the schedule.
func (t *Timetable) domain() string {
	domain := t.name + ".yingda.dev"
	if t.namespace != "" {
		domain = t.name + "." + t.namespace + ".yingda.dev"
	}
	return "@" + domain
}

// seen reports whether a shift is ever on.
func (t *Timetable) seen(sh *schedule.ShiftOn) bool {
	for span := range t.schedule.Spans(sh.From, sh.Until) {
		if span.State.Shift == sh.Name {
			return true
		}
	}
	return false
}

// description lists peaks and what hides the shift.
func (t *Timetable) description(day *schedule.Day, sh *schedule.ShiftOn) string {
	var lines []string
	for _, part := range sh.Parts {
		if part.State.Peak != "" {
			lines = append(lines, fmt.Sprintf("%s %s, %s", period(day, part.From, part.Until), part.State.Peak, seats(part.State.Seats)))
		}
	}
	for _, overlap := range t.schedule.Overlaps(sh.From, sh.Until) {
		if overlap.Hidden == sh.Name {
			lines = append(lines, fmt.Sprintf("%s %s instead", period(day, overlap.From, overlap.Until), overlap.By))
		}
	}
	return strings.Join(lines, "\n")
}

// seatRange is the least and the most seats that a shift wants.
func seatRange(sh *schedule.ShiftOn) string {
	least, most := sh.Parts[0].State.Seats, sh.Parts[0].State.Seats
	for _, part := range sh.Parts {
		least, most = min(least, part.State.Seats), max(most, part.State.Seats)
	}
	if least == most {
		return seats(most)
	}
	return fmt.Sprintf("%d to %s", least, seats(most))
}

// calendar is one that is being written.
type calendar struct {
	out   strings.Builder
	stamp time.Time
}

func (c *calendar) event(uid, summary, description string, when func()) {
	c.line("BEGIN", "VEVENT")
	c.line("UID", escape(uid))
	c.line("DTSTAMP", utc(c.stamp))
	when()
	c.line("SUMMARY", escape(summary))
	if description != "" {
		c.line("DESCRIPTION", escape(description))
	}
	c.line("END", "VEVENT")
}

// line writes a content line, folded between characters.
func (c *calendar) line(name, value string) {
	left := maxOctets
	for _, r := range name + ":" + value {
		if left -= utf8.RuneLen(r); left < 0 {
			c.out.WriteString("\r\n ")
			left = maxOctets - 1 - utf8.RuneLen(r)
		}
		c.out.WriteRune(r)
	}
	c.out.WriteString("\r\n")
}

// escape makes a text value; what no text may hold is left out.
func escape(text string) string {
	text = strings.Map(func(r rune) rune {
		if r != '\n' && unicode.IsControl(r) || r == utf8.RuneError {
			return -1
		}
		return r
	}, text)
	return strings.NewReplacer(`\`, `\\`, ";", `\;`, ",", `\,`, "\n", `\n`).Replace(text)
}

func utc(t time.Time) string { return t.UTC().Format("20060102T150405Z") }
