package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// ErrClaimed says that the database is another Brand's.
var ErrClaimed = errors.New("the database is another Brand's already, and two in one would take each other's work: name a database of its own in spec.postgres")

// Claim makes the database the Brand's, named <namespace>/<name>, unless it is another one's: then it is ErrClaimed.
func (s *Store) Claim(ctx context.Context, brand string) error {
	if err := s.Queries().ClaimTake(ctx, brand); err != nil {
		return fmt.Errorf("claiming the database: %w", err)
	}
	holder, err := s.Queries().ClaimHolder(ctx)
	if err != nil {
		return fmt.Errorf("looking whose the database is: %w", err)
	}
	if holder != brand {
		return ErrClaimed
	}
	return nil
}

// mayDrop says whether the Brand may drop the tables: not when another one has claimed them.
func mayDrop(ctx context.Context, sqlDB *sql.DB, brand string) error {
	var made bool
	if err := sqlDB.QueryRowContext(ctx, "SELECT to_regclass('claim') IS NOT NULL").Scan(&made); err != nil {
		return fmt.Errorf("looking whether the database is claimed: %w", err)
	}
	if !made {
		return nil
	}
	var holder string
	err := sqlDB.QueryRowContext(ctx, "SELECT brand FROM claim").Scan(&holder)
	switch {
	case errors.Is(err, sql.ErrNoRows), err == nil && holder == brand:
		return nil
	case err != nil:
		return fmt.Errorf("looking whose the database is: %w", err)
	}
	return ErrClaimed
}
