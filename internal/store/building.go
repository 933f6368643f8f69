package store

import (
	"context"
	"fmt"
)

// building reads which indexes are being made in the database. How far a phase is, is rounded down to tens, so that whoever shows it
// has little to write.
const building = `SELECT coalesce('the index ' || i.relname, 'an index') || ' of ' || t.relname || ' (' || p.phase ||
    coalesce(', ' || (CASE WHEN p.blocks_total > 0 THEN p.blocks_done * 10 / p.blocks_total
        WHEN p.tuples_total > 0 THEN p.tuples_done * 10 / p.tuples_total END * 10)::text || ' %', '') || ')'
FROM pg_stat_progress_create_index p JOIN pg_class t ON t.oid = p.relid LEFT JOIN pg_class i ON i.oid = p.index_relid
WHERE p.datname = current_database()
ORDER BY 1 LIMIT 1`

// Building says which index the database makes now, and how far that is; empty while it makes none.
func (s *Store) Building(ctx context.Context) (string, error) {
	rows, err := s.pool.Query(ctx, building)
	if err != nil {
		return "", fmt.Errorf("asking which index is being made: %w", err)
	}
	defer rows.Close()
	var index string
	for rows.Next() {
		if err := rows.Scan(&index); err != nil {
			return "", fmt.Errorf("reading which index is being made: %w", err)
		}
	}
	if err := rows.Err(); err != nil {
		return "", fmt.Errorf("asking which index is being made: %w", err)
	}
	return index, nil
}
