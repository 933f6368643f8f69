package aftersales

import (
	"cmp"
	"slices"
)

// compensable says whether so much of the freight may be paid back, and that somebody has said how much where the customer was promised it:
// goods may be here before the customer has named what they laid out.
func (c *Case) compensable(a Act) error {
	most := c.Decision.FreightLimit()
	switch {
	case a.FreightAmount != nil && *a.FreightAmount > most:
		return refuse("FreightTooHigh", "of the freight at most %s yuan are paid back", yuan(most))
	case a.FreightAmount == nil && most > 0:
		return refuse("FreightMissing", "the customer was asked to lay out the freight: accept needs freightAmount, from 0 to %d fen", most)
	default:
		return nil
	}
}

// comeBack says whether the goods come back once the case is approved so.
func (c *Case) comeBack(a Act) bool {
	return a.ReturnGoods || c.Decision.GoodsBack && !a.KeepGoods
}

// approvable says whether an approval's terms go together.
func (c *Case) approvable(a Act) error {
	switch {
	case a.KeepGoods && a.ReturnGoods:
		return refuse("Contradictory", "keepGoods and returnGoods are opposites: the goods come back or they do not")
	case a.Freight != "" && !slices.Contains(freights(), a.Freight):
		return refuse("BadFreight", "freight must be Buyer, Seller or Insurance")
	case a.Freight != "" && !c.comeBack(a):
		return refuse("Contradictory", "freight is of goods that come back, and none do: add returnGoods, or leave freight out")
	case c.Decision.Remedy == RemedyRefund:
		return c.affordable(cmp.Or(a.Amount, c.Decision.Amount))
	default:
		return nil
	}
}

// affordable says whether the amount may be paid back. What other cases of the order took is checked where the order is locked.
func (c *Case) affordable(amount int64) error {
	if amount < 1 || amount > c.Application.Order.Paid {
		return refuse("AmountTooHigh", "amount must be from 1 to the %d fen that were paid", c.Application.Order.Paid)
	}
	return nil
}

// otherwise says whether another amount than was decided on may be paid back, where an Agent names one: never more than was approved.
func (c *Case) otherwise(a Act) error {
	switch {
	case c.State != StateRefunding || a.Amount == 0 || a.By == ByProvider:
		return nil
	case a.Amount > c.Decision.Amount:
		return refuse("AmountTooHigh", "%s yuan were approved; pay back at most that", yuan(c.Decision.Amount))
	case a.Amount < c.Decision.Amount && a.Note == "":
		return refuse("NoteMissing", "%s of less than the %s yuan that were approved needs a note: why", a.Action, yuan(c.Decision.Amount))
	default:
		return c.affordable(a.Amount)
	}
}

// changeAmount pays back another amount than was decided on, where an Agent names one.
func (c *Case) changeAmount(a Act) {
	if c.State != StateRefunding || a.Amount == 0 || a.By == ByProvider {
		return
	}
	refund := *c.Refund
	refund.Amount, c.Decision.Amount = a.Amount, a.Amount
	c.Refund = &refund
}
