package bus

import (
	"context"
	"errors"
	"net"
	"strconv"
	"strings"
	"testing"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol/metadata"

	"github.com/yingda-dev/yingda/internal/message"
)

// lostBroker knows the topic, as from a metadata answer of before, and refuses every record.
type lostBroker struct{}

var errRefused = errors.New("dial tcp 127.0.0.1:1: connection refused")

func (lostBroker) RoundTrip(_ context.Context, _ net.Addr, request kafka.Request) (kafka.Response, error) {
	if asked, ok := request.(*metadata.Request); ok {
		partitions := []metadata.ResponsePartition{{PartitionIndex: 0}, {PartitionIndex: 1}}
		return &metadata.Response{Topics: []metadata.ResponseTopic{{Name: asked.TopicNames[0], Partitions: partitions}}}, nil
	}
	return nil, errRefused
}

func TestPublishingManyToABrokerThatIsAwayNamesTheCauseOnce(t *testing.T) {
	p := NewProducer(Cluster{Brokers: []string{"127.0.0.1:1"}})
	p.writer.Transport = lostBroker{}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	envelopes := make([]message.Envelope, 40)
	for i := range envelopes {
		envelopes[i] = message.Envelope{ID: strconv.Itoa(i), Key: strconv.Itoa(i)}
	}
	err := p.Publish(t.Context(), "inbound", envelopes...)
	if !errors.Is(err, errRefused) {
		t.Fatalf("error %v, want one that wraps %q", err, errRefused)
	}
	if got := strings.Count(err.Error(), errRefused.Error()); got != 1 {
		t.Errorf("the cause is said %d times: %v", got, err)
	}
}
