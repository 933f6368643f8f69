package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/yingda-dev/yingda/internal/domain/aftersales"
	"github.com/yingda-dev/yingda/internal/promise"
	"github.com/yingda-dev/yingda/internal/store/db"
)

// AfterSalesKey is by what an attempt at an operation of a case is known, at the provider as well.
func AfterSalesKey(id string, operation aftersales.Operation, attempt int) string {
	return fmt.Sprintf("%s/%s/%d", id, operation, attempt)
}

// OpenAfterSales writes a new after-sales case, decided on by its terms, and tells of it; its process starts after the commit. Of one
// that exists it returns what it is now, and fresh is false. An application that is wrong is an *aftersales.RefusalError.
func (u *Unit) OpenAfterSales(ctx context.Context, in promise.AfterSalesInput, t Taking) (now Case, fresh bool, err error) {
	now, fresh, err = u.RecordAfterSales(ctx, in, t)
	if err != nil || !fresh {
		return now, fresh, err
	}
	return now, true, u.StartWorkflow(ctx, in.ID, promise.AfterSalesWorkflow, in)
}

// RecordAfterSales is OpenAfterSales for the process itself.
func (u *Unit) RecordAfterSales(ctx context.Context, in promise.AfterSalesInput, t Taking) (now Case, fresh bool, err error) {
	if err := in.Application.Check(); err != nil {
		return Case{}, false, err
	}
	decision := aftersales.Decide(in.Terms.Policy, in.Application, in.Tier, in.StartedAt)
	inside := aftersales.Open(in.Application, decision, in.OpenedBy, in.StartedAt)
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
// and fresh is false. What may not be done is an *aftersales.RefusalError; a case that does not exist is pgx.ErrNoRows.
func (u *Unit) ActOnAfterSales(ctx context.Context, id string, act aftersales.Act, tell ...string) (now Case, fresh bool, err error) {
	now, fresh, err = u.TakeAfterSales(ctx, id, act, tell...)
	if err != nil || !fresh {
		return now, fresh, err
	}
	return now, true, u.SignalWorkflow(ctx, id, promise.SignalAct, act)
}

// TakeAfterSales is ActOnAfterSales for the process itself.
func (u *Unit) TakeAfterSales(ctx context.Context, id string, act aftersales.Act, tell ...string) (now Case, fresh bool, err error) {
	t := Taking{Step: "act/" + act.ID, Actor: act.By, Note: act.Note, Tell: tell}
	return u.ChangeAfterSales(ctx, id, t, func(c *aftersales.Case) error {
		operation := c.Operation()
		if err := c.Act(act, u.Now); err != nil {
			return err
		}
		if effect := c.Effect(operation); effect != nil && effect.State == aftersales.EffectDone {
			return u.reported(ctx, id, c, operation)
		}
		grants := act.Action == aftersales.ActionApprove || act.Action == aftersales.ActionRefundInstead
		if grants && c.Decision.Remedy == aftersales.RemedyRefund {
			// Before somebody pays by hand what another case of the order paid already.
			return u.SpendOrder(ctx, c.Application.Order.Number, AfterSalesKey(id, aftersales.OperationRefund, 1), c.Decision.Amount)
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
	// The order before the case, whichever of its cases that is: two who lock in another order would wait for each other.
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

// SpendOrder says whether so much may be paid back for an order, beside all that was or may have been; the unit has locked the order. What
// may not is an *aftersales.RefusalError.
func (u *Unit) SpendOrder(ctx context.Context, order, key string, amount int64) error {
	row, err := u.OrderSpent(ctx, order, key)
	if err != nil {
		return fmt.Errorf("reading what was paid back for an order: %w", err)
	}
	if left := row.Paid - row.Spent; amount > left {
		return &aftersales.RefusalError{
			Reason:  "AmountTooHigh",
			Message: fmt.Sprintf("of the %d fen paid for the order %d are left to pay back, not %d: look at the other cases of the order", row.Paid, max(0, left), amount),
		}
	}
	return nil
}

// reported notes an effect of which somebody says that it is done.
func (u *Unit) reported(ctx context.Context, id string, c *aftersales.Case, operation aftersales.Operation) error {
	effect := c.Effect(operation)
	key := effect.Key
	if key == "" {
		key = AfterSalesKey(id, operation, effect.Attempt)
		effect.Key = key
	}
	order := c.Application.Order.Number
	if operation == aftersales.OperationRefund {
		if err := u.SpendOrder(ctx, order, key, effect.Amount); err != nil {
			return err
		}
	}
	_, err := u.CaseEffectBegin(ctx, db.CaseEffectBeginParams{
		Key: key, CaseID: id, Operation: string(operation), OrderNumber: order, Amount: effect.Amount, State: string(effect.State),
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
