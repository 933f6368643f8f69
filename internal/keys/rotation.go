package keys

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/tink-crypto/tink-go/v2/keyset"

	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/store/db"
	"github.com/yingda-dev/yingda/internal/wait"
)

const (
	// rotateInterval is how often a Rotation looks whether there is something to do.
	rotateInterval = time.Minute
	// settling is how long a new key is known before it encrypts. Replicas that have just started and are not known yet, and those of
	// a release that tells of no revision, have it by then or are gone.
	settling = 10 * time.Minute
	// goneAfter is when a replica that was not heard of counts as gone.
	goneAfter = 2 * time.Minute
)

// Policy says when the key that encrypts is to be replaced.
type Policy struct {
	// Every is the age at which it is; zero is never.
	Every time.Duration
	// After has one that was made before replaced once that time has come; zero is never.
	After time.Time
}

// Due says whether a key made at that time is to be replaced now.
func (p Policy) Due(madeAt, now time.Time) bool {
	old := p.Every > 0 && !now.Before(madeAt.Add(p.Every))
	outdated := !p.After.IsZero() && madeAt.Before(p.After) && !now.Before(p.After)
	return old || outdated
}

// Rotation replaces the key that encrypts. Any number of replicas may run it: each step is a transaction that locks the keyset, and
// finds out from it alone what is to be done, so that one that dies is carried on by the next.
type Rotation struct {
	Store    *store.Store
	Wrapping Wrapping
	Policy   func() Policy
	Now      func() time.Time
	Logger   *slog.Logger
}

// Run rotates until ctx ends.
func (r *Rotation) Run(ctx context.Context) {
	for {
		if err := r.Step(ctx); err != nil && ctx.Err() == nil {
			r.Logger.Warn("Cannot see to the brand's keys, trying again in a minute", "error", err)
		}
		if !wait.For(ctx, rotateInterval) {
			return
		}
	}
}

// Step does what is to be done now: one thing, or nothing.
func (r *Rotation) Step(ctx context.Context) error {
	wrapping, err := r.Wrapping.open()
	if err != nil {
		return err
	}
	var done func()
	err = r.Store.InTx(ctx, func(ctx context.Context, tx pgx.Tx) error {
		done, err = r.step(ctx, db.New(tx), wrapping)
		return err
	})
	if err == nil && done != nil {
		done()
	}
	return err
}

// step returns what is told once the transaction is over.
func (r *Rotation) step(ctx context.Context, queries *db.Queries, wrapping wrapping) (done func(), err error) {
	now := r.Now()
	kept, err := queries.KeysetLock(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the keyset: %w", err)
	}
	if err := queries.KeysetForget(ctx, now.Add(-goneAfter)); err != nil {
		return nil, fmt.Errorf("forgetting replicas that are gone: %w", err)
	}
	turns := kept.NextMadeAt != nil && !now.Before(kept.NextMadeAt.Add(settling))
	comes := kept.NextMadeAt == nil && r.Policy().Due(kept.MadeAt, now)
	if !turns && !comes {
		return nil, nil
	}
	handle, current, err := wrapping.unseal(kept)
	if err != nil || !current {
		return nil, err // What is to be wrapped anew waits for setup, which tells of it.
	}
	manager := keyset.NewManagerFromHandle(handle)
	if comes {
		return r.come(ctx, queries, wrapping, manager, now)
	}
	return r.turn(ctx, queries, wrapping, manager, kept, now)
}

// come adds a key that only decrypts as yet.
func (r *Rotation) come(ctx context.Context, queries *db.Queries, wrapping wrapping, manager *keyset.Manager, now time.Time) (done func(), err error) {
	key, err := manager.Add(template())
	if err != nil {
		return nil, fmt.Errorf("making a key: %w", err)
	}
	content, err := sealed(wrapping, manager)
	if err != nil {
		return nil, err
	}
	if err := queries.KeysetComing(ctx, content, int64(key), now); err != nil {
		return nil, fmt.Errorf("keeping a new key: %w", err)
	}
	return func() { r.Logger.Info("Made a new key, which encrypts once all replicas have it", "key", key) }, nil
}

// turn has the new key encrypt, once all replicas have it.
func (r *Rotation) turn(ctx context.Context, queries *db.Queries, wrapping wrapping, manager *keyset.Manager, kept db.Keyset, now time.Time) (done func(), err error) {
	behind, err := queries.KeysetBehind(ctx, kept.Revision, now.Add(-goneAfter))
	if err != nil {
		return nil, fmt.Errorf("asking which replicas have the new key: %w", err)
	}
	if len(behind) > 0 {
		return func() { r.Logger.Warn("A new key waits for replicas that do not have it", "replicas", behind) }, nil
	}
	key := uint32(*kept.NextKey) //nolint:gosec // It was one when it was written.
	if err := manager.SetPrimary(key); err != nil {
		return nil, fmt.Errorf("making the new key the one that encrypts: %w", err)
	}
	content, err := sealed(wrapping, manager)
	if err != nil {
		return nil, err
	}
	if err := queries.KeysetTurn(ctx, content); err != nil {
		return nil, fmt.Errorf("keeping which key encrypts: %w", err)
	}
	return func() { r.Logger.Info("A new key encrypts from now on", "key", key) }, nil
}

func sealed(wrapping wrapping, manager *keyset.Manager) ([]byte, error) {
	handle, err := manager.Handle()
	if err != nil {
		return nil, fmt.Errorf("reading the changed keyset: %w", err)
	}
	return wrapping.seal(handle)
}
