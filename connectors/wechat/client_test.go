package wechat

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/yingda-dev/yingda/connectors"
)

// guard counts and answers.
type guard struct {
	mu    sync.Mutex
	may   bool
	asked int
}

func (g *guard) MayForce(context.Context, string) (bool, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.asked++
	return g.may, nil
}

// platform answers by a script: path to bodies, the last one again and again.
type platform struct {
	mu      sync.Mutex
	answers map[string][]string
	calls   []string
	bodies  []string
}

func (p *platform) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	body := make([]byte, r.ContentLength)
	_, _ = r.Body.Read(body)
	p.calls = append(p.calls, r.URL.Path+" "+r.URL.Query().Get("access_token"))
	p.bodies = append(p.bodies, string(body))
	script := p.answers[r.URL.Path]
	if len(script) == 0 {
		http.NotFound(w, r)
		return
	}
	if len(script) > 1 {
		p.answers[r.URL.Path] = script[1:]
	}
	_, _ = w.Write([]byte(script[0]))
}

const (
	tokenPath = "/cgi-bin/stable_token"
	sendPath  = "/cgi-bin/message/custom/send"
)

func token(name string) string { return `{"access_token":"` + name + `","expires_in":7200}` }

func newTestClient(t *testing.T, handler http.Handler, g *guard) *Client {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return clientOf(t, server.URL, g)
}

func clientOf(t *testing.T, address string, g *guard) *Client {
	t.Helper()
	c := NewClient(Account{BaseURL: address, AppID: "wx1", AppSecret: "hush"}, connectors.Services{
		Clock: time.Now, Tokens: g, ObserveCall: func(string, string, time.Duration) {},
	})
	t.Cleanup(c.Close)
	return c
}

func TestAccessTokenIsRenewedWithCare(t *testing.T) {
	t.Parallel()
	const ok, refused = `{"errcode":0,"errmsg":"ok"}`, `{"errcode":40001,"errmsg":"invalid credential rid: 1-2-3"}`
	for name, tc := range map[string]struct {
		tokens, sends []string
		may           bool
		wantCalls     []string
		wantForces    int
		wantReason    string
	}{
		"a good token is fetched once": {
			tokens: []string{token("a")}, sends: []string{ok}, wantCalls: []string{tokenPath + " ", sendPath + " a"},
		},
		"a refused token that another replica has renewed is read again": {
			tokens: []string{token("a"), token("b")}, sends: []string{refused, ok},
			wantCalls: []string{tokenPath + " ", sendPath + " a", tokenPath + " ", sendPath + " b"},
		},
		"a refused token that the platform still gives out is forced": {
			tokens: []string{token("a"), token("a"), token("b")}, sends: []string{refused, ok}, may: true, wantForces: 1,
			wantCalls: []string{tokenPath + " ", sendPath + " a", tokenPath + " ", tokenPath + " ", sendPath + " b"},
		},
		"and not when another replica has just done so": {
			tokens: []string{token("a"), token("a"), token("a")}, sends: []string{refused, ok}, wantReason: "AccessTokenRefused",
			wantCalls: []string{tokenPath + " ", sendPath + " a", tokenPath + " ", tokenPath + " "},
		},
		"whose force shows on the second look": {
			tokens: []string{token("a"), token("a"), token("b")}, sends: []string{refused, ok},
			wantCalls: []string{tokenPath + " ", sendPath + " a", tokenPath + " ", tokenPath + " ", sendPath + " b"},
		},
		"a call is repeated only once": {
			tokens: []string{token("a"), token("b")}, sends: []string{refused}, wantReason: "AccessTokenRefused",
			wantCalls: []string{tokenPath + " ", sendPath + " a", tokenPath + " ", sendPath + " b"},
		},
		"a wrong secret is the account's fault": {
			tokens: []string{`{"errcode":40001,"errmsg":"invalid credential"}`}, wantReason: "InvalidAppSecret", wantCalls: []string{tokenPath + " "},
		},
		"an unknown error of the token endpoint fails no message": {
			tokens: []string{`{"errcode":12345}`}, wantReason: "Refused", wantCalls: []string{tokenPath + " "},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := &platform{answers: map[string][]string{tokenPath: tc.tokens, sendPath: tc.sends}}
			c := newTestClient(t, p, &guard{may: tc.may})
			reason := ""
			if err := c.Send(t.Context(), map[string]string{"touser": "o1"}); err != nil {
				reason = connectors.AsCallError(err).Reason
			}
			forces := strings.Count(strings.Join(p.bodies, ""), `"force_refresh":true`)
			if diff := cmp.Diff(tc.wantCalls, p.calls); diff != "" || reason != tc.wantReason || forces != tc.wantForces {
				t.Errorf("reason %q, want %q; %d forced, want %d; calls (-want +got):\n%s", reason, tc.wantReason, forces, tc.wantForces, diff)
			}
		})
	}
}

func TestCallsAtOnceShareOneToken(t *testing.T) {
	t.Parallel()
	p := &platform{answers: map[string][]string{tokenPath: {token("a")}, sendPath: {`{"errcode":0}`}}}
	c := newTestClient(t, p, &guard{})
	var calls sync.WaitGroup
	for range 20 {
		calls.Go(func() {
			if err := c.Send(t.Context(), map[string]string{}); err != nil {
				t.Error(err)
			}
		})
	}
	calls.Wait()
	if got := strings.Count(strings.Join(p.calls, "\n"), tokenPath); got != 1 {
		t.Errorf("%d tokens were fetched, want 1", got)
	}
}

func TestTextsAreSentAsTheyAre(t *testing.T) {
	t.Parallel()
	p := &platform{answers: map[string][]string{tokenPath: {token("a")}, sendPath: {`{"errcode":0}`}}}
	c := newTestClient(t, p, &guard{})
	const text = `你好 <a href="https://lumi.example/?a=1&b=2">😀</a>`
	if err := c.Send(t.Context(), map[string]string{"content": text}); err != nil {
		t.Fatal(err)
	}
	body := p.bodies[len(p.bodies)-1]
	var back map[string]string
	if err := json.Unmarshal([]byte(body), &back); err != nil || back["content"] != text || strings.Contains(body, `\u`) {
		t.Errorf("body = %s, %v, want the text without escapes", body, err)
	}
}

func TestWhatACallMayHaveDoneIsTold(t *testing.T) {
	t.Parallel()
	hangUp := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if connection, _, err := http.NewResponseController(w).Hijack(); err == nil {
			_ = connection.Close()
		}
	})
	status := func(code int) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) })
	}
	text := func(body string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(body)) })
	}
	for name, tc := range map[string]struct {
		send http.Handler
		want connectors.Class
	}{
		"taken":                       {text(`{"errcode":0}`), ""},
		"hung up":                     {hangUp, connectors.ClassUnknown},
		"an error of the platform":    {status(http.StatusBadGateway), connectors.ClassUnknown},
		"an answer that is no JSON":   {text("<html>"), connectors.ClassUnknown},
		"an answer without a code":    {text(`{}`), connectors.ClassUnknown},
		"an answer that is a list":    {text(`[]`), connectors.ClassUnknown},
		"accepted by somebody":        {status(http.StatusAccepted), connectors.ClassUnknown},
		"nothing to say":              {status(http.StatusNoContent), connectors.ClassUnknown},
		"a redirect is not followed":  {http.RedirectHandler("https://example.com/", http.StatusFound), connectors.ClassRetryLater},
		"a gateway that refuses":      {status(http.StatusTooManyRequests), connectors.ClassRetryLater},
		"busy":                        {text(`{"errcode":-1}`), connectors.ClassRetryLater},
		"a customer that blocks us":   {text(`{"errcode":43019}`), connectors.ClassPermanent},
		"an account without the API":  {text(`{"errcode":48001}`), connectors.ClassCredentials},
		"out of the window":           {text(`{"errcode":45015}`), connectors.ClassWindowClosed},
		"above the count":             {text(`{"errcode":45047}`), connectors.ClassQuotaSpent},
		"an address without a listen": {nil, connectors.ClassRetryLater},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			mux := http.NewServeMux()
			mux.Handle(tokenPath, text(token("top-secret-token")))
			if tc.send != nil {
				mux.Handle(sendPath, tc.send)
			}
			c := newTestClient(t, mux, &guard{})
			if tc.send == nil {
				// The token is there already; then the platform goes away.
				if err := c.Check(t.Context()); err != nil {
					t.Fatal(err)
				}
				c.account.BaseURL = "http://" + closedAddress(t)
			}
			err := c.Send(t.Context(), map[string]string{"touser": "o1"})
			var class connectors.Class
			if err != nil {
				class = connectors.AsCallError(err).Class
				if strings.Contains(err.Error(), "top-secret-token") || strings.Contains(err.Error(), "hush") {
					t.Errorf("the error holds a secret: %v", err)
				}
			}
			if class != tc.want {
				t.Errorf("class = %q, want %q (%v)", class, tc.want, err)
			}
		})
	}
}

func closedAddress(t *testing.T) string {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

func TestCallThatTakesTooLongIsUnknown(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	mux := http.NewServeMux()
	mux.Handle(tokenPath, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(token("a"))) }))
	mux.Handle(sendPath, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	c := newTestClient(t, mux, &guard{})
	t.Cleanup(func() { close(release) })
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if got := connectors.AsCallError(c.Send(ctx, map[string]string{})).Class; got != connectors.ClassUnknown {
		t.Errorf("class = %q, want unknown", got)
	}
}

func TestFilesComeFromTheAPIAlone(t *testing.T) {
	t.Parallel()
	const mediaPath = "/cgi-bin/media/get"
	png := "\x89PNG\r\n\x1a\n0000"
	for name, tc := range map[string]struct {
		answer, contentType string
		want                string
		wantReason          string
	}{
		"a picture":                    {png, "image/png", "image/png", ""},
		"a picture under a wrong name": {png, "text/html", "image/png", ""},
		"a page from a proxy":          {"<html><script>", "image/png", "", "UnreadableAnswer"},
		"an answer that says nothing":  {"{}", "image/png", "", "UnreadableAnswer"},
		"what is no picture":           {"\x00\x01\x02\x03", "audio/amr", "", "UnknownFileType"},
		"what only calls itself one":   {"\x00\x01\x02\x03", "image/svg+xml", "", "UnknownFileType"},
		"an error as text":             {`{"errcode":40007,"errmsg":"invalid media_id"}`, "text/plain", "", "MediaGone"},
		"too large":                    {strings.Repeat("x", MaxFile+1), "image/png", "", "TooLarge"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			mux := http.NewServeMux()
			mux.Handle(tokenPath, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(token("a"))) }))
			mux.Handle(mediaPath, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", tc.contentType)
				_, _ = w.Write([]byte(tc.answer))
			}))
			file, err := newTestClient(t, mux, &guard{}).Fetch(t.Context(), "m1")
			if failure, ok := errors.AsType[*connectors.CallError](err); ok != (tc.wantReason != "") || ok && failure.Reason != tc.wantReason {
				t.Fatalf("error = %v, want %q", err, tc.wantReason)
			}
			if file.ContentType != tc.want {
				t.Errorf("type = %q, want %q", file.ContentType, tc.want)
			}
		})
	}
}

func TestVideosComeFromThePlatformsOwnHostsAlone(t *testing.T) {
	t.Parallel()
	const mp4 = "\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42mp41"
	var asked atomic.Int64
	mux := http.NewServeMux()
	mux.Handle(tokenPath, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(token("secret"))) }))
	mux.Handle("/videos/", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		if r.URL.Query().Has("access_token") {
			t.Error("the token was sent along")
		}
		if strings.HasSuffix(r.URL.Path, "/moved") {
			http.Redirect(w, r, "/videos/v", http.StatusFound)
			return
		}
		_, _ = w.Write([]byte(mp4))
	}))
	var address string
	mux.Handle("/cgi-bin/media/get", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]string{"video_url": address})
	}))
	c := newTestClient(t, mux, &guard{})
	home := c.account.BaseURL
	address = home + "/videos/v?a=1"
	if file, err := c.Fetch(t.Context(), "m1"); err != nil || file.ContentType != "video/mp4" || string(file.Data) != mp4 {
		t.Errorf("from the platform: %q, %v", file.ContentType, err)
	}
	address = home + "/videos/moved"
	if _, err := c.Fetch(t.Context(), "m1"); connectors.AsCallError(err).Reason != "UnexpectedStatus" {
		t.Errorf("from where it leads on: %v", err)
	}
	before := asked.Load()
	for _, address = range []string{
		"http://127.0.0.1:1/v", "https://weixin.qq.com.evil.example/v", "https://evil.example/.weixin.qq.com", "https://evilweixin.qq.com/v",
		"https://mp.weixin.qq.com:8443/v", "https://u:p@mp.weixin.qq.com/v", "file:///etc/passwd", "//mp.weixin.qq.com/v", "%",
	} {
		if _, err := c.Fetch(t.Context(), "m1"); connectors.AsCallError(err).Reason != "KeptElsewhere" {
			t.Errorf("from %s: %v", address, err)
		}
	}
	if got := asked.Load() - before; got != 0 {
		t.Errorf("%d calls", got)
	}
	for _, address := range []string{"https://mp.weixin.qq.com/mp/mp/video?id=1", "http://vweixinf.tc.qq.com/102/1.mp4"} {
		if !c.isPlatforms(address) {
			t.Errorf("%s is not taken for the platform's", address)
		}
	}
}

func TestOnlySoManyFilesAreInMemory(t *testing.T) {
	t.Parallel()
	c := newTestClient(t, http.NotFoundHandler(), &guard{})
	var releases []func()
	for range maxFiles {
		release, err := c.HoldFile(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		releases = append(releases, release)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := c.Fetch(ctx, "m1"); connectors.AsCallError(err).Reason != "TooManyFiles" {
		t.Errorf("err = %v, want too many files", err)
	}
	releases[0]()
	if _, err := c.HoldFile(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestErrorCodesHaveTheirMeaning(t *testing.T) {
	t.Parallel()
	got := map[connectors.Class][]int{}
	for _, code := range []int{
		-1, 40001, 40003, 40007, 40008, 40013, 40014, 40033, 40125, 40164, 40200, 40243, 41001, 42001, 43004, 43019, 44002, 44004, 45001, 45002, 45008,
		45009, 45011, 45015, 45033, 45047, 45072, 45080, 45081, 45162, 47001, 48001, 48002, 48004, 48006, 48008, 50002, 61004, 89503, 89506, 89507,
	} {
		v := codes(code)
		if v.reason == "" {
			t.Errorf("code %d has no reason", code)
		}
		got[v.class] = append(got[v.class], code)
		if want := code == 45009 || code == 45011 || code == 45033; v.shared != want {
			t.Errorf("code %d: shared by the account is %t, want %t", code, v.shared, want)
		}
	}
	want := map[connectors.Class][]int{
		connectors.ClassRetryLater:   {-1, 40001, 40014, 41001, 42001, 45009, 45011, 45033, 48006},
		connectors.ClassCredentials:  {40013, 40125, 40164, 40200, 40243, 48001, 48004, 61004, 89503, 89506, 89507},
		connectors.ClassWindowClosed: {45015},
		connectors.ClassQuotaSpent:   {45047},
		connectors.ClassPermanent:    {40003, 40007, 40008, 40033, 43004, 43019, 44002, 44004, 45001, 45002, 45008, 45072, 45080, 45081, 45162, 47001, 48002, 48008, 50002},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("classes (-want +got):\n%s", diff)
	}
}

func TestWhatKeepsAnAccountFromNoticesKeepsItFromNothingElse(t *testing.T) {
	t.Parallel()
	for code, want := range map[int]connectors.CallError{
		-1:    {Class: connectors.ClassRetryLater, Reason: "PlatformBusy"},
		40003: {Class: connectors.ClassPermanent, Reason: "InvalidCustomer"},
		40013: {Class: connectors.ClassCredentials, Reason: "InvalidAppID"},
		40037: {Class: connectors.ClassPermanent, Reason: "InvalidTemplate"},
		43004: {Class: connectors.ClassPermanent, Reason: "CustomerRefuses"},
		45009: {Class: connectors.ClassRetryLater, Reason: connectors.ReasonQuotaReached},
		45011: {Class: connectors.ClassRetryLater, Reason: "RateLimited"},
		47003: {Class: connectors.ClassPermanent, Reason: "InvalidValues"},
		48001: {Class: connectors.ClassPermanent, Reason: connectors.ReasonNotAuthorized},
		48004: {Class: connectors.ClassCredentials, Reason: "APIBlocked"},
	} {
		got := noticeCodes(code).failure(code)
		if got.Class != want.Class || got.Reason != want.Reason || got.Shared {
			t.Errorf("code %d: %+v, want %s for %s, shared with nothing", code, got, want.Class, want.Reason)
		}
	}
}
