package skillgroup

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/yingda-dev/yingda/api/v1alpha1"
)

func TestSinceWhenAGroupIsShort(t *testing.T) {
	n := func(v int32) *int32 { return &v }
	then, now := metav1.NewTime(noon().Add(-time.Minute)), metav1.NewTime(noon())
	for name, tt := range map[string]struct {
		onDuty, wanted *int32
		before, want   *metav1.Time
	}{
		"enough":                        {n(2), n(2), nil, nil},
		"short from now on":             {n(1), n(2), nil, &now},
		"short as before":               {n(0), n(2), &then, &then},
		"enough again":                  {n(2), n(2), &then, nil},
		"nobody is wanted any more":     {nil, n(0), &then, nil},
		"nobody says who is there":      {nil, n(2), &then, &then},
		"nobody ever said who is there": {nil, n(2), nil, nil},
		"nobody says who is wanted":     {n(2), nil, &then, &then},
	} {
		t.Run(name, func(t *testing.T) {
			seats := &v1alpha1.SkillGroupSeatsStatus{OnDuty: tt.onDuty, Wanted: tt.wanted}
			got := shortSince(seats, &v1alpha1.SkillGroupSeatsStatus{ShortSince: tt.before}, noon())
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("short since (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWhoIsCalled(t *testing.T) {
	agent := func(name string, when v1alpha1.OnCall) v1alpha1.Agent {
		return v1alpha1.Agent{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: v1alpha1.AgentSpec{OnCall: when}}
	}
	agents := []v1alpha1.Agent{
		agent("xiaohong", v1alpha1.OnCallWhenShort), agent("laozhang", v1alpha1.OnCallWhenShort),
		agent("xiaomei", v1alpha1.OnCallNever), agent("undefaulted", ""),
	}
	all := onCall(agents)
	if diff := cmp.Diff([]string{"laozhang", "xiaohong"}, all); diff != "" {
		t.Fatalf("on call (-want +got):\n%s", diff)
	}
	for short, want := range map[time.Duration][]string{0: nil, 5*time.Minute - time.Second: nil, 5 * time.Minute: all, time.Hour: all} {
		since := metav1.NewTime(noon().Add(-short))
		if diff := cmp.Diff(want, called(v1alpha1.SkillGroupSeatsStatus{ShortSince: &since}, all, noon())); diff != "" {
			t.Errorf("called after %s (-want +got):\n%s", short, diff)
		}
	}
	if got := called(v1alpha1.SkillGroupSeatsStatus{}, all, noon()); got != nil {
		t.Errorf("called although nobody is short: %v", got)
	}
}
