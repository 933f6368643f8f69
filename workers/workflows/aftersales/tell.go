package aftersales

import (
	"context"
	"time"

	rules "github.com/yingda-dev/yingda/internal/domain/aftersales"
	"github.com/yingda-dev/yingda/internal/domain/history"
	"github.com/yingda-dev/yingda/internal/domain/quota"
	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/promise"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/store/db"
)

// notice is the name of the notices of after-sales cases, which Channels declare templates for.
const notice = "afterSales"

// news are what a customer is told, once a case under that name.
type news struct {
	name, words string
	location    *time.Location
}

// Tell tells the customer, once, of a step of the case.
func (a *Activities) Tell(ctx context.Context, t Telling) error {
	now, n, err := a.news(ctx, t)
	if err != nil {
		return err
	}
	return a.reach(ctx, t.Case, now, n.name, n.words, n.location)
}

// Untold does what is left where a customer could not be told of a step while that was news: a mail, or somebody who reaches them.
func (a *Activities) Untold(ctx context.Context, t Telling) error {
	now, n, err := a.news(ctx, t)
	if err != nil {
		return err
	}
	return a.giveUp(ctx, t.Case, now, n)
}

// news are those of a step; without words there are none.
func (a *Activities) news(ctx context.Context, t Telling) (now store.Case, n news, err error) {
	if now, err = a.read(ctx, t.Case.ID); err != nil {
		return now, n, err
	}
	inside, err := store.AfterSalesOf(now)
	if err != nil {
		return now, n, err
	}
	n = news{name: stepName("told", t.Step), location: (&rules.Policy{TimeZone: t.TimeZone}).Location()}
	step := inside.Steps[min(t.Step, inside.Step())]
	if inside.Step() != t.Step && step.Due.IsZero() && !step.State.Ended() {
		return now, n, nil // It was over before anybody knew until when; the customer hears of what came next.
	}
	n.words = inside.Words(t.Step, n.location)
	return now, n, nil
}

// giveUp reaches a customer otherwise than by the platform, once, unless an attempt to tell that nobody heard of had gone through.
func (a *Activities) giveUp(ctx context.Context, r Reference, now store.Case, n news) error {
	if n.words == "" {
		return nil
	}
	by := ""
	err := a.do(ctx, func(ctx context.Context, u *store.Unit) error {
		by = ""
		c, there, err := u.ConversationOf(ctx, now)
		if err != nil {
			return err
		}
		if there {
			if first, err := u.SaidElsewhere(ctx, c, r.ID+"/reach/"+n.name); err != nil || !first {
				return err
			}
		}
		by, err = a.otherwise(ctx, u, r, n.name, n.words)
		return err
	})
	if err == nil && by != "" {
		a.Metrics.told.WithLabelValues(by).Inc()
	}
	return err
}

// remindCustomer reminds the customer, once, where it is their turn.
func (a *Activities) remindCustomer(ctx context.Context, l Lateness, now store.Case) error {
	inside, err := store.AfterSalesOf(now)
	if err != nil || inside.Step() != l.Step {
		return err
	}
	location := (&rules.Policy{TimeZone: l.TimeZone}).Location()
	return a.reach(ctx, l.Case, now, stepName("reminded", l.Step), inside.Reminder(a.Now(), location), location)
}

// reach tells the customer something, once: as a text where the quota spares one for texts about cases; else by the platform's
// template; else by e-mail; else those who work on the case are told that the customer does not know.
func (a *Activities) reach(ctx context.Context, r Reference, now store.Case, name, words string, location *time.Location) error {
	if words == "" {
		return nil
	}
	by := ""
	err := a.do(ctx, func(ctx context.Context, u *store.Unit) (err error) {
		by = toldNobody
		topic, known := a.Directory.OutboundTopic(now.Channel)
		c, there, err := u.ConversationOf(ctx, now)
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
			content, reachable, err := a.content(ctx, u, c, now, name, words, location)
			if err != nil {
				return err
			}
			if reachable {
				by = toldByText
				if content.Kind == message.KindNotice {
					by = toldByNotice
				}
				if _, _, err := u.Say(ctx, c, store.Words{Key: r.ID + "/" + name, Topic: topic, Sender: store.SenderBot, Content: content}); err != nil {
					return err
				}
				_, _, err = u.NoteCase(ctx, r.ID, store.Taking{Step: name, Action: history.Told, Note: sent(content.Kind) + words})
				return err
			}
		}
		by, err = a.otherwise(ctx, u, r, name, words)
		return err
	})
	if err == nil && by != "" {
		a.Metrics.told.WithLabelValues(by).Inc()
	}
	return err
}

// otherwise reaches a customer to whom the platform lets nothing through, and says how it did; empty where that was done before.
func (a *Activities) otherwise(ctx context.Context, u *store.Unit, r Reference, name, words string) (by string, err error) {
	mailed, fresh, err := u.TellOtherwise(ctx, store.Untold{
		Case: r.ID, Step: name, Words: words, Mails: a.Mails(), Tell: a.Directory.GroupAgents(r.SkillGroup),
	})
	switch {
	case err != nil || !fresh:
		return "", err
	case mailed:
		return toldByMail, nil
	default:
		return toldNobody, nil
	}
}

// sent says how the customer is told.
func sent(kind message.Kind) string {
	if kind == message.KindNotice {
		return "已发送通知："
	}
	return "已发送消息："
}

// content is how the customer can be told; false where they cannot.
func (a *Activities) content(ctx context.Context, u *store.Unit, c db.Conversation, now store.Case, name, words string, location *time.Location) (message.Content, bool, error) {
	ledger, err := u.Unspent(ctx, store.Contact{Channel: c.Channel, ExternalID: c.ExternalID})
	if err != nil {
		return message.Content{}, false, err
	}
	spare := quota.Spare(ledger, u.Now) > 0
	if !spare && a.Directory.HasNotice(c.Channel, notice) {
		of, err := aboutOf(now)
		if err != nil {
			return message.Content{}, false, err
		}
		return message.Content{Kind: message.KindNotice, Text: words, Notice: &message.Notice{Name: notice, Case: now.ID, Step: name, Values: map[string]string{
			"case": of.which, "state": of.state, "detail": words, "time": u.Now.In(location).Format("2006-01-02 15:04"),
		}}}, true, nil
	}
	return message.Content{Kind: message.KindText, Text: words, About: &message.About{Case: now.ID, Step: name}}, spare, nil
}

// about is what a customer is told about.
type about struct {
	// which is what the case is called, state where it stands, as customers read it.
	which, state string
}

func aboutOf(c store.Case) (about, error) {
	if c.Kind == promise.CaseOrder {
		inside, err := store.OrderOf(c)
		return about{c.Title + " " + rules.Masked(inside.Order), inside.StateName()}, err
	}
	inside, err := store.AfterSalesOf(c)
	return about{inside.Application.Title() + " " + inside.Application.MaskedOrder(), inside.StateName()}, err
}
