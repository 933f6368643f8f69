package quality

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
)

// days makes one day after the other by chance, always the same ones.
func days(t *testing.T, check func(t *testing.T, ended []Ended, rules Rules)) {
	t.Helper()
	for seed := range uint64(300) {
		chance := rand.New(rand.NewPCG(seed, 1))
		rules := Rules{Percent: int32(chance.IntN(101)), Seed: fmt.Sprintf("day %d", seed)}
		for i := range chance.IntN(4) {
			rules.Reviewers = append(rules.Reviewers, fmt.Sprintf("supervisor-%d", i))
		}
		for i := range chance.IntN(2) {
			rules.Others = append(rules.Others, fmt.Sprintf("admin-%d", i))
		}
		// Supervisors serve customers too.
		agents := append([]string{"an", "bo", "chen", "ding"}, rules.Reviewers...)
		ended := make([]Ended, chance.IntN(200))
		for i := range ended {
			var id uuid.UUID
			for b := range id {
				id[b] = byte(chance.Uint32())
			}
			ended[i] = Ended{
				ID: id, Agent: agents[min(chance.IntN(len(agents)), chance.IntN(len(agents)))], Slow: chance.IntN(20) == 0, Poor: chance.IntN(20) == 0,
			}
		}
		of := map[string]int{}
		for _, i := range chance.Perm(len(ended)) {
			if chance.IntN(10) > 0 {
				of[ended[i].Agent]++
				ended[i].Nth = of[ended[i].Agent]
			}
		}
		for i := range ended {
			ended[i].Of = of[ended[i].Agent]
		}
		t.Run(rules.Seed, func(t *testing.T) { check(t, ended, rules) })
	}
}

func TestEachAgentIsDrawnInProportionAndAtLeastOnce(t *testing.T) {
	days(t, func(t *testing.T, ended []Ended, rules Rules) {
		t.Helper()
		served, drawn := map[string]int{}, map[string]int{}
		for _, e := range ended {
			if e.Nth > 0 {
				served[e.Agent]++
			}
		}
		chosen := Select(ended, rules, map[string]int{})
		for _, c := range chosen {
			if slices.Contains(c.Reasons, Sampled) {
				drawn[c.Agent]++
			}
		}
		for agent, n := range served {
			exact := float64(n) * float64(rules.Percent) / 100
			if got := float64(drawn[agent]); got < exact || got >= exact+1 {
				t.Errorf("%s had %d conversations, of which %v were drawn at %d %%", agent, n, got, rules.Percent)
			}
		}
	})
}

func TestWhatIsSlowOrPoorIsAlwaysChosen(t *testing.T) {
	days(t, func(t *testing.T, ended []Ended, rules Rules) {
		t.Helper()
		reasons := map[uuid.UUID][]Reason{}
		for _, c := range Select(ended, rules, map[string]int{}) {
			if reasons[c.ID] = c.Reasons; len(c.Reasons) == 0 {
				t.Errorf("%s was chosen for no reason", c.ID)
			}
		}
		for _, e := range ended {
			if got := reasons[e.ID]; slices.Contains(got, Slow) != e.Slow || slices.Contains(got, Poor) != e.Poor {
				t.Errorf("%+v was chosen for %v", e, got)
			}
		}
	})
}

func TestNobodyJudgesThemselvesAndAllJudgeAsMuch(t *testing.T) {
	days(t, func(t *testing.T, ended []Ended, rules Rules) {
		t.Helper()
		chosen := Select(ended, rules, map[string]int{})
		given, own := map[string]int{}, 0
		for _, c := range chosen {
			if c.Reviewer == c.Agent {
				t.Errorf("%s judges themselves", c.Agent)
			}
			if may := len(rules.Reviewers) + len(rules.Others); c.Reviewer == "" && (may > 1 || may == 1 && !slices.Contains(rules.Reviewers, c.Agent)) {
				t.Errorf("nobody judges a conversation of %s", c.Agent)
			}
			given[c.Reviewer]++
			if slices.Contains(rules.Reviewers, c.Agent) {
				own++
			}
		}
		var counts []int
		for _, name := range rules.Reviewers {
			counts = append(counts, given[name])
		}
		// Their own are why some may get fewer.
		if len(counts) > 0 && slices.Max(counts)-slices.Min(counts) > 1+own {
			t.Errorf("reviewers got %v", given)
		}
	})
}

func TestADayInPartsIsGivenAsOneThatIsNot(t *testing.T) {
	days(t, func(t *testing.T, ended []Ended, rules Rules) {
		t.Helper()
		whole := Select(ended, rules, map[string]int{})
		slices.Reverse(rules.Reviewers)
		var parts []Chosen
		given := map[string]int{}
		for part := range slices.Chunk(ended, 7) {
			parts = append(parts, Select(part, rules, given)...)
		}
		if diff := cmp.Diff(whole, parts); diff != "" {
			t.Errorf("chosen (-at once +in parts):\n%s", diff)
		}
	})
}

func TestWhoHadItLastDoesNotJudgeSomebodyElsesWait(t *testing.T) {
	ended := []Ended{{ID: uuid.NewSHA1(uuid.Nil, []byte{1}), Agent: "an", Last: "sup", Slow: true}}
	chosen := Select(ended, Rules{Reviewers: []string{"sup"}, Others: []string{"boss"}}, map[string]int{})
	if diff := cmp.Diff([]Chosen{{ID: ended[0].ID, Agent: "an", Reasons: []Reason{Slow}, Reviewer: "boss"}}, chosen); diff != "" {
		t.Errorf("chosen (-want +got):\n%s", diff)
	}
}
