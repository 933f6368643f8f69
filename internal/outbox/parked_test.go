package outbox_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.temporal.io/api/serviceerror"

	"github.com/yingda-dev/yingda/internal/bus"
	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/store"
)

// many is more than a round reads.
const many = 3 * bus.BatchSize

// lame is a broker that has lost a topic or the partitions of some keys, until it is healed.
type lame struct {
	recorder
	healed  chan struct{}
	missing string
	lost    string
}

func (l *lame) Publish(ctx context.Context, topic string, envelopes ...message.Envelope) error {
	select {
	case <-l.healed:
		return l.recorder.Publish(ctx, topic, envelopes...)
	default:
	}
	if topic == l.missing {
		return errors.New("unknown topic")
	}
	failed := map[int]error{}
	for i := range envelopes {
		if l.lost != "" && strings.HasPrefix(envelopes[i].Key, l.lost) {
			failed[i] = errors.New("no leader")
			continue
		}
		if err := l.recorder.Publish(ctx, topic, envelopes[i]); err != nil {
			return err
		}
	}
	if len(failed) > 0 {
		return fmt.Errorf("publishing: %w", &bus.PartialError{Failed: failed})
	}
	return nil
}

func TestRowsThatNobodyTakesHoldUpNoOthers(t *testing.T) {
	for name, tc := range map[string]struct {
		missing, lost, topic string
	}{
		"of a missing topic":    {missing: "gone", topic: "gone"},
		"of a partition's keys": {lost: "lost", topic: "events"},
	} {
		t.Run(name, func(t *testing.T) {
			s := openStore(t)
			broker := &lame{missing: tc.missing, lost: tc.lost, healed: make(chan struct{})}
			write(t, s, func(ctx context.Context, u *store.Unit) error {
				var errs []error
				for n := range many {
					errs = append(errs, publishNumber(ctx, u, tc.topic, fmt.Sprintf("lost%d", n%(many/2)), n))
				}
				return errors.Join(errs...)
			})
			startRelay(t, s, broker, &service{})
			for n := range 3 {
				write(t, s, func(ctx context.Context, u *store.Unit) error { return publishNumber(ctx, u, "events", "b", n) })
				waitUntil(t, "a later row to be sent", func() bool { return len(broker.ids("b")) == n+1 })
			}
			waitDepth(t, s, many)
			close(broker.healed)
			waitEmpty(t, s)
			for key := range many / 2 {
				want := []string{fmt.Sprintf("lost%d/%d", key, key), fmt.Sprintf("lost%d/%d", key, key+many/2)}
				if diff := cmp.Diff(want, slices.Compact(broker.ids(fmt.Sprintf("lost%d", key)))); diff != "" {
					t.Fatalf("arrivals of key %d (-want +got):\n%s", key, diff)
				}
			}
		})
	}
}

func TestWorkflowsThatFailHoldUpNoOthers(t *testing.T) {
	s := openStore(t)
	healed := make(chan struct{})
	temporal := &service{answer: func(operation string) error {
		select {
		case <-healed:
			return nil
		default:
		}
		if strings.HasPrefix(operation, "start Complaint lost") {
			return serviceerror.NewInternal("shard trouble")
		}
		return nil
	}}
	write(t, s, func(ctx context.Context, u *store.Unit) error {
		var errs []error
		for n := range many {
			id := fmt.Sprintf("lost%d", n)
			errs = append(errs, u.StartWorkflow(ctx, id, "Complaint", 1), u.SignalWorkflow(ctx, id, "resolve", 2))
		}
		return errors.Join(append(errs, u.StartWorkflow(ctx, "b", "Complaint", 3))...)
	})
	startRelay(t, s, &recorder{}, temporal)
	waitUntil(t, "b to be started", func() bool { return slices.Contains(temporal.operations(), "start Complaint b 3") })
	waitDepth(t, s, 2*many)
	for _, operation := range temporal.operations() {
		if strings.HasPrefix(operation, "signal") {
			t.Fatalf("%s before its workflow was started", operation)
		}
	}
	close(healed)
	waitEmpty(t, s)
}

func waitDepth(t *testing.T, s *store.Store, rows int64) {
	t.Helper()
	waitUntil(t, fmt.Sprintf("%d rows to be left", rows), func() bool {
		depths, err := s.Queries().OutboxDepth(t.Context())
		return err == nil && len(depths) == 1 && depths[0].Rows == rows
	})
}
