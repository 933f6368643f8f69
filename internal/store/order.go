package store

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/yingda-dev/yingda/internal/domain/aftersales"
	"github.com/yingda-dev/yingda/internal/domain/history"
	"github.com/yingda-dev/yingda/internal/domain/order"
	"github.com/yingda-dev/yingda/internal/promise"
	"github.com/yingda-dev/yingda/internal/store/db"
)

// OpenOrder writes a case that has something done to an order, and starts its process. Of one that exists it returns what it is now, and
// fresh is false. What may not be asked is an *aftersales.RefusalError. Address is of a change of it.
func (u *Unit) OpenOrder(ctx context.Context, in promise.OrderInput, address *order.Address, t Taking) (now Case, fresh bool, err error) {
	if err := order.Check(in.Order, in.Operation, address); err != nil {
		return Case{}, false, err
	}
	// The conversation, then the order, as for after-sales cases.
	if err := u.lockConversationOf(ctx, &in.Conversation); err != nil {
		return Case{}, false, err
	}
	if err := u.OrderLock(ctx, in.Order); err != nil {
		return Case{}, false, fmt.Errorf("locking an order: %w", err)
	}
	asked, err := u.OrderAsked(ctx, in.Order)
	if err != nil {
		return Case{}, false, fmt.Errorf("looking for what is asked of an order: %w", err)
	}
	inside := order.Open(in.Order, in.Operation, in.OpenedBy, in.StartedAt)
	c := Case{
		ID: in.ID, Kind: promise.CaseOrder, Title: order.Title(in.Operation), Conversation: &in.Conversation, Channel: in.Channel,
		Customer: in.Customer, SkillGroup: in.SkillGroup, OpenedAt: in.StartedAt, Due: &in.Due,
	}
	if err := u.mirrorOrder(&c, &inside); err != nil {
		return Case{}, false, err
	}
	if now, fresh, err = u.OpenCase(ctx, c, t); err != nil || !fresh {
		return now, false, err
	}
	if err := u.askable(ctx, &inside, asked); err != nil {
		return Case{}, false, err
	}
	if address != nil {
		if err := u.CaseAddressAdd(ctx, in.ID, address.Recipient, address.Phone, address.Address); err != nil {
			return Case{}, false, fmt.Errorf("writing an address: %w", err)
		}
	}
	return now, true, u.StartWorkflow(ctx, in.ID, promise.OrderWorkflow, in)
}

// askable refuses what goes against what else was asked of the order, which is locked.
func (u *Unit) askable(ctx context.Context, c *order.Case, asked db.OrderAskedRow) error {
	switch {
	case asked.Cancelled:
		return orderCancelled()
	case asked.Busy:
		return &aftersales.RefusalError{Reason: "UnderWay", Message: "something is under way with the order already: wait until that is answered"}
	case c.Wanted != order.OperationCancel:
		return nil
	}
	others, err := u.casesOf(ctx, c.Order, "")
	if err != nil {
		return err
	}
	for i := range others {
		if others[i].Granted() > 0 {
			return &aftersales.RefusalError{Reason: "MoneyGranted", Message: "an after-sales case of the order grants money: cancelling would pay it twice"}
		}
	}
	return nil
}

func orderCancelled() error {
	return &aftersales.RefusalError{Reason: "OrderCancelled", Message: "the order is cancelled, or may be, and paid back with that: look at its other cases"}
}

// ActOnOrder does something to such a case, and tells its process. An act of that ID that was done before changes nothing, and fresh is
// false. What may not be done is an *aftersales.RefusalError.
func (u *Unit) ActOnOrder(ctx context.Context, id string, act aftersales.Act, tell ...string) (now Case, fresh bool, err error) {
	now, fresh, err = u.TakeOrder(ctx, id, act, tell...)
	if err != nil || !fresh {
		return now, fresh, err
	}
	return now, true, u.SignalWorkflow(ctx, id, promise.SignalAct, act)
}

// TakeOrder is ActOnOrder for the process itself.
func (u *Unit) TakeOrder(ctx context.Context, id string, act aftersales.Act, tell ...string) (now Case, fresh bool, err error) {
	t := Taking{Step: "act/" + act.ID, Action: history.Action(act.Action), Actor: act.By, Note: act.Said(), Tell: tell}
	return u.ChangeOrder(ctx, id, t, func(c *order.Case) error { return c.Act(act, u.Now) })
}

// ChangeOrder is ChangeCase for what is inside of such a case.
func (u *Unit) ChangeOrder(ctx context.Context, id string, t Taking, change func(c *order.Case) error) (now Case, fresh bool, err error) {
	return u.ChangeCase(ctx, id, t, func(c *Case) error {
		inside, err := OrderOf(*c)
		if err != nil {
			return err
		}
		if err := change(&inside); err != nil {
			return err
		}
		return u.mirrorOrder(c, &inside)
	})
}

// OrderOf is what is inside of a case that has something done to an order.
func OrderOf(c Case) (inside order.Case, err error) {
	if c.Kind != promise.CaseOrder {
		return inside, fmt.Errorf("the case is of the kind %s, not %s", c.Kind, promise.CaseOrder)
	}
	if err := json.Unmarshal(c.Detail, &inside); err != nil {
		return inside, fmt.Errorf("decoding what is asked of an order: %w", err)
	}
	return inside, nil
}

// mirrorOrder writes what is inside of a case where desks look.
func (u *Unit) mirrorOrder(c *Case, inside *order.Case) (err error) {
	c.State, c.Owner = string(inside.State), inside.Owner
	if inside.State.Ended() {
		c.Due, c.Owner = nil, ""
		if c.ClosedAt == nil {
			c.ClosedAt = &u.Now
		}
	}
	if c.Detail, err = json.Marshal(inside); err != nil {
		return fmt.Errorf("encoding what is asked of an order: %w", err)
	}
	return nil
}
