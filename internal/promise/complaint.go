// Package promise is the contract with the workflows that keep the promises of hours and days: their ids, inputs and
// signals. Router and desk write them into the outbox; the workers under workers/workflows keep them.
//
// It has no behaviour. Fields may be added to inputs, never renamed: histories of running promises hold them.
package promise

import (
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/yingda-dev/yingda/api/v1alpha1"
)

// The complaint workflow: acknowledged at once, escalated along a ladder until resolved, followed up afterwards.
const (
	// ComplaintWorkflow is the workflow type.
	ComplaintWorkflow = "Complaint"
	// SignalResolve carries a Resolve.
	SignalResolve = "resolve"
	// SignalFollowedUp carries a FollowedUp.
	SignalFollowedUp = "followed-up"
	// QueryStatus answers with a ComplaintStatus.
	QueryStatus = "status"
)

// ComplaintID is the workflow id of a conversation's complaint, and the id of its row in the store.
func ComplaintID(namespace, brand string, conversation uuid.UUID) string {
	return fmt.Sprintf("complaint/%s/%s/%s", namespace, brand, conversation)
}

// Complaint is the input of the workflow.
type Complaint struct {
	ID           string    `json:"id"`
	Conversation uuid.UUID `json:"conversation"`
	Channel      string    `json:"channel"`
	Customer     string    `json:"customer"`
	SkillGroup   string    `json:"skillGroup"`
	StartedAt    time.Time `json:"startedAt"`
	// Acknowledgement is what the customer is told at once; empty says nothing.
	Acknowledgement string `json:"acknowledgement,omitempty"`
	// Ladder is climbed while the complaint is not resolved; After counts from StartedAt.
	Ladder []Rung `json:"ladder"`
	// FollowUpWithinDays counts from the resolution.
	FollowUpWithinDays int32 `json:"followUpWithinDays"`
}

// Rung is one step of escalation.
type Rung struct {
	After  time.Duration      `json:"after"`
	Notify v1alpha1.AgentRole `json:"notify"`
}

// Resolve says that a complaint was resolved.
type Resolve struct {
	By         string    `json:"by"`
	Resolution string    `json:"resolution,omitempty"`
	At         time.Time `json:"at"`
}

// FollowedUp says that the customer was asked again after the resolution.
type FollowedUp struct {
	By string    `json:"by"`
	At time.Time `json:"at"`
}

// ComplaintStatus is the answer to QueryStatus.
type ComplaintStatus struct {
	// State is open, escalated, resolved or followed_up.
	State string `json:"state"`
	// Rung is how many rungs were climbed.
	Rung        int        `json:"rung"`
	FollowUpDue *time.Time `json:"followUpDue,omitempty"`
	// Ignored counts signals that came in a state in which they mean nothing.
	Ignored int `json:"ignored,omitempty"`
}
