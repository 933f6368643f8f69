package aftersales

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Action is something that somebody does to a case.
type Action string

// The actions.
const (
	// ActionApprove decides for the customer. Amount may lower what is paid back; KeepGoods says that nothing comes back, ReturnGoods that
	// the goods do, and Freight who pays their way, whatever the policy says.
	ActionApprove Action = "approve"
	// ActionRefuse decides against the customer; Note tells them why.
	ActionRefuse Action = "refuse"
	// ActionAskEvidence asks the customer for photos; Note tells them of what.
	ActionAskEvidence Action = "askEvidence"
	// ActionAddEvidence adds Evidence.
	ActionAddEvidence Action = "addEvidence"
	// ActionSent says that the customer has sent the goods: Tracking and Carrier, and as FreightAmount what they say they paid for that.
	ActionSent Action = "sent"
	// ActionReceive says that the goods came back.
	ActionReceive Action = "receive"
	// ActionAccept says that the goods are as they should be; Checked are the points of Decision.Inspection that hold, FreightAmount is what
	// the customer is paid back of the freight.
	ActionAccept Action = "accept"
	// ActionReject says that they are not, and have to go back; Note tells the customer why.
	ActionReject Action = "reject"
	// ActionRefunded says that the money was paid back by hand, or by the provider: Reference. By hand, Amount may be another than was
	// decided on.
	ActionRefunded Action = "refunded"
	// ActionShipped says that goods were sent to the customer: Tracking, and Carrier.
	ActionShipped Action = "shipped"
	// ActionClaimed says that the insurance paid: Reference.
	ActionClaimed Action = "claimed"
	// ActionFreightPaid says that the customer was paid back the freight: Reference.
	ActionFreightPaid Action = "freightPaid"
	// ActionReversed says that the customer gave the money back: Reference.
	ActionReversed Action = "reversed"
	// ActionWaive goes on without what the insurance or the customer owes, the freight, or without sending rejected goods back; Note says why.
	ActionWaive Action = "waive"
	// ActionRetry tells the provider again what it refused; of a refund Amount may be another.
	ActionRetry Action = "retry"
	// ActionRefundInstead pays back where nothing can be sent; Note says why, Amount may lower it.
	ActionRefundInstead Action = "refundInstead"
	// ActionWithdraw ends the case because the customer wants nothing any more.
	ActionWithdraw Action = "withdraw"
	// ActionConfirm says that the customer is content.
	ActionConfirm Action = "confirm"
	// ActionDispute says that the customer is not; Note says why.
	ActionDispute Action = "dispute"
	// ActionUnanswered says that the customer was asked whether all is well, and has not answered.
	ActionUnanswered Action = "unanswered"
	// ActionAssign gives the case to another Agent: Owner.
	ActionAssign Action = "assign"
	// ActionExpire ends the wait for the customer, or for who owed them the question whether all is well, and ActionCancel a case whose
	// process was cancelled. They are the product's own.
	ActionExpire Action = "expire"
	ActionCancel Action = "cancel"
)

// Who acts where no Agent does. An Agent acts under their name, the product under none.
const (
	ByCustomer = "customer"
	ByProvider = "provider"
)

// Act is an action with what belongs to it; the argument of the workflow's signal.
type Act struct {
	// ID names it once and for all: who sends it again with the same ID changes nothing.
	ID string `json:"id"`
	// By is an Agent's name, ByCustomer or ByProvider.
	By            string     `json:"by"`
	Action        Action     `json:"action"`
	Note          string     `json:"note,omitempty"`
	Amount        int64      `json:"amount,omitempty"`
	KeepGoods     bool       `json:"keepGoods,omitempty"`
	ReturnGoods   bool       `json:"returnGoods,omitempty"`
	Freight       Freight    `json:"freight,omitempty"`
	FreightAmount *int64     `json:"freightAmount,omitempty"`
	Carrier       string     `json:"carrier,omitempty"`
	Tracking      string     `json:"tracking,omitempty"`
	Reference     string     `json:"reference,omitempty"`
	Checked       []string   `json:"checked,omitempty"`
	Evidence      []Evidence `json:"evidence,omitempty"`
	Owner         string     `json:"owner,omitempty"`
}

// RefusalError is why something cannot be done to a case, fit to be shown.
type RefusalError struct {
	// Reason is one word for programs; the desk's description lists all of them.
	Reason  string
	Message string
}

func (r *RefusalError) Error() string { return r.Message }

func refuse(reason, format string, arguments ...any) *RefusalError {
	return &RefusalError{Reason: reason, Message: fmt.Sprintf(format, arguments...)}
}

// The bounds of what people write, in characters.
const (
	maxNote      = 500
	maxShort     = 100
	maxEvidence  = 20
	maxItems     = 50
	maxMoney     = 100_000_000_00
	maxOwnerName = 253
	maxFreight   = 100_000_00
)

// allowed are the actions of each state, in the order in which a desk offers them. Of a state with an operation they are those for when
// somebody has to act by hand.
func (s State) allowed() []Action {
	switch s {
	case StateEvidence:
		return []Action{ActionAddEvidence, ActionRefuse, ActionWithdraw, ActionAssign}
	case StateReview:
		return []Action{ActionApprove, ActionRefuse, ActionAskEvidence, ActionAddEvidence, ActionWithdraw, ActionAssign}
	case StateReturning:
		return []Action{ActionReceive, ActionSent, ActionWithdraw, ActionAssign}
	case StateReceived:
		return []Action{ActionAccept, ActionReject, ActionAssign}
	case StateRefunding:
		return []Action{ActionRefunded, ActionRetry, ActionWithdraw, ActionAssign}
	case StateShipping:
		return []Action{ActionShipped, ActionRetry, ActionRefundInstead, ActionWithdraw, ActionAssign}
	case StateClaiming:
		return []Action{ActionClaimed, ActionRetry, ActionWaive, ActionAssign}
	case StateCompensating:
		return []Action{ActionFreightPaid, ActionRetry, ActionWaive, ActionAssign}
	case StateUndoing:
		return []Action{ActionReversed, ActionRetry, ActionWaive, ActionAssign}
	case StateSendingBack:
		return []Action{ActionShipped, ActionWaive, ActionAssign}
	case StateSettled:
		return []Action{ActionConfirm, ActionDispute, ActionUnanswered, ActionAssign}
	case StateDone, StateRefused, StateWithdrawn, StateExpired:
		return nil
	default:
		return nil
	}
}

// Actions are all that an Agent may ever take, each once.
func Actions() []Action {
	var all []Action
	for _, s := range States() {
		for _, action := range s.allowed() {
			if !slices.Contains(all, action) {
				all = append(all, action)
			}
		}
	}
	return all
}

// mayDo are the actions of those who are no Agents.
func mayDo(by string) []Action {
	switch by {
	case ByCustomer:
		return []Action{ActionAddEvidence, ActionSent, ActionWithdraw, ActionConfirm, ActionDispute}
	case ByProvider:
		return []Action{ActionReceive, ActionRefunded, ActionShipped, ActionClaimed, ActionFreightPaid, ActionReversed}
	default:
		return nil
	}
}

// Allowed are the actions that the case may be given now by an Agent (any name), ByCustomer or ByProvider, in the order in which a desk
// offers them. What an action needs, such as a note, Act says.
func (c *Case) Allowed(by string) []Action {
	effect := c.Effect(c.Operation())
	return slices.DeleteFunc(c.State.allowed(), func(a Action) bool {
		switch {
		case (by == ByCustomer || by == ByProvider) && !slices.Contains(mayDo(by), a):
			return true
		case a == ActionSent && by == ByCustomer && c.Parcel != nil:
			return true // Another number is for an agent to write down.
		case a == ActionWithdraw && c.reached(StateReceived):
			return true // The goods are here: money or goods are owed for them.
		case a == ActionWithdraw && by == ByCustomer && effect != nil && (effect.State == EffectByHand || effect.State == EffectRefused):
			return true // Somebody may be paying, or packing, this very minute; whoever does it can still withdraw for the customer.
		case effect == nil || a == ActionAssign:
			return false
		case a == ActionRetry:
			return effect.State != EffectRefused
		default:
			// The provider may always say what became of what it was told.
			return effect.UnderWay() && by != ByProvider
		}
	})
}

// reached says whether the case was in the state.
func (c *Case) reached(s State) bool {
	return slices.ContainsFunc(c.Steps, func(step Step) bool { return step.State == s })
}

// Act does something to the case. Its error is a *RefusalError, and the case is then as it was.
func (c *Case) Act(a Act, at time.Time) error {
	a = a.trimmed()
	if err := c.permits(a); err != nil {
		return err
	}
	if err := c.complete(a); err != nil {
		return err
	}
	c.take(a, at)
	return nil
}

// permits says whether the action is possible in the case's state.
func (c *Case) permits(a Act) error {
	if a.By == "" && (a.Action == ActionExpire && c.State.Waits() && !c.OnTheWay() || a.Action == ActionCancel && !c.State.Ended() && !c.Effect(c.Operation()).UnderWay()) {
		return nil
	}
	allowed := c.Allowed(a.By)
	if slices.Contains(allowed, a.Action) {
		return nil
	}
	switch {
	case c.State.Ended():
		return refuse("WrongState", "the case has ended as %s: nothing can be done to it; open a new one", c.State)
	case (a.By == ByCustomer || a.By == ByProvider) && !slices.Contains(mayDo(a.By), a.Action):
		return refuse("NotYours", "the %s may not %s; possible: %s", a.By, a.Action, list(mayDo(a.By)))
	case slices.Contains(c.State.allowed(), a.Action) && c.Effect(c.Operation()).UnderWay():
		if c.Effect(c.Operation()).State == EffectWaiting {
			return refuse("UnderWay", "the %s is about to be given to the provider, or to people where there is none: look again in a moment", c.Operation())
		}
		return refuse("UnderWay", "the %s is under way at the provider: wait for its answer, so that nothing is done twice", c.Operation())
	case len(allowed) == 0:
		return refuse("WrongState", "%s is not possible while the case is in %s; wait for what comes next", a.Action, c.State)
	default:
		return refuse("WrongState", "%s is not possible while the case is in %s; possible: %s", a.Action, c.State, list(allowed))
	}
}

func list(actions []Action) string {
	names := make([]string, len(actions))
	for i, a := range actions {
		names[i] = string(a)
	}
	return strings.Join(names, ", ")
}

// complete says whether the action has what it needs.
func (c *Case) complete(a Act) error {
	if err := a.Bounded(); err != nil {
		return err
	}
	needs := func(missing bool, reason, what string) error {
		if missing {
			return refuse(reason, "%s needs %s", a.Action, what)
		}
		return nil
	}
	switch a.Action {
	case ActionRefuse, ActionReject, ActionAskEvidence:
		return needs(a.Note == "", "NoteMissing", "a note: the customer reads why")
	case ActionDispute, ActionWaive:
		return needs(a.Note == "" && a.By != ByCustomer, "NoteMissing", "a note that says why")
	case ActionRefundInstead:
		if err := needs(a.Note == "", "NoteMissing", "a note: the customer reads why"); err != nil {
			return err
		}
		return c.affordable(a.Amount)
	case ActionApprove:
		return c.approvable(a)
	case ActionAddEvidence:
		if len(c.Application.Evidence)+len(a.Evidence) > maxEvidence {
			return refuse("TooLong", "a case has at most %d pieces of evidence", maxEvidence)
		}
		return needs(len(a.Evidence) == 0, "EvidenceMissing", "evidence: messages or files of the conversation")
	case ActionSent, ActionShipped:
		return needs(a.Tracking == "", "TrackingMissing", "the tracking number")
	case ActionRefunded, ActionClaimed, ActionFreightPaid, ActionReversed:
		if err := needs(a.Reference == "", "ReferenceMissing", "a reference: by what it can be found again"); err != nil {
			return err
		}
		return c.otherwise(a)
	case ActionRetry:
		return c.otherwise(a)
	case ActionAssign:
		return needs(a.Owner == "", "OwnerMissing", "an owner: the name of an Agent")
	case ActionAccept:
		missing := slices.DeleteFunc(slices.Clone(c.Decision.Inspection), func(point string) bool { return slices.Contains(a.Checked, point) })
		if len(missing) > 0 {
			return refuse("InspectionIncomplete", "accept needs every point to hold, or reject the goods; missing: %s", strings.Join(missing, ", "))
		}
		return c.compensable(a)
	default:
	}
	return nil
}

// trimmed is the act without the space around what people wrote: space alone is no note, and no number that anybody could look up.
func (a Act) trimmed() Act {
	for _, text := range []*string{&a.Note, &a.Carrier, &a.Tracking, &a.Reference, &a.Owner} {
		*text = strings.TrimSpace(*text)
	}
	return a
}

// Bounded refuses what is longer than it may be.
func (a *Act) Bounded() error {
	if strings.TrimSpace(a.ID) == "" || utf8.RuneCountInString(a.ID) > maxShort {
		return refuse("TooLong", "an action needs an id of at most %d characters", maxShort)
	}
	if len([]rune(a.Note)) > maxNote {
		return refuse("TooLong", "a note has at most %d characters", maxNote)
	}
	for _, text := range append([]string{a.Carrier, a.Tracking, a.Reference}, a.Checked...) {
		if len([]rune(text)) > maxShort {
			return refuse("TooLong", "carrier, tracking, reference and checked have at most %d characters each", maxShort)
		}
	}
	if a.FreightAmount != nil && (*a.FreightAmount < 0 || *a.FreightAmount > maxFreight) {
		return refuse("BadFreight", "freightAmount must be from 0 to %d fen", maxFreight)
	}
	if utf8.RuneCountInString(a.Owner) > maxOwnerName || len(a.Checked) > maxEvidence {
		return refuse("TooLong", "the owner's name or the list of what was checked is too long")
	}
	return nil
}

// take does what was found to be possible.
func (c *Case) take(a Act, at time.Time) {
	switch a.Action {
	case ActionApprove:
		c.Decision.Outcome = OutcomeApproved
		c.Decision.GoodsBack = c.comeBack(a)
		c.Decision.Freight = cmp.Or(a.Freight, c.Decision.Freight)
		if c.Decision.Remedy == RemedyRefund {
			c.Decision.Amount = cmp.Or(a.Amount, c.Decision.Amount)
		}
		c.leave(c.Decision.path()[0], a, at)
	case ActionRefuse:
		c.Decision.Outcome = OutcomeRefused
		c.leave(StateRefused, a, at)
	case ActionAskEvidence:
		c.leave(StateEvidence, a, at)
	case ActionAddEvidence:
		c.Application.Evidence = append(slices.Clone(c.Application.Evidence), a.Evidence...)
		if c.State == StateEvidence {
			c.Decision.Outcome = OutcomeReview
			if c.Decision.Rule == RuleEvidenceWanted { // What the reviewer is advised; the customer may yet have to hear what was asked of them.
				c.Decision.Rule, c.Decision.Agent = RuleSellersFault, adviceSellersFault
			}
			c.leave(StateReview, a, at)
		}
	case ActionSent:
		if now := c.Now(); c.Parcel == nil && !now.Due.IsZero() {
			c.SetDue(at.Add(now.Due.Sub(now.EnteredAt))) // The goods have as long for their way as the customer had.
		}
		parcel := Parcel{Carrier: a.Carrier, Tracking: a.Tracking, SentAt: at}
		if a.FreightAmount != nil {
			parcel.Freight = *a.FreightAmount
		} else if c.Parcel != nil {
			parcel.Freight = c.Parcel.Freight
		}
		c.Parcel = &parcel
	case ActionReceive:
		c.leave(c.next(), a, at)
	case ActionAccept:
		if a.FreightAmount != nil {
			c.Decision.FreightAmount = *a.FreightAmount
		}
		c.leave(c.next(), a, at)
	case ActionReject:
		c.undo(StateSendingBack, a, at)
	case ActionRefunded, ActionShipped, ActionClaimed, ActionFreightPaid, ActionReversed:
		if c.State == StateSendingBack {
			c.SentBack = &Parcel{Carrier: a.Carrier, Tracking: a.Tracking, SentAt: at}
			c.leave(c.next(), a, at)
			return
		}
		c.changeAmount(a)
		c.report(a, at)
	case ActionWaive:
		to := c.next()
		if to == StateSendingBack { // Who keeps the money does not get the goods, too.
			to = StateRefused
		}
		c.leave(to, a, at)
	case ActionRetry:
		c.changeAmount(a)
		again := c.effect(c.Operation())
		*again = &Effect{Attempt: (*again).Attempt + 1, State: EffectWaiting, Amount: (*again).Amount, At: at}
	case ActionRefundInstead:
		c.Decision.Remedy, c.Decision.Speed, c.Decision.Amount = RemedyRefund, OnReceipt, a.Amount
		c.leave(StateRefunding, a, at)
	case ActionWithdraw:
		c.undo(StateWithdrawn, a, at)
	case ActionExpire:
		if c.State == StateSettled {
			c.leave(StateDone, a, at)
			return
		}
		c.undo(StateExpired, a, at)
	case ActionCancel:
		switch c.State {
		case StateUndoing, StateSendingBack: // It ends by itself, once money or goods are where they belong.
		case StateSettled:
			c.leave(StateDone, a, at)
		default:
			c.undo(StateWithdrawn, a, at)
		}
	case ActionConfirm, ActionDispute:
		content := a.Action == ActionConfirm
		c.Content = &content
		c.leave(StateDone, a, at)
	case ActionUnanswered:
		c.leave(StateDone, a, at)
	case ActionAssign:
		c.Now().Owner = a.Owner
	}
}

// report notes that an operation is done, as somebody says who did it.
func (c *Case) report(a Act, at time.Time) {
	done := **c.effect(c.Operation())
	if done.State == EffectRefused { // As that attempt stays.
		done.Attempt, done.Key = done.Attempt+1, ""
	}
	done.State, done.Reason, done.By, done.At = EffectDone, "", a.By, at
	done.Reference = a.Reference
	if a.Action == ActionShipped {
		done.Reference = strings.TrimSpace(a.Carrier + " " + a.Tracking)
	}
	*c.effect(c.Operation()) = &done
	c.leave(c.next(), a, at)
}

// undo ends the case, after the money is back that was paid for goods that do not come, or not as they should.
func (c *Case) undo(end State, a Act, at time.Time) {
	owes := c.Decision.GoodsBack && (!c.reached(StateReceived) || a.Action == ActionReject)
	if owes && c.Refund != nil && c.Refund.State == EffectDone {
		c.End = end
		end = StateUndoing
	}
	c.leave(end, a, at)
}

// next is the state after this one.
func (c *Case) next() State {
	switch c.State {
	case StateUndoing:
		return c.End
	case StateSendingBack:
		return StateRefused
	default:
	}
	path := c.Decision.path()
	return path[slices.Index(path, c.State)+1]
}

// leave ends the step that the case is in and begins the next.
func (c *Case) leave(to State, a Act, at time.Time) {
	c.Steps = slices.Clone(c.Steps)
	last := c.Now()
	last.LeftAt, last.By, last.Action, last.Note = at, a.By, a.Action, a.Note
	c.enter(to, last.Owner, at)
}

// enter begins a step. Who owned the one before owns it, too: whoever began a case sees it through.
func (c *Case) enter(to State, owner string, at time.Time) {
	c.State = to
	c.Steps = append(c.Steps, Step{State: to, Owner: owner, EnteredAt: at})
	if effect := c.effect(c.Operation()); effect != nil {
		*effect = &Effect{Attempt: 1, State: EffectWaiting, At: at}
		switch to {
		case StateRefunding, StateUndoing:
			(*effect).Amount = c.Decision.Amount
		case StateCompensating:
			(*effect).Amount = c.Decision.FreightAmount
		default:
		}
	}
}
