// Package aftersales decides what a customer gets who wants to return, exchange, be refunded or be sent something again, and what may
// be done next to such a case.
//
//	apply --> evidence --> review --> returning --> received --> refunding --> claiming or --> settled --> done
//	              \           \           \            \        or shipping  compensating         \
//	               \           \           +--undoing---+--> sendingBack --> refused              the customer is asked again
//	                +---------- + --> refused, withdrawn, expired
//
// Which of the states between review and settled a case goes through follows from its Decision: see Decision.path. With money before
// goods, refunding comes before returning; undoing gives it back where the goods then do not come. Goods that come and
// are rejected are sent back.
//
// The package is pure: it holds no clock and calls nobody. Invariants: a Case changes through its methods alone, and one that
// they refuse is as it was; a state that has ended has no action; money and goods move in refunding, shipping, claiming, compensating,
// undoing and sendingBack alone, and nothing else may be done while such an Effect is under way. Its types are written into histories and rows that outlive a release:
// fields are added and never renamed or given another meaning.
package aftersales

import (
	"time"

	"github.com/google/uuid"
)

// Kind is what the customer wants.
type Kind string

// The kinds of applications.
const (
	// Return sends the goods back and wants the money.
	Return Kind = "Return"
	// Exchange sends the goods back and wants others.
	Exchange Kind = "Exchange"
	// RefundOnly wants the money and has nothing to send back.
	RefundOnly Kind = "RefundOnly"
	// Reissue wants what was missing, wrong or broken.
	Reissue Kind = "Reissue"
)

// Reason is why the customer wants it.
type Reason string

// The reasons of applications.
const (
	NoReason    Reason = "NoReason"
	Quality     Reason = "Quality"
	WrongItem   Reason = "WrongItem"
	MissingItem Reason = "MissingItem"
	Damaged     Reason = "Damaged"
	Other       Reason = "Other"
)

// ofTheSeller says whether the seller answers for it.
func (r Reason) ofTheSeller() bool {
	return r == Quality || r == WrongItem || r == MissingItem || r == Damaged
}

// Source is who applied.
type Source string

// The sources of applications.
const (
	FromAgent    Source = "Agent"
	FromCustomer Source = "Customer"
	FromProvider Source = "Provider"
)

// Application is what the customer wants, why, and for what.
type Application struct {
	Kind   Kind   `json:"kind"`
	Reason Reason `json:"reason"`
	Order  Order  `json:"order"`
	// Amount is what the customer wants back, in fen; 0 is all that was paid.
	Amount int64 `json:"amount,omitempty"`
	// Description is in the customer's words.
	Description string     `json:"description,omitempty"`
	Evidence    []Evidence `json:"evidence,omitempty"`
	Source      Source     `json:"source"`
	Contact     Contact    `json:"contact,omitzero"`
}

// Contact is by what the customer can be told where the platform lets nothing through.
type Contact struct {
	// Email is an address that mail can be sent to; empty where the customer gave none.
	Email string `json:"email,omitempty"`
}

// Order is what was bought.
type Order struct {
	Number string `json:"number"`
	// Paid is what the customer paid for all of it, in fen.
	Paid int64 `json:"paid"`
	// Currency is CNY.
	Currency string `json:"currency"`
	// PaidAt and DeliveredAt are zero where that is not known, or has not happened.
	PaidAt      time.Time `json:"paidAt,omitzero"`
	DeliveredAt time.Time `json:"deliveredAt,omitzero"`
	// FreightInsured says that an insurance pays for sending the goods back.
	FreightInsured bool `json:"freightInsured,omitempty"`
	// Items that the application is about; empty for the whole order.
	Items []Item `json:"items,omitempty"`
}

// Item is one of the things that were bought.
type Item struct {
	Name string `json:"name"`
	// Category as the policy names it: custom, fresh.
	Category string `json:"category,omitempty"`
	Quantity int32  `json:"quantity,omitempty"`
}

// Evidence is something that the customer said or sent: a message of the conversation, or a file.
type Evidence struct {
	Message uuid.UUID `json:"message,omitzero"`
	Media   uuid.UUID `json:"media,omitzero"`
}

// State is where a case stands.
type State string

// The states of a case.
const (
	// StateEvidence waits for the customer's photos.
	StateEvidence State = "evidence"
	// StateReview waits for somebody to decide.
	StateReview State = "review"
	// StateReturning waits for the goods.
	StateReturning State = "returning"
	// StateReceived waits for somebody to look at the goods that came back.
	StateReceived State = "received"
	// StateRefunding pays back.
	StateRefunding State = "refunding"
	// StateShipping sends goods to the customer.
	StateShipping State = "shipping"
	// StateClaiming asks the insurance for the freight.
	StateClaiming State = "claiming"
	// StateCompensating pays back the freight that the customer laid out.
	StateCompensating State = "compensating"
	// StateUndoing gets back the money that was paid for goods that do not come.
	StateUndoing State = "undoing"
	// StateSendingBack gives goods back to the customer that were rejected. Somebody does it by hand: a provider that is told to send goods
	// sends others.
	StateSendingBack State = "sendingBack"
	// StateSettled has all that was owed; somebody asks the customer whether that is so.
	StateSettled State = "settled"

	// StateDone, StateRefused, StateWithdrawn and StateExpired are ends.
	StateDone      State = "done"
	StateRefused   State = "refused"
	StateWithdrawn State = "withdrawn"
	// StateExpired waited in vain for the customer.
	StateExpired State = "expired"
)

// States are all of them, in the order in which a case goes through them.
func States() []State {
	return []State{
		StateEvidence, StateReview, StateReturning, StateReceived, StateRefunding, StateShipping, StateClaiming, StateCompensating, StateUndoing,
		StateSendingBack, StateSettled, StateDone, StateRefused, StateWithdrawn, StateExpired,
	}
}

// Ended says whether nothing follows.
func (s State) Ended() bool {
	return s == StateDone || s == StateRefused || s == StateWithdrawn || s == StateExpired
}

// OfTheCustomer says whether it is the customer who has to do something.
func (s State) OfTheCustomer() bool { return s == StateEvidence || s == StateReturning }

// operation is what is done in the state by a provider or by hand; empty for most.
func (s State) operation() Operation {
	switch s {
	case StateRefunding:
		return OperationRefund
	case StateShipping:
		return OperationShipment
	case StateClaiming:
		return OperationClaim
	case StateCompensating:
		return OperationFreight
	case StateUndoing:
		return OperationReversal
	default:
		return ""
	}
}

// Operation is something that is done outside: by the Brand's provider, or by hand.
type Operation string

// The operations.
const (
	// OperationRefund pays the customer back.
	OperationRefund Operation = "refund"
	// OperationShipment sends goods to the customer.
	OperationShipment Operation = "shipment"
	// OperationClaim asks the freight insurance.
	OperationClaim Operation = "claim"
	// OperationFreight pays the customer the freight of goods that came back: beside the refund, which never is more than what was paid.
	OperationFreight Operation = "freight"
	// OperationReversal takes a refund back.
	OperationReversal Operation = "reversal"
	// OperationAddress and OperationCancel are asked of an order before it is sent; internal/domain/order says how.
	OperationAddress Operation = "address"
	OperationCancel  Operation = "cancel"
)

// EffectState is how far an Effect is.
type EffectState string

// The states of an Effect.
const (
	// EffectWaiting is to be begun at once.
	EffectWaiting EffectState = "waiting"
	// EffectSending may have reached the provider, or not.
	EffectSending EffectState = "sending"
	// EffectPending was taken by the provider.
	EffectPending EffectState = "pending"
	// EffectByHand waits for somebody to do it.
	EffectByHand EffectState = "byHand"
	// EffectRefused was not done, and says why; somebody has to decide.
	EffectRefused EffectState = "refused"
	// EffectDone is done.
	EffectDone EffectState = "done"
)

// Effect is an operation of a case and what became of it.
type Effect struct {
	// Key is the same however often the provider is told; a new attempt after a refusal has a new one.
	Key     string      `json:"key,omitempty"`
	Attempt int         `json:"attempt"`
	State   EffectState `json:"state"`
	// Amount in fen, of refund, freight and reversal.
	Amount int64 `json:"amount,omitempty"`
	// Reference is the provider's, or the agent's, name for it: what to ask for at the bank or the carrier.
	Reference string `json:"reference,omitempty"`
	// Reason of a refusal, as the provider put it.
	Reason string `json:"reason,omitempty"`
	// By is who did it by hand.
	By string    `json:"by,omitempty"`
	At time.Time `json:"at"`
}

// Parcel is what the customer sent back, or was sent back to them.
type Parcel struct {
	Carrier  string    `json:"carrier,omitempty"`
	Tracking string    `json:"tracking,omitempty"`
	SentAt   time.Time `json:"sentAt"`
	// Freight is what the customer says that they paid for its way, in fen.
	Freight int64 `json:"freight,omitempty"`
}

// Step is a state that a case is or was in.
type Step struct {
	State State `json:"state"`
	// Owner is who has to do it: an Agent, customer or provider; empty while that is anybody of the group.
	Owner     string    `json:"owner,omitempty"`
	EnteredAt time.Time `json:"enteredAt"`
	// Due is until when it has to be done; zero where that is not known yet, or not limited.
	Due time.Time `json:"due,omitzero"`
	// RemindedAt and BreachedAt are when its owner was reminded, and when it was late.
	RemindedAt time.Time `json:"remindedAt,omitzero"`
	BreachedAt time.Time `json:"breachedAt,omitzero"`
	// Escalated is how many rungs were climbed since.
	Escalated int `json:"escalated,omitempty"`
	// LeftAt, By, Action and Note are of its end.
	LeftAt time.Time `json:"leftAt,omitzero"`
	By     string    `json:"by,omitempty"`
	Action Action    `json:"action,omitempty"`
	Note   string    `json:"note,omitempty"`
}

// Case is all that is known of a case: what desk, command line and customer see. It is kept in service_case.detail.
type Case struct {
	Application Application `json:"application"`
	// Decision is the policy's, and what the reviewer made of it.
	Decision Decision `json:"decision"`
	State    State    `json:"state"`
	// Steps in order; the last is the one that the case is in, and Step counts from 0.
	Steps []Step `json:"steps"`
	// Refund, Shipment, Claim, Freight and Reversal are nil before they begin.
	Refund   *Effect `json:"refund,omitempty"`
	Shipment *Effect `json:"shipment,omitempty"`
	Claim    *Effect `json:"claim,omitempty"`
	Freight  *Effect `json:"freight,omitempty"`
	Reversal *Effect `json:"reversal,omitempty"`
	// Parcel is nil until the customer says that the goods are on their way.
	Parcel *Parcel `json:"parcel,omitempty"`
	// SentBack is in what rejected goods went back to the customer; nil for none.
	SentBack *Parcel `json:"sentBack,omitempty"`
	// End is where a case that undoes something ends.
	End State `json:"end,omitempty"`
	// OverallLateAt is when the case as a whole took longer than it should.
	OverallLateAt time.Time `json:"overallLateAt,omitzero"`
	// Content says whether the customer was content with the end; nil where nobody knows.
	Content *bool `json:"content,omitempty"`
}

// Open is a new case, in the state that its decision leads to. Agent is who opened it, and owns it; empty for anybody of the group.
func Open(a Application, d Decision, agent string, at time.Time) Case {
	c := Case{Application: a, Decision: d}
	switch d.Outcome {
	case OutcomeRefused:
		c.enter(StateRefused, "", at)
	case OutcomeEvidence:
		c.enter(StateEvidence, agent, at)
	case OutcomeApproved:
		c.enter(d.path()[0], agent, at)
	case OutcomeReview:
		c.enter(StateReview, agent, at)
	default:
		c.enter(StateReview, agent, at)
	}
	return c
}

// Step is the number of the state that the case is in, from 0: it grows by one with each change of state.
func (c *Case) Step() int { return len(c.Steps) - 1 }

// Now is the step that the case is in.
func (c *Case) Now() *Step { return &c.Steps[len(c.Steps)-1] }

// Owner is the Agent who has to do something; empty for anybody of the group, and where it is not an Agent's turn.
func (c *Case) Owner() string {
	if c.State.Ended() || c.State.OfTheCustomer() && !c.OnTheWay() {
		return ""
	}
	return c.Now().Owner
}

// Operation is what is to be done outside in the state that the case is in; empty for most.
func (c *Case) Operation() Operation { return c.State.operation() }

// Effect is the one of an operation, nil before it began.
func (c *Case) Effect(o Operation) *Effect {
	if at := c.effect(o); at != nil {
		return *at
	}
	return nil
}

func (c *Case) effect(o Operation) **Effect {
	switch o {
	case OperationRefund:
		return &c.Refund
	case OperationShipment:
		return &c.Shipment
	case OperationClaim:
		return &c.Claim
	case OperationFreight:
		return &c.Freight
	case OperationReversal:
		return &c.Reversal
	default:
		return nil
	}
}

// BreachedAt is when the first of its steps, or the case as a whole, was late; zero when none was.
func (c *Case) BreachedAt() time.Time {
	first := c.OverallLateAt
	for i := range c.Steps {
		if at := c.Steps[i].BreachedAt; !at.IsZero() && (first.IsZero() || at.Before(first)) {
			first = at
		}
	}
	return first
}
