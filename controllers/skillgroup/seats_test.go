package skillgroup

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/ack"
	"github.com/yingda-dev/yingda/internal/conditions"
	"github.com/yingda-dev/yingda/internal/configz"
	"github.com/yingda-dev/yingda/internal/refs"
)

func TestSeatsThatAreWanted(t *testing.T) {
	noon := &demand{seats: 3, why: "peak noon"}
	type status = v1alpha1.SkillGroupSeatsStatus
	n := func(v int32) *int32 { return &v }
	spec := func(asked, least, most int32) v1alpha1.SkillGroupSeats {
		s := v1alpha1.SkillGroupSeats{Asked: n(asked), Min: n(least)}
		if most > 0 {
			s.Max = n(most)
		}
		return s
	}
	wants := func(seats int32) *recommendation {
		return &recommendation{seats: &seats, why: fmt.Sprintf("the load wants %d seats", seats)}
	}
	for name, tt := range map[string]struct {
		spec      v1alpha1.SkillGroupSeats
		scheduled *demand
		advice    *recommendation
		want      status
	}{
		"nothing is declared": {v1alpha1.SkillGroupSeats{}, nil, nil, status{Wanted: n(0), Reason: "Neither a schedule nor anybody asks for seats"}},
		"the schedule alone":  {spec(0, 0, 0), noon, nil, status{Scheduled: n(3), Wanted: n(3), Reason: "The schedule wants 3 (peak noon)"}},
		"the schedule is closed": {
			spec(0, 0, 0), &demand{why: "closed"}, nil, status{Scheduled: n(0), Wanted: n(0), Reason: "The schedule wants 0 (closed)"},
		},
		"somebody alone": {spec(5, 0, 0), nil, nil, status{Asked: n(5), Wanted: n(5), Reason: "5 were asked for"}},
		"somebody asks for more": {
			spec(5, 0, 0), noon, nil, status{Scheduled: n(3), Asked: n(5), Wanted: n(5), Reason: "5 were asked for, the schedule wants 3 (peak noon)"},
		},
		"somebody asks for as many": {
			spec(3, 0, 0), noon, nil, status{Scheduled: n(3), Asked: n(3), Wanted: n(3), Reason: "The schedule wants 3 (peak noon), 3 were asked for"},
		},
		"somebody asks for fewer": {
			spec(2, 0, 0), noon, nil, status{Scheduled: n(3), Asked: n(2), Wanted: n(3), Reason: "The schedule wants 3 (peak noon), 2 were asked for"},
		},
		"more than the limit": {
			spec(5, 0, 4), noon, nil,
			status{Scheduled: n(3), Asked: n(5), Wanted: n(4), Reason: "5 were asked for, the schedule wants 3 (peak noon), limited to max 4"},
		},
		"fewer than the least, also while closed": {
			spec(0, 1, 4), &demand{why: "closed"}, nil, status{Scheduled: n(0), Wanted: n(1), Reason: "The schedule wants 0 (closed), raised to min 1"},
		},
		"the least without a schedule": {
			spec(0, 2, 0), nil, nil, status{Wanted: n(2), Reason: "Neither a schedule nor anybody asks for seats, raised to min 2"},
		},
		"within the bounds": {spec(0, 3, 3), noon, nil, status{Scheduled: n(3), Wanted: n(3), Reason: "The schedule wants 3 (peak noon)"}},
		"customers who want more than the schedule": {
			spec(0, 0, 0), noon, wants(5),
			status{Scheduled: n(3), Recommended: n(5), Wanted: n(5), Reason: "the load wants 5 seats; the schedule wants 3 (peak noon)"},
		},
		"customers who want fewer": {
			spec(0, 0, 0), noon, wants(2), status{Scheduled: n(3), Recommended: n(2), Wanted: n(3), Reason: "The schedule wants 3 (peak noon)"},
		},
		"customers alone": {spec(0, 0, 0), nil, wants(2), status{Recommended: n(2), Wanted: n(2), Reason: "the load wants 2 seats"}},
		"customers who want more than the limit": {
			spec(4, 0, 4), noon, wants(5),
			status{
				Scheduled: n(3), Asked: n(4), Recommended: n(5), Wanted: n(4),
				Reason: "the load wants 5 seats; 4 were asked for, the schedule wants 3 (peak noon), limited to max 4",
			},
		},
		"customers of whom nobody knows": {
			spec(0, 0, 0), noon, &recommendation{why: "nobody knows"},
			status{Scheduled: n(3), Wanted: n(3), Reason: "The schedule wants 3 (peak noon); nobody knows"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, decideSeats(tt.spec, tt.scheduled, tt.advice)); diff != "" {
				t.Errorf("seats (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWhatAScheduleWants(t *testing.T) {
	seats := int32(3)
	for name, tt := range map[string]struct {
		status v1alpha1.ShiftScheduleStatus
		want   *demand
	}{
		"it was not looked at": {v1alpha1.ShiftScheduleStatus{}, nil},
		"in a peak":            {v1alpha1.ShiftScheduleStatus{CurrentShift: "weekday", CurrentPeak: "noon", Seats: &seats}, &demand{seats: 3, why: "peak noon"}},
		"in a shift":           {v1alpha1.ShiftScheduleStatus{CurrentShift: "weekday", Seats: &seats}, &demand{seats: 3, why: "shift weekday"}},
		"closed":               {v1alpha1.ShiftScheduleStatus{Open: metav1.ConditionFalse, Seats: new(int32)}, &demand{why: "closed", closed: true}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, demandOf(&v1alpha1.ShiftSchedule{Status: tt.status}), cmp.AllowUnexported(demand{})); diff != "" {
				t.Errorf("demand (-want +got):\n%s", diff)
			}
		})
	}
}

func TestMembersOnDuty(t *testing.T) {
	saying := func(names ...string) ack.Answer {
		return ack.Answer{Report: configz.Report{OnDutyAgents: append([]string{}, names...)}}
	}
	broken := ack.Answer{Err: errors.New("refused")}
	n := func(v int32) *int32 { return &v }
	for name, tt := range map[string]struct {
		desk []ack.Answer
		want *int32
	}{
		"no desk runs":                               {nil, nil},
		"the only replica does not answer":           {[]ack.Answer{broken}, nil},
		"the only replica cannot say":                {[]ack.Answer{{}}, nil},
		"nobody is on duty":                          {[]ack.Answer{saying()}, n(0)},
		"others do not count":                        {[]ack.Answer{saying("laozhang", "xiaomei")}, n(1)},
		"one of two replicas can say":                {[]ack.Answer{broken, {}, saying("xiaohong")}, n(1)},
		"replicas that agree":                        {[]ack.Answer{saying("xiaohong", "xiaomei"), saying("xiaohong", "xiaomei")}, n(2)},
		"a replica that has not heard of one as yet": {[]ack.Answer{saying("xiaohong"), saying("xiaohong", "xiaomei")}, n(2)},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, onDuty(tt.desk, []string{"xiaomei", "xiaohong"})); diff != "" {
				t.Errorf("on duty (-want +got):\n%s", diff)
			}
		})
	}
}

func TestStaffed(t *testing.T) {
	n := func(v int32) *int32 { return &v }
	for name, tt := range map[string]struct {
		onDuty, wanted *int32
		scheduled      *int32
		called         []string
		want           conditions.Condition
	}{
		"enough":  {onDuty: n(4), wanted: n(4), want: conditions.True("Staffed", "Staffed", "4 of 4 seats are taken")},
		"more":    {onDuty: n(5), wanted: n(4), want: conditions.True("Staffed", "Staffed", "5 of 4 seats are taken")},
		"too few": {onDuty: n(2), wanted: n(4), want: conditions.False("Staffed", "Understaffed", "2 of 4 seats are taken")},
		"too few for long": {
			onDuty: n(2), wanted: n(4), called: []string{"laozhang", "xiaohong"},
			want: conditions.False("Staffed", "OnCallCalled", "2 of 4 seats are taken; called: laozhang, xiaohong"),
		},
		"the schedule wants nobody, whoever is there": {wanted: n(0), scheduled: n(0), want: conditions.True("Staffed", "Staffed", "No seats are wanted")},
		"nobody is there, and nobody says how many should be": {onDuty: n(0), wanted: n(0), want: conditions.Unknown("Staffed", "NoSeatsWanted",
			"Nobody says how many agents should be on duty: name a scheduleRef, set seats.min or seats.answeredWithin, or use kubectl scale")},
		"somebody is there of whom nobody said a word": {onDuty: n(1), wanted: n(0), want: conditions.True("Staffed", "Staffed", "No seats are wanted")},
		"nobody says who is there":                     {wanted: n(1), want: conditions.Unknown("Staffed", "NotReported", "No replica of the desk says who is on duty")},
		"nobody knows how many are wanted":             {onDuty: n(1), want: conditions.Unknown("Staffed", "AwaitingReferences", "why")},
	} {
		t.Run(name, func(t *testing.T) {
			got := staffed(v1alpha1.SkillGroupSeatsStatus{OnDuty: tt.onDuty, Wanted: tt.wanted, Scheduled: tt.scheduled, Reason: "why"}, tt.called, nil, nil)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("condition (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWhatTheScheduleWantsIsNotGuessed(t *testing.T) {
	group := func(schedule string) *v1alpha1.SkillGroup {
		g := &v1alpha1.SkillGroup{Spec: v1alpha1.SkillGroupSpec{BrandRef: v1alpha1.BrandReference{Name: "lumi"}}}
		if schedule != "" {
			g.Spec.ScheduleRef = &v1alpha1.ShiftScheduleReference{Name: schedule}
		}
		return g
	}
	online := &v1alpha1.ShiftSchedule{ObjectMeta: metav1.ObjectMeta{Name: "online"}}
	missing := &scene{group: group("online"), brand: &v1alpha1.Brand{}}
	problem := refs.NotFound("ShiftSchedule", "online")
	missing.scheduleProblem = &problem
	for name, tt := range map[string]struct {
		seen *scene
		want string
	}{
		"a schedule that cannot be used":      {missing, "What the schedule wants is not known: ShiftSchedule online does not exist in this namespace"},
		"a schedule that was not looked at":   {&scene{group: group("online"), schedule: online}, "What the schedule wants is not known: ShiftSchedule online does not say it yet"},
		"the schedule of a Brand that is not": {&scene{group: group("")}, "Which schedule the group follows is not known: Brand lumi does not exist in this namespace"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := seats(tt.seen, time.Time{}); got.Wanted != nil || got.Reason != tt.want {
				t.Errorf("wanted %v because %q, want nothing because %q", got.Wanted, got.Reason, tt.want)
			}
		})
	}
}
