package bus

import (
	"context"
	"log/slog"
	"maps"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"
)

// marks keeps the next offset of each partition of a generation and commits them together. Only a generation commits
// its own marks: one that has lost its partitions is refused by the broker, so that an offset never moves back.
type marks struct {
	topic string

	mu        sync.Mutex
	next      map[int]int64
	committed map[int]int64
}

func newMarks(topic string) *marks {
	return &marks{topic: topic, next: map[int]int64{}, committed: map[int]int64{}}
}

func (m *marks) set(partition int, next int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.next[partition] = next
}

// position is the partition's next offset; start before any was set.
func (m *marks) position(partition int, start int64) int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	if next, ok := m.next[partition]; ok {
		return next
	}
	return start
}

// changed returns the marks that were not committed yet.
func (m *marks) changed() map[int]int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := map[int]int64{}
	for partition, next := range m.next {
		if m.committed[partition] != next {
			out[partition] = next
		}
	}
	return out
}

func (m *marks) commitEvery(ctx context.Context, interval time.Duration, generation *kafka.Generation, logger *slog.Logger) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			m.commit(generation, logger)
		case <-ctx.Done():
			return
		}
	}
}

func (m *marks) commit(generation *kafka.Generation, logger *slog.Logger) {
	offsets := m.changed()
	if len(offsets) == 0 {
		return
	}
	if err := generation.CommitOffsets(map[string]map[int]int64{m.topic: offsets}); err != nil {
		// Nothing is lost: the next tick, or the next owner, starts from the older mark and dedupes.
		logger.Warn("Cannot commit offsets", "topic", m.topic, "error", err)
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	maps.Copy(m.committed, offsets)
}
