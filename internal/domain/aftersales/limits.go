package aftersales

import "time"

// Limit is how long the step that a case is in may take.
type Limit struct {
	// From is when it begins to count.
	From time.Time
	// Within is its length, of the time in which the SkillGroup is open where Open says so.
	Within time.Duration
	Open   bool
	// WorkingDays is its length where that is counted in these; 0 where it is not.
	WorkingDays int
}

// Limit of the step that the case is in; false for an end.
func (c *Case) Limit(l Limits) (Limit, bool) {
	now := c.Now()
	always := func(seconds int64) (Limit, bool) {
		return Limit{From: now.EnteredAt, Within: time.Duration(seconds) * time.Second}, true
	}
	switch c.State {
	case StateReview:
		return Limit{From: now.EnteredAt, Within: time.Duration(l.Review) * time.Second, Open: true}, true
	case StateEvidence:
		return always(l.Evidence)
	case StateReturning:
		return always(l.Return)
	case StateReceived:
		if c.Decision.Remedy == RemedyRefund && c.Refund == nil {
			// One limit for looking at the goods and paying for them.
			return Limit{From: now.EnteredAt, WorkingDays: int(l.RefundAfterReceiptWorkingDays)}, true
		}
		return always(l.Inspect)
	case StateRefunding:
		if received := c.before(); received.State == StateReceived {
			return Limit{From: received.EnteredAt, WorkingDays: int(l.RefundAfterReceiptWorkingDays)}, true
		}
		return always(l.RefundAfterApproval)
	case StateCompensating:
		return always(l.RefundAfterApproval)
	case StateShipping:
		if c.before().State == StateReceived {
			return always(l.Resend)
		}
		return always(l.Reissue)
	case StateSendingBack:
		return always(l.Resend)
	case StateClaiming, StateUndoing:
		return always(l.Claim)
	case StateSettled:
		return always(l.FollowUp)
	case StateDone, StateRefused, StateWithdrawn, StateExpired:
		return Limit{}, false
	default:
		return Limit{}, false
	}
}

// before is the step before the one that the case is in; empty for none.
func (c *Case) before() Step {
	if len(c.Steps) < 2 {
		return Step{}
	}
	return c.Steps[len(c.Steps)-2]
}

// Waits says whether neither money nor goods are owed in the state: the customer has to do something, or all is done and somebody has to
// ask whether it is well. Such a wait does not count towards the overall limit, and ends by itself one day; not that for goods that are
// OnTheWay.
func (s State) Waits() bool { return s.OfTheCustomer() || s == StateSettled }

// OnTheWay says whether the customer has sent the goods that are waited for: where they do not come, the shop has to look for them.
func (c *Case) OnTheWay() bool { return c.State == StateReturning && c.Parcel != nil }

// SetDue notes until when a step has to be done.
func (c *Case) SetDue(due time.Time) { c.change(func(s *Step) { s.Due = due }) }

// Remind notes that the owner of the step was reminded.
func (c *Case) Remind(at time.Time) { c.change(func(s *Step) { s.RemindedAt = at }) }

// Breach notes that the step is late.
func (c *Case) Breach(at time.Time) { c.change(func(s *Step) { s.BreachedAt = at }) }

// Escalate notes that a rung was climbed because the step is late.
func (c *Case) Escalate(rung int) { c.change(func(s *Step) { s.Escalated = rung }) }

// change changes the step that the case is in.
func (c *Case) change(f func(s *Step)) { f(c.Now()) }
