package bus

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/segmentio/kafka-go"

	"github.com/yingda-dev/yingda/internal/testenv"
)

func TestFeedThatStandsBehindThePartitionsEndGoesBackToItsStart(t *testing.T) {
	cluster, name := Cluster{Brokers: []string{testenv.Kafka(t)}}, testenv.Unique("shorter")
	if err := EnsureTopics(t.Context(), cluster, []string{name}, Topology{Partitions: 1, ReplicationFactor: 1, Retention: time.Hour}); err != nil {
		t.Fatal(err)
	}
	writer := NewWriter(cluster)
	defer writer.Close()
	if err := writer.WriteMessages(t.Context(), kafka.Message{Topic: name, Value: []byte("a")}, kafka.Message{Topic: name, Value: []byte("b")}); err != nil {
		t.Fatal(err)
	}
	topic := newTopicClient(cluster, name, slog.New(slog.DiscardHandler))
	defer topic.close()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	out := make(chan kafka.Message)
	var runner sync.WaitGroup
	defer runner.Wait()
	defer cancel()
	source := &feed{topic: topic, idle: 100 * time.Millisecond}
	runner.Go(func() { source.run(ctx, 1000, out) })

	var got []string
	for range 2 {
		select {
		case m := <-out:
			got = append(got, string(m.Value))
		case <-ctx.Done():
			t.Fatal("nothing came")
		}
	}
	if diff := cmp.Diff([]string{"a", "b"}, got); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
}

func TestFailuresToJoinAreOneLineInAWhile(t *testing.T) {
	tests := map[string]struct {
		err      error
		failures int
		want     slog.Level
	}{
		"a fresh cluster has no coordinator yet":   {kafka.GroupCoordinatorNotAvailable, 1, slog.LevelDebug},
		"a coordinator that does not come is news": {kafka.GroupCoordinatorNotAvailable, 20, slog.LevelWarn},
		"a broker that is away is news at once":    {errors.New("connection refused"), 1, slog.LevelWarn},
		"and not at every further try":             {errors.New("connection refused"), 2, slog.LevelDebug},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := joinFailureLevel(test.err, test.failures); got != test.want {
				t.Errorf("level %s, want %s", got, test.want)
			}
		})
	}
}
