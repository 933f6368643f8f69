package telemetry_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/yingda-dev/yingda/internal/configz"
	"github.com/yingda-dev/yingda/internal/telemetry"
)

const (
	patience = 10 * time.Second
	step     = 10 * time.Millisecond
	// grace is how long ServeHTTP may take to end, its own five seconds and some for a slow machine.
	grace = 8 * time.Second
)

// freeAddress is an address on which nobody listens.
func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// serving is a server that a test started.
type serving struct {
	t       *testing.T
	address string
	stop    context.CancelFunc
	ended   chan error
}

// serve runs a server, waits until it answers, and checks at the end that it left no goroutine.
func serve(t *testing.T, run func(ctx context.Context, address string) error) *serving {
	t.Helper()
	others := goleak.IgnoreCurrent()
	ctx, cancel := context.WithCancel(t.Context())
	s := &serving{t: t, address: freeAddress(t), stop: cancel, ended: make(chan error, 1)}
	go func() { s.ended <- run(ctx, s.address) }()
	t.Cleanup(func() {
		cancel()
		http.DefaultClient.CloseIdleConnections()
		goleak.VerifyNone(t, others)
	})
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	for {
		conn, err := net.Dial("tcp", s.address)
		if err == nil {
			conn.Close()
			return s
		}
		select {
		case <-time.After(step):
		case <-deadline.C:
			t.Fatal(err)
		}
	}
}

// awaitEnd checks that the server ends in time and without an error.
func (s *serving) awaitEnd() {
	s.t.Helper()
	select {
	case err := <-s.ended:
		if err != nil {
			s.t.Error(err)
		}
	case <-time.After(grace):
		s.t.Fatal("the server did not end")
	}
}

func (s *serving) get(path string) (status int, body string) {
	s.t.Helper()
	resp, err := http.Get("http://" + s.address + path)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

func TestHealthFollowsTheComponentsLife(t *testing.T) {
	h := &telemetry.Health{Logger: slog.New(slog.DiscardHandler), Registry: telemetry.NewRegistry()}
	s := serve(t, h.Serve)
	var readiness, liveness error
	answers := func() map[string]int {
		got := map[string]int{}
		for _, path := range []string{"/healthz", "/readyz"} {
			got[path], _ = s.get(path)
		}
		return got
	}
	const ok, no = http.StatusOK, http.StatusServiceUnavailable
	steps := []struct {
		name                 string
		change               func()
		wantAlive, wantReady int
	}{
		{"starting, without the component's own answers", func() {}, ok, no},
		{"started", func() {
			h.Ready = func(context.Context) error { return readiness }
			h.Alive = func() error { return liveness }
			h.Started()
		}, ok, ok},
		{"without its database", func() { readiness = errors.New("the database is away") }, ok, no},
		{"stuck", func() { readiness, liveness = nil, errors.New("stuck") }, no, ok},
		{"draining", func() { liveness = nil; h.Drain() }, ok, no},
	}
	for _, step := range steps {
		step.change()
		if diff := cmp.Diff(map[string]int{"/healthz": step.wantAlive, "/readyz": step.wantReady}, answers()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", step.name, diff)
		}
	}
	s.stop()
	s.awaitEnd()
}

func TestReadinessCheckThatHangsIsCutOff(t *testing.T) {
	h := &telemetry.Health{Logger: slog.New(slog.DiscardHandler), Registry: telemetry.NewRegistry(), Ready: func(ctx context.Context) error {
		<-ctx.Done()
		return ctx.Err()
	}}
	h.Started()
	s := serve(t, h.Serve)
	if status, _ := s.get("/readyz"); status != http.StatusServiceUnavailable {
		t.Errorf("status %d", status)
	}
	s.stop()
	s.awaitEnd()
}

func TestConfigurationIsReportedOnceStarted(t *testing.T) {
	h := &telemetry.Health{Logger: slog.New(slog.DiscardHandler), Registry: telemetry.NewRegistry(), Report: func() configz.Report {
		return configz.Report{Objects: map[string]int64{"Channel/shop": 3}}
	}}
	s := serve(t, h.Serve)
	ask := func() configz.Report {
		report, err := configz.Ask(t.Context(), http.DefaultClient, "http://"+s.address)
		if err != nil {
			t.Fatal(err)
		}
		return report
	}
	if diff := cmp.Diff(configz.Report{}, ask()); diff != "" {
		t.Errorf("report before it started (-want +got):\n%s", diff)
	}
	h.Started()
	if diff := cmp.Diff(configz.Report{Objects: map[string]int64{"Channel/shop": 3}}, ask()); diff != "" {
		t.Errorf("report (-want +got):\n%s", diff)
	}
	s.stop()
	s.awaitEnd()
}

func TestRequestInFlightIsAnsweredBeforeTheServerEnds(t *testing.T) {
	entered, release := make(chan struct{}), make(chan struct{})
	s := serve(t, handling(func(w http.ResponseWriter, _ *http.Request) {
		close(entered)
		<-release
		_, _ = io.WriteString(w, "answered")
	}))
	answered := make(chan string, 1)
	go func() {
		_, body := s.get("/")
		answered <- body
	}()
	<-entered
	s.stop()
	close(release)
	if body := <-answered; body != "answered" {
		t.Errorf("body %q", body)
	}
	s.awaitEnd()
}

func TestServerEndsWithinItsGraceAlthoughARequestHangs(t *testing.T) {
	entered, told := make(chan struct{}), make(chan struct{})
	s := serve(t, handling(func(_ http.ResponseWriter, r *http.Request) {
		close(entered)
		// Nobody answers; the end of the server ends the request.
		<-r.Context().Done()
		close(told)
	}))
	failed := make(chan error, 1)
	go func() {
		resp, err := http.Get("http://" + s.address)
		if err == nil {
			resp.Body.Close()
		}
		failed <- err
	}()
	<-entered
	s.stop()
	s.awaitEnd()
	<-told
	if err := <-failed; err == nil {
		t.Error("the request was answered")
	}
}

func TestServerEndsAlthoughAConnectionWasTakenOver(t *testing.T) {
	taken := make(chan net.Conn, 1)
	s := serve(t, handling(func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
		}
		taken <- conn
	}))
	client, err := net.Dial("tcp", s.address)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if _, err := io.WriteString(client, "GET / HTTP/1.1\r\nHost: desk\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	// Who takes a connection over closes it.
	defer (<-taken).Close()
	s.stop()
	s.awaitEnd()
}

func TestServerSaysThatItsAddressIsTaken(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	if err := telemetry.ServeHTTP(t.Context(), slog.New(slog.DiscardHandler), listener.Addr().String(), http.NotFoundHandler()); err == nil {
		t.Error("no error")
	}
}

func handling(f http.HandlerFunc) func(context.Context, string) error {
	return func(ctx context.Context, address string) error {
		return telemetry.ServeHTTP(ctx, slog.New(slog.DiscardHandler), address, f)
	}
}
