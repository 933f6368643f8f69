package aftersales

import (
	"strings"
	"time"
)

// Spent is what was paid back to the case or may have been, in fen, less what came back.
func (c *Case) Spent() int64 {
	if c.Refund == nil || c.Refund.State != EffectDone && c.Refund.State != EffectSending && c.Refund.State != EffectPending {
		return 0
	}
	if c.Reversal != nil && c.Reversal.State == EffectDone {
		return c.Refund.Amount - c.Reversal.Amount
	}
	return c.Refund.Amount
}

// Granted is Spent, or what the case was promised and is still to be paid. A case that ends unpaid gives it back, and so does a refund
// that was refused: it is granted anew to who tries it again.
func (c *Case) Granted() int64 {
	spent := c.Spent()
	switch {
	case spent > 0 || c.State.Ended() || c.State.lost() || c.Decision.Outcome != OutcomeApproved || c.Decision.Remedy != RemedyRefund:
		return spent
	case c.Refund == nil:
		return c.Decision.Amount
	case c.Refund.State == EffectWaiting || c.Refund.State == EffectByHand:
		return c.Refund.Amount
	default:
		return 0
	}
}

// Grant refuses what the case is granted where it goes beyond what the other cases of its order leave, of what was paid for it.
func (c *Case) Grant(others []Case) error { return c.within(others, c.Granted(), (*Case).Granted) }

// GrantAtOnce is Grant for what the policy pays without a review: with what the order's other cases are granted it has to be within the
// policy's amounts, too. Who asks for an order in parts gets no more at once than who asks for it as a whole.
func (c *Case) GrantAtOnce(others []Case, p Policy, tier string, now time.Time) error {
	if err := c.Grant(others); err != nil {
		return err
	}
	whole := c.Application
	whole.Amount = c.Granted()
	for i := range others {
		whole.Amount += others[i].Granted()
	}
	if d := Decide(p, whole, tier, now); d.Outcome != OutcomeApproved || d.GoodsBack != c.Decision.GoodsBack {
		return refuse("AmountTooHigh", "with its other cases %s yuan of the order are granted, which is too much to pay them at once, or to leave the goods", yuan(whole.Amount))
	}
	return nil
}

// Pay refuses the refund that the case is granted where it goes beyond what was not paid back yet. It passes all that Grant has, unless
// another case has said since that less was paid for the order.
func (c *Case) Pay(others []Case) error { return c.within(others, c.Refund.Amount, (*Case).Spent) }

// GrantFreight refuses to pay back the freight of a parcel where another case of the order does: one parcel may bring the goods of several.
func (c *Case) GrantFreight(others []Case) error {
	for i := range others {
		other := &others[i]
		if other.compensates() && c.Parcel != nil && other.Parcel != nil && strings.EqualFold(c.Parcel.Tracking, other.Parcel.Tracking) {
			return refuse("FreightTwice", "another case of the order pays back the freight of the same parcel: accept with freightAmount 0")
		}
	}
	return nil
}

// compensates says whether the case pays back the freight of its parcel, or did; where somebody waived that it does not.
func (c *Case) compensates() bool {
	paid := c.Freight != nil && c.Freight.State == EffectDone
	return c.Decision.FreightAmount > 0 && (paid || c.State != StateSettled && !c.State.Ended())
}

// within refuses an amount that is more than what the other cases of the order leave, counted so. Where the cases disagree on what was paid
// the least counts, of those on which was decided for the customer: what somebody writes in an application, who may not even have the
// order, holds up nobody.
func (c *Case) within(others []Case, amount int64, count func(*Case) int64) error {
	paid, taken := c.Application.Order.Paid, int64(0)
	for i := range others {
		other := &others[i]
		taken += count(other)
		if other.Decision.Outcome == OutcomeApproved && !other.State.lost() || other.Spent() > 0 {
			paid = min(paid, other.Application.Order.Paid)
		}
	}
	if left := max(0, paid-taken); amount > left {
		return refuse("AmountTooHigh", "of the %s yuan paid for the order %s are left to pay back, not %s: look at its other cases", yuan(paid), yuan(left), yuan(amount))
	}
	return nil
}

// lost says whether a case ended in the state without what it asked for, or will.
func (s State) lost() bool {
	return s == StateSendingBack || s == StateRefused || s == StateWithdrawn || s == StateExpired
}
