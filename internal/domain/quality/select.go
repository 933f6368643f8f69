// Package quality says which conversations are judged and by whom, who may do what with a judgement, and what a week's
// conversations were about.
//
// It holds no clock and no source of chance: the places in the draw, which its caller brings, follow from the conversations' ids and a
// seed, so that whoever has both can draw again and gets the same. Invariants: nobody judges their own conversation, nor an appeal against their own
// judgement.
package quality

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"slices"

	"github.com/google/uuid"
)

// Reason says why a conversation is judged.
type Reason string

// The reasons, in the order in which they are named.
const (
	// Sampled was drawn.
	Sampled Reason = "sample"
	// Slow made a customer wait too long.
	Slow Reason = "slow"
	// Poor was rated poorly.
	Poor Reason = "rating"
)

// Ended is a conversation that has ended.
type Ended struct {
	ID uuid.UUID
	// Agent is whose it is: who had it last, or who let the customer wait; empty where no agent ever had it.
	Agent string
	// Last is who had it last, where that is somebody else; it is given to neither to judge.
	Last string
	// Nth is its place in the draw, from 1, among the Of conversations of its agent that the day's sample is drawn of; 0 for none of them.
	Nth, Of int
	// Slow and Poor have it judged whatever is drawn.
	Slow, Poor bool
}

// Chosen is a conversation that is to be judged.
type Chosen struct {
	ID uuid.UUID
	// Agent is empty where nobody is judged but how customers come to one.
	Agent   string
	Reasons []Reason
	// Reviewer is who is to judge it; empty where nobody may, so that it is left to whoever comes to.
	Reviewer string
}

// Rules say how to choose.
type Rules struct {
	// Percent of the conversations of each agent are drawn, rounded up; of none with 0.
	Percent int32
	// Seed is another one for each day.
	Seed string
	// Reviewers judge, the same number each; Others do what no reviewer may.
	Reviewers, Others []string
}

// Select chooses what is to be judged of a part of a day. Those of each agent are drawn apart, so that who serves few is judged as well as
// who serves many. Given is how many each reviewer got of the parts before, and is counted on.
func Select(ended []Ended, rules Rules, given map[string]int) (chosen []Chosen) {
	give := newGiver(rules, given)
	for _, e := range ended {
		if reasons := rules.reasons(e); len(reasons) > 0 {
			chosen = append(chosen, Chosen{ID: e.ID, Agent: e.Agent, Reasons: reasons, Reviewer: give.to(e.Agent, e.Last)})
		}
	}
	return chosen
}

// reasons are why a conversation is judged; none where it is not.
func (r Rules) reasons(e Ended) (reasons []Reason) {
	if e.Nth > 0 && e.Nth <= (e.Of*int(r.Percent)+99)/100 {
		reasons = append(reasons, Sampled)
	}
	if e.Slow {
		reasons = append(reasons, Slow)
	}
	if e.Poor {
		reasons = append(reasons, Poor)
	}
	return reasons
}

func place(seed string, what []byte) [sha256.Size]byte {
	return sha256.Sum256(append([]byte(seed+"/"), what...))
}

// giver gives conversations to who is to judge them.
type giver struct {
	// reviewers and others are in an order of their own each day, so that what is over goes to another one each day.
	reviewers, others []string
	given             map[string]int
}

func newGiver(rules Rules, given map[string]int) giver {
	shuffled := func(names []string) []string {
		names = slices.Clone(names)
		slices.SortFunc(names, func(a, b string) int {
			x, y := place(rules.Seed, []byte(a)), place(rules.Seed, []byte(b))
			return bytes.Compare(x[:], y[:])
		})
		return slices.Compact(names)
	}
	return giver{shuffled(rules.Reviewers), shuffled(rules.Others), given}
}

// to names who has got the fewest of those who may judge a conversation that the agents had.
func (g *giver) to(agents ...string) string {
	for _, names := range [][]string{g.reviewers, g.others} {
		may := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return slices.Contains(agents, name) })
		if len(may) == 0 {
			continue
		}
		reviewer := slices.MinFunc(may, func(a, b string) int { return cmp.Compare(g.given[a], g.given[b]) })
		g.given[reviewer]++
		return reviewer
	}
	return ""
}
