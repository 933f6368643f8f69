// Package world is what is around connectors but their platform, for tests: Kafka and Postgres as internal/testenv starts
// them, an API server, and replicas of connectors/host that serve what is created in it.
//
// It stands in for nobody whom the product could tell from the real one, the API server excepted: that is a fake, with real
// watches. It knows no protocol. Only tests import it.
package world

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/segmentio/kafka-go"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/connectors"
	"github.com/yingda-dev/yingda/internal/bus"
	"github.com/yingda-dev/yingda/internal/dataplane"
	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/testenv"
)

const (
	// Patience is how long a test waits for what must come; nothing waits for it to pass.
	Patience = 30 * time.Second

	brand      = "lumi"
	partitions = 4
	poll       = 20 * time.Millisecond
)

// Options is what a World is made of.
type Options struct {
	// Type is what all Channels are.
	Type connectors.Type
	// Kafka is the broker's address; "" takes the one that the process's tests share.
	Kafka string
	// APIBaseURLs are the platforms' addresses that Channels may name.
	APIBaseURLs []string
}

// World is everything around the connectors of one test.
type World struct {
	T     testing.TB
	Names bus.Names
	// Pool is the pool that all replicas belong to: that of the type's shared Channels.
	Pool string
	// Owner is the database as its owner sees it. Connectors use a role that may do less.
	Owner *store.Store
	// Kube is the API server.
	Kube client.WithWatch

	options    Options
	connectURL string
	producer   *bus.Producer
	// watches counts the watches of Channels that were opened: what is created between a list and its watch, the fake API
	// server keeps to itself.
	watches atomic.Int64

	mu      sync.Mutex
	inbound []message.Envelope
}

// New makes a world, which ends with the test.
func New(t testing.TB, o Options) *World {
	t.Helper()
	if o.Kafka == "" {
		o.Kafka = testenv.Kafka(t)
	}
	ownerURL := testenv.Database(t, migrate)
	w := &World{
		T: t, options: o, Pool: dataplane.PoolOf(&v1alpha1.Channel{Spec: v1alpha1.ChannelSpec{Type: o.Type.Name()}}), connectURL: testenv.ConnectorURL(t, ownerURL),
		Names: bus.Names{Prefix: "yingda", Namespace: testenv.Unique("ns"), Brand: brand},
	}
	w.Owner = w.openStore(ownerURL)
	w.makeTopics()
	w.Kube = w.newKube()
	w.producer = bus.NewProducer(w.cluster())
	t.Cleanup(func() { _ = w.producer.Close() })
	w.collect()
	return w
}

func migrate(ctx context.Context, url string) error {
	return store.Migrate(ctx, url, testenv.ConnectorRole)
}

func (w *World) openStore(url string) *store.Store {
	w.T.Helper()
	s, err := store.Open(w.T.Context(), url)
	if err != nil {
		w.T.Fatal(err)
	}
	w.T.Cleanup(s.Close)
	return s
}

// lazyStore opens a store that need not be there.
func (w *World) lazyStore(url string) *store.Store {
	w.T.Helper()
	s, err := store.OpenLazily(context.WithoutCancel(w.T.Context()), url)
	if err != nil {
		w.T.Fatal(err)
	}
	w.T.Cleanup(s.Close)
	return s
}

func (w *World) newKube() client.WithWatch {
	w.T.Helper()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{corev1.AddToScheme, v1alpha1.AddToScheme} {
		if err := add(scheme); err != nil {
			w.T.Fatal(err)
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

func (w *World) cluster() bus.Cluster { return bus.Cluster{Brokers: []string{w.options.Kafka}} }

func (w *World) makeTopics() {
	w.T.Helper()
	topics := w.Names.Topics([]string{w.Pool})
	if err := bus.EnsureTopics(w.T.Context(), w.cluster(), topics, bus.Topology{Partitions: partitions, ReplicationFactor: 1, Retention: 24 * time.Hour}); err != nil {
		w.T.Fatal(err)
	}
}

// collect gathers what connectors publish.
func (w *World) collect() {
	ctx, cancel := context.WithCancel(context.WithoutCancel(w.T.Context()))
	consumer := bus.NewConsumer(bus.ConsumerConfig{
		Cluster: w.cluster(), Group: w.Names.RouterGroup(), Topic: w.Names.Inbound(), DeadLetter: w.Names.DeadLetter(),
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
	w.T.Cleanup(func() { cancel(); done.Wait() })
}

// Envelopes is what was published on the inbound topic, in order per customer; repetitions included.
func (w *World) Envelopes() []message.Envelope {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.inbound)
}

// Messages are what customers did, as it was published; repetitions included.
func (w *World) Messages() []message.Inbound {
	w.T.Helper()
	return payloads[message.Inbound](w, message.TypeInbound)
}

// Reports are the states that connectors told of a message, in order.
func (w *World) Reports(id uuid.UUID) []message.Delivery {
	w.T.Helper()
	return slices.DeleteFunc(payloads[message.Delivery](w, message.TypeDelivery), func(d message.Delivery) bool { return d.MessageID != id })
}

func payloads[T any](w *World, typ message.Type) []T {
	w.T.Helper()
	var all []T
	for _, e := range w.Envelopes() {
		if e.Type == typ {
			one, err := message.Payload[T](e, typ)
			if err != nil {
				w.T.Fatal(err)
			}
			all = append(all, one)
		}
	}
	return all
}

// Report waits for a state of a message to be told, and returns the report.
func (w *World) Report(id uuid.UUID, state message.DeliveryState) message.Delivery {
	w.T.Helper()
	var found message.Delivery
	w.Eventually(fmt.Sprintf("a message is reported as %s", state), func() bool {
		reports := w.Reports(id)
		at := slices.IndexFunc(reports, func(d message.Delivery) bool { return d.State == state })
		if at >= 0 {
			found = reports[at]
		}
		return at >= 0
	})
	return found
}

// Eventually waits until ok.
func (w *World) Eventually(what string, ok func() bool) {
	w.T.Helper()
	deadline := time.NewTimer(Patience)
	defer deadline.Stop()
	ticker := time.NewTicker(poll)
	defer ticker.Stop()
	for !ok() {
		select {
		case <-ticker.C:
		case <-deadline.C:
			w.T.Fatalf("waited %s in vain: %s", Patience, what)
		}
	}
}

// SpoolDepth is how many envelopes wait in the spool.
func (w *World) SpoolDepth() int64 {
	w.T.Helper()
	depth, err := w.Owner.Queries().SpoolDepth(w.T.Context(), w.Pool)
	if err != nil {
		w.T.Fatal(err)
	}
	return depth.Rows
}

// Published is how many envelopes Kafka holds on the inbound topic right now.
func (w *World) Published() int64 {
	w.T.Helper()
	transport := &kafka.Transport{}
	defer transport.CloseIdleConnections()
	ends := make([]kafka.OffsetRequest, partitions)
	for n := range ends {
		ends[n] = kafka.LastOffsetOf(n)
	}
	topic := w.Names.Inbound()
	kafkaClient := kafka.Client{Addr: kafka.TCP(w.options.Kafka), Transport: transport}
	answer, err := kafkaClient.ListOffsets(w.T.Context(), &kafka.ListOffsetsRequest{Topics: map[string][]kafka.OffsetRequest{topic: ends}})
	if err != nil {
		w.T.Fatal(err)
	}
	var published int64
	for _, partition := range answer.Topics[topic] {
		if partition.Error != nil {
			w.T.Fatal(partition.Error)
		}
		published += partition.LastOffset
	}
	return published
}
