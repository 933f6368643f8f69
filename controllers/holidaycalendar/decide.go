package holidaycalendar

import (
	"strconv"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/conditions"
	"github.com/yingda-dev/yingda/internal/domain/schedule"
)

// verdict is what a pass makes of the scene.
type verdict struct {
	// findings in the order of the status, Ready first.
	findings []conditions.Condition
	// compiled is nil when the calendar is not valid.
	compiled *schedule.Calendar
	// wake is how long it is until a finding may change by itself.
	wake time.Duration
}

func decide(seen *scene, now time.Time) verdict {
	valid := conditions.True(v1alpha1.ConditionValid, v1alpha1.ReasonValid, "All days can be used")
	acknowledged := judge(seen)
	stale := conditions.Unknown(v1alpha1.ConditionCalendarStale, v1alpha1.ReasonInvalid, "The days cannot be used")
	compiled, err := schedule.CompileCalendar(seen.calendar.Spec)
	if err != nil {
		valid = conditions.False(v1alpha1.ConditionValid, v1alpha1.ReasonInvalid, strings.ReplaceAll(err.Error(), "\n", "; "))
		acknowledged = conditions.False(v1alpha1.ConditionAcknowledged, v1alpha1.ReasonInvalid,
			"Not served: invalid; a valid generation of before stays in force where there was one")
	} else {
		stale = staleness(compiled, now)
	}
	return verdict{
		findings: []conditions.Condition{conditions.Summary(valid, acknowledged), valid, acknowledged, stale},
		compiled: compiled,
		wake:     schedule.NextStaleCheck(now).Sub(now),
	}
}

// judge says whether the schedules which refer to the calendar are served by this generation of it. It takes their word. One
// that is not served as declared, for want of a Brand, of replicas or of another calendar, says so itself and does not count.
// A calendar that none works by is in force wherever it has to be, which is nowhere: it must not hold up whoever installs it
// and waits.
func judge(seen *scene) conditions.Condition {
	const condition = v1alpha1.ConditionAcknowledged
	served := 0
	for i := range seen.schedules {
		user := &seen.schedules[i]
		name := "ShiftSchedule " + user.Namespace + "/" + user.Name
		acknowledged, known := conditions.Find(user.Status.Conditions, condition)
		switch {
		case !known || user.Status.ObservedGeneration != user.Generation || observed(user, seen.calendar.Name) != seen.calendar.Generation,
			acknowledged.Reason == v1alpha1.ReasonAwaitingReload:
			return conditions.False(condition, v1alpha1.ReasonAwaitingReload, name+" does not work by this generation yet")
		case acknowledged.Status == metav1.ConditionTrue:
			served++
		}
	}
	if served == 0 {
		return conditions.True(condition, v1alpha1.ReasonNotInUse, "No ShiftSchedule that is served as declared refers to it")
	}
	return conditions.True(condition, v1alpha1.ReasonAcknowledged, "Every ShiftSchedule that is served as declared works by this generation")
}

// observed is the generation of a calendar that the conditions of a schedule speak of; zero for none.
func observed(user *v1alpha1.ShiftSchedule, calendar string) int64 {
	for _, c := range user.Status.Calendars {
		if c.Name == calendar {
			return c.ObservedGeneration
		}
	}
	return 0
}

func staleness(compiled *schedule.Calendar, now time.Time) conditions.Condition {
	if year, stale := compiled.StaleYear(now); stale {
		return conditions.True(v1alpha1.ConditionCalendarStale, v1alpha1.ReasonYearMissing,
			"No day of "+strconv.Itoa(year)+" is listed; add those of that year")
	}
	return conditions.False(v1alpha1.ConditionCalendarStale, v1alpha1.ReasonUpToDate, "The year is listed, and from December the next")
}
