package router

import (
	"context"
	"fmt"
	"time"

	"github.com/yingda-dev/yingda/internal/domain/bot"
	"github.com/yingda-dev/yingda/internal/domain/inquiry"
	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/promise"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/store/db"
)

// tellProgress answers a customer who asks how their cases stand; told is false where that is left to the Playbook or a human.
// Who is with the bot is told that there are none where the Playbook knows no better; who waits for an agent is told of those
// that there are, and waits on; with an agent it is the agent who answers.
func (t *turn) tellProgress(ctx context.Context, c db.Conversation, decision bot.Decision) (told bool, err error) {
	if c.State == store.StateAssigned || t.saidAtOnce(message.ReplyRule) || !inquiry.Asked(t.text()) {
		return false, nil
	}
	if handOff, ok := decision.(bot.HandOff); ok && handOff.Explicit {
		return false, nil
	}
	rows, err := t.CasesInProgress(ctx, t.in.Channel, t.in.Customer, inquiry.MaxCases+1)
	if err != nil {
		return false, fmt.Errorf("reading a customer's cases: %w", err)
	}
	text := inquiry.None()
	if len(rows) > 0 {
		cases := make([]inquiry.Case, len(rows))
		for i, row := range rows {
			if cases[i], err = progressOf(row); err != nil {
				return false, err
			}
		}
		text = inquiry.Text(cases, t.Now, t.location(c))
	} else if _, unknown := decision.(bot.NoMatch); !unknown || c.State != store.StateBot {
		return false, nil
	}
	if _, err := t.sayText(ctx, c, "progress/"+t.in.MessageID, text); err != nil {
		return false, err
	}
	t.done.progress++
	return true, nil
}

func progressOf(row db.ServiceCase) (inquiry.Case, error) {
	switch promise.CaseKind(row.Kind) {
	case promise.CaseAfterSales:
		inside, err := store.AfterSalesOf(store.CaseView(row))
		return inquiry.Case{AfterSales: &inside, Due: row.DueAt}, err
	case promise.CaseComplaint:
		return inquiry.Complaint(promise.ComplaintState(row.State) == promise.ComplaintResolved, row.DueAt), nil
	case promise.CaseShipping:
		detail, err := store.TaskOf(store.CaseView(row))
		return inquiry.Shipping(detail.Order, row.DueAt), err
	case promise.CaseOrder:
		inside, err := store.OrderOf(store.CaseView(row))
		return inquiry.OrderChange(&inside, row.DueAt), err
	default:
		return inquiry.Promise(row.DueAt), nil
	}
}

// location is where the group of a conversation, or the one that serves by default, has its clock.
func (t *turn) location(c db.Conversation) *time.Location {
	for _, name := range []string{c.SkillGroup, t.snapshot.DefaultGroup()} {
		if group, known := t.snapshot.Group(name); known && group.Schedule != nil {
			return group.Schedule.Location()
		}
	}
	return time.FixedZone("CST", 8*60*60)
}
