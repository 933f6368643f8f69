package router

import (
	"encoding/json"
	"encoding/pem"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/configz"
	"github.com/yingda-dev/yingda/internal/domain/oncall"
	"github.com/yingda-dev/yingda/internal/outcall"
)

// pager is what a brand's webhook leads to.
type pager struct {
	*httptest.Server
	mu     sync.Mutex
	answer int
	calls  []pagerCall
}

type pagerCall struct {
	header http.Header
	body   []byte
}

func newPager(t *testing.T) *pager {
	t.Helper()
	p := &pager{answer: http.StatusNoContent}
	p.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		p.calls = append(p.calls, pagerCall{r.Header.Clone(), body})
		if p.answer >= http.StatusMultipleChoices && p.answer < http.StatusBadRequest {
			w.Header().Set("Location", p.URL+"/elsewhere")
		}
		w.WriteHeader(p.answer)
	}))
	t.Cleanup(p.Close)
	return p
}

func (p *pager) answers(status int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answer = status
}

func (p *pager) called() []pagerCall {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.calls
}

// paged is a world whose brand has the pager called, signed with the key, and whose group calls for help.
func paged(t *testing.T, p *pager, key string) *world {
	t.Helper()
	w := newWorld(t, func(objects []client.Object) { shortOf(p.URL, noon().Add(-5*time.Minute))(objects) })
	w.trust(p, key)
	return w
}

// trust makes a router one that may call the pager.
func (w *world) trust(p *pager, key string) {
	w.t.Helper()
	file := filepath.Join(w.t.TempDir(), "key")
	if err := os.WriteFile(file, []byte(key), 0o600); err != nil {
		w.t.Fatal(err)
	}
	authorities := filepath.Join(w.t.TempDir(), "ca.crt")
	if err := os.WriteFile(authorities, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.Certificate().Raw}), 0o600); err != nil {
		w.t.Fatal(err)
	}
	w.Webhook = Webhook{AllowedHosts: []string{strings.TrimPrefix(p.URL, "https://")}, Files: outcall.Files{KeyFile: file, CAFile: authorities}}
}

// shortOf has after-sales lack agents since then, and call xiaomei; a zero time has it lack none.
func shortOf(url string, since time.Time) func([]client.Object) {
	return func(objects []client.Object) {
		of("lumi", func(b *yingdav1.Brand) {
			pager := &yingdav1.CredentialsReference{Name: "pager"}
			b.Spec.OnCall = &yingdav1.BrandOnCall{Webhook: yingdav1.OnCallWebhook{URL: url + "/call", SecretRef: pager, CASecretRef: pager}}
		})(objects)
		of("xiaomei", func(a *yingdav1.Agent) { a.Spec.OnCall = yingdav1.OnCallWhenShort })(objects)
		of("after-sales", func(g *yingdav1.SkillGroup) {
			if since.IsZero() {
				return
			}
			g.Status.Conditions = []metav1.Condition{{Type: yingdav1.ConditionStaffed, Status: metav1.ConditionFalse, Reason: yingdav1.ReasonOnCallCalled}}
			g.Status.Seats = &yingdav1.SkillGroupSeatsStatus{Wanted: new(int32(3)), OnDuty: new(int32(1)), ShortSince: new(metav1.NewTime(since))}
		})(objects)
	}
}

// becomes gives the brand other objects.
func (w *world) becomes(change func([]client.Object)) {
	objects := brand()
	change(objects)
	w.Catalog.Set(objects...)
}

// passes has two seconds pass, as far as calls for help are concerned.
func (w *world) passes(wait time.Duration) {
	w.t.Helper()
	w.now = w.now.Add(wait)
	for range 2 {
		_ = w.passCallsOn(w.t.Context()) // What failed is seen at the pager and in the metrics.
	}
}

func (w *world) outcomes() map[string]float64 {
	w.t.Helper()
	got := metric(w.t, w.registry, "yingda_router_on_call_webhooks_total")
	maps.DeleteFunc(got, func(_ string, n float64) bool { return n == 0 })
	return got
}

func TestTheWebhookIsToldOfEachCallForHelpOnce(t *testing.T) {
	p := newPager(t)
	w := paged(t, p, "secret\n")
	w.passes(0)
	w.passes(time.Hour)
	// Another router, or this one after a restart, knows no more than the database.
	again := New(w.Config)
	if err := again.passCallsOn(t.Context()); err != nil {
		t.Fatal(err)
	}
	calls := p.called()
	if len(calls) != 1 {
		t.Fatalf("called %d times, want once", len(calls))
	}
	var got oncall.Notice
	if err := json.Unmarshal(calls[0].body, &got); err != nil {
		t.Fatal(err)
	}
	since := noon().Add(-5 * time.Minute).UTC()
	want := oncall.Notice{
		ID: oncall.ID("lumi", "lumi", "after-sales", since), Type: "OnCallCalled", Namespace: "lumi", Brand: "lumi", SkillGroup: "after-sales",
		DisplayName: "after-sales", Since: since, Wanted: 3, OnDuty: 1, OnCall: []string{"xiaomei"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("body (-want +got):\n%s", diff)
	}
	if got := calls[0].header.Get("Idempotency-Key"); got != want.ID {
		t.Errorf("Idempotency-Key is %q, want %q", got, want.ID)
	}
	if got, want := calls[0].header.Get("Yingda-Signature"), oncall.Sign([]byte("secret"), calls[0].body, noon()); got != want {
		t.Errorf("Yingda-Signature is %q, want %q", got, want)
	}
	w.becomes(shortOf(p.URL, time.Time{}))
	w.passes(time.Hour)
	w.becomes(shortOf(p.URL, w.now.Add(-5*time.Minute)))
	w.passes(0)
	if calls = p.called(); len(calls) != 2 || calls[1].header.Get("Idempotency-Key") == want.ID {
		t.Errorf("the next call for help was not told once, under an ID of its own: %d calls", len(calls))
	}
}

func TestTheWebhookIsToldAgainUntilItTakesACall(t *testing.T) {
	p := newPager(t)
	p.answers(http.StatusInternalServerError)
	w := paged(t, p, "secret")
	w.passes(0)
	w.passes(callPause - time.Second)
	if n := len(p.called()); n != 1 {
		t.Fatalf("called %d times before the pause was over, want once", n)
	}
	p.answers(http.StatusOK)
	w.passes(time.Second)
	w.passes(time.Hour)
	calls := p.called()
	if len(calls) != 2 || calls[0].header.Get("Idempotency-Key") != calls[1].header.Get("Idempotency-Key") {
		t.Errorf("called %d times, want twice under one ID", len(calls))
	}
	if diff := cmp.Diff(map[string]float64{string(configz.CallRefused): 1, string(configz.CallDelivered): 1}, w.outcomes()); diff != "" {
		t.Errorf("outcomes (-want +got):\n%s", diff)
	}
}

func TestNobodyIsToldOfWhatIsOver(t *testing.T) {
	p := newPager(t)
	p.answers(http.StatusServiceUnavailable)
	w := paged(t, p, "secret")
	w.passes(0)
	w.becomes(shortOf(p.URL, time.Time{}))
	w.passes(time.Hour)
	if n := len(p.called()); n != 1 {
		t.Errorf("called %d times, want once: enough agents came", n)
	}
}

func TestAWebhookThatNeverTakesACallIsLeftAlone(t *testing.T) {
	p := newPager(t)
	p.answers(http.StatusNotFound)
	w := paged(t, p, "secret")
	for range callAttempts + 5 {
		w.passes(callPauseMost)
	}
	if n := len(p.called()); n != callAttempts {
		t.Errorf("called %d times, want %d", n, callAttempts)
	}
}

func TestAWebhookThatLeadsElsewhereIsNotFollowed(t *testing.T) {
	p := newPager(t)
	p.answers(http.StatusTemporaryRedirect)
	w := paged(t, p, "secret")
	w.passes(0)
	if n := len(p.called()); n != 1 {
		t.Errorf("called %d times, want once", n)
	}
	if diff := cmp.Diff(map[string]float64{string(configz.CallRefused): 1}, w.outcomes()); diff != "" {
		t.Errorf("outcomes (-want +got):\n%s", diff)
	}
}

func TestWhatKeepsTheWebhookFromBeingCalled(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*world)
		want   map[string]float64
	}{
		"a host that is not on the list":     {func(w *world) { w.Webhook.AllowedHosts = []string{"pager.example"} }, map[string]float64{}},
		"an empty list":                      {func(w *world) { w.Webhook.AllowedHosts = nil }, map[string]float64{}},
		"a key that is not there":            {func(w *world) { w.Webhook.KeyFile += "-not" }, map[string]float64{"unsigned": 1}},
		"a replica from before the Secret":   {func(w *world) { w.Webhook.KeyFile = "" }, map[string]float64{"unsigned": 1}},
		"authorities that are not there":     {func(w *world) { w.Webhook.CAFile += "-not" }, map[string]float64{"untrusted": 1}},
		"a replica from before they came":    {func(w *world) { w.Webhook.CAFile = "" }, map[string]float64{"untrusted": 1}},
		"a certificate of nobody we know":    {trustingBrowsers, map[string]float64{"untrusted": 1}},
		"a Brand that is on its way out":     {func(w *world) { w.becomes(leaving) }, map[string]float64{}},
		"a group of which nobody says since": {func(w *world) { w.becomes(sinceUnknown) }, map[string]float64{}},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPager(t)
			w := paged(t, p, "secret")
			tt.change(w)
			w.passes(0)
			if n := len(p.called()); n != 0 {
				t.Errorf("called %d times", n)
			}
			if diff := cmp.Diff(tt.want, w.outcomes()); diff != "" {
				t.Errorf("outcomes (-want +got):\n%s", diff)
			}
		})
	}
}

func leaving(objects []client.Object) {
	shortOf("https://pager.example", noon())(objects)
	of("lumi", func(b *yingdav1.Brand) { b.DeletionTimestamp = new(metav1.NewTime(noon())) })(objects)
}

// trustingBrowsers has the brand name no authorities.
func trustingBrowsers(w *world) {
	url := "https://" + w.Webhook.AllowedHosts[0]
	w.Webhook.CAFile = ""
	w.becomes(func(objects []client.Object) {
		shortOf(url, noon().Add(-5*time.Minute))(objects)
		of("lumi", func(b *yingdav1.Brand) { b.Spec.OnCall.Webhook.CASecretRef = nil })(objects)
	})
}

// The operator shows on the group whether somebody was reached.
func TestARouterSaysWhatCameOfTheLastCall(t *testing.T) {
	p := newPager(t)
	p.answers(http.StatusForbidden)
	w := paged(t, p, "secret")
	if got := w.Calls(); got != nil {
		t.Errorf("says %v before it looked", got)
	}
	since := noon().Add(-5 * time.Minute).UTC()
	for _, step := range []struct {
		sentence string
		happens  func()
		want     configz.Call
	}{
		{"a refusal", func() { w.passes(0) }, configz.Call{Since: since, Attempts: 1, Outcome: configz.CallRefused, Code: http.StatusForbidden}},
		{"nobody there", func() { p.Close(); w.passes(callPauseMost) }, configz.Call{Since: since, Attempts: 2, Outcome: configz.CallUnreachable}},
		{"given up", func() {
			for range callAttempts {
				w.passes(callPauseMost)
			}
		}, configz.Call{Since: since, Attempts: callAttempts, Outcome: configz.CallUnreachable, GivenUp: true}},
		{
			"the call is over", func() { w.becomes(shortOf(p.URL, time.Time{})); w.passes(time.Hour) },
			configz.Call{Since: since, Attempts: callAttempts, Outcome: configz.CallUnreachable, GivenUp: true},
		},
		{"the next one is taken", func() {
			p = newPager(t)
			w.trust(p, "secret")
			w.becomes(shortOf(p.URL, w.now))
			since = w.now
			w.passes(0)
		}, configz.Call{Since: noon(), Attempts: 1, Outcome: configz.CallDelivered}},
	} {
		step.happens()
		got := w.Calls()["after-sales"]
		if step.want.Outcome == configz.CallDelivered {
			step.want.Since = since
		}
		if diff := cmp.Diff(step.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", step.sentence, diff)
		}
	}
}

func TestTheWebhookIsToldOfTheHoursInWhichAgentsWillBeMissing(t *testing.T) {
	p := newPager(t)
	w := newWorld(t, func(objects []client.Object) {
		shortOf(p.URL, noon().Add(-5*time.Minute))(objects)
		of("after-sales", func(g *yingdav1.SkillGroup) {
			g.Status.Forecast = &yingdav1.SkillGroupForecast{}
			for hour, seats := range []int32{2, 3, 3, 0} {
				start := metav1.NewTime(noon().Add(time.Duration(hour) * time.Hour))
				g.Status.Forecast.Hours = append(g.Status.Forecast.Hours, yingdav1.ForecastHour{Start: start, Seats: seats})
			}
		})(objects)
	})
	w.trust(p, "secret")
	w.passes(0)
	calls := p.called()
	if len(calls) != 1 {
		t.Fatalf("called %d times, want once", len(calls))
	}
	hour := func(n int) time.Time { return noon().Add(time.Duration(n) * time.Hour).UTC() }
	want := []oncall.Shortfall{{From: hour(0), To: hour(1), Wanted: 2, Scheduled: 1}, {From: hour(1), To: hour(3), Wanted: 3, Scheduled: 1}}
	if diff := cmp.Diff(want, contents[oncall.Notice](t, calls[0].body).Shortfalls); diff != "" {
		t.Errorf("shortfalls (-want +got):\n%s", diff)
	}
}

func sinceUnknown(objects []client.Object) {
	shortOf("https://pager.example", noon())(objects)
	of("after-sales", func(g *yingdav1.SkillGroup) { g.Status.Seats = nil })(objects)
}
