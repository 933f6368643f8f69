package e2e

import "time"

// nextOpening is the first full minute that is at least lead away: schedules know minutes only.
func nextOpening(now time.Time, lead time.Duration) time.Time {
	opening := now.Add(lead).Truncate(time.Minute)
	if opening.Before(now.Add(lead)) {
		opening = opening.Add(time.Minute)
	}
	return opening
}
