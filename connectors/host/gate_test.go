package host

import (
	"context"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/connectors"
	"github.com/yingda-dev/yingda/internal/configz"
	"github.com/yingda-dev/yingda/internal/message"
)

// mute is a connector that no test calls.
type mute struct{}

func (*mute) Send(context.Context, message.Outbound) error { return nil }
func (*mute) Check(context.Context) error                  { return nil }

// gated is a table with one Channel, and a clock.
type gated struct {
	*table
	t         *testing.T
	now       time.Time
	connector *mute
}

func newGated(t *testing.T) *gated {
	t.Helper()
	g := &gated{t: t, now: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC), connector: &mute{}}
	services := connectors.Services{Clock: func() time.Time { return g.now }, Logger: slog.New(slog.DiscardHandler)}
	g.table = newTable(nil, "lumi", "miniprogram", nil, services, newMetrics(prometheus.NewRegistry()))
	g.entries["shop"] = &entry{
		channel: &v1alpha1.Channel{ObjectMeta: metav1.ObjectMeta{Name: "shop"}}, connector: g.connector,
		stopCheck: func() {}, credentials: configz.CredentialsAccepted,
	}
	return g
}

// admitted takes a turn; it fails the test when there is one against what is expected.
func (g *gated) admitted(what string, want bool) turn { //nolint:revive // want is what is expected, not what to do.
	g.t.Helper()
	turn, ok := g.admit("shop")
	if ok != want {
		g.t.Errorf("%s: a message may go out is %t, want %t", what, ok, want)
	}
	return turn
}

func (g *gated) says(want configz.Credentials) {
	g.t.Helper()
	if got := g.report().Channels["shop"].Credentials; got != want {
		g.t.Errorf("the credentials are %s, want %s", got, want)
	}
}

func (g *gated) due() bool {
	senders, _ := g.ready()
	return len(senders) == 1
}

func blocked() *connectors.CallError {
	return &connectors.CallError{Class: connectors.ClassCredentials, Code: 48004, Reason: "APIBlocked"}
}

func TestAfterARefusedSendOnlyAMessageThatArrivesOpensTheChannel(t *testing.T) {
	t.Parallel()
	g := newGated(t)
	first, second := g.admitted("open", true), g.admitted("open", true)
	g.sent(first, blocked())
	g.says(configz.CredentialsRejected)
	g.settle("shop", g.connector, nil)
	g.says(configz.CredentialsRejected) // A token can be had; that proves nothing.
	g.sent(second, nil)                 // It was under way before.
	g.says(configz.CredentialsRejected)
	g.admitted("just refused", false)
	for _, pause := range []time.Duration{recheckAfter, 2 * recheckAfter, 4 * recheckAfter, 8 * recheckAfter, recheckMost, recheckMost} {
		g.now = g.now.Add(pause - 1)
		g.admitted("before the pause ended", false)
		if g.due() {
			t.Error("a sweep looks for messages before the pause ended")
		}
		g.now = g.now.Add(1)
		if !g.due() {
			t.Error("no sweep looks for a message that may try")
		}
		g.unused(g.admitted("nothing to send", true))
		probe := g.admitted("the pause ended", true)
		g.admitted("one is trying", false)
		g.sent(probe, blocked())
		g.says(configz.CredentialsRejected)
	}
	g.now = g.now.Add(recheckMost)
	g.sent(g.admitted("to a customer who left", true), &connectors.CallError{Class: connectors.ClassPermanent, Reason: "InvalidCustomer"})
	g.says(configz.CredentialsRejected)
	g.admitted("it said nothing about the account", false)
	g.now = g.now.Add(recheckMost)
	g.sent(g.admitted("to another", true), nil)
	g.says(configz.CredentialsAccepted)
	g.admitted("open again", true)
	g.admitted("for all", true)
}

func TestACheckOpensWhatACheckFinds(t *testing.T) {
	t.Parallel()
	g := newGated(t)
	g.sent(g.admitted("open", true), blocked())
	g.settle("shop", g.connector, &connectors.CallError{Class: connectors.ClassCredentials, Reason: "InvalidAppSecret"})
	g.now = g.now.Add(time.Hour)
	g.admitted("the check knows better than a message", false)
	g.settle("shop", g.connector, nil)
	g.says(configz.CredentialsAccepted)
	g.admitted("open again", true)
}

func TestWhatCannotBeLoadedDoesNotOpenARefusedChannel(t *testing.T) {
	t.Parallel()
	g := newGated(t)
	g.sent(g.admitted("open", true), blocked())
	e := g.entries["shop"]
	e.problem, e.credentials, e.message = "no such key", configz.CredentialsRejected, "no such key"
	g.admitted("what was in force is refused", false)
	g.now = g.now.Add(recheckAfter)
	g.sent(g.admitted("the pause ended", true), nil)
	if got := g.report().Channels["shop"]; got.Credentials != configz.CredentialsRejected || got.Message != "no such key" {
		t.Errorf("report %+v, want that the Channel cannot be loaded", got)
	}
	g.admitted("what was in force goes on", true)
}

func TestALimitOfTheAccountHoldsUpTheWholeChannel(t *testing.T) {
	t.Parallel()
	g := newGated(t)
	limited := &connectors.CallError{Class: connectors.ClassRetryLater, Reason: "RateLimited", RetryAfter: time.Minute, Shared: true}
	first, second, third := g.admitted("open", true), g.admitted("open", true), g.admitted("open", true)
	g.sent(first, limited)
	g.sent(second, limited) // Under way together: it counts once.
	g.sent(third, nil)
	for _, pause := range []time.Duration{time.Minute, 2 * time.Minute, 4 * time.Minute, deferMost, deferMost} {
		g.admitted("limited", false)
		g.now = g.now.Add(pause - 1)
		if g.due() {
			t.Errorf("a sweep looks for messages before %s passed", pause)
		}
		g.now = g.now.Add(1)
		g.sent(g.admitted("the pause ended", true), limited)
	}
	g.says(configz.CredentialsAccepted)
	g.now = g.now.Add(deferMost)
	g.sent(g.admitted("the pause ended", true), nil)
	g.sent(g.admitted("taken", true), limited)
	g.now = g.now.Add(time.Minute)
	g.admitted("the pauses begin anew", true)
}

func TestARightThatIsMissingStopsMessagesAndIsNoMatterOfTheCredentials(t *testing.T) {
	t.Parallel()
	g := newGated(t)
	denied := &connectors.CallError{Class: connectors.ClassCredentials, Code: 48001, Reason: connectors.ReasonNotAuthorized}
	reports := func(when string, want []string) {
		t.Helper()
		if got := g.report().Channels["shop"].Denied; !slices.Equal(got, want) {
			t.Errorf("%s: denied %q, want %q", when, got, want)
		}
	}
	g.sent(g.admitted("open", true), nil)
	g.settle("shop", g.connector, nil)
	g.sent(g.admitted("open", true), denied)
	g.says(configz.CredentialsAccepted)
	reports("refused", []string{"send"})
	g.admitted("just refused", false)
	g.complained("shop", g.connector, callProfile, denied)
	reports("another call too", []string{"send", "user"})
	g.says(configz.CredentialsAccepted)
	g.now = g.now.Add(recheckAfter)
	g.sent(g.admitted("the pause ended", true), nil)
	reports("sending is granted", []string{"user"})
	g.admitted("open again", true)
	g.worked("shop", g.connector, callProfile)
	reports("all is granted", nil)

	// What is not tried again is not held against the account for ever, for another replica may have succeeded.
	g.complained("shop", g.connector, callProfile, denied)
	g.now = g.now.Add(grievanceKept)
	reports("an hour later", nil)

	// But while no message may go out, that is told, however long nobody has tried.
	g.sent(g.admitted("open", true), denied)
	g.now = g.now.Add(24 * time.Hour)
	reports("refused the day before", []string{"send"})
	g.sent(g.admitted("the pause ended", true), nil)
	reports("granted", nil)

	// The credentials may be refused at the same time.
	g.sent(g.admitted("open", true), denied)
	g.settle("shop", g.connector, &connectors.CallError{Class: connectors.ClassCredentials, Reason: "InvalidAppSecret"})
	g.says(configz.CredentialsRejected)
}

func TestWhatBecomesOfNoticesSaysNothingOfMessages(t *testing.T) {
	t.Parallel()
	g := newGated(t)
	reports := func(when string, denied, limited []string) {
		t.Helper()
		if got := g.report().Channels["shop"]; !slices.Equal(got.Denied, denied) || !slices.Equal(got.Limited, limited) {
			t.Errorf("%s: denied %q and limited %q, want %q and %q", when, got.Denied, got.Limited, denied, limited)
		}
	}
	g.notified(g.admitted("open", true), &connectors.CallError{Class: connectors.ClassPermanent, Code: 48001, Reason: connectors.ReasonNotAuthorized})
	reports("notices are not granted", []string{"template"}, nil)
	g.notified(g.admitted("messages are", true), &connectors.CallError{Class: connectors.ClassRetryLater, Code: 45009, Reason: connectors.ReasonQuotaReached})
	reports("and there were too many", []string{"template"}, []string{"template"})
	g.notified(g.admitted("of notices", true), nil)
	reports("one arrived", nil, nil)

	g.sent(g.admitted("open", true), blocked())
	g.now = g.now.Add(recheckAfter)
	g.notified(g.admitted("the pause ended", true), nil)
	g.says(configz.CredentialsRejected)
	g.sent(g.admitted("a notice has not proved that messages arrive", true), nil)
	g.says(configz.CredentialsAccepted)
	g.notified(g.admitted("open again", true), blocked())
	g.says(configz.CredentialsRejected)
}

func TestAReachedQuotaIsToldUntilTheCallWorks(t *testing.T) {
	t.Parallel()
	g := newGated(t)
	reached := &connectors.CallError{Class: connectors.ClassRetryLater, Code: 45009, Reason: connectors.ReasonQuotaReached, RetryAfter: time.Minute, Shared: true}
	g.sent(g.admitted("open", true), reached)
	if got := g.report().Channels["shop"].Limited; !slices.Equal(got, []string{"send"}) {
		t.Errorf("limited %q", got)
	}
	g.now = g.now.Add(time.Minute)
	g.sent(g.admitted("the pause ended", true), nil)
	if got := g.report().Channels["shop"].Limited; got != nil {
		t.Errorf("limited %q after a message that arrived", got)
	}
	// It is noon: the platform's day ends at 16:00 UTC.
	g.sent(g.admitted("open", true), reached)
	midnight := time.Date(2026, 11, 23, 16, 0, 0, 0, time.UTC)
	for when, want := range map[time.Time][]string{midnight.Add(-time.Second): {"send"}, midnight: nil, midnight.AddDate(0, 0, 1): nil} {
		g.now = when
		if got := g.report().Channels["shop"].Limited; !slices.Equal(got, want) {
			t.Errorf("at %s: limited %q, want %q", when, got, want)
		}
	}
}

func TestAChannelThatIsDeletedKeepsWhatIsLoadedWhenItsSecretGoes(t *testing.T) {
	t.Parallel()
	unlabelled := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "shop-wechat"}}
	for name, tc := range map[string]struct {
		deleted, loaded bool
		secret          *corev1.Secret
		want            bool
	}{
		"deleted, and the Secret goes":                {deleted: true, loaded: true, want: true},
		"deleted, and the Secret loses its label":     {deleted: true, loaded: true, secret: unlabelled, want: true},
		"deleted before it was ever loaded":           {deleted: true, want: false},
		"not deleted, and the Secret goes":            {loaded: true, want: false},
		"not deleted, and the Secret loses its label": {loaded: true, secret: unlabelled, want: false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newGated(t)
			e := g.entries["shop"]
			e.needs.SecretName = "shop-wechat"
			if tc.deleted {
				e.channel.DeletionTimestamp = &metav1.Time{Time: g.now}
			}
			if !tc.loaded {
				e.connector, e.credentials = nil, configz.CredentialsNotYetTried
			}
			g.setSecret("shop-wechat", tc.secret)
			g.admitted("the Secret is gone", tc.want)
			want := configz.CredentialsNotYetTried
			if tc.want {
				want = configz.CredentialsAccepted
			}
			g.says(want)
		})
	}
}
