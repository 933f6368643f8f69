package outbox

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"

	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/store/db"
)

const (
	// keysAtOnce bounds the calls in flight. A call waits for Temporal's own commit nearly all of its time: so many share one
	// flush of its disk, and a backlog drains as fast as the service takes it.
	keysAtOnce  = 20
	callTimeout = 5 * time.Second
)

// errTarget says that a row names no operation; no retry can change that.
var errTarget = errors.New("the outbox row's target is neither a start nor a signal")

// temporalSender starts and signals workflows.
type temporalSender struct {
	workflows Workflows
	taskQueue string
	logger    *slog.Logger
	metrics   *metrics
}

// send works on several keys at once, and on each key's rows in order; a row that has to be tried again holds up the rest
// of its own key alone, a service that is away ends the round.
func (s *temporalSender) send(ctx context.Context, rows []db.Outbox) (sent result) {
	var (
		mu       sync.Mutex
		calls    sync.WaitGroup
		inFlight = make(chan struct{}, keysAtOnce)
	)
	pass := func(row *db.Outbox) bool {
		callErr := s.call(ctx, row)
		mu.Lock()
		defer mu.Unlock()
		switch {
		case callErr == nil:
			sent.done = append(sent.done, row.ID)
			return true
		case isAway(callErr):
			sent.away = cmp.Or(sent.away, callErr)
		default:
			sent.stuck = append(sent.stuck, *row)
			sent.cause = cmp.Or(sent.cause, callErr)
		}
		return false
	}
	for _, ofKey := range byKey(rows) {
		inFlight <- struct{}{}
		mu.Lock()
		stop := sent.away != nil
		mu.Unlock()
		if stop {
			<-inFlight
			break
		}
		calls.Go(func() {
			defer func() { <-inFlight }()
			for i := range ofKey {
				if !pass(&ofKey[i]) {
					return
				}
			}
		})
	}
	calls.Wait()
	return sent
}

// isAway says that the service did not answer, whatever it was asked.
func isAway(err error) bool {
	var unavailable *serviceerror.Unavailable
	var deadline *serviceerror.DeadlineExceeded
	return errors.As(err, &unavailable) || errors.As(err, &deadline) || errors.Is(err, context.DeadlineExceeded)
}

// byKey splits rows by their keys, keeping the order within each.
func byKey(rows []db.Outbox) [][]db.Outbox {
	index := map[string]int{}
	var keys [][]db.Outbox
	for i := range rows {
		at, ok := index[rows[i].Key]
		if !ok {
			at = len(keys)
			index[rows[i].Key] = at
			keys = append(keys, nil)
		}
		keys[at] = append(keys[at], rows[i])
	}
	return keys
}

// call returns nil when the row is done with: accepted, accepted before, or never acceptable.
func (s *temporalSender) call(ctx context.Context, row *db.Outbox) error {
	callCtx, cancel := context.WithTimeout(traceOf(ctx, row), callTimeout)
	defer cancel()
	err := s.operate(callCtx, row)
	var (
		started  *serviceerror.WorkflowExecutionAlreadyStarted
		notFound *serviceerror.NotFound
		invalid  *serviceerror.InvalidArgument
	)
	switch {
	case err == nil:
		return nil
	case errors.As(err, &started):
		return nil
	case errors.As(err, &notFound):
		// Starts precede signals of the same workflow, so this one has ended, whoever signalled it was late.
		s.metrics.dropped.WithLabelValues("ended").Inc()
		s.logger.Warn("Dropped a signal to a workflow that has ended", "target", row.Target, "workflowID", row.Key)
		return nil
	case errors.As(err, &invalid), errors.Is(err, errTarget):
		s.metrics.dropped.WithLabelValues("invalid").Inc()
		s.logger.Error("Dropped an outbox row that Temporal can never accept",
			"target", row.Target, "workflowID", row.Key, "eventID", row.EventID, "error", err)
		return nil
	default:
		return fmt.Errorf("passing %s on to Temporal: %w", row.Target, err)
	}
}

func (s *temporalSender) operate(ctx context.Context, row *db.Outbox) error {
	// The payload goes out as it is: it is the JSON of the single argument.
	if workflowType, ok := strings.CutPrefix(row.Target, store.TargetStart); ok {
		_, err := s.workflows.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
			ID:                    row.Key,
			TaskQueue:             s.taskQueue,
			WorkflowIDReusePolicy: enumspb.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE,
			// Else the client would hide it, and a test could not tell once from twice.
			WorkflowExecutionErrorWhenAlreadyStarted: true,
		}, workflowType, row.Payload)
		return err
	}
	if signal, ok := strings.CutPrefix(row.Target, store.TargetSignal); ok {
		return s.workflows.SignalWorkflow(ctx, row.Key, "", signal, row.Payload)
	}
	return errTarget
}
