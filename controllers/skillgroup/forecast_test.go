package skillgroup

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/configz"
	"github.com/yingda-dev/yingda/internal/domain/roster"
	"github.com/yingda-dev/yingda/internal/domain/schedule"
)

func TestTheDayAhead(t *testing.T) {
	work := configz.Workload{At: noon(), HandlingSeconds: 310, Forecast: forecast(noon(), 41.6, 0)}
	wrong := 3.14
	work.Forecast.MeanAbsoluteError = &wrong
	want := &v1alpha1.SkillGroupForecast{
		Hours: []v1alpha1.ForecastHour{
			{Start: metav1.NewTime(noon()), Arrivals: 42, Seats: 6, Rostered: 9},
			{Start: metav1.NewTime(noon().Add(time.Hour))},
		},
		MeanAbsoluteError: "3.1",
	}
	seen := promising(counting(work))
	seen.group.Generation = 2
	if diff := cmp.Diff(want, forecastOf(seen)); diff != "" {
		t.Fatalf("forecast (-want +got):\n%s", diff)
	}
	seen.group.Status.Forecast, seen.group.Status.ObservedGeneration = want, 2

	changed := work
	changed.HandlingSeconds = 620
	later := work
	later.Forecast = forecast(noon().Add(time.Hour), 5)
	for name, tt := range map[string]struct {
		change func(*scene)
		keeps  bool
	}{
		"within the hour":                {func(s *scene) { s.router[0] = counting(changed) }, true},
		"no router says":                 {func(s *scene) { s.router = nil }, true},
		"the next hour":                  {func(s *scene) { s.router[0] = counting(later) }, false},
		"another promise":                {func(s *scene) { s.router[0] = counting(changed); s.group.Generation++ }, false},
		"no promise any more":            {func(s *scene) { s.group.Spec.Seats.AnsweredWithin = "" }, false},
		"a history that was forgotten":   {func(s *scene) { s.router[0] = counting(configz.Workload{HandlingSeconds: 1}) }, false},
		"a group that served nobody yet": {func(s *scene) { s.router[0] = counting(configz.Workload{Forecast: work.Forecast}) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			other := *seen
			other.group, other.router = seen.group.DeepCopy(), append(seen.router[:0:0], seen.router...)
			tt.change(&other)
			if kept := cmp.Equal(want, forecastOf(&other)); kept != tt.keeps {
				t.Errorf("the forecast is kept: %v, want %v", kept, tt.keeps)
			}
		})
	}
}

func TestShortfalls(t *testing.T) {
	// Open from 12:00 to 18:00 in Shanghai, where it is noon; one seat, from 14:30 to 16:00 three.
	plan, err := schedule.Compile(v1alpha1.ShiftScheduleSpec{TimeZone: "Asia/Shanghai", Shifts: []v1alpha1.WeeklyShift{{
		Shift: v1alpha1.Shift{
			Name: "day", Start: "12:00", Duration: "6h", Seats: new(int32(1)),
			Peaks: []v1alpha1.Peak{{Name: "tea", Start: "14:30", Duration: "90m", Seats: 3}},
		},
		Days: []v1alpha1.Weekday{"Mon"},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	n := func(v int32) *int32 { return &v }
	const all = "The schedule wants fewer seats than the forecast in the coming day: "
	for name, tt := range map[string]struct {
		spec  v1alpha1.SkillGroupSeats
		seats []int32
		later time.Duration
		want  string
	}{
		"enough":                         {seats: []int32{1, 1, 1, 3, 1, 1}},
		"too few for an hour":            {seats: []int32{1, 2, 1, 3}, want: all + "13:00-14:00 wants 2 instead of 1 (Asia/Shanghai)"},
		"too few for hours":              {seats: []int32{2, 2, 3, 4}, want: all + "12:00-14:00 wants 2 instead of 1, 14:00-15:00 wants 3 instead of 1, 15:00-16:00 wants 4 instead of 3 (Asia/Shanghai)"},
		"what is over is not short":      {seats: []int32{2, 2}, later: time.Hour, want: all + "13:00-14:00 wants 2 instead of 1 (Asia/Shanghai)"},
		"nobody is short while closed":   {seats: []int32{1, 1, 1, 1, 1, 1, 9, 9}},
		"as many are wanted as there be": {spec: v1alpha1.SkillGroupSeats{Max: n(2)}, seats: []int32{9}, want: all + "12:00-13:00 wants 2 instead of 1 (Asia/Shanghai)"},
		"the least is wanted anyway":     {spec: v1alpha1.SkillGroupSeats{Min: n(2)}, seats: []int32{2}},
		"somebody asks for them":         {spec: v1alpha1.SkillGroupSeats{Asked: n(2)}, seats: []int32{2}},
	} {
		t.Run(name, func(t *testing.T) {
			ahead := &v1alpha1.SkillGroupForecast{}
			for hour, seats := range tt.seats {
				start := metav1.NewTime(noon().Add(time.Duration(hour) * time.Hour))
				ahead.Hours = append(ahead.Hours, v1alpha1.ForecastHour{Start: start, Seats: seats})
			}
			got := ""
			if found := roster.Shortfalls(tt.spec, ahead, plan, noon().Add(tt.later)); len(found) > 0 {
				got = sayShortfalls(found, plan.Location())
			}
			if got != tt.want {
				t.Errorf("said %q, want %q", got, tt.want)
			}
		})
	}
}
