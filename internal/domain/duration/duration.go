// Package duration reads the durations of our resources: whole hours, minutes and seconds such as 1h30m.
//
// The schema of the resources allows no other form. The rules read specs that passed no schema as well (tests, fuzzers,
// objects of an older schema), so they need a parser which accepts exactly what the schema does: time.ParseDuration alone
// would take fractions, signs and nanoseconds.
package duration

import (
	"errors"
	"time"
)

// ErrForm is returned for a text which is not of the form 1h30m.
var ErrForm = errors.New("write whole hours, minutes and seconds, for example 1h30m")

// Parse reads a duration of the form ([0-9]+(h|m|s))+.
func Parse(text string) (time.Duration, error) {
	digits := 0
	for i := range len(text) {
		switch c := text[i]; {
		case '0' <= c && c <= '9':
			digits++
		case digits > 0 && (c == 'h' || c == 'm' || c == 's'):
			digits = 0
		default:
			return 0, ErrForm
		}
	}
	if digits > 0 {
		return 0, ErrForm
	}
	d, err := time.ParseDuration(text)
	if err != nil { // empty, or beyond 292 years
		return 0, ErrForm
	}
	return d, nil
}
