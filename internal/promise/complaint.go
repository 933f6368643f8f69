// Package promise is the contract of the workflows that keep a brand's promises of hours and days: their types, ids,
// inputs, signals and queries.
//
// Whoever makes a promise (router, desk) and whoever keeps it (the workflow worker) meet here and nowhere else. The package
// holds values only: no client, no clock, no rule. Everything in it is written into histories that outlive a release, so
// fields are added and never renamed or given another meaning.
package promise

import (
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
)

// ComplaintWorkflow is the type of the workflow that carries a complaint from its acknowledgement to its follow-up.
const ComplaintWorkflow = "Complaint"

// The signals and the query of ComplaintWorkflow.
const (
	// SignalResolve carries a Resolve: somebody settled the complaint. Only the first counts.
	SignalResolve = "resolve"
	// SignalFollowedUp carries a FollowedUp: the customer was asked again. Counts once, after the resolution.
	SignalFollowedUp = "followed-up"
	// QueryStatus answers with a ComplaintStatus.
	QueryStatus = "status"
)

// ExternalComplaintID is the id of the workflow, and of the row, of a complaint from outside.
func ExternalComplaintID(namespace, brand string, key uuid.UUID) string {
	return "complaint/" + namespace + "/" + brand + "/external/" + key.String()
}

// ComplaintID is the id of the workflow, and of the row, of a conversation's first complaint.
func ComplaintID(namespace, brand string, conversation uuid.UUID) string {
	return "complaint/" + namespace + "/" + brand + "/" + conversation.String()
}

// NthComplaintID is the id of a conversation's complaint of that number, counted from 1: the next begins when the customer
// complains again after the one before was resolved.
func NthComplaintID(namespace, brand string, conversation uuid.UUID, number int32) string {
	id := ComplaintID(namespace, brand, conversation)
	if number == 1 {
		return id
	}
	return id + "/" + strconv.FormatInt(int64(number), 10)
}

// BrandOf is the Brand of a promise's id, as <namespace>/<name>; empty where the id names none.
func BrandOf(id string) string {
	parts := strings.Split(id, "/")
	if len(parts) < 3 {
		return ""
	}
	return parts[1] + "/" + parts[2]
}

// AcknowledgementKey is the key by which a complaint's acknowledgement is said once, whoever is the first to: the router, before it
// says anything else, or the process.
func AcknowledgementKey(complaint string) string { return complaint + "/acknowledge" }

// ComplaintInput starts ComplaintWorkflow.
type ComplaintInput struct {
	// ID is NthComplaintID.
	ID           string    `json:"id"`
	Conversation uuid.UUID `json:"conversation"`
	Channel      string    `json:"channel"`
	// Customer is the customer's id on the Channel.
	Customer   string `json:"customer"`
	SkillGroup string `json:"skillGroup"`
	// Ladder is in the order of climbing, each rung later than the one before.
	Ladder []Rung `json:"ladder"`
	// FollowUpWithinDays is within how many days of 24 hours after the resolution the customer is asked again.
	FollowUpWithinDays int32 `json:"followUpWithinDays"`
	// FollowUpRemindSeconds is how long before that somebody is reminded, at the earliest after half of the time; 0 reminds nobody.
	FollowUpRemindSeconds int64 `json:"followUpRemindSeconds,omitempty"`
	// Acknowledgement is what the bot tells the customer at once, ready to be sent; empty is not sent.
	Acknowledgement string `json:"acknowledgement,omitempty"`
	// StartedAt is when the customer complained; the ladder counts from it.
	StartedAt time.Time `json:"startedAt"`
	// Source is where a complaint came from that came from outside; such a one has a ladder that begins at the top at once, and
	// may have no Conversation.
	Source ComplaintSource `json:"source,omitempty"`
}

// ComplaintSource is where a complaint came from that was not made in a conversation.
type ComplaintSource string

// The sources of complaints from outside.
const (
	// ComplaintFromPlatform is what the customer told the platform.
	ComplaintFromPlatform ComplaintSource = "Platform"
	// ComplaintFrom12315 is what the customer told the authorities' hotline.
	ComplaintFrom12315 ComplaintSource = "12315"
	// ComplaintFromElsewhere is what came in another way: a letter, the press.
	ComplaintFromElsewhere ComplaintSource = "Elsewhere"
)

// ComplaintDetail is what only complaints know: the detail of their cases.
type ComplaintDetail struct {
	Source ComplaintSource `json:"source,omitempty"`
	// Reference is by what the source knows it, What what it says.
	Reference   string `json:"reference,omitempty"`
	What        string `json:"what,omitempty"`
	Rung        int32  `json:"rung,omitempty"`
	EscalatedTo string `json:"escalatedTo,omitempty"`
	Resolution  string `json:"resolution,omitempty"`
	// Compensations are what was offered, in order.
	Compensations []Compensation `json:"compensations,omitempty"`
}

// Compensation is something that was offered to who complained.
type Compensation struct {
	// ID is the key with which it was offered.
	ID   string `json:"id"`
	Kind string `json:"kind"`
	// Worth is in fen.
	Worth int64             `json:"worth"`
	Note  string            `json:"note,omitempty"`
	State CompensationState `json:"state"`
	// By is who offered it, DecidedBy who approved or refused it.
	By        string    `json:"by"`
	At        time.Time `json:"at"`
	DecidedBy string    `json:"decidedBy,omitempty"`
}

// CompensationState is where an offer stands.
type CompensationState string

// The states of an offer.
const (
	// CompensationWaiting is not to be promised yet: somebody has to approve it.
	CompensationWaiting  CompensationState = "waiting"
	CompensationApproved CompensationState = "approved"
	CompensationRefused  CompensationState = "refused"
)

// Rung is one step of a ladder.
type Rung struct {
	// AfterSeconds is the time since the complaint started.
	AfterSeconds int64 `json:"afterSeconds"`
	// Notify is the role that is called: Supervisor or Admin.
	Notify string `json:"notify"`
}

// Resolve is the argument of SignalResolve.
type Resolve struct {
	// By is the Agent who settled it.
	By string `json:"by"`
	// Resolution says how, in the Agent's words.
	Resolution string `json:"resolution"`
	// At is when, from which the day of the follow-up counts; zero, of a desk of a release before, is when the signal comes.
	At time.Time `json:"at,omitzero"`
}

// FollowedUp is the argument of SignalFollowedUp.
type FollowedUp struct {
	// By is the Agent who asked the customer.
	By string `json:"by"`
}

// ComplaintState is where a complaint stands.
type ComplaintState string

// The states of a complaint, in their order.
const (
	ComplaintOpen       ComplaintState = "open"
	ComplaintEscalated  ComplaintState = "escalated"
	ComplaintResolved   ComplaintState = "resolved"
	ComplaintFollowedUp ComplaintState = "followed_up"
)

// ComplaintStatus answers QueryStatus, and is the workflow's result.
type ComplaintStatus struct {
	State ComplaintState `json:"state"`
	// Rung is how many rungs were climbed, EscalatedTo the role called last.
	Rung        int    `json:"rung"`
	EscalatedTo string `json:"escalatedTo,omitempty"`
	// FollowUpDue is set once the complaint is resolved.
	FollowUpDue time.Time `json:"followUpDue,omitzero"`
	// FollowUpOverdue says that nobody had asked the customer by then.
	FollowUpOverdue bool `json:"followUpOverdue,omitempty"`
	// IgnoredSignals came when they meant nothing, such as a second resolution.
	IgnoredSignals int `json:"ignoredSignals,omitempty"`
}

// The roles that a complaint may call.
const (
	// RoleSupervisor hears of every complaint.
	RoleSupervisor = "Supervisor"
	// RoleAdmin is called first where a role has nobody.
	RoleAdmin = "Admin"
)
