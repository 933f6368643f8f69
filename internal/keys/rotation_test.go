package keys_test

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tink-crypto/tink-go/v2/tink"

	"github.com/yingda-dev/yingda/internal/keys"
	"github.com/yingda-dev/yingda/internal/store"
)

const day = 24 * time.Hour

func TestPolicySaysWhenAKeyIsToBeReplaced(t *testing.T) {
	made := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for name, tt := range map[string]struct {
		policy keys.Policy
		after  time.Duration
		want   bool
	}{
		"no policy, after years":                    {keys.Policy{}, 3000 * day, false},
		"every 90 days, a second before":            {keys.Policy{Every: 90 * day}, 90*day - time.Second, false},
		"every 90 days, on the day":                 {keys.Policy{Every: 90 * day}, 90 * day, true},
		"after a time that is to come":              {keys.Policy{After: made.Add(2 * day)}, day, false},
		"after a time that has come":                {keys.Policy{After: made.Add(2 * day)}, 2 * day, true},
		"after a time before the key was made":      {keys.Policy{After: made.Add(-day)}, 2 * day, false},
		"after the very time that the key was made": {keys.Policy{After: made}, 2 * day, false},
		"every year, and after a time that has come": {
			keys.Policy{Every: 365 * day, After: made.Add(2 * day)}, 3 * day, true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			if got := tt.policy.Due(made, made.Add(tt.after)); got != tt.want {
				t.Errorf("due is %t, want %t", got, tt.want)
			}
		})
	}
}

// rotated is a Brand whose keys are replaced, by a clock of its own.
type rotated struct {
	*brand
	now    time.Time
	policy keys.Policy
	logged bytes.Buffer
}

func newRotated(t *testing.T) *rotated {
	t.Helper()
	r := &rotated{brand: newBrand(t), policy: keys.Policy{Every: 90 * day}}
	r.holds(map[string]string{"key": newKey()})
	r.setUp()
	r.now = time.Now()
	return r
}

func (r *rotated) setUp() {
	r.t.Helper()
	if err := keys.Ensure(r.t.Context(), r.store, r.wrapped()); err != nil {
		r.t.Fatal(err)
	}
}

// secret is what the Secret holds under a key.
func (r *rotated) secret(key string) string {
	r.t.Helper()
	content, err := os.ReadFile(filepath.Join(r.dir, key))
	if err != nil {
		r.t.Fatal(err)
	}
	return string(content)
}

func (r *rotated) logger() *slog.Logger { return slog.New(slog.NewTextHandler(&r.logged, nil)) }

// step is a worker that starts, looks once and is killed.
func (r *rotated) step() {
	r.t.Helper()
	rotation := &keys.Rotation{
		Store: r.store, Wrapping: r.wrapped(), Policy: func() keys.Policy { return r.policy }, Now: func() time.Time { return r.now }, Logger: r.logger(),
	}
	if err := rotation.Step(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
}

// replica is a process with connections, a mounted Secret and a keyset of its own.
type replica struct {
	*keys.Ring
	of   *rotated
	name string
	dir  string
}

func (r *rotated) replica(name string) *replica {
	r.t.Helper()
	opened, err := store.Open(r.t.Context(), r.url)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(opened.Close)
	dir := r.t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(r.dir)); err != nil {
		r.t.Fatal(err)
	}
	ring, err := keys.Load(r.t.Context(), opened, keys.Wrapping{KeyFile: filepath.Join(dir, "key"), PreviousKeyFile: filepath.Join(dir, "previousKey")})
	if err != nil {
		r.t.Fatal(err)
	}
	return &replica{ring, r, name, dir}
}

// losesKey leaves the replica at work by the keys that it has.
func (p *replica) losesKey() {
	p.of.t.Helper()
	if err := os.Remove(filepath.Join(p.dir, "key")); err != nil {
		p.of.t.Fatal(err)
	}
}

func (p *replica) refresh() error {
	return p.Refresh(p.of.t.Context(), keys.Replica{Name: p.name, Now: func() time.Time { return p.of.now }, Logger: p.of.logger()})
}

func (r *rotated) refresh(replicas ...*replica) {
	r.t.Helper()
	for _, replica := range replicas {
		if err := replica.refresh(); err != nil {
			r.t.Fatal(err)
		}
	}
}

// settled lets the time pass after which a new key may encrypt.
func (r *rotated) settled() { r.now = r.now.Add(10 * time.Minute) }

func encrypt(t *testing.T, by tink.AEAD, text string) []byte {
	t.Helper()
	encrypted, err := by.Encrypt([]byte(text), nil)
	if err != nil {
		t.Fatal(err)
	}
	return encrypted
}

func wantDecrypts(t *testing.T, by tink.AEAD, encrypted []byte, want string) {
	t.Helper()
	if got, err := by.Decrypt(encrypted, nil); err != nil || string(got) != want {
		t.Errorf("read %q with the error %v, want %q", got, err, want)
	}
}

// keyOf is which key encrypted something: Tink begins with that.
func keyOf(encrypted []byte) string { return string(encrypted[:5]) }

func TestEveryReplicaReadsWhatEveryOtherWroteInEachStepOfARotation(t *testing.T) {
	r := newRotated(t)
	router, worker := r.replica("router-0"), r.replica("workflows-0")
	r.refresh(router, worker)
	var written [][]byte
	exchange := func(sentence string, replicas ...*replica) {
		t.Helper()
		for _, writer := range replicas {
			written = append(written, encrypt(t, writer, "order 17"))
		}
		for _, reader := range replicas {
			for _, encrypted := range written {
				if got, err := reader.Decrypt(encrypted, nil); err != nil || string(got) != "order 17" {
					t.Errorf("%s: %s read %q with the error %v", sentence, reader.name, got, err)
				}
			}
		}
	}
	exchange("before", router, worker)
	r.now = r.now.Add(90 * day)
	r.step()
	exchange("a key came, and nobody has it", router, worker)
	r.refresh(worker)
	exchange("one replica has it", router, worker)
	r.settled()
	r.refresh(worker, router)
	exchange("all have it", router, worker)
	r.step()
	r.refresh(worker)
	exchange("one replica encrypts by it", router, worker)
	r.refresh(router)
	exchange("all do", router, worker, r.replica("desk-0"))
	if first, last := keyOf(written[0]), keyOf(written[len(written)-1]); first == last {
		t.Error("the key that encrypts is the one of before")
	}
	if state := router.State(); state.Keys != 2 || state.NextMadeAt != nil || state.MadeAt.Before(r.now.Add(-day)) {
		t.Errorf("the state is %+v, want two keys and none to come", state)
	}
}

func TestANewKeyDoesNotEncryptBeforeEveryReplicaHasIt(t *testing.T) {
	for name, tt := range map[string]struct {
		wait time.Duration
		// lacks says that a replica cannot take the new key, silent for how long it was not heard of then.
		lacks  bool
		silent time.Duration
		want   bool
	}{
		"all have it at once":                    {wait: time.Minute},
		"all have it, and it has settled":        {wait: 10 * time.Minute, want: true},
		"one at work has it not":                 {wait: 10 * time.Minute, lacks: true},
		"one has it not after an hour":           {wait: time.Hour, lacks: true, silent: time.Minute},
		"one that has it not is gone long since": {wait: time.Hour, lacks: true, silent: 3 * time.Minute, want: true},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRotated(t)
			worker, desk := r.replica("workflows-0"), r.replica("desk-0")
			r.refresh(worker, desk)
			before := keyOf(encrypt(t, worker, ""))
			if tt.lacks {
				desk.losesKey()
			}
			r.now = r.now.Add(90 * day)
			r.step()
			r.now = r.now.Add(tt.wait - tt.silent)
			if err := desk.refresh(); (err != nil) != tt.lacks {
				t.Fatalf("the error is %v", err)
			}
			r.now = r.now.Add(tt.silent)
			r.refresh(worker)
			r.step()
			r.refresh(worker)
			if got := keyOf(encrypt(t, worker, "")) != before; got != tt.want {
				t.Errorf("the new key encrypts: %t, want %t", got, tt.want)
			}
			wantDecrypts(t, desk, encrypt(t, desk, "order 17"), "order 17")
			if named := strings.Contains(r.logged.String(), "desk-0"); named != (tt.lacks && !tt.want) {
				t.Errorf("the log names who is waited for: %t: %s", named, r.logged.String())
			}
		})
	}
}

func TestARotationGoesOnWhereAnotherDied(t *testing.T) {
	r := newRotated(t)
	worker := r.replica("workflows-0")
	r.refresh(worker)
	encrypted := encrypt(t, worker, "order 17")
	r.now = r.now.Add(90 * day)
	// Each step is by a worker that dies after it. The policy goes meanwhile: what was begun comes to its end.
	for range 3 {
		r.step()
	}
	if known := r.replica("desk-0").State().Keys; known != 2 {
		t.Fatalf("there are %d keys, want one more than before", known)
	}
	r.policy = keys.Policy{}
	for range 3 {
		r.settled()
		r.refresh(worker)
		r.step()
	}
	state := r.replica("desk-0").State()
	if state.Keys != 2 || state.NextMadeAt != nil {
		t.Errorf("the state is %+v, want two keys and none to come", state)
	}
	wantDecrypts(t, r.replica("desk-0"), encrypted, "order 17")
}

func TestManyWorkersMakeOneKey(t *testing.T) {
	r := newRotated(t)
	r.now = r.now.Add(90 * day)
	var workers sync.WaitGroup
	for range 8 {
		workers.Go(r.step)
	}
	workers.Wait()
	if known := r.replica("desk-0").State().Keys; known != 2 {
		t.Errorf("there are %d keys, want 2", known)
	}
}

func TestTheWrappingKeyIsReplacedInTheMiddleOfARotation(t *testing.T) {
	r := newRotated(t)
	worker := r.replica("workflows-0")
	r.refresh(worker)
	encrypted := encrypt(t, worker, "order 17")
	first := r.secret("key")
	r.now = r.now.Add(90 * day)
	r.step()
	r.holds(map[string]string{"key": newKey(), "previousKey": first})
	r.settled()
	r.step()
	if state := r.replica("router-0").State(); state.NextMadeAt == nil {
		t.Error("a key turned before setup has wrapped the keyset anew")
	}
	r.setUp()
	r.holds(map[string]string{"key": r.secret("key")})
	// The worker of before has its keys; the one that comes after it has the new Secret.
	wantDecrypts(t, worker, encrypt(t, worker, "order 18"), "order 18")
	next := r.replica("workflows-1")
	r.refresh(next)
	r.now = r.now.Add(5 * time.Minute)
	r.refresh(next)
	r.step()
	r.refresh(next)
	if state := next.State(); state.Keys != 2 || state.NextMadeAt != nil {
		t.Errorf("the state is %+v, want two keys and none to come", state)
	}
	wantDecrypts(t, next, encrypted, "order 17")
}

func TestFollowEndsWithItsContext(t *testing.T) {
	r := newRotated(t)
	worker := r.replica("workflows-0")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	worker.Follow(ctx, keys.Replica{Name: "workflows-0", Now: time.Now, Logger: r.logger()})
	(&keys.Rotation{Store: r.store, Wrapping: r.wrapped(), Policy: func() keys.Policy { return keys.Policy{} }, Now: time.Now, Logger: r.logger()}).Run(ctx)
	if r.logged.Len() > 0 {
		t.Errorf("an orderly end is logged: %s", r.logged.String())
	}
}
