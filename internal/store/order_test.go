package store_test

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/yingda-dev/yingda/internal/store/db"
)

// An order is locked meanwhile: who asks what was paid of it must not go over all cases of the brand.
func TestTheCasesOfAnOrderAreFoundByAnIndex(t *testing.T) {
	pool := open(t).Pool()
	for name, test := range map[string]struct{ statement, arguments, index string }{
		"what it is granted":  {db.CasesOfOrder, "'lm1', ''", "service_case_order_number"},
		"what is asked of it": {db.OrderAsked, "'lm1'", "service_case_asked_number"},
	} {
		t.Run(name, func(t *testing.T) {
			conn, err := pool.Acquire(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Release()
			if _, err := conn.Exec(t.Context(), "PREPARE planned AS "+test.statement); err != nil {
				t.Fatal(err)
			}
			// A table without rows is read as a whole, unless that is the last resort.
			if _, err := conn.Exec(t.Context(), "SET enable_seqscan = off"); err != nil {
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
			if plan := strings.Join(lines, "\n"); !strings.Contains(plan, test.index) || !strings.Contains(plan, "Index Cond: (upper(") {
				t.Errorf("want a plan with %s, got:\n%s", test.index, plan)
			}
			if _, err := conn.Exec(t.Context(), "DEALLOCATE planned; RESET enable_seqscan"); err != nil {
				t.Fatal(err)
			}
		})
	}
}
