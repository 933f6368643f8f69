package skillgroup

import (
	"fmt"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/ack"
	"github.com/yingda-dev/yingda/internal/conditions"
	"github.com/yingda-dev/yingda/internal/configz"
)

// callAfter is how long a group lacks agents before those on call are called: a break must be no alarm.
const callAfter = 5 * time.Minute

// shortSince is since when fewer agents are on duty than are wanted. While nobody can say, it is what it was.
func shortSince(seats, before *v1alpha1.SkillGroupSeatsStatus, now time.Time) *metav1.Time {
	known := seats.Wanted != nil && (seats.OnDuty != nil || *seats.Wanted == 0)
	switch {
	case known && *seats.Wanted <= valueOf(seats.OnDuty):
		return nil
	case before != nil && before.ShortSince != nil:
		return before.ShortSince
	case known:
		return new(metav1.NewTime(now.UTC().Truncate(time.Second)))
	}
	return nil
}

// called are the names of those who are called now, of those on call.
func called(seats v1alpha1.SkillGroupSeatsStatus, onCall []string, now time.Time) []string {
	if seats.ShortSince == nil || now.Sub(seats.ShortSince.Time) < callAfter {
		return nil
	}
	return onCall
}

// onCall are the names of those of a group's agents who are on call, sorted.
func onCall(members []v1alpha1.Agent) []string {
	var names []string
	for i := range members {
		if members[i].Spec.OnCall == v1alpha1.OnCallWhenShort {
			names = append(names, members[i].Name)
		}
	}
	slices.Sort(names)
	return names
}

func sayCalled(names []string) string { return "; called: " + strings.Join(names, ", ") }

// onCallReached says whether the webhook took the last call for help, by the router that knows the latest one.
func onCallReached(brand, group string, router []ack.Answer) conditions.Condition {
	const condition = v1alpha1.ConditionOnCallReached
	known, last := false, configz.Call{}
	for _, answer := range router {
		if answer.Err != nil || answer.Report.Calls == nil {
			continue
		}
		known = true
		call := answer.Report.Calls[group]
		if newer := call.Since.Compare(last.Since); newer > 0 || newer == 0 && call.Attempts > last.Attempts {
			last = call
		}
	}
	webhook, again := "spec.onCall.webhook of Brand "+brand, "; it is sent again"
	if last.GivenUp {
		again = "; it was given up"
	}
	switch last.Outcome {
	case configz.CallDelivered:
		return conditions.True(condition, v1alpha1.ReasonWebhookDelivered, "The webhook took the last call for help")
	case configz.CallRefused:
		return conditions.False(condition, v1alpha1.ReasonWebhookRefused,
			fmt.Sprintf("The webhook answered the last call for help with %d instead of 200 to 299: check what it logs, and the path and the key of %s", last.Code, webhook)+again)
	case configz.CallUnreachable:
		return conditions.False(condition, v1alpha1.ReasonWebhookUnreachable,
			"The webhook could not be reached for the last call for help: check url in "+webhook+", and that pods may go there"+again)
	case configz.CallUntrusted:
		return conditions.False(condition, v1alpha1.ReasonWebhookUntrusted, "The webhook's certificate is not of its host, has expired, or is of no authority that is trusted:"+
			" name in caSecretRef of "+webhook+" a Secret whose ca.crt holds the one that signed it"+again)
	case configz.CallUnsigned:
		return conditions.False(condition, v1alpha1.ReasonWebhookUnsigned,
			"The last call for help was not sent, for nothing signs it: put the key into the Secret, under \"key\", that secretRef in "+webhook+" names"+again)
	}
	if known {
		return conditions.Unknown(condition, v1alpha1.ReasonNotCalled, "The webhook was not called for this group yet")
	}
	return conditions.Unknown(condition, v1alpha1.ReasonNotReported, "No replica of the router says whether the webhook took a call")
}
