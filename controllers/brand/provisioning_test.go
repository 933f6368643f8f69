package brand

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
)

func TestWhatKeepsASetupFromStarting(t *testing.T) {
	waiting := func(reason string) corev1.PodStatus {
		return corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{{
			Image: "yingda:1", State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: "as a registry says it"}},
		}}}
	}
	for sentence, tt := range map[string]struct {
		status corev1.PodStatus
		want   string
	}{
		"nothing":                          {corev1.PodStatus{}, ""},
		"it is about to start":             {waiting("ContainerCreating"), ""},
		"its image cannot be had":          {waiting("ImagePullBackOff"), "Setup does not start: ImagePullBackOff of the image yingda:1"},
		"it runs":                          {corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{{State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}}}}, ""},
		"no node has room, or may have it": {corev1.PodStatus{Conditions: []corev1.PodCondition{{Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: "Unschedulable"}}}, "Setup does not start: no node takes its pod"},
	} {
		t.Run(sentence, func(t *testing.T) {
			if got := keptFromStarting(&corev1.Pod{Status: tt.status}); got != tt.want {
				t.Errorf("says %q, want %q", got, tt.want)
			}
		})
	}
}
