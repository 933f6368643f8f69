package quality

import (
	"bytes"
	"slices"
	"time"
)

// State is where a judgement stands.
//
//	pending --score--> scored --appeal--> appealed --decide--> upheld or changed
type State string

// The states of a judgement.
const (
	Pending  State = "pending"
	Scored   State = "scored"
	Appealed State = "appealed"
	Upheld   State = "upheld"
	Changed  State = "changed"
)

// AppealWithin is how long after the judgement an agent may appeal.
const AppealWithin = 7 * 24 * time.Hour

// Review is a judgement as far as the rules look at it.
type Review struct {
	State State
	// Agent is whose conversation it is.
	Agent string
	// Reviewer is who has to do the next step; empty for anybody who may.
	Reviewer string
	// Scorer judged first, and when; empty before.
	Scorer   string
	ScoredAt time.Time
}

// Person is who wants to do something.
type Person struct {
	Name string
	// Supervises is true of supervisors and admins, Admin of admins.
	Supervises, Admin bool
}

// Refusal says why somebody may not do something.
type Refusal struct {
	// Forbidden says that it is not theirs to do at any time.
	Forbidden bool
	// Reason is one word for programs, Text is for people.
	Reason, Text string
}

// MayScore says whether somebody may judge; nil says yes.
func (r Review) MayScore(p Person) *Refusal {
	if refused := r.mayJudge(p); refused != nil {
		return refused
	}
	if r.State != Pending {
		return &Refusal{Reason: "AlreadyScored", Text: "the conversation was already judged"}
	}
	return r.mayTake(p)
}

// MayAppeal says whether somebody may appeal now; nil says yes.
func (r Review) MayAppeal(p Person, now time.Time) *Refusal {
	switch {
	case p.Name != r.Agent:
		return &Refusal{Forbidden: true, Reason: "NotYourConversation", Text: "only who had the conversation may appeal"}
	case r.State == Pending:
		return &Refusal{Reason: "NotScored", Text: "the conversation was not judged yet"}
	case r.State != Scored:
		return &Refusal{Reason: "AlreadyAppealed", Text: "there was an appeal already; one is heard"}
	case now.After(r.ScoredAt.Add(AppealWithin)):
		return &Refusal{Reason: "TooLate", Text: "an appeal is heard within 7 days of the judgement"}
	}
	return nil
}

// MayDecide says whether somebody may decide an appeal; nil says yes.
func (r Review) MayDecide(p Person) *Refusal {
	if refused := r.mayJudge(p); refused != nil {
		return refused
	}
	switch {
	case p.Name == r.Scorer:
		return &Refusal{Forbidden: true, Reason: "OwnJudgement", Text: "somebody else decides on an appeal against your judgement"}
	case r.State == Upheld || r.State == Changed:
		return &Refusal{Reason: "AlreadyDecided", Text: "the appeal was already decided"}
	case r.State != Appealed:
		return &Refusal{Reason: "NotAppealed", Text: "nobody has appealed"}
	}
	return r.mayTake(p)
}

// mayJudge says whether somebody may ever judge the conversation.
func (r Review) mayJudge(p Person) *Refusal {
	switch {
	case !p.Supervises:
		return &Refusal{Forbidden: true, Reason: "SupervisorsOnly", Text: "only supervisors and admins do this"}
	case p.Name == r.Agent:
		return &Refusal{Forbidden: true, Reason: "OwnConversation", Text: "somebody else judges your conversations"}
	}
	return nil
}

// mayTake says whether the next step is theirs; an admin may step in for whoever has it.
func (r Review) mayTake(p Person) *Refusal {
	if r.Reviewer != "" && r.Reviewer != p.Name && !p.Admin {
		return &Refusal{Reason: "NotYourReview", Text: "it was given to somebody else"}
	}
	return nil
}

// Judge names who is to decide on an appeal: another reviewer, else one of the others; empty where there is nobody.
func (r Review) Judge(reviewers, others []string, seed string) string {
	for _, names := range [][]string{reviewers, others} {
		may := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return name == r.Agent || name == r.Scorer })
		if len(may) > 0 {
			return slices.MinFunc(may, func(a, b string) int {
				x, y := place(seed, []byte(a)), place(seed, []byte(b))
				return bytes.Compare(x[:], y[:])
			})
		}
	}
	return ""
}
