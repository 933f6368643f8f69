package promise

import (
	"time"

	"github.com/google/uuid"

	"github.com/yingda-dev/yingda/internal/domain/aftersales"
)

// OrderWorkflow is the type of the workflow that has an order sent elsewhere, or cancelled. Whoever starts it writes the case's row in
// the same transaction; what the case is, and what may be done to it, internal/domain/order says. It takes SignalAct, as
// AfterSalesWorkflow does, and answers QueryStatus with an OrderStatus.
const OrderWorkflow = "Order"

// OrderID is the id of the workflow, and of the row, of a case.
func OrderID(namespace, brand string, id uuid.UUID) string {
	return "order/" + namespace + "/" + brand + "/" + id.String()
}

// OrderInput starts OrderWorkflow. The address is in the database alone.
type OrderInput struct {
	// ID is OrderID.
	ID        string               `json:"id"`
	Order     string               `json:"order"`
	Operation aftersales.Operation `json:"operation"`
	// Conversation is the one in which the customer asked for it.
	Conversation uuid.UUID `json:"conversation"`
	Channel      string    `json:"channel"`
	// Customer is the customer's id on the Channel.
	Customer   string `json:"customer"`
	SkillGroup string `json:"skillGroup"`
	// OpenedBy is the Agent who opened the case, and owns it.
	OpenedBy  string    `json:"openedBy"`
	StartedAt time.Time `json:"startedAt"`
	// Due is until when it has to be done.
	Due time.Time `json:"due"`
	// RemindBeforeSeconds is how long before it is due its owner is reminded, but not before half of the time has passed.
	RemindBeforeSeconds int64 `json:"remindBeforeSeconds,omitempty"`
	// Ladder is climbed once it is late.
	Ladder []Rung `json:"ladder,omitempty"`
	// TimeZone is that of times that the customer reads.
	TimeZone string `json:"timeZone,omitempty"`
}

// OrderStatus answers QueryStatus, and is the workflow's result.
type OrderStatus struct {
	State aftersales.State `json:"state"`
	Due   time.Time        `json:"due,omitzero"`
	// IgnoredSignals came when they meant nothing.
	IgnoredSignals int `json:"ignoredSignals,omitempty"`
}
