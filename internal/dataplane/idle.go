package dataplane

import (
	"fmt"
	"strings"
	"time"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
)

// idlePatience is how long an autoscaler may scale nothing before that is told. One that is new, and one whose pods have just
// started, has no metrics for about a minute, and a status would say so and take it back at once.
const idlePatience = 2 * time.Minute

// Idle says why a HorizontalPodAutoscaler scales nothing, in one word, and for how long it is too early to tell; the word is
// empty while it scales, and of nil.
func Idle(autoscaler *autoscalingv2.HorizontalPodAutoscaler, now time.Time) (why string, early time.Duration) {
	if autoscaler == nil {
		return "", 0
	}
	for _, c := range autoscaler.Status.Conditions {
		if c.Type == autoscalingv2.ScalingActive && c.Status == corev1.ConditionFalse {
			return c.Reason, max(0, c.LastTransitionTime.Add(idlePatience).Sub(now))
		}
	}
	return "", 0
}

// idleReason is what to say of it.
func idleReason(why string, floor int32, reason string) string {
	idle := fmt.Sprintf("the autoscaler scales nothing (%s)", why)
	if strings.HasPrefix(why, "FailedGet") {
		idle = fmt.Sprintf("the autoscaler has no metrics (%s): install a metrics server, or leave maxReplicas out", why)
	}
	return fmt.Sprintf("%s; the schedule asks for %d: %s", idle, floor, reason)
}
