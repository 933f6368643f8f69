package aftersales

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
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/temporalproto"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
	rules "github.com/yingda-dev/yingda/internal/domain/aftersales"
	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/outbox"
	"github.com/yingda-dev/yingda/internal/outcall"
	"github.com/yingda-dev/yingda/internal/promise"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/store/db"
	"github.com/yingda-dev/yingda/internal/temporal"
	"github.com/yingda-dev/yingda/internal/testenv"
)

//nolint:gochecknoglobals // A flag of the test binary.
var update = flag.Bool("update", false, "store the histories of the newest version anew")

// patience is for what takes seconds; it only bounds a failing test.
const patience = time.Minute

// A worker that is to be killed is this test binary again, started with these variables.
const (
	workerAddress   = "AFTERSALES_TEST_WORKER_TEMPORAL"
	workerNamespace = "AFTERSALES_TEST_WORKER_NAMESPACE"
	workerPostgres  = "AFTERSALES_TEST_WORKER_POSTGRES"
	workerProvider  = "AFTERSALES_TEST_WORKER_PROVIDER"
	workerKey       = "AFTERSALES_TEST_WORKER_KEY"
	workerCA        = "AFTERSALES_TEST_WORKER_CA"
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
	a := activitiesOn(s)
	if url := os.Getenv(workerProvider); url != "" {
		a.Provider = calling(url, outcall.Files{KeyFile: os.Getenv(workerKey), CAFile: os.Getenv(workerCA)})
	}
	return newWorker(c, a).Run(ctx)
}

func connection(address, namespace string) temporal.Options {
	return temporal.Options{Address: address, Namespace: namespace, Identity: "worker", Logger: slog.New(slog.DiscardHandler)}
}

func newWorker(c client.Client, a *Activities) *temporal.Worker {
	return temporal.NewWorker(c, slog.New(slog.DiscardHandler), func(r worker.Registry) { Register(r, a) })
}

func activitiesOn(s *store.Store) *Activities {
	return &Activities{
		Store: s, Directory: people{}, Provider: func() *Provider { return nil },
		Events: "events", Source: "/shop/lumi/workflows", Now: time.Now, Logger: slog.New(slog.DiscardHandler), Metrics: NewMetrics(prometheus.NewRegistry()),
	}
}

func calling(url string, files outcall.Files) func() *Provider {
	return func() *Provider {
		return &Provider{URL: url, Files: files, Authorities: &yingdav1.CredentialsReference{Name: "ca"}, Now: time.Now}
	}
}

// people is a brand that is always open, with one supervisor, one admin and one channel.
type people struct{ notices bool }

func (people) Agents(role string) []string {
	return map[string][]string{"Supervisor": {"sup"}, "Admin": {"boss"}}[role]
}

func (people) GroupAgents(string) []string { return []string{"an"} }

func (people) OutboundTopic(channel string) (string, bool) { return "outbound", channel == "mini" }

func (p people) HasNotice(string, string) bool { return p.notices }

func (people) Due(_ string, since time.Time, d time.Duration) (time.Time, bool) {
	return since.Add(d), true
}

func (people) WorkingDays(_ string, since time.Time, n int) time.Time { return since.AddDate(0, 0, n) }

// brand is one brand on real servers, with a relay.
type brand struct {
	t         *testing.T
	store     *store.Store
	url       string
	namespace string
	client    client.Client
	provider  *provider
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

// newBrand is a brand whose provider that is; nil for none.
func newBrand(t *testing.T, p *provider) *brand {
	t.Helper()
	b := newStore(t)
	b.namespace, b.provider = testenv.Unique("brand"), p
	dial := connection(testenv.Temporal(t), b.namespace)
	err := temporal.EnsureNamespace(t.Context(), dial, temporal.Retention)
	if err != nil {
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

// activities are those of the brand.
func (b *brand) activities() *Activities {
	a := activitiesOn(b.store)
	if b.provider != nil {
		a.Provider = calling(b.provider.URL, b.provider.files)
	}
	return a
}

// try runs a transaction as a router or a desk would.
func (b *brand) try(f func(ctx context.Context, u *store.Unit) error) error {
	return b.store.Do(b.t.Context(), store.Scope{Events: "events", Source: "/shop/lumi/desk", Now: time.Now()}, f)
}

func (b *brand) do(f func(ctx context.Context, u *store.Unit) error) {
	b.t.Helper()
	if err := b.try(f); err != nil {
		b.t.Fatal(err)
	}
}

// converse opens a conversation that agent an has, with a customer who may be told so many things.
func (b *brand) converse(customer string, messages int32) uuid.UUID {
	b.t.Helper()
	id := uuid.Must(uuid.NewV7())
	b.do(func(ctx context.Context, u *store.Unit) error {
		c, err := u.ConversationAdd(ctx, db.ConversationAddParams{
			ID: id, Channel: "mini", ExternalID: customer, CustomerID: uuid.Must(uuid.NewV7()), OpenedAt: u.Now,
		})
		if err != nil {
			return err
		}
		agent := "an"
		c.State, c.SkillGroup, c.Agent, c.AssignedAt = store.StateAssigned, "after-sales", &agent, &u.Now
		if _, err = u.Save(ctx, c); err != nil || messages == 0 {
			return err
		}
		return u.QuotaSet(ctx, db.QuotaSetParams{
			Channel: "mini", ExternalID: customer, WindowEnds: u.Now.Add(48 * time.Hour), Remaining: messages, Granted: messages,
		})
	})
	return id
}

// short are terms whose limits are a day, so that nothing is late but what a test makes late.
func short() rules.Terms {
	t := terms()
	t.RemindBefore = 0
	return t
}

// apply opens a case as a desk does, twice, as an agent who is not sure that it went through.
func (b *brand) apply(conversation uuid.UUID, customer string, modify ...func(*promise.AfterSalesInput)) promise.AfterSalesInput {
	b.t.Helper()
	id := uuid.Must(uuid.NewV7())
	in := promise.AfterSalesInput{
		ID: promise.AfterSalesID("shop", "lumi", id), Conversation: &conversation, Channel: "mini", Customer: customer, SkillGroup: "after-sales",
		OpenedBy: "an", StartedAt: time.Now(), Terms: short(), Ladder: []promise.Rung{{AfterSeconds: 1, Notify: promise.RoleSupervisor}},
		Application: rules.Application{
			Kind: rules.Return, Reason: rules.NoReason, Source: rules.FromAgent,
			Order: rules.Order{Number: "O-" + id.String(), Paid: 100_00, Currency: "CNY", DeliveredAt: time.Now().Add(-24 * time.Hour)},
		},
	}
	for _, m := range modify {
		m(&in)
	}
	for range 2 {
		b.do(func(ctx context.Context, u *store.Unit) error {
			_, _, err := u.OpenAfterSales(ctx, in, store.Taking{Step: "open", Actor: "an"})
			return err
		})
	}
	return in
}

// act does something to a case as a desk does, twice.
func (b *brand) act(id string, action rules.Action, modify ...func(*rules.Act)) {
	b.t.Helper()
	act := rules.Act{ID: string(action), By: "an", Action: action, Note: "因为", Tracking: "SF1", Reference: "R1"}
	for _, m := range modify {
		m(&act)
	}
	for range 2 {
		b.do(func(ctx context.Context, u *store.Unit) error {
			_, _, err := u.ActOnAfterSales(ctx, id, act)
			return err
		})
	}
}

// await waits until the case is as it should be.
func (b *brand) await(id, what string, condition func(c rules.Case) bool) rules.Case {
	b.t.Helper()
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	timeout := time.After(patience)
	for {
		row, err := b.store.Queries().CaseGet(b.t.Context(), id)
		var inside rules.Case
		if err == nil {
			if inside, err = store.AfterSalesOf(store.CaseView(row)); err == nil && condition(inside) {
				return inside
			}
		}
		select {
		case <-ticker.C:
		case <-timeout:
			b.t.Fatalf("waited %s for the case to be %s; last: %+v, %v", patience, what, inside, err)
		}
	}
}

// awaitStep waits until the case is in a state and its process knows until when.
func (b *brand) awaitStep(id string, state rules.State) rules.Case {
	b.t.Helper()
	return b.await(id, string(state), func(c rules.Case) bool {
		return c.State == state && (state.Ended() || !c.Now().Due.IsZero())
	})
}

// ended waits until the workflow has ended.
func (b *brand) ended(id string) promise.AfterSalesStatus {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), patience)
	defer cancel()
	var status promise.AfterSalesStatus
	if err := b.client.GetWorkflow(ctx, id, "").Get(ctx, &status); err != nil {
		b.t.Fatal(err)
	}
	return status
}

// said are the words that the customer was told, in order.
func (b *brand) said(conversation uuid.UUID) []string {
	b.t.Helper()
	messages, err := b.store.Queries().Transcript(b.t.Context(), conversation, 100)
	if err != nil {
		b.t.Fatal(err)
	}
	var said []string
	for _, m := range messages {
		var content message.Content
		if err := json.Unmarshal(m.Content, &content); err != nil {
			b.t.Fatal(err)
		}
		said = append(said, string(content.Kind)+" "+content.Text)
	}
	return said
}

// history are the steps of the case's history that a test looks at.
func (b *brand) history(id string, prefixes ...string) []string {
	b.t.Helper()
	events, err := b.store.Queries().CaseEvents(b.t.Context(), id, 1000)
	if err != nil {
		b.t.Fatal(err)
	}
	var steps []string
	for _, e := range events {
		for _, prefix := range prefixes {
			if strings.HasPrefix(e.Step, prefix) {
				steps = append(steps, strings.ReplaceAll(e.Step, id, "case"))
			}
		}
	}
	return steps
}

// killableWorker starts a worker of its own process and returns how to kill it.
func (b *brand) killableWorker() (kill func()) {
	b.t.Helper()
	command := exec.CommandContext(b.t.Context(), os.Args[0])
	command.Env = append(os.Environ(), workerAddress+"="+testenv.Temporal(b.t), workerNamespace+"="+b.namespace, workerPostgres+"="+b.url)
	if p := b.provider; p != nil {
		command.Env = append(command.Env, workerProvider+"="+p.URL, workerKey+"="+p.files.KeyFile, workerCA+"="+p.files.CAFile)
	}
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
