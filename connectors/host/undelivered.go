package host

import (
	"context"
	"time"

	"github.com/yingda-dev/yingda/connectors"
	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/wait"
)

const (
	// revokeTimeout bounds how long a platform that says that something did not arrive is kept waiting: it may say so before the replica
	// that sent it has written down by which name.
	revokeTimeout = time.Second
	revokePause   = 50 * time.Millisecond
)

// revoker is what of store.Store is used here.
type revoker interface {
	RevokeDelivery(ctx context.Context, contact store.Contact, platformID, reason string) (known, changed bool, err error)
}

// undelivered notes what the platform took and did not deliver; the sweep reports it. What nobody here has sent, as another program of the
// account's owner may have, is passed over. After an error the platform has to say it again.
func (h *webhooks) undelivered(ctx context.Context, channel string, reports []connectors.Undelivered) error {
	if len(reports) == 0 {
		return nil
	}
	within, cancel := context.WithTimeout(context.WithoutCancel(ctx), revokeTimeout)
	defer cancel()
	for _, u := range reports {
		contact := store.Contact{Channel: channel, ExternalID: u.Customer}
		for {
			known, changed, err := h.revoker.RevokeDelivery(within, contact, u.PlatformID, u.Reason)
			if err != nil {
				return err
			}
			if changed {
				h.metrics.deliveries.WithLabelValues(channel, string(message.DeliveryFailed), u.Reason).Inc()
			}
			if known || !wait.For(within, revokePause) {
				break
			}
		}
	}
	return nil
}
