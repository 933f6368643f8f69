package router

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/domain/bot"
	"github.com/yingda-dev/yingda/internal/domain/quota"
	"github.com/yingda-dev/yingda/internal/domain/survey"
	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/store/db"
)

const (
	// remindInterval is how often it is looked for who is to be asked once more.
	remindInterval = time.Minute
	// platformClock is by how much a message of a moment later may seem to be older: platforms count whole seconds.
	platformClock = time.Second
	// surveysKept is for how long it is kept that somebody was asked and did not answer. Ratings stay.
	surveysKept = 30 * 24 * time.Hour
)

// rate takes a message for a rating, if its customer was asked for one and is with nobody. It belongs to the conversation that
// it rates and opens no new one, unless the same words ask for a human, or are a rule's that gives them to one. What is a rule's
// keyword to the letter is the rule's, once the customer was told anything after the question, as what to answer for what; to
// the question itself it is an answer.
func (t *turn) rate(ctx context.Context) (over bool, err error) {
	if !survey.MayBe(t.text()) {
		return false, nil
	}
	if c, open := t.intake.Conversation(t.who()); open && c.State != store.StateBot {
		return false, nil
	}
	asked, err := t.SurveyOpenForUpdate(ctx, t.in.Channel, t.in.Customer, t.in.SentAt.Add(-survey.OpenFor), t.in.SentAt.Add(platformClock))
	if isNoRows(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("looking for a question about the service: %w", err)
	}
	rating, is := survey.Parse(yingdav1.SurveyScale(asked.Scale), t.text())
	if !is {
		return false, nil
	}
	if meant, err := t.meansRule(ctx, asked); meant || err != nil {
		return false, err
	}
	if err := t.record(ctx, asked, rating); err != nil {
		return false, err
	}
	if _, handsOff := t.channel.Playbook.Decide(t.text()).(bot.HandOff); handsOff {
		return false, nil
	}
	return true, t.thank(ctx, asked)
}

// meansRule says whether what may be a rating is the keyword of a rule, and the question not the last thing that was said.
func (t *turn) meansRule(ctx context.Context, asked db.Survey) (bool, error) {
	if !t.channel.Playbook.Names(t.text()) {
		return false, nil
	}
	said, err := t.SaidSince(ctx, asked.Channel, asked.ExternalID, asked.AskedAt, asked.ConversationID)
	if err != nil {
		return false, fmt.Errorf("looking what was said after a question about the service: %w", err)
	}
	return said, nil
}

// record keeps a rating; of a poor one those are told who watch over the agents.
func (t *turn) record(ctx context.Context, asked db.Survey, rating int32) error {
	poor := survey.Poor(yingdav1.SurveyScale(asked.Scale), rating)
	if err := t.SurveyRate(ctx, rating, t.Now, poor, asked.ConversationID); err != nil {
		return fmt.Errorf("recording a rating: %w", err)
	}
	t.done.ratings = append(t.done.ratings, scored{asked.Scale, rating})
	if !poor {
		return nil
	}
	asked.Rating, asked.RatedAt, asked.Poor = &rating, &t.Now, true
	for _, role := range []yingdav1.AgentRole{yingdav1.RoleSupervisor, yingdav1.RoleAdmin} {
		for _, name := range t.snapshot.WithRole(role) {
			t.Tell(ctx, name, message.FrameRating, store.SurveyView(asked))
		}
	}
	return t.oweCall(ctx, asked)
}

// thank adds the rating, and the thanks for it, to the conversation that was rated.
func (t *turn) thank(ctx context.Context, asked db.Survey) error {
	c, err := t.ConversationForUpdate(ctx, asked.ConversationID)
	if err != nil {
		return fmt.Errorf("locking the conversation that is rated: %w", err)
	}
	c.Agent = nil // To the agent it is over: a rating is nothing to answer.
	if err := t.Hear(ctx, c, t.in); err != nil {
		return err
	}
	t.done.messages++
	text, err := t.channel.Playbook.Rated(t.snapshot.Vars(t.channel, c.SkillGroup, t.Now))
	if err != nil {
		return fmt.Errorf("writing the thanks for a rating: %w", err)
	}
	_, err = t.sayText(ctx, c, "rated/"+c.ID.String(), text)
	return err
}

// remind asks those once more who have not answered.
func (r *Router) remind(ctx context.Context) error {
	due, err := r.Store.Queries().SurveysDue(ctx, r.Now().UTC(), batchRows)
	if err != nil {
		return fmt.Errorf("finding who is to be asked once more: %w", err)
	}
	var failed []error
	for _, id := range due {
		failed = append(failed, r.Store.Do(ctx, r.scope(), func(ctx context.Context, u *store.Unit) error {
			return r.askAgain(ctx, u, id)
		}))
	}
	return errors.Join(failed...)
}

// askAgain asks a customer once more, unless they are talking again or the platform lets too little through. Either way it was
// the last time.
func (r *Router) askAgain(ctx context.Context, u *store.Unit, id uuid.UUID) error {
	asked, err := u.SurveyDueForUpdate(ctx, id, u.Now)
	if isNoRows(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("locking a question about the service: %w", err)
	}
	if err := u.SurveyReminded(ctx, id); err != nil {
		return fmt.Errorf("noting that somebody is asked once more: %w", err)
	}
	busy, err := u.ContactBusy(ctx, asked.Channel, asked.ExternalID)
	if err != nil {
		return fmt.Errorf("looking whether a customer is talking: %w", err)
	}
	ledger, err := u.Quota(ctx, store.Contact{Channel: asked.Channel, ExternalID: asked.ExternalID})
	if err != nil {
		return err
	}
	snapshot := r.Catalog.Snapshot()
	t := &turn{Unit: u, router: r, snapshot: snapshot, channel: channelOf(snapshot, asked.Channel)}
	left, _ := quota.Left(ledger, u.Now)
	if busy || left <= survey.LeftToAgents || t.channel.Survey == nil || t.channel.DeletionTimestamp != nil {
		return nil
	}
	c, err := u.ConversationForUpdate(ctx, id)
	if err != nil {
		return fmt.Errorf("locking the conversation that is to be rated: %w", err)
	}
	c.Agent = nil // To the agent it is over.
	v := snapshot.Vars(t.channel, c.SkillGroup, u.Now)
	v.RatingAnswers = survey.Answers(yingdav1.SurveyScale(asked.Scale))
	text, err := t.channel.Playbook.Survey(v)
	if err != nil {
		return fmt.Errorf("writing the question about the service: %w", err)
	}
	_, err = t.sayText(ctx, c, "survey-again/"+id.String(), text)
	return err
}
