package host_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/connectors/host"
	"github.com/yingda-dev/yingda/connectors/miniprogram"
	"github.com/yingda-dev/yingda/hack/wechatsim"
	"github.com/yingda-dev/yingda/internal/bus"
	"github.com/yingda-dev/yingda/internal/domain/quota"
	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/store/db"
	"github.com/yingda-dev/yingda/internal/testenv"
)

const (
	pool = "miniprogram"
	// patience is how long a test waits for what must come; nothing waits for it to pass.
	patience = 30 * time.Second
	poll     = 20 * time.Millisecond

	keyOne = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"
	keyTwo = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
)

// world is everything around the connectors: the platform, Kafka, Postgres and the API server.
type world struct {
	t          testing.TB
	sim        *wechatsim.Server
	simURL     string
	kafka      string
	names      bus.Names
	owner      *store.Store
	connectURL string
	kube       client.WithWatch
	producer   *bus.Producer

	// watches counts the watches of Channels that were opened: what is created between a list and its watch, the fake API
	// server keeps to itself.
	watches atomic.Int64

	mu      sync.Mutex
	inbound []message.Envelope
}

func migrate(ctx context.Context, url string) error {
	return store.Migrate(ctx, url, testenv.ConnectorRole)
}

func newWorld(t testing.TB) *world {
	t.Helper()
	return newWorldWith(t, testenv.Kafka(t))
}

func newWorldWith(t testing.TB, kafka string) *world {
	t.Helper()
	ownerURL := testenv.Database(t, migrate)
	w := &world{
		t: t, kafka: kafka, connectURL: testenv.ConnectorURL(t, ownerURL),
		names: bus.Names{Prefix: "yingda", Namespace: testenv.Unique("ns"), Brand: "lumi"},
		sim:   wechatsim.New(wechatsim.Options{RetryDelay: 200 * time.Millisecond}),
	}
	server := httptest.NewServer(w.sim)
	w.simURL = server.URL
	t.Cleanup(func() {
		if err := w.sim.Close(); err != nil {
			t.Error(err)
		}
		server.Close()
	})
	w.owner = openStore(t, ownerURL)
	w.makeTopics()
	w.kube = w.newKube()
	w.producer = bus.NewProducer(w.cluster())
	t.Cleanup(func() { _ = w.producer.Close() })
	w.collect()
	return w
}

func openStore(t testing.TB, url string) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func (w *world) newKube() client.WithWatch {
	w.t.Helper()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{corev1.AddToScheme, v1alpha1.AddToScheme} {
		if err := add(scheme); err != nil {
			w.t.Fatal(err)
		}
	}
	byName := func(object client.Object) []string { return []string{object.GetName()} }
	count := interceptor.Funcs{Watch: func(ctx context.Context, c client.WithWatch, list client.ObjectList, options ...client.ListOption) (watch.Interface, error) {
		opened, err := c.Watch(ctx, list, options...)
		if _, ok := list.(*v1alpha1.ChannelList); ok && err == nil {
			w.watches.Add(1)
		}
		return opened, err
	}}
	return fake.NewClientBuilder().WithScheme(scheme).WithIndex(&corev1.Secret{}, metav1.ObjectNameField, byName).WithInterceptorFuncs(count).Build()
}

func (w *world) cluster() bus.Cluster { return bus.Cluster{Brokers: []string{w.kafka}} }

func (w *world) makeTopics() {
	w.t.Helper()
	topics := w.names.Topics([]string{pool})
	if err := bus.EnsureTopics(w.t.Context(), w.cluster(), topics, bus.Topology{Partitions: 4, ReplicationFactor: 1, Retention: 24 * time.Hour}); err != nil {
		w.t.Fatal(err)
	}
}

// collect gathers what connectors publish.
func (w *world) collect() {
	ctx, cancel := context.WithCancel(context.Background())
	consumer := bus.NewConsumer(bus.ConsumerConfig{
		Cluster: w.cluster(), Group: w.names.RouterGroup(), Topic: w.names.Inbound(), DeadLetter: w.names.DeadLetter(),
		Producer: w.producer, Logger: slog.New(slog.DiscardHandler),
		Handler: func(_ context.Context, _ int, batch []message.Envelope) error {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.inbound = append(w.inbound, batch...)
			return nil
		},
	})
	var done sync.WaitGroup
	done.Go(func() { _ = consumer.Run(ctx) })
	w.t.Cleanup(func() { cancel(); done.Wait() })
}

func (w *world) envelopes() []message.Envelope {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]message.Envelope(nil), w.inbound...)
}

// messages are what customers did, as it was published; repetitions included.
func (w *world) messages() []message.Inbound {
	w.t.Helper()
	var all []message.Inbound
	for _, e := range w.envelopes() {
		if e.Type == message.TypeInbound {
			in, err := message.Payload[message.Inbound](e, message.TypeInbound)
			if err != nil {
				w.t.Fatal(err)
			}
			all = append(all, in)
		}
	}
	return all
}

// reports are the final and the deferred states that connectors told of a message, in order.
func (w *world) reports(id uuid.UUID) []message.Delivery {
	w.t.Helper()
	var all []message.Delivery
	for _, e := range w.envelopes() {
		if e.Type != message.TypeDelivery {
			continue
		}
		d, err := message.Payload[message.Delivery](e, message.TypeDelivery)
		if err != nil {
			w.t.Fatal(err)
		}
		if d.MessageID == id {
			all = append(all, d)
		}
	}
	return all
}

func (w *world) eventually(what string, ok func() bool) {
	w.t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	ticker := time.NewTicker(poll)
	defer ticker.Stop()
	for !ok() {
		select {
		case <-ticker.C:
		case <-deadline.C:
			w.t.Fatalf("waited %s in vain: %s", patience, what)
		}
	}
}

// app is a mini-program with its Channel.
type app struct {
	w      *world
	name   string
	config wechatsim.App
	mode   v1alpha1.MessageMode
}

func (w *world) app(name string, modify ...func(*app)) *app {
	w.t.Helper()
	appID := "wx" + strings.ReplaceAll(uuid.NewString(), "-", "")[:16]
	a := &app{w: w, name: name, mode: v1alpha1.MessageModeSecure, config: wechatsim.App{
		AppID: appID, AppSecret: "secret-of-" + name, Token: "tokenOf" + name, EncodingAESKey: keyOne, OriginalID: "gh_" + name,
		Mode: wechatsim.ModeSecure, Format: wechatsim.FormatJSON,
	}}
	for _, f := range modify {
		f(a)
	}
	a.put()
	return a
}

// put tells the platform of the app's settings.
func (a *app) put() {
	a.w.t.Helper()
	if err := a.w.sim.PutApp(a.config); err != nil {
		a.w.t.Fatal(err)
	}
}

func (a *app) secret() *corev1.Secret {
	return &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: a.name + "-wechat", Namespace: a.w.names.Namespace, Labels: map[string]string{v1alpha1.CredentialsLabel: "true"}},
		Data: map[string][]byte{
			"appSecret": []byte(a.config.AppSecret), "token": []byte(a.config.Token), "encodingAESKey": []byte(a.config.EncodingAESKey + "\n"),
		},
	}
}

func (a *app) channel() *v1alpha1.Channel {
	return &v1alpha1.Channel{
		ObjectMeta: metav1.ObjectMeta{Name: a.name, Namespace: a.w.names.Namespace, Generation: 1},
		Spec: v1alpha1.ChannelSpec{
			BrandRef: v1alpha1.BrandReference{Name: a.w.names.Brand}, Type: v1alpha1.ChannelTypeMiniProgram,
			MiniProgram: &v1alpha1.MiniProgramSpec{WeChatAccount: v1alpha1.WeChatAccount{
				AppID: a.config.AppID, CredentialsSecretRef: v1alpha1.CredentialsReference{Name: a.name + "-wechat"},
				MessageMode: a.mode, APIBaseURL: a.w.simURL,
			}},
		},
	}
}

func (w *world) create(objects ...client.Object) {
	w.t.Helper()
	for _, object := range objects {
		if err := w.kube.Create(w.t.Context(), object); err != nil {
			w.t.Fatal(err)
		}
	}
}

// serve makes the app's Channel and points its pushes to a replica that serves it.
func (a *app) serve(r *replica) {
	a.w.t.Helper()
	a.w.create(a.secret(), a.channel())
	a.pushTo(r)
	a.w.eventually("the Channel is served and its credentials accepted", func() bool {
		return r.host.Report().Channels[a.name].Credentials == "Accepted"
	})
}

func (a *app) pushTo(r *replica) {
	a.w.t.Helper()
	a.config.CallbackURL = r.url(a)
	a.put()
}

func (a *app) write(openID, text string) wechatsim.Push {
	a.w.t.Helper()
	push, err := a.w.sim.Write(a.w.t.Context(), a.config.AppID, openID, wechatsim.Message{Content: text})
	if err != nil {
		a.w.t.Fatal(err)
	}
	return push
}

// received is what the customer's phone got from the account.
func (a *app) received(openID string) []string {
	a.w.t.Helper()
	entries, err := a.w.sim.Received(a.w.t.Context(), a.config.AppID, openID, 0, 0)
	if err != nil {
		a.w.t.Fatal(err)
	}
	texts := []string{}
	for _, e := range entries {
		texts = append(texts, e.Text)
	}
	return texts
}

// meet lets a customer write and gives our ledger the grant, as the router does.
func (a *app) meet(openID string) {
	a.w.t.Helper()
	if push := a.write(openID, "你好"); push.State != wechatsim.PushDelivered {
		a.w.t.Fatalf("the customer's message was not taken: %+v", push)
	}
	a.grant(openID, quota.Grant(quota.State{}, quota.UserMessage, time.Now()))
}

func (a *app) grant(openID string, state quota.State) {
	a.w.t.Helper()
	err := a.w.owner.Queries().QuotaSet(a.w.t.Context(), db.QuotaSetParams{
		Channel: a.name, ExternalID: openID, WindowEnds: state.WindowEnds, Remaining: state.Remaining,
		SessionEnds: state.SessionEnds, SessionRemaining: state.SessionRemaining,
	})
	if err != nil {
		a.w.t.Fatal(err)
	}
}

func (a *app) ledger(openID string) quota.State {
	a.w.t.Helper()
	state, err := a.w.owner.Quota(a.w.t.Context(), store.Contact{Channel: a.name, ExternalID: openID})
	if err != nil {
		a.w.t.Fatal(err)
	}
	return state
}

func (a *app) fault(f wechatsim.Fault) {
	a.w.t.Helper()
	if err := a.w.sim.AddFault(a.config.AppID, f); err != nil {
		a.w.t.Fatal(err)
	}
}

// say publishes an outbound text.
func (a *app) say(openID, text string) uuid.UUID {
	a.w.t.Helper()
	return a.sayContent(openID, message.Content{Kind: message.KindText, Text: text})
}

func (a *app) sayContent(openID string, content message.Content) uuid.UUID {
	a.w.t.Helper()
	id := uuid.New()
	a.publish(message.Outbound{MessageID: id, Channel: a.name, Customer: openID, Content: content})
	return id
}

func (a *app) publish(out message.Outbound) {
	a.w.t.Helper()
	e, err := message.New(uuid.NewString(), message.TypeOutbound, "/test", a.name, message.CustomerKey(a.name, out.Customer), time.Now(), out)
	if err != nil {
		a.w.t.Fatal(err)
	}
	if err := a.w.producer.Publish(a.w.t.Context(), a.w.names.Outbound(pool), e); err != nil {
		a.w.t.Fatal(err)
	}
}

// lastReport waits for a state of a message to be told, and returns the report.
func (w *world) lastReport(id uuid.UUID, state message.DeliveryState) message.Delivery {
	w.t.Helper()
	var found message.Delivery
	w.eventually(fmt.Sprintf("a message is reported as %s", state), func() bool {
		for _, d := range w.reports(id) {
			if d.State == state {
				found = d
				return true
			}
		}
		return false
	})
	return found
}

// replica is one running connector.
type replica struct {
	w        *world
	host     *host.Host
	address  string
	registry *prometheus.Registry
	logs     *logBuffer
	stop     func()
}

// logBuffer keeps logs, for tests that look for what must not be there.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func (w *world) replica(modify ...func(*host.Options)) *replica {
	w.t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(w.t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		w.t.Fatal(err)
	}
	r := &replica{w: w, address: listener.Addr().String(), registry: prometheus.NewRegistry(), logs: &logBuffer{}}
	producer, background, backlog := bus.NewProducer(w.cluster()), bus.NewProducer(w.cluster()), bus.NewProducer(w.cluster())
	database, err := store.OpenLazily(w.t.Context(), w.connectURL)
	if err != nil {
		w.t.Fatal(err)
	}
	options := host.Options{
		Names: w.names, Pool: pool, Type: miniprogram.Type{}, Instance: testenv.Unique("replica"), Cluster: w.cluster(),
		Producer: producer, Background: background, Backlog: backlog, Store: database, Kubernetes: w.kube, AllowedBaseURLs: []string{w.simURL},
		Listener: listener, Registry: r.registry, Logger: slog.New(slog.NewJSONHandler(r.logs, nil)), Clock: time.Now,
	}
	for _, f := range modify {
		f(&options)
	}
	r.host = host.New(options)
	ctx, cancel := context.WithCancel(context.Background())
	before := w.watches.Load()
	var running sync.WaitGroup
	running.Go(func() {
		if err := r.host.Run(ctx); err != nil {
			w.t.Error(err)
		}
	})
	r.stop = sync.OnceFunc(func() {
		cancel()
		running.Wait()
		_ = producer.Close()
		_ = background.Close()
		_ = backlog.Close()
		database.Close()
	})
	w.t.Cleanup(func() {
		r.stop()
		if w.t.Failed() {
			w.t.Logf("log of a replica:\n%s", r.logs)
		}
	})
	w.eventually("the replica watches Channels", func() bool { return w.watches.Load() > before })
	return r
}

func (r *replica) url(a *app) string {
	return "http://" + r.address + "/" + r.w.names.Namespace + "/" + a.name
}

// metric returns a counter's value for the given labels, name=value.
func (r *replica) metric(name string, labels ...string) float64 {
	r.w.t.Helper()
	families, err := r.registry.Gather()
	if err != nil {
		r.w.t.Fatal(err)
	}
	sum := 0.0
	for _, family := range families {
		if family.GetName() != name {
			continue
		}
	metrics:
		for _, m := range family.GetMetric() {
			has := map[string]bool{}
			for _, l := range m.GetLabel() {
				has[l.GetName()+"="+l.GetValue()] = true
			}
			for _, label := range labels {
				if !has[label] {
					continue metrics
				}
			}
			sum += m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
	}
	return sum
}

func objectKey(object client.Object) client.ObjectKey { return client.ObjectKeyFromObject(object) }
