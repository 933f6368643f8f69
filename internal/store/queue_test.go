package store_test

import (
	"context"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/yingda-dev/yingda/internal/store"
)

// TestAQueueThatIsSortedAnewIsInTheOrderOfTheRules holds that the database makes the same keys as the rules.
func TestAQueueThatIsSortedAnewIsInTheOrderOfTheRules(t *testing.T) {
	s := open(t)
	random := rand.New(rand.NewPCG(1, 2))
	now := scope().Now
	for range 30 {
		queued(t, s, "after-sales", uuid.NewString(), now.Add(time.Duration(random.Int64N(int64(time.Hour)))), random.Int32N(4)*100)
	}
	for _, ageing := range []int32{10, 0, 7, 1000} {
		want := rules(t, ageing)
		sort := func() (changed int64) {
			t.Helper()
			err := s.Do(t.Context(), scope(), func(ctx context.Context, u *store.Unit) (err error) {
				changed, err = u.QueueSort(ctx, want.Point().Seconds(), "after-sales")
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			return changed
		}
		sort()
		if changed := sort(); changed != 0 {
			t.Errorf("sorting by %d points a minute a second time changed %d keys", ageing, changed)
		}
		rows, err := s.Pool().Query(t.Context(), "SELECT queue_key, queued_at, priority FROM conversation")
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			var key, since time.Time
			var priority int32
			if err := rows.Scan(&key, &since, &priority); err != nil {
				t.Fatal(err)
			}
			// The database counts microseconds.
			if off := key.Sub(want.Key(since, priority)).Abs(); off > time.Millisecond {
				t.Errorf("%d points at %d a minute: the key is off by %s", priority, ageing, off)
			}
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestOfSeveralRoutersOneRaisesAnAlert(t *testing.T) {
	s := open(t)
	now, queries := scope().Now, s.Queries()
	var told []int64
	for _, at := range []time.Duration{0, 0, time.Second} {
		first, err := queries.QueueAlertRaise(t.Context(), "after-sales", now.Add(at))
		if err != nil {
			t.Fatal(err)
		}
		told = append(told, first)
	}
	if diff := cmp.Diff([]int64{1, 0, 0}, told); diff != "" {
		t.Errorf("who tells the agents (-want +got):\n%s", diff)
	}
	if ended, err := queries.QueueAlertEnd(t.Context(), "after-sales", now); err != nil || ended != 0 {
		t.Errorf("%d alerts ended at once, %v", ended, err)
	}
	if ended, err := queries.QueueAlertEnd(t.Context(), "after-sales", now.Add(time.Second)); err != nil || ended != 1 {
		t.Errorf("%d alerts ended, %v; want 1", ended, err)
	}
}
