package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/yingda-dev/yingda/internal/domain/history"
	"github.com/yingda-dev/yingda/internal/domain/servicelevel"
	"github.com/yingda-dev/yingda/internal/domain/task"
	"github.com/yingda-dev/yingda/internal/promise"
	"github.com/yingda-dev/yingda/internal/store/db"
)

// maxTasks is how many tasks of one conversation are ended at once; there is one, but for what nobody foresaw.
const maxTasks = 10

// TaskCase is what desks are shown of a task, beside what its process knows.
type TaskCase struct {
	// Title has no personal data.
	Title string
	// Due is until when it is owed, as far as is known.
	Due    time.Time
	Detail promise.TaskDetail
}

// OpenTask writes the case of what somebody owes a customer and starts the workflow that watches over it. Of one that exists
// it returns what it is now, and fresh is false.
func (u *Unit) OpenTask(ctx context.Context, in promise.TaskInput, shown TaskCase, t Taking) (now Case, fresh bool, err error) {
	detail, err := json.Marshal(shown.Detail)
	if err != nil {
		return Case{}, false, fmt.Errorf("encoding a task: %w", err)
	}
	var conversation *uuid.UUID
	if in.Conversation != uuid.Nil {
		conversation = &in.Conversation
	}
	now, fresh, err = u.OpenCase(ctx, Case{
		ID: in.ID, Kind: in.Kind, State: string(promise.TaskOpen), Title: shown.Title, Conversation: conversation, Channel: in.Channel,
		Customer: in.Customer, SkillGroup: in.SkillGroup, Owner: in.Owner, OpenedAt: in.StartedAt, Due: &shown.Due, Detail: detail,
	}, t)
	if err != nil || !fresh {
		return now, false, err
	}
	return now, true, u.StartWorkflow(ctx, in.ID, promise.TaskWorkflow, in)
}

// TaskOf is what is inside of the case of a task.
func TaskOf(c Case) (inside promise.TaskDetail, err error) {
	if err := json.Unmarshal(c.Detail, &inside); err != nil {
		return inside, fmt.Errorf("decoding a task: %w", err)
	}
	return inside, nil
}

// Rungs is a ladder as workflows are given it.
func Rungs(ladder []servicelevel.Rung) []promise.Rung {
	var rungs []promise.Rung
	for _, rung := range ladder {
		rungs = append(rungs, promise.Rung{AfterSeconds: int64(rung.After / time.Second), Notify: string(rung.Notify)})
	}
	return rungs
}

// endOffHours ends what is owed to who wrote while the group was closed, of a conversation that the unit has locked.
func (u *Unit) endOffHours(ctx context.Context, conversation uuid.UUID, state promise.TaskState, t Taking) error {
	rows, err := u.CasesOpenOfConversation(ctx, &conversation, string(promise.CaseOffHours), maxTasks)
	if err != nil {
		return fmt.Errorf("finding what is owed after the opening: %w", err)
	}
	for _, row := range rows {
		_, _, err := u.ChangeCase(ctx, row.ID, t, func(c *Case) error {
			c.State, c.ClosedAt, c.Due = string(state), &u.Now, nil
			return nil
		})
		if err != nil {
			return err
		}
		if err := u.SignalWorkflow(ctx, row.ID, promise.SignalTaskEnd, promise.TaskEnd{By: t.Actor, State: state}); err != nil {
			return err
		}
	}
	return nil
}

// AnsweredOffHours ends what is owed to who wrote while the group was closed: a human has answered. The caller has locked the
// conversation and saves it.
func (u *Unit) AnsweredOffHours(ctx context.Context, c *db.Conversation, by string) error {
	if c.DueAt == nil {
		return nil
	}
	c.DueAt = nil
	return u.endOffHours(ctx, c.ID, promise.TaskDone, Taking{Step: "end", Action: history.Action(task.Done), Actor: by})
}

// unansweredOffHours ends what is owed to who wrote while the group was closed: their conversation is closed.
func (u *Unit) unansweredOffHours(ctx context.Context, c *db.Conversation) error {
	if c.DueAt == nil {
		return nil
	}
	c.DueAt = nil
	return u.endOffHours(ctx, c.ID, promise.TaskCancelled, Taking{
		Step: "end", Action: history.Action(task.Cancel), Note: "会话结束，客服没有答复",
	})
}

// SettledOffHours notes on its conversation that nothing is owed after the opening any more, where a case of that kind was ended otherwise
// than by an answer or the conversation's end: who is left waiting when the group closes again is owed another. The unit has changed the case.
func (u *Unit) SettledOffHours(ctx context.Context, settled Case) error {
	if settled.Kind != promise.CaseOffHours || settled.ClosedAt == nil || settled.Conversation == nil {
		return nil
	}
	c, err := u.ConversationForUpdate(ctx, *settled.Conversation)
	if err != nil {
		return fmt.Errorf("locking the conversation of what is settled: %w", err)
	}
	if c.DueAt == nil {
		return nil
	}
	c.DueAt = nil
	_, err = u.Save(ctx, c)
	return err
}
