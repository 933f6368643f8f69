package holidaycalendar

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/refs"
)

// scene is all that a pass looks at.
type scene struct {
	calendar *v1alpha1.HolidayCalendar
	// schedules refer to it, in the order of their namespaces and names.
	schedules []v1alpha1.ShiftSchedule
}

func (r *Reconciler) observe(ctx context.Context, key types.NamespacedName) (*scene, error) {
	seen := &scene{calendar: &v1alpha1.HolidayCalendar{}}
	exists, err := refs.Get(ctx, r.Client, key, seen.calendar)
	if err != nil || !exists {
		return nil, err
	}
	var schedules v1alpha1.ShiftScheduleList
	if err := r.Client.List(ctx, &schedules, client.MatchingFields{refs.ByCalendar: key.Name}); err != nil {
		return nil, fmt.Errorf("observing HolidayCalendar %s: listing ShiftSchedules: %w", key.Name, err)
	}
	seen.schedules = schedules.Items
	slices.SortFunc(seen.schedules, func(a, b v1alpha1.ShiftSchedule) int {
		return strings.Compare(a.Namespace+"/"+a.Name, b.Namespace+"/"+b.Name)
	})
	return seen, nil
}
