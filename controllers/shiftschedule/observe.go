package shiftschedule

import (
	"context"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

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

// components are those of which some replicas work by ShiftSchedules. Workflows count their deadlines and days by them; of the
// connectors those of official accounts tell customers when a group opens.
func components() []string {
	return []string{dataplane.Router, dataplane.Desk, dataplane.Workflows, dataplane.Connector}
}

// servers are who works by them in a Brand. Channels are not watched for it: the replicas of their pools come and go after them.
func servers(brand *v1alpha1.Brand, channels []v1alpha1.Channel) []ack.Server {
	pools := dataplane.PoolsAtOnce(brand.Name, channels)
	return slices.Concat(ack.Needed(dataplane.Router, dataplane.Desk), ack.Beside(dataplane.Workflows), ack.PoolsBeside("ShiftSchedule", pools...))
}

func (r *Reconciler) observe(ctx context.Context, key types.NamespacedName) (*scene, error) {
	seen := &scene{schedule: &v1alpha1.ShiftSchedule{}}
	exists, err := refs.Get(ctx, r.Client, key, seen.schedule)
	if err != nil || !exists {
		return nil, err
	}
	if seen.calendars, err = refs.Calendars(ctx, r.Client, seen.schedule.Spec); err != nil {
		return nil, fmt.Errorf("observing ShiftSchedule %s: %w", key.Name, err)
	}
	var channels v1alpha1.ChannelList
	if err := r.Client.List(ctx, &channels, client.InNamespace(key.Namespace), client.UnsafeDisableDeepCopy); err != nil { // They are only looked at.
		return nil, fmt.Errorf("observing ShiftSchedule %s: listing Channels: %w", key.Name, err)
	}
	of := func(brand *v1alpha1.Brand) []ack.Server { return servers(brand, channels.Items) }
	if seen.brands, err = ack.Brands(ctx, r.Client, r.Asker, key.Namespace, of); err != nil {
		return nil, fmt.Errorf("observing ShiftSchedule %s: %w", key.Name, err)
	}
	return seen, nil
}
