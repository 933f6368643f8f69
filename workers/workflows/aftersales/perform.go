package aftersales

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"

	rules "github.com/yingda-dev/yingda/internal/domain/aftersales"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/store/db"
)

// The types of errors after which Temporal runs Perform again.
const (
	errorPending = "ProviderPending"
	errorFailed  = "ProviderFailed"
)

// askAgain is how soon the provider is asked again what became of what it took, doubling up to askAgainMost.
const askAgain, askAgainMost = 2 * time.Second, 5 * time.Minute

// Perform has the provider do the operation of the case's state, at most once whatever happens:
//
//	waiting --the row, committed--> sending --POST, the same key and bytes each time--> done, refused
//	                                   |                                          \--> pending --GET--> done, refused
//	                                   +-- the worker dies here, or the answer is lost: it runs again, and the provider knows the key
//
// While the provider is away, or thinks, it is run again by Temporal. Without a provider the operation is left to somebody's hands.
func (a *Activities) Perform(ctx context.Context, p Performing) (Standing, error) {
	provider := a.Provider()
	now, effect, err := a.begin(ctx, p, provider)
	if err != nil || effect == nil {
		if err != nil {
			return Standing{}, err
		}
		return standingOf(now)
	}
	if provider == nil {
		return Standing{}, temporal.NewApplicationError("the Brand declares no provider any more, which may have done what it was told", errorFailed)
	}
	var said answer
	if effect.State == string(rules.EffectPending) {
		// One that forgot what it took is never told again: it may have done it.
		said, err = provider.ask(ctx, effect.Key)
	} else {
		said, err = provider.order(ctx, effect.Key, effect.Body)
	}
	if err != nil {
		a.Metrics.calls.WithLabelValues(string(p.Operation), callFailed).Inc()
		a.Logger.Warn("The provider could not be told what to do; it is told again", "error", err, "operation", string(p.Operation), "case", p.Case.ID)
		return Standing{}, temporal.NewApplicationError("the provider could not be told, or its answer not be understood", errorFailed)
	}
	return a.settle(ctx, p, effect, said)
}

// begin commits that the provider may be told, and returns what it is told; nil where it need not be.
func (a *Activities) begin(ctx context.Context, p Performing, provider *Provider) (now store.Case, effect *db.CaseEffect, err error) {
	key := store.AfterSalesKey(p.Case.ID, p.Operation, p.Attempt)
	err = a.do(ctx, func(ctx context.Context, u *store.Unit) error {
		effect = nil
		taking := store.Taking{Step: "begin/" + key, Tell: a.Directory.GroupAgents(p.Case.SkillGroup)}
		now, _, err = u.ChangeAfterSales(ctx, p.Case.ID, taking, func(c *rules.Case) error {
			if attempt, state := c.Attempt(); c.Operation() != p.Operation || attempt != p.Attempt || state != rules.EffectWaiting {
				return errUnchanged
			}
			if provider == nil {
				c.LeaveByHand(u.Now)
				return nil
			}
			return a.beginNow(ctx, u, p, key, c)
		})
		return err
	})
	if errors.Is(err, errUnchanged) {
		now, err = a.read(ctx, p.Case.ID)
	}
	if err != nil {
		return now, nil, err
	}
	inside, err := store.AfterSalesOf(now)
	if err != nil {
		return now, nil, err
	}
	attempt, state := inside.Attempt()
	if inside.Operation() != p.Operation || attempt != p.Attempt || state != rules.EffectSending && state != rules.EffectPending {
		return now, nil, nil
	}
	row, err := a.Store.Queries().CaseEffectGet(ctx, key)
	if err != nil {
		return now, nil, fmt.Errorf("reading what the provider is told: %w", err)
	}
	return now, &row, nil
}

// beginNow is begin for the first time, with order and case locked.
func (a *Activities) beginNow(ctx context.Context, u *store.Unit, p Performing, key string, c *rules.Case) error {
	amount := c.Effect(p.Operation).Amount
	if p.Operation == rules.OperationRefund {
		err := u.SpendOrder(ctx, c.Application.Order.Number, key, amount)
		if refusal, refused := errors.AsType[*rules.RefusalError](err); refused {
			c.Refuse(refusal.Message, u.Now)
			return nil
		}
		if err != nil {
			return err
		}
	}
	body, err := json.Marshal(orderOf(p, key, c))
	if err != nil {
		return fmt.Errorf("writing what the provider is told: %w", err)
	}
	c.Begin(key, u.Now)
	_, err = u.CaseEffectBegin(ctx, db.CaseEffectBeginParams{
		Key: key, CaseID: p.Case.ID, Operation: string(p.Operation), OrderNumber: c.Application.Order.Number, Amount: amount,
		State: string(rules.EffectSending), Body: body, At: u.Now,
	})
	if err != nil {
		return fmt.Errorf("noting that the provider may be told: %w", err)
	}
	return nil
}

func orderOf(p Performing, key string, c *rules.Case) Order {
	o := Order{
		Key: key, Operation: p.Operation, Case: p.Case.ID, Kind: c.Application.Kind, Reason: c.Application.Reason, Order: c.Application.Order.Number,
		Amount: c.Effect(p.Operation).Amount,
	}
	if o.Amount > 0 {
		o.Currency = "CNY"
	}
	switch p.Operation {
	case rules.OperationShipment:
		o.Items = c.Application.Order.Items
	case rules.OperationReversal:
		o.Refund = c.Refund.Reference
	case rules.OperationClaim:
		if c.Parcel != nil {
			o.Tracking = c.Parcel.Tracking
		}
	case rules.OperationRefund:
	}
	return o
}

// settle writes down what the provider said.
func (a *Activities) settle(ctx context.Context, p Performing, effect *db.CaseEffect, said answer) (Standing, error) {
	state, outcome := rules.EffectDone, callDone
	switch {
	case said.refused:
		state, outcome = rules.EffectRefused, callRefused
	case said.State == "pending":
		state, outcome = rules.EffectPending, callPending
	}
	var now store.Case
	err := a.do(ctx, func(ctx context.Context, u *store.Unit) (err error) {
		taking := store.Taking{
			Step: string(state) + "/" + effect.Key, Actor: rules.ByProvider, Note: said.Reason, Tell: a.Directory.GroupAgents(p.Case.SkillGroup),
		}
		now, _, err = u.ChangeAfterSales(ctx, p.Case.ID, taking, func(c *rules.Case) error {
			if attempt, _ := c.Attempt(); c.Operation() != p.Operation || attempt != p.Attempt {
				return errUnchanged
			}
			var changed bool
			switch state {
			case rules.EffectDone:
				changed = c.Done(said.Reference, u.Now)
			case rules.EffectRefused:
				changed = c.Refuse(said.Reason, u.Now)
			default:
				changed = c.Pending(said.Reference, u.Now)
			}
			if !changed {
				return errUnchanged
			}
			return u.CaseEffectSettle(ctx, string(state), said.Reference, u.Now, effect.Key)
		})
		return err
	})
	if errors.Is(err, errUnchanged) {
		now, err = a.read(ctx, p.Case.ID)
	}
	if err != nil {
		return Standing{}, err
	}
	a.Metrics.calls.WithLabelValues(string(p.Operation), outcome).Inc()
	standing, err := standingOf(now)
	if err == nil && standing.Operation == p.Operation && standing.Effect == rules.EffectPending {
		return standing, temporal.NewApplicationErrorWithOptions("the provider has not done it yet", errorPending, temporal.ApplicationErrorOptions{
			NextRetryDelay: askAfter(activity.GetInfo(ctx).Attempt),
		})
	}
	return standing, err
}

// askAfter is how long to wait after that many attempts.
func askAfter(attempts int32) time.Duration {
	after := askAgain
	for ; attempts > 1 && after < askAgainMost; attempts-- {
		after *= 2
	}
	return min(after, askAgainMost)
}
