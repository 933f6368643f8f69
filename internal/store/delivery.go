package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/yingda-dev/yingda/internal/domain/quota"
	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/store/db"
)

// Contact is one customer on one Channel.
type Contact struct {
	Channel, ExternalID string
}

// NewDelivery is an outbound message that a connector takes over.
type NewDelivery struct {
	MessageID   uuid.UUID
	Contact     Contact
	Outbound    json.RawMessage
	TraceParent string
}

// AddDeliveries takes over messages in their order and returns the contacts of those that are new.
func (s *Store) AddDeliveries(ctx context.Context, pool string, batch []NewDelivery) ([]Contact, error) {
	params := db.DeliveryInsertParams{Pool: pool}
	for _, d := range batch {
		params.MessageIds = append(params.MessageIds, d.MessageID)
		params.Channels = append(params.Channels, d.Contact.Channel)
		params.ExternalIds = append(params.ExternalIds, d.Contact.ExternalID)
		params.Outbounds = append(params.Outbounds, d.Outbound)
		params.Traceparents = append(params.Traceparents, d.TraceParent)
	}
	rows, err := s.Queries().DeliveryInsert(ctx, params)
	if err != nil {
		return nil, fmt.Errorf("adding deliveries: %w", err)
	}
	contacts := make([]Contact, len(rows))
	for i, row := range rows {
		contacts[i] = Contact(row)
	}
	return contacts, nil
}

// ClaimRequest says who wants to send.
type ClaimRequest struct {
	Contact Contact
	// Owner is the replica, different in each of its lives.
	Owner string
	Now   time.Time
	// LostAfter is when a replica that has begun a call must have ended it: what is `sending` for longer, by the database's
	// clock, is unknown.
	LostAfter time.Duration
}

// ClaimOutcome is what a claim found.
type ClaimOutcome int

// The outcomes of a claim.
const (
	// ClaimIdle: nothing is to be sent to the contact now.
	ClaimIdle ClaimOutcome = iota
	// ClaimSend: the caller must send the message, and settle it.
	ClaimSend
	// ClaimEnded: the message was settled without a call; there may be more.
	ClaimEnded
)

// Claim is the result of ClaimDelivery.
type Claim struct {
	Outcome ClaimOutcome
	// Row is the message that is to be sent, or that has ended.
	Row db.Delivery
	// Quota is the ledger after the message was spent.
	Quota quota.State
	// Free says that the message costs nothing, and was not spent.
	Free bool
}

// The reasons of deliveries that end without a call.
const (
	ReasonWindowClosed = "WindowClosed"
	ReasonQuotaSpent   = "QuotaSpent"
	ReasonLost         = "ConnectorLost"
	ReasonAssigned     = "AgentHasIt"
)

// ClaimDelivery takes the contact's oldest message that is not settled, if it is its time. The contact is locked, so that
// its messages leave in order from whichever replica; `sending` and the quota spent are committed before the call, so that
// whoever comes after a crash knows that it may have been made.
func (s *Store) ClaimDelivery(ctx context.Context, request ClaimRequest) (Claim, error) {
	var claim Claim
	err := s.InTx(ctx, func(ctx context.Context, tx pgx.Tx) error {
		claim = Claim{}
		q := db.New(tx)
		if err := q.ContactLock(ctx, request.Contact.Channel, request.Contact.ExternalID); err != nil {
			return fmt.Errorf("locking the contact: %w", err)
		}
		row, err := q.DeliveryHead(ctx, request.LostAfter.Seconds(), request.Contact.Channel, request.Contact.ExternalID, &request.Now)
		switch {
		case errors.Is(err, pgx.ErrNoRows):
			return nil
		case err != nil:
			return fmt.Errorf("reading the contact's next message: %w", err)
		}
		head := row.Delivery
		state := message.DeliveryState(head.State)
		switch {
		case row.Lost:
			return claim.end(ctx, q, head, message.DeliveryUnknown, ReasonLost)
		case state == message.DeliverySending:
			return nil
		case row.Superseded:
			return claim.end(ctx, q, head, message.DeliverySuperseded, ReasonAssigned)
		case state == message.DeliveryDeferred && head.NotBefore != nil && head.NotBefore.After(request.Now):
			return nil
		case isNotice(head):
			// The platform takes it whatever was said before.
			return claim.begin(ctx, q, head, request)
		default:
			return claim.spend(ctx, q, head, request)
		}
	})
	if err != nil {
		return Claim{}, fmt.Errorf("claiming a delivery: %w", err)
	}
	return claim, nil
}

func (c *Claim) end(ctx context.Context, q *db.Queries, head db.Delivery, state message.DeliveryState, reason string) error {
	row, err := q.DeliveryEnd(ctx, string(state), 0, reason, head.MessageID)
	if err != nil {
		return fmt.Errorf("ending a delivery: %w", err)
	}
	c.Outcome, c.Row = ClaimEnded, row
	return nil
}

func (c *Claim) spend(ctx context.Context, q *db.Queries, head db.Delivery, request ClaimRequest) error {
	state, err := lockQuota(ctx, q, request.Contact)
	if err != nil {
		return err
	}
	switch quota.Check(state, request.Now) {
	case quota.WindowClosed:
		return c.end(ctx, q, head, message.DeliveryFailed, ReasonWindowClosed)
	case quota.QuotaSpent:
		return c.end(ctx, q, head, message.DeliveryFailed, ReasonQuotaSpent)
	case quota.Allowed:
	}
	state = quota.Spend(state)
	if err := setQuota(ctx, q, request.Contact, state); err != nil {
		return err
	}
	c.Quota = state
	return c.begin(ctx, q, head, request)
}

func (c *Claim) begin(ctx context.Context, q *db.Queries, head db.Delivery, request ClaimRequest) error {
	if err := q.DeliverySending(ctx, request.Owner, head.MessageID); err != nil {
		return fmt.Errorf("marking a delivery as sending: %w", err)
	}
	head.Attempts++
	c.Outcome, c.Row, c.Free = ClaimSend, head, isNotice(head)
	return nil
}

// isNotice says whether a message is a notice. What cannot be read is none, and is refused by who sends it.
func isNotice(row db.Delivery) bool {
	var out struct {
		Content struct {
			Kind message.Kind `json:"kind"`
		} `json:"content"`
	}
	return json.Unmarshal(row.Outbound, &out) == nil && out.Content.Kind == message.KindNotice
}

// Ledger says what a send's result means for the quota.
type Ledger int

// What can happen to the quota after a send.
const (
	// LedgerKeep: the message stays spent.
	LedgerKeep Ledger = iota
	// LedgerRefund: the message has certainly not gone out.
	LedgerRefund
	// LedgerWindowClosed and LedgerQuotaSpent: the platform knows better than we.
	LedgerWindowClosed
	LedgerQuotaSpent
)

// Settlement is the result of a call.
type Settlement struct {
	Claim  Claim
	Owner  string
	State  message.DeliveryState
	Code   int
	Reason string
	// PlatformID is by what the platform tells later that the message did not arrive; empty where it does not.
	PlatformID string
	// NotBefore is when a deferred message is tried again.
	NotBefore time.Time
	Ledger    Ledger
	Now       time.Time
}

// SettleDelivery writes the result of a call. It returns the row as it is now, or false when the call took so long that
// somebody has given the message up as unknown: that is final, and stays.
func (s *Store) SettleDelivery(ctx context.Context, settlement Settlement) (db.Delivery, bool, error) {
	params := db.DeliverySettleParams{
		MessageID: settlement.Claim.Row.MessageID, Owner: settlement.Owner, State: string(settlement.State),
		PlatformID: settlement.PlatformID, Code: int32(settlement.Code), Reason: settlement.Reason, //nolint:gosec // Platform codes are small.
	}
	if !settlement.NotBefore.IsZero() {
		params.NotBefore = &settlement.NotBefore
	}
	var rows []db.Delivery
	err := s.InTx(ctx, func(ctx context.Context, tx pgx.Tx) error {
		q := db.New(tx)
		var err error
		if rows, err = q.DeliverySettle(ctx, params); err != nil {
			return fmt.Errorf("writing the result: %w", err)
		}
		if len(rows) == 0 || settlement.Ledger == LedgerKeep || settlement.Claim.Free {
			return nil
		}
		return settleQuota(ctx, q, settlement)
	})
	if err != nil {
		return db.Delivery{}, false, fmt.Errorf("settling a delivery: %w", err)
	}
	if len(rows) == 0 {
		return db.Delivery{}, false, nil
	}
	return rows[0], true, nil
}

// RevokeDelivery notes that what the platform took did not arrive after all. Of what is not there, or not settled yet, known is false; what was
// noted before changes nothing. The row is told like any other that changed.
func (s *Store) RevokeDelivery(ctx context.Context, contact Contact, platformID, reason string) (known, changed bool, err error) {
	err = s.InTx(ctx, func(ctx context.Context, tx pgx.Tx) error {
		known, changed = false, false
		q := db.New(tx)
		row, err := q.DeliveryOfPlatform(ctx, contact.Channel, platformID, contact.ExternalID)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("looking for the message: %w", err)
		}
		if known = true; row.State != string(message.DeliveryDelivered) {
			return nil
		}
		changed = true
		if _, err := q.DeliveryEnd(ctx, string(message.DeliveryFailed), 0, reason, row.MessageID); err != nil {
			return fmt.Errorf("noting that it failed: %w", err)
		}
		return nil
	})
	if err != nil {
		return false, false, fmt.Errorf("revoking a delivery: %w", err)
	}
	return known, changed, nil
}

func settleQuota(ctx context.Context, q *db.Queries, settlement Settlement) error {
	contact := Contact{settlement.Claim.Row.Channel, settlement.Claim.Row.ExternalID}
	state, err := lockQuota(ctx, q, contact)
	if err != nil {
		return err
	}
	// The platform's word is about the grants that were open then: one that came since is not touched.
	known := settlement.Claim.Quota
	sameMessage, sameSession := state.WindowEnds.Equal(known.WindowEnds), state.SessionEnds.Equal(known.SessionEnds)
	switch settlement.Ledger {
	case LedgerRefund:
		state = quota.Refund(state)
	case LedgerWindowClosed:
		if sameMessage && state.WindowEnds.After(settlement.Now) {
			state.WindowEnds = settlement.Now
		}
		if sameSession && state.SessionEnds.After(settlement.Now) {
			state.SessionEnds = settlement.Now
		}
	case LedgerQuotaSpent:
		if sameMessage {
			state.Remaining = min(state.Remaining, 0)
		}
		if sameSession {
			state.SessionRemaining = min(state.SessionRemaining, 0)
		}
	case LedgerKeep:
	}
	return setQuota(ctx, q, contact, state)
}

// Quota returns the contact's ledger.
func (s *Store) Quota(ctx context.Context, contact Contact) (quota.State, error) {
	return readQuota(ctx, s.Queries(), contact)
}

// Quota is what may be sent to a contact, as the unit's transaction sees it.
func (u *Unit) Quota(ctx context.Context, contact Contact) (quota.State, error) {
	return readQuota(ctx, u.Queries, contact)
}

func readQuota(ctx context.Context, q *db.Queries, contact Contact) (quota.State, error) {
	row, err := q.QuotaGet(ctx, contact.Channel, contact.ExternalID)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return quota.State{}, fmt.Errorf("reading the quota: %w", err)
	}
	return quotaState(row), nil
}

func lockQuota(ctx context.Context, q *db.Queries, contact Contact) (quota.State, error) {
	row, err := q.QuotaForUpdate(ctx, contact.Channel, contact.ExternalID)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return quota.State{}, fmt.Errorf("locking the quota: %w", err)
	}
	return quotaState(row), nil
}

func setQuota(ctx context.Context, q *db.Queries, contact Contact, state quota.State) error {
	err := q.QuotaSet(ctx, db.QuotaSetParams{
		Channel: contact.Channel, ExternalID: contact.ExternalID,
		WindowEnds: state.WindowEnds, Remaining: state.Remaining, Granted: state.Granted,
		SessionEnds: state.SessionEnds, SessionRemaining: state.SessionRemaining, SessionGranted: state.SessionGranted,
	})
	if err != nil {
		return fmt.Errorf("writing the quota: %w", err)
	}
	return nil
}

func quotaState(row db.Quotum) quota.State {
	return quota.State{
		WindowEnds: row.WindowEnds, Remaining: row.Remaining, Granted: row.Granted,
		SessionEnds: row.SessionEnds, SessionRemaining: row.SessionRemaining, SessionGranted: row.SessionGranted,
	}
}

// DueContacts returns contacts with a message that can be worked on now: deferred and due, queued for a while by a replica
// that may be dead, or sending for so long that it must be.
func (s *Store) DueContacts(ctx context.Context, channels []string, now time.Time, queuedFor, lostAfter time.Duration, most int32) ([]Contact, error) {
	rows, err := s.Queries().DeliveryDue(ctx, db.DeliveryDueParams{
		Channels: channels, Now: &now, QueuedFor: queuedFor.Seconds(), LostAfter: lostAfter.Seconds(), MaxRows: most,
	})
	if err != nil {
		return nil, fmt.Errorf("looking for due deliveries: %w", err)
	}
	contacts := make([]Contact, len(rows))
	for i, row := range rows {
		contacts[i] = Contact(row)
	}
	return contacts, nil
}

// UnreportedDeliveries returns rows whose state the router was not told for so long.
func (s *Store) UnreportedDeliveries(ctx context.Context, pool string, unreportedFor time.Duration, most int32) ([]db.Delivery, error) {
	rows, err := s.Queries().DeliveryUnreported(ctx, pool, unreportedFor.Seconds(), most)
	if err != nil {
		return nil, fmt.Errorf("looking for unreported deliveries: %w", err)
	}
	return rows, nil
}

// MarkReported notes that the router was told of the rows as they are given; rows that changed since stay unreported.
func (s *Store) MarkReported(ctx context.Context, rows []db.Delivery) error {
	ids, at := make([]uuid.UUID, len(rows)), make([]time.Time, len(rows))
	for i, row := range rows {
		ids[i], at[i] = row.MessageID, row.UpdatedAt
	}
	if err := s.Queries().DeliveryReported(ctx, ids, at); err != nil {
		return fmt.Errorf("marking deliveries as reported: %w", err)
	}
	return nil
}

// ReasonChannelGone ends messages to a Channel that was deleted.
const ReasonChannelGone = "ChannelGone"

// EndOrphans ends the pool's messages to Channels that are not among the given ones, if they have waited for so long; it
// returns how many.
func (s *Store) EndOrphans(ctx context.Context, pool string, channels []string, waited time.Duration) (int64, error) {
	rows, err := s.Queries().DeliveryOrphans(ctx, ReasonChannelGone, pool, channels, waited.Seconds())
	if err != nil {
		return 0, fmt.Errorf("ending deliveries of deleted channels: %w", err)
	}
	return rows, nil
}
