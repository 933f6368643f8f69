package promise

import (
	"time"

	"github.com/google/uuid"

	"github.com/yingda-dev/yingda/internal/domain/aftersales"
)

// AfterSalesWorkflow is the type of the workflow that carries a return, an exchange, a refund or a reissue from the application to
// its follow-up. What the case is, and what may be done to it, internal/domain/aftersales says.
const AfterSalesWorkflow = "AfterSales"

// SignalAct carries an aftersales.Act. The one that was written down already is taken note of; another is checked as at the
// desk, and what is wrong in the case's state is counted and changes nothing. QueryStatus answers with an AfterSalesStatus.
const SignalAct = "act"

// AfterSalesID is the id of the workflow, and of the row, of a case.
func AfterSalesID(namespace, brand string, id uuid.UUID) string {
	return "after-sales/" + namespace + "/" + brand + "/" + id.String()
}

// AfterSalesInput starts AfterSalesWorkflow.
type AfterSalesInput struct {
	// ID is AfterSalesID.
	ID          string                 `json:"id"`
	Application aftersales.Application `json:"application"`
	// Terms and Ladder are those of the time of the application. Ladder is climbed by each step that is late, from when it was due.
	Terms  aftersales.Terms `json:"terms"`
	Ladder []Rung           `json:"ladder,omitempty"`
	// Conversation is nil for a case that came from none: the customer is then told in the newest there is.
	Conversation *uuid.UUID `json:"conversation,omitempty"`
	Channel      string     `json:"channel"`
	// Customer is the customer's id on the Channel, Tier what sort of customer it is.
	Customer   string `json:"customer"`
	Tier       string `json:"tier,omitempty"`
	SkillGroup string `json:"skillGroup"`
	// OpenedBy is the Agent who opened the case, and owns it; empty for the customer and the provider.
	OpenedBy  string    `json:"openedBy,omitempty"`
	StartedAt time.Time `json:"startedAt"`
}

// AfterSalesStatus answers QueryStatus, and is the workflow's result.
type AfterSalesStatus struct {
	State aftersales.State `json:"state"`
	// Step is the number of the state, from 0.
	Step int `json:"step"`
	// Due is until when the step has to be done; zero where that is not limited.
	Due time.Time `json:"due,omitzero"`
	// OverallLate says that the case as a whole took longer than it should.
	OverallLate bool `json:"overallLate,omitempty"`
	// IgnoredSignals came when they meant nothing.
	IgnoredSignals int `json:"ignoredSignals,omitempty"`
}
