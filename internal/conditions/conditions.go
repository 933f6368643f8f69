// Package conditions turns what a controller found out into the conditions of an object.
//
// A controller hands over all the condition types that it owns, on every pass, each with the generation that it looked
// at. Ready is never set by hand: it is the summary of the others. Messages are deterministic (no times, no counters, no
// generated names) and bounded, so that an unchanged world gives an unchanged status.
//
// The package reads no clock and knows no kind.
package conditions

import (
	"time"
	"unicode/utf8"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/yingda-dev/yingda/api/v1alpha1"
)

// MaxMessageBytes bounds the message of a condition.
const MaxMessageBytes = 512

// Condition is a finding about one type.
type Condition struct {
	Type    string
	Status  metav1.ConditionStatus
	Reason  string
	Message string
}

// True is a finding that holds.
func True(conditionType, reason, message string) Condition {
	return Condition{Type: conditionType, Status: metav1.ConditionTrue, Reason: reason, Message: message}
}

// False is a finding that does not hold.
func False(conditionType, reason, message string) Condition {
	return Condition{Type: conditionType, Status: metav1.ConditionFalse, Reason: reason, Message: message}
}

// Unknown is a finding that nobody could look at yet.
func Unknown(conditionType, reason, message string) Condition {
	return Condition{Type: conditionType, Status: metav1.ConditionUnknown, Reason: reason, Message: message}
}

// Summary derives Ready: the first of the findings that is False explains it, then the first that is Unknown.
func Summary(findings ...Condition) Condition {
	for _, status := range []metav1.ConditionStatus{metav1.ConditionFalse, metav1.ConditionUnknown} {
		for _, f := range findings {
			if f.Status == status {
				return Condition{Type: v1alpha1.ConditionReady, Status: status, Reason: f.Reason, Message: f.Type + ": " + f.Message}
			}
		}
	}
	return True(v1alpha1.ConditionReady, v1alpha1.ReasonReady, "Everything that was declared is in force")
}

// Merge returns the conditions to report: the findings in their order, each speaking of the generation, with the time
// of the last transition kept from the previous conditions where the status did not change.
func Merge(previous []metav1.Condition, generation int64, now time.Time, findings ...Condition) []metav1.Condition {
	merged := make([]metav1.Condition, 0, len(findings))
	for _, f := range findings {
		since := metav1.NewTime(now.UTC().Truncate(time.Second))
		if before := meta.FindStatusCondition(previous, f.Type); before != nil && before.Status == f.Status {
			since = before.LastTransitionTime
		}
		merged = append(merged, metav1.Condition{
			Type: f.Type, Status: f.Status, ObservedGeneration: generation,
			LastTransitionTime: since, Reason: f.Reason, Message: Bound(f.Message),
		})
	}
	return merged
}

// Find returns a reported condition as a finding.
func Find(conditions []metav1.Condition, conditionType string) (Condition, bool) {
	c := meta.FindStatusCondition(conditions, conditionType)
	if c == nil {
		return Condition{}, false
	}
	return Condition{Type: c.Type, Status: c.Status, Reason: c.Reason, Message: c.Message}, true
}

// Bound cuts a message to MaxMessageBytes without breaking a character.
func Bound(message string) string {
	const ellipsis = "…"
	if len(message) <= MaxMessageBytes {
		return message
	}
	cut := MaxMessageBytes - len(ellipsis)
	for cut > 0 && !utf8.RuneStart(message[cut]) {
		cut--
	}
	return message[:cut] + ellipsis
}
