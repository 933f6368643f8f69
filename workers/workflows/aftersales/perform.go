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
	"github.com/yingda-dev/yingda/internal/domain/history"
	"github.com/yingda-dev/yingda/internal/provider"
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

// performed is what is inside of a case of which something is done outside.
type performed interface {
	Operation() rules.Operation
	Attempt() (number int, state rules.EffectState)
	Effect(o rules.Operation) *rules.Effect
	Settle(to rules.Effect) bool
}

// kind is how cases of one kind have something done.
type kind[C performed] struct {
	change func(u *store.Unit, ctx context.Context, id string, t store.Taking, f func(c C) error) (now store.Case, fresh bool, err error)
	inside func(c store.Case) (C, error)
	// told is what the provider is told of a case that is locked. What must not be done is a *rules.RefusalError.
	told func(ctx context.Context, u *store.Unit, p Performing, key string, c C) (told, error)
}

// told is what the provider is told about an order, and what that costs.
type told struct {
	order  string
	amount int64
	body   any
}

// Perform has the provider do the operation of the case's state, at most once whatever happens:
//
//	waiting --the row, committed--> sending --POST, the same key and bytes each time--> done, refused
//	                                   |                                          \--> pending --GET--> done, refused
//	                                   +-- the worker dies here, or the answer is lost: it runs again, and the provider knows the key
//
// While the provider is away, or thinks, it is run again by Temporal. Without a provider the operation is left to somebody's hands.
func (a *Activities) Perform(ctx context.Context, p Performing) (Standing, error) {
	return afterSalesCases().perform(ctx, a, p)
}

func afterSalesCases() kind[*rules.Case] {
	return kind[*rules.Case]{
		change: (*store.Unit).ChangeAfterSales,
		inside: func(c store.Case) (*rules.Case, error) {
			inside, err := store.AfterSalesOf(c)
			return &inside, err
		},
		told: func(ctx context.Context, u *store.Unit, p Performing, key string, c *rules.Case) (told, error) {
			if p.Operation == rules.OperationRefund {
				if err := u.SpendOrder(ctx, p.Case.ID, c); err != nil {
					return told{}, err
				}
			}
			return told{c.Application.Order.Number, c.Effect(p.Operation).Amount, orderOf(p, key, c)}, nil
		},
	}
}

func (k kind[C]) perform(ctx context.Context, a *Activities, p Performing) (Standing, error) {
	program := a.Provider()
	now, effect, err := k.begin(ctx, a, p, program)
	if err != nil || effect == nil {
		if err != nil {
			return Standing{}, err
		}
		return standingOf(now)
	}
	if program == nil {
		return Standing{}, temporal.NewApplicationError("the Brand declares no provider any more, which may have done what it was told", errorFailed)
	}
	var heard provider.Answer
	if effect.State == string(rules.EffectPending) {
		// One that forgot what it took is never told again: it may have done it.
		heard, err = program.Ask(ctx, effect.Key)
	} else {
		heard, err = program.Tell(ctx, effect.Key, effect.Body)
	}
	if err != nil {
		a.Metrics.calls.WithLabelValues(string(p.Operation), callFailed).Inc()
		a.Logger.Warn("The provider could not be told what to do; it is told again", "error", err, "operation", string(p.Operation), "case", p.Case.ID)
		return Standing{}, temporal.NewApplicationError("the provider could not be told, or its answer not be understood", errorFailed)
	}
	return k.settle(ctx, a, p, effect, heard)
}

// begin commits that the provider may be told, and returns what it is told; nil where it need not be.
func (k kind[C]) begin(ctx context.Context, a *Activities, p Performing, program *provider.Provider) (now store.Case, effect *db.CaseEffect, err error) {
	key := store.EffectKey(p.Case.ID, p.Operation, p.Attempt)
	err = a.do(ctx, func(ctx context.Context, u *store.Unit) error {
		var begun rules.Effect
		taking := store.Taking{
			Step: "begin/" + key, Said: func() (history.Action, string) { return said(p.Operation, begun) }, Tell: a.Directory.GroupAgents(p.Case.SkillGroup),
		}
		now, _, err = k.change(u, ctx, p.Case.ID, taking, func(c C) error {
			if attempt, state := c.Attempt(); c.Operation() != p.Operation || attempt != p.Attempt || state != rules.EffectWaiting {
				return errUnchanged
			}
			if program == nil {
				c.Settle(rules.Effect{State: rules.EffectByHand, At: u.Now})
			} else if err := k.beginNow(ctx, u, p, key, c); err != nil {
				return err
			}
			begun = *c.Effect(p.Operation)
			return nil
		})
		return err
	})
	if errors.Is(err, errUnchanged) {
		now, err = a.read(ctx, p.Case.ID)
	}
	if err != nil {
		return now, nil, err
	}
	inside, err := k.inside(now)
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
func (k kind[C]) beginNow(ctx context.Context, u *store.Unit, p Performing, key string, c C) error {
	what, err := k.told(ctx, u, p, key, c)
	if refusal, refused := errors.AsType[*rules.RefusalError](err); refused {
		c.Settle(rules.Effect{State: rules.EffectRefused, Reason: refusal.Message, At: u.Now})
		return nil
	}
	if err != nil {
		return err
	}
	body, err := json.Marshal(what.body)
	if err != nil {
		return fmt.Errorf("writing what the provider is told: %w", err)
	}
	c.Settle(rules.Effect{State: rules.EffectSending, Key: key, At: u.Now})
	_, err = u.CaseEffectBegin(ctx, db.CaseEffectBeginParams{
		Key: key, CaseID: p.Case.ID, Operation: string(p.Operation), OrderNumber: what.order, Amount: what.amount,
		State: string(rules.EffectSending), Body: body, At: u.Now,
	})
	if err != nil {
		return fmt.Errorf("noting that the provider may be told: %w", err)
	}
	return nil
}

// Order is what a provider is told, as JSON: the same bytes each time.
type Order struct {
	// Key is that of the header Idempotency-Key.
	Key       string          `json:"key"`
	Operation rules.Operation `json:"operation"`
	// Case is the case's id, Kind and Reason the application's.
	Case   string       `json:"case"`
	Kind   rules.Kind   `json:"kind"`
	Reason rules.Reason `json:"reason"`
	// Order is the order's number.
	Order string `json:"order"`
	// Amount in fen of refund, freight and reversal, Currency CNY.
	Amount   int64  `json:"amount,omitempty"`
	Currency string `json:"currency,omitempty"`
	// Items of a shipment; empty for what the order's case is about as a whole.
	Items []rules.Item `json:"items,omitempty"`
	// Refund is the reference of the refund that a reversal takes back.
	Refund string `json:"refund,omitempty"`
	// Tracking is that of the parcel in which the goods of a claim, or of freight, came back.
	Tracking string `json:"tracking,omitempty"`
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
	case rules.OperationClaim, rules.OperationFreight:
		if c.Parcel != nil {
			o.Tracking = c.Parcel.Tracking
		}
	case rules.OperationRefund, rules.OperationAddress, rules.OperationCancel:
	}
	return o
}

// settle writes down what the provider said.
func (k kind[C]) settle(ctx context.Context, a *Activities, p Performing, effect *db.CaseEffect, heard provider.Answer) (Standing, error) {
	to, outcome := rules.Effect{State: rules.EffectDone, Reference: heard.Reference, By: rules.ByProvider}, callDone
	switch {
	case heard.Refused:
		to, outcome = rules.Effect{State: rules.EffectRefused, Reason: heard.Reason}, callRefused
	case heard.State == "pending":
		to, outcome = rules.Effect{State: rules.EffectPending, Reference: heard.Reference}, callPending
	}
	var now store.Case
	err := a.do(ctx, func(ctx context.Context, u *store.Unit) (err error) {
		to.At = u.Now
		var settled rules.Effect
		taking := store.Taking{
			Step: string(to.State) + "/" + effect.Key, Actor: rules.ByProvider, Said: func() (history.Action, string) { return said(p.Operation, settled) },
			Tell: a.Directory.GroupAgents(p.Case.SkillGroup),
		}
		now, _, err = k.change(u, ctx, p.Case.ID, taking, func(c C) error {
			if attempt, _ := c.Attempt(); c.Operation() != p.Operation || attempt != p.Attempt || !c.Settle(to) {
				return errUnchanged
			}
			settled = *c.Effect(p.Operation)
			return u.CaseEffectSettle(ctx, string(to.State), heard.Reference, u.Now, effect.Key)
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

// said is what the case's history says of an operation.
func said(o rules.Operation, e rules.Effect) (history.Action, string) {
	action := history.ProviderTold
	switch e.State {
	case rules.EffectPending:
		action = history.ProviderPending
	case rules.EffectDone:
		action = history.ProviderDone
	case rules.EffectRefused:
		action = history.ProviderRefused
	case rules.EffectByHand:
		action = history.ByHand
	default:
	}
	return action, e.Said(o)
}

// askAfter is how long to wait after that many attempts.
func askAfter(attempts int32) time.Duration {
	after := askAgain
	for ; attempts > 1 && after < askAgainMost; attempts-- {
		after *= 2
	}
	return min(after, askAgainMost)
}
