package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/yingda-dev/yingda/internal/domain/burst"
	"github.com/yingda-dev/yingda/internal/domain/schedule"
	"github.com/yingda-dev/yingda/internal/store/db"
)

// Complaints counts the complaints of each group now and in the same hour of past days, by the clock and the calendars of the
// schedule. It is false where there is too little history to say what is usual.
func Complaints(ctx context.Context, q *db.Queries, now time.Time, hours *schedule.Schedule, rules burst.Rules) (map[string]burst.Seen, bool, error) {
	since, err := q.WorkloadSince(ctx)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("asking since when anything is known: %w", err)
	}
	before, err := q.EmergenciesSince(ctx, now.AddDate(0, 0, -burst.HistoryDays-1))
	if err != nil {
		return nil, false, fmt.Errorf("reading the emergencies of before: %w", err)
	}
	unusual := make([]burst.Span, len(before))
	for i, e := range before {
		unusual[i] = burst.Span{From: e.StartedAt.Add(-burst.Hour), Until: now}
		if e.EndedAt != nil {
			unusual[i].Until = *e.EndedAt
		}
	}
	look, enough := burst.NewLook(now, since, hours, unusual, rules)
	if !enough {
		return nil, false, nil
	}
	counts, err := complaintsIn(ctx, q, look.Windows())
	if err != nil {
		return nil, false, err
	}
	return look.Seen(counts), true, nil
}

func complaintsIn(ctx context.Context, q *db.Queries, windows []burst.Span) ([]burst.Count, error) {
	places, froms, untils := make([]int32, len(windows)), make([]time.Time, len(windows)), make([]time.Time, len(windows))
	for i, window := range windows {
		places[i], froms[i], untils[i] = int32(i), window.From, window.Until
	}
	rows, err := q.ComplaintsIn(ctx, places, froms, untils)
	if err != nil {
		return nil, fmt.Errorf("counting complaints: %w", err)
	}
	counts := make([]burst.Count, len(rows))
	for i, row := range rows {
		counts[i] = burst.Count{Window: int(row.Place), Group: row.SkillGroup, Complaints: int(row.Complaints)}
	}
	return counts, nil
}

// LastingExcept says of which scopes an emergency of its own lasts, other than that of the number.
func LastingExcept(lasting []db.Emergency, number int64) func(scope string) bool {
	return func(scope string) bool {
		return slices.ContainsFunc(lasting, func(e db.Emergency) bool { return e.SkillGroup == scope && e.Number != number })
	}
}
