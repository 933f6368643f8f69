package host

import (
	"bytes"
	"context"
	"encoding/json"
	"time"

	"github.com/yingda-dev/yingda/internal/bus"
	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/store"
)

const takeTimeout = 10 * time.Second

// outbound takes messages from Kafka into delivery rows; from then on the rows are the truth, and the offset moves on
// however long a message has to wait.
type outbound struct {
	pool       string
	store      *store.Store
	dispatcher *dispatcher
	typing     *typing
}

var _ bus.Handler = (*outbound)(nil).take

func (o *outbound) take(ctx context.Context, _ int, batch []message.Envelope) error {
	var deliveries []store.NewDelivery
	var indicators []message.Outbound
	for i, e := range batch {
		out, err := message.Payload[message.Outbound](e, message.TypeOutbound)
		switch {
		case err != nil:
			return &bus.PoisonError{Index: i, Reason: "not an outbound message"}
		case out.Channel == "" || out.Customer == "":
			return &bus.PoisonError{Index: i, Reason: "no channel or no customer"}
		case holdsNUL(e.Data):
			return &bus.PoisonError{Index: i, Reason: "holds a NUL, which the database cannot keep"}
		case out.Content.Kind == message.KindTyping:
			indicators = append(indicators, out)
			continue
		}
		deliveries = append(deliveries, store.NewDelivery{
			MessageID: out.MessageID, Contact: store.Contact{Channel: out.Channel, ExternalID: out.Customer}, Outbound: e.Data, TraceParent: e.TraceParent,
		})
	}
	if len(deliveries) > 0 {
		ctx, cancel := context.WithTimeout(ctx, takeTimeout)
		defer cancel()
		contacts, err := o.store.AddDeliveries(ctx, o.pool, deliveries)
		if err != nil {
			return err
		}
		o.dispatcher.wake(contacts...)
	}
	for _, out := range indicators {
		o.typing.offer(out)
	}
	return nil
}

// holdsNUL says whether any string of a JSON document holds U+0000.
func holdsNUL(data []byte) bool {
	if !bytes.Contains(data, []byte(`\u0000`)) {
		return false
	}
	// What looks like one may be an escaped backslash before plain text.
	decoder := json.NewDecoder(bytes.NewReader(data))
	for {
		token, err := decoder.Token()
		if err != nil {
			return false
		}
		if text, ok := token.(string); ok && bytes.ContainsRune([]byte(text), 0) {
			return true
		}
	}
}
