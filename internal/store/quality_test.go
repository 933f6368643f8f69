package store_test

import (
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/yingda-dev/yingda/internal/store/db"
)

func TestWhatNobodyHasAnsweredIsLookedForInTheConversationAlone(t *testing.T) {
	s := open(t)
	conversation, since := uuid.New(), scope().Now
	if err := s.Queries().EnsurePartitions(t.Context(), since); err != nil {
		t.Fatal(err)
	}
	// So long that the planner would rather come across fifty of its messages among all than read them all and sort them.
	if _, err := s.Pool().Exec(t.Context(), `INSERT INTO message (id, conversation_id, channel, external_id, direction, sender, content, sent_at, received_at)
		SELECT gen_random_uuid(), CASE WHEN n % 2 = 0 THEN $1 ELSE gen_random_uuid() END, 'shop', 'c', 'inbound', 'customer', '{"kind": "text"}', at, at
		FROM generate_series(1, 20000) n, LATERAL (SELECT $2::timestamptz + n * interval '1 second' AS at) times`, conversation, since); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Pool().Exec(t.Context(), "ANALYZE message"); err != nil {
		t.Fatal(err)
	}
	rows, err := s.Pool().Query(t.Context(), "EXPLAIN "+db.QualityUnanswered, conversation, since)
	if err != nil {
		t.Fatal(err)
	}
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	if plan := strings.Join(lines, "\n"); strings.Contains(plan, "_pkey") || !strings.Contains(plan, "Index Cond: (conversation_id = ") {
		t.Errorf("it is read by what the whole brand received:\n%s", plan)
	}
}
