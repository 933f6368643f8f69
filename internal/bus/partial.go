package bus

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
)

// PartialError says that a call failed for some of its envelopes alone: the others are acknowledged, or would have been if
// there were any. A broker that cannot be reached, or a topic that is missing, fails the whole call with another error.
type PartialError struct {
	// Failed are the causes by index in the call.
	Failed map[int]error
}

func (e *PartialError) Error() string {
	return fmt.Sprintf("%d records were not taken, the first because: %v", len(e.Failed), e.Unwrap())
}

// Unwrap is the first cause.
func (e *PartialError) Unwrap() error {
	if len(e.Failed) == 0 {
		return nil
	}
	return e.Failed[slices.Min(slices.Collect(maps.Keys(e.Failed)))]
}

// Taken says whether the envelope of that index is acknowledged, by the error of the call that published it.
func Taken(err error, index int) bool {
	if partial, ok := errors.AsType[*PartialError](err); ok {
		_, failed := partial.Failed[index]
		return !failed
	}
	return err == nil
}

// judge turns the results of a call's records into its error, with err for those of which nothing is known. Each partition's
// batch has a result of its own, so that a call may fail in part.
func judge(results []result, err error) error {
	failed := map[int]error{}
	confined := true
	var first error
	for i := range results {
		cause := results[i].err
		if !results[i].known {
			cause = err
		}
		if cause == nil {
			continue
		}
		failed[i], first = cause, cmp.Or(first, cause)
		confined = confined && results[i].known && ofPartition(cause)
	}
	switch {
	case len(failed) == 0:
		return nil
	case len(failed) == len(results) && !confined:
		// Once: they are mostly one and the same, and a hundred refused connections would fill a line of the log.
		return fmt.Errorf("%d of %d records were not taken, the first because: %w", len(failed), len(results), first)
	default:
		return &PartialError{Failed: failed}
	}
}

// ofPartition says that the brokers answered, and that the partition is what they have no room or no leader for.
func ofPartition(err error) bool {
	var answer kafka.Error
	return (errors.As(err, &answer) || errors.Is(err, protocol.ErrNoLeader) || errors.Is(err, protocol.ErrNoPartition)) &&
		!errors.Is(err, context.DeadlineExceeded)
}
