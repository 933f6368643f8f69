package desk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"go.opentelemetry.io/otel/trace"

	"github.com/yingda-dev/yingda/internal/bus"
	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/store/db"
)

// wire is one text message of the WebSocket.
type wire struct {
	Seq     int64           `json:"seq"`
	Kind    string          `json:"kind"`
	Payload json.RawMessage `json:"payload,omitempty"`
	At      time.Time       `json:"at,omitzero"`
}

// The kinds that only the WebSocket knows.
const (
	// kindHello is the first: seq is the number of the newest frame there is.
	kindHello = "hello"
	// kindReset says that frames are gone for good: read the lists anew, and go on from seq.
	kindReset = "reset"
	// kindHidden stands for a stored frame of a conversation that the agent may not see any more; it has no payload.
	kindHidden = "hidden"
)

// pageOfFrames is how many frames are read from Postgres at once.
const pageOfFrames = 200

// feed is where the frames are kept.
type feed interface {
	FeedHead(ctx context.Context, agent string) (int64, error)
	FramesAfter(ctx context.Context, agent string, afterSeq int64, maxRows int32) ([]db.Frame, error)
	DeskVisible(ctx context.Context, ids []uuid.UUID, skillGroups []string, agent string) ([]uuid.UUID, error)
}

var _ feed = (*db.Queries)(nil)

// outgoing is a message for a socket with where it comes from.
type outgoing struct {
	wire
	// source is empty for what is no frame.
	source string
	// resuming says that the frame was due before the socket opened.
	resuming bool
	span     trace.SpanContext
}

// follower sends an agent's frames in order, each once, without a gap.
type follower struct {
	feed  feed
	sub   *subscription
	hello json.RawMessage
	send  func(ctx context.Context, out outgoing) error
	// last is the number of the last frame that was sent.
	last int64
}

// endedError says that the socket is to be closed.
type endedError struct{ why ending }

func (e *endedError) Error() string { return e.why.String() }

// run sends until ctx ends or the subscription does. after is the last frame that the client has; nil starts from now.
// The subscription was made before: a frame is in the feed when its turn comes, or in the subscription.
func (f *follower) run(ctx context.Context, after *int64) error {
	head, err := f.feed.FeedHead(ctx, f.agent())
	if err != nil {
		return fmt.Errorf("reading the head of the feed: %w", err)
	}
	if err := f.send(ctx, outgoing{wire: wire{Seq: head, Kind: kindHello, Payload: f.hello}}); err != nil {
		return err
	}
	f.last = head
	if after != nil {
		f.last = *after
		if err := f.resume(ctx, head); err != nil {
			return err
		}
	}
	f.sub.setReading(false)
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-f.sub.wake:
		}
		if err := f.work(ctx); err != nil {
			return err
		}
	}
}

func (f *follower) agent() string { return f.sub.principal.agent.Name }

func (f *follower) resume(ctx context.Context, head int64) error {
	if f.last > head {
		// The client knows frames that never were: another database, or one that was restored.
		return f.reset(ctx)
	}
	return f.read(ctx, head, true)
}

// work sends what has come.
func (f *follower) work(ctx context.Context) error {
	frames, head, why := f.sub.take()
	if why != nil {
		return &endedError{*why}
	}
	for _, frame := range frames {
		if frame.Seq > f.last+1 {
			if err := f.read(ctx, frame.Seq-1, false); err != nil {
				return err
			}
		}
		if frame.Seq <= f.last {
			continue
		}
		f.last = frame.Seq
		out := outgoing{wire: wire{frame.Seq, string(frame.Kind), frame.Payload, frame.At}, source: sourceLive, span: frame.span}
		if err := f.send(ctx, out); err != nil {
			return err
		}
	}
	return f.read(ctx, head, false)
}

// errPruned says that the next frame is no longer kept.
var errPruned = errors.New("the frames are no longer kept")

// read sends stored frames at least up to the given number, which exists or has existed.
func (f *follower) read(ctx context.Context, upTo int64, resuming bool) error {
	if f.last >= upTo {
		return nil
	}
	err := f.sub.whileReading(func() error {
		for f.last < upTo {
			rows, err := f.feed.FramesAfter(ctx, f.agent(), f.last, pageOfFrames)
			if err != nil {
				return fmt.Errorf("reading frames: %w", err)
			}
			if len(rows) == 0 {
				return errPruned
			}
			if err := f.hide(ctx, rows); err != nil {
				return err
			}
			if err := f.sendRows(ctx, rows, resuming); err != nil {
				return err
			}
		}
		return nil
	})
	if errors.Is(err, errPruned) {
		return f.reset(ctx)
	}
	return err
}

// hide empties the frames of conversations that the agent may not see now: the group may have been another one's then.
func (f *follower) hide(ctx context.Context, rows []db.Frame) error {
	p := f.sub.principal
	if p.supervises() {
		return nil
	}
	ids := make([]uuid.UUID, len(rows))
	for i, row := range rows {
		ids[i] = conversationOf(row)
	}
	found, err := f.feed.DeskVisible(ctx, ids, p.groups, p.agent.Name)
	if err != nil {
		return fmt.Errorf("looking at what the agent may see: %w", err)
	}
	visible := make(map[uuid.UUID]bool, len(found))
	for _, id := range found {
		visible[id] = true
	}
	for i, id := range ids {
		if !visible[id] && !slices.Contains(p.groups, groupOf(rows[i])) {
			rows[i].Kind, rows[i].Payload = kindHidden, nil
		}
	}
	return nil
}

// conversationOf is the conversation that a frame tells of; none for a frame that cannot be read, which stays hidden.
func conversationOf(row db.Frame) uuid.UUID {
	var about struct {
		ID           json.RawMessage `json:"id"`
		Conversation *uuid.UUID      `json:"conversation"`
	}
	if json.Unmarshal(row.Payload, &about) != nil {
		return uuid.Nil
	}
	if about.Conversation != nil {
		return *about.Conversation
	}
	var id uuid.UUID
	if json.Unmarshal(about.ID, &id) != nil {
		return uuid.Nil
	}
	return id
}

// groupOf is the group whose queue a frame tells of; empty for a frame of another kind.
func groupOf(row db.Frame) string {
	var alert store.QueueAlert
	if row.Kind != string(message.FrameQueue) || json.Unmarshal(row.Payload, &alert) != nil {
		return ""
	}
	return alert.SkillGroup
}

func (f *follower) sendRows(ctx context.Context, rows []db.Frame, resuming bool) error {
	for _, row := range rows {
		if row.Seq != f.last+1 {
			return errPruned
		}
		f.last = row.Seq
		err := f.send(ctx, outgoing{wire: wire{row.Seq, row.Kind, row.Payload, row.CreatedAt}, source: sourceStored, resuming: resuming})
		if err != nil {
			return err
		}
	}
	return nil
}

// reset tells the client to read everything anew, and goes on from now.
func (f *follower) reset(ctx context.Context) error {
	head, err := f.feed.FeedHead(ctx, f.agent())
	if err != nil {
		return fmt.Errorf("reading the head of the feed: %w", err)
	}
	f.last = head
	return f.send(ctx, outgoing{wire: wire{Seq: head, Kind: kindReset}})
}

// hear takes a frame from Kafka to the sockets of its agent. It is called for different partitions at once.
func (d *Desk) hear(ctx context.Context, e message.Envelope) {
	if e.Type != message.TypeFrame {
		return
	}
	sockets := d.hub.of(e.Key)
	if len(sockets) == 0 {
		return
	}
	frame, err := message.Payload[message.Frame](e, message.TypeFrame)
	if err != nil {
		// Postgres has the frame; the next check brings it.
		d.Logger.Warn("Skipped a frame that cannot be read", "error", err)
		return
	}
	span := trace.SpanContextFromContext(bus.TraceContext(ctx, e))
	for _, socket := range sockets {
		socket.push(live{frame, span})
	}
}
