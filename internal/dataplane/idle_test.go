package dataplane

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/yingda-dev/yingda/api/v1alpha1"
)

func TestReplicasSayWhenTheirAutoscalerIsIdle(t *testing.T) {
	now := time.Date(2026, 11, 30, 4, 0, 0, 0, time.UTC)
	active := func(status corev1.ConditionStatus, reason string, ago time.Duration) *autoscalingv2.HorizontalPodAutoscaler {
		return &autoscalingv2.HorizontalPodAutoscaler{Status: autoscalingv2.HorizontalPodAutoscalerStatus{
			Conditions: []autoscalingv2.HorizontalPodAutoscalerCondition{
				{Type: autoscalingv2.AbleToScale, Status: corev1.ConditionTrue, Reason: "SucceededGetScale"},
				{Type: autoscalingv2.ScalingActive, Status: status, Reason: reason, LastTransitionTime: metav1.NewTime(now.Add(-ago))},
			},
		}}
	}
	pool := func(replicas, ready int32) *appsv1.Deployment {
		return &appsv1.Deployment{
			ObjectMeta: metav1.ObjectMeta{Annotations: map[string]string{AnnotationFloor: "2", AnnotationReason: "no peak in the week ahead"}},
			Spec:       appsv1.DeploymentSpec{Replicas: &replicas}, Status: appsv1.DeploymentStatus{ReadyReplicas: ready},
		}
	}
	unscaled := pool(1, 1)
	unscaled.Annotations = nil
	const metrics = "the autoscaler has no metrics (FailedGetResourceMetric): install a metrics server, or leave maxReplicas out; " +
		"the schedule asks for 2: no peak in the week ahead"
	for name, tt := range map[string]struct {
		deployment *appsv1.Deployment
		autoscaler *autoscalingv2.HorizontalPodAutoscaler
		wanted     int32
		reason     string
	}{
		"it scales":                         {pool(5, 5), active(corev1.ConditionTrue, "ValidMetricFound", time.Hour), 5, "the autoscaler asks for it; the schedule for 2: no peak in the week ahead"},
		"there is none":                     {pool(2, 2), nil, 2, "no peak in the week ahead"},
		"it has not looked yet":             {pool(2, 2), &autoscalingv2.HorizontalPodAutoscaler{}, 2, "no peak in the week ahead"},
		"it never comes down":               {pool(5, 5), active(corev1.ConditionFalse, "FailedGetResourceMetric", time.Hour), 5, metrics},
		"it would not go up either":         {pool(2, 1), active(corev1.ConditionFalse, "FailedGetResourceMetric", idlePatience), 2, metrics},
		"it is below the floor":             {pool(1, 1), active(corev1.ConditionFalse, "FailedGetResourceMetric", time.Hour), 2, metrics},
		"it is new":                         {pool(2, 2), active(corev1.ConditionFalse, "FailedGetResourceMetric", idlePatience-time.Second), 2, "no peak in the week ahead"},
		"no pod is ready":                   {pool(2, 0), active(corev1.ConditionFalse, "FailedGetResourceMetric", time.Hour), 2, "no peak in the week ahead"},
		"another one has the pods":          {pool(5, 5), active(corev1.ConditionFalse, "AmbiguousSelector", time.Hour), 5, "the autoscaler scales nothing (AmbiguousSelector); the schedule asks for 2: no peak in the week ahead"},
		"one is left of what is not scaled": {unscaled, active(corev1.ConditionFalse, "FailedGetResourceMetric", time.Hour), 1, "as many as always run"},
	} {
		t.Run(name, func(t *testing.T) {
			want := &v1alpha1.ReplicasStatus{WantedReplicas: tt.wanted, ReadyReplicas: tt.deployment.Status.ReadyReplicas, Reason: tt.reason}
			if diff := cmp.Diff(want, Replicas(tt.deployment, tt.autoscaler, now)); diff != "" {
				t.Errorf("replicas (-want +got):\n%s", diff)
			}
		})
	}
}

func TestItIsTooEarlyToCallANewAutoscalerIdle(t *testing.T) {
	since := time.Date(2026, 11, 30, 4, 0, 0, 0, time.UTC)
	autoscaler := &autoscalingv2.HorizontalPodAutoscaler{Status: autoscalingv2.HorizontalPodAutoscalerStatus{
		Conditions: []autoscalingv2.HorizontalPodAutoscalerCondition{{
			Type: autoscalingv2.ScalingActive, Status: corev1.ConditionFalse, Reason: "FailedGetResourceMetric", LastTransitionTime: metav1.NewTime(since),
		}},
	}}
	for name, tt := range map[string]struct{ after, early time.Duration }{
		"at once":            {0, idlePatience},
		"in between":         {idlePatience - time.Second, time.Second},
		"once it has lasted": {idlePatience, 0},
		"long after":         {time.Hour, 0},
	} {
		t.Run(name, func(t *testing.T) {
			if why, early := Idle(autoscaler, since.Add(tt.after)); why != "FailedGetResourceMetric" || early != tt.early {
				t.Errorf("idle for %q, to be told in %s, want in %s", why, early, tt.early)
			}
		})
	}
}
