package wechatsim

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// Options says how a Server behaves; the zero value is what the platform does.
type Options struct {
	// Clock tells the time (default time.Now).
	Clock func() time.Time
	// PushTimeout is how long an attempt waits for the callback's answer (default 5 s).
	PushTimeout time.Duration
	// RetryDelay is the pause before each retry (default 1 s).
	RetryDelay time.Duration
	// History is how many messages of a customer are remembered, both directions (default 2000).
	History int
	// PublicURL is where the pictures of PicUrl and ThumbUrl are (default http://127.0.0.1:8090).
	PublicURL string
	// StateFile keeps apps and ledgers across restarts when it is set.
	StateFile string
}

const (
	defaultPushTimeout = 5 * time.Second
	defaultRetryDelay  = time.Second
	defaultHistory     = 2000
	defaultPublicURL   = "http://127.0.0.1:8090"
)

// Server plays the platform. It is an http.Handler; Close ends everything that it started.
type Server struct {
	opts    Options
	mux     *http.ServeMux
	client  *http.Client
	ids     idSource
	stray   *stats // API calls that no app can be charged with
	stopped chan struct{}

	mu       sync.Mutex
	closed   bool
	accounts map[string]*account
	loads    []*load
	offset   time.Duration // how far the control API has moved the platform's clock
	cancels  map[int]context.CancelFunc
	nextRun  int
	running  sync.WaitGroup
	saving   sync.Mutex
}

var _ http.Handler = (*Server)(nil)

// New builds a Server without apps.
func New(opts Options) *Server {
	if opts.Clock == nil {
		opts.Clock = time.Now
	}
	setDefault(&opts.PushTimeout, defaultPushTimeout)
	setDefault(&opts.RetryDelay, defaultRetryDelay)
	setDefault(&opts.History, defaultHistory)
	setDefault(&opts.PublicURL, defaultPublicURL)
	s := &Server{
		opts:     opts,
		mux:      http.NewServeMux(),
		client:   newPushClient(),
		stray:    newStats(),
		stopped:  make(chan struct{}),
		accounts: map[string]*account{},
		cancels:  map[int]context.CancelFunc{},
	}
	s.routeAPI()
	s.routeControl()
	s.routePage()
	return s
}

// ServeHTTP serves the platform's API, the control API and the page.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// The platform does not say which path of the API is unknown either; pages get the usual 404.
	if _, pattern := s.mux.Handler(r); pattern == "" && strings.HasPrefix(r.URL.Path, "/cgi-bin/") {
		writeWX(w, wxErrorf(40066, "invalid url"))
		return
	}
	s.mux.ServeHTTP(w, r)
}

// Close stops all pushes and loads, waits for them, and writes the state file.
func (s *Server) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	close(s.stopped)
	for _, cancel := range s.cancels {
		cancel()
	}
	s.mu.Unlock()
	s.running.Wait()
	s.client.CloseIdleConnections()
	return s.saveState()
}

// background runs f in a goroutine of the Server's: it outlives the request that asked for it, but not the Server.
// It reports false, without running f, once the Server is closed.
func (s *Server) background(ctx context.Context, f func(context.Context)) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	id := s.nextRun
	s.nextRun++
	s.cancels[id] = cancel
	s.running.Go(func() {
		defer func() {
			cancel()
			s.mu.Lock()
			delete(s.cancels, id)
			s.mu.Unlock()
		}()
		f(ctx)
	})
	return true
}

// now is the platform's clock, which decides about windows, tokens and media.
func (s *Server) now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.opts.Clock().Add(s.offset)
}

// Advance moves the platform's clock forward, and says what it shows now.
func (s *Server) Advance(d time.Duration) (time.Time, error) {
	if d < 0 {
		return time.Time{}, problemf(http.StatusBadRequest, "the clock only moves forward")
	}
	s.mu.Lock()
	s.offset += d
	s.mu.Unlock()
	return s.now(), nil
}

// PutApp creates an app or replaces its configuration; customers, tokens and media of an existing one stay.
func (s *Server) PutApp(app App) error {
	app.setDefaults()
	if err := app.validate(); err != nil {
		return err
	}
	s.mu.Lock()
	acc, ok := s.accounts[app.AppID]
	if !ok && len(s.accounts) >= maxApps {
		s.mu.Unlock()
		return problemf(http.StatusTooManyRequests, "there are %d apps already", maxApps)
	}
	if !ok {
		acc = newAccount(app, s.opts)
		s.accounts[app.AppID] = acc
	}
	s.mu.Unlock()
	acc.mu.Lock()
	acc.app = app
	acc.mu.Unlock()
	return s.saveState()
}

// DeleteApp forgets an app and all that belongs to it.
func (s *Server) DeleteApp(appID string) error {
	s.mu.Lock()
	_, ok := s.accounts[appID]
	delete(s.accounts, appID)
	s.mu.Unlock()
	if !ok {
		return errUnknownApp
	}
	return s.saveState()
}

// Apps lists the apps by id.
func (s *Server) Apps() []App {
	apps := []App{}
	for _, acc := range s.sortedAccounts() {
		apps = append(apps, acc.config())
	}
	return apps
}

func (s *Server) sortedAccounts() []*account {
	s.mu.Lock()
	defer s.mu.Unlock()
	accounts := make([]*account, 0, len(s.accounts))
	for _, id := range slices.Sorted(maps.Keys(s.accounts)) {
		accounts = append(accounts, s.accounts[id])
	}
	return accounts
}

func (s *Server) account(appID string) (*account, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	acc, ok := s.accounts[appID]
	if !ok {
		return nil, errUnknownApp
	}
	return acc, nil
}

// problem is an error of the control API with the HTTP status that it deserves.
type problem struct {
	status  int
	message string
}

func (p *problem) Error() string { return p.message }

func problemf(status int, format string, args ...any) error {
	return &problem{status: status, message: fmt.Sprintf(format, args...)}
}

var (
	errUnknownApp      = &problem{http.StatusNotFound, "no such app"}
	errUnknownCustomer = &problem{http.StatusNotFound, "no such customer"}
	errStopping        = &problem{http.StatusServiceUnavailable, "the simulator is stopping"}
)

func problemStatus(err error) int {
	if p, ok := errors.AsType[*problem](err); ok {
		return p.status
	}
	return http.StatusInternalServerError
}
