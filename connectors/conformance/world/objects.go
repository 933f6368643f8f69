package world

import (
	"time"

	"github.com/google/uuid"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/domain/quota"
	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/store/db"
)

// Channel is a Channel of the world's Brand; the Brand is filled into spec.
func (w *World) Channel(name string, spec v1alpha1.ChannelSpec) *v1alpha1.Channel {
	spec.BrandRef = v1alpha1.BrandReference{Name: w.Names.Brand}
	return &v1alpha1.Channel{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: w.Names.Namespace, Generation: 1}, Spec: spec}
}

// Secret is a Secret that connectors may use.
func (w *World) Secret(name string, data map[string][]byte) *corev1.Secret {
	return &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: w.Names.Namespace, Labels: map[string]string{v1alpha1.CredentialsLabel: "true"}},
		Data:       data,
	}
}

// Create makes objects.
func (w *World) Create(objects ...client.Object) {
	w.T.Helper()
	for _, object := range objects {
		if err := w.Kube.Create(w.T.Context(), object); err != nil {
			w.T.Fatal(err)
		}
	}
}

// Update changes an object.
func (w *World) Update(object client.Object) {
	w.T.Helper()
	if err := w.Kube.Update(w.T.Context(), object); err != nil {
		w.T.Fatal(err)
	}
}

// Current is a Channel as it is now.
func (w *World) Current(channel string) *v1alpha1.Channel {
	w.T.Helper()
	current := &v1alpha1.Channel{}
	if err := w.Kube.Get(w.T.Context(), client.ObjectKey{Namespace: w.Names.Namespace, Name: channel}, current); err != nil {
		w.T.Fatal(err)
	}
	return current
}

// Delete begins the deletion of a Channel, which the operator's finalizer holds up. It returns the deletion's generation.
func (w *World) Delete(channel string) int64 {
	w.T.Helper()
	held := w.Current(channel)
	held.Finalizers = []string{"yingda.dev/channel"}
	w.Update(held)
	if err := w.Kube.Delete(w.T.Context(), held); err != nil {
		w.T.Fatal(err)
	}
	// An API server counts the deletion as a generation.
	held = w.Current(channel)
	held.Generation++
	w.Update(held)
	return held.Generation
}

// Say publishes a text for a customer, as the relay does.
func (w *World) Say(channel, customer, text string) uuid.UUID {
	w.T.Helper()
	return w.SayContent(channel, customer, message.Content{Kind: message.KindText, Text: text})
}

// SayContent publishes something for a customer.
func (w *World) SayContent(channel, customer string, content message.Content) uuid.UUID {
	w.T.Helper()
	id := uuid.New()
	w.Publish(message.Outbound{MessageID: id, Channel: channel, Customer: customer, Content: content})
	return id
}

// Publish puts a record on the outbound topic.
func (w *World) Publish(out message.Outbound) {
	w.T.Helper()
	e, err := message.New(uuid.NewString(), message.TypeOutbound, "/test", out.Channel, message.CustomerKey(out.Channel, out.Customer), time.Now(), out)
	if err != nil {
		w.T.Fatal(err)
	}
	if err := w.producer.Publish(w.T.Context(), w.Names.Outbound(w.Pool), e); err != nil {
		w.T.Fatal(err)
	}
}

// Grant sets a customer's ledger, as the router does.
func (w *World) Grant(channel, customer string, state quota.State) {
	w.T.Helper()
	state.Granted = max(state.Granted, state.Remaining)
	err := w.Owner.Queries().QuotaSet(w.T.Context(), db.QuotaSetParams{
		Channel: channel, ExternalID: customer,
		WindowEnds: state.WindowEnds, Remaining: state.Remaining, Granted: state.Granted,
		SessionEnds: state.SessionEnds, SessionRemaining: state.SessionRemaining, SessionGranted: state.SessionGranted,
	})
	if err != nil {
		w.T.Fatal(err)
	}
}

// Ledger is what connectors have left of a customer's grant.
func (w *World) Ledger(channel, customer string) quota.State {
	w.T.Helper()
	state, err := w.Owner.Quota(w.T.Context(), store.Contact{Channel: channel, ExternalID: customer})
	if err != nil {
		w.T.Fatal(err)
	}
	return state
}

// DeliveryState is what the database says of a message, "" while it holds nothing of it.
func (w *World) DeliveryState(id uuid.UUID) message.DeliveryState {
	w.T.Helper()
	var state string
	err := w.Owner.Pool().QueryRow(w.T.Context(), "SELECT coalesce((SELECT state FROM delivery WHERE message_id = $1), '')", id).Scan(&state)
	if err != nil {
		w.T.Fatal(err)
	}
	return message.DeliveryState(state)
}

// Age makes the last change of a delivery look older.
func (w *World) Age(id uuid.UUID, by time.Duration) {
	w.T.Helper()
	_, err := w.Owner.Pool().Exec(w.T.Context(), "UPDATE delivery SET updated_at = updated_at - make_interval(secs => $2) WHERE message_id = $1", id, by.Seconds())
	if err != nil {
		w.T.Fatal(err)
	}
}

// Due makes it time for a deferred delivery's next try.
func (w *World) Due(id uuid.UUID) {
	w.T.Helper()
	if _, err := w.Owner.Pool().Exec(w.T.Context(), "UPDATE delivery SET not_before = now() WHERE message_id = $1", id); err != nil {
		w.T.Fatal(err)
	}
}

// Unreported is how many final or deferred deliveries were not told yet.
func (w *World) Unreported() int {
	w.T.Helper()
	// From the future, so that the youngest are among them.
	rows, err := w.Owner.UnreportedDeliveries(w.T.Context(), w.Pool, -time.Hour, 1000)
	if err != nil {
		w.T.Fatal(err)
	}
	return len(rows)
}
