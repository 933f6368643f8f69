// Package keys keeps a Brand's own keys, by which what it leaves with other services is encrypted: a keyset of Tink's that
// setup makes once, kept in the Brand's Postgres and, where the Brand names a key of its own, wrapped by that. A Rotation has
// another key encrypt from time to time; each process has the keyset as a Ring, which learns of that.
//
//	         Rotation: a key is due            Rotation: it has settled, and every Ring has it
//	one key  --------------------->  one more  ---------------------------------------------->  the new one encrypts,
//	encrypts                         is known                                                   the old one still decrypts
//
// It knows nothing of what is encrypted. Invariants: what the keyset encrypted can be read for as long as the keyset is there,
// so it is never made anew and no key leaves it; no key encrypts that a replica which was heard of lately has not; no error holds a part of a key.
package keys

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
	tinkpb "github.com/tink-crypto/tink-go/v2/proto/tink_go_proto"
	"github.com/tink-crypto/tink-go/v2/tink"

	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/store/db"
)

// Ensure makes the Brand's keyset when there is none, and has it wrapped as the Brand wants it now. Several may run at once.
func Ensure(ctx context.Context, s *store.Store, w Wrapping) error {
	wrapping, err := w.open()
	if err != nil {
		return err
	}
	return s.InTx(ctx, func(ctx context.Context, tx pgx.Tx) error { return ensure(ctx, db.New(tx), wrapping) })
}

func ensure(ctx context.Context, queries *db.Queries, wrapping wrapping) error {
	kept, err := queries.KeysetLock(ctx)
	if errors.Is(err, pgx.ErrNoRows) {
		if err := add(ctx, queries, wrapping); err != nil {
			return err
		}
		// It may be another's, who was quicker and wraps by another key.
		kept, err = queries.KeysetLock(ctx)
	}
	if err != nil {
		return fmt.Errorf("reading the keyset: %w", err)
	}
	handle, current, err := wrapping.unseal(kept)
	if err != nil || current {
		return err
	}
	content, err := wrapping.seal(handle)
	if err != nil {
		return err
	}
	if err := queries.KeysetReplace(ctx, content, wrapping.wraps()); err != nil {
		return fmt.Errorf("wrapping the keyset anew: %w", err)
	}
	return nil
}

func add(ctx context.Context, queries *db.Queries, wrapping wrapping) error {
	handle, err := keyset.NewHandle(template())
	if err != nil {
		return fmt.Errorf("making a keyset: %w", err)
	}
	content, err := wrapping.seal(handle)
	if err != nil {
		return err
	}
	if err := queries.KeysetAdd(ctx, content, wrapping.wraps()); err != nil {
		return fmt.Errorf("keeping the keyset: %w", err)
	}
	return nil
}

// template is what every key is made by. Its nonces are long enough to be drawn for as many messages as there will ever be.
func template() *tinkpb.KeyTemplate { return aead.XAES256GCM192BitNonceKeyTemplate() }

// seal is the keyset as it is kept.
func (w wrapping) seal(handle *keyset.Handle) ([]byte, error) {
	var content bytes.Buffer
	writer := keyset.NewBinaryWriter(&content)
	var err error
	if w.wraps() {
		err = handle.WriteWithAssociatedData(writer, w.key, purpose())
	} else {
		err = insecurecleartextkeyset.Write(handle, writer)
	}
	if err != nil {
		return nil, fmt.Errorf("writing the keyset: %w", err)
	}
	return content.Bytes(), nil
}

// unseal opens the keyset; current says that it is kept as seal would keep it.
func (w wrapping) unseal(kept db.Keyset) (handle *keyset.Handle, current bool, err error) {
	if !kept.Wrapped {
		handle, err = insecurecleartextkeyset.Read(keyset.NewBinaryReader(bytes.NewReader(kept.Content)))
		if err != nil {
			return nil, false, fmt.Errorf("reading the keyset: %w", err)
		}
		return handle, !w.wraps(), nil
	}
	if !w.wraps() {
		return nil, false, fmt.Errorf("%w: the database's keyset is wrapped by a key: set spec.privacy.encryptionKeySecretRef to the Secret that holds it", ErrKey)
	}
	for i, key := range []tink.AEAD{w.key, w.previous} {
		if key == nil {
			continue
		}
		if handle, err = keyset.ReadWithAssociatedData(keyset.NewBinaryReader(bytes.NewReader(kept.Content)), key, purpose()); err == nil {
			return handle, i == 0, nil
		}
	}
	return nil, false, fmt.Errorf("%w: the key in the Secret that spec.privacy.encryptionKeySecretRef names is not the one that the database's keyset is wrapped by:"+
		` put that one back, or beside the new one under "previousKey"`, ErrKey)
}

// purpose keeps something else that the same key encrypted from being taken for a keyset.
func purpose() []byte { return []byte("yingda.dev/keyset") }
