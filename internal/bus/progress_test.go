package bus_test

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/yingda-dev/yingda/internal/bus"
	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/testenv"
)

func TestAMarkIsPassedOnceTheGroupHasHandledAllBefore(t *testing.T) {
	w := newWorld(t, testenv.Kafka(t), 4)
	progress := bus.NewProgress(w.cluster, w.group, w.topic, slog.New(slog.DiscardHandler))
	t.Cleanup(progress.Close)
	mark := func() bus.Mark {
		t.Helper()
		m, err := progress.Mark(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	passed := func(m bus.Mark) bool {
		t.Helper()
		yes, err := progress.Passed(t.Context(), m)
		if err != nil {
			t.Fatal(err)
		}
		return yes
	}
	if !passed(mark()) {
		t.Error("in an empty topic there is something to read")
	}
	w.publish(numbered(t, "shop/o-1", 1))
	before := mark()
	if passed(before) {
		t.Error("a message that nobody has read is passed")
	}
	var stuck atomic.Bool
	stuck.Store(true)
	l := newLedger()
	w.consume(func(ctx context.Context, partition int, batch []message.Envelope) error {
		if stuck.Load() {
			return errors.New("the database is away")
		}
		return l.handle(ctx, partition, batch)
	})
	if passed(before) {
		t.Error("a message that was read and not handled is passed")
	}
	stuck.Store(false)
	l.await(t, []string{"shop/o-1"}, 1)
	// Offsets are committed some moments after.
	for deadline := time.After(patience); !passed(before); {
		select {
		case <-time.After(10 * time.Millisecond):
		case <-deadline:
			t.Fatal("what was handled is not passed")
		}
	}
}
