package store

import (
	"time"

	"github.com/yingda-dev/yingda/internal/message"
)

// DeliveriesKept is how long the row of a message that arrived is kept. It is longer than any topic's retention (30 days):
// a connector that reads its topic again knows by the row what it has sent.
const DeliveriesKept = 45 * 24 * time.Hour

// StateWithoutDelivery is where an outbound message stands that has no row: no connector has taken it over yet, or it
// arrived so long ago that the row is gone. Rows of messages that did not arrive stay.
func StateWithoutDelivery(sentAt, now time.Time) message.DeliveryState {
	if now.Sub(sentAt) < DeliveriesKept {
		return message.DeliveryQueued
	}
	return message.DeliveryDelivered
}
