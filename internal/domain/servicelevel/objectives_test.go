package servicelevel

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
)

func TestCompileObjectives(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		spec    *yingdav1.ObjectivesSpec
		want    *Objectives
		wantErr string
	}{
		"without a word nothing is measured": {},
		"what is declared counts": {
			spec: &yingdav1.ObjectivesSpec{
				Window: "168h", AnsweredWithin: "2m", AnsweredPercent: new(int32(90)), ResolvedPercent: new(int32(85)), Satisfaction: "4.3",
				BotContainmentPercent: new(int32(60)),
			},
			want: &Objectives{
				Window: 168 * time.Hour, AnsweredWithin: 2 * time.Minute,
				wanted: []want{{Answered, 90}, {Resolved, 85}, {Satisfaction, 43}, {BotContainment, 60}},
			},
		},
		"one is enough, over a day": {
			spec: &yingdav1.ObjectivesSpec{Satisfaction: "5"},
			want: &Objectives{Window: 24 * time.Hour, wanted: []want{{Satisfaction, 50}}},
		},
		"none is refused": {
			spec:    &yingdav1.ObjectivesSpec{Window: "24h"},
			wantErr: "spec.objectives: Required value: objectives without any measure nothing",
		},
		"a window of no length is refused": {
			spec:    &yingdav1.ObjectivesSpec{Window: "59m", Satisfaction: "4"},
			wantErr: `spec.objectives.window: Invalid value: "59m": must be at least 1h and at most 168h`,
		},
		"a time without a percentage is refused": {
			spec:    &yingdav1.ObjectivesSpec{AnsweredWithin: "2m", Satisfaction: "4"},
			wantErr: `spec.objectives.answeredWithin: Invalid value: "2m": belongs to answeredPercent: set both or neither`,
		},
		"more than all is refused": {
			spec:    &yingdav1.ObjectivesSpec{ResolvedPercent: new(int32(101))},
			wantErr: "spec.objectives.resolvedPercent: Invalid value: 101: must be from 1 to 100",
		},
		"a satisfaction that nobody can express is refused": {
			spec:    &yingdav1.ObjectivesSpec{Satisfaction: "5.1"},
			wantErr: `spec.objectives.satisfaction: Invalid value: "5.1": must be from 1 to 5 with at most one decimal`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, wrong := CompileObjectives(tc.spec)
			checkError(t, wrong.ToAggregate(), tc.wantErr)
			if diff := cmp.Diff(tc.want, got, cmp.AllowUnexported(Objectives{}, want{})); tc.wantErr == "" && diff != "" {
				t.Errorf("CompileObjectives (-want +got):\n%s", diff)
			}
		})
	}
}

func TestJudge(t *testing.T) {
	t.Parallel()
	wanted := &Objectives{wanted: []want{{Answered, 90}, {Satisfaction, 45}}}
	for name, tc := range map[string]struct {
		measured map[Objective]Tally
		want     []Attainment
	}{
		"what is just met": {
			measured: map[Objective]Tally{Answered: {Sum: 90, Of: 100}, Satisfaction: {Sum: 90, Of: 20}},
			want:     []Attainment{{Answered, true, true, "90 %", "90 %", 1}, {Satisfaction, true, true, "4.5", "4.5", 1}},
		},
		"what is just missed reads as less": {
			measured: map[Objective]Tally{Answered: {Sum: 899, Of: 1000}, Satisfaction: {Sum: 899, Of: 200}},
			want:     []Attainment{{Answered, true, false, "89 %", "90 %", 89900. / 90000}, {Satisfaction, true, false, "4.4", "4.5", 8990. / 9000}},
		},
		"of what too few tell nothing is said": {
			measured: map[Objective]Tally{Answered: {Sum: 19, Of: 19}, BotContainment: {Sum: 50, Of: 100}},
			want:     []Attainment{{Objective: Answered, Wanted: "90 %"}, {Objective: Satisfaction, Wanted: "4.5"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tc.want, wanted.Judge(tc.measured)); diff != "" {
				t.Errorf("Judge (-want +got):\n%s", diff)
			}
		})
	}
}

// What is shown must not contradict the verdict: nobody believes a condition that says "90 %, wanted 90 %" and is False.
func TestWhatIsShownAgreesWithTheVerdict(t *testing.T) {
	t.Parallel()
	for seed := range uint64(2000) {
		chance := rand.New(rand.NewPCG(seed, 1))
		of := Fewest + chance.Int64N(500)
		tally, least := Tally{Sum: chance.Int64N(of + 1), Of: of}, 1+chance.Int64N(100)
		got := (&Objectives{wanted: []want{{Resolved, least}}}).Judge(map[Objective]Tally{Resolved: tally})[0]
		if shown := tally.Sum * 100 / of; got.Met != (shown >= least) || got.Met != (got.Ratio >= 1) {
			t.Fatalf("%+v of %d wanted: %+v", tally, least, got)
		}
	}
}
