package outbox_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.uber.org/goleak"

	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/outbox"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/testenv"
)

// deadline is for what takes milliseconds; it only bounds a failing test.
const deadline = 20 * time.Second

func migrate(ctx context.Context, url string) error { return store.Migrate(ctx, url, "") }

func openStore(t *testing.T) *store.Store {
	t.Helper()
	opened, err := store.Open(t.Context(), testenv.Database(t, migrate))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(opened.Close)
	return opened
}

// startRelay runs a relay until the returned function is called, which waits for its end.
func startRelay(t *testing.T, s *store.Store, publisher outbox.Publisher, workflows outbox.Workflows) (relay *outbox.Relay, stop func()) {
	t.Helper()
	relay = outbox.New(outbox.Config{
		Store: s, Publisher: publisher, Workflows: workflows, TaskQueue: "queue", Source: "/shop/lumi/router",
		Logger: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry(), Now: time.Now,
	})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- relay.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	return relay, stop
}

// write commits rows in one transaction.
func write(t *testing.T, s *store.Store, f func(ctx context.Context, u *store.Unit) error) {
	t.Helper()
	if err := s.Do(t.Context(), store.Scope{Events: "events", Source: "/shop/lumi/router", Now: time.Now()}, f); err != nil {
		t.Fatal(err)
	}
}

func publishNumber(ctx context.Context, u *store.Unit, topic, key string, n int) error {
	e, err := message.New(fmt.Sprintf("%s/%d", key, n), message.TypeFrame, u.Source, key, key, u.Now, n)
	if err != nil {
		return err
	}
	u.Publish(ctx, topic, e)
	return nil
}

func waitUntil(t *testing.T, what string, condition func() bool) {
	t.Helper()
	ticker := time.NewTicker(2 * time.Millisecond)
	defer ticker.Stop()
	timeout := time.After(deadline)
	for !condition() {
		select {
		case <-ticker.C:
		case <-timeout:
			t.Fatalf("waited %s for: %s", deadline, what)
		}
	}
}

func waitEmpty(t *testing.T, s *store.Store) {
	t.Helper()
	waitUntil(t, "an empty outbox", func() bool {
		depths, err := s.Queries().OutboxDepth(t.Context())
		return err == nil && len(depths) == 0
	})
}

// recorder is a broker that keeps what it was given, and fails when told to.
type recorder struct {
	mu sync.Mutex
	// byKey are the event ids in order of arrival.
	byKey map[string][]string
	// fail answers a publish; nil accepts all.
	fail func(topic string) error
}

func (r *recorder) Publish(_ context.Context, topic string, envelopes ...message.Envelope) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.byKey == nil {
		r.byKey = map[string][]string{}
	}
	for i := range envelopes {
		r.byKey[envelopes[i].Key] = append(r.byKey[envelopes[i].Key], envelopes[i].ID)
	}
	if r.fail != nil {
		return r.fail(topic)
	}
	return nil
}

func (r *recorder) ids(key string) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.byKey[key])
}

func TestRowsOfAKeyArriveInOrderThoughTheBrokerFails(t *testing.T) {
	s := openStore(t)
	calls := 0
	broker := &recorder{fail: func(string) error {
		if calls++; calls%3 != 0 {
			return errors.New("broker away")
		}
		return nil
	}}
	startRelay(t, s, broker, &service{})
	var want []string
	for n := range 250 {
		write(t, s, func(ctx context.Context, u *store.Unit) error {
			return errors.Join(publishNumber(ctx, u, "events", "a", n), publishNumber(ctx, u, "events", "b", n))
		})
		want = append(want, fmt.Sprintf("a/%d", n))
	}
	waitEmpty(t, s)
	got := broker.ids("a")
	var firsts []string
	for _, id := range got {
		if !slices.Contains(firsts, id) {
			firsts = append(firsts, id)
		}
	}
	if diff := cmp.Diff(want, firsts); diff != "" {
		t.Errorf("first arrivals (-want +got):\n%s", diff)
	}
	if len(got) == len(firsts) {
		t.Error("nothing was sent again, so the test proves nothing")
	}
}

func TestAMissingTopicHoldsUpNoOther(t *testing.T) {
	s := openStore(t)
	broker := &recorder{fail: func(topic string) error {
		if topic == "missing" {
			return errors.New("unknown topic")
		}
		return nil
	}}
	startRelay(t, s, broker, &service{})
	write(t, s, func(ctx context.Context, u *store.Unit) error { return publishNumber(ctx, u, "missing", "a", 1) })
	write(t, s, func(ctx context.Context, u *store.Unit) error { return publishNumber(ctx, u, "events", "b", 1) })
	waitUntil(t, "the other topic's row to be gone", func() bool {
		depths, err := s.Queries().OutboxDepth(t.Context())
		return err == nil && len(depths) == 1 && depths[0].Rows == 1 && len(broker.ids("b")) == 1
	})
}

func TestAnotherRelayTakesOver(t *testing.T) {
	tests := map[string]func(t *testing.T, s *store.Store, stop func()){
		"when the owner stops": func(_ *testing.T, _ *store.Store, stop func()) { stop() },
		"when the owner's session is cut": func(t *testing.T, s *store.Store, _ func()) {
			t.Helper()
			_, err := s.Pool().Exec(t.Context(), `SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`)
			if err != nil {
				t.Fatal(err)
			}
		},
	}
	for name, end := range tests {
		t.Run(name, func(t *testing.T) {
			s := openStore(t)
			first, second := &recorder{}, &recorder{}
			_, stop := startRelay(t, s, first, &service{})
			waitUntil(t, "the first relay to own all shards", func() bool { return heldLocks(t, s) == 2*store.Shards })
			startRelay(t, s, second, &service{})
			end(t, s, stop)
			waitUntil(t, "all shards to be owned again", func() bool { return heldLocks(t, s) == 2*store.Shards })
			write(t, s, func(ctx context.Context, u *store.Unit) error {
				var errs []error
				for i := range 32 {
					errs = append(errs, publishNumber(ctx, u, "events", strconv.Itoa(i), 1))
				}
				return errors.Join(errs...)
			})
			waitEmpty(t, s)
			for i := range 32 {
				// An owner that is cut off may have published what it could not delete any more.
				if len(first.ids(strconv.Itoa(i)))+len(second.ids(strconv.Itoa(i))) == 0 {
					t.Errorf("key %d was never published", i)
				}
			}
		})
	}
}

func heldLocks(t *testing.T, s *store.Store) (held int) {
	t.Helper()
	err := s.Pool().QueryRow(t.Context(), `SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`).Scan(&held)
	if err != nil {
		t.Fatal(err)
	}
	return held
}

// service is a Temporal service that keeps what it was asked, and answers as told.
type service struct {
	mu     sync.Mutex
	asked  []string
	answer func(operation string) error
}

func (s *service) ExecuteWorkflow(_ context.Context, o client.StartWorkflowOptions, workflow any, args ...any) (client.WorkflowRun, error) {
	if o.WorkflowIDReusePolicy != enumspb.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE || o.TaskQueue != "queue" {
		return nil, serviceerror.NewUnimplemented("wrong start options")
	}
	return nil, s.ask(fmt.Sprintf("start %v %s %s", workflow, o.ID, args[0]))
}

func (s *service) SignalWorkflow(_ context.Context, id, _, signal string, arg any) error {
	return s.ask(fmt.Sprintf("signal %s %s %s", signal, id, arg))
}

func (s *service) ask(operation string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, operation)
	if s.answer == nil {
		return nil
	}
	return s.answer(operation)
}

func (s *service) operations() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.asked)
}

func TestFinalAnswersOfTemporalEndARow(t *testing.T) {
	tests := map[string]error{
		"accepted":                    nil,
		"started before":              serviceerror.NewWorkflowExecutionAlreadyStarted("", "", ""),
		"ended":                       serviceerror.NewNotFound("workflow execution already completed"),
		"never to be accepted at all": serviceerror.NewInvalidArgument("too long"),
	}
	for name, answer := range tests {
		t.Run(name, func(t *testing.T) {
			s := openStore(t)
			temporal := &service{answer: func(string) error { return answer }}
			startRelay(t, s, &recorder{}, temporal)
			write(t, s, func(ctx context.Context, u *store.Unit) error {
				return errors.Join(u.StartWorkflow(ctx, "w", "Complaint", map[string]int{"a": 1}), u.SignalWorkflow(ctx, "w", "resolve", "x"))
			})
			waitEmpty(t, s)
			want := []string{`start Complaint w {"a": 1}`, `signal resolve w "x"`}
			if diff := cmp.Diff(want, temporal.operations()); diff != "" {
				t.Errorf("operations (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAWorkflowThatCannotBeReachedHoldsUpItselfAlone(t *testing.T) {
	s := openStore(t)
	healed := make(chan struct{})
	temporal := &service{answer: func(operation string) error {
		select {
		case <-healed:
			return nil
		default:
		}
		if operation == `start Complaint a 1` {
			return serviceerror.NewInternal("shard trouble")
		}
		return nil
	}}
	startRelay(t, s, &recorder{}, temporal)
	write(t, s, func(ctx context.Context, u *store.Unit) error {
		return errors.Join(u.StartWorkflow(ctx, "a", "Complaint", 1), u.SignalWorkflow(ctx, "a", "resolve", 2), u.StartWorkflow(ctx, "b", "Complaint", 3))
	})
	waitUntil(t, "b to be started", func() bool { return slices.Contains(temporal.operations(), "start Complaint b 3") })
	waitUntil(t, "a to be tried again", func() bool {
		return len(slices.DeleteFunc(temporal.operations(), func(o string) bool { return o != "start Complaint a 1" })) > 1
	})
	if slices.Contains(temporal.operations(), "signal resolve a 2") {
		t.Error("a was signalled before it was started")
	}
	close(healed)
	waitEmpty(t, s)
	got := temporal.operations()
	if last := got[len(got)-2:]; !slices.Equal(last, []string{"start Complaint a 1", "signal resolve a 2"}) {
		t.Errorf("last operations are %q", last)
	}
}

func TestARelayLeavesNothingBehind(t *testing.T) {
	s := openStore(t)
	before := goleak.IgnoreCurrent()
	_, stop := startRelay(t, s, &recorder{}, &service{})
	write(t, s, func(ctx context.Context, u *store.Unit) error { return publishNumber(ctx, u, "events", "a", 1) })
	waitEmpty(t, s)
	stop()
	s.Close()
	goleak.VerifyNone(t, before)
}
