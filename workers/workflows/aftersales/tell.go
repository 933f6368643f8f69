package aftersales

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	rules "github.com/yingda-dev/yingda/internal/domain/aftersales"
	"github.com/yingda-dev/yingda/internal/domain/quota"
	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/store/db"
)

// notice is the name of the notices of after-sales cases, which Channels declare templates for.
const notice = "afterSales"

// Tell tells the customer, once, of a step of the case.
func (a *Activities) Tell(ctx context.Context, t Telling) error {
	now, err := a.read(ctx, t.Case.ID)
	if err != nil {
		return err
	}
	inside, err := store.AfterSalesOf(now)
	if err != nil {
		return err
	}
	location := (&rules.Policy{TimeZone: t.TimeZone}).Location()
	step := inside.Steps[min(t.Step, inside.Step())]
	if inside.Step() != t.Step && step.Due.IsZero() && !step.State.Ended() {
		return nil // It was over before anybody knew until when; the customer hears of what came next.
	}
	return a.reach(ctx, t.Case, now, stepName("told", t.Step), inside.Words(t.Step, location), location)
}

// remindCustomer reminds the customer, once, where it is their turn.
func (a *Activities) remindCustomer(ctx context.Context, l Lateness, now store.Case) error {
	inside, err := store.AfterSalesOf(now)
	if err != nil || inside.Step() != l.Step {
		return err
	}
	location := (&rules.Policy{TimeZone: l.TimeZone}).Location()
	return a.reach(ctx, l.Case, now, stepName("reminded", l.Step), inside.Reminder(location), location)
}

// reach tells the customer something, once: as a text where window and quota allow it, leaving the last message to agents who have no
// other way; else by the platform's template; else those who work on the case are told that the customer does not know.
func (a *Activities) reach(ctx context.Context, r Reference, now store.Case, name, words string, location *time.Location) error {
	if words == "" {
		return nil
	}
	by := ""
	err := a.do(ctx, func(ctx context.Context, u *store.Unit) (err error) {
		by = toldNobody
		topic, known := a.Directory.OutboundTopic(now.Channel)
		c, there, err := conversationOf(ctx, u, now)
		if err != nil {
			return err
		}
		if there {
			// Before the ledger is looked at, which what was said the last time has changed.
			if first, err := u.SaidElsewhere(ctx, c, r.ID+"/reach/"+name); err != nil || !first {
				by = ""
				return err
			}
		}
		if known && there {
			content, reachable, err := a.content(ctx, u, c, now, words, location)
			if err != nil {
				return err
			}
			if reachable {
				by = toldByText
				if content.Kind == message.KindNotice {
					by = toldByNotice
				}
				_, _, err = u.Say(ctx, c, store.Words{Key: r.ID + "/" + name, Topic: topic, Sender: store.SenderBot, Content: content})
				return err
			}
		}
		_, fresh, err := u.ChangeCase(ctx, r.ID, store.Taking{
			Step: "un" + name, Note: "无法通知客户，请另行联系：" + words, Tell: a.Directory.GroupAgents(r.SkillGroup),
		}, func(*store.Case) error { return nil })
		if !fresh {
			by = ""
		}
		return err
	})
	if err == nil && by != "" {
		a.Metrics.told.WithLabelValues(by).Inc()
	}
	return err
}

// conversationOf locks the conversation in which the customer is told: that of the case, else the newest; false where there is none.
func conversationOf(ctx context.Context, u *store.Unit, of store.Case) (c db.Conversation, there bool, err error) {
	id := of.Conversation
	if id == nil {
		newest, err := u.ConversationNewest(ctx, of.Channel, of.Customer)
		if errors.Is(err, pgx.ErrNoRows) {
			return c, false, nil
		}
		if err != nil {
			return c, false, fmt.Errorf("looking for the customer's conversation: %w", err)
		}
		id = &newest
	}
	if c, err = u.ConversationForUpdate(ctx, *id); err != nil {
		return c, false, fmt.Errorf("locking the case's conversation: %w", err)
	}
	return c, true, nil
}

// content is how the customer can be told; false where they cannot.
func (a *Activities) content(ctx context.Context, u *store.Unit, c db.Conversation, now store.Case, words string, location *time.Location) (message.Content, bool, error) {
	ledger, err := u.Unspent(ctx, store.Contact{Channel: c.Channel, ExternalID: c.ExternalID})
	if err != nil {
		return message.Content{}, false, err
	}
	remaining, _ := quota.Left(ledger, u.Now)
	if remaining <= 1 && a.Directory.HasNotice(c.Channel, notice) {
		inside, err := store.AfterSalesOf(now)
		if err != nil {
			return message.Content{}, false, err
		}
		return message.Content{Kind: message.KindNotice, Text: words, Notice: &message.Notice{Name: notice, Values: map[string]string{
			"case":  inside.Application.Title() + " " + inside.Application.MaskedOrder(),
			"state": inside.StateName(), "detail": words, "time": u.Now.In(location).Format("2006-01-02 15:04"),
		}}}, true, nil
	}
	return message.Content{Kind: message.KindText, Text: words}, remaining > 0, nil
}
