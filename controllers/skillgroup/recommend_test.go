package skillgroup

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/ack"
	"github.com/yingda-dev/yingda/internal/configz"
	"github.com/yingda-dev/yingda/internal/domain/staffing"
)

// counting is a replica of the router that says what the group after-sales has to do.
func counting(work configz.Workload) ack.Answer {
	return ack.Answer{Report: configz.Report{Workloads: map[string]configz.Workload{"after-sales": work}}}
}

// serving are agents of these capacities.
func serving(capacities ...int32) (agents []v1alpha1.Agent) {
	for _, capacity := range capacities {
		agents = append(agents, v1alpha1.Agent{Spec: v1alpha1.AgentSpec{Capacity: capacity}})
	}
	return agents
}

// promising is a group that promises an answer within two minutes.
func promising(router ...ack.Answer) *scene {
	group := &v1alpha1.SkillGroup{}
	group.Name, group.Spec.Seats.AnsweredWithin = "after-sales", "2m"
	return &scene{group: group, router: router, agents: serving(1, 1)}
}

func forecast(from time.Time, arrivals ...float64) *configz.Forecast {
	return &configz.Forecast{From: from, Arrivals: arrivals}
}

func TestRecommendedSeats(t *testing.T) {
	n := func(v int32) *int32 { return &v }
	work := configz.Workload{At: noon(), Arrivals: 42, HandlingSeconds: 310}
	unpromising := promising(counting(work))
	unpromising.group.Spec.Seats.AnsweredWithin = ""
	forgetful := promising()
	forgetful.group.Status.Seats = &v1alpha1.SkillGroupSeatsStatus{Recommended: n(7)}
	busier, eve := work, work
	busier.Forecast = forecast(noon().Add(-time.Hour), 0, 120, 10)
	eve.Forecast = forecast(noon().Add(-45*time.Minute), 0, 120)
	chats := promising(counting(work))
	chats.agents = serving(3, 7)
	late, open := &demand{why: "closed", closed: true}, &demand{seats: 1}
	for name, tt := range map[string]struct {
		seen      *scene
		scheduled *demand
		seats     *int32
		why       string
	}{
		"the measured load":          {promising(counting(work)), open, n(6), "42 contacts/h at 5m10s want 6 seats for 90 % within 2m, 9 rostered at 30 % shrinkage"},
		"a group without a schedule": {promising(counting(work)), nil, n(6), "42 contacts/h at 5m10s want 6 seats for 90 % within 2m, 9 rostered at 30 % shrinkage"},
		"several at once":            {chats, open, n(2), "42 contacts/h at 5m10s, 5 at once, want 2 seats for 90 % within 2m, 3 rostered at 30 % shrinkage"},
		"a busier hour is forecast":  {promising(counting(busier)), open, n(14), "120 contacts/h at 5m10s want 14 seats for 90 % within 2m, 20 rostered at 30 % shrinkage"},
		"a busier hour is near":      {promising(counting(eve)), open, n(14), "120 contacts/h at 5m10s want 14 seats for 90 % within 2m, 20 rostered at 30 % shrinkage"},
		"nobody comes":               {promising(counting(configz.Workload{At: noon()})), open, n(0), "no contacts want no seats"},
		"nobody was served": {
			promising(counting(configz.Workload{At: noon(), Arrivals: 1})), open, nil, "what its customers want is not known: nobody has served one lately",
		},
		"no router says":          {promising(ack.Answer{Err: errors.New("refused")}), open, nil, "what its customers want is not known: no replica of the router says"},
		"no router says any more": {forgetful, open, n(7), "what its customers want is not known: no replica of the router says"},
		"no promise":              {unpromising, open, nil, ""},
		"closed":                  {promising(counting(work)), late, nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := recommend(tt.seen, tt.scheduled, noon())
			if got == nil {
				got = &recommendation{}
			}
			if diff := cmp.Diff(&recommendation{tt.seats, tt.why}, got, cmp.AllowUnexported(recommendation{})); diff != "" {
				t.Errorf("recommendation (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWhatAPromiseDoesNotSay(t *testing.T) {
	bare, whole := promising().group.Spec.Seats, promising().group.Spec.Seats
	whole.AnsweredPercent, whole.MaxOccupancyPercent, whole.ShrinkagePercent = new(int32(80)), new(int32(100)), new(int32(0))
	for name, tt := range map[string]struct {
		spec v1alpha1.SkillGroupSeats
		want staffing.Target
	}{
		"nothing else":    {bare, staffing.Target{Within: 2 * time.Minute, Percent: 90, MaxOccupancy: 85, Shrinkage: 30}},
		"all that may be": {whole, staffing.Target{Within: 2 * time.Minute, Percent: 80, MaxOccupancy: 100}},
	} {
		t.Run(name, func(t *testing.T) {
			if got, _ := targetOf(tt.spec); got != tt.want {
				t.Errorf("target %+v, want %+v", got, tt.want)
			}
		})
	}
}

func TestTheLastLookAndTheLastForecastCount(t *testing.T) {
	older := configz.Workload{At: noon().Add(-time.Minute), Arrivals: 9, Forecast: forecast(noon(), 1)}
	newer := configz.Workload{At: noon(), Arrivals: 7}
	want := newer
	want.Forecast = older.Forecast
	for _, answers := range [][]ack.Answer{{counting(older), counting(newer)}, {counting(newer), {}, counting(older)}} {
		if diff := cmp.Diff(&want, workloadOf(answers, "after-sales")); diff != "" {
			t.Errorf("workload (-want +got):\n%s", diff)
		}
	}
	if got := workloadOf([]ack.Answer{counting(newer)}, "pre-sales"); got != nil {
		t.Errorf("another group has %+v", got)
	}
}
