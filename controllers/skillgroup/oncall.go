package skillgroup

import (
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/yingda-dev/yingda/api/v1alpha1"
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
