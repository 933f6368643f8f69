package quality

import (
	"testing"
	"time"
)

func TestWhoMayDoWhat(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 4, 0, 0, 0, time.UTC)
	an, sup, other, boss := Person{Name: "an"}, Person{Name: "sup", Supervises: true}, Person{Name: "other", Supervises: true}, Person{Name: "boss", Supervises: true, Admin: true}
	review := func(state State, reviewer string) Review {
		r := Review{State: state, Agent: "an", Reviewer: reviewer}
		if state != Pending {
			r.Scorer, r.ScoredAt = "sup", now
		}
		return r
	}
	score := func(r Review, p Person) *Refusal { return r.MayScore(p) }
	appeal := func(r Review, p Person) *Refusal { return r.MayAppeal(p, now.Add(AppealWithin)) }
	decide := func(r Review, p Person) *Refusal { return r.MayDecide(p) }
	for name, tc := range map[string]struct {
		do        func(Review, Person) *Refusal
		review    Review
		who       Person
		want      string
		forbidden bool
	}{
		"who it was given to judges":                  {score, review(Pending, "sup"), sup, "", false},
		"anybody judges what was given to nobody":     {score, review(Pending, ""), other, "", false},
		"another one does not take it over":           {score, review(Pending, "sup"), other, "NotYourReview", false},
		"an admin does":                               {score, review(Pending, "sup"), boss, "", false},
		"an agent does not judge":                     {score, review(Pending, ""), an, "SupervisorsOnly", true},
		"a supervisor does not judge themselves":      {score, Review{State: Pending, Agent: "sup"}, sup, "OwnConversation", true},
		"nor does an admin":                           {score, Review{State: Pending, Agent: "boss"}, boss, "OwnConversation", true},
		"what was judged is not judged again":         {score, review(Scored, "sup"), sup, "AlreadyScored", false},
		"the agent appeals":                           {appeal, review(Scored, "sup"), an, "", false},
		"nobody else does":                            {appeal, review(Scored, "sup"), other, "NotYourConversation", true},
		"nobody appeals before the judgement":         {appeal, review(Pending, "sup"), an, "NotScored", false},
		"nor twice":                                   {appeal, review(Appealed, "other"), an, "AlreadyAppealed", false},
		"nor after the decision":                      {appeal, review(Upheld, "other"), an, "AlreadyAppealed", false},
		"nor after a week":                            {func(r Review, p Person) *Refusal { return r.MayAppeal(p, now.Add(AppealWithin+1)) }, review(Scored, "sup"), an, "TooLate", false},
		"another one decides on the appeal":           {decide, review(Appealed, "other"), other, "", false},
		"an admin may":                                {decide, review(Appealed, "other"), boss, "", false},
		"who judged does not":                         {decide, review(Appealed, ""), sup, "OwnJudgement", true},
		"the agent does not":                          {decide, review(Appealed, ""), an, "SupervisorsOnly", true},
		"nor does a supervisor on their own":          {decide, Review{State: Appealed, Agent: "other", Scorer: "sup"}, other, "OwnConversation", true},
		"nothing is decided without an appeal":        {decide, review(Scored, ""), other, "NotAppealed", false},
		"nothing is decided twice":                    {decide, review(Changed, "other"), other, "AlreadyDecided", false},
		"a decision that was given to another is not": {decide, review(Appealed, "third"), other, "NotYourReview", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := Refusal{}
			if refused := tc.do(tc.review, tc.who); refused != nil {
				got = *refused
			}
			if got.Reason != tc.want || got.Forbidden != tc.forbidden {
				t.Errorf("refused with %+v, want %q, forbidden %t", got, tc.want, tc.forbidden)
			}
		})
	}
}

func TestAppealsGoToSomebodyElse(t *testing.T) {
	t.Parallel()
	r := Review{State: Scored, Agent: "an", Scorer: "sup"}
	for name, tc := range map[string]struct {
		reviewers, others []string
		want              string
	}{
		"to another supervisor":              {[]string{"sup", "other"}, []string{"boss"}, "other"},
		"to an admin where there is none":    {[]string{"sup"}, []string{"boss"}, "boss"},
		"to whoever comes where nobody else": {[]string{"sup"}, nil, ""},
		"not to the agent":                   {[]string{"sup", "an"}, []string{"boss"}, "boss"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := r.Judge(tc.reviewers, tc.others, "seed"); got != tc.want {
				t.Errorf("the appeal goes to %q, want %q", got, tc.want)
			}
		})
	}
}
