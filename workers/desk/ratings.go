package desk

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/jackc/pgx/v5"

	"github.com/yingda-dev/yingda/internal/domain/quota"
	"github.com/yingda-dev/yingda/internal/domain/survey"
	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/store/db"
)

const (
	// maxRatings is how many ratings are listed, the newest; ratingsShown for how long.
	maxRatings   = 200
	ratingsShown = 30 * 24 * time.Hour
)

type ratingsOutput struct {
	Body struct {
		Ratings []store.Survey `json:"ratings" nullable:"false"`
	}
}

func (d *Desk) ratingRoutes(api huma.API) {
	handle(d, api, huma.Operation{
		OperationID: "poor-ratings", Method: http.MethodGet, Path: "/api/ratings/poor", Summary: "Poor ratings of the last 30 days, the newest first; for supervisors",
		Errors: []int{403},
	}, d.poorRatings)
}

func (d *Desk) poorRatings(ctx context.Context, p *principal, _ *nothing) (*ratingsOutput, error) {
	if err := supervisorsOnly(p); err != nil {
		return nil, err
	}
	rows, err := d.Store.Queries().SurveysPoor(ctx, d.Now().Add(-ratingsShown), maxRatings)
	if err != nil {
		return nil, fmt.Errorf("listing ratings: %w", err)
	}
	out := &ratingsOutput{}
	out.Body.Ratings = make([]store.Survey, len(rows))
	for i, row := range rows {
		out.Body.Ratings[i] = store.SurveyView(row)
	}
	return out, nil
}

// ratingOf is how a conversation was rated; nil when its customer was not asked.
func (d *Desk) ratingOf(ctx context.Context, c db.Conversation) (*store.Survey, error) {
	row, err := d.Store.Queries().SurveyGet(ctx, c.ID)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil //nolint:nilnil // Most are not asked.
	}
	if err != nil {
		return nil, fmt.Errorf("reading a rating: %w", err)
	}
	view := store.SurveyView(row)
	return &view, nil
}

// askRating asks a customer how they were served, when their agent ends the conversation. Where the platform lets too little
// through it is left: an agent may have to come back to them.
func (d *Desk) askRating(ctx context.Context, u *store.Unit, c db.Conversation) error {
	snapshot := d.Catalog.Snapshot()
	channel, ok := snapshot.Channel(c.Channel)
	if !ok || channel.DeletionTimestamp != nil || channel.Survey == nil || c.State != store.StateAssigned {
		return nil
	}
	ledger, err := u.Unspent(ctx, contactOf(c))
	if err != nil {
		return err
	}
	if left, _ := quota.Left(ledger, u.Now); left <= survey.LeftToAgents {
		return nil
	}
	vars := snapshot.Vars(channel, c.SkillGroup, u.Now)
	vars.RatingAnswers = survey.Answers(channel.Survey.Scale)
	text, err := channel.Playbook.Survey(vars)
	if err != nil || text == "" {
		return err
	}
	_, _, err = u.Say(ctx, c, store.Words{
		Key: "survey/" + c.ID.String(), Topic: d.Names.Outbound(channel.Pool), Sender: store.SenderBot,
		Content: message.Content{Kind: message.KindText, Text: text},
	})
	if err != nil {
		return err
	}
	asked := db.SurveyAddParams{
		ConversationID: c.ID, Channel: c.Channel, ExternalID: c.ExternalID, SkillGroup: c.SkillGroup, Agent: *c.Agent,
		Scale: string(channel.Survey.Scale), AskedAt: u.Now,
	}
	if after := channel.Survey.RemindAfter; after > 0 {
		again := u.Now.Add(after)
		asked.RemindAt = &again
	}
	if err := u.SurveyAdd(ctx, asked); err != nil {
		return fmt.Errorf("noting that a customer was asked: %w", err)
	}
	return nil
}
