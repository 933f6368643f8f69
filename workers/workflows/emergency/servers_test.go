package emergency

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

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/temporalproto"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"

	"github.com/yingda-dev/yingda/internal/domain/schedule"
	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/outbox"
	"github.com/yingda-dev/yingda/internal/promise"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/store/db"
	"github.com/yingda-dev/yingda/internal/temporal"
	"github.com/yingda-dev/yingda/internal/testenv"
)

//nolint:gochecknoglobals // A flag of the test binary.
var update = flag.Bool("update", false, "store the histories of the newest version anew")

// deadline is for what takes seconds; it only bounds a failing test.
const deadline = time.Minute

// A worker that is to be killed is this test binary again, started with these variables.
const (
	workerAddress   = "EMERGENCY_TEST_WORKER_TEMPORAL"
	workerNamespace = "EMERGENCY_TEST_WORKER_NAMESPACE"
	workerPostgres  = "EMERGENCY_TEST_WORKER_POSTGRES"
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
	return newWorker(c, s).Run(ctx)
}

func connection(address, namespace string) temporal.Options {
	return temporal.Options{Address: address, Namespace: namespace, Identity: "worker", Logger: slog.New(slog.DiscardHandler)}
}

func newWorker(c client.Client, s *store.Store) *temporal.Worker {
	return temporal.NewWorker(c, slog.New(slog.DiscardHandler), func(r worker.Registry) { Register(r, activitiesOn(s)) })
}

func activitiesOn(s *store.Store) *Activities {
	return &Activities{Store: s, Directory: people{}, Events: "events", Source: "/shop/lumi/workflows", Now: time.Now}
}

// people is a brand with one supervisor, one admin and one agent on call.
type people struct{}

func (people) Agents(role string) []string {
	return map[string][]string{"Supervisor": {"sup"}, "Admin": {"boss"}}[role]
}

func (people) OnCall(string) []string    { return []string{"ben"} }
func (people) Hours() *schedule.Schedule { return nil }

// brand is one brand on real servers, with a relay.
type brand struct {
	t         *testing.T
	store     *store.Store
	url       string
	namespace string
	client    client.Client
}

func migrate(ctx context.Context, url string) error { return store.Migrate(ctx, url, "") }

// newStore is a brand without workflows, of which something has been known for long.
func newStore(t *testing.T) *brand {
	t.Helper()
	b := &brand{t: t, url: testenv.Database(t, migrate)}
	var err error
	if b.store, err = store.Open(t.Context(), b.url); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.store.Close)
	b.exec(`INSERT INTO workload (skill_group, quarter, arrivals, handled, handling_seconds) VALUES ('after-sales', $1, 1, 1, 60)`, time.Now().AddDate(0, 0, -40))
	return b
}

func newBrand(t *testing.T) *brand {
	t.Helper()
	b := newStore(t)
	b.namespace = testenv.Unique("brand")
	var err error
	dial := connection(testenv.Temporal(t), b.namespace)
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

func (b *brand) exec(statement string, arguments ...any) {
	b.t.Helper()
	if _, err := b.store.Pool().Exec(b.t.Context(), statement, arguments...); err != nil {
		b.t.Fatal(err)
	}
}

// do runs a transaction as a router or a desk would.
func (b *brand) do(f func(ctx context.Context, u *store.Unit) error) {
	b.t.Helper()
	if err := b.store.Do(b.t.Context(), store.Scope{Events: "events", Source: "/shop/lumi/router", Now: time.Now()}, f); err != nil {
		b.t.Fatal(err)
	}
}

// complain has complaints come that long ago, and says of which conversations.
func (b *brand) complain(ago time.Duration, groups ...string) {
	b.t.Helper()
	for _, group := range groups {
		id := uuid.Must(uuid.NewV7())
		b.do(func(ctx context.Context, u *store.Unit) error {
			c, err := u.ConversationAdd(ctx, db.ConversationAddParams{ID: id, Channel: "mini", ExternalID: id.String(), CustomerID: id, OpenedAt: u.Now.Add(-ago)})
			if err != nil {
				return err
			}
			agent, offered, answered := "an", u.Now.Add(-ago), u.Now.Add(-ago+40*time.Second)
			c.State, c.SkillGroup, c.Agent, c.AssignedAt, c.OfferedAt, c.AnsweredAt = store.StateAssigned, group, &agent, &offered, &offered, &answered
			if _, err = u.Save(ctx, c); err != nil {
				return err
			}
			_, err = u.ComplaintOpen(ctx, db.ComplaintOpenParams{
				ID: promise.ComplaintID("shop", "lumi", id), ConversationID: id, Channel: "mini", ExternalID: id.String(), SkillGroup: group, OpenedAt: offered,
			})
			return err
		})
	}
}

// opens does what a router does that sees a burst, and starts the workflow twice, as a relay that crashed before it deleted its
// row does.
func (b *brand) opens(modify ...func(*promise.EmergencyInput)) promise.EmergencyInput {
	b.t.Helper()
	var in promise.EmergencyInput
	b.do(func(ctx context.Context, u *store.Unit) error {
		number, err := u.EmergencyOpen(ctx, "", u.Now)
		if err != nil {
			return err
		}
		in = promise.EmergencyInput{
			ID: promise.EmergencyID("shop", "lumi", number), Number: number, ScopeName: "露米", Since: u.Now.Add(-15 * time.Minute), StartedAt: u.Now,
			Complaints: 4, UsualPerHour: 1, CalmForSeconds: 60, CheckEverySeconds: 1,
		}
		for _, m := range modify {
			m(&in)
		}
		for range 2 {
			if err := u.StartWorkflow(ctx, in.ID, promise.EmergencyWorkflow, in); err != nil {
				return err
			}
		}
		return nil
	})
	return in
}

// await waits until the emergency's case is as it should be.
func (b *brand) await(id string, state promise.EmergencyState) store.Case {
	b.t.Helper()
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	timeout := time.After(deadline)
	for {
		row, err := b.store.Queries().CaseGet(b.t.Context(), id)
		if err == nil && row.State == string(state) {
			return store.CaseView(row)
		}
		select {
		case <-ticker.C:
		case <-timeout:
			b.t.Fatalf("waited %s for the emergency to be %s; last: %s, %v", deadline, state, row.State, err)
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
		var c store.Case
		if f.Kind != string(message.FrameCase) {
			continue
		}
		if err := json.Unmarshal(f.Payload, &c); err != nil {
			b.t.Fatal(err)
		}
		news = append(news, c.State)
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

func detailOf(t *testing.T, c store.Case) promise.EmergencyDetail {
	t.Helper()
	var detail promise.EmergencyDetail
	if err := json.Unmarshal(c.Detail, &detail); err != nil {
		t.Fatal(err)
	}
	return detail
}

func TestAnEmergencyOutlivesItsWorkerAndWritesOneReport(t *testing.T) {
	b := newBrand(t)
	kill := b.killableWorker()
	b.complain(10*time.Minute, "after-sales", "after-sales", "after-sales")
	// This one keeps it from being calm until it is a minute old.
	b.complain(50*time.Second, "pre-sales", "after-sales")
	in := b.opens()
	b.await(in.ID, promise.EmergencyOpen)
	kill()
	b.run(newWorker(b.client, b.store).Run)
	closed := b.await(in.ID, promise.EmergencyClosed)
	var status promise.EmergencyStatus
	if err := b.client.GetWorkflow(t.Context(), in.ID, "").Get(t.Context(), &status); err != nil {
		t.Fatal(err)
	}
	for _, agent := range []string{"sup", "boss", "ben"} {
		if diff := cmp.Diff([]string{"open", "closed"}, b.news(agent)); diff != "" {
			t.Errorf("news of %s (-want +got):\n%s", agent, diff)
		}
	}
	row, err := b.store.Queries().EmergencyGet(t.Context(), in.Number)
	if err != nil || row.EndedAt == nil || row.CalmAt == nil || !row.EndedAt.Equal(*closed.ClosedAt) {
		t.Errorf("the row is %+v, %v; the case was closed at %s", row, err, closed.ClosedAt)
	}
	report := detailOf(t, closed).Report
	want := &promise.EmergencyReport{
		From: report.From, Until: report.Until, Complaints: 5, ByChannel: map[string]int{"mini": 5}, ByGroup: map[string]int{"after-sales": 4, "pre-sales": 1},
		PeakPerHour: 20, PeakAt: report.PeakAt, UsualPerHour: 1, FirstResponse: promise.EmergencyFirstResponse{Asked: 5, Answered: 5, MedianSeconds: 40, SlowSeconds: 40},
	}
	if diff := cmp.Diff(want, report); diff != "" {
		t.Errorf("report (-want +got):\n%s", diff)
	}
	b.storeHistory(in.ID, "calm-again")
}

func TestASupervisorEndsAnEmergencyAndTheReportSaysWhen(t *testing.T) {
	b := newBrand(t)
	b.run(newWorker(b.client, b.store).Run)
	b.complain(time.Minute, "after-sales", "after-sales", "after-sales", "after-sales")
	in := b.opens(func(in *promise.EmergencyInput) { in.CheckEverySeconds = 3600 })
	b.await(in.ID, promise.EmergencyOpen)
	for range 2 { // A relay may send a signal again; the second means nothing.
		b.signal(in.ID, promise.SignalEmergencyExtend, promise.EmergencyExtend{By: "sup", Until: time.Now().Add(time.Hour)})
	}
	b.do(func(ctx context.Context, u *store.Unit) error { return u.EmergencyEnd(ctx, u.Now, in.Number) })
	ended, err := b.store.Queries().EmergencyGet(t.Context(), in.Number)
	if err != nil {
		t.Fatal(err)
	}
	b.signal(in.ID, promise.SignalEmergencyClose, promise.EmergencyClose{By: "sup"})
	closed := b.await(in.ID, promise.EmergencyClosed)
	if report := detailOf(t, closed).Report; !closed.ClosedAt.Equal(*ended.EndedAt) || !report.Until.Equal(*ended.EndedAt) || report.Complaints != 4 {
		t.Errorf("closed at %s with %+v, want %s", closed.ClosedAt, report, ended.EndedAt)
	}
	row, err := b.store.Queries().EmergencyGet(t.Context(), in.Number)
	if err != nil || row.CalmAt != nil {
		t.Errorf("the row is %+v, %v; complaints still come", row, err)
	}
	if err := b.client.GetWorkflow(t.Context(), in.ID, "").Get(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	b.storeHistory(in.ID, "ended-by-a-supervisor")
}

func (b *brand) signal(id, name string, argument any) {
	b.t.Helper()
	b.do(func(ctx context.Context, u *store.Unit) error { return u.SignalWorkflow(ctx, id, name, argument) })
}

func TestActivitiesHaveEffectOnce(t *testing.T) {
	b := newStore(t)
	a, in := activitiesOn(b.store), b.opens()
	for range 3 { // An activity runs again when its worker died before it could report.
		if err := a.RecordOpened(t.Context(), Opening{in}); err != nil {
			t.Fatal(err)
		}
	}
	for range 3 {
		outcome, err := a.RecordClosed(t.Context(), Closing{ID: in.ID, Number: in.Number})
		if err != nil || !outcome.Closed {
			t.Fatalf("closed %t, %v", outcome.Closed, err)
		}
	}
	if diff := cmp.Diff([]string{"open", "closed"}, b.news("sup")); diff != "" {
		t.Errorf("news (-want +got):\n%s", diff)
	}
}

func TestWhatSomebodyHoldsIsNotClosedByItself(t *testing.T) {
	b := newStore(t)
	a, in := activitiesOn(b.store), b.opens()
	if err := a.RecordOpened(t.Context(), Opening{in}); err != nil {
		t.Fatal(err)
	}
	b.do(func(ctx context.Context, u *store.Unit) error {
		_, _, err := u.ChangeCase(ctx, in.ID, store.Taking{Step: "extend"}, func(c *store.Case) error {
			detail := detailOf(t, *c)
			detail.HeldUntil = u.Now.Add(time.Hour)
			var err error
			c.Detail, err = json.Marshal(detail)
			return err
		})
		return err
	})
	if outcome, err := a.RecordClosed(t.Context(), Closing{ID: in.ID, Number: in.Number}); err != nil || outcome.Closed {
		t.Errorf("closed by itself: %t, %v", outcome.Closed, err)
	}
	if outcome, err := a.RecordClosed(t.Context(), Closing{ID: in.ID, Number: in.Number, By: "sup"}); err != nil || !outcome.Closed {
		t.Errorf("closed by a supervisor: %t, %v", outcome.Closed, err)
	}
}

func TestPeak(t *testing.T) {
	at := func(minute int, complaints int32, group string) db.ComplaintsBetweenRow {
		return db.ComplaintsBetweenRow{SkillGroup: group, Minute: start().Add(time.Duration(minute) * time.Minute), Complaints: complaints}
	}
	for name, tt := range map[string]struct {
		rows   []db.ComplaintsBetweenRow
		most   int
		minute int
	}{
		"none":                         {nil, 0, 0},
		"one minute":                   {[]db.ComplaintsBetweenRow{at(3, 2, "a")}, 2, 4},
		"several groups in one minute": {[]db.ComplaintsBetweenRow{at(3, 2, "a"), at(3, 5, "b")}, 7, 4},
		"what is a quarter apart does not add up":      {[]db.ComplaintsBetweenRow{at(0, 4, "a"), at(15, 3, "a")}, 4, 1},
		"what is less apart does":                      {[]db.ComplaintsBetweenRow{at(0, 4, "a"), at(14, 3, "a"), at(40, 5, "a")}, 7, 15},
		"the worst quarter may be in the middle of it": {[]db.ComplaintsBetweenRow{at(0, 1, "a"), at(20, 3, "a"), at(25, 3, "b"), at(50, 1, "a")}, 6, 26},
	} {
		t.Run(name, func(t *testing.T) {
			most, when := peak(tt.rows)
			if most != tt.most || most > 0 && !when.Equal(start().Add(time.Duration(tt.minute)*time.Minute)) {
				t.Errorf("%d at %s, want %d at minute %d", most, when, tt.most, tt.minute)
			}
		})
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
