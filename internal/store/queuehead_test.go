package store_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/yingda-dev/yingda/internal/store/db"
)

// TestThoseForWhomNobodyIsFreeCostNothing has 50,000 wait by a route for which no agent is free, and one behind them by another.
func TestThoseForWhomNobodyIsFreeCostNothing(t *testing.T) {
	s := open(t)
	for _, statement := range []string{
		`INSERT INTO conversation (id, channel, external_id, customer_id, state, skill_group, routing_rule, opened_at, queued_at, last_message_at, queue_key)
			SELECT gen_random_uuid(), 'shop', 'o' || n, gen_random_uuid(), 'queued', 'sales', 'refund', at, now(), at, now() + make_interval(secs => n)
			FROM generate_series(1, 50000) AS n, now() AS at`,
		`INSERT INTO conversation (id, channel, external_id, customer_id, state, skill_group, routing_rule, opened_at, queued_at, last_message_at, queue_key)
			SELECT gen_random_uuid(), 'shop', 'last' || n, gen_random_uuid(), 'queued', 'sales', 'rule' || n, at, now(), at, now() + make_interval(days => n)
			FROM generate_series(1, 20) AS n, now() AS at`,
		"ANALYZE conversation",
	} {
		if _, err := s.Pool().Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	conn, err := s.Pool().Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	for _, mode := range []string{"force_custom_plan", "force_generic_plan"} {
		for _, statement := range []string{"SET plan_cache_mode = " + mode, "PREPARE head (text, text[]) AS " + db.QueueHeadWithout} {
			if _, err := conn.Exec(t.Context(), statement); err != nil {
				t.Fatal(err)
			}
		}
		var explained []byte
		if err := conn.QueryRow(t.Context(), "EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE head ('sales', '{shop/refund,shop/rule1}')").Scan(&explained); err != nil {
			t.Fatal(err)
		}
		var plans []struct {
			Plan plan `json:"Plan"`
		}
		if err := json.Unmarshal(explained, &plans); err != nil {
			t.Fatal(err)
		}
		// Twenty-one routes, of which each is found and the first rows are read.
		if read := plans[0].Plan.read(); read > 1000 {
			t.Errorf("%s reads %.0f rows:\n%s", mode, read, explained)
		}
		if _, err := conn.Exec(t.Context(), "DEALLOCATE head"); err != nil {
			t.Fatal(err)
		}
	}
	head, err := s.Queries().QueueHeadWithout(t.Context(), "sales", []string{"shop/refund", "shop/rule1"})
	if err != nil || head.RoutingRule != "rule2" {
		t.Errorf("the next one came by %q, err %v; want rule2", head.RoutingRule, err)
	}
}

// plan is what EXPLAIN says of a step.
type plan struct {
	Rows    float64 `json:"Actual Rows"`
	Loops   float64 `json:"Actual Loops"`
	Removed float64 `json:"Rows Removed by Filter"`
	Plans   []plan  `json:"Plans"`
}

// read is how many rows a step and those below it went over.
func (p plan) read() float64 {
	sum := (p.Rows + p.Removed) * p.Loops
	for _, below := range p.Plans {
		sum += below.read()
	}
	return sum
}

func TestWhoIsNextAmongTheRoutesThatAreLeft(t *testing.T) {
	s := open(t)
	now := scope().Now
	for i, route := range [][2]string{{"shop", "refund"}, {"shop", ""}, {"outlet", "refund"}, {"shop", "refund"}} {
		_, err := s.Pool().Exec(t.Context(), `INSERT INTO conversation (id, channel, external_id, customer_id, state, skill_group, routing_rule, opened_at, last_message_at, queued_at)
			VALUES ($1, $2, $3, $1, 'queued', 'sales', $4, $5, $5, $5)`, uuid.Must(uuid.NewV7()), route[0], uuid.NewString(), route[1], now.Add(time.Duration(i)*time.Second))
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		without []string
		want    string
	}{
		{[]string{"shop/other"}, "shop/refund"},
		{[]string{"shop/refund"}, "shop/"},
		{[]string{"shop/refund", "shop/"}, "outlet/refund"},
		{[]string{"shop/refund", "shop/", "outlet/refund"}, ""},
	} {
		head, err := s.Queries().QueueHeadWithout(t.Context(), "sales", tt.without)
		if got := head.Channel + "/" + head.RoutingRule; err == nil && got != tt.want || (err == nil) != (tt.want != "") {
			t.Errorf("without %v the next one came by %s, err %v; want %q", tt.without, got, err, tt.want)
		}
	}
}
