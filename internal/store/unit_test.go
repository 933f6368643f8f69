package store_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/store"
)

// ownRelay owns the shard of one key and notes when it is woken.
type ownRelay struct {
	key   string
	woken []string
}

func (r *ownRelay) Owns(_ string, shard int16) bool { return shard == store.ShardOf(r.key) }
func (r *ownRelay) Wake(destination string)         { r.woken = append(r.woken, destination) }

func TestOthersAreNotifiedOnlyOfWhatTheOwnRelayDoesNotSend(t *testing.T) {
	s := open(t)
	listener, err := pgx.ConnectConfig(t.Context(), s.Pool().Config().ConnConfig)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close(context.WithoutCancel(t.Context())) })
	if _, err := listener.Exec(t.Context(), "LISTEN outbox"); err != nil {
		t.Fatal(err)
	}
	others := slices.IndexFunc([]string{"b", "c", "d"}, func(key string) bool { return store.ShardOf(key) != store.ShardOf("a") })
	relay := &ownRelay{key: "a"}
	around := scope()
	around.Relay = relay
	for _, test := range []struct {
		key       string
		wantWoken []string
	}{{"a", []string{store.DestinationKafka}}, {[]string{"b", "c", "d"}[others], nil}} {
		relay.woken = nil
		err := s.Do(t.Context(), around, func(ctx context.Context, u *store.Unit) error {
			u.Tell(ctx, test.key, message.FrameMessage, 1)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(test.wantWoken, relay.woken); diff != "" {
			t.Errorf("of %s the own relay is woken for (-want +got):\n%s", test.key, diff)
		}
	}
	if _, err := s.Pool().Exec(t.Context(), "NOTIFY outbox, 'end'"); err != nil {
		t.Fatal(err)
	}
	var heard []string
	for len(heard) == 0 || heard[len(heard)-1] != "end" {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		notification, err := listener.WaitForNotification(ctx)
		cancel()
		if err != nil {
			t.Fatal(err)
		}
		heard = append(heard, notification.Payload)
	}
	if diff := cmp.Diff([]string{store.DestinationKafka, "end"}, heard); diff != "" {
		t.Errorf("notified (-want +got):\n%s", diff)
	}
}

func TestAUnitInWhichAStatementFailedIsNeverTakenForCommitted(t *testing.T) {
	err := open(t).Do(t.Context(), scope(), func(ctx context.Context, u *store.Unit) error {
		if err := u.OutboxNotify(ctx, strings.Repeat("too long", 2000)); err == nil {
			t.Error("the statement did not fail")
		}
		return nil
	})
	if !errors.Is(err, pgx.ErrTxCommitRollback) {
		t.Errorf("error is %v, want %v", err, pgx.ErrTxCommitRollback)
	}
}

func TestAUnitThatFailsLeavesNothingBehind(t *testing.T) {
	s := open(t)
	failed := errors.New("failed")
	tell := func(ctx context.Context, u *store.Unit) {
		if err := u.OutboxNotify(ctx, store.DestinationKafka); err != nil {
			t.Error(err)
		}
		u.Tell(ctx, "xiaomei", message.FrameMessage, 1)
	}
	for name, end := range map[string]func(cancel func()) error{
		"with an error":  func(func()) error { return failed },
		"with a panic":   func(func()) error { panic(failed) },
		"when cancelled": func(cancel func()) error { cancel(); return nil },
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			func() {
				defer func() { _ = recover() }()
				err := s.Do(ctx, scope(), func(ctx context.Context, u *store.Unit) error {
					tell(ctx, u)
					return end(cancel)
				})
				if err == nil {
					t.Error("the unit did not fail")
				}
			}()
			if head, err := s.Queries().FeedHead(t.Context(), "xiaomei"); err != nil || head != 0 {
				t.Errorf("the feed is at %d, %v", head, err)
			}
			if in := s.Pool().Stat().AcquiredConns(); in != 0 {
				t.Errorf("%d connections are not given back", in)
			}
			var open int
			err := s.Pool().QueryRow(t.Context(), "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in transaction%'").Scan(&open)
			if err != nil || open != 0 {
				t.Errorf("%d transactions are left open, %v", open, err)
			}
		})
	}
}
