package skillgroup

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/ack"
	"github.com/yingda-dev/yingda/internal/conditions"
	"github.com/yingda-dev/yingda/internal/configz"
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

func TestWhetherThoseOnCallWereReached(t *testing.T) {
	says := func(calls map[string]configz.Call) ack.Answer {
		return ack.Answer{Report: configz.Report{Calls: calls}}
	}
	call := func(minute int, attempts int32, outcome configz.CallOutcome, change ...func(*configz.Call)) ack.Answer {
		made := configz.Call{Since: noon().Add(time.Duration(minute) * time.Minute), Attempts: attempts, Outcome: outcome}
		for _, f := range change {
			f(&made)
		}
		return says(map[string]configz.Call{"after-sales": made, "others": {Outcome: configz.CallUnsigned, Since: noon().Add(time.Hour)}})
	}
	denied := func(c *configz.Call) { c.Code = 403 }
	over := func(c *configz.Call) { c.GivenUp = true }
	const condition = v1alpha1.ConditionOnCallReached
	for sentence, tt := range map[string]struct {
		router []ack.Answer
		want   conditions.Condition
	}{
		"nobody says": {nil, conditions.Unknown(condition, "NotReported", "No replica of the router says whether the webhook took a call")},
		"a router of before does not say": {
			[]ack.Answer{{}, {Err: errors.New("away")}}, conditions.Unknown(condition, "NotReported", "No replica of the router says whether the webhook took a call"),
		},
		"others were called": {
			[]ack.Answer{says(map[string]configz.Call{"others": {Outcome: configz.CallDelivered}})}, conditions.Unknown(condition, "NotCalled", "The webhook was not called for this group yet"),
		},
		"it took the call": {[]ack.Answer{call(0, 1, configz.CallDelivered)}, conditions.True(condition, "WebhookDelivered", "The webhook took the last call for help")},
		"it took the first call, and refused the second": {
			[]ack.Answer{call(5, 1, configz.CallRefused, denied), call(0, 3, configz.CallDelivered)},
			conditions.False(condition, "WebhookRefused", "The webhook answered the last call for help with 403 instead of 200 to 299: check what it logs, and the path and the key of spec.onCall.webhook of Brand lumi; it is sent again"),
		},
		"it took the second attempt, of which one router knows already": {
			[]ack.Answer{call(0, 1, configz.CallUnreachable), call(0, 2, configz.CallDelivered)}, conditions.True(condition, "WebhookDelivered", "The webhook took the last call for help"),
		},
		"it was never there": {
			[]ack.Answer{call(0, 16, configz.CallUnreachable, over)},
			conditions.False(condition, "WebhookUnreachable", "The webhook could not be reached for the last call for help: check url in spec.onCall.webhook of Brand lumi, and that pods may go there; it was given up"),
		},
		"its certificate is of nobody whom anybody knows": {
			[]ack.Answer{call(0, 1, configz.CallUntrusted)},
			conditions.False(condition, "WebhookUntrusted", "The webhook's certificate is not of its host, has expired, or is of no authority that is trusted:"+
				" name in caSecretRef of spec.onCall.webhook of Brand lumi a Secret whose ca.crt holds the one that signed it; it is sent again"),
		},
		"there is no key": {
			[]ack.Answer{call(0, 1, configz.CallUnsigned)},
			conditions.False(condition, "WebhookUnsigned", "The last call for help was not sent, for nothing signs it: put the key into the Secret, under \"key\","+
				" that secretRef in spec.onCall.webhook of Brand lumi names; it is sent again"),
		},
	} {
		t.Run(sentence, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, onCallReached("lumi", "after-sales", tt.router)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
