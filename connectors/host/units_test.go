package host

import (
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/yingda-dev/yingda/connectors"
	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/store/db"
)

func TestBreakerLeavesKafkaAloneForAWhileThenSendsOneToLook(t *testing.T) {
	t.Parallel()
	var b breaker
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	away := errors.New("away")
	steps := []struct {
		what string
		ok   bool
	}{
		{"at first all may try", b.try(now)},
		{"and at once", b.try(now)},
		{"the first failure opens it", b.done(away, now) == breakerOpened},
		{"the second tells nothing new", b.done(away, now) == breakerSame},
		{"nobody may try", !b.try(now.Add(breakerPause - 1))},
		{"then one may look", b.try(now.Add(breakerPause))},
		{"and only one", !b.try(now.Add(breakerPause))},
		{"whose failure keeps it open", b.done(away, now.Add(breakerPause)) == breakerSame && !b.try(now.Add(breakerPause))},
		{"one may look again", b.try(now.Add(3 * breakerPause))},
		{"whose success closes it", b.done(nil, now.Add(3*breakerPause)) == breakerClosed},
		{"and all may try again", b.try(now)},
		{"at once", b.try(now)},
	}
	for _, step := range steps {
		if !step.ok {
			t.Errorf("not so: %s", step.what)
		}
	}
}

func TestRecentRemembersTheLastMessagesAndForgetsOldOnes(t *testing.T) {
	t.Parallel()
	var r recent
	for i := range 3 * recentKept {
		r.add(fmt.Sprint("m", i))
	}
	if r.has("m0") || r.has("other") {
		t.Error("it remembers what is long past, or never was")
	}
	if !r.has(fmt.Sprint("m", 3*recentKept-1)) || !r.has(fmt.Sprint("m", 2*recentKept)) {
		t.Error("it forgets what has just been")
	}
	if size := len(r.new) + len(r.last); size > 2*recentKept {
		t.Errorf("it holds %d keys, want at most %d", size, 2*recentKept)
	}
}

func TestBackoffGrowsToALimitAndRespectsThePlatform(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		attempts int32
		least    time.Duration
		want     time.Duration
	}{
		"the first":              {1, 0, time.Second},
		"the third":              {3, 0, 4 * time.Second},
		"the hundredth":          {100, 0, deferMost},
		"the platform's minute":  {1, time.Minute, time.Minute},
		"an attempt of no count": {0, 0, time.Second},
	} {
		if got := backoff(tc.attempts, tc.least); got < tc.want || got > tc.want+tc.want/5 {
			t.Errorf("%s: %s, want %s and at most a fifth more", name, got, tc.want)
		}
	}
}

func TestNULIsFoundWhereItIsOne(t *testing.T) {
	t.Parallel()
	for data, want := range map[string]bool{
		`{"text":"a\u0000b"}`:               true,
		`{"text":"a\\u0000b"}`:              false,
		`{"text":"a\\\u0000b"}`:             true,
		`{"page":{"title":["x","\u0000"]}}`: true,
		`{"text":"a"}`:                      false,
	} {
		if got := holdsNUL([]byte(data)); got != want {
			t.Errorf("holdsNUL(%s) = %t, want %t", data, got, want)
		}
	}
}

func TestResultsAreWrittenByTheirClass(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	d := newDispatcher("me", nil, nil, nil, func() time.Time { return now }, newMetrics(prometheus.NewRegistry()), slog.New(slog.DiscardHandler))
	t.Cleanup(d.stop)
	for class, want := range map[connectors.Class]struct {
		state    message.DeliveryState
		ledger   store.Ledger
		deferred bool
	}{
		"":                           {message.DeliveryDelivered, store.LedgerKeep, false},
		connectors.ClassUnknown:      {message.DeliveryUnknown, store.LedgerKeep, false},
		connectors.ClassPermanent:    {message.DeliveryFailed, store.LedgerRefund, false},
		connectors.ClassWindowClosed: {message.DeliveryFailed, store.LedgerWindowClosed, false},
		connectors.ClassQuotaSpent:   {message.DeliveryFailed, store.LedgerQuotaSpent, false},
		connectors.ClassRetryLater:   {message.DeliveryDeferred, store.LedgerRefund, true},
		connectors.ClassCredentials:  {message.DeliveryDeferred, store.LedgerRefund, true},
	} {
		var failure *connectors.CallError
		if class != "" {
			failure = &connectors.CallError{Class: class, Code: 7, Reason: "Because"}
		}
		got := d.judge(store.Claim{Row: db.Delivery{Attempts: 1}}, failure)
		if got.State != want.state || got.Ledger != want.ledger || got.NotBefore.After(now) != want.deferred || got.Owner != "me" {
			t.Errorf("%q: %+v, want %+v", class, got, want)
		}
		if failure != nil && (got.Code != 7 || got.Reason != "Because") {
			t.Errorf("%q: %+v, want code and reason", class, got)
		}
	}
}
