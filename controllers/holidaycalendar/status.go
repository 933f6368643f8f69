package holidaycalendar

import (
	"time"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/conditions"
)

func status(seen *scene, decided verdict, now time.Time) v1alpha1.HolidayCalendarStatus {
	calendar := seen.calendar
	out := v1alpha1.HolidayCalendarStatus{
		Conditions:         conditions.Merge(calendar.Status.Conditions, calendar.Generation, now, decided.findings...),
		ObservedGeneration: calendar.Generation,
	}
	if decided.compiled != nil {
		out.Days = int32(decided.compiled.Len()) //nolint:gosec // the schema allows 2000
		out.FirstDate, out.LastDate = decided.compiled.Span()
	}
	return out
}
