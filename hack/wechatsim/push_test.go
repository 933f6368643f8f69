package wechatsim

import (
	"encoding/json"
	"encoding/xml"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// pushed is a push body as a receiver reads it.
type pushed struct {
	XMLName      xml.Name    `json:"-"            xml:"xml"`
	ToUserName   string      `json:"ToUserName"   xml:"ToUserName"`
	FromUserName string      `json:"FromUserName" xml:"FromUserName"`
	MsgType      string      `json:"MsgType"      xml:"MsgType"`
	Content      string      `json:"Content"      xml:"Content"`
	Event        string      `json:"Event"        xml:"Event"`
	SessionFrom  string      `json:"SessionFrom"  xml:"SessionFrom"`
	MediaID      string      `json:"MediaId"      xml:"MediaId"`
	PicURL       string      `json:"PicUrl"       xml:"PicUrl"`
	MsgID        json.Number `json:"MsgId"        xml:"MsgId"`
	Encrypt      string      `json:"Encrypt"      xml:"Encrypt"`
}

func readPush(t *testing.T, body []byte) pushed {
	t.Helper()
	var p pushed
	var err error
	if strings.HasPrefix(string(body), "<") {
		err = xml.Unmarshal(body, &p)
	} else {
		err = json.Unmarshal(body, &p)
	}
	if err != nil {
		t.Fatalf("reading push: %v", err)
	}
	return p
}

func openPush(t *testing.T, p received) pushed {
	t.Helper()
	outer := readPush(t, p.body)
	if got := sign("AAAAA", p.query["timestamp"], p.query["nonce"], outer.Encrypt); got != p.query["msg_signature"] {
		t.Errorf("msg_signature does not fit the body")
	}
	key, err := decodeKey(testKey)
	if err != nil {
		t.Fatalf("decoding key: %v", err)
	}
	e, err := open(key, outer.Encrypt)
	if err != nil {
		t.Fatalf("opening push: %v", err)
	}
	if e.receiverID != testApp {
		t.Errorf("push is for %s", e.receiverID)
	}
	return readPush(t, e.message)
}

func TestEveryModeAndFormatArrivesReadable(t *testing.T) {
	for _, mode := range []Mode{ModePlaintext, ModeCompatible, ModeSecure} {
		for _, format := range []Format{FormatJSON, FormatXML} {
			t.Run(string(mode)+" "+string(format), func(t *testing.T) {
				hook := newCallback(t, success)
				sim, _ := newSim(t, Options{}, hook.URL+"/lumi/shop", func(a *App) { a.Mode, a.Format = mode, format })
				push := write(t, sim, `你好 <a href="x">&</a> ]]>`)
				got := hook.pushes()[0]
				if want := sign("AAAAA", got.query["timestamp"], got.query["nonce"]); got.query["signature"] != want {
					t.Errorf("signature %s, want %s", got.query["signature"], want)
				}
				if got.query["openid"] != testOpenID {
					t.Errorf("openid %q", got.query["openid"])
				}
				if encrypted := got.query["encrypt_type"] == "aes"; encrypted != (mode != ModePlaintext) {
					t.Errorf("encrypt_type %q in mode %s", got.query["encrypt_type"], mode)
				}
				readings := []pushed{}
				if mode != ModeSecure {
					readings = append(readings, readPush(t, got.body))
				}
				if mode != ModePlaintext {
					readings = append(readings, openPush(t, got))
				}
				for _, p := range readings {
					if p.Content != `你好 <a href="x">&</a> ]]>` || string(p.MsgID) != push.MsgID || p.FromUserName != testOpenID {
						t.Errorf("read %+v", p)
					}
				}
			})
		}
	}
}

func TestKindsOfMessages(t *testing.T) {
	hook := newCallback(t, success)
	sim, _ := newSim(t, Options{PublicURL: "http://127.0.0.1:1"}, hook.URL, nil)
	for name, c := range map[string]struct {
		message Message
		check   func(pushed) bool
	}{
		"a picture": {Message{Type: TypeImage}, func(p pushed) bool {
			return p.MsgType == "image" && p.MediaID != "" && strings.HasPrefix(p.PicURL, "http://127.0.0.1:1/mmbiz/")
		}},
		"a page card": {Message{Type: TypeMiniProgramPage, Title: "订单"}, func(p pushed) bool { return p.MsgType == "miniprogrampage" }},
		"an entry": {Message{Type: TypeEnter, SessionFrom: "order:1"}, func(p pushed) bool {
			return p.Event == "user_enter_tempsession" && p.SessionFrom == "order:1" && p.MsgID == ""
		}},
		"an unknown type": {
			Message{Type: TypeRaw, MsgType: "video", Fields: map[string]any{"Content": "x", "Nested": map[string]any{"A": 1.0}}},
			func(p pushed) bool { return p.MsgType == "video" && p.Content == "x" },
		},
	} {
		t.Run(name, func(t *testing.T) {
			push, err := sim.Write(t.Context(), testApp, testOpenID, c.message)
			if err != nil || push.State != PushDelivered {
				t.Fatalf("push %v, error %v", push, err)
			}
			all := hook.pushes()
			if p := openPush(t, all[len(all)-1]); !c.check(p) {
				t.Errorf("got %+v", p)
			}
		})
	}
}

func TestAnswersAndRetries(t *testing.T) {
	hang := func(_ int, _ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	for name, c := range map[string]struct {
		answer   func(n int, w http.ResponseWriter, r *http.Request)
		outcomes []Outcome
		state    PushState
	}{
		"success at once":       {success, []Outcome{OutcomeSuccess}, PushDelivered},
		"an empty answer":       {func(int, http.ResponseWriter, *http.Request) {}, []Outcome{OutcomeSuccess}, PushDelivered},
		"an answer of its own":  {reply(200, `{"ok":true}`), []Outcome{OutcomeInvalidAnswer}, PushFailed},
		"a transfer":            {reply(200, "<xml><MsgType><![CDATA[transfer_customer_service]]></MsgType></xml>"), []Outcome{OutcomeTransferred}, PushDelivered},
		"an error to the end":   {reply(503, "no"), repeat(OutcomeStatus, 4), PushFailed},
		"a redirect":            {reply(302, ""), repeat(OutcomeStatus, 4), PushFailed},
		"silence to the end":    {hang, repeat(OutcomeTimeout, 4), PushFailed},
		"an error, then a good": {first(2, reply(500, ""), success), []Outcome{OutcomeStatus, OutcomeStatus, OutcomeSuccess}, PushDelivered},
		"silence, then a good":  {first(1, hang, success), []Outcome{OutcomeTimeout, OutcomeSuccess}, PushDelivered},
	} {
		t.Run(name, func(t *testing.T) {
			hook := newCallback(t, c.answer)
			sim, _ := newSim(t, Options{PushTimeout: 100 * time.Millisecond}, hook.URL, nil)
			push := write(t, sim, "hello")
			var got []Outcome
			for _, a := range push.Attempts {
				got = append(got, a.Outcome)
			}
			if diff := cmp.Diff(c.outcomes, got); diff != "" {
				t.Errorf("outcomes (-want +got):\n%s", diff)
			}
			if push.State != c.state || (push.Shown == "") != (c.state == PushDelivered) {
				t.Errorf("state %s, shown %q", push.State, push.Shown)
			}
			for _, p := range hook.pushes() {
				if diff := cmp.Diff(hook.pushes()[0], p, cmp.AllowUnexported(received{})); diff != "" {
					t.Errorf("a retry differs from the first attempt:\n%s", diff)
				}
			}
		})
	}
}

func reply(status int, body string) func(int, http.ResponseWriter, *http.Request) {
	return func(_ int, w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func first(n int, begin, then func(int, http.ResponseWriter, *http.Request)) func(int, http.ResponseWriter, *http.Request) {
	return func(i int, w http.ResponseWriter, r *http.Request) {
		if i <= n {
			begin(i, w, r)
			return
		}
		then(i, w, r)
	}
}

func repeat(o Outcome, n int) []Outcome {
	list := make([]Outcome, n)
	for i := range list {
		list[i] = o
	}
	return list
}

func TestAFreshRetryKeepsTheBodyAndChangesTheSignature(t *testing.T) {
	hook := newCallback(t, first(1, reply(500, ""), success))
	sim, _ := newSim(t, Options{}, hook.URL, func(a *App) { a.RetrySignature = RetryFresh })
	write(t, sim, "hello")
	got := hook.pushes()
	if string(got[0].body) != string(got[1].body) || got[0].query["nonce"] == got[1].query["nonce"] {
		t.Errorf("want the same body under another nonce")
	}
	openPush(t, got[1])
}

func TestAnEncryptedTransferIsUnderstood(t *testing.T) {
	key, err := decodeKey(testKey)
	if err != nil {
		t.Fatalf("decoding key: %v", err)
	}
	inner := `{"MsgType":"transfer_customer_service"}`
	text, err := seal(key, envelope{randomBytes(randomLength), []byte(inner), testApp})
	if err != nil {
		t.Fatalf("sealing: %v", err)
	}
	hook := newCallback(t, reply(200, `{"Encrypt":"`+text+`"}`))
	sim, _ := newSim(t, Options{}, hook.URL, nil)
	if push := write(t, sim, "hello"); push.Attempts[0].Outcome != OutcomeTransferred || push.Attempts[0].Answer != inner {
		t.Errorf("got %+v", push.Attempts)
	}
}

func TestPushesOfOneCustomerWaitForOneAnother(t *testing.T) {
	var mu sync.Mutex
	running, most := 0, 0
	hook := newCallback(t, func(n int, w http.ResponseWriter, _ *http.Request) {
		mu.Lock()
		running++
		most = max(most, running)
		mu.Unlock()
		if n%3 == 1 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		mu.Lock()
		running--
		mu.Unlock()
	})
	sim, _ := newSim(t, Options{}, hook.URL, nil)
	const messages = 20
	done := make(chan Push, messages)
	for i := range messages {
		if _, err := sim.WriteAsync(t.Context(), testApp, testOpenID, Message{Content: strconv.Itoa(i)}, func(p Push) { done <- p }); err != nil {
			t.Fatalf("writing: %v", err)
		}
	}
	for range messages {
		<-done
	}
	if most != 1 {
		t.Errorf("%d pushes of one customer at once", most)
	}
	next := 0
	for _, p := range hook.pushes() {
		n, err := strconv.Atoi(openPush(t, p).Content)
		if err != nil || n != next && n != next-1 {
			t.Fatalf("message %d after %d", n, next-1)
		}
		next = n + 1
	}
}

func TestARepeatIsTheSamePush(t *testing.T) {
	hook, other := newCallback(t, success), newCallback(t, success)
	sim, server := newSim(t, Options{}, hook.URL, nil)
	push := write(t, sim, "hello")
	attempts, err := sim.RepeatPush(t.Context(), testApp, push.ID, Repeat{Times: 3, Concurrent: true, CallbackURL: other.URL})
	if err != nil || len(attempts) != 3 {
		t.Fatalf("attempts %v, error %v", attempts, err)
	}
	for _, p := range other.pushes() {
		if p.raw != hook.pushes()[0].raw || string(p.body) != string(hook.pushes()[0].body) {
			t.Errorf("a repeat differs from the push")
		}
	}
	if status, _ := do(t, http.MethodPost, server.URL+"/sim/v1/apps/"+testApp+"/pushes/1/repeat", nil); status != http.StatusNotFound {
		t.Errorf("an unknown push answers %d", status)
	}
}

func TestVerification(t *testing.T) {
	hook := newCallback(t, func(_ int, w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.URL.Query().Get("echostr"))
	})
	sim, _ := newSim(t, Options{}, hook.URL, nil)
	result, err := sim.Verify(t.Context(), testApp)
	if err != nil || !result.OK {
		t.Errorf("result %+v, error %v", result, err)
	}
	q := hook.pushes()[0].query
	if q["signature"] != sign("AAAAA", q["timestamp"], q["nonce"]) {
		t.Errorf("signature does not fit")
	}
	hook.answer = reply(200, "something else")
	if result, err = sim.Verify(t.Context(), testApp); err != nil || result.OK {
		t.Errorf("a wrong answer was taken: %+v, error %v", result, err)
	}
}

func TestNewKeysTakeEffectAtTheNextPush(t *testing.T) {
	hook := newCallback(t, success)
	sim, server := newSim(t, Options{}, hook.URL, nil)
	write(t, sim, "before")
	newKey := strings.Repeat("A", encodingAESKeyLength)
	status, _ := do(t, http.MethodPatch, server.URL+"/sim/v1/apps/"+testApp, map[string]any{"encodingAESKey": newKey, "token": "BBBBB"})
	if status != http.StatusOK {
		t.Fatalf("patching answers %d", status)
	}
	write(t, sim, "after")
	got := hook.pushes()[1]
	key, err := decodeKey(newKey)
	if err != nil {
		t.Fatalf("decoding key: %v", err)
	}
	outer := readPush(t, got.body)
	if e, err := open(key, outer.Encrypt); err != nil || !strings.Contains(string(e.message), "after") {
		t.Errorf("the new key does not open the push: %v", err)
	}
	if got.query["msg_signature"] != sign("BBBBB", got.query["timestamp"], got.query["nonce"], outer.Encrypt) {
		t.Errorf("the new token did not sign the push")
	}
}

func TestCallbacksBeyondTheMachineAreRefused(t *testing.T) {
	for url, ok := range map[string]bool{
		"http://127.0.0.1:8080/x": true, "http://10.97.0.1/x": true, "http://localhost/x": true, "https://192.168.1.2/": true, "http://[::1]:80/": true,
		"http://8.8.8.8/": false, "http://example.com/": false, "ftp://127.0.0.1/": false, "http://169.254.169.254/": false, "http://0.0.0.0/": false,
	} {
		if err := checkCallback(url); (err == nil) != ok {
			t.Errorf("%s: error %v", url, err)
		}
	}
	if err := checkDialled("93.184.216.34:80"); err == nil {
		t.Errorf("a public address was dialled")
	}
}

func TestMarkFailSilencesThePushesForAMinute(t *testing.T) {
	clock := newFakeClock()
	hook := newCallback(t, reply(500, ""))
	sim, _ := newSim(t, Options{Clock: clock.Now}, hook.URL, func(a *App) { a.MarkFailAfter = 2 })
	for range 3 {
		write(t, sim, "hello")
	}
	if n := len(hook.pushes()); n != 8 {
		t.Errorf("%d attempts, want 8 of the first two messages", n)
	}
	hook.answer = success
	clock.Advance(time.Minute)
	if push := write(t, sim, "hello"); push.State != PushDelivered {
		t.Errorf("still silent after a minute")
	}
}

func TestClosingEndsPushesUnderWay(t *testing.T) {
	arrived := make(chan struct{}, 1)
	hook := newCallback(t, func(_ int, _ http.ResponseWriter, r *http.Request) {
		arrived <- struct{}{}
		<-r.Context().Done()
	})
	sim, _ := newSim(t, Options{}, hook.URL, nil)
	done := make(chan Push, 1)
	if _, err := sim.WriteAsync(t.Context(), testApp, testOpenID, Message{Content: "hello"}, func(p Push) { done <- p }); err != nil {
		t.Fatalf("writing: %v", err)
	}
	<-arrived
	if err := sim.Close(); err != nil {
		t.Fatalf("closing: %v", err)
	}
	if push := <-done; push.State != PushFailed {
		t.Errorf("state %s", push.State)
	}
	if _, err := sim.Write(t.Context(), testApp, testOpenID, Message{Content: "late"}); err == nil {
		t.Errorf("a closed simulator still writes")
	}
}
