//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/yingda-dev/yingda/api/v1alpha1"
)

// liftedBeforeThePeak has a peak start in about a minute: the autoscaler, which is told of it ahead, has the connectors running
// before. There is no KEDA and no metrics server in the local cluster: it is a HorizontalPodAutoscaler, of which the least
// number of replicas needs no metrics.
func (s *story) liftedBeforeThePeak() {
	t := s.t
	const lead = 40 * time.Second
	schedule := &v1alpha1.ShiftSchedule{}
	s.kube.get(t, scheduleName, schedule)
	zone, err := time.LoadLocation(schedule.Spec.TimeZone)
	must(t, err)
	start := nextOpening(time.Now(), lead+20*time.Second).In(zone)
	change(t, s.kube, scheduleName, schedule, func(schedule *v1alpha1.ShiftSchedule) {
		date := start.Format(time.DateOnly)
		schedule.Spec.Overrides = []v1alpha1.ScheduleOverride{{Name: "e2e", From: date, To: date, Shifts: []v1alpha1.Shift{{
			Name: "all-day", Start: "00:00", Duration: "24h",
			Peaks: []v1alpha1.Peak{{Name: "e2e", Start: start.Format("15:04"), Duration: "10m", Seats: 3}},
		}}}}
	})
	change(t, s.kube, channelName, &v1alpha1.Channel{}, func(channel *v1alpha1.Channel) {
		channel.Spec.Scaling.PeakScaling = v1alpha1.PeakScaling{PeakReplicas: new(int32(2)), MaxReplicas: new(int32(3)), LeadTime: lead.String()}
	})
	channel := s.reports(t, "the connectors wait for the peak", soon, func(status v1alpha1.ReplicasStatus) bool {
		return status.WantedReplicas == 1 && strings.Contains(status.Reason, "2 from ")
	})
	if time.Now().After(start.Add(-lead)) {
		t.Fatalf("the lead of the peak at %s has begun before the test came to it", start)
	}
	s.reports(t, "two connectors are ready for the peak", time.Until(start)+soon, func(status v1alpha1.ReplicasStatus) bool {
		return status.WantedReplicas == 2 && status.ReadyReplicas >= 2 && strings.Contains(status.Reason, "peak e2e of "+scheduleName)
	})
	early := time.Until(start)
	t.Logf("two connectors were ready %s before the peak", early.Round(time.Second))
	if early < 0 {
		t.Errorf("two connectors were ready %s after the peak had started", -early)
	}
	deployment := &appsv1.Deployment{}
	s.kube.get(t, channel.Status.Connector.Name, deployment)
	if *deployment.Spec.Replicas != 2 {
		t.Errorf("%s wants %d replicas", deployment.Name, *deployment.Spec.Replicas)
	}
}

// reports waits until the sample's Channel reports replicas of its connectors that are as wanted.
func (s *story) reports(t *testing.T, what string, limit time.Duration, good func(v1alpha1.ReplicasStatus) bool) *v1alpha1.Channel {
	t.Helper()
	return await(t, what, limit, func(ctx context.Context) (*v1alpha1.Channel, error) {
		channel := &v1alpha1.Channel{}
		if err := s.kube.Get(ctx, client.ObjectKey{Namespace: namespace, Name: channelName}, channel); err != nil {
			return nil, fmt.Errorf("getting the Channel: %w", err)
		}
		return channel, nil
	}, func(channel *v1alpha1.Channel) bool {
		return channel.Status.Connector != nil && good(channel.Status.Connector.ReplicasStatus)
	})
}
