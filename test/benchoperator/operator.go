package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/http/pprof"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/tools/clientcmd"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/controllers"
	"github.com/yingda-dev/yingda/internal/ack"
	"github.com/yingda-dev/yingda/internal/dataplane"
)

// runOperator is the operator as cmd/yingda runs it, with what the load asks it for: its writes, its heap, its metrics.
func runOperator(ctx context.Context, kubeconfig string) error {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return fmt.Errorf("reading the kubeconfig: %w", err)
	}
	scheme, err := controllers.Scheme()
	if err != nil {
		return err
	}
	requests := &requestCounter{writes: map[string]int{}, reads: map[string]int{}}
	config.QPS = -1
	config.Wrap(requests.wrap)
	mgr, err := ctrl.NewManager(config, ctrl.Options{
		Scheme: scheme, Logger: logr.Discard(), Cache: controllers.CacheOptions(nil, settings()),
		Client:  client.Options{FieldValidation: "Strict"},
		Metrics: metricsserver.Options{BindAddress: "0"}, HealthProbeBindAddress: "0",
	})
	if err != nil {
		return fmt.Errorf("making the manager: %w", err)
	}
	err = controllers.Setup(ctx, mgr, controllers.Options{
		Asker: ack.NewPods(mgr.GetClient(), time.Now), Settings: settings(), Random: rand.Reader, Now: time.Now,
	})
	if err != nil {
		return fmt.Errorf("setting up the controllers: %w", err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /stats", func(w http.ResponseWriter, _ *http.Request) {
		stats, err := readStats(requests)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		_ = json.NewEncoder(w).Encode(stats) // The load sees broken JSON.
	})
	mux.HandleFunc("POST /collect", func(http.ResponseWriter, *http.Request) {
		// Twice: finalizers of the first let go of what the second collects.
		runtime.GC()
		runtime.GC()
	})
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	if err := serveLoad(ctx, mux); err != nil {
		return err
	}
	if err := mgr.Start(ctx); err != nil {
		return fmt.Errorf("running the operator: %w", err)
	}
	return nil
}

func settings() dataplane.Settings {
	return dataplane.Settings{
		Image: "yingda:bench", ImagePullPolicy: corev1.PullIfNotPresent,
		AllowedAPIBaseURLs: []string{v1alpha1.DefaultWeChatAPIBaseURL}, ServiceType: corev1.ServiceTypeClusterIP,
		NetworkPolicies: dataplane.NetworkPolicies{Enabled: true}, // as the chart has it
	}
}

// serveLoad answers the load on an address of this machine, which it prints.
func serveLoad(ctx context.Context, handler http.Handler) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listening for the load: %w", err)
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute}
	go func() { _ = server.Serve(listener) }()
	context.AfterFunc(ctx, func() { _ = server.Close() })
	fmt.Println(listener.Addr())
	return nil
}

// stats are what the operator says of itself.
type stats struct {
	// Writes and Reads by method, resource and subresource; what is watched is no read.
	Writes map[string]int `json:"writes"`
	Reads  map[string]int `json:"reads"`
	// Heap is in bytes.
	Heap uint64 `json:"heap"`
	// Reconciles by controller, and how many are at work.
	Reconciles map[string]float64 `json:"reconciles"`
	Active     float64            `json:"active"`
	// Depth is how many items wait in all queues.
	Depth float64 `json:"depth"`
	// Waited says by controller how many items waited in its queue, by how long at most.
	Waited map[string][]bucket `json:"waited"`
}

// bucket counts the items that waited at most Bound seconds.
type bucket struct {
	Bound float64 `json:"bound"`
	Count uint64  `json:"count"`
}

func readStats(requests *requestCounter) (stats, error) {
	s := stats{Reconciles: map[string]float64{}, Waited: map[string][]bucket{}}
	s.Writes, s.Reads = requests.read()
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	s.Heap = memory.HeapAlloc
	families, err := metrics.Registry.Gather()
	if err != nil {
		return s, fmt.Errorf("gathering the metrics: %w", err)
	}
	for _, family := range families {
		for _, m := range family.GetMetric() {
			controller := ""
			for _, label := range m.GetLabel() {
				if label.GetName() == "controller" {
					controller = label.GetValue()
				}
			}
			switch family.GetName() {
			case "controller_runtime_reconcile_total":
				s.Reconciles[controller] += m.GetCounter().GetValue()
			case "controller_runtime_active_workers":
				s.Active += m.GetGauge().GetValue()
			case "workqueue_depth":
				s.Depth += m.GetGauge().GetValue()
			case "workqueue_queue_duration_seconds":
				for _, b := range m.GetHistogram().GetBucket() {
					s.Waited[controller] = addTo(s.Waited[controller], bucket{b.GetUpperBound(), b.GetCumulativeCount()})
				}
				s.Waited[controller] = addTo(s.Waited[controller], bucket{beyond, m.GetHistogram().GetSampleCount()})
			}
		}
	}
	return s, nil
}

// addTo adds a bucket to those of a histogram: a queue has one for each priority.
func addTo(buckets []bucket, more bucket) []bucket {
	for i := range buckets {
		if buckets[i].Bound == more.Bound {
			buckets[i].Count += more.Count
			return buckets
		}
	}
	return append(buckets, more)
}

// beyond stands for infinity, which JSON has not, as the bound of the last bucket.
const beyond = 1e9

// requestCounter counts what the operator asks of the API server.
type requestCounter struct {
	mu            sync.Mutex
	writes, reads map[string]int
}

func (c *requestCounter) wrap(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(req *http.Request) (*http.Response, error) {
		counts := c.writes
		if req.Method == http.MethodGet {
			counts = c.reads
		}
		if !req.URL.Query().Has("watch") {
			c.mu.Lock()
			counts[req.Method+" "+resource(req.URL.Path)]++
			c.mu.Unlock()
		}
		return next.RoundTrip(req)
	})
}

func (c *requestCounter) read() (writes, reads map[string]int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.writes), maps.Clone(c.reads)
}

// resource is the resource and subresource of a path such as /apis/GROUP/VERSION/namespaces/NAMESPACE/RESOURCE/NAME/SUBRESOURCE.
func resource(path string) string {
	parts := strings.Split(strings.Trim(path, "/"), "/")
	for i, part := range parts {
		if part != "namespaces" || len(parts) < i+3 {
			continue
		}
		if len(parts) > i+4 {
			return parts[i+2] + "/" + parts[i+4]
		}
		return parts[i+2]
	}
	return path
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }
