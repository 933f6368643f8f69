package host

import (
	"context"
	"encoding/json"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
	"k8s.io/client-go/util/workqueue"

	"github.com/yingda-dev/yingda/connectors"
	"github.com/yingda-dev/yingda/internal/bus"
	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/store/db"
	"github.com/yingda-dev/yingda/internal/wait"
)

const (
	dispatchWorkers = 32
	// dispatchConnections is how many of the store's connections they take at once: webhooks need some for the spool, just
	// when the rest is slow.
	dispatchConnections = 8
	claimTimeout        = 5 * time.Second
	// sendTimeout bounds one message with all its calls: token, upload, send.
	sendTimeout = 20 * time.Second
	// lostAfter is when a replica that is still `sending` must be dead. It is well beyond sendTimeout.
	lostAfter     = 30 * time.Second
	settleTimeout = 5 * time.Second
	settlePause   = 200 * time.Millisecond
	deferMost     = 5 * time.Minute
	// credentialsPause lets every replica notice that the account is refused before the message is tried again.
	credentialsPause = 5 * time.Second
)

// dispatcher sends what is in delivery rows: per contact in order, contacts side by side.
//
//	wake(contact) ──> queue (a contact is in one worker at most) ──> claim ──> call ──> settle ──> claim ...
//	                                                                   │
//	                          idle: nothing due, or another replica has the contact; a sweep comes back
type dispatcher struct {
	owner    string
	table    *table
	store    *store.Store
	reporter *reporter
	clock    func() time.Time
	logger   *slog.Logger
	metrics  *metrics
	queue    workqueue.TypedInterface[store.Contact]
	log      *steadyLog
	turns    chan struct{}
}

func newDispatcher(owner string, t *table, s *store.Store, r *reporter, clock func() time.Time, m *metrics, logger *slog.Logger) *dispatcher {
	return &dispatcher{
		owner: owner, table: t, store: s, reporter: r, clock: clock, logger: logger, metrics: m,
		queue: workqueue.NewTyped[store.Contact](), log: newSteadyLog(logger, "claim deliveries"),
		turns: make(chan struct{}, dispatchConnections),
	}
}

// wake looks after contacts soon.
func (d *dispatcher) wake(contacts ...store.Contact) {
	for _, contact := range contacts {
		d.queue.Add(contact)
	}
}

// stop lets workers finish the message that each has in hand, and no more; run returns then.
func (d *dispatcher) stop() { d.queue.ShutDown() }

// run dispatches until stop. ctx ends calls under way.
func (d *dispatcher) run(ctx context.Context) {
	var workers sync.WaitGroup
	for range dispatchWorkers {
		workers.Go(func() {
			for {
				contact, shutdown := d.queue.Get()
				if shutdown {
					return
				}
				d.work(ctx, contact)
				d.queue.Done(contact)
			}
		})
	}
	workers.Wait()
}

// work sends to one contact until nothing is due.
func (d *dispatcher) work(ctx context.Context, contact store.Contact) {
	for !d.queue.ShuttingDown() && ctx.Err() == nil {
		turn, ok := d.table.admit(contact.Channel)
		if !ok {
			// A sweep comes back to the contact, here and below.
			return
		}
		claim, err := d.claim(ctx, contact)
		d.log.note(err)
		if err != nil || claim.Outcome != store.ClaimSend {
			d.table.unused(turn)
		}
		switch {
		case err != nil, claim.Outcome == store.ClaimIdle:
			return
		case claim.Outcome == store.ClaimEnded:
			d.tell(claim.Row)
		default:
			d.send(ctx, turn, claim)
		}
	}
}

func (d *dispatcher) claim(ctx context.Context, contact store.Contact) (store.Claim, error) {
	d.turns <- struct{}{}
	defer func() { <-d.turns }()
	ctx, cancel := context.WithTimeout(ctx, claimTimeout)
	defer cancel()
	return d.store.ClaimDelivery(ctx, store.ClaimRequest{Contact: contact, Owner: d.owner, Now: d.clock(), LostAfter: lostAfter})
}

// send calls the platform for a claimed message and writes down what came of it.
func (d *dispatcher) send(ctx context.Context, turn turn, claim store.Claim) {
	row := claim.Row
	ctx = bus.TraceContext(ctx, message.Envelope{TraceParent: row.Traceparent})
	ctx, span := tracer().Start(ctx, "deliver", trace.WithSpanKind(trace.SpanKindClient),
		trace.WithAttributes(attribute.String("yingda.channel", row.Channel), attribute.Int("yingda.attempt", int(row.Attempts))))
	defer span.End()
	out, failure := outboundOf(row)
	platformID := ""
	if failure == nil {
		platformID, failure = d.call(ctx, turn, out)
	}
	if out.Content.Kind == message.KindNotice {
		d.table.notified(turn, failure)
	} else {
		d.table.sent(turn, failure)
	}
	if failure != nil {
		span.SetStatus(codes.Error, failure.Reason)
		d.logger.InfoContext(ctx, "A message was not delivered", "Channel", row.Channel, "messageID", row.MessageID,
			"class", string(failure.Class), "reason", failure.Reason, "code", failure.Code, "attempt", row.Attempts, "error", failure.Err)
	}
	settlement := d.judge(claim, failure)
	settlement.PlatformID = platformID
	d.settle(ctx, settlement)
}

func outboundOf(row db.Delivery) (message.Outbound, *connectors.CallError) {
	var out message.Outbound
	if err := json.Unmarshal(row.Outbound, &out); err != nil {
		return message.Outbound{}, &connectors.CallError{Class: connectors.ClassPermanent, Reason: "Unreadable"}
	}
	return out, nil
}

// call returns, once the platform took the message, its own name of it, where it tells later what became of it.
func (d *dispatcher) call(ctx context.Context, turn turn, out message.Outbound) (platformID string, failure *connectors.CallError) {
	if !out.NotAfter.IsZero() && d.clock().After(out.NotAfter) {
		return "", &connectors.CallError{Class: connectors.ClassPermanent, Reason: "TooLate"}
	}
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	platformID, err := say(ctx, turn, out)
	if err != nil {
		return "", connectors.AsCallError(err)
	}
	return platformID, nil
}

func say(ctx context.Context, turn turn, out message.Outbound) (platformID string, err error) {
	if out.Content.Kind != message.KindNotice {
		return "", turn.connector.Send(ctx, out)
	}
	notifier, ok := turn.connector.(connectors.Notifier)
	if !ok {
		return "", &connectors.CallError{Class: connectors.ClassPermanent, Reason: connectors.ReasonNoTemplate}
	}
	return notifier.Notify(ctx, turn.channel, out)
}

// judge turns the result of a call into what is written.
func (d *dispatcher) judge(claim store.Claim, failure *connectors.CallError) store.Settlement {
	s := store.Settlement{Claim: claim, Owner: d.owner, Now: d.clock(), State: message.DeliveryDelivered}
	if failure == nil {
		return s
	}
	s.Code, s.Reason = failure.Code, failure.Reason
	switch failure.Class {
	case connectors.ClassRetryLater:
		s.State, s.Ledger = message.DeliveryDeferred, store.LedgerRefund
		s.NotBefore = s.Now.Add(backoff(claim.Row.Attempts, failure.RetryAfter))
	case connectors.ClassCredentials:
		s.State, s.Ledger, s.NotBefore = message.DeliveryDeferred, store.LedgerRefund, s.Now.Add(credentialsPause)
	case connectors.ClassWindowClosed:
		s.State, s.Ledger = message.DeliveryFailed, store.LedgerWindowClosed
	case connectors.ClassQuotaSpent:
		s.State, s.Ledger = message.DeliveryFailed, store.LedgerQuotaSpent
	case connectors.ClassPermanent:
		s.State, s.Ledger = message.DeliveryFailed, store.LedgerRefund
	case connectors.ClassUnknown:
		s.State = message.DeliveryUnknown
	}
	return s
}

// backoff grows with the attempts from a second to some minutes, is never shorter than what the platform asks for, and is
// spread a little, so that what failed together does not come back together.
func backoff(attempts int32, least time.Duration) time.Duration {
	const first, doublings, spread = time.Second, 9, 5
	grown := max(least, min(first<<min(max(attempts-1, 0), doublings), deferMost))
	return grown + rand.N(grown/spread) //nolint:gosec // No secret.
}

// settle writes the result, and tries until it is written: what stays `sending` becomes unknown, though we know better. It
// outlives ctx by one try, for a result that came at the very end.
func (d *dispatcher) settle(ctx context.Context, settlement store.Settlement) {
	for {
		row, ok, err := d.settleOnce(ctx, settlement)
		switch {
		case err == nil && ok:
			// What the report brings about belongs to this very attempt.
			row.Traceparent = bus.WithTrace(ctx, message.Envelope{}).TraceParent
			d.tell(row)
			return
		case err == nil:
			d.logger.WarnContext(ctx, "The result of a delivery came too late, it stays unknown", "Channel", settlement.Claim.Row.Channel, "messageID", settlement.Claim.Row.MessageID)
			return
		}
		d.log.note(err)
		if !wait.For(ctx, settlePause) {
			return
		}
	}
}

func (d *dispatcher) settleOnce(ctx context.Context, settlement store.Settlement) (db.Delivery, bool, error) {
	d.turns <- struct{}{}
	defer func() { <-d.turns }()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTimeout)
	defer cancel()
	return d.store.SettleDelivery(ctx, settlement)
}

func (d *dispatcher) tell(row db.Delivery) {
	d.metrics.deliveries.WithLabelValues(row.Channel, row.State, row.Reason).Inc()
	d.reporter.offer(row)
}
