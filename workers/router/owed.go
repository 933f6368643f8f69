package router

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/yingda-dev/yingda/internal/domain/history"
	"github.com/yingda-dev/yingda/internal/domain/servicelevel"
	"github.com/yingda-dev/yingda/internal/promise"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/store/db"
)

const (
	titleOffHours  = "非工作时间留言"
	titleBadRating = "差评回访"
	// remindShare is which part of the time to answer is left when who owes an answer is reminded.
	remindShare = 4
)

// oweAnswer has it watched over that a customer who wrote while the group was closed is answered in time once it is open. The
// conversation is due already where one is watched over: until a human has answered, or it is ended, there is no other.
func (t *turn) oweAnswer(ctx context.Context, c db.Conversation, due time.Time) error {
	names, within := t.router.Names, servicelevel.AnswerWithin(t.channel.ServiceLevel.OffHours)
	key := c.ID.String() + "/" + strconv.FormatInt(t.Now.Unix(), 10)
	in := promise.TaskInput{
		ID: promise.TaskID(names.Namespace, names.Brand, promise.CaseOffHours, key), Kind: promise.CaseOffHours,
		Conversation: c.ID, Channel: c.Channel, Customer: c.ExternalID, SkillGroup: c.SkillGroup, StartedAt: t.Now,
		AfterOpeningSeconds: int64(within / time.Second), RemindBeforeSeconds: int64(within / remindShare / time.Second),
	}
	// The row says at once what the process will ask the schedule for.
	shown := store.TaskCase{Title: titleOffHours, Due: due}
	if _, _, err := t.OpenTask(ctx, in, shown, store.Taking{Step: "open", Action: history.Open, Actor: store.SenderCustomer}); err != nil {
		return fmt.Errorf("noting that an answer is owed: %w", err)
	}
	return nil
}

// oweCall has it watched over that a customer is called who was not content.
func (t *turn) oweCall(ctx context.Context, rated db.Survey) error {
	followUp, wrong := servicelevel.CompileFollowUp(t.channel.ServiceLevel.FollowUp)
	if err := wrong.ToAggregate(); err != nil {
		return fmt.Errorf("reading how soon customers are called: %w", err)
	}
	names := t.router.Names
	in := promise.TaskInput{
		ID:   promise.TaskID(names.Namespace, names.Brand, promise.CaseCallBack, rated.ConversationID.String()),
		Kind: promise.CaseCallBack, Conversation: rated.ConversationID, Channel: rated.Channel, Customer: rated.ExternalID,
		SkillGroup: rated.SkillGroup, StartedAt: t.Now, Due: t.Now.Add(followUp.BadRatingWithin),
		RemindBeforeSeconds: int64(followUp.RemindBefore / time.Second), Ladder: store.Rungs(followUp.Ladder),
	}
	shown := store.TaskCase{Title: titleBadRating, Due: in.Due, Detail: promise.TaskDetail{
		Reason: promise.CallBackBadRating, Rating: *rated.Rating, Scale: rated.Scale, Rated: rated.Agent,
	}}
	taking := store.Taking{Step: "open", Action: history.Open, Actor: store.SenderCustomer, Tell: t.snapshot.Supervisors(rated.SkillGroup)}
	if _, _, err := t.OpenTask(ctx, in, shown, taking); err != nil {
		return fmt.Errorf("noting that a call is owed: %w", err)
	}
	return nil
}
