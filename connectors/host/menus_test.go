package host

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/connectors"
	"github.com/yingda-dev/yingda/internal/configz"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/testenv"
)

// board is a platform with one menu and customers who have union ids; it counts what is asked of it.
type board struct {
	mute
	shown  string
	asked  int
	ours   []string
	refuse *connectors.CallError
}

func (b *board) KeepMenu(_ context.Context, channel *v1alpha1.Channel, ours string) (connectors.Menu, error) {
	b.asked++
	b.ours = append(b.ours, ours)
	if b.refuse != nil {
		return connectors.Menu{}, b.refuse
	}
	b.shown = ""
	if channel.DeletionTimestamp == nil && channel.Spec.OfficialAccount.Menu != nil {
		b.shown = channel.Spec.OfficialAccount.Menu.Buttons[0].Name
	}
	return connectors.Menu{Published: b.shown}, nil
}

func (b *board) Profile(_ context.Context, customer, loginCode string) (connectors.Profile, error) {
	b.asked++
	if b.refuse != nil {
		return connectors.Profile{}, b.refuse
	}
	return connectors.Profile{UnionID: "union of " + customer + loginCode}, nil
}

// boarded is one replica's table with an official account.
type boarded struct {
	*table
	menus    *menus
	profiler *profiler
}

func withMenu(name string, generation int64) *v1alpha1.Channel {
	channel := &v1alpha1.Channel{ObjectMeta: metav1.ObjectMeta{Name: "service", UID: "u", Generation: generation}}
	channel.Spec.OfficialAccount = &v1alpha1.OfficialAccountSpec{}
	if name != "" {
		channel.Spec.OfficialAccount.Menu = &v1alpha1.Menu{Buttons: []v1alpha1.MenuButton{{Name: name}}}
	}
	return channel
}

func newBoarded(s *store.Store, b *board, now *time.Time) *boarded {
	clock := func() time.Time { return *now }
	services := connectors.Services{Clock: clock, Logger: slog.New(slog.DiscardHandler)}
	r := &boarded{table: newTable(nil, "lumi", "officialaccount", nil, services, newMetrics(prometheus.NewRegistry()))}
	r.entries["service"] = &entry{channel: withMenu("", 1), connector: b, stopCheck: func() {}, credentials: configz.CredentialsAccepted}
	r.menus, r.profiler = newMenus(r.table, s, clock, services.Logger), newProfiler(r.table, s, clock, services.Logger)
	return r
}

func migrate(ctx context.Context, url string) error { return store.Migrate(ctx, url, "") }

func newStore(t *testing.T) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), testenv.Database(t, migrate))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func TestOneReplicaLooksAfterAMenuAndAllTellOfIt(t *testing.T) {
	t.Parallel()
	s, b, now := newStore(t), &board{}, time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	replicas := []*boarded{newBoarded(s, b, &now), newBoarded(s, b, &now)}
	declare := func(channel *v1alpha1.Channel, to ...*boarded) {
		for _, r := range to {
			r.entries["service"].channel = channel
		}
	}
	step := func(what string, asked int, want *configz.Menu) {
		t.Helper()
		for range 2 {
			for _, r := range replicas {
				if err := r.menus.pass(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
		}
		if b.asked != asked {
			t.Errorf("%s: the platform was asked %d times so far, want %d", what, b.asked, asked)
		}
		for i, r := range replicas {
			if diff := cmp.Diff(want, r.report().Channels["service"].Menu); diff != "" {
				t.Errorf("%s: replica %d reports (-want +got):\n%s", what, i, diff)
			}
		}
	}
	step("none is declared", 0, nil)
	declare(withMenu("one", 2), replicas...)
	step("one is", 1, &configz.Menu{Generation: 2, State: "Published", Ours: true})
	now = now.Add(menuCheck)
	step("it is time again", 2, &configz.Menu{Generation: 2, State: "Published", Ours: true})
	declare(withMenu("two", 3), replicas[0])
	step("one replica has heard of another, and the other does not undo it", 3, &configz.Menu{Generation: 3, State: "Published", Ours: true})
	if b.shown != "two" {
		t.Errorf("it shows %q", b.shown)
	}
	declare(withMenu("two", 3), replicas[1])
	step("both have", 3, &configz.Menu{Generation: 3, State: "Published", Ours: true})

	b.refuse = &connectors.CallError{Class: connectors.ClassCredentials, Code: 48001, Reason: connectors.ReasonNotAuthorized}
	declare(withMenu("three", 4), replicas...)
	step("it is refused", 4, &configz.Menu{Generation: 4, State: connectors.ReasonNotAuthorized, Code: 48001, Ours: true})
	b.refuse = nil
	now = now.Add(menuCheck)
	step("it is granted", 5, &configz.Menu{Generation: 4, State: "Published", Ours: true})

	deleted := withMenu("three", 5)
	deleted.DeletionTimestamp = &metav1.Time{Time: now}
	declare(deleted, replicas...)
	step("the Channel is deleted", 6, &configz.Menu{Generation: 5, State: "Absent"})
	now = now.Add(time.Hour)
	step("nothing is left to look after", 6, &configz.Menu{Generation: 5, State: "Absent"})
	// What was published for a Channel of the same name is nothing of the next one's.
	next := withMenu("new", 1)
	next.UID = "another"
	declare(next, replicas...)
	step("another one of the name", 7, &configz.Menu{Generation: 1, State: "Published", Ours: true})
	if got := b.ours[len(b.ours)-1]; got != "" {
		t.Errorf("of the one before %q is taken for ours", got)
	}
}

func TestPlatformsAreAskedOnceWhoACustomerIs(t *testing.T) {
	t.Parallel()
	s, b, now := newStore(t), &board{}, time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	replicas := []*boarded{newBoarded(s, b, &now), newBoarded(s, b, &now)}
	want := func(customer, code string) {
		t.Helper()
		_, err := s.Pool().Exec(t.Context(), `INSERT INTO profile (channel, external_id, state, login_code, updated_at) VALUES ('service', $1, 'wanted', $2, $3)
			ON CONFLICT (channel, external_id) DO UPDATE SET state = 'wanted', not_before = NULL, login_code = $2`, customer, code, now)
		if err != nil {
			t.Fatal(err)
		}
	}
	state := func() (state string) {
		t.Helper()
		for range 2 {
			for _, r := range replicas {
				if _, err := r.profiler.pass(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
		}
		err := s.Pool().QueryRow(t.Context(), "SELECT state || ' ' || union_id || ' ' || login_code || reason FROM profile").Scan(&state)
		if err != nil {
			t.Fatal(err)
		}
		return state
	}
	want("fan", "+code")
	if got := state(); got != "told union of fan+code " || b.asked != 1 {
		t.Errorf("%q after %d calls", got, b.asked)
	}
	want("fan", "old")
	b.refuse = &connectors.CallError{Class: connectors.ClassRetryLater, Reason: "PlatformBusy"}
	if got := state(); got != "wanted union of fan+code oldPlatformBusy" || b.asked != 2 {
		t.Errorf("busy: %q after %d calls", got, b.asked)
	}
	now = now.Add(time.Minute)
	b.refuse = &connectors.CallError{Class: connectors.ClassPermanent, Reason: "AnotherCustomer"}
	if got := state(); got != "failed union of fan+code AnotherCustomer" || b.asked != 3 {
		t.Errorf("refused: %q after %d calls", got, b.asked)
	}
	want("fan", "")
	b.refuse = &connectors.CallError{Class: connectors.ClassCredentials, Code: 48001, Reason: connectors.ReasonNotAuthorized}
	if got := state(); got != "failed union of fan+code APINotAuthorized" || replicas[0].report().Channels["service"].Credentials != configz.CredentialsAccepted {
		t.Errorf("not granted: %q, %+v", got, replicas[0].report().Channels["service"])
	}
}

func TestWhoWasGivenUpForWantOfARightIsAskedForOnceItIsGranted(t *testing.T) {
	t.Parallel()
	s, b, now := newStore(t), &board{}, time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	r := newBoarded(s, b, &now)
	_, err := s.Pool().Exec(t.Context(), `INSERT INTO profile (channel, external_id, state, reason, updated_at)
		SELECT 'service', 'fan' || n, CASE WHEN n = 4 THEN 'failed' ELSE 'wanted' END, CASE WHEN n = 4 THEN 'AnotherCustomer' ELSE '' END, $1 FROM generate_series(1, 4) AS n`, now)
	if err != nil {
		t.Fatal(err)
	}
	states := func() (states string) {
		t.Helper()
		for more := true; more; {
			if more, err = r.profiler.pass(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Pool().QueryRow(t.Context(), "SELECT string_agg(state || union_id || reason, ',' ORDER BY external_id) FROM profile").Scan(&states); err != nil {
			t.Fatal(err)
		}
		return states
	}
	b.refuse = &connectors.CallError{Class: connectors.ClassCredentials, Code: 48001, Reason: connectors.ReasonNotAuthorized}
	const denied = "failedAPINotAuthorized,failedAPINotAuthorized,failedAPINotAuthorized,failedAnotherCustomer"
	if got := states(); got != denied || b.asked != 3 {
		t.Errorf("not granted: %s after %d calls", got, b.asked)
	}
	for looks := range 3 {
		now = now.Add(profileLookAgain)
		if got := states(); got != denied || b.asked != 4+looks {
			t.Errorf("not granted yet: %s after %d calls, want one call a look", got, b.asked)
		}
	}
	if got := r.report().Channels["service"].Denied; len(got) != 1 {
		t.Errorf("denied %q", got)
	}
	b.refuse = nil
	now = now.Add(profileLookAgain)
	if got, want := states(), "toldunion of fan1,toldunion of fan2,toldunion of fan3,failedAnotherCustomer"; got != want {
		t.Errorf("granted: %s, want %s", got, want)
	}
	if got := r.report().Channels["service"].Denied; len(got) != 0 {
		t.Errorf("denied %q", got)
	}
}
