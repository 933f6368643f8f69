package keys

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/tink"

	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/wait"
)

// followInterval is how often a Ring looks for other keys; it is far below settling, so that no key encrypts meanwhile.
const followInterval = 15 * time.Second

// State is what may be known of a keyset.
type State struct {
	// Keys is how many there are.
	Keys int
	// MadeAt is when the one that encrypts was made, NextMadeAt when the one that is to be next; nil while there is none.
	MadeAt     time.Time
	NextMadeAt *time.Time
}

// Ring is the keyset as one process has it. It encrypts and decrypts, and may be used while it follows what becomes of the keyset.
type Ring struct {
	store    *store.Store
	wrapping Wrapping
	held     atomic.Pointer[held]
}

var _ tink.AEAD = (*Ring)(nil)

// held is one revision of the keyset.
type held struct {
	tink.AEAD
	revision int64
	state    State
}

// Load returns the keyset that Ensure keeps.
func Load(ctx context.Context, s *store.Store, w Wrapping) (*Ring, error) {
	r := &Ring{store: s, wrapping: w}
	if err := r.load(ctx); err != nil {
		return nil, err
	}
	return r, nil
}

// Encrypt implements tink.AEAD.
func (r *Ring) Encrypt(plaintext, associatedData []byte) ([]byte, error) {
	return r.held.Load().Encrypt(plaintext, associatedData) //nolint:wrapcheck // It is the primitive, and says nothing that another layer would add to.
}

// Decrypt implements tink.AEAD.
func (r *Ring) Decrypt(ciphertext, associatedData []byte) ([]byte, error) {
	return r.held.Load().Decrypt(ciphertext, associatedData) //nolint:wrapcheck // As above.
}

// State is that of the revision which the Ring has.
func (r *Ring) State() State { return r.held.Load().state }

// load takes the keyset as it is kept now.
func (r *Ring) load(ctx context.Context) error {
	kept, err := r.store.Queries().KeysetGet(ctx)
	if errors.Is(err, pgx.ErrNoRows) {
		return errors.New("the database holds no keyset: setup makes it")
	}
	if err != nil {
		return fmt.Errorf("reading the keyset: %w", err)
	}
	if has := r.held.Load(); has != nil && has.revision == kept.Revision {
		return nil
	}
	wrapping, err := r.wrapping.open()
	if err != nil {
		return err
	}
	handle, _, err := wrapping.unseal(kept)
	if err != nil {
		return err
	}
	primitive, err := aead.New(handle)
	if err != nil {
		return fmt.Errorf("using the keyset: %w", err)
	}
	r.held.Store(&held{AEAD: primitive, revision: kept.Revision, state: State{Keys: handle.Len(), MadeAt: kept.MadeAt, NextMadeAt: kept.NextMadeAt}})
	return nil
}

// Replica is a process that works by a Ring.
type Replica struct {
	// Name is its own: of two with one name a Rotation would wait for one.
	Name   string
	Now    func() time.Time
	Logger *slog.Logger
}

// Follow has the Ring know the keyset's keys until ctx ends, and the database know that it does. Without it a Ring is as it was
// loaded, and no Rotation waits for it.
func (r *Ring) Follow(ctx context.Context, replica Replica) {
	failed := false
	for {
		err := r.Refresh(ctx, replica)
		if err != nil && !failed && ctx.Err() == nil {
			replica.Logger.Warn("Cannot look for other keys of the brand's, going on with those at hand", "error", err)
		}
		failed = err != nil
		if !wait.For(ctx, followInterval) {
			return
		}
	}
}

// Refresh looks once. What the Ring has it keeps when that fails, as it does between the change of a wrapping key and the roll
// of the pods that mount it.
func (r *Ring) Refresh(ctx context.Context, replica Replica) error {
	err := r.load(ctx)
	// Also of a Ring that could not take the newest, so that no key encrypts which it has not.
	if told := r.store.Queries().KeysetRead(ctx, replica.Name, r.held.Load().revision, replica.Now()); told != nil {
		return errors.Join(err, fmt.Errorf("telling which keys this replica has: %w", told))
	}
	return err
}
