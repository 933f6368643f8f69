package bus

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync/atomic"

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

// note is called by the writer for each batch that has its result, also after the caller has gone.
func note(records []kafka.Message, err error) {
	if err != nil {
		return
	}
	for i := range records {
		if taken, ok := records[i].WriterData.(*atomic.Bool); ok {
			taken.Store(true)
		}
	}
}

// judge turns the writer's error of a call into a PartialError when it is one. Each partition's batch has a result of its
// own; a call that ran out of time has none but those that were noted.
func judge(err error, taken []atomic.Bool) error {
	if err == nil {
		return nil
	}
	var each kafka.WriteErrors
	perRecord := errors.As(err, &each) && len(each) == len(taken)
	confined := perRecord
	failed := map[int]error{}
	for i := range taken {
		if taken[i].Load() {
			continue
		}
		cause := err
		if perRecord && each[i] != nil {
			cause = each[i]
		}
		failed[i] = cause
		confined = confined && ofPartition(cause)
	}
	switch {
	case len(failed) == 0:
		return nil
	case len(failed) == len(taken) && !confined:
		return summary(err)
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
