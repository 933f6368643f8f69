package store_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/yingda-dev/yingda/internal/domain/queue"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/store/db"
)

// at is a time on the day of the tests.
func at(clock string) time.Time {
	t, err := time.Parse(time.TimeOnly, clock)
	if err != nil {
		panic(err)
	}
	return scope().Now.Truncate(24 * time.Hour).Add(t.Sub(t.Truncate(24 * time.Hour)))
}

// move changes a conversation at a time; a customer who has none open gets one.
func move(t *testing.T, s *store.Store, customer string, now time.Time, change func(context.Context, *store.Unit, db.Conversation) error) {
	t.Helper()
	surroundings := scope()
	surroundings.Now = now
	err := s.Do(t.Context(), surroundings, func(ctx context.Context, u *store.Unit) error {
		c, err := u.ConversationOpenForUpdate(ctx, "shop", customer)
		if err != nil {
			c, err = u.ConversationAdd(ctx, db.ConversationAddParams{
				ID: uuid.Must(uuid.NewV7()), Channel: "shop", ExternalID: customer, CustomerID: uuid.Must(uuid.NewV7()), OpenedAt: now,
			})
		}
		if err != nil {
			return err
		}
		return change(ctx, u, c)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// into puts a conversation into a state and a group.
func into(state, group string) func(context.Context, *store.Unit, db.Conversation) error {
	return func(ctx context.Context, u *store.Unit, c db.Conversation) error {
		agent := "xiaomei"
		switch state {
		case store.StateQueued:
			c.QueuedAt = u.Place(c)
		case store.StateAssigned:
			c.Agent, c.AssignedAt = &agent, &u.Now
		}
		c.State, c.SkillGroup = state, group
		_, err := u.Save(ctx, c)
		return err
	}
}

func end(ctx context.Context, u *store.Unit, c db.Conversation) error {
	_, err := u.Close(ctx, c)
	return err
}

func workload(t *testing.T, s *store.Store) []db.Workload {
	t.Helper()
	rows, err := s.Pool().Query(t.Context(), "SELECT * FROM workload ORDER BY quarter, skill_group")
	if err != nil {
		t.Fatal(err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[db.Workload])
	if err != nil {
		t.Fatal(err)
	}
	for i := range found {
		found[i].Quarter = found[i].Quarter.UTC()
	}
	return found
}

func count(t *testing.T, s *store.Store, now time.Time) {
	t.Helper()
	if err := s.CountWorkload(t.Context(), now); err != nil {
		t.Fatal(err)
	}
}

func TestWorkloadIsCountedOnceForTheGroupThatItCameTo(t *testing.T) {
	s := open(t)
	move(t, s, "wrote-to-the-bot-alone", at("04:01:00"), into(store.StateBot, ""))
	move(t, s, "came-at-night", at("02:00:00"), into(store.StateAwaitingOpening, "sales"))
	move(t, s, "waits", at("04:02:00"), into(store.StateQueued, "sales"))
	move(t, s, "came-at-night", at("04:14:59"), into(store.StateQueued, "sales"))
	move(t, s, "served", at("04:15:00"), into(store.StateQueued, "sales"))
	move(t, s, "served", at("04:16:00"), into(store.StateAssigned, "sales"))
	move(t, s, "of-no-group", at("04:17:00"), into(store.StateQueued, ""))
	count(t, s, at("04:18:00"))
	morning := []db.Workload{
		{Quarter: at("04:00:00"), SkillGroup: "sales", Arrivals: 2},
		{Quarter: at("04:15:00"), SkillGroup: "sales", Arrivals: 1},
	}
	if diff := cmp.Diff(morning, workload(t, s)); diff != "" {
		t.Fatalf("workload (-want +got):\n%s", diff)
	}

	// What moves on is not an arrival again, neither of its own group nor of another.
	move(t, s, "waits", at("04:20:00"), into(store.StateQueued, "pre-sales"))
	move(t, s, "served", at("04:20:00"), func(ctx context.Context, u *store.Unit, c db.Conversation) error {
		_, err := u.Requeue(ctx, c, queue.Rules{})
		return err
	})
	move(t, s, "served", at("04:21:00"), into(store.StateAssigned, "sales"))
	move(t, s, "served", at("04:26:10"), end)
	move(t, s, "waits", at("04:26:00"), into(store.StateAssigned, "pre-sales"))
	move(t, s, "came-at-night", at("04:29:00"), end) // Nobody served them.
	move(t, s, "wrote-to-the-bot-alone", at("04:29:00"), end)
	// The same count by several replicas, and later again.
	var replicas sync.WaitGroup
	for range 4 {
		replicas.Go(func() {
			if err := s.CountWorkload(t.Context(), at("04:30:30")); err != nil {
				t.Error(err)
			}
		})
	}
	replicas.Wait()
	morning[1].Handled, morning[1].HandlingSeconds = 1, 310
	if diff := cmp.Diff(morning, workload(t, s)); diff != "" {
		t.Errorf("workload (-want +got):\n%s", diff)
	}

	// Nobody counts for hours; what happened meanwhile is not lost, and what took a night counts as four hours.
	move(t, s, "waits", at("13:00:00"), end)
	count(t, s, at("22:00:00"))
	count(t, s, at("22:01:00"))
	want := append(morning, db.Workload{Quarter: at("13:00:00"), SkillGroup: "pre-sales", Handled: 1, HandlingSeconds: 4 * 3600})
	if diff := cmp.Diff(want, workload(t, s)); diff != "" {
		t.Errorf("workload (-want +got):\n%s", diff)
	}
}

func TestACountThatFindsNothingNewWritesNothing(t *testing.T) {
	s := open(t)
	move(t, s, "waits", at("04:02:00"), into(store.StateQueued, "sales"))
	versions := func() (versions []string) {
		t.Helper()
		rows, err := s.Pool().Query(t.Context(), "SELECT xmin::text FROM workload")
		if err != nil {
			t.Fatal(err)
		}
		if versions, err = pgx.CollectRows(rows, pgx.RowTo[string]); err != nil {
			t.Fatal(err)
		}
		return versions
	}
	count(t, s, at("04:03:00"))
	before := versions()
	count(t, s, at("04:04:00"))
	if diff := cmp.Diff(before, versions()); diff != "" || len(before) != 1 {
		t.Errorf("versions of the rows (-before +after):\n%s", diff)
	}
}

// A plan that is made once must not read the whole table, which keeps every conversation there ever was.
func TestCountingReadsWhatIsOpenAndWhatEndedLately(t *testing.T) {
	s := open(t)
	ctx := t.Context()
	for _, statement := range []string{
		`INSERT INTO conversation (opened_at, id, last_message_at, channel, closed_at, external_id, offered_at, customer_id, state, skill_group, offered_to)
			SELECT at, gen_random_uuid(), at, 'shop', at, n::text, at, gen_random_uuid(), 'closed', 'sales', 'pre-sales'
			FROM (SELECT n, now() - n * interval '1 minute' AS at FROM generate_series(1, 20000) AS n) AS ended`,
		"ANALYZE conversation",
	} {
		if _, err := s.Pool().Exec(ctx, statement); err != nil {
			t.Fatal(err)
		}
	}
	conn, err := s.Pool().Acquire(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	var plan []string
	if _, err := conn.Exec(ctx, "SET plan_cache_mode = force_generic_plan"); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(ctx, "PREPARE counting (timestamptz, timestamptz, int) AS "+db.WorkloadCount); err != nil {
		t.Fatal(err)
	}
	rows, err := conn.Query(ctx, "EXPLAIN EXECUTE counting (now() - interval '30 minutes', now(), 1)", pgx.QueryExecModeSimpleProtocol)
	if err != nil {
		t.Fatal(err)
	}
	if plan, err = pgx.CollectRows(rows, pgx.RowTo[string]); err != nil {
		t.Fatal(err)
	}
	for _, line := range plan {
		if strings.Contains(line, "Seq Scan on conversation") {
			t.Fatalf("the plan reads the whole table:\n%s", strings.Join(plan, "\n"))
		}
	}
	if _, err := conn.Exec(ctx, "DEALLOCATE counting; RESET plan_cache_mode"); err != nil {
		t.Fatal(err)
	}
}
