package wechatsim

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	testApp    = "wxba5fad812f8e6fb9"
	testSecret = "secret-of-the-sandbox"
	testOpenID = "o9AgO5Kd5ggOC-bXrbNODIiE3bGY"
	testKey    = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
)

// fakeClock stands still until it is moved.
type fakeClock struct {
	mu  sync.Mutex
	now time.Time
}

func newFakeClock() *fakeClock {
	return &fakeClock{now: time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)}
}

func (c *fakeClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *fakeClock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// callback is a receiver that records what it got and answers as the test says.
type callback struct {
	*httptest.Server
	mu     sync.Mutex
	got    []received
	answer func(n int, w http.ResponseWriter, r *http.Request)
}

type received struct {
	method string
	query  map[string]string
	raw    string
	header http.Header
	body   []byte
}

func newCallback(t *testing.T, answer func(n int, w http.ResponseWriter, r *http.Request)) *callback {
	t.Helper()
	c := &callback{answer: answer}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Errorf("reading push: %v", err)
		}
		query := map[string]string{}
		for k := range r.URL.Query() {
			query[k] = r.URL.Query().Get(k)
		}
		c.mu.Lock()
		c.got = append(c.got, received{r.Method, query, r.URL.RawQuery, r.Header.Clone(), body})
		n := len(c.got)
		c.mu.Unlock()
		c.answer(n, w, r)
	}))
	t.Cleanup(c.Close)
	return c
}

func (c *callback) pushes() []received {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]received(nil), c.got...)
}

func success(_ int, w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "success") }

// newSim builds a simulator with one secure JSON app that pushes to url; change adjusts the app.
func newSim(t *testing.T, opts Options, url string, change func(*App)) (*Server, *httptest.Server) {
	t.Helper()
	if opts.RetryDelay == 0 {
		opts.RetryDelay = time.Millisecond
	}
	sim := New(opts)
	app := App{
		AppID: testApp, AppSecret: testSecret, Token: "AAAAA", EncodingAESKey: testKey, OriginalID: "gh_97417a04a28d",
		Mode: ModeSecure, Format: FormatJSON, CallbackURL: url,
	}
	if change != nil {
		change(&app)
	}
	if err := sim.PutApp(app); err != nil {
		t.Fatalf("putting app: %v", err)
	}
	server := httptest.NewServer(sim)
	t.Cleanup(func() {
		if err := sim.Close(); err != nil {
			t.Errorf("closing: %v", err)
		}
		server.Close()
	})
	return sim, server
}

// do makes one HTTP call and decodes a JSON answer.
func do(t *testing.T, method, url string, body any) (int, map[string]any) {
	t.Helper()
	var data []byte
	switch b := body.(type) {
	case nil:
	case string:
		data = []byte(b)
	default:
		var err error
		if data, err = json.Marshal(b); err != nil {
			t.Fatalf("encoding body: %v", err)
		}
	}
	req, err := http.NewRequestWithContext(t.Context(), method, url, bytes.NewReader(data))
	if err != nil {
		t.Fatalf("building request: %v", err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatalf("calling %s: %v", req.URL.Path, err)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatalf("reading answer: %v", err)
	}
	decoded := map[string]any{}
	if err := json.Unmarshal(answer, &decoded); err != nil {
		t.Fatalf("answer of %s is not JSON: %v", req.URL.Path, err)
	}
	return res.StatusCode, decoded
}

// stableToken buys a token.
func stableToken(t *testing.T, base string, force bool) string {
	t.Helper()
	_, answer := do(t, http.MethodPost, base+"/cgi-bin/stable_token", map[string]any{
		"grant_type": "client_credential", "appid": testApp, "secret": testSecret, "force_refresh": force,
	})
	token, ok := answer["access_token"].(string)
	if !ok {
		t.Fatalf("no token: %v", answer)
	}
	return token
}

// sendText sends a text and gives the errcode.
func sendText(t *testing.T, base, token, content string) int {
	t.Helper()
	return post(t, base+"/cgi-bin/message/custom/send?access_token="+token,
		`{"touser":"`+testOpenID+`","msgtype":"text","text":{"content":"`+content+`"}}`)
}

func post(t *testing.T, url, body string) int {
	t.Helper()
	_, answer := do(t, http.MethodPost, url, body)
	code, _ := answer["errcode"].(float64)
	return int(code)
}

// write lets the test customer write a text.
func write(t *testing.T, sim *Server, content string) Push {
	t.Helper()
	push, err := sim.Write(t.Context(), testApp, testOpenID, Message{Content: content})
	if err != nil {
		t.Fatalf("writing: %v", err)
	}
	return push
}
