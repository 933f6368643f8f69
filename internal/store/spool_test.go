package store_test

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/store/db"
	"github.com/yingda-dev/yingda/internal/testenv"
)

// A Channel that goes is asked for every second, and after an outage of Kafka the spool may hold a million messages of others.
func TestAskingForAChannelInTheSpoolDoesNotReadAllOfIt(t *testing.T) {
	s := open(t)
	ctx := t.Context()
	for _, statement := range []string{
		`INSERT INTO spool (pool, envelope, created_at)
			SELECT 'miniprogram', jsonb_build_object('subject', 'shop-' || n % 100, 'key', n::text), now() FROM generate_series(1, 20000) AS n`,
		"VACUUM ANALYZE spool",
	} {
		if _, err := s.Pool().Exec(ctx, statement); err != nil {
			t.Fatal(err)
		}
	}
	plansBy(t, s, "text[]", db.ChannelsSpooled, "'{shop-1,gone}'", "spool_channel")
}

func TestWindowsThatCloseAreFoundWithoutReadingAllOfThem(t *testing.T) {
	s := open(t)
	for _, statement := range []string{
		`INSERT INTO quota (channel, external_id, window_ends, remaining, session_ends, session_remaining)
			SELECT 'shop', 'o' || n, now() + make_interval(mins => n), 5, 'epoch', 0 FROM generate_series(1, 20000) AS n`,
		`INSERT INTO conversation (id, channel, external_id, customer_id, state, skill_group, opened_at, last_message_at, queued_at)
			SELECT gen_random_uuid(), 'shop', 'o' || n, gen_random_uuid(), 'queued', 'g', a.at, b.at, a.at FROM (SELECT now() AS at) a, (SELECT now() AS at) b, generate_series(1, 20000) AS n`,
		"VACUUM ANALYZE quota", "VACUUM ANALYZE conversation",
	} {
		if _, err := s.Pool().Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	plansBy(t, s, "timestamptz, timestamp with time zone, int", db.WindowsClosing, "now(), now() + interval '1 hour', 100", "quota_window_ends")
}

// plansBy says that a query goes by an index, whatever Postgres knows of its parameters.
func plansBy(t *testing.T, s *store.Store, types, query, parameters, index string) {
	t.Helper()
	ctx := t.Context()
	conn, err := s.Pool().Acquire(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	for _, mode := range []string{"force_custom_plan", "force_generic_plan"} {
		if _, err := conn.Exec(ctx, "SET plan_cache_mode = "+mode); err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Exec(ctx, "PREPARE asking ("+types+") AS "+query); err != nil {
			t.Fatal(err)
		}
		rows, err := conn.Query(ctx, "EXPLAIN (ANALYZE, COSTS OFF) EXECUTE asking ("+parameters+")", pgx.QueryExecModeSimpleProtocol)
		if err != nil {
			t.Fatal(err)
		}
		lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			t.Fatal(err)
		}
		if plan := strings.Join(lines, "\n"); strings.Contains(plan, "Seq Scan") || !strings.Contains(plan, index) {
			t.Errorf("%s: the plan does not go by the index:\n%s", mode, plan)
		}
		if _, err := conn.Exec(ctx, "DEALLOCATE asking; RESET plan_cache_mode"); err != nil {
			t.Fatal(err)
		}
	}
}

// Postgres keeps an index whose making was cut short, and nobody may use it: one of the name is no sign that there is one.
func TestAnIndexWhoseMakingWasCutShortIsMadeAgain(t *testing.T) {
	url := testenv.Database(t, migrate)
	s, err := store.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	for _, statement := range []string{
		"DELETE FROM goose_db_version WHERE version_id >= 13",
		"DROP INDEX spool_channel",
		"CREATE INDEX spool_channel ON spool (pool)",
	} {
		if _, err := s.Pool().Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	if err := migrate(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	var made string
	if err := s.Pool().QueryRow(t.Context(), "SELECT pg_get_indexdef('spool_channel'::regclass)").Scan(&made); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(made, "subject") {
		t.Errorf("the index is still the one that was there: %s", made)
	}
}
