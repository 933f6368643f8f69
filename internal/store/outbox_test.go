package store_test

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/yingda-dev/yingda/internal/store/db"
)

// A relay plans its statements while the outbox is empty; the plans must do when a backlog has grown.
func TestRelaysGoByTheKeyWhateverTheSizeOfTheOutboxWas(t *testing.T) {
	relaying, err := open(t).Relaying(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(relaying.Close)
	if _, err := relaying.Pool().Exec(t.Context(), "VACUUM ANALYZE outbox"); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct{ statement, arguments, want string }{
		"reading":  {db.OutboxHead, "'{1,2}', 'kafka', 100", "Index Cond: ((destination = $2) AND (shard = s.shard))"},
		"deleting": {db.OutboxDelete, "'kafka', 1, 1", "Index Cond: ((destination = $1) AND (shard = $2) AND (id = $3))"},
		"leaving some alone": {
			db.OutboxHeadExcept, "'{1,2}', 'kafka', '{a}', '{b}', 100", "Index Cond: ((destination = $2) AND (shard = s.shard))",
		},
	} {
		t.Run(name, func(t *testing.T) {
			conn, err := relaying.Pool().Acquire(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Release()
			if _, err := conn.Exec(t.Context(), "PREPARE planned AS "+test.statement); err != nil {
				t.Fatal(err)
			}
			rows, err := conn.Query(t.Context(), "EXPLAIN (COSTS OFF) EXECUTE planned("+test.arguments+")")
			if err != nil {
				t.Fatal(err)
			}
			lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
			if err != nil {
				t.Fatal(err)
			}
			if plan := strings.Join(lines, "\n"); !strings.Contains(plan, test.want) || strings.Contains(plan, "Seq Scan") {
				t.Errorf("want a plan with %q, got:\n%s", test.want, plan)
			}
			if _, err := conn.Exec(t.Context(), "DEALLOCATE planned"); err != nil {
				t.Fatal(err)
			}
		})
	}
}
