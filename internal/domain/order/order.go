// Package order says what may be asked of the Brand's provider about an order that a customer thinks better of, another address or its
// end, and what becomes of that.
//
// It holds no clock and writes nothing. What is done outside is an aftersales.Effect, as for a refund: at most once, by the provider or,
// without one, by hand. Whoever locks the case asks here what may be done to it. The address is in no case: it is personal, and kept
// apart.
package order

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/yingda-dev/yingda/internal/domain/aftersales"
)

// The operations.
const (
	// OperationAddress sends the order to another address.
	OperationAddress = aftersales.OperationAddress
	// OperationCancel ends the order before it is sent, and pays all of it back.
	OperationCancel = aftersales.OperationCancel
)

// Operations are all of them.
func Operations() []aftersales.Operation {
	return []aftersales.Operation{OperationAddress, OperationCancel}
}

// The states of a case. An end is done or refused, as of after-sales cases.
const (
	StateAsked   aftersales.State = "asked"
	StateDone                     = aftersales.StateDone
	StateRefused                  = aftersales.StateRefused
)

// The actions of agents, where no provider does it.
const (
	// ActionDone says that it was done by hand; Reference may say by what it can be found again.
	ActionDone aftersales.Action = "done"
	// ActionRefuse says that it will not be done; Note tells the customer why.
	ActionRefuse = aftersales.ActionRefuse
	// ActionAssign gives the case to another Agent: Owner.
	ActionAssign = aftersales.ActionAssign
)

// Actions are all of them.
func Actions() []aftersales.Action {
	return []aftersales.Action{ActionDone, ActionRefuse, ActionAssign}
}

// Case is all that is known of a case but for the address. It is kept in service_case.detail.
type Case struct {
	// Order is the order's number.
	Order string `json:"order"`
	// Wanted is the operation.
	Wanted aftersales.Operation `json:"operation"`
	State  aftersales.State     `json:"state"`
	// Outside is the operation and what became of it.
	Outside aftersales.Effect `json:"effect"`
	// Owner is the Agent who has to see to it.
	Owner string `json:"owner,omitempty"`
}

// Open is a new case of an Agent's.
func Open(number string, wanted aftersales.Operation, agent string, at time.Time) Case {
	return Case{
		Order: number, Wanted: wanted, State: StateAsked, Owner: agent,
		Outside: aftersales.Effect{Attempt: 1, State: aftersales.EffectWaiting, At: at},
	}
}

// Operation is what is to be done outside; empty once the case has ended.
func (c *Case) Operation() aftersales.Operation {
	if c.State.Ended() {
		return ""
	}
	return c.Wanted
}

// Attempt is the number of the attempt, of which there is one, and what became of it; 0 once the case has ended.
func (c *Case) Attempt() (number int, state aftersales.EffectState) {
	if c.State.Ended() {
		return 0, ""
	}
	return c.Outside.Attempt, c.Outside.State
}

// Effect is the operation and what became of it.
func (c *Case) Effect(aftersales.Operation) *aftersales.Effect { return &c.Outside }

// Settle notes what became of the operation. What the provider refuses is refused: who asks again opens another case.
func (c *Case) Settle(to aftersales.Effect) bool {
	now, changed := c.Outside.Become(to)
	if !changed || c.State.Ended() {
		return false
	}
	c.Outside = now
	switch now.State {
	case aftersales.EffectDone:
		c.State = StateDone
	case aftersales.EffectRefused:
		c.State = StateRefused
	default:
	}
	return true
}

// Allowed are the actions that an Agent may take now, in the order in which a desk offers them.
func (c *Case) Allowed() []aftersales.Action {
	switch {
	case c.State.Ended():
		return nil
	case c.Outside.UnderWay():
		return []aftersales.Action{ActionAssign}
	default:
		return []aftersales.Action{ActionDone, ActionRefuse, ActionAssign}
	}
}

// Act does something to the case. Its error is an *aftersales.RefusalError, and the case is then as it was.
func (c *Case) Act(a aftersales.Act, at time.Time) error {
	switch {
	case c.State.Ended():
		return refuse("WrongState", "the case has ended as %s: nothing can be done to it; open a new one", c.State)
	case !slices.Contains(c.Allowed(), a.Action) && slices.Contains([]aftersales.Action{ActionDone, ActionRefuse}, a.Action):
		return refuse("UnderWay", "it is under way at the provider: wait for its answer, so that nothing is done twice")
	case !slices.Contains(c.Allowed(), a.Action):
		return refuse("UnknownAction", "do one of %s, %s and %s", ActionDone, ActionRefuse, ActionAssign)
	case a.Action == ActionRefuse && strings.TrimSpace(a.Note) == "":
		return refuse("NoteMissing", "refuse needs a note: the customer reads why")
	case a.Action == ActionAssign && a.Owner == "":
		return refuse("OwnerMissing", "assign needs an owner: the name of an Agent")
	}
	if err := a.Bounded(); err != nil {
		return err
	}
	switch a.Action {
	case ActionDone:
		c.State = StateDone
		c.Outside.State, c.Outside.Reference = aftersales.EffectDone, a.Reference
	case ActionRefuse:
		c.State = StateRefused
		c.Outside.State, c.Outside.Reason = aftersales.EffectRefused, a.Note
	default:
		c.Owner = a.Owner
		return nil
	}
	c.Outside.By, c.Outside.At = a.By, at
	return nil
}

func refuse(reason, format string, arguments ...any) *aftersales.RefusalError {
	return &aftersales.RefusalError{Reason: reason, Message: fmt.Sprintf(format, arguments...)}
}

// The bounds of an address, in characters.
const (
	maxRecipient = 50
	maxPhone     = 30
	maxAddress   = 200
)

// Address is where an order is to be sent to. It is personal data.
type Address struct {
	Recipient string `json:"recipient"`
	Phone     string `json:"phone"`
	Address   string `json:"address"`
}

// Check refuses an application that is wrong, as an *aftersales.RefusalError. Address is of a change of it, and nil otherwise.
func Check(number string, wanted aftersales.Operation, address *Address) error {
	switch {
	case !aftersales.IsOrderNumber(number):
		return refuse("BadOrder", "write the order's number in 1 to %d ASCII letters, digits, Chinese characters and -_./#, without spaces", aftersales.MaxOrderNumber)
	case !slices.Contains(Operations(), wanted):
		return refuse("UnknownOperation", "ask for one of %s and %s", OperationAddress, OperationCancel)
	case (wanted == OperationAddress) != (address != nil):
		return refuse("BadAddress", "a change of address, and nothing else, needs the new one")
	case address == nil:
		return nil
	}
	for _, part := range []struct {
		value string
		most  int
	}{{address.Recipient, maxRecipient}, {address.Phone, maxPhone}, {address.Address, maxAddress}} {
		if strings.TrimSpace(part.value) == "" || !text(part.value, part.most) {
			return refuse("BadAddress", "an address has a recipient of 1 to %d characters, a phone number of 1 to %d and an address of 1 to %d, on one line each",
				maxRecipient, maxPhone, maxAddress)
		}
	}
	return nil
}

// text says whether a value is one line of at most so many characters.
func text(value string, most int) bool {
	return len([]rune(value)) <= most && !strings.ContainsFunc(value, unicode.IsControl)
}

// Title is what a case is called, without personal data.
func Title(wanted aftersales.Operation) string {
	if wanted == OperationCancel {
		return "取消订单"
	}
	return "修改地址"
}

// Words are what the customer is told of the end; empty before.
func (c *Case) Words() string {
	which := "您的订单（" + aftersales.Masked(c.Order) + "）"
	switch {
	case c.State == StateDone && c.Wanted == OperationCancel:
		return which + "已取消。"
	case c.State == StateDone:
		return which + "的收货地址已修改。"
	case c.State == StateRefused:
		what := "的收货地址未能修改"
		if c.Wanted == OperationCancel {
			what = "未能取消"
		}
		if c.Outside.Reason != "" {
			return which + what + "，原因：" + strings.TrimRight(c.Outside.Reason, "。.") + "。"
		}
		return which + what + "，客服会继续跟进。"
	default:
		return ""
	}
}

// StateName is where the case stands, as customers read it.
func (c *Case) StateName() string {
	switch c.State {
	case StateDone:
		return "已完成"
	case StateRefused:
		return "未通过"
	default:
		return "处理中"
	}
}
