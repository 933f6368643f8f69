package promise

import (
	"time"

	"github.com/google/uuid"
)

// TaskWorkflow is the type of the workflow that watches over what somebody owes a customer until some time: CasePromise,
// CaseOffHours, CaseCallBack and CaseShipping. Whoever starts it writes the case's row in the same transaction.
const TaskWorkflow = "Task"

// The signals of TaskWorkflow; QueryStatus answers with a TaskStatus. What they say is written in the case's row before they
// are sent: they only move the clocks.
const (
	// SignalTaskEnd carries a TaskEnd: nothing is owed any more. Only the first counts.
	SignalTaskEnd = "end"
	// SignalTaskPostpone carries a TaskPostpone. One of a task whose clock has not started counts as the first deadline.
	SignalTaskPostpone = "postpone"
	// SignalTaskReassign carries a TaskReassign.
	SignalTaskReassign = "reassign"
)

// TaskID is the id of the workflow, and of the case, of what somebody owes a customer; what is told apart by key.
func TaskID(namespace, brand string, kind CaseKind, key string) string {
	return string(kind) + "/" + namespace + "/" + brand + "/" + key
}

// TaskInput starts TaskWorkflow.
type TaskInput struct {
	// ID is TaskID.
	ID   string   `json:"id"`
	Kind CaseKind `json:"kind"`
	// Conversation is the one that it was promised in; zero for none.
	Conversation uuid.UUID `json:"conversation"`
	Channel      string    `json:"channel"`
	// Customer is the customer's id on the Channel.
	Customer   string `json:"customer"`
	SkillGroup string `json:"skillGroup"`
	// Owner is the Agent who owes it; empty while that is anybody of the group.
	Owner     string    `json:"owner,omitempty"`
	StartedAt time.Time `json:"startedAt"`
	// Due is until when it is owed. Zero where that counts from the group's next opening.
	Due time.Time `json:"due,omitzero"`
	// AfterOpeningSeconds is how long after the group's next opening it is due, without Due.
	AfterOpeningSeconds int64 `json:"afterOpeningSeconds,omitempty"`
	// RemindBeforeSeconds is how long before it is due who owes it is reminded, but not before half of the time has passed.
	RemindBeforeSeconds int64 `json:"remindBeforeSeconds,omitempty"`
	// Ladder is climbed once it is late.
	Ladder []Rung `json:"ladder,omitempty"`
	// LateText is what the customer is told when it is late; empty tells nothing.
	LateText string `json:"lateText,omitempty"`
}

// TaskState is where a task stands.
type TaskState string

// The states of a task: open, and how it may end.
const (
	TaskOpen TaskState = "open"
	// TaskDone is what was kept, if late.
	TaskDone TaskState = "done"
	// TaskCancelled is what nobody owes any more.
	TaskCancelled TaskState = "cancelled"
	// TaskLapsed is what nobody did for so long after the last rung that its clock was given up.
	TaskLapsed TaskState = "lapsed"
)

// TaskEnd is the argument of SignalTaskEnd.
type TaskEnd struct {
	// By is the Agent who says so; empty is the product.
	By    string    `json:"by,omitempty"`
	State TaskState `json:"state"`
}

// TaskPostpone is the argument of SignalTaskPostpone.
type TaskPostpone struct {
	// ID tells it from the next; one that comes twice counts once.
	ID  string    `json:"id"`
	By  string    `json:"by"`
	Due time.Time `json:"due"`
}

// TaskReassign is the argument of SignalTaskReassign.
type TaskReassign struct {
	By    string `json:"by"`
	Owner string `json:"owner"`
}

// TaskStatus answers QueryStatus, and is the workflow's result.
type TaskStatus struct {
	State TaskState `json:"state"`
	Owner string    `json:"owner,omitempty"`
	// Due is zero while the opening that it counts from is not known.
	Due time.Time `json:"due,omitzero"`
	// Late says that a deadline was missed, Rung how many rungs of the ladder were climbed since.
	Late bool `json:"late,omitempty"`
	Rung int  `json:"rung,omitempty"`
	// Postponed is how often.
	Postponed int `json:"postponed,omitempty"`
	// IgnoredSignals came when they meant nothing, such as a second end.
	IgnoredSignals int `json:"ignoredSignals,omitempty"`
}

// The reasons of a call-back.
const (
	CallBackBadRating   = "BadRating"
	CallBackPhoneSurvey = "PhoneSurvey"
)

// TaskDetail is what only tasks know: the detail of their cases.
type TaskDetail struct {
	// What was promised, in the Agent's words; or what is to be asked on the phone.
	What string `json:"what,omitempty"`
	// Reason of a call-back.
	Reason string `json:"reason,omitempty"`
	// Rating, of its Scale, and the Agent who was rated; of a call-back for a bad rating.
	Rating int32  `json:"rating,omitempty"`
	Scale  string `json:"scale,omitempty"`
	Rated  string `json:"rated,omitempty"`
	// Order is the number of the order that is to be sent, Carrier and Tracking by what it was.
	Order    string `json:"order,omitempty"`
	Carrier  string `json:"carrier,omitempty"`
	Tracking string `json:"tracking,omitempty"`
	// ReasonCode is why the customer was not content; set when they were called.
	ReasonCode string `json:"reasonCode,omitempty"`
	// Postponed is how often.
	Postponed int `json:"postponed,omitempty"`
}
