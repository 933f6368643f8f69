package desk

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/bus"
	"github.com/yingda-dev/yingda/internal/catalog"
	"github.com/yingda-dev/yingda/internal/domain/quota"
	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/outbox"
	"github.com/yingda-dev/yingda/internal/outcall"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/store/db"
	"github.com/yingda-dev/yingda/internal/testenv"
)

// patience is how long a test waits for what must come.
const patience = 20 * time.Second

// TestMain looks for goroutines that the desk leaves behind. The servers of the tests live as long as the process, and so do
// the connections of the producer that stands for the router's.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		goleak.IgnoreAnyFunction("github.com/yingda-dev/yingda/internal/testenv.(*process).follow.func1"),
		goleak.IgnoreAnyFunction("github.com/segmentio/kafka-go.(*conn).run"),
		goleak.IgnoreAnyFunction("github.com/segmentio/kafka-go.(*connPool).discover"),
	)
}

func migrate(ctx context.Context, url string) error { return store.Migrate(ctx, url, "") }

// world is a brand with its database and its clock, which stands still until a test moves it.
type world struct {
	t       *testing.T
	store   *store.Store
	catalog *catalog.Catalog
	names   bus.Names
	cluster bus.Cluster
	// provider is what replicas are started with.
	provider outcall.Files
	// with changes what a desk works with.
	with func(*Config)

	mu  sync.Mutex
	now time.Time
}

// noon is a Monday at 12:00 in Shanghai.
func noon() time.Time { return time.Date(2026, 11, 23, 4, 0, 0, 0, time.UTC) }

func newWorld(t *testing.T) *world {
	t.Helper()
	s, err := store.Open(t.Context(), testenv.Database(t, migrate))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	if err := s.Queries().EnsurePartitions(t.Context(), noon()); err != nil {
		t.Fatal(err)
	}
	return &world{
		t: t, store: s, catalog: catalog.Fixed("lumi", "lumi", brand()...), now: noon(),
		names: bus.Names{Prefix: testenv.Unique("yingda"), Namespace: "lumi", Brand: "lumi"},
	}
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) passes(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

func (w *world) scope() store.Scope {
	return store.Scope{Events: w.names.Events(), Source: "/test", Now: w.clock()}
}

func tokenOf(agent string) string { return "token of " + agent }

func agent(name, team string, change ...func(*yingdav1.Agent)) *yingdav1.Agent {
	sum := sha256.Sum256([]byte(tokenOf(name)))
	a := &yingdav1.Agent{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "lumi", Generation: 1, Labels: map[string]string{"team": team}},
		Spec:       yingdav1.AgentSpec{BrandRef: yingdav1.BrandReference{Name: "lumi"}, DisplayName: "客服 " + name, Role: yingdav1.RoleAgent, Capacity: 2},
		Status:     yingdav1.AgentStatus{TrialToken: &yingdav1.TrialTokenStatus{SHA256: hex.EncodeToString(sum[:])}},
	}
	for _, f := range change {
		f(a)
	}
	return a
}

// brand has the agents xiaomei of after-sales, xiaohong of pre-sales, and the supervisor laowang of no group.
func brand(change ...func([]client.Object)) []client.Object {
	meta := func(name string) metav1.ObjectMeta {
		return metav1.ObjectMeta{Name: name, Namespace: "lumi", Generation: 1}
	}
	ref := yingdav1.BrandReference{Name: "lumi"}
	group := func(name string) *yingdav1.SkillGroup {
		return &yingdav1.SkillGroup{ObjectMeta: meta(name), Spec: yingdav1.SkillGroupSpec{
			BrandRef: ref, AgentSelector: metav1.LabelSelector{MatchLabels: map[string]string{"team": name}},
		}}
	}
	objects := []client.Object{
		&yingdav1.Brand{ObjectMeta: meta("lumi"), Spec: yingdav1.BrandSpec{DisplayName: "露米", Defaults: yingdav1.BrandDefaults{
			PlaybookRef: &yingdav1.PlaybookReference{Name: "shop"},
		}}},
		&yingdav1.Channel{ObjectMeta: meta("shop"), Spec: yingdav1.ChannelSpec{BrandRef: ref, Type: yingdav1.ChannelTypeMiniProgram}},
		group("after-sales"), group("pre-sales"),
		agent("xiaomei", "after-sales"), agent("xiaohong", "pre-sales"),
		agent("laowang", "office", func(a *yingdav1.Agent) { a.Spec.Role = yingdav1.RoleSupervisor }),
		&yingdav1.Playbook{ObjectMeta: meta("shop"), Spec: yingdav1.PlaybookSpec{CannedReplies: []yingdav1.CannedReply{{Code: "hi", Title: "问候", Text: "您好!"}}}},
	}
	for _, f := range change {
		f(objects)
	}
	return objects
}

// desk is a running replica.
type desk struct {
	*Desk
	t        *testing.T
	url      string
	registry *prometheus.Registry
	stop     func()
	// described is what the replica says of its API.
	described func() description
}

// starts a replica; it ends with the test, or by stop.
func (w *world) starts() *desk {
	w.t.Helper()
	registry := prometheus.NewRegistry()
	config := Config{
		Cluster: w.cluster, Names: w.names, Store: w.store, Catalog: w.catalog, Provider: w.provider, Now: w.clock,
		Logger: slog.New(slog.DiscardHandler), Metrics: NewMetrics(registry),
	}
	if w.with != nil {
		w.with(&config)
	}
	d, err := New(config)
	if err != nil {
		w.t.Fatal(err)
	}
	server := httptest.NewServer(d.Handler())
	started := &desk{Desk: d, t: w.t, url: server.URL, registry: registry}
	started.described = sync.OnceValue(started.describesItself)
	if w.cluster.Brokers == nil {
		started.stop = sync.OnceFunc(func() { d.hub.shut(); server.Close() })
		w.t.Cleanup(started.stop)
		return started
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(w.t.Context()))
	done := make(chan error, 1)
	go func() { done <- d.Run(ctx) }()
	started.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			w.t.Error(err)
		}
		server.Close()
	})
	w.t.Cleanup(started.stop)
	return started
}

// relays starts a broker and the outbox relay, which takes frames to it.
func (w *world) relays() {
	w.t.Helper()
	w.cluster = bus.Cluster{Brokers: []string{testenv.Kafka(w.t)}}
	topics := []string{w.names.Events(), w.names.Outbound("miniprogram")}
	if err := bus.EnsureTopics(w.t.Context(), w.cluster, topics, bus.Topology{Partitions: 3, ReplicationFactor: 1, Retention: time.Hour}); err != nil {
		w.t.Fatal(err)
	}
	producer := bus.NewProducer(w.cluster)
	relay := outbox.New(outbox.Config{
		Store: w.store, Publisher: producer, Source: "/test/outbox", Logger: slog.New(slog.DiscardHandler),
		Metrics: prometheus.NewRegistry(), Now: time.Now,
	})
	ctx, cancel := context.WithCancel(context.WithoutCancel(w.t.Context()))
	done := make(chan error, 1)
	go func() { done <- relay.Run(ctx) }()
	w.t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			w.t.Error(err)
		}
		producer.Close()
	})
}

// queues makes a conversation that waits in a group.
func (w *world) queues(group, customer string) uuid.UUID {
	w.t.Helper()
	id, at := uuid.Must(uuid.NewV7()), w.clock()
	w.does(func(ctx context.Context, u *store.Unit) error {
		c, err := u.ConversationAdd(ctx, db.ConversationAddParams{ID: id, Channel: "shop", ExternalID: customer, CustomerID: uuid.Must(uuid.NewV7()), OpenedAt: at})
		if err != nil {
			return err
		}
		if err := u.QuotaSet(ctx, grants(customer, at)); err != nil {
			return err
		}
		c.State, c.SkillGroup, c.QueuedAt = store.StateQueued, group, &at
		_, err = u.Save(ctx, c)
		return err
	})
	return id
}

// grants is the ledger of a customer who wrote then.
func grants(customer string, at time.Time) db.QuotaSetParams {
	state := quota.Grant(quota.State{}, quota.Rules{UserMessages: 20}, quota.UserMessage, at)
	return db.QuotaSetParams{Channel: "shop", ExternalID: customer, WindowEnds: state.WindowEnds, Remaining: state.Remaining, Granted: state.Granted}
}

// assigned makes a conversation that an agent serves.
func (w *world) assigned(group, agentName, customer string) uuid.UUID {
	w.t.Helper()
	id := w.queues(group, customer)
	if _, err := w.store.Queries().PresenceSet(w.t.Context(), agentName, true, w.clock()); err != nil {
		w.t.Fatal(err)
	}
	assigned, err := w.store.AssignNext(w.t.Context(), w.scope(), store.Assignment{Group: group, Seats: []store.Seat{{Agent: agentName, Capacity: 100}}})
	if err != nil || !assigned {
		w.t.Fatalf("assigned %t, err %v", assigned, err)
	}
	return id
}

// hears adds a message of the conversation's customer.
func (w *world) hears(id uuid.UUID, content message.Content) {
	w.t.Helper()
	w.does(func(ctx context.Context, u *store.Unit) error {
		c, err := u.ConversationForUpdate(ctx, id)
		if err != nil {
			return err
		}
		return u.Hear(ctx, c, message.Inbound{
			Channel: c.Channel, Customer: c.ExternalID, MessageID: uuid.NewString(), SentAt: u.Now, ReceivedAt: u.Now, Content: content,
		})
	})
}

func text(format string, args ...any) message.Content {
	return message.Content{Kind: message.KindText, Text: fmt.Sprintf(format, args...)}
}

func (w *world) does(f func(ctx context.Context, u *store.Unit) error) {
	w.t.Helper()
	if err := w.store.Do(w.t.Context(), w.scope(), f); err != nil {
		w.t.Fatal(err)
	}
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for !ok() {
		select {
		case <-ticker.C:
		case <-deadline.C:
			t.Fatalf("waited %s in vain: %s", patience, what)
		}
	}
}

// outboxOf returns the payloads of the outbox rows of a type.
func (w *world) outboxOf(eventType string) []json.RawMessage {
	w.t.Helper()
	rows, err := w.store.Pool().Query(w.t.Context(), "SELECT payload FROM outbox WHERE event_type = $1 ORDER BY id", eventType)
	if err != nil {
		w.t.Fatal(err)
	}
	defer rows.Close()
	var payloads []json.RawMessage
	for rows.Next() {
		var payload json.RawMessage
		if err := rows.Scan(&payload); err != nil {
			w.t.Fatal(err)
		}
		payloads = append(payloads, payload)
	}
	return payloads
}

// visitor is a client of a desk.
type visitor struct {
	desk    *desk
	headers http.Header
}

// as is a client that sends an agent's token.
func (d *desk) as(agentName string) *visitor {
	return &visitor{d, http.Header{"Authorization": {"Bearer " + tokenOf(agentName)}}}
}

// answer is a response with its whole body.
type answer struct {
	status  int
	header  http.Header
	cookies []*http.Cookie
	body    []byte
}

func (v *visitor) sends(method, path string, body any) answer {
	v.desk.t.Helper()
	var reader io.Reader = http.NoBody
	switch body := body.(type) {
	case nil:
	case []byte:
		reader = bytes.NewReader(body)
	default:
		encoded, err := json.Marshal(body)
		if err != nil {
			v.desk.t.Fatal(err)
		}
		reader = bytes.NewReader(encoded)
	}
	request, err := http.NewRequestWithContext(v.desk.t.Context(), method, v.desk.url+path, reader)
	if err != nil {
		v.desk.t.Fatal(err)
	}
	request.Header = v.headers.Clone()
	if _, raw := body.([]byte); body != nil && !raw {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		v.desk.t.Fatal(err)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		v.desk.t.Fatal(err)
	}
	v.desk.describes(method, response.Request.URL.EscapedPath(), response.StatusCode, content)
	return answer{response.StatusCode, response.Header, response.Cookies(), content}
}

// asks sends a request, wants a status, and decodes the answer.
func asks[T any](v *visitor, wantStatus int, method, path string, body any) T {
	v.desk.t.Helper()
	got := v.sends(method, path, body)
	if got.status != wantStatus {
		v.desk.t.Fatalf("%s %s: status %d, want %d: %s", method, path, got.status, wantStatus, got.body)
	}
	var decoded T
	if len(got.body) > 0 {
		if err := json.Unmarshal(got.body, &decoded); err != nil {
			v.desk.t.Fatalf("%s %s: %v: %s", method, path, err, got.body)
		}
	}
	return decoded
}

type refused struct {
	Type, Title, Detail string
	Status              int
}

// socket is an agent's WebSocket.
type socket struct {
	t    *testing.T
	conn *websocket.Conn
}

func (v *visitor) connects(query string) *socket {
	v.desk.t.Helper()
	ctx, cancel := context.WithTimeout(v.desk.t.Context(), patience)
	defer cancel()
	conn, response, err := websocket.Dial(ctx, v.desk.url+"/api/stream"+query, &websocket.DialOptions{HTTPHeader: v.headers})
	if response != nil && response.Body != nil {
		defer response.Body.Close()
	}
	if err != nil {
		v.desk.t.Fatalf("connecting: %v", err)
	}
	conn.SetReadLimit(1 << 20)
	s := &socket{v.desk.t, conn}
	v.desk.t.Cleanup(func() { conn.CloseNow() })
	return s
}

// next returns the next message.
func (s *socket) next() (wire, error) {
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	_, content, err := s.conn.Read(ctx)
	if err != nil {
		return wire{}, err
	}
	var w wire
	return w, json.Unmarshal(content, &w)
}

func (s *socket) must() wire {
	s.t.Helper()
	w, err := s.next()
	if err != nil {
		s.t.Fatal(err)
	}
	return w
}
