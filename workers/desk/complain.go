package desk

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/complaint"
	"github.com/yingda-dev/yingda/internal/domain/history"
	"github.com/yingda-dev/yingda/internal/domain/quota"
	"github.com/yingda-dev/yingda/internal/promise"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/store/db"
)

type complainInput struct {
	ID   uuid.UUID `path:"id"`
	Body struct {
		Key  uuid.UUID `json:"key" doc:"Made by the client for this complaint; sending it again with the same key makes one."`
		What string    `json:"what" minLength:"1" maxLength:"2000" pattern:"[^\\s\\p{Z}]" patternDescription:"more than space" example:"等了三天没有人处理退款" doc:"What the customer complains of, for whoever sees to it."`
	}
}

// complain begins the complaint of a customer in whose conversation the principal may act, as their own words would.
func (d *Desk) complain(ctx context.Context, p *principal, in *complainInput) (*owedOutput, error) {
	step := fmt.Sprintf("open/%s/%s", p.agent.Name, in.Body.Key)
	out := &owedOutput{}
	err := d.Store.Do(ctx, d.scope(), func(ctx context.Context, u *store.Unit) error {
		c, err := visible(p, func() (db.Conversation, error) { return u.ConversationForUpdate(ctx, in.ID) })
		if err != nil {
			return err
		}
		// First, because the conversation may have been closed since, or the complaint resolved.
		row, err := u.CaseOfStep(ctx, &c.ID, step)
		now := store.CaseView(row)
		if errors.Is(err, pgx.ErrNoRows) {
			now, err = d.beginComplaint(ctx, u, p, in, step)
		}
		out.Body = d.caseView(now)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// beginComplaint returns the case of the complaint that begins, or of the one that is under way, in whose history it is then.
func (d *Desk) beginComplaint(ctx context.Context, u *store.Unit, p *principal, in *complainInput, step string) (now store.Case, err error) {
	c, err := d.act(ctx, u, p, in.ID)
	if err != nil {
		return now, err
	}
	outbound, err := d.reaching(ctx, u, c)
	if err != nil {
		return now, err
	}
	begun, err := complaint.Begin(ctx, u, &c, complaint.Beginning{
		Names: d.Names, Snapshot: d.Catalog.Snapshot(), Channel: d.channelOf(c), Outbound: outbound,
		Detail: promise.ComplaintDetail{What: in.Body.What}, Step: step, Actor: p.agent.Name,
	})
	if err != nil {
		return now, err
	}
	id := complaint.IDOfLast(d.Names, c)
	if !begun {
		more := store.Taking{
			Step: step, Action: history.Complain, Actor: p.agent.Name, Note: in.Body.What, Tell: d.Catalog.Snapshot().WithRole(promise.RoleSupervisor),
		}
		now, _, err = u.ChangeCase(ctx, id, more, func(*store.Case) error { return nil })
		return now, err
	}
	// Whom the bot has it gives to a human with the topic, which would begin the next complaint once this one is resolved.
	if c.State != store.StateBot {
		c.Topic = yingdav1.TopicComplaint
	}
	if _, err = u.Save(ctx, d.inPlace(u, c)); err != nil {
		return now, err
	}
	row, err := u.CaseGet(ctx, id)
	if err != nil {
		return now, fmt.Errorf("reading a complaint's case: %w", err)
	}
	return store.CaseView(row), nil
}

// reaching is the topic by which something can be said to a customer now; empty where the platform would take nothing, or the Channel is gone.
func (d *Desk) reaching(ctx context.Context, u *store.Unit, c db.Conversation) (topic string, err error) {
	channel, known := d.Catalog.Snapshot().Channel(c.Channel)
	if !known || channel.DeletionTimestamp != nil {
		return "", nil
	}
	ledger, err := u.Unspent(ctx, contactOf(c))
	if err != nil || quota.Check(ledger, u.Now) != quota.Allowed {
		return "", err
	}
	return d.Names.Outbound(channel.Pool), nil
}

// inPlace gives a conversation the priority of its topic and its customer's tier, and who waits the place of that in the queue.
func (d *Desk) inPlace(u *store.Unit, c db.Conversation) db.Conversation {
	group, known := d.Catalog.Snapshot().Group(c.SkillGroup)
	if !known {
		return c
	}
	c.Priority = group.Priority(c.Topic, c.Tier)
	if c.State == store.StateQueued {
		c = u.Queue(c, group.Queue)
	}
	return c
}
