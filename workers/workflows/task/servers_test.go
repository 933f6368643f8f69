package task

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/temporalproto"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"

	"github.com/yingda-dev/yingda/internal/domain/quota"
	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/outbox"
	"github.com/yingda-dev/yingda/internal/promise"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/store/db"
	"github.com/yingda-dev/yingda/internal/temporal"
	"github.com/yingda-dev/yingda/internal/testenv"
	"github.com/yingda-dev/yingda/workers/workflows/deadline"
)

//nolint:gochecknoglobals // A flag of the test binary.
var update = flag.Bool("update", false, "store the histories of the newest version anew")

// atMost is for what takes seconds; it only bounds a failing test.
const atMost = time.Minute

// A worker that is to be killed is this test binary again, started with these variables.
const (
	workerAddress   = "TASK_TEST_WORKER_TEMPORAL"
	workerNamespace = "TASK_TEST_WORKER_NAMESPACE"
	workerPostgres  = "TASK_TEST_WORKER_POSTGRES"
)

func TestMain(m *testing.M) {
	if os.Getenv(workerAddress) == "" {
		os.Exit(m.Run())
	}
	if err := workUntilKilled(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func workUntilKilled() error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	s, err := store.Open(ctx, os.Getenv(workerPostgres))
	if err != nil {
		return err
	}
	defer s.Close()
	c, err := temporal.Dial(connection(os.Getenv(workerAddress), os.Getenv(workerNamespace)))
	if err != nil {
		return err
	}
	defer c.Close()
	return newWorker(c, s, people{}).Run(ctx)
}

func connection(address, namespace string) temporal.Options {
	return temporal.Options{Address: address, Namespace: namespace, Identity: "worker", Logger: slog.New(slog.DiscardHandler)}
}

func newWorker(c client.Client, s *store.Store, directory Directory) *temporal.Worker {
	activities := activitiesOn(s, directory)
	return temporal.NewWorker(c, slog.New(slog.DiscardHandler), func(r worker.Registry) { Register(r, activities) })
}

func activitiesOn(s *store.Store, directory Directory) *Activities {
	return &Activities{
		Store: s, Directory: directory, Events: "events", Source: "/shop/lumi/workflows", Now: time.Now,
		Logger: slog.New(slog.DiscardHandler), Metrics: NewMetrics(prometheus.NewRegistry()),
	}
}

// people is a brand with one supervisor, one admin, two agents and one channel, whose groups open at a time.
type people struct{ opens time.Time }

func (people) Agents(role string) []string {
	return map[string][]string{"Supervisor": {"sup"}, "Admin": {"boss"}}[role]
}

func (people) GroupAgents(string) []string { return []string{"an", "bo"} }

func (people) Supervisors(string) []string { return []string{"sup"} }

func (p people) Opening(string, time.Time, time.Time) (time.Time, bool) { return p.opens, true }

func (people) OutboundTopic(channel string) (string, bool) { return "outbound", channel == "mini" }

// brand is one brand on real servers, with a relay.
type brand struct {
	t                       *testing.T
	store                   *store.Store
	url, address, namespace string
	client                  client.Client
}

func migrate(ctx context.Context, url string) error { return store.Migrate(ctx, url, "") }

// newBrand is a brand on the servers at these addresses.
func newBrand(t *testing.T, url, address string) *brand {
	t.Helper()
	b := &brand{t: t, url: url, address: address, namespace: testenv.Unique("brand")}
	var err error
	if b.store, err = store.Open(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.store.Close)
	dial := connection(address, b.namespace)
	if err := temporal.EnsureNamespace(t.Context(), dial, temporal.Retention); err != nil {
		t.Fatal(err)
	}
	if b.client, err = temporal.Dial(dial); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.client.Close)
	relay := outbox.New(outbox.Config{
		Store: b.store, Publisher: nowhere{}, Workflows: b.client, TaskQueue: temporal.TaskQueue, Source: "/shop/lumi/router",
		Logger: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry(), Now: time.Now,
	})
	b.run(relay.Run)
	return b
}

// run runs something until the test ends.
func (b *brand) run(f func(context.Context) error) {
	ctx, cancel := context.WithCancel(b.t.Context())
	done := make(chan error, 1)
	go func() { done <- f(ctx) }()
	b.t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			b.t.Error(err)
		}
	})
}

// nowhere is a broker that takes everything.
type nowhere struct{}

func (nowhere) Publish(context.Context, string, ...message.Envelope) error { return nil }

// do runs a transaction as a router or a desk would, which tries again while the database is away.
func (b *brand) do(f func(ctx context.Context, u *store.Unit) error) {
	b.t.Helper()
	b.eventually("a transaction", func() error {
		return b.store.Do(b.t.Context(), store.Scope{Events: "events", Source: "/shop/lumi/router", Now: time.Now().UTC()}, f)
	})
}

func (b *brand) eventually(what string, try func() error) {
	b.t.Helper()
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	timeout := time.After(atMost)
	for {
		last := try()
		if last == nil {
			return
		}
		select {
		case <-ticker.C:
		case <-timeout:
			b.t.Fatalf("waited %s for %s: %v", atMost, what, last)
		}
	}
}

// converse opens a conversation that agent an has, whose customer may be written to.
func (b *brand) converse() uuid.UUID {
	b.t.Helper()
	id := uuid.Must(uuid.NewV7())
	b.do(func(ctx context.Context, u *store.Unit) error {
		c, err := u.ConversationAdd(ctx, db.ConversationAddParams{
			ID: id, Channel: "mini", ExternalID: "customer", CustomerID: uuid.Must(uuid.NewV7()), OpenedAt: u.Now,
		})
		if err != nil {
			return err
		}
		granted := quota.Grant(quota.State{}, quota.Rules{UserMessages: 20}, quota.UserMessage, u.Now)
		err = u.QuotaSet(ctx, db.QuotaSetParams{
			Channel: "mini", ExternalID: "customer", WindowEnds: granted.WindowEnds, Remaining: granted.Remaining, Granted: granted.Granted,
		})
		if err != nil {
			return err
		}
		agent := "an"
		c.State, c.SkillGroup, c.Agent, c.AssignedAt = store.StateAssigned, "after-sales", &agent, &u.Now
		_, err = u.Save(ctx, c)
		return err
	})
	return id
}

// owes opens a task, and starts its workflow a second time, as a relay that crashed before it deleted its row does.
func (b *brand) owes(change ...func(*promise.TaskInput)) promise.TaskInput {
	b.t.Helper()
	conversation := b.converse()
	in := promise.TaskInput{
		ID: promise.TaskID("shop", "lumi", promise.CasePromise, conversation.String()), Kind: promise.CasePromise, Conversation: conversation,
		Channel: "mini", Customer: "customer", SkillGroup: "after-sales", Owner: "an", StartedAt: time.Now().UTC(),
	}
	for _, f := range change {
		f(&in)
	}
	b.do(func(ctx context.Context, u *store.Unit) error {
		if _, _, err := u.OpenTask(ctx, in, store.TaskCase{Title: "承诺", Due: in.Due}, store.Taking{Step: "open", Actor: "an"}); err != nil {
			return err
		}
		return u.StartWorkflow(ctx, in.ID, promise.TaskWorkflow, in)
	})
	return in
}

// dueIn makes a task that is due soon, is reminded of three seconds before, and calls an admin a second after.
func dueIn(d time.Duration) func(*promise.TaskInput) {
	return func(in *promise.TaskInput) {
		in.Due, in.RemindBeforeSeconds, in.LateText = in.StartedAt.Add(d), 3, "晚了"
		in.Ladder = []promise.Rung{{AfterSeconds: 1, Notify: promise.RoleAdmin}}
	}
}

// steps are what happened to a case.
func (b *brand) steps(id string) (steps []string, err error) {
	events, err := b.store.Queries().CaseEvents(b.t.Context(), id, 100)
	for _, e := range events {
		steps = append(steps, e.Step)
	}
	return steps, err
}

// awaits waits until a step of the case was taken.
func (b *brand) awaits(id, step string) {
	b.t.Helper()
	b.eventually("the step "+step, func() error {
		steps, err := b.steps(id)
		if err == nil && !slices.Contains(steps, step) {
			err = fmt.Errorf("the steps are %q", steps)
		}
		return err
	})
}

// ends says as the desk does that the task is done, twice to Temporal, and waits for its workflow.
func (b *brand) ends(in promise.TaskInput) promise.TaskStatus {
	b.t.Helper()
	b.do(func(ctx context.Context, u *store.Unit) error {
		for range 2 {
			if err := u.SignalWorkflow(ctx, in.ID, promise.SignalTaskEnd, promise.TaskEnd{By: "an", State: promise.TaskDone}); err != nil {
				return err
			}
		}
		return nil
	})
	var status promise.TaskStatus
	b.eventually("the workflow's end", func() error {
		ctx, cancel := context.WithTimeout(b.t.Context(), 10*time.Second)
		defer cancel()
		return b.client.GetWorkflow(ctx, in.ID, "").Get(ctx, &status)
	})
	return status
}

// told is how often an agent's desk was told of a case.
func (b *brand) told(agent string) (news int) {
	b.t.Helper()
	frames, err := b.store.Queries().FramesAfter(b.t.Context(), agent, 0, 100)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, f := range frames {
		if f.Kind == string(message.FrameCase) {
			news++
		}
	}
	return news
}

// said are the texts of a conversation.
func (b *brand) said(conversation uuid.UUID) (texts []string) {
	b.t.Helper()
	messages, err := b.store.Queries().Transcript(b.t.Context(), conversation, 100)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, m := range messages {
		var content message.Content
		if err := json.Unmarshal(m.Content, &content); err != nil {
			b.t.Fatal(err)
		}
		texts = append(texts, content.Text)
	}
	return texts
}

// killableWorker starts a worker of its own process and returns how to kill it.
func (b *brand) killableWorker() (kill func()) {
	b.t.Helper()
	command := exec.CommandContext(b.t.Context(), os.Args[0])
	command.Env = append(os.Environ(), workerAddress+"="+b.address, workerNamespace+"="+b.namespace, workerPostgres+"="+b.url)
	command.Stderr = os.Stderr
	if err := command.Start(); err != nil {
		b.t.Fatal(err)
	}
	kill = sync.OnceFunc(func() {
		if err := command.Process.Kill(); err != nil {
			b.t.Error(err)
		}
		_ = command.Wait() // Killed, as was asked.
	})
	b.t.Cleanup(kill)
	return kill
}

// passes waits until a time has come.
func passes(until time.Time) { <-time.After(time.Until(until)) }

// TestEveryFaultLeadsToTheSameEnd breaks a part while timers are pending, brings it back when they are overdue, and wants
// what comes without any fault: each step once, each told once.
func TestEveryFaultLeadsToTheSameEnd(t *testing.T) {
	type servers struct{ temporal, postgres *testenv.Server }
	restart := func(t *testing.T, s *testenv.Server, in promise.TaskInput) {
		t.Helper()
		if err := s.Kill(); err != nil {
			t.Fatal(err)
		}
		passes(in.Due)
		if err := s.Restart(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for name, fault := range map[string]func(t *testing.T, b *brand, s servers, kill func(), in promise.TaskInput){
		"nothing": func(*testing.T, *brand, servers, func(), promise.TaskInput) {},
		"the worker is killed": func(_ *testing.T, b *brand, _ servers, kill func(), in promise.TaskInput) {
			kill()
			passes(in.Due)
			b.killableWorker()
		},
		"Temporal is killed": func(t *testing.T, _ *brand, s servers, _ func(), in promise.TaskInput) {
			t.Helper()
			restart(t, s.temporal, in)
		},
		"Postgres is killed": func(t *testing.T, _ *brand, s servers, _ func(), in promise.TaskInput) {
			t.Helper()
			restart(t, s.postgres, in)
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := servers{testenv.NewServer(t, testenv.StartTemporal), testenv.NewServer(t, testenv.StartPostgres)}
			if err := migrate(t.Context(), s.postgres.URL()); err != nil {
				t.Fatal(err)
			}
			b := newBrand(t, s.postgres.URL(), s.temporal.Address())
			kill := b.killableWorker()
			in := b.owes(dueIn(6 * time.Second))
			b.awaits(in.ID, "remind")
			fault(t, b, s, kill, in)
			b.awaits(in.ID, "escalate/1")
			status := b.ends(in)
			want := promise.TaskStatus{State: promise.TaskDone, Owner: "an", Due: in.Due, Late: true, Rung: 1}
			status.IgnoredSignals = 0 // The second end is ignored, or comes too late to be.
			if diff := cmp.Diff(want, status); diff != "" {
				t.Errorf("status (-want +got):\n%s", diff)
			}
			steps, err := b.steps(in.ID)
			if diff := cmp.Diff([]string{"open", "remind", "breach", "escalate/1", "end"}, steps); diff != "" || err != nil {
				t.Errorf("steps (-want +got):\n%s, err %v", diff, err)
			}
			if diff := cmp.Diff([]string{"晚了"}, b.said(in.Conversation)); diff != "" {
				t.Errorf("said (-want +got):\n%s", diff)
			}
			// an owes it and hears everything, the supervisor that it is late, the admin that nobody does it.
			for agent, want := range map[string]int{"an": 5, "sup": 1, "boss": 1, "bo": 0} {
				if got := b.told(agent); got != want {
					t.Errorf("%s was told %d times, want %d", agent, got, want)
				}
			}
			if name == "nothing" {
				b.storeHistory(in.ID, "late-and-done")
			}
		})
	}
}

func TestWhatIsOwedAfterTheOpeningIsKept(t *testing.T) {
	b := newBrand(t, testenv.Database(t, migrate), testenv.Temporal(t))
	opens := time.Now().Add(time.Second).UTC()
	b.run(newWorker(b.client, b.store, people{opens}).Run)
	in := b.owes(func(in *promise.TaskInput) {
		in.ID, in.Kind, in.Owner, in.AfterOpeningSeconds = promise.TaskID("shop", "lumi", promise.CaseOffHours, in.Conversation.String()), promise.CaseOffHours, "", 1
	})
	b.awaits(in.ID, "breach")
	row, err := b.store.Queries().CaseGet(t.Context(), in.ID)
	if err != nil || row.DueAt == nil || row.DueAt.Sub(opens.Add(time.Second)).Abs() > time.Millisecond || row.BreachedAt == nil {
		t.Errorf("the case is %+v, err %v, want it due a second after %s", row, err, opens)
	}
	if got := b.told("sup"); got != 1 {
		t.Errorf("the supervisor was told %d times", got)
	}
	status := b.ends(in)
	if status.State != promise.TaskDone || !status.Late {
		t.Errorf("the status is %+v", status)
	}
	b.storeHistory(in.ID, "off-hours-late")
}

func TestWhatIsPostponedAndDoneInTimeDisturbsNobody(t *testing.T) {
	b := newBrand(t, testenv.Database(t, migrate), testenv.Temporal(t))
	b.run(newWorker(b.client, b.store, people{}).Run)
	in := b.owes(dueIn(time.Hour))
	b.do(func(ctx context.Context, u *store.Unit) error {
		for range 2 {
			postponing := promise.TaskPostpone{ID: "p1", By: "an", Due: in.Due.Add(time.Hour)}
			if err := u.SignalWorkflow(ctx, in.ID, promise.SignalTaskPostpone, postponing); err != nil {
				return err
			}
		}
		return u.SignalWorkflow(ctx, in.ID, promise.SignalTaskReassign, promise.TaskReassign{By: "sup", Owner: "bo"})
	})
	status := b.ends(in)
	if status.Postponed != 1 || status.Owner != "bo" || status.Late || !status.Due.Equal(in.Due.Add(time.Hour)) {
		t.Errorf("the status is %+v", status)
	}
	if steps, err := b.steps(in.ID); err != nil || !slices.Equal(steps, []string{"open", "end"}) {
		t.Errorf("the steps are %q, err %v", steps, err)
	}
	b.storeHistory(in.ID, "postponed-and-done")
}

func TestActivitiesHaveEffectOnceAndNoneAfterTheEnd(t *testing.T) {
	b := newBrand(t, testenv.Database(t, migrate), testenv.Temporal(t))
	in := b.owes(dueIn(time.Hour)) // No worker takes it.
	a := activitiesOn(b.store, people{})
	taking := func(kind string, rung int) Taking {
		t := Taking{ID: in.ID, SkillGroup: in.SkillGroup, LateText: "晚了"}
		t.Step.Kind, t.Step.Rung, t.Step.Notify = deadline.Kind(kind), rung, promise.RoleAdmin
		return t
	}
	run := func(ctx context.Context) {
		for range 3 { // An activity runs again when its worker died before it could report.
			for _, err := range []error{
				a.Remind(ctx, taking("remind", 0)), a.MarkLate(ctx, taking("breach", 0)), a.Call(ctx, taking("escalate", 1)),
			} {
				if err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	run(t.Context())
	for range 3 {
		if err := a.Close(t.Context(), Closing{ID: in.ID, By: "an", State: promise.TaskDone}); err != nil {
			t.Fatal(err)
		}
	}
	late := taking("breach", 0)
	late.Deadline = "p1"
	if err := a.MarkLate(t.Context(), late); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Plan(t.Context(), Planning{ID: in.ID, Now: time.Now()}); err != nil {
		t.Fatal(err)
	}
	steps, err := b.steps(in.ID)
	if diff := cmp.Diff([]string{"open", "remind", "breach", "escalate/1", "end"}, steps); diff != "" || err != nil {
		t.Errorf("steps (-want +got):\n%s, err %v", diff, err)
	}
	if diff := cmp.Diff([]string{"晚了"}, b.said(in.Conversation)); diff != "" {
		t.Errorf("said (-want +got):\n%s", diff)
	}
}

func TestACustomerWhomNothingReachesIsNotToldAndTheHistorySaysSo(t *testing.T) {
	b := newBrand(t, testenv.Database(t, migrate), testenv.Temporal(t))
	in := b.owes(dueIn(time.Hour))
	b.do(func(ctx context.Context, u *store.Unit) error {
		return u.QuotaSet(ctx, db.QuotaSetParams{Channel: "mini", ExternalID: "customer", WindowEnds: u.Now.Add(-time.Hour)})
	})
	late := Taking{ID: in.ID, SkillGroup: in.SkillGroup, LateText: "晚了"}
	late.Step.Kind = "breach"
	if err := activitiesOn(b.store, people{}).MarkLate(t.Context(), late); err != nil {
		t.Fatal(err)
	}
	events, err := b.store.Queries().CaseEvents(t.Context(), in.ID, 10)
	if err != nil || len(events) != 2 || !strings.HasPrefix(events[1].Note, "the customer could not be told") {
		t.Errorf("the history is %+v, err %v", events, err)
	}
	if said := b.said(in.Conversation); len(said) > 0 {
		t.Errorf("said %q", said)
	}
}

// storeHistory writes the history that replay_test.go replays, when asked to.
func (b *brand) storeHistory(id, name string) {
	b.t.Helper()
	if !*update {
		return
	}
	var history historypb.History
	for events := b.client.GetWorkflowHistory(b.t.Context(), id, "", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT); events.HasNext(); {
		event, err := events.Next()
		if err != nil {
			b.t.Fatal(err)
		}
		history.Events = append(history.Events, event)
	}
	content, err := temporalproto.CustomJSONMarshalOptions{Indent: " "}.Marshal(&history)
	if err != nil {
		b.t.Fatal(err)
	}
	// Names of sticky queues hold the machine's.
	host, err := os.Hostname()
	if err != nil {
		b.t.Fatal(err)
	}
	path := filepath.Join(histories, newest, name+".json")
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(strings.ReplaceAll(string(content), `"`+host+`:`, `"host:`)+"\n"), 0o600); err != nil {
		b.t.Fatal(err)
	}
}
