package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"go.temporal.io/api/serviceerror"

	"github.com/yingda-dev/yingda/internal/bus"
	"github.com/yingda-dev/yingda/internal/conditions"
	"github.com/yingda-dev/yingda/internal/configz"
	"github.com/yingda-dev/yingda/internal/keys"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/telemetry"
	"github.com/yingda-dev/yingda/internal/temporal"
	"github.com/yingda-dev/yingda/internal/wait"
)

const (
	// stepPatience is for how long a step is tried again.
	stepPatience = time.Minute
	stepRetry    = time.Second
	// lockedRetry leaves those alone who wait for the same table for longer than the try made them wait.
	lockedRetry = 5 * time.Second
)

// errHopeless marks what no repetition can mend, as do some errors of the packages that do the work.
var errHopeless = errors.New("not tried again")

func hopeless(err error) bool {
	for _, final := range []error{errHopeless, bus.ErrPartitions, store.ErrClaimed, keys.ErrKey, temporal.ErrClaimed, temporal.ErrAttributes} {
		if errors.Is(err, final) {
			return true
		}
	}
	return false
}

// step is what setup and teardown do in one of the services that a brand stands on.
type step struct {
	service configz.Dependency
	// declared is where the Brand says where the service is.
	declared string
	// attempt is for how long one try may take.
	attempt time.Duration
	take    func(ctx context.Context) error
}

func onKafka(take func(ctx context.Context) error) step {
	return step{configz.Kafka, "spec.kafka.bootstrapServers", 10 * time.Second, take}
}

func onPostgres(attempt time.Duration, take func(ctx context.Context) error) step {
	return step{configz.Postgres, "the url in the Secret that spec.postgres names", attempt, take}
}

// onTemporal: what is long about it is that a cluster hears late of what it is to know. A call takes seconds.
func onTemporal(take func(ctx context.Context) error) step {
	return step{configz.Temporal, "spec.temporal.address", 30 * time.Second, take}
}

// trials are steps that are taken all at once, each until it succeeds or a minute is over, and what keeps them.
type trials struct {
	steps []step
	// doing says what of it is under way that takes long.
	doing func() string

	mu sync.Mutex
	// failures are by step what its last try failed of, nil before one failed and once one succeeded.
	failures []error
}

func newTrials(steps []step) *trials {
	return &trials{steps: steps, doing: func() string { return "" }, failures: make([]error, len(steps))}
}

// run takes the steps, and leaves what failed where the kubelet looks for it; the operator shows it on the Brand.
func (t *trials) run(ctx context.Context, logger *slog.Logger, terminationLog string) error {
	patience, cancel := context.WithTimeout(ctx, stepPatience)
	defer cancel()
	var running sync.WaitGroup
	for i, step := range t.steps {
		running.Go(func() {
			_ = persist(ctx, patience, logger, step, func(err error) { t.note(i, err) }) // What it failed of is noted.
		})
	}
	running.Wait()
	err := errors.Join(t.failures...)
	if err == nil {
		return nil
	}
	if err := os.WriteFile(terminationLog, []byte(t.reason()+"\n"), 0o600); err != nil {
		logger.Warn("Cannot write the termination message", "error", err)
	}
	return err
}

func (t *trials) note(i int, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.failures[i] = err
}

// persist repeats a step until it succeeds, can never succeed, or patience ends, and has noted what each try came to. It returns
// what the step failed of. Only the end of ctx cuts a try off: one that is under way may be all but done.
func persist(ctx, patience context.Context, logger *slog.Logger, s step, note func(err error)) (last error) {
	for {
		attemptCtx, cancel := context.WithTimeout(ctx, s.attempt)
		err := s.take(attemptCtx)
		cancel()
		// A try that was cut off knows less than the one before.
		if err == nil || last == nil || ctx.Err() == nil {
			last = err
			note(err)
		}
		if err == nil {
			logger.Info("Done", "what", s.service)
			return nil
		}
		if hopeless(err) {
			return err
		}
		logger.Warn("Waiting", "what", s.service, "error", err)
		pause := stepRetry
		if store.IsLocked(err) {
			pause = lockedRetry
		}
		if !wait.For(patience, pause) {
			return last
		}
	}
}

// reason says in one line what keeps the steps, and what to do about it, as long as a condition can show; empty while nothing
// does.
func (t *trials) reason() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	failing := slices.DeleteFunc(slices.Clone(t.failures), func(err error) bool { return err == nil })
	var reasons []string
	for i, err := range t.failures {
		if err != nil {
			reasons = append(reasons, t.steps[i].explain(err, conditions.MaxMessageBytes/len(failing)-len("; ")))
		}
	}
	return strings.Join(reasons, "; ")
}

// explain says what a step failed of, in so much room.
func (s step) explain(err error, room int) string {
	before, after := string(s.service)+": ", ""
	switch {
	case away(err):
		before = string(s.service) + " is out of reach: "
		after = "; check " + s.declared + " and the network"
	case refused(err):
		after = "; check " + s.declared
	case store.IsLocked(err):
		after = "; another session holds the table: end it (pg_stat_activity shows it), or wait, for it is tried again"
	}
	return before + tail(oneLine(err.Error()), room-len(before)-len(after)) + after
}

// refused says whether Postgres does not let the login in, or has no such database.
func refused(err error) bool {
	const authorization, catalogName = "28", "3D" // classes of SQLSTATE
	answer, ok := errors.AsType[*pgconn.PgError](err)
	return ok && (strings.HasPrefix(answer.Code, authorization) || strings.HasPrefix(answer.Code, catalogName))
}

// away says whether a service did not answer at all. One with which TLS failed did, and what to do about it is said already.
func away(err error) bool {
	_, answered := errors.AsType[*pgconn.PgError](err)
	for _, sign := range []string{"handshake", "server preface", "speaking TLS"} {
		answered = answered || strings.Contains(err.Error(), sign)
	}
	if answered {
		return false
	}
	_, lookup := errors.AsType[*net.DNSError](err)
	dial, network := errors.AsType[*net.OpError](err)
	_, unavailable := errors.AsType[*serviceerror.Unavailable](err)
	_, silent := errors.AsType[*serviceerror.DeadlineExceeded](err)
	return lookup || network && dial.Op == "dial" || unavailable || silent || errors.Is(err, context.DeadlineExceeded)
}

// oneLine leaves out what a text says twice, and the ports of this end of a connection, which are others at every try.
func oneLine(text string) string {
	text = regexp.MustCompile(`\b(read|write) (tcp|udp) \S+->`).ReplaceAllString(text, "$1 $2 ")
	var lines []string
	for line := range strings.Lines(text) {
		if line = strings.Join(strings.Fields(line), " "); line != "" && !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, " ")
}

// tail shortens a text to so many bytes of its end, where errors say what it was, without breaking a character.
func tail(text string, most int) string {
	const ellipsis = "…"
	if len(text) <= most {
		return text
	}
	return ellipsis + strings.ToValidUTF8(text[len(text)-max(0, most-len(ellipsis)):], "")
}

// tell answers the operator, who asks meanwhile what keeps the steps and how far they are, until the function that it returns is called. Without it
// the operator learns that from the termination message.
func (t *trials) tell(ctx context.Context, logger *slog.Logger, address string) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	health := telemetry.Health{
		Registry: telemetry.NewRegistry(), Logger: logger,
		Report: func() configz.Report { return configz.Report{Failing: t.reason(), Doing: t.doing()} },
	}
	health.Started()
	var serving sync.WaitGroup
	serving.Go(func() {
		if err := health.Serve(ctx, address); err != nil {
			logger.Warn("Cannot tell the operator what is failing", "error", fmt.Errorf("serving: %w", err))
		}
	})
	return func() {
		cancel()
		serving.Wait()
	}
}
