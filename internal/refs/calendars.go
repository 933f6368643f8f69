package refs

import (
	"context"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/domain/schedule"
)

// Calendars are those HolidayCalendars that exist of those that a schedule refers to, in its order. They are the cache's own and
// must not be changed.
func Calendars(ctx context.Context, reader client.Reader, spec v1alpha1.ShiftScheduleSpec) ([]*v1alpha1.HolidayCalendar, error) {
	var calendars []*v1alpha1.HolidayCalendar
	for _, name := range schedule.CalendarNames(spec) {
		calendar := &v1alpha1.HolidayCalendar{}
		exists, err := Look(ctx, reader, types.NamespacedName{Name: name}, calendar)
		if err != nil {
			return nil, err
		}
		if exists {
			calendars = append(calendars, calendar)
		}
	}
	return calendars, nil
}

// Compiled is a schedule as it is served: with what can be used of its calendars. usable is false for one that cannot be used
// itself. What is wrong, its own conditions and its calendars' say.
func Compiled(ctx context.Context, reader client.Reader, of *v1alpha1.ShiftSchedule) (compiled *schedule.Schedule, usable bool, err error) {
	compiled, invalid := schedule.Compile(of.Spec)
	if invalid != nil {
		return nil, false, nil //nolint:nilerr // what is wrong with it is its own finding
	}
	found, err := Calendars(ctx, reader, of.Spec)
	if err != nil {
		return nil, false, err
	}
	var calendars []*schedule.Calendar
	for _, calendar := range found {
		if c, invalid := schedule.CompileCalendar(calendar.Spec); invalid == nil {
			calendars = append(calendars, c)
		}
	}
	return compiled.With(calendars...), true, nil
}
