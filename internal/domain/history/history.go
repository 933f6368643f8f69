// Package history names what happens to a case: in one word for programs, and in words for those who read its history.
//
// What somebody does with a case has the name of the action by which it is done, as aftersales.ActionApprove; here are the names of
// what the product does by itself, and of what people do whose actions have no names elsewhere. It holds no rule of any kind of case. Rows outlive a release: names are added, never renamed.
package history

import (
	"cmp"
	"strings"
)

// Action is what happened.
type Action string

// What happens to cases beside what people do with them.
const (
	// Open and Apply began the case; Apply is that of an application for after-sales.
	Open  Action = "open"
	Apply Action = "apply"
	// Due set until when the next step must be done.
	Due Action = "due"
	// Remind said that something is nearly due, Breach that it is late, Overall that the case as a whole took too long.
	Remind  Action = "remind"
	Breach  Action = "breach"
	Overall Action = "overall"
	// Escalate called the role of a rung.
	Escalate Action = "escalate"
	// Told told the customer something, NotTold could not.
	Told    Action = "told"
	NotTold Action = "notTold"
	// ProviderTold handed something to the Brand's provider, which took it, did it, or refused it. ByHand left it to people.
	ProviderTold    Action = "providerTold"
	ProviderPending Action = "providerPending"
	ProviderDone    Action = "providerDone"
	ProviderRefused Action = "providerRefused"
	ByHand          Action = "byHand"
	// Lapse closed what nobody did for too long, End what has come to its end.
	Lapse Action = "lapse"
	End   Action = "end"
)

// What people do with complaints, which steps of their process tell as well, but that a colleague wrote down more of one that is under
// way (Complain); and with judgements: Score judged a conversation, Appeal
// asked for another judgement, Decide decided on that.
const (
	Complain Action = "complain"
	Resolve  Action = "resolve"
	FollowUp Action = "followUp"
	Score    Action = "score"
	Appeal   Action = "appeal"
	Decide   Action = "decide"
)

// Own are the names of what the product does.
func Own() []Action {
	return []Action{
		Open, Apply, Due, Remind, Breach, Overall, Escalate, Told, NotTold, ProviderTold, ProviderPending, ProviderDone, ProviderRefused, ByHand,
		Lapse, End,
	}
}

// Of is what happened in an event; of one that was written before actions were, what the name of its step tells. Empty where nobody knows.
func Of(action, step string) Action {
	return cmp.Or(Action(action), ofStep(step))
}

func ofStep(step string) Action {
	name, _, _ := strings.Cut(step, "/")
	switch name {
	case "assign":
		return Open
	case "enter", "plan", "resolve":
		return Due
	case "overdue":
		return Breach
	case "resolved":
		return Resolve
	case "follow-up":
		return FollowUp
	case "acknowledge":
		return Told
	case "untold", "unreminded":
		return NotTold
	case "begin":
		return ProviderTold
	case "pending":
		return ProviderPending
	case "done":
		return ProviderDone
	case "refused":
		return ProviderRefused
	case "closed":
		return End
	case "open", "apply", "remind", "breach", "overall", "escalate", "lapse", "end", "score", "appeal", "decide":
		return Action(name)
	default:
		return ""
	}
}

// The words of what has none of its own.
const (
	Reminding = "即将到期"
	Late      = "已超时"
)
