package keys_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/yingda-dev/yingda/internal/keys"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/testenv"
)

// brand is a Brand's database and the Secret that it names.
type brand struct {
	t     *testing.T
	url   string
	store *store.Store
	dir   string
}

func migrate(ctx context.Context, url string) error { return store.Migrate(ctx, url, "") }

func newBrand(t *testing.T) *brand {
	t.Helper()
	b := &brand{t: t, dir: t.TempDir()}
	b.url = testenv.Database(t, migrate)
	var err error
	if b.store, err = store.Open(t.Context(), b.url); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.store.Close)
	return b
}

// wrapped says where the Secret is mounted.
func (b *brand) wrapped() keys.Wrapping {
	return keys.Wrapping{KeyFile: filepath.Join(b.dir, "key"), PreviousKeyFile: filepath.Join(b.dir, "previousKey")}
}

// holds makes the Secret hold these values, by key; what is empty is not in it.
func (b *brand) holds(secret map[string]string) {
	b.t.Helper()
	for _, name := range []string{"key", "previousKey"} {
		path := filepath.Join(b.dir, name)
		if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
			b.t.Fatal(err)
		}
		if secret[name] == "" {
			continue
		}
		if err := os.WriteFile(path, []byte(secret[name]), 0o600); err != nil {
			b.t.Fatal(err)
		}
	}
}

func newKey() string {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // It never fails.
	return base64.StdEncoding.EncodeToString(key) + "\n"
}

// encrypts returns what the keyset makes of a text.
func (b *brand) encrypts(w keys.Wrapping, text string) []byte {
	b.t.Helper()
	primitive, err := keys.Load(b.t.Context(), b.store, w)
	if err != nil {
		b.t.Fatal(err)
	}
	encrypted, err := primitive.Encrypt([]byte(text), nil)
	if err != nil {
		b.t.Fatal(err)
	}
	return encrypted
}

func (b *brand) wantReads(w keys.Wrapping, encrypted []byte, want string) {
	b.t.Helper()
	primitive, err := keys.Load(b.t.Context(), b.store, w)
	if err != nil {
		b.t.Fatal(err)
	}
	if got, err := primitive.Decrypt(encrypted, nil); err != nil || string(got) != want {
		b.t.Errorf("read %q with the error %v, want %q", got, err, want)
	}
}

func TestTheKeysetIsMadeOnceHoweverManySetupsRun(t *testing.T) {
	b := newBrand(t)
	if _, err := keys.Load(t.Context(), b.store, keys.Wrapping{}); err == nil {
		t.Error("a database without a keyset has keys")
	}
	var setups sync.WaitGroup
	for range 8 {
		setups.Go(func() {
			if err := keys.Ensure(t.Context(), b.store, keys.Wrapping{}); err != nil {
				t.Error(err)
			}
		})
	}
	setups.Wait()
	encrypted := b.encrypts(keys.Wrapping{}, "order 17")
	if bytes.Contains(encrypted, []byte("order")) {
		t.Error("what was encrypted can be read")
	}
	if err := keys.Ensure(t.Context(), b.store, keys.Wrapping{}); err != nil {
		t.Fatal(err)
	}
	b.wantReads(keys.Wrapping{}, encrypted, "order 17")
}

func TestAKeyOfTheBrandsWrapsTheKeyset(t *testing.T) {
	b := newBrand(t)
	if err := keys.Ensure(t.Context(), b.store, keys.Wrapping{}); err != nil {
		t.Fatal(err)
	}
	encrypted := b.encrypts(keys.Wrapping{}, "order 17")
	first, second := newKey(), newKey()
	for _, step := range []struct {
		sentence string
		secret   map[string]string
	}{
		{"a key comes", map[string]string{"key": first}},
		{"setup runs again", map[string]string{"key": first}},
		{"the key is replaced", map[string]string{"key": second, "previousKey": first}},
		{"the previous key is taken away", map[string]string{"key": second}},
	} {
		t.Run(step.sentence, func(t *testing.T) {
			b.holds(step.secret)
			if err := keys.Ensure(t.Context(), b.store, b.wrapped()); err != nil {
				t.Fatal(err)
			}
			b.wantReads(b.wrapped(), encrypted, "order 17")
			if _, err := keys.Load(t.Context(), b.store, keys.Wrapping{}); err == nil {
				t.Error("the database alone gives the keys")
			}
		})
	}
}

func TestAReplicaThatStartsBeforeTheKeysetIsWrappedAnewReadsIt(t *testing.T) {
	b := newBrand(t)
	first := newKey()
	b.holds(map[string]string{"key": first})
	if err := keys.Ensure(t.Context(), b.store, b.wrapped()); err != nil {
		t.Fatal(err)
	}
	encrypted := b.encrypts(b.wrapped(), "order 17")
	b.holds(map[string]string{"key": newKey(), "previousKey": first})
	b.wantReads(b.wrapped(), encrypted, "order 17")
}

func TestAKeyThatCannotBeUsedSaysWhatToDoAndNothingOfTheKey(t *testing.T) {
	first := newKey()
	for name, tt := range map[string]struct {
		secret  map[string]string
		unnamed bool
		want    string
	}{
		"a Secret without the key":          {secret: map[string]string{"previousKey": first}, want: `names has no "key"`},
		"a key that is too short":           {secret: map[string]string{"key": "aHVudGVyMg=="}, want: `"key" in the Secret`},
		"a key that is no base64":           {secret: map[string]string{"key": "hunter2"}, want: `"key" in the Secret`},
		"another key":                       {secret: map[string]string{"key": newKey()}, want: `under "previousKey"`},
		"another key with another previous": {secret: map[string]string{"key": newKey(), "previousKey": newKey()}, want: `under "previousKey"`},
		"a previous key that is no key":     {secret: map[string]string{"key": first, "previousKey": "hunter2"}, want: `"previousKey" in the Secret`},
		"a Brand that names none any more":  {unnamed: true, want: "set spec.privacy.encryptionKeySecretRef"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBrand(t)
			b.holds(map[string]string{"key": first})
			if err := keys.Ensure(t.Context(), b.store, b.wrapped()); err != nil {
				t.Fatal(err)
			}
			encrypted := b.encrypts(b.wrapped(), "order 17")
			b.holds(tt.secret)
			wrapping := b.wrapped()
			if tt.unnamed {
				wrapping = keys.Wrapping{}
			}
			_, loadErr := keys.Load(t.Context(), b.store, wrapping)
			for _, err := range []error{keys.Ensure(t.Context(), b.store, wrapping), loadErr} {
				if !errors.Is(err, keys.ErrKey) || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "hunter2") {
					t.Errorf("the error is %v, want %q and nothing of the key", err, tt.want)
				}
			}
			b.holds(map[string]string{"key": first})
			b.wantReads(b.wrapped(), encrypted, "order 17")
		})
	}
}

func TestConnectorsMayNotReadTheKeyset(t *testing.T) {
	b := newBrand(t)
	login := testenv.ConnectorURL(t, b.url)
	config, err := pgx.ParseConfig(login)
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Migrate(t.Context(), b.url, config.User); err != nil {
		t.Fatal(err)
	}
	connector, err := pgx.Connect(t.Context(), login)
	if err != nil {
		t.Fatal(err)
	}
	defer connector.Close(t.Context())
	for _, statement := range []string{"SELECT FROM keyset", "DELETE FROM keyset", "INSERT INTO keyset (content, wrapped) VALUES ('', false)"} {
		if _, err := connector.Exec(t.Context(), statement); err == nil {
			t.Errorf("a connector may %s", statement)
		}
	}
}
