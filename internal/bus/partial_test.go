package bus

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/metadata"
	"github.com/segmentio/kafka-go/protocol/produce"

	"github.com/yingda-dev/yingda/internal/message"
)

// lameBroker takes what goes to the even ones of four partitions, and answers the others' as told.
type lameBroker struct {
	odd func() error
}

func (b lameBroker) RoundTrip(_ context.Context, _ net.Addr, request kafka.Request) (kafka.Response, error) {
	switch asked := request.(type) {
	case *metadata.Request:
		topic := metadata.ResponseTopic{Name: asked.TopicNames[0]}
		for partition := range int32(4) {
			topic.Partitions = append(topic.Partitions, metadata.ResponsePartition{PartitionIndex: partition})
		}
		return &metadata.Response{Topics: []metadata.ResponseTopic{topic}}, nil
	case *produce.Request:
		partition := asked.Topics[0].Partitions[0].Partition
		if partition%2 == 1 {
			if err := b.odd(); err != nil {
				return nil, err
			}
		}
		return &produce.Response{Topics: []produce.ResponseTopic{{
			Topic: asked.Topics[0].Topic, Partitions: []produce.ResponsePartition{{Partition: partition}},
		}}}, nil
	default:
		return nil, errors.New("not asked in this test")
	}
}

// spread are envelopes for all partitions, and which of them go to an odd one.
func spread() (envelopes []message.Envelope, odd map[int]bool) {
	odd = map[int]bool{}
	for i, key := range []string{"a", "b", "c", "d", "e", "f", "g", "h", "a", "b"} {
		envelopes = append(envelopes, message.Envelope{ID: key, Key: key})
		odd[i] = (&kafka.Hash{}).Balance(kafka.Message{Key: []byte(key)}, 0, 1, 2, 3)%2 == 1
	}
	return envelopes, odd
}

func TestAPartitionThatFailsFailsItsOwnRecordsAlone(t *testing.T) {
	never := make(chan struct{})
	t.Cleanup(func() { close(never) })
	for name, tc := range map[string]struct {
		odd     func() error
		timeout time.Duration
		cause   error
	}{
		"because it has no leader":         {func() error { return protocol.NewErrNoLeader("inbound", 1) }, time.Minute, protocol.ErrNoLeader},
		"because too few replicas hold it": {func() error { return kafka.NotEnoughReplicas }, time.Minute, kafka.NotEnoughReplicas},
		"because its broker is away":       {func() error { return errRefused }, time.Minute, errRefused},
		"because its broker is silent":     {func() error { <-never; return errRefused }, 200 * time.Millisecond, context.DeadlineExceeded},
	} {
		t.Run(name, func(t *testing.T) {
			p := NewProducer(Cluster{Brokers: []string{"127.0.0.1:1"}})
			p.writer.Transport = lameBroker{tc.odd}
			envelopes, odd := spread()
			ctx, cancel := context.WithTimeout(t.Context(), tc.timeout)
			defer cancel()
			err := p.Publish(ctx, "inbound", envelopes...)
			var partial *PartialError
			if !errors.As(err, &partial) || !errors.Is(err, tc.cause) {
				t.Fatalf("error is %v, want a PartialError because of %v", err, tc.cause)
			}
			failed := map[int]bool{}
			for i := range envelopes {
				failed[i] = !Taken(err, i)
			}
			if diff := cmp.Diff(odd, failed); diff != "" {
				t.Errorf("failed (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWhatOfNothingWasTakenIsPartialWhenTheBrokersAnswered(t *testing.T) {
	for name, tc := range map[string]struct {
		err  error
		want bool
	}{
		"no leader":         {protocol.NewErrNoLeader("inbound", 1), true},
		"too few replicas":  {kafka.NotEnoughReplicas, true},
		"connection broken": {errRefused, false},
	} {
		t.Run(name, func(t *testing.T) {
			p := NewProducer(Cluster{Brokers: []string{"127.0.0.1:1"}})
			p.writer.Transport = lameBroker{func() error { return tc.err }}
			envelopes, odd := spread()
			lost := envelopes[:0:0]
			for i, e := range envelopes {
				if odd[i] {
					lost = append(lost, e)
				}
			}
			err := p.Publish(t.Context(), "inbound", lost...)
			var partial *PartialError
			if got := errors.As(err, &partial); got != tc.want || !errors.Is(err, tc.err) {
				t.Errorf("error %v is partial: %t, want %t, because of %v", err, got, tc.want, tc.err)
			}
			for i := range lost {
				if Taken(err, i) {
					t.Errorf("record %d counts as taken", i)
				}
			}
		})
	}
}
