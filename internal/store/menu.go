package store

import (
	"context"
	"fmt"
	"time"

	"github.com/yingda-dev/yingda/internal/store/db"
)

// MenuOwner is a Channel's generation, whose menu it is.
type MenuOwner struct {
	Channel, UID string
	Generation   int64
}

// Menus returns what is known of the Channels' menus, by Channel. One that nobody has looked after is missing.
func (s *Store) Menus(ctx context.Context, channels []string) (map[string]db.Menu, error) {
	rows, err := s.Queries().Menus(ctx, channels)
	if err != nil {
		return nil, fmt.Errorf("reading the menus: %w", err)
	}
	menus := make(map[string]db.Menu, len(rows))
	for _, row := range rows {
		menus[row.Channel] = row
	}
	return menus, nil
}

// ClaimMenu takes the right to look after a Channel's menu until the lease ends; false when it is not time, or somebody else
// does. published is what of ours was there last.
func (s *Store) ClaimMenu(ctx context.Context, owner MenuOwner, now, leaseEnds time.Time) (published string, ok bool, err error) {
	rows, err := s.Queries().MenuClaim(ctx, db.MenuClaimParams{
		Channel: owner.Channel, Uid: owner.UID, Generation: owner.Generation, LeaseEnds: leaseEnds, Now: now,
	})
	if err != nil {
		return "", false, fmt.Errorf("claiming a menu: %w", err)
	}
	if len(rows) == 0 {
		return "", false, nil
	}
	return rows[0], true, nil
}

// KeptMenu is what came of looking after a menu.
type KeptMenu struct {
	// Published is what of ours is there now; nil where nobody knows.
	Published *string
	State     string
	Code      int
	Others    int
	// CheckAfter is when it is looked at again.
	CheckAfter time.Time
}

// KeepMenu writes down what came of looking after a menu; nothing when a newer generation is looked after.
func (s *Store) KeepMenu(ctx context.Context, owner MenuOwner, kept KeptMenu) error {
	err := s.Queries().MenuKept(ctx, db.MenuKeptParams{
		Published: kept.Published, State: kept.State, CheckAfter: kept.CheckAfter,
		Code: int32(kept.Code), Others: int32(kept.Others), //nolint:gosec // Platform codes and counts are small.
		Channel: owner.Channel, Uid: owner.UID, Generation: owner.Generation,
	})
	if err != nil {
		return fmt.Errorf("writing down a menu: %w", err)
	}
	return nil
}
