package desk

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/store/db"
)

const maxReviews = 200

// Review is a conversation in which a customer waited too long for an answer.
type Review struct {
	Conversation store.Conversation `json:"conversation"`
	// Agent who let them wait, and for how long at most; empty where that was the queue.
	Agent         string    `json:"agent"`
	WaitedSeconds int32     `json:"waitedSeconds"`
	MarkedAt      time.Time `json:"markedAt"`
}

type reviewsOutput struct {
	Body struct {
		Reviews []Review `json:"reviews" nullable:"false"`
	}
}

func (d *Desk) reviewRoutes(api huma.API) {
	handle(d, api, huma.Operation{
		OperationID: "reviews", Method: http.MethodGet, Path: "/api/reviews",
		Summary: "Conversations in which a customer waited too long for an answer and which no supervisor has looked at, the oldest first", Errors: []int{403},
	}, d.reviews)
	handle(d, api, huma.Operation{
		OperationID: "reviewed", Method: http.MethodPost, Path: "/api/conversations/{id}/reviewed", Summary: "Say that such a conversation was looked at",
		DefaultStatus: http.StatusNoContent, Errors: []int{403, 404, 409},
	}, d.reviewed)
}

// supervisorsOnly refuses what agents have no part in.
func supervisorsOnly(p *principal) error {
	if !p.supervises() {
		return refusal(http.StatusForbidden, "SupervisorsOnly", "only supervisors and admins do this")
	}
	return nil
}

func (d *Desk) reviews(ctx context.Context, p *principal, _ *nothing) (*reviewsOutput, error) {
	if err := supervisorsOnly(p); err != nil {
		return nil, err
	}
	rows, err := d.Store.Queries().Reviews(ctx, maxReviews)
	if err != nil {
		return nil, fmt.Errorf("listing what is to be reviewed: %w", err)
	}
	out := &reviewsOutput{}
	out.Body.Reviews = make([]Review, len(rows))
	for i, row := range rows {
		out.Body.Reviews[i] = Review{store.ConversationView(row.Conversation), row.LateAgent, row.WaitedSeconds, row.MarkedAt}
	}
	return out, nil
}

func (d *Desk) reviewed(ctx context.Context, p *principal, in *conversationInput) (*nothing, error) {
	if err := supervisorsOnly(p); err != nil {
		return nil, err
	}
	queries := d.Store.Queries()
	if _, err := visible(p, func() (db.Conversation, error) { return queries.ConversationGet(ctx, in.ID) }); err != nil {
		return nil, err
	}
	done, err := queries.ReviewDone(ctx, d.Now().UTC(), p.agent.Name, in.ID)
	if err != nil {
		return nil, fmt.Errorf("noting a review: %w", err)
	}
	if done == 0 {
		return nil, refusal(http.StatusConflict, "NothingToReview", "nothing is to be looked at in the conversation, or somebody has")
	}
	return &nothing{}, nil
}
