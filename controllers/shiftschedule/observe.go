package shiftschedule

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/types"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/ack"
	"github.com/yingda-dev/yingda/internal/dataplane"
	"github.com/yingda-dev/yingda/internal/refs"
)

// scene is all that a pass looks at.
type scene struct {
	schedule *v1alpha1.ShiftSchedule
	// calendars are those that exist of the calendars that it refers to, in its order.
	calendars []*v1alpha1.HolidayCalendar
	// brands are the answers of those who serve it in each Brand of the namespace.
	brands [][]ack.Group
}

// servers are the components that work by the object.
func servers() []string { return []string{dataplane.Router, dataplane.Desk} }

func (r *Reconciler) observe(ctx context.Context, key types.NamespacedName) (*scene, error) {
	seen := &scene{schedule: &v1alpha1.ShiftSchedule{}}
	exists, err := refs.Get(ctx, r.Client, key, seen.schedule)
	if err != nil || !exists {
		return nil, err
	}
	if seen.calendars, err = refs.Calendars(ctx, r.Client, seen.schedule.Spec); err != nil {
		return nil, fmt.Errorf("observing ShiftSchedule %s: %w", key.Name, err)
	}
	if seen.brands, err = ack.Brands(ctx, r.Client, r.Asker, key.Namespace, servers()...); err != nil {
		return nil, fmt.Errorf("observing ShiftSchedule %s: %w", key.Name, err)
	}
	return seen, nil
}
