package configz_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/yingda-dev/yingda/internal/configz"
	"github.com/yingda-dev/yingda/internal/golden"
)

func sample() configz.Report {
	return configz.Report{
		Objects: map[string]int64{configz.ObjectKey("Channel", "shop"): 3, configz.ObjectKey("Brand", "lumi"): 1},
		Kinds:   []string{"Brand", "Channel"},
		Channels: map[string]configz.Channel{
			"shop":   {Credentials: configz.CredentialsAccepted, SecretVersion: "17", WebhookCalled: true},
			"outlet": {Credentials: configz.CredentialsRejected, Message: "the platform does not know the app (40013)"},
		},
		SignedInAgents: []string{"laozhang", "xiaomei"},
		OnDutyAgents:   []string{"xiaomei"},
		Queues:         map[string]configz.Queue{"after-sales": {Waiting: 3, OldestSince: time.Date(2026, 11, 23, 4, 4, 5, 0, time.UTC)}},
		Objectives: map[string]configz.Measured{"standard": {
			At: time.Date(2026, 11, 23, 4, 0, 0, 0, time.UTC), Rules: "24h0m0s 2m0s", Tallies: map[string]configz.Tally{"answered": {Sum: 93, Of: 100}},
		}},
		Calls: map[string]configz.Call{"after-sales": {
			Since: time.Date(2026, 11, 23, 4, 0, 0, 0, time.UTC), Attempts: 16, Outcome: configz.CallRefused, Code: 403, GivenUp: true,
		}},
		Keys: &configz.Keys{Count: 2, MadeAt: time.Date(2026, 8, 23, 4, 0, 0, 0, time.UTC), NextMadeAt: new(time.Date(2026, 11, 23, 4, 0, 0, 0, time.UTC))},
	}
}

func TestReportIsAskedAsItIsServed(t *testing.T) {
	server := httptest.NewServer(configz.Handler(sample))
	defer server.Close()
	got, err := configz.Ask(t.Context(), server.Client(), server.URL)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(sample(), got); diff != "" {
		t.Errorf("report (-served +asked):\n%s", diff)
	}
}

// Operators and data planes of two versions speak with each other during an upgrade.
func TestReportsAreTheSameBytes(t *testing.T) {
	tests := map[string]configz.Report{"report.json": sample(), "nothing-served.json": {}, "nobody-on-duty.json": {OnDutyAgents: []string{}}, "nobody-waits.json": {Queues: map[string]configz.Queue{}}, "nothing-measured.json": {Objectives: map[string]configz.Measured{}}}
	for name, report := range tests {
		t.Run(name, func(t *testing.T) {
			answer := httptest.NewRecorder()
			configz.Handler(func() configz.Report { return report }).ServeHTTP(answer, httptest.NewRequest(http.MethodGet, configz.Path, http.NoBody))
			golden.Compare(t, name, answer.Body.Bytes())
		})
	}
}

func TestReportIsOnlyRead(t *testing.T) {
	answer := httptest.NewRecorder()
	configz.Handler(sample).ServeHTTP(answer, httptest.NewRequest(http.MethodPost, configz.Path, http.NoBody))
	if answer.Code != http.StatusMethodNotAllowed {
		t.Errorf("status %d", answer.Code)
	}
}

func TestAnswerThatIsNoReportIsAnError(t *testing.T) {
	tests := map[string]http.HandlerFunc{
		"not ready":     func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) },
		"no JSON":       func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) },
		"half a report": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"objects":{"Channel/shop":`)) },
	}
	for name, handler := range tests {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(handler)
			defer server.Close()
			if report, err := configz.Ask(t.Context(), server.Client(), server.URL); err == nil {
				t.Errorf("report %v and no error", report)
			}
		})
	}
}

func TestReplicaThatIsGoneIsAnError(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	if _, err := configz.Ask(t.Context(), http.DefaultClient, server.URL); err == nil {
		t.Error("no error")
	}
}
