// Package complaint begins the complaints of conversations, for the router that hears a customer complain and for the desk where an agent
// writes down that one does: they must not differ.
//
// It neither decides what is a complaint nor what becomes of one: the first is its callers', the second its process's.
package complaint

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/yingda-dev/yingda/internal/bus"
	"github.com/yingda-dev/yingda/internal/catalog"
	"github.com/yingda-dev/yingda/internal/domain/history"
	"github.com/yingda-dev/yingda/internal/domain/servicelevel"
	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/promise"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/store/db"
)

// Beginning is how a complaint begins.
type Beginning struct {
	Names    bus.Names
	Snapshot *catalog.Snapshot
	// Channel is the conversation's.
	Channel *catalog.Channel
	// Outbound is the topic by which the customer is told that they were heard; without it they are not.
	Outbound string
	Detail   promise.ComplaintDetail
	// Step names the beginning in the case's history, Actor is whose it is: an Agent's, or nobody's where the customer complained themself.
	Step, Actor string
}

// Begin makes the next complaint of a conversation that the unit has locked known and starts its process, unless the last one is still
// under way, and says that it was heard: the process would a moment later, when the customer may have been told that everybody is busy.
// Nothing waits for the process: while it cannot run, desks see the complaint, and it counts towards an emergency. The caller saves c,
// which counts the complaints: the last is of that number.
func Begin(ctx context.Context, u *store.Unit, c *db.Conversation, b Beginning) (begun bool, err error) {
	if c.Complaints > 0 {
		last, err := u.ComplaintGet(ctx, IDOfLast(b.Names, *c))
		if err != nil && !errors.Is(err, pgx.ErrNoRows) {
			return false, fmt.Errorf("looking at the last complaint: %w", err)
		}
		state := promise.ComplaintState(last.State)
		if state != promise.ComplaintResolved && state != promise.ComplaintFollowedUp {
			return false, nil
		}
	}
	c.Complaints++
	input, err := b.input(u, *c)
	if err != nil {
		return false, err
	}
	_, _, err = u.OpenComplaint(ctx, input, b.Detail, store.Taking{
		Step: b.Step, Action: history.Open, Actor: b.Actor, Tell: b.Snapshot.WithRole(promise.RoleSupervisor),
	})
	if err != nil || input.Acknowledgement == "" {
		return err == nil, err
	}
	_, _, err = u.Say(ctx, *c, store.Words{
		Key: promise.AcknowledgementKey(input.ID), Topic: b.Outbound, Sender: store.SenderBot,
		Content: message.Content{Kind: message.KindText, Text: input.Acknowledgement},
	})
	return err == nil, err
}

// IDOfLast is the id of a conversation's last complaint.
func IDOfLast(names bus.Names, c db.Conversation) string {
	return promise.NthComplaintID(names.Namespace, names.Brand, c.ID, c.Complaints)
}

func (b *Beginning) input(u *store.Unit, c db.Conversation) (in promise.ComplaintInput, err error) {
	level := b.Channel.ServiceLevel
	ladder, err := servicelevel.Ladder(level.Complaint)
	if err != nil {
		return in, fmt.Errorf("reading the complaint ladder: %w", err)
	}
	in = promise.ComplaintInput{
		ID: IDOfLast(b.Names, c), Conversation: c.ID, Channel: c.Channel, Customer: c.ExternalID, SkillGroup: c.SkillGroup,
		StartedAt: u.Now, FollowUpWithinDays: servicelevel.FollowUpDays(level.Complaint),
		FollowUpRemindSeconds: servicelevel.FollowUpRemindSeconds(level.FollowUp), Ladder: store.Rungs(ladder),
	}
	if b.Outbound == "" {
		return in, nil
	}
	if in.Acknowledgement, err = b.Channel.Playbook.ComplaintAcknowledged(b.Snapshot.Vars(b.Channel, c.SkillGroup, u.Now)); err != nil {
		return in, fmt.Errorf("writing the acknowledgement: %w", err)
	}
	return in, nil
}
