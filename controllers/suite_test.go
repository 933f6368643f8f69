package controllers_test

import (
	"context"
	"crypto/rand"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/controller-runtime/pkg/log"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/controller-runtime/pkg/webhook"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/controllers"
	webhooks "github.com/yingda-dev/yingda/controllers/admission"
	"github.com/yingda-dev/yingda/internal/configz"
	"github.com/yingda-dev/yingda/internal/dataplane"
)

const (
	// patience is how long a test waits for a controller; a healthy one needs a small part of it.
	patience = 30 * time.Second
	// quiet is how long a test watches that nothing happens.
	quiet = 2 * time.Second
	step  = 20 * time.Millisecond

	worldsPerProcessor = 2
)

// apiServer is the API server and etcd that all tests of the package share.
//
//nolint:gochecknoglobals // TestMain has no other way to hand it to the tests.
var apiServer *rest.Config

func TestMain(m *testing.M) {
	log.SetLogger(logr.Discard())
	code, err := runTests(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func runTests(m *testing.M) (int, error) {
	httpRoutes, err := httpRouteCRD()
	if err != nil {
		return 1, err
	}
	env := &envtest.Environment{
		CRDDirectoryPaths:     []string{filepath.Join("..", "config", "crd", "bases"), httpRoutes, filepath.Join("testdata", "keda")},
		ErrorIfCRDPathMissing: true,
		BinaryAssetsDirectory: filepath.Join("..", "bin", "k8s"),
	}
	started, err := env.Start()
	if err != nil {
		return 1, fmt.Errorf("starting the API server (make bin/k8s builds it): %w", err)
	}
	apiServer = started
	apiServer.QPS = -1
	// Operators mostly wait, so that a processor has time for several.
	flag.Parse()
	if err := flag.Set("test.parallel", strconv.Itoa(worldsPerProcessor*runtime.GOMAXPROCS(0))); err != nil {
		return 1, fmt.Errorf("saying how many tests run at the same time: %w", err)
	}
	code := m.Run()
	if err := env.Stop(); err != nil {
		return code, fmt.Errorf("stopping the API server: %w", err)
	}
	return code, nil
}

// httpRouteCRD is the file of the Gateway API's own module.
func httpRouteCRD() (string, error) {
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "sigs.k8s.io/gateway-api").Output()
	if err != nil {
		return "", fmt.Errorf("finding the Gateway API's CRDs: %w", err)
	}
	return filepath.Join(strings.TrimSpace(string(dir)), "config", "crd", "standard", "gateway.networking.k8s.io_httproutes.yaml"), nil
}

// world is one namespace of the API server with an operator that watches it, and what a test does there.
type world struct {
	t         *testing.T
	namespace string
	client    client.Client
	writes    *writeCounter
	data      *dataPlane
	clock     *clock
	settings  dataplane.Settings
	// also are the namespaces that the operator watches beside its own, webhooks what it answers the API server with.
	also     []string
	webhooks *webhook.Options
	metrics  *controllers.ConditionMetrics
	// cached reads as the operator does, observe sees its requests.
	cached  client.Reader
	observe func(http.RoundTripper) http.RoundTripper
	stop    context.CancelFunc
	stopped chan struct{}
}

func newWorld(t *testing.T, edits ...func(*world)) *world {
	t.Helper()
	scheme, err := controllers.Scheme()
	if err != nil {
		t.Fatal(err)
	}
	c, err := client.New(apiServer, client.Options{Scheme: scheme})
	if err != nil {
		t.Fatal(err)
	}
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "brand-"}}
	if err := c.Create(t.Context(), namespace); err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, namespace: namespace.Name, client: c, writes: &writeCounter{}, clock: &clock{}, settings: settings()}
	w.data = &dataPlane{client: c, overrides: map[string]int64{}, channels: map[string]configz.Channel{}}
	for _, edit := range edits {
		edit(w)
	}
	w.start()
	t.Cleanup(w.halt)
	return w
}

// settings of the operator in tests.
func settings() dataplane.Settings {
	return dataplane.Settings{
		Image: "yingda:test", ImagePullPolicy: corev1.PullIfNotPresent,
		AllowedAPIBaseURLs:  []string{v1alpha1.DefaultWeChatAPIBaseURL, "http://10.97.0.1:8090"},
		AllowedWebhookHosts: []string{"pager.example"},
		ServiceType:         corev1.ServiceTypeNodePort, NodePortHost: "127.0.0.1",
		GatewayAPI: true, NetworkPolicies: dataplane.NetworkPolicies{Enabled: true},
	}
}

// start runs an operator for the namespace.
func (w *world) start() {
	w.t.Helper()
	scheme, err := controllers.Scheme()
	if err != nil {
		w.t.Fatal(err)
	}
	counted := rest.CopyConfig(apiServer)
	counted.Wrap(w.writes.wrap)
	if w.observe != nil {
		counted.Wrap(w.observe)
	}
	anyName := true
	mgr, err := ctrl.NewManager(counted, ctrl.Options{
		Scheme: scheme, Cache: controllers.CacheOptions(append(w.also, w.namespace), w.settings), Logger: logr.Discard(),
		Metrics: metricsserver.Options{BindAddress: "0"}, HealthProbeBindAddress: "0",
		Controller: config.Controller{SkipNameValidation: &anyName}, WebhookServer: w.webhookServer(),
	})
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(w.t.Context()))
	err = controllers.Setup(ctx, mgr, controllers.Options{Asker: w.data, Settings: w.settings, Random: rand.Reader, Now: w.clock.now})
	if err != nil {
		cancel()
		w.t.Fatal(err)
	}
	w.cached = mgr.GetClient()
	w.metrics = controllers.NewConditionMetrics(mgr.GetClient())
	if err := mgr.Add(w.metrics); err != nil {
		cancel()
		w.t.Fatal(err)
	}
	if w.webhooks != nil {
		webhooks.Register(webhooks.Options{Server: mgr.GetWebhookServer(), Scheme: scheme, Reader: mgr.GetClient(), Settings: w.settings})
	}
	w.stop, w.stopped = cancel, make(chan struct{})
	go func() {
		defer close(w.stopped)
		if err := mgr.Start(ctx); err != nil {
			w.t.Error(err)
		}
	}()
}

func (w *world) webhookServer() webhook.Server {
	if w.webhooks == nil {
		return nil
	}
	return webhook.NewServer(*w.webhooks)
}

// halt ends the operator and waits for it.
func (w *world) halt() {
	w.stop()
	<-w.stopped
}

// eventually waits until check finds nothing wrong.
func (w *world) eventually(check func() error) {
	w.t.Helper()
	if err := poll(w.t.Context(), patience, check); err != nil {
		w.t.Fatal(err)
	}
}

// poll asks until check finds nothing wrong, and returns its last complaint when the time is over.
func poll(ctx context.Context, limit time.Duration, check func() error) error {
	deadline, ticker := time.NewTimer(limit), time.NewTicker(step)
	defer deadline.Stop()
	defer ticker.Stop()
	for {
		err := check()
		if err == nil {
			return nil
		}
		select {
		case <-ticker.C:
		case <-deadline.C:
			return fmt.Errorf("after %s: %w", limit, err)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// settled waits until the operator has written nothing for a while.
func (w *world) settled() {
	w.t.Helper()
	for {
		before := w.writes.count()
		select {
		case <-time.After(quiet):
		case <-w.t.Context().Done():
			w.t.Fatal(w.t.Context().Err())
		}
		if w.writes.count() == before {
			return
		}
	}
}

// writeCounter counts what the operator writes to the API server; events and reviews of its own rights are no writes.
type writeCounter struct {
	mu    sync.Mutex
	lines []string
}

func (c *writeCounter) wrap(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(req *http.Request) (*http.Response, error) {
		if req.Method != http.MethodGet && !strings.Contains(req.URL.Path, "/events") {
			c.mu.Lock()
			c.lines = append(c.lines, req.Method+" "+req.URL.Path)
			c.mu.Unlock()
		}
		return next.RoundTrip(req)
	})
}

func (c *writeCounter) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.lines)
}

func (c *writeCounter) since(n int) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.lines[n:])
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// clock is the operator's; it runs with an offset that a test sets.
type clock struct {
	mu     sync.Mutex
	offset time.Duration
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.offset)
}

func (c *clock) advance(by time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.offset += by
}
