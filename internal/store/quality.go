package store

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/yingda-dev/yingda/internal/domain/history"
	"github.com/yingda-dev/yingda/internal/domain/quality"
	"github.com/yingda-dev/yingda/internal/promise"
	"github.com/yingda-dev/yingda/internal/store/db"
)

// The rounds of a judgement.
const (
	RoundJudgement = 1
	RoundDecision  = 2
)

// Judgement is what desks see of how a conversation was judged.
type Judgement struct {
	Conversation uuid.UUID `json:"conversation"`
	// Day for which it was chosen, as 2026-11-21.
	Day string `json:"day"`
	// Agent whose conversation it is; empty where no agent ever had it, and how customers come to one is judged.
	Agent string `json:"agent"`
	// State is pending, scored, appealed, upheld or changed.
	State quality.State `json:"state" enum:"pending,scored,appealed,upheld,changed"`
	// Reasons are sample, slow (a customer waited too long) and rating (a poor one).
	Reasons []string `json:"reasons"`
	// Reviewer is who has to do the next step, or did the last; empty while that is anybody who may.
	Reviewer string `json:"reviewer,omitempty"`
	// Due is missing while nothing is due.
	Due *time.Time `json:"due,omitempty"`
	// Overdue says that the step that is due is late, or, where none is, that the last one was.
	Overdue bool `json:"overdue,omitempty"`
	// Scores are the judgement, and the decision on an appeal against it; the last counts.
	Scores     []Score    `json:"scores" nullable:"false"`
	Appeal     string     `json:"appeal,omitempty"`
	AppealedAt *time.Time `json:"appealedAt,omitempty"`
}

// Score is one judgement.
type Score struct {
	By string `json:"by"`
	// ScriptNorms, Attitude and Expertise are from 1 to 5, 5 being the best.
	ScriptNorms int16     `json:"scriptNorms"`
	Attitude    int16     `json:"attitude"`
	Expertise   int16     `json:"expertise"`
	Comment     string    `json:"comment,omitempty"`
	At          time.Time `json:"at"`
}

// JudgementView returns what desks see of rows; scores may hold those of others.
func JudgementView(r db.QualityReview, c db.ServiceCase, scores []db.QualityScore) Judgement {
	j := Judgement{
		Conversation: r.ConversationID, Day: r.Day, Agent: r.Agent, State: quality.State(c.State), Reasons: r.Reasons, Reviewer: c.Owner,
		Due: c.DueAt, Overdue: c.BreachedAt != nil, Scores: []Score{}, Appeal: r.Appeal, AppealedAt: r.AppealedAt,
	}
	for _, s := range scores {
		if s.CaseID == r.CaseID {
			j.Scores = append(j.Scores, Score{s.Judge, s.ScriptNorms, s.Attitude, s.Expertise, s.Comment, s.ScoredAt})
		}
	}
	return j
}

// Rules are a judgement as the rules look at it.
func (j Judgement) Rules() quality.Review {
	r := quality.Review{State: j.State, Agent: j.Agent, Reviewer: j.Reviewer}
	if len(j.Scores) > 0 {
		r.Scorer, r.ScoredAt = j.Scores[0].By, j.Scores[0].At
	}
	return r
}

// ReviewAssignment gives a conversation to who is to judge it.
type ReviewAssignment struct {
	// ID is promise.ReviewID.
	ID  string
	Day string
	quality.Chosen
	Due       time.Time
	DueWithin time.Duration
	// Location is whose clock tells in the case's title when the conversation began.
	Location *time.Location
}

// titleOf tells a judgement from the others that a supervisor has: whose conversation it is, an agent's or nobody's but the queue's, and
// when it began.
func titleOf(r ReviewAssignment, opened time.Time) string {
	return "质检 " + cmp.Or(r.Agent, "排队") + " " + opened.In(r.Location).Format("1月2日15:04")
}

// AssignReview opens the case of a judgement; one that exists stays as it is.
func (u *Unit) AssignReview(ctx context.Context, r ReviewAssignment) error {
	conversation, err := u.ConversationGet(ctx, r.Chosen.ID)
	if err != nil {
		return fmt.Errorf("reading what is to be judged: %w", err)
	}
	_, fresh, err := u.OpenCase(ctx, Case{
		ID: r.ID, Kind: promise.CaseReview, State: string(quality.Pending), Title: titleOf(r, conversation.OpenedAt), Conversation: &r.Chosen.ID, Owner: r.Reviewer,
		OpenedAt: u.Now, Due: &r.Due,
	}, Taking{Step: "assign", Action: history.Open})
	if err != nil || !fresh {
		return err
	}
	reasons := make([]string, len(r.Reasons))
	for i, reason := range r.Reasons {
		reasons[i] = string(reason)
	}
	err = u.QualityReviewAdd(ctx, db.QualityReviewAddParams{
		CaseID: r.ID, ConversationID: r.Chosen.ID, Day: r.Day, Agent: r.Agent, Reasons: reasons, DueSeconds: int32(r.DueWithin / time.Second), //nolint:gosec // At most 30 days.
	})
	if err != nil {
		return fmt.Errorf("noting what is to be judged: %w", err)
	}
	return nil
}
