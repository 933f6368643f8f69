package wechatsim

import (
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestAConversationThroughTheControlAPI(t *testing.T) {
	hook := newCallback(t, success)
	_, server := newSim(t, Options{}, hook.URL, nil)
	customer := server.URL + "/sim/v1/apps/" + testApp + "/customers/" + testOpenID
	status, push := do(t, http.MethodPost, customer+"/messages", map[string]any{"content": "在吗"})
	if status != http.StatusOK || push["state"] != "delivered" || push["msgId"] == "" {
		t.Fatalf("status %d: %v", status, push)
	}
	if status, _ = do(t, http.MethodPost, customer+"/enter", map[string]any{"sessionFrom": "order:1"}); status != http.StatusOK {
		t.Errorf("entering answers %d", status)
	}
	waiting := make(chan []Entry, 1)
	sim := server.Config.Handler.(*Server)
	go func() {
		lines, _ := sim.Received(t.Context(), testApp, testOpenID, 0, maxWait)
		waiting <- lines
	}()
	if code := sendText(t, server.URL, stableToken(t, server.URL, false), "在的"); code != 0 {
		t.Fatalf("sending: %d", code)
	}
	if lines := <-waiting; len(lines) != 1 || lines[0].Text != "在的" || lines[0].N != 1 {
		t.Errorf("the long poll got %+v", lines)
	}
	_, transcript := do(t, http.MethodGet, customer+"/transcript", nil)
	var seen []string
	for _, line := range transcript["messages"].([]any) {
		entry := line.(map[string]any)
		seen = append(seen, entry["from"].(string)+" "+entry["text"].(string))
	}
	if diff := cmp.Diff([]string{"customer 在吗", "customer 进入客服会话", "account 在的"}, seen); diff != "" {
		t.Errorf("transcript (-want +got):\n%s", diff)
	}
	_, after := do(t, http.MethodGet, customer+"/received?after=1&wait=1ms", nil)
	if len(after["messages"].([]any)) != 0 {
		t.Errorf("after the last one there is %v", after)
	}
	_, info := do(t, http.MethodGet, customer, nil)
	left := info["windows"].(map[string]any)["message"].(map[string]any)["left"]
	if left != 4.0 {
		t.Errorf("%v messages left, want 4", left)
	}
}

func TestAFailedPushShowsTheErrorOnThePhone(t *testing.T) {
	hook := newCallback(t, reply(500, ""))
	sim, _ := newSim(t, Options{}, hook.URL, nil)
	write(t, sim, "hello")
	lines, err := sim.Transcript(t.Context(), testApp, testOpenID, 0, 0)
	if err != nil || len(lines) != 2 || lines[0].State != PushFailed || lines[1].Text != systemErrorMsg {
		t.Errorf("lines %+v, error %v", lines, err)
	}
}

func TestRefusalsOfTheControlAPI(t *testing.T) {
	_, server := newSim(t, Options{}, "", nil)
	app := "/sim/v1/apps/" + testApp
	for name, c := range map[string]struct {
		method, path string
		body         any
		want         int
	}{
		"an app without a key":     {"POST", "/sim/v1/apps", App{AppID: "a", AppSecret: "b", Token: "ccc", OriginalID: "gh_1", Mode: ModeSecure}, 400},
		"a callback elsewhere":     {"PATCH", app, map[string]any{"callbackURL": "http://example.com/"}, 400},
		"a field that is unknown":  {"PATCH", app, map[string]any{"colour": "red"}, 400},
		"another appID":            {"PATCH", app, map[string]any{"appID": "other"}, 400},
		"an unknown app":           {"GET", "/sim/v1/apps/other", nil, 404},
		"a write without callback": {"POST", app + "/customers/o1/messages", map[string]any{"content": "x"}, 409},
		"a load without callback":  {"POST", app + "/load", map[string]any{}, 409},
		"an unknown customer":      {"GET", app + "/customers/o1/received", nil, 404},
		"a clock set back":         {"POST", "/sim/v1/clock", map[string]any{"advance": "-1h"}, 400},
		"a fault of no moment":     {"POST", app + "/faults", map[string]any{"when": "sometime"}, 400},
		"a body too large":         {"POST", app + "/faults", `{"errmsg":"` + strings.Repeat("x", maxControlBody) + `"}`, 413},
		"an unknown load":          {"GET", "/sim/v1/loads/x", nil, 404},
	} {
		t.Run(name, func(t *testing.T) {
			if status, answer := do(t, c.method, server.URL+c.path, c.body); status != c.want {
				t.Errorf("status %d, want %d: %v", status, c.want, answer)
			}
		})
	}
	if status, _ := do(t, http.MethodDelete, server.URL+app, nil); status != http.StatusOK {
		t.Errorf("deleting answers %d", status)
	}
}

func TestPagesOfOtherSitesMayNotScriptTheSimulator(t *testing.T) {
	_, server := newSim(t, Options{}, "", nil)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/sim/v1/clock", strings.NewReader(`{"advance":"1h"}`))
	if err != nil {
		t.Fatalf("building request: %v", err)
	}
	req.Header.Set("Sec-Fetch-Site", "cross-site")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatalf("calling: %v", err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusForbidden {
		t.Errorf("status %d, want 403", res.StatusCode)
	}
}

func TestALoadIsAcknowledgedInOrderAndOnce(t *testing.T) {
	hook := newCallback(t, func(n int, w http.ResponseWriter, _ *http.Request) {
		if n%7 == 0 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	sim, server := newSim(t, Options{}, hook.URL, nil)
	_, started := do(t, http.MethodPost, server.URL+"/sim/v1/apps/"+testApp+"/load",
		LoadSpec{Customers: 5, RatePerSecond: 1000, Seconds: 0.1, OpenIDPrefix: "load-"})
	id, _ := started["id"].(string)
	report := waitForLoad(t, sim, id)
	if report.Planned != 100 || report.Acknowledged != 100 || report.Retried == 0 || report.Latency.P50 <= 0 {
		t.Errorf("report %+v", LoadReport{Planned: report.Planned, Acknowledged: report.Acknowledged, Retried: report.Retried, Latency: report.Latency})
	}
	lastOf := map[string]int{}
	contents := map[string]bool{}
	for _, m := range report.Messages {
		if m.Seq != lastOf[m.OpenID]+1 || !m.Acknowledged || contents[m.Content] || m.MsgID == "" {
			t.Errorf("message %+v", m)
		}
		lastOf[m.OpenID], contents[m.Content] = m.Seq, true
	}
	total, _ := sim.Stats()
	if total.Pushes != 100 || total.Successes != 100 || total.Attempts != 100+total.Retries {
		t.Errorf("stats %+v", total)
	}
}

func waitForLoad(t *testing.T, sim *Server, id string) LoadReport {
	t.Helper()
	deadline := time.NewTimer(20 * time.Second)
	defer deadline.Stop()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		report, err := sim.Load(id, WithMessages)
		if err != nil {
			t.Fatalf("reading load: %v", err)
		}
		if report.State != LoadRunning {
			return report
		}
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatalf("the load did not end")
		}
	}
}

func TestALoadCanBeStopped(t *testing.T) {
	hook := newCallback(t, success)
	sim, server := newSim(t, Options{}, hook.URL, nil)
	report, err := sim.StartLoad(t.Context(), testApp, LoadSpec{RatePerSecond: 10, Seconds: 1000})
	if err != nil {
		t.Fatalf("starting: %v", err)
	}
	if status, _ := do(t, http.MethodDelete, server.URL+"/sim/v1/loads/"+report.ID, nil); status != http.StatusOK {
		t.Fatalf("stopping answers %d", status)
	}
	if report = waitForLoad(t, sim, report.ID); report.State != LoadStopped || report.Written >= report.Planned {
		t.Errorf("state %s after %d messages", report.State, report.Written)
	}
}

func TestAppsAndWindowsSurviveARestart(t *testing.T) {
	hook := newCallback(t, success)
	file := filepath.Join(t.TempDir(), "state.json")
	before, _ := newSim(t, Options{StateFile: file}, hook.URL, nil)
	write(t, before, "hello")
	if err := before.Close(); err != nil {
		t.Fatalf("closing: %v", err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("state file: %v, error %v", info.Mode(), err)
	}
	after := New(Options{StateFile: file})
	defer func() { _ = after.Close() }()
	if err := after.LoadState(); err != nil {
		t.Fatalf("loading: %v", err)
	}
	if diff := cmp.Diff(before.Apps(), after.Apps()); diff != "" {
		t.Errorf("apps (-before +after):\n%s", diff)
	}
	acc, err := after.account(testApp)
	if err != nil {
		t.Fatalf("finding app: %v", err)
	}
	if w := acc.customers[testOpenID].ledger[triggerMessage]; w.Left != 5 {
		t.Errorf("window %+v", w)
	}
}

func TestTheConfigurationFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "config.json")
	content := `{"apps":[{"appID":"wx1","appSecret":"s","token":"ttt","originalID":"gh_1","format":"xml","tokenLifetime":"90s"}]}`
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatalf("writing: %v", err)
	}
	config, err := LoadConfig(file)
	if err != nil {
		t.Fatalf("loading: %v", err)
	}
	sim := New(Options{})
	defer func() { _ = sim.Close() }()
	if err := sim.PutApp(config.Apps[0]); err != nil {
		t.Fatalf("putting: %v", err)
	}
	if app := sim.Apps()[0]; app.Format != FormatXML || app.Mode != ModePlaintext || app.TokenLifetime != Duration(90*time.Second) {
		t.Errorf("app %+v", app)
	}
}

func TestHistoryIsARing(t *testing.T) {
	hook := newCallback(t, success)
	sim, _ := newSim(t, Options{History: 10}, hook.URL, nil)
	const written = 35
	for i := range written {
		write(t, sim, strconv.Itoa(i))
	}
	lines, err := sim.Transcript(t.Context(), testApp, testOpenID, 0, 0)
	if err != nil || len(lines) > 2*10 || lines[len(lines)-1].Seq != written {
		t.Errorf("%d lines, error %v", len(lines), err)
	}
}

func TestThePageAndItsPictures(t *testing.T) {
	hook := newCallback(t, success)
	sim, server := newSim(t, Options{}, hook.URL, nil)
	header, page := fetch(t, server.URL+"/")
	if !strings.HasPrefix(header.Get("Content-Type"), "text/html") || !strings.Contains(string(page), "进入客服会话") {
		t.Errorf("page of type %s", header.Get("Content-Type"))
	}
	if _, err := sim.Write(t.Context(), testApp, testOpenID, Message{Type: TypeImage}); err != nil {
		t.Fatalf("writing: %v", err)
	}
	lines, err := sim.Transcript(t.Context(), testApp, testOpenID, 0, 0)
	if err != nil {
		t.Fatalf("reading: %v", err)
	}
	if header, _ = fetch(t, server.URL+lines[0].PictureURL); header.Get("Content-Type") != "image/png" {
		t.Errorf("picture of type %s", header.Get("Content-Type"))
	}
}
