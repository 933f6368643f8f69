// Package quality says which conversations are judged and by whom, who may do what with a judgement, and what a week's
// conversations were about.
//
// It holds no clock and no source of chance: what is drawn follows from the conversations' ids and a seed, so that whoever
// has both can draw again and gets the same. Invariants: nobody judges their own conversation, nor an appeal against their own
// judgement; no conversation is chosen twice.
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
	// Agent is whose it is: who had it last, or who let the customer wait.
	Agent string
	// Last is who had it last, where that is somebody else; it is given to neither to judge.
	Last string
	// Drawable says that it is one of those that the sample is drawn of.
	Drawable bool
	// Slow and Poor have it judged whatever is drawn.
	Slow, Poor bool
}

// Chosen is a conversation that is to be judged.
type Chosen struct {
	ID      uuid.UUID
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
	// Most is how many are chosen at most: first what is slow or poor, then what was drawn.
	Most int
}

// Select chooses what is to be judged, whatever the order of the conversations; leftOut is how many were beyond Most. Those of each agent are
// drawn apart, so that who serves few is judged as well as who serves many.
func Select(ended []Ended, rules Rules) (chosen []Chosen, leftOut int) {
	ranked := rank(ended, rules.Seed)
	quota := quotas(ranked, rules.Percent)
	last := map[uuid.UUID]string{}
	var must, drawn []Chosen
	for _, r := range ranked {
		last[r.ID] = r.Last
		c := Chosen{ID: r.ID, Agent: r.Agent}
		if r.Drawable && quota[r.Agent] > 0 {
			quota[r.Agent]--
			c.Reasons = append(c.Reasons, Sampled)
		}
		if r.Slow {
			c.Reasons = append(c.Reasons, Slow)
		}
		if r.Poor {
			c.Reasons = append(c.Reasons, Poor)
		}
		switch {
		case r.Slow || r.Poor:
			must = append(must, c)
		case len(c.Reasons) > 0:
			drawn = append(drawn, c)
		}
	}
	chosen = append(must, drawn...)
	if len(chosen) > rules.Most {
		leftOut = len(chosen) - rules.Most
		chosen = chosen[:rules.Most]
	}
	give := newGiver(rules)
	for i := range chosen {
		chosen[i].Reviewer = give.to(chosen[i].Agent, last[chosen[i].ID])
	}
	return chosen, leftOut
}

// ranked is a conversation with its place in the draw.
type ranked struct {
	Ended
	place [sha256.Size]byte
}

// rank puts conversations into the order in which they are drawn, each once.
func rank(ended []Ended, seed string) []ranked {
	known := map[uuid.UUID]int{}
	var all []ranked
	for _, e := range ended {
		if i, double := known[e.ID]; double {
			all[i].Drawable, all[i].Slow, all[i].Poor = all[i].Drawable || e.Drawable, all[i].Slow || e.Slow, all[i].Poor || e.Poor
			continue
		}
		known[e.ID] = len(all)
		all = append(all, ranked{e, place(seed, e.ID[:])})
	}
	slices.SortFunc(all, func(a, b ranked) int { return bytes.Compare(a.place[:], b.place[:]) })
	return all
}

func place(seed string, what []byte) [sha256.Size]byte {
	return sha256.Sum256(append([]byte(seed+"/"), what...))
}

// quotas are how many conversations of each agent are drawn.
func quotas(all []ranked, percent int32) map[string]int {
	served := map[string]int{}
	for _, r := range all {
		if r.Drawable {
			served[r.Agent]++
		}
	}
	for agent, n := range served {
		served[agent] = (n*int(percent) + 99) / 100
	}
	return served
}

// giver gives conversations to who is to judge them.
type giver struct {
	// reviewers and others are in an order of their own each day, so that what is over goes to another one each day.
	reviewers, others []string
	given             map[string]int
}

func newGiver(rules Rules) giver {
	shuffled := func(names []string) []string {
		names = slices.Clone(names)
		slices.SortFunc(names, func(a, b string) int {
			x, y := place(rules.Seed, []byte(a)), place(rules.Seed, []byte(b))
			return bytes.Compare(x[:], y[:])
		})
		return slices.Compact(names)
	}
	return giver{shuffled(rules.Reviewers), shuffled(rules.Others), map[string]int{}}
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
