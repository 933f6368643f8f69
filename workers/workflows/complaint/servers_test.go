package complaint

import (
	"bytes"
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
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/propagation"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/temporalproto"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"

	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/outbox"
	"github.com/yingda-dev/yingda/internal/promise"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/store/db"
	"github.com/yingda-dev/yingda/internal/temporal"
	"github.com/yingda-dev/yingda/internal/testenv"
	"github.com/yingda-dev/yingda/workers/workflows/callees"
)

//nolint:gochecknoglobals // A flag of the test binary.
var update = flag.Bool("update", false, "store the histories of the newest version anew")

// deadline is for what takes seconds; it only bounds a failing test.
const deadline = time.Minute

// A worker that is to be killed is this test binary again, started with these variables.
const (
	workerAddress   = "COMPLAINT_TEST_WORKER_TEMPORAL"
	workerNamespace = "COMPLAINT_TEST_WORKER_NAMESPACE"
	workerPostgres  = "COMPLAINT_TEST_WORKER_POSTGRES"
)

func TestMain(m *testing.M) {
	otel.SetTracerProvider(sdktrace.NewTracerProvider())
	otel.SetTextMapPropagator(propagation.TraceContext{})
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
	return newWorker(c, s).Run(ctx)
}

func connection(address, namespace string) temporal.Options {
	return temporal.Options{Address: address, Namespace: namespace, Identity: "worker", Logger: slog.New(slog.DiscardHandler)}
}

func newWorker(c client.Client, s *store.Store) *temporal.Worker {
	return temporal.NewWorker(c, slog.New(slog.DiscardHandler), func(r worker.Registry) { Register(r, activitiesOn(s)) })
}

func activitiesOn(s *store.Store) *Activities {
	return &Activities{
		Store: s, Directory: people{}, Events: "events", Source: "/shop/lumi/workflows", Now: time.Now,
		Logger: slog.New(slog.DiscardHandler), Metrics: NewMetrics(prometheus.NewRegistry()),
	}
}

// people is a brand with one supervisor, one admin and one channel.
type people struct{}

func (people) Agents(role string) []string {
	return map[string][]string{"Supervisor": {"sup"}, "Admin": {"boss"}}[role]
}

func (people) GroupAgents(string) []string { return []string{"an"} }

func (people) OutboundTopic(channel string) (string, bool) { return "outbound", channel == "mini" }

// brand is one brand on real servers, with a relay.
type brand struct {
	t         *testing.T
	store     *store.Store
	url       string
	namespace string
	client    client.Client
}

func migrate(ctx context.Context, url string) error { return store.Migrate(ctx, url, "") }

// newStore is a brand without workflows.
func newStore(t *testing.T) *brand {
	t.Helper()
	b := &brand{t: t, url: testenv.Database(t, migrate)}
	var err error
	if b.store, err = store.Open(t.Context(), b.url); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.store.Close)
	return b
}

func newBrand(t *testing.T) *brand {
	t.Helper()
	b := newStore(t)
	b.namespace = testenv.Unique("brand")
	var err error
	dial := connection(testenv.Temporal(t), b.namespace)
	for range 2 {
		if err := temporal.EnsureNamespace(t.Context(), dial, temporal.Retention); err != nil {
			t.Fatal(err)
		}
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

// run runs something until the test ends or the returned function is called.
func (b *brand) run(f func(context.Context) error) (stop func()) {
	ctx, cancel := context.WithCancel(b.t.Context())
	done := make(chan error, 1)
	go func() { done <- f(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			b.t.Error(err)
		}
	})
	b.t.Cleanup(stop)
	return stop
}

// nowhere is a broker that takes everything.
type nowhere struct{}

func (nowhere) Publish(context.Context, string, ...message.Envelope) error { return nil }

// do runs a transaction as a router or a desk would.
func (b *brand) do(f func(ctx context.Context, u *store.Unit) error) {
	b.t.Helper()
	if err := b.store.Do(b.t.Context(), store.Scope{Events: "events", Source: "/shop/lumi/router", Now: time.Now()}, f); err != nil {
		b.t.Fatal(err)
	}
}

// converse opens a conversation that agent an has.
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
		agent := "an"
		c.State, c.SkillGroup, c.Agent, c.AssignedAt = store.StateAssigned, "after-sales", &agent, &u.Now
		_, err = u.Save(ctx, c)
		return err
	})
	return id
}

// complain starts the workflow through the outbox, twice, as a relay that crashed before it deleted its row does.
func (b *brand) complain(conversation uuid.UUID, ladder ...promise.Rung) promise.ComplaintInput {
	b.t.Helper()
	in := promise.ComplaintInput{
		ID: promise.ComplaintID("shop", "lumi", conversation), Conversation: conversation, Channel: "mini", Customer: "customer",
		SkillGroup: "after-sales", Ladder: ladder, FollowUpWithinDays: 3, Acknowledgement: "收到", StartedAt: time.Now(),
	}
	b.do(func(ctx context.Context, u *store.Unit) error {
		for range 2 {
			if err := u.StartWorkflow(ctx, in.ID, promise.ComplaintWorkflow, in); err != nil {
				return err
			}
		}
		return nil
	})
	return in
}

func (b *brand) signal(id, name string, argument any) {
	b.t.Helper()
	b.do(func(ctx context.Context, u *store.Unit) error { return u.SignalWorkflow(ctx, id, name, argument) })
}

// await waits until the complaint's row is as it should be.
func (b *brand) await(id, what string, condition func(db.Complaint) bool) db.Complaint {
	b.t.Helper()
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	timeout := time.After(deadline)
	for {
		row, err := b.store.Queries().ComplaintGet(b.t.Context(), id)
		if err == nil && condition(row) {
			return row
		}
		select {
		case <-ticker.C:
		case <-timeout:
			b.t.Fatalf("waited %s for the complaint to be %s; last: %+v, %v", deadline, what, row, err)
		}
	}
}

// awaitListed waits until Temporal lists one complaint for which all of these hold.
func (b *brand) awaitListed(conditions ...string) {
	b.t.Helper()
	query, ticker, timeout := strings.Join(conditions, " AND "), time.NewTicker(20*time.Millisecond), time.After(deadline)
	defer ticker.Stop()
	for {
		answer, err := b.client.CountWorkflow(b.t.Context(), &workflowservice.CountWorkflowExecutionsRequest{Query: query})
		if err == nil && answer.GetCount() == 1 {
			return
		}
		select {
		case <-ticker.C:
		case <-timeout:
			b.t.Fatalf("waited %s for a complaint with %s: %v, %v", deadline, query, answer, err)
		}
	}
}

// news are the states that an agent's desk was told of.
func (b *brand) news(agent string) []string {
	b.t.Helper()
	frames, err := b.store.Queries().FramesAfter(b.t.Context(), agent, 0, 100)
	if err != nil {
		b.t.Fatal(err)
	}
	var news []string
	for _, f := range frames {
		if f.Kind == string(message.FrameComplaint) {
			var c store.Complaint
			if err := json.Unmarshal(f.Payload, &c); err != nil {
				b.t.Fatal(err)
			}
			news = append(news, fmt.Sprintf("%s %d", c.State, c.Rung))
		}
	}
	return news
}

// killableWorker starts a worker of its own process and returns how to kill it.
func (b *brand) killableWorker() (kill func()) {
	b.t.Helper()
	command := exec.CommandContext(b.t.Context(), os.Args[0])
	command.Env = append(os.Environ(), workerAddress+"="+testenv.Temporal(b.t), workerNamespace+"="+b.namespace, workerPostgres+"="+b.url)
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

func TestAComplaintOutlivesItsWorker(t *testing.T) {
	b := newBrand(t)
	kill := b.killableWorker()
	conversation := b.converse()
	in := b.complain(conversation, promise.Rung{AfterSeconds: 1, Notify: "Supervisor"}, promise.Rung{AfterSeconds: 3, Notify: "Admin"})
	b.await(in.ID, "escalated", func(c db.Complaint) bool { return c.Rung == 1 })
	b.awaitListed(`YingdaBrand = "shop/lumi" AND YingdaKind = "complaint" AND YingdaState = "escalated"`,
		`YingdaOwner = "Supervisor"`, fmt.Sprintf("YingdaDeadline > %q", in.StartedAt.Add(2*time.Second).UTC().Format(time.RFC3339Nano)))
	kill()
	b.run(newWorker(b.client, b.store).Run)
	b.await(in.ID, "escalated further", func(c db.Complaint) bool { return c.Rung == 2 && c.EscalatedTo == "Admin" })
	b.signal(in.ID, promise.SignalResolve, promise.Resolve{By: "an", Resolution: "refunded"})
	b.await(in.ID, "resolved", func(c db.Complaint) bool { return c.State == "resolved" })
	b.signal(in.ID, promise.SignalFollowedUp, promise.FollowedUp{By: "an"})
	row := b.await(in.ID, "followed up", func(c db.Complaint) bool { return c.State == "followed_up" })
	b.awaitListed(`YingdaState = "followed_up"`, `YingdaOwner = "Admin"`, "YingdaDeadline IS NULL")
	if row.ResolvedBy != "an" || row.Resolution != "refunded" || !row.FollowUpDue.Equal(row.ResolvedAt.Add(72*time.Hour)) {
		t.Errorf("the row is %+v", row)
	}
	var status promise.ComplaintStatus
	if err := b.client.GetWorkflow(t.Context(), in.ID, "").Get(t.Context(), &status); err != nil {
		t.Fatal(err)
	}
	want := map[string][]string{
		"an":   {"open 0", "escalated 1", "escalated 2", "resolved 2", "followed_up 2"},
		"sup":  {"open 0", "escalated 1", "escalated 2", "resolved 2", "followed_up 2"},
		"boss": {"escalated 2", "resolved 2", "followed_up 2"},
	}
	got := map[string][]string{"boss": b.news("boss")}
	for _, agent := range []string{"an", "sup"} {
		news := b.news(agent)
		if len(news) != 6 {
			t.Errorf("%s has %d news, want 6: %q", agent, len(news), news)
		}
		// The acknowledgement runs beside the ladder; its frame tells the state of the one before.
		got[agent] = slices.Compact(news)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("news (-want +got):\n%s", diff)
	}
	b.wantSaid(conversation, "bot")
	b.storeHistory(in.ID, "escalated-and-followed-up")
}

func TestAComplaintResolvedInTimeCallsNobody(t *testing.T) {
	b := newBrand(t)
	b.run(newWorker(b.client, b.store).Run)
	in := b.complain(b.converse(), promise.Rung{AfterSeconds: 3600, Notify: "Supervisor"})
	b.await(in.ID, "acknowledged", func(c db.Complaint) bool { return c.AcknowledgedAt != nil })
	for range 2 { // A relay may send a signal again; the second means nothing.
		b.signal(in.ID, promise.SignalResolve, promise.Resolve{By: "an", Resolution: "refunded"})
	}
	b.await(in.ID, "resolved", func(c db.Complaint) bool { return c.State == "resolved" && c.Rung == 0 })
	b.signal(in.ID, promise.SignalFollowedUp, promise.FollowedUp{By: "an"})
	b.await(in.ID, "followed up", func(c db.Complaint) bool { return c.State == "followed_up" })
	var status promise.ComplaintStatus
	if err := b.client.GetWorkflow(t.Context(), in.ID, "").Get(t.Context(), &status); err != nil {
		t.Fatal(err)
	}
	if status.State != promise.ComplaintFollowedUp || status.IgnoredSignals != 1 {
		t.Errorf("the status is %+v", status)
	}
	b.storeHistory(in.ID, "resolved-in-time")
}

func TestActivitiesHaveEffectOnce(t *testing.T) {
	b := newBrand(t)
	a, conversation := activitiesOn(b.store), b.converse()
	id, tell := promise.ComplaintID("shop", "lumi", conversation), []string{"Supervisor"}
	steps := []func(context.Context) error{
		func(ctx context.Context) error {
			return a.RecordOpened(ctx, Opening{ID: id, Conversation: conversation, Channel: "mini", Customer: "customer", OpenedAt: time.Now(), Tell: tell})
		},
		func(ctx context.Context) error {
			return a.Acknowledge(ctx, Acknowledgement{ID: id, Conversation: conversation, Text: "收到", Tell: tell})
		},
		func(ctx context.Context) error {
			return a.Escalate(ctx, Escalation{ID: id, Conversation: conversation, Rung: 1, Notify: "Supervisor", Tell: tell})
		},
		func(ctx context.Context) error {
			return a.RecordResolved(ctx, Resolution{ID: id, Conversation: conversation, ResolvedAt: time.Now(), FollowUpDue: time.Now(), Tell: tell})
		},
		func(ctx context.Context) error {
			return a.MarkOverdue(ctx, FollowUp{ID: id, Conversation: conversation, Tell: tell})
		},
		func(ctx context.Context) error {
			return a.RecordFollowedUp(ctx, FollowUp{ID: id, Conversation: conversation, Tell: tell})
		},
	}
	for _, step := range steps {
		for range 3 { // An activity runs again when its worker died before it could report.
			if err := step(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	want := []string{"open 0", "open 0", "escalated 1", "resolved 1", "resolved 1", "followed_up 1"}
	if diff := cmp.Diff(want, b.news("sup")); diff != "" {
		t.Errorf("news (-want +got):\n%s", diff)
	}
	b.wantSaid(conversation, "bot")
}

// staff is a brand with the given people.
type staff struct {
	people
	roles, groups map[string][]string
}

func (s staff) Agents(role string) []string       { return s.roles[role] }
func (s staff) GroupAgents(group string) []string { return s.groups[group] }

func TestAnEscalationReachesSomebody(t *testing.T) {
	group := map[string][]string{"after-sales": {"an", "bo"}}
	tests := map[string]struct {
		notify  string
		staff   staff
		reached string
		told    []string
	}{
		"the role is called":                            {"Supervisor", staff{roles: map[string][]string{"Supervisor": {"sup"}, "Admin": {"boss"}}, groups: group}, callees.Role, []string{"an", "sup"}},
		"without supervisors the admins are called":     {"Supervisor", staff{roles: map[string][]string{"Admin": {"boss"}}, groups: group}, callees.Others, []string{"an", "boss"}},
		"without admins the supervisors are called":     {"Admin", staff{roles: map[string][]string{"Supervisor": {"sup"}}, groups: group}, callees.Others, []string{"an", "sup"}},
		"without either the group is called":            {"Admin", staff{groups: group}, callees.Group, []string{"an", "bo"}},
		"without anybody only who has it is told of it": {"Admin", staff{}, callees.Nobody, []string{"an"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			b := newStore(t)
			registry := prometheus.NewRegistry()
			a, conversation := activitiesOn(b.store), b.converse()
			var said bytes.Buffer
			a.Directory, a.Metrics, a.Logger = test.staff, NewMetrics(registry), slog.New(slog.NewTextHandler(&said, nil))
			id := promise.ComplaintID("shop", "lumi", conversation)
			if err := a.RecordOpened(t.Context(), Opening{ID: id, Conversation: conversation, Channel: "mini", Customer: "customer", OpenedAt: time.Now()}); err != nil {
				t.Fatal(err)
			}
			for range 2 { // The second time nothing is new.
				if err := a.Escalate(t.Context(), Escalation{ID: id, Conversation: conversation, Rung: 1, Notify: test.notify}); err != nil {
					t.Fatal(err)
				}
			}
			var told []string
			for _, agent := range []string{"an", "bo", "boss", "sup"} {
				if slices.Contains(b.news(agent), "escalated 1") {
					told = append(told, agent)
				}
			}
			if diff := cmp.Diff(test.told, told); diff != "" {
				t.Errorf("told (-want +got):\n%s", diff)
			}
			if got := escalations(t, registry); got != test.reached {
				t.Errorf("counted as %q, want %q once", got, test.reached)
			}
			if warned := said.Len() > 0; warned != (test.reached != callees.Role) {
				t.Errorf("the log says %q", said.String())
			}
		})
	}
}

// escalations are those whom escalations reached, one word each.
func escalations(t *testing.T, registry *prometheus.Registry) string {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var reached []string
	for _, m := range families[0].GetMetric() {
		for range int(m.GetCounter().GetValue()) {
			reached = append(reached, m.GetLabel()[0].GetValue())
		}
	}
	return strings.Join(reached, " ")
}

func TestTheTraceReachesTheWorkflow(t *testing.T) {
	b := newBrand(t)
	b.run(newWorker(b.client, b.store).Run)
	ctx, span := otel.Tracer("test").Start(t.Context(), "webhook")
	defer span.End()
	conversation := b.converse()
	id := promise.ComplaintID("shop", "lumi", conversation)
	b.do(func(_ context.Context, u *store.Unit) error {
		return u.StartWorkflow(ctx, id, promise.ComplaintWorkflow, promise.ComplaintInput{ID: id, Conversation: conversation})
	})
	b.await(id, "open", func(c db.Complaint) bool { return c.State == "open" })
	started, err := b.client.GetWorkflowHistory(t.Context(), id, "", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT).Next()
	if err != nil {
		t.Fatal(err)
	}
	header := started.GetWorkflowExecutionStartedEventAttributes().GetHeader().GetFields()["_tracer-data"].GetData()
	if want := span.SpanContext().TraceID().String(); !strings.Contains(string(header), want) {
		t.Errorf("the workflow's trace is %s, want one of %s", header, want)
	}
}

// wantSaid checks who said something in a conversation.
func (b *brand) wantSaid(conversation uuid.UUID, senders ...string) {
	b.t.Helper()
	messages, err := b.store.Queries().Transcript(b.t.Context(), conversation, 100)
	if err != nil {
		b.t.Fatal(err)
	}
	var got []string
	for _, m := range messages {
		got = append(got, m.Sender)
	}
	if diff := cmp.Diff(senders, got); diff != "" {
		b.t.Errorf("transcript (-want +got):\n%s", diff)
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
