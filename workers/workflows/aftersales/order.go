package aftersales

import (
	"context"
	"errors"
	"fmt"

	rules "github.com/yingda-dev/yingda/internal/domain/aftersales"
	"github.com/yingda-dev/yingda/internal/domain/order"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/workers/workflows/deadline"
)

// OrderChange is what a provider is told of an order that is to be sent elsewhere, or cancelled, as JSON: the same bytes each time.
type OrderChange struct {
	// Key is that of the header Idempotency-Key.
	Key       string          `json:"key"`
	Operation rules.Operation `json:"operation"`
	// Case is the case's id, Order the order's number.
	Case  string `json:"case"`
	Order string `json:"order"`
	// Address is the new one, of a change of it.
	Address *order.Address `json:"address,omitempty"`
}

// OrderPerform is Perform for what is asked of an order.
func (a *Activities) OrderPerform(ctx context.Context, p Performing) (Standing, error) {
	return orderCases().perform(ctx, a, p)
}

func orderCases() kind[*order.Case] {
	return kind[*order.Case]{
		change: (*store.Unit).ChangeOrder,
		inside: func(c store.Case) (*order.Case, error) {
			inside, err := store.OrderOf(c)
			return &inside, err
		},
		told: func(ctx context.Context, u *store.Unit, p Performing, key string, c *order.Case) (told, error) {
			change := OrderChange{Key: key, Operation: p.Operation, Case: p.Case.ID, Order: c.Order}
			if p.Operation == order.OperationAddress {
				row, err := u.CaseAddressGet(ctx, p.Case.ID)
				if err != nil {
					return told{}, fmt.Errorf("reading an address: %w", err)
				}
				change.Address = &order.Address{Recipient: row.Recipient, Phone: row.Phone, Address: row.Address}
			}
			return told{order: c.Order, body: change}, nil
		},
	}
}

// OrderTake is Take for what is asked of an order.
func (a *Activities) OrderTake(ctx context.Context, t Taking) (Taken, error) {
	return a.take(ctx, t, (*store.Unit).TakeOrder)
}

// OrderLate does what is to be done of what is nearly due, or late.
func (a *Activities) OrderLate(ctx context.Context, l Lateness) (Standing, error) {
	taking, called := a.lateStep(l)
	var now store.Case
	var fresh bool
	err := a.do(ctx, func(ctx context.Context, u *store.Unit) (err error) {
		now, fresh, err = u.ChangeCase(ctx, l.Case.ID, taking, func(c *store.Case) error {
			if c.ClosedAt != nil {
				return errUnchanged
			}
			if l.Deadline.Kind == deadline.Breach && c.BreachedAt == nil {
				c.BreachedAt = &l.Deadline.At
			}
			return nil
		})
		return err
	})
	if errors.Is(err, errUnchanged) {
		now, err = a.read(ctx, l.Case.ID)
	}
	if err != nil {
		return Standing{}, err
	}
	if fresh {
		a.taken(l, called)
	}
	return standingOf(now)
}

// OrderTell tells the customer, once, what became of what they asked for.
func (a *Activities) OrderTell(ctx context.Context, t Telling) error {
	now, n, err := a.orderNews(ctx, t)
	if err != nil {
		return err
	}
	return a.reach(ctx, t.Case, now, n.name, n.words, n.location)
}

// OrderUntold is Untold for what is asked of an order.
func (a *Activities) OrderUntold(ctx context.Context, t Telling) error {
	now, n, err := a.orderNews(ctx, t)
	if err != nil {
		return err
	}
	return a.giveUp(ctx, t.Case, now, n)
}

func (a *Activities) orderNews(ctx context.Context, t Telling) (now store.Case, n news, err error) {
	if now, err = a.read(ctx, t.Case.ID); err != nil {
		return now, n, err
	}
	inside, err := store.OrderOf(now)
	if err != nil {
		return now, n, err
	}
	return now, news{name: "told", words: inside.Words(), location: (&rules.Policy{TimeZone: t.TimeZone}).Location()}, nil
}
