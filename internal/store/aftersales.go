package store

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/yingda-dev/yingda/internal/domain/aftersales"
	"github.com/yingda-dev/yingda/internal/domain/history"
	"github.com/yingda-dev/yingda/internal/domain/mail"
	"github.com/yingda-dev/yingda/internal/promise"
	"github.com/yingda-dev/yingda/internal/store/db"
)

// EffectKey is by what an attempt at an operation of a case is known, at the provider as well.
func EffectKey(id string, operation aftersales.Operation, attempt int) string {
	return fmt.Sprintf("%s/%s/%d", id, operation, attempt)
}

// OpenAfterSales writes a new after-sales case, decided on by its terms, and tells of it; its process starts after the commit. Of one
// that exists it returns what it is now, and fresh is false. An application that is wrong is an *aftersales.RefusalError.
func (u *Unit) OpenAfterSales(ctx context.Context, in promise.AfterSalesInput, t Taking) (now Case, fresh bool, err error) {
	now, fresh, err = u.RecordAfterSales(ctx, in, t)
	if err != nil || !fresh {
		return now, fresh, err
	}
	// The row has it, which retention erases; Temporal's histories need not know how to reach the customer.
	in.Application.Contact = aftersales.Contact{}
	return now, true, u.StartWorkflow(ctx, in.ID, promise.AfterSalesWorkflow, in)
}

// RecordAfterSales is OpenAfterSales for the process itself.
func (u *Unit) RecordAfterSales(ctx context.Context, in promise.AfterSalesInput, t Taking) (now Case, fresh bool, err error) {
	if refusal := in.Application.Check(); refusal != nil {
		// A case that was opened when less was refused goes on: its process only looks whether it is there.
		row, err := u.CaseGet(ctx, in.ID)
		switch {
		case errors.Is(err, pgx.ErrNoRows):
			return Case{}, false, refusal
		case err != nil:
			return Case{}, false, fmt.Errorf("looking for a case: %w", err)
		}
		return CaseView(row), false, nil
	}
	decision := aftersales.Decide(in.Terms.Policy, in.Application, in.Tier, in.StartedAt)
	inside := aftersales.Open(in.Application, decision, in.OpenedBy, in.StartedAt)
	if inside.Granted() > 0 {
		// The conversation, then the order, then the case, as everywhere: two who lock in another order would wait for each other.
		if err := u.lockConversationOf(ctx, in.Conversation); err != nil {
			return Case{}, false, err
		}
		err := u.ofOrder(ctx, in.ID, &inside, func(others []aftersales.Case) error {
			return inside.GrantAtOnce(others, in.Terms.Policy, in.Tier, in.StartedAt)
		})
		if refusal, refused := errors.AsType[*aftersales.RefusalError](err); refused {
			inside = aftersales.Open(in.Application, decision.Review(refusal), in.OpenedBy, in.StartedAt)
		} else if err != nil {
			return Case{}, false, err
		}
	}
	c := Case{
		ID: in.ID, Kind: promise.CaseAfterSales, Title: in.Application.Title(), Conversation: in.Conversation, Channel: in.Channel,
		Customer: in.Customer, SkillGroup: in.SkillGroup, OpenedAt: in.StartedAt,
	}
	if err := u.mirror(&c, &inside); err != nil {
		return Case{}, false, err
	}
	return u.OpenCase(ctx, c, t)
}

// ActOnAfterSales does something to an after-sales case, and tells its process. An act of that ID that was done before changes nothing,
// and fresh is false. What may not be done is an *aftersales.RefusalError; a case that does not exist is pgx.ErrNoRows. For group see Taking.
func (u *Unit) ActOnAfterSales(
	ctx context.Context, id string, act aftersales.Act, group func(skillGroup string) []string,
) (now Case, fresh bool, err error) {
	now, fresh, err = u.takeAfterSales(ctx, id, act, Taking{Group: group})
	if err != nil || !fresh {
		return now, fresh, err
	}
	return now, true, u.SignalWorkflow(ctx, id, promise.SignalAct, act)
}

// TakeAfterSales is ActOnAfterSales for the process itself.
func (u *Unit) TakeAfterSales(ctx context.Context, id string, act aftersales.Act, tell ...string) (now Case, fresh bool, err error) {
	return u.takeAfterSales(ctx, id, act, Taking{Tell: tell})
}

func (u *Unit) takeAfterSales(ctx context.Context, id string, act aftersales.Act, t Taking) (now Case, fresh bool, err error) {
	t.Step, t.Action, t.Actor, t.Note = "act/"+act.ID, history.Action(act.Action), act.By, act.Said()
	return u.ChangeAfterSales(ctx, id, t, func(c *aftersales.Case) error {
		operation, granted, freight := c.Operation(), c.Granted(), c.Decision.FreightAmount
		if err := c.Act(act, u.Now); err != nil {
			return err
		}
		if c.Granted() > granted {
			if err := u.ofOrder(ctx, id, c, c.Grant); err != nil {
				return err
			}
		}
		if c.Decision.FreightAmount > freight {
			if err := u.ofOrder(ctx, id, c, c.GrantFreight); err != nil {
				return err
			}
		}
		if effect := c.Effect(operation); effect != nil && effect.State == aftersales.EffectDone {
			return u.reported(ctx, id, c, operation)
		}
		return nil
	})
}

// ChangeAfterSales is ChangeCase for what is inside of an after-sales case.
func (u *Unit) ChangeAfterSales(ctx context.Context, id string, t Taking, change func(c *aftersales.Case) error) (now Case, fresh bool, err error) {
	row, err := u.CaseGet(ctx, id)
	if err != nil {
		return Case{}, false, fmt.Errorf("reading a case: %w", err)
	}
	inside, err := AfterSalesOf(CaseView(row))
	if err != nil {
		return Case{}, false, err
	}
	// The conversation, then the order, then the case, as everywhere: two who lock in another order would wait for each other.
	if err := u.lockConversationOf(ctx, row.ConversationID); err != nil {
		return Case{}, false, err
	}
	if err := u.OrderLock(ctx, inside.Application.Order.Number); err != nil {
		return Case{}, false, fmt.Errorf("locking an order: %w", err)
	}
	return u.ChangeCase(ctx, id, t, func(c *Case) error {
		inside, err := AfterSalesOf(*c)
		if err != nil {
			return err
		}
		if err := change(&inside); err != nil {
			return err
		}
		return u.mirror(c, &inside)
	})
}

// AfterSalesOf is what is inside of an after-sales case.
func AfterSalesOf(c Case) (inside aftersales.Case, err error) {
	if c.Kind != promise.CaseAfterSales {
		return inside, fmt.Errorf("the case is of the kind %s, not %s", c.Kind, promise.CaseAfterSales)
	}
	if err := json.Unmarshal(c.Detail, &inside); err != nil {
		return inside, fmt.Errorf("decoding an after-sales case: %w", err)
	}
	return inside, nil
}

// Masked is the case as lists and frames show it, in which nobody finds addresses, or orders to be sent, by leafing through.
func (c Case) Masked() Case {
	if c.Kind == promise.CaseShipping {
		return c.maskedShipping()
	}
	if c.Kind != promise.CaseAfterSales || !bytes.Contains(c.Detail, []byte(`"contact"`)) {
		return c
	}
	inside, err := AfterSalesOf(c)
	if err == nil {
		inside.Application.Contact.Email = mail.Masked(inside.Application.Contact.Email)
		c.Detail, err = json.Marshal(inside)
	}
	if err != nil {
		c.Detail = nil // Written by a later version: rather nothing of it.
	}
	return c
}

func (c Case) maskedShipping() Case {
	inside, err := TaskOf(c)
	if err == nil {
		inside.Order = aftersales.Masked(inside.Order)
		c.Detail, err = json.Marshal(inside)
	}
	if err != nil {
		c.Detail = nil
	}
	return c
}

// mirror writes what is inside of a case where desks look.
func (u *Unit) mirror(c *Case, inside *aftersales.Case) (err error) {
	c.State, c.Owner, c.Due = string(inside.State), inside.Owner(), nil
	if due := inside.Now().Due; !due.IsZero() && !inside.State.Ended() {
		c.Due = &due
	}
	if late := inside.BreachedAt(); c.BreachedAt == nil && !late.IsZero() {
		c.BreachedAt = &late
	}
	if inside.State.Ended() && c.ClosedAt == nil {
		c.ClosedAt = &u.Now
	}
	if c.Detail, err = json.Marshal(inside); err != nil {
		return fmt.Errorf("encoding an after-sales case: %w", err)
	}
	return nil
}

// SpendOrder refuses, as an *aftersales.RefusalError, to pay back what a case is granted beside what its order's other cases were paid, or may
// have been.
func (u *Unit) SpendOrder(ctx context.Context, id string, c *aftersales.Case) error {
	return u.ofOrder(ctx, id, c, c.Pay)
}

// ofOrder locks the order of a case and asks whether it goes with the order's other cases. Of one that is cancelled all is paid back.
func (u *Unit) ofOrder(ctx context.Context, id string, c *aftersales.Case, goes func(others []aftersales.Case) error) error {
	number := c.Application.Order.Number
	if err := u.OrderLock(ctx, number); err != nil {
		return fmt.Errorf("locking an order: %w", err)
	}
	asked, err := u.OrderAsked(ctx, number)
	if err != nil {
		return fmt.Errorf("looking for what is asked of an order: %w", err)
	}
	if asked.Cancelled {
		return orderCancelled()
	}
	others, err := u.casesOf(ctx, number, id)
	if err != nil {
		return err
	}
	return goes(others)
}

// casesOf are the after-sales cases of an order but for one.
func (u *Unit) casesOf(ctx context.Context, number, but string) ([]aftersales.Case, error) {
	rows, err := u.CasesOfOrder(ctx, number, but)
	if err != nil {
		return nil, fmt.Errorf("reading the cases of an order: %w", err)
	}
	cases := make([]aftersales.Case, len(rows))
	for i, row := range rows {
		if err := json.Unmarshal(row, &cases[i]); err != nil {
			return nil, fmt.Errorf("decoding an after-sales case: %w", err)
		}
	}
	return cases, nil
}

// reported notes an effect of which somebody says that it is done.
func (u *Unit) reported(ctx context.Context, id string, c *aftersales.Case, operation aftersales.Operation) error {
	effect := c.Effect(operation)
	key := effect.Key
	if key == "" {
		key = EffectKey(id, operation, effect.Attempt)
		effect.Key = key
	}
	if operation == aftersales.OperationRefund {
		if err := u.SpendOrder(ctx, id, c); err != nil {
			return err
		}
	}
	_, err := u.CaseEffectBegin(ctx, db.CaseEffectBeginParams{
		Key: key, CaseID: id, Operation: string(operation), OrderNumber: c.Application.Order.Number, Amount: effect.Amount, State: string(effect.State),
		Body: []byte{}, Reference: effect.Reference, At: u.Now,
	})
	if errors.Is(err, pgx.ErrNoRows) {
		err = u.CaseEffectSettle(ctx, string(effect.State), effect.Reference, u.Now, key)
	}
	if err != nil {
		return fmt.Errorf("noting what was done for a case: %w", err)
	}
	return nil
}
