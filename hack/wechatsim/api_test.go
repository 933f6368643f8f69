package wechatsim

import (
	"bytes"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const sendPath = "/cgi-bin/message/custom/send?access_token="

// openSim is a simulator with a customer who has written, and a token.
func openSim(t *testing.T, clock *fakeClock, change func(*App)) (*Server, string, string) {
	t.Helper()
	hook := newCallback(t, success)
	sim, server := newSim(t, Options{Clock: clock.Now}, hook.URL, change)
	write(t, sim, "hello")
	return sim, server.URL, stableToken(t, server.URL, false)
}

func TestFiveMessagesIn48HoursAndAnewAfterTheCustomerWrites(t *testing.T) {
	clock := newFakeClock()
	sim, base, token := openSim(t, clock, func(a *App) { a.TokenLifetime = Duration(1000 * time.Hour) })
	codes := func(n int) (got []int) {
		for range n {
			got = append(got, sendText(t, base, token, "hi"))
		}
		return got
	}
	for _, step := range []struct {
		name string
		do   func()
		want []int
	}{
		{"five, then the limit", func() {}, []int{0, 0, 0, 0, 0, 45047}},
		{"a new message starts anew", func() { write(t, sim, "again") }, []int{0, 0}},
		{"what was left is not added", func() { write(t, sim, "again") }, []int{0, 0, 0, 0, 0, 45047}},
		{"the window closes", func() { write(t, sim, "again"); clock.Advance(48 * time.Hour) }, []int{45015}},
		{"entering opens two", func() { enter(t, sim) }, []int{0, 0, 45047}},
		{"for one minute", func() { enter(t, sim); clock.Advance(time.Minute) }, []int{45015}},
		{"entering and writing do not add up", func() { enter(t, sim); write(t, sim, "x") }, []int{0, 0, 0, 0, 0, 45047}},
	} {
		step.do()
		if diff := cmp.Diff(step.want, codes(len(step.want))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", step.name, diff)
		}
	}
}

func enter(t *testing.T, sim *Server) {
	t.Helper()
	if _, err := sim.Write(t.Context(), testApp, testOpenID, Message{Type: TypeEnter}); err != nil {
		t.Fatalf("entering: %v", err)
	}
}

func TestTheControlClockClosesWindowsButNotThePushes(t *testing.T) {
	clock := newFakeClock()
	hook := newCallback(t, success)
	sim, server := newSim(t, Options{Clock: clock.Now}, hook.URL, nil)
	write(t, sim, "hello")
	if status, _ := do(t, http.MethodPost, server.URL+"/sim/v1/clock", map[string]any{"advance": "49h"}); status != http.StatusOK {
		t.Fatalf("moving the clock answers %d", status)
	}
	if code := sendText(t, server.URL, stableToken(t, server.URL, false), "late"); code != 45015 {
		t.Errorf("code %d, want 45015", code)
	}
	write(t, sim, "again")
	pushes := hook.pushes()
	if pushes[0].query["timestamp"] != pushes[1].query["timestamp"] {
		t.Errorf("the push carries the moved time")
	}
}

func TestSendRefusals(t *testing.T) {
	clock := newFakeClock()
	_, base, token := openSim(t, clock, nil)
	for name, c := range map[string]struct {
		body string
		want int
	}{
		"an empty body":           {"", 44002},
		"broken JSON":             {`{"touser":`, 47001},
		"an escaped link":         {`{"touser":"` + testOpenID + `","msgtype":"text","text":{"content":"\u003ca href='x'\u003e"}}`, 40033},
		"escaped Chinese":         {`{"touser":"` + testOpenID + `","msgtype":"text","text":{"content":"\u4f60"}}`, 40033},
		"an escaped backslash":    {`{"touser":"` + testOpenID + `","msgtype":"text","text":{"content":"\\u003c"}}`, 0},
		"a line separator":        {`{"touser":"` + testOpenID + `","msgtype":"text","text":{"content":"a\u2028b\n\u0007"}}`, 0},
		"an unknown customer":     {`{"touser":"nobody","msgtype":"text","text":{"content":"x"}}`, 40003},
		"a type that is none":     {`{"touser":"` + testOpenID + `","msgtype":"smell"}`, 40008},
		"a type of others":        {`{"touser":"` + testOpenID + `","msgtype":"news","news":{"articles":[]}}`, 45162},
		"an empty text":           {`{"touser":"` + testOpenID + `","msgtype":"text","text":{"content":" "}}`, 44004},
		"a text without object":   {`{"touser":"` + testOpenID + `","msgtype":"text"}`, 44004},
		"a text too long":         {`{"touser":"` + testOpenID + `","msgtype":"text","text":{"content":"` + strings.Repeat("长", 683) + `"}}`, 45002},
		"an unknown picture":      {`{"touser":"` + testOpenID + `","msgtype":"image","image":{"media_id":"x"}}`, 40007},
		"a card without a thumb":  {`{"touser":"` + testOpenID + `","msgtype":"miniprogrampage","miniprogrampage":{"title":"x"}}`, 40007},
		"a link without a target": {`{"touser":"` + testOpenID + `","msgtype":"link","link":{"title":"x"}}`, 47001},
		"a good link":             {`{"touser":"` + testOpenID + `","msgtype":"link","link":{"title":"x","url":"https://lumi.example/"}}`, 0},
	} {
		t.Run(name, func(t *testing.T) {
			if got := post(t, base+sendPath+token, c.body); got != c.want {
				t.Errorf("code %d, want %d", got, c.want)
			}
		})
	}
	if got := post(t, base+"/cgi-bin/message/custom/business/send?access_token="+token, "{}"); got != 48001 {
		t.Errorf("the business path answers %d, want 48001", got)
	}
	if got := post(t, base+"/cgi-bin/unheard/of", "{}"); got != 40066 {
		t.Errorf("an unknown path answers %d, want 40066", got)
	}
	if status, _ := do(t, http.MethodGet, base+"/cgi-bin/message/custom/send?access_token="+token, nil); status != http.StatusOK {
		t.Errorf("status %d, want 200 even for errors", status)
	}
}

func TestErrorsCarryARequestID(t *testing.T) {
	_, base, token := openSim(t, newFakeClock(), nil)
	_, answer := do(t, http.MethodPost, base+sendPath+token, "")
	if text, _ := answer["errmsg"].(string); !regexp.MustCompile(` rid: [0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{8}$`).MatchString(text) {
		t.Errorf("errmsg %q", text)
	}
}

func TestTheDailyQuotaIsClearedTenTimesAMonth(t *testing.T) {
	clock := newFakeClock()
	_, base, token := openSim(t, clock, func(a *App) { a.DailySendQuota = 1 })
	if got := []int{sendText(t, base, token, "a"), sendText(t, base, token, "b")}; !cmp.Equal(got, []int{0, 45009}) {
		t.Fatalf("codes %v", got)
	}
	clear := func(appID string) int {
		return post(t, base+"/cgi-bin/clear_quota?access_token="+token, `{"appid":"`+appID+`"}`)
	}
	if got := clear("wxother"); got != 40013 {
		t.Errorf("another app's quota: %d", got)
	}
	for range clearsPerMonth {
		if got := clear(testApp); got != 0 {
			t.Fatalf("clearing answers %d", got)
		}
	}
	if got := clear(testApp); got != 48006 {
		t.Errorf("the eleventh time answers %d", got)
	}
	if got := sendText(t, base, token, "c"); got != 0 {
		t.Errorf("after clearing: %d", got)
	}
}

func TestTyping(t *testing.T) {
	clock := newFakeClock()
	sim, base, token := openSim(t, clock, nil)
	typing := func(command string) int {
		return post(t, base+"/cgi-bin/message/custom/typing?access_token="+token, `{"touser":"`+testOpenID+`","command":"`+command+`"}`)
	}
	for _, step := range []struct {
		name    string
		do      func()
		command string
		want    int
	}{
		{"a bad command", func() {}, "Typo", 45072},
		{"typing", func() {}, "Typing", 0},
		{"typing twice", func() {}, "Typing", 45081},
		{"cancelling", func() {}, "CancelTyping", 0},
		{"typing after cancelling", func() {}, "Typing", 0},
		{"a message ends it", func() { sendText(t, base, token, "x") }, "Typing", 0},
		{"15 s end it", func() { clock.Advance(typingDuration) }, "Typing", 0},
		{"silence of 30 s", func() { clock.Advance(typingExchange) }, "Typing", 45080},
		{"the window is closed", func() { clock.Advance(time.Hour); _, _ = sim.Advance(48 * time.Hour) }, "Typing", 42001},
	} {
		step.do()
		if got := typing(step.command); got != step.want {
			t.Errorf("%s: code %d, want %d", step.name, got, step.want)
		}
	}
	token = stableToken(t, base, false)
	if got := typing("Typing"); got != 45015 {
		t.Errorf("outside the window: code %d, want 45015", got)
	}
}

func TestMedia(t *testing.T) {
	clock := newFakeClock()
	_, base, token := openSim(t, clock, func(a *App) { a.TokenLifetime = Duration(1000 * time.Hour) })
	_, answer := do(t, http.MethodPost, base+"/cgi-bin/media/upload?type=voice&access_token="+token, "x")
	if code, _ := answer["errcode"].(float64); code != 40004 {
		t.Errorf("a voice: %v", answer)
	}
	picture := drawPicture("x")
	id, _ := upload(t, base, token, picture)["media_id"].(string)
	for name, c := range map[string]struct {
		data []byte
		want float64
	}{
		"a text":       {[]byte("not a picture"), 40005},
		"a big one":    {append(bytes.Clone(picture), make([]byte, maxMediaSize)...), 45001},
		"a good again": {picture, 0},
	} {
		if code, _ := upload(t, base, token, c.data)["errcode"].(float64); code != c.want {
			t.Errorf("%s: code %v, want %v", name, code, c.want)
		}
	}
	if got := post(t, base+sendPath+token, `{"touser":"`+testOpenID+`","msgtype":"image","image":{"media_id":"`+id+`"}}`); got != 0 {
		t.Errorf("sending the picture: %d", got)
	}
	header, data := fetch(t, base+"/cgi-bin/media/get?access_token="+token+"&media_id="+id)
	if header.Get("Content-Type") != "image/png" || !strings.HasPrefix(header.Get("Content-Disposition"), "attachment") || !bytes.Equal(data, picture) {
		t.Errorf("got %v and %d bytes", header, len(data))
	}
	clock.Advance(mediaLifetime)
	if header, data = fetch(t, base+"/cgi-bin/media/get?access_token="+token+"&media_id="+id); !bytes.Contains(data, []byte("40007")) || header.Get("Content-Type") != "text/plain" {
		t.Errorf("after three days: %s as %s", data, header.Get("Content-Type"))
	}
}

func upload(t *testing.T, base, token string, data []byte) map[string]any {
	t.Helper()
	return uploadAs(t, base, token, mediaImage, data)
}

func uploadAs(t *testing.T, base, token string, kind mediaKind, data []byte) map[string]any {
	t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, err := form.CreateFormFile("media", "a.png")
	if err != nil {
		t.Fatalf("making form: %v", err)
	}
	_, err = part.Write(data)
	if err = errors.Join(err, form.Close()); err != nil {
		t.Fatalf("making form: %v", err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, base+"/cgi-bin/media/upload?type="+string(kind)+"&access_token="+token, &body)
	if err != nil {
		t.Fatalf("building request: %v", err)
	}
	req.Header.Set("Content-Type", form.FormDataContentType())
	_, answer := roundTrip(t, req)
	decoded := map[string]any{}
	if err := strictJSON(answer, &decoded); err != nil {
		t.Fatalf("answer is not JSON: %v", err)
	}
	return decoded
}

func fetch(t *testing.T, url string) (http.Header, []byte) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatalf("building request: %v", err)
	}
	return roundTrip(t, req)
}

func roundTrip(t *testing.T, req *http.Request) (http.Header, []byte) {
	t.Helper()
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatalf("calling: %v", err)
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatalf("reading: %v", err)
	}
	return res.Header, data
}

func TestStableTokens(t *testing.T) {
	clock := newFakeClock()
	_, base, one := openSim(t, clock, nil)
	usable := func(token string) int {
		return post(t, base+"/cgi-bin/message/custom/send?access_token="+token, "")
	}
	clock.Advance(114 * time.Minute)
	if two := stableToken(t, base, false); two != one {
		t.Fatalf("a new token although the old one is good")
	}
	clock.Advance(2 * time.Minute)
	two := stableToken(t, base, false)
	if two == one || usable(one) != 44002 || usable(two) != 44002 {
		t.Errorf("in the last five minutes there should be a new token beside the old one")
	}
	clock.Advance(5 * time.Minute)
	if usable(one) != 42001 || usable(two) != 44002 {
		t.Errorf("the old token should have expired: %d, %d", usable(one), usable(two))
	}
	three := stableToken(t, base, true)
	if usable(two) != 40001 || usable(three) != 44002 {
		t.Errorf("a forced refresh should kill the old token: %d, %d", usable(two), usable(three))
	}
	if stableToken(t, base, true) != three {
		t.Errorf("a second forced refresh within 30 s should change nothing")
	}
	for i := range maxForced - 1 {
		clock.Advance(forceSpacing)
		if next := stableToken(t, base, true); next == three {
			t.Fatalf("forced refresh %d gave the old token", i+2)
		} else {
			three = next
		}
	}
	clock.Advance(forceSpacing)
	code := post(t, base+"/cgi-bin/stable_token",
		`{"grant_type":"client_credential","appid":"`+testApp+`","secret":"`+testSecret+`","force_refresh":true}`)
	if code != 45009 {
		t.Errorf("the 21st forced refresh answers %d", code)
	}
}

func TestPlainTokensOverlapAndAreIsolatedFromStableOnes(t *testing.T) {
	clock := newFakeClock()
	_, base, stable := openSim(t, clock, nil)
	buy := func() string {
		_, answer := do(t, http.MethodGet, base+"/cgi-bin/token?grant_type=client_credential&appid="+testApp+"&secret="+testSecret, nil)
		token, _ := answer["access_token"].(string)
		return token
	}
	one, two := buy(), buy()
	codes := func() []int {
		var got []int
		for _, token := range []string{one, two, stable} {
			got = append(got, post(t, base+sendPath+token, ""))
		}
		return got
	}
	if diff := cmp.Diff([]int{44002, 44002, 44002}, codes()); diff != "" || one == two {
		t.Errorf("both plain tokens should be good:\n%s", diff)
	}
	clock.Advance(5 * time.Minute)
	if diff := cmp.Diff([]int{42001, 44002, 44002}, codes()); diff != "" {
		t.Errorf("the older one should have ended:\n%s", diff)
	}
}

func TestTokenErrors(t *testing.T) {
	clock := newFakeClock()
	sim, base, token := openSim(t, clock, nil)
	stable := func(appID, secret string) int {
		return post(t, base+"/cgi-bin/stable_token", `{"grant_type":"client_credential","appid":"`+appID+`","secret":"`+secret+`"}`)
	}
	if err := sim.EndTokens(testApp, TokensRevoked); err != nil {
		t.Fatalf("revoking: %v", err)
	}
	for name, c := range map[string][2]int{
		"a wrong secret": {stable(testApp, "x"), 40125},
		"a wrong app":    {stable("wxother", "x"), 40013},
		"no token":       {post(t, base+"/cgi-bin/message/custom/send", "{}"), 41001},
		"nonsense":       {post(t, base+sendPath+"x", "{}"), 40014},
		"somebody's":     {post(t, base+sendPath+randomText(tokenLength), "{}"), 40001},
		"a revoked one":  {post(t, base+sendPath+token, "{}"), 40001},
	} {
		if c[0] != c[1] {
			t.Errorf("%s: code %d, want %d", name, c[0], c[1])
		}
	}
	token = stableToken(t, base, false)
	if err := sim.EndTokens(testApp, TokensExpired); err != nil {
		t.Fatalf("expiring: %v", err)
	}
	if got := post(t, base+sendPath+token, "{}"); got != 42001 {
		t.Errorf("an expired one: code %d", got)
	}
}

func TestFaultsAreUsedUpInTheirOrder(t *testing.T) {
	sim, base, token := openSim(t, newFakeClock(), nil)
	for _, f := range []Fault{
		{ErrCode: 40164, Count: 2},
		{OpenID: "somebody-else", ErrCode: -1},
		{Drop: true, When: FaultAfter},
		{HTTPStatus: 500},
		{Delay: Duration(time.Millisecond)},
		{On: opStable, ErrCode: 45011},
	} {
		if err := sim.AddFault(testApp, f); err != nil {
			t.Fatalf("adding fault: %v", err)
		}
	}
	if got := []int{sendText(t, base, token, "1"), sendText(t, base, token, "2")}; !cmp.Equal(got, []int{40164, 40164}) {
		t.Errorf("codes %v", got)
	}
	body := `{"touser":"` + testOpenID + `","msgtype":"text","text":{"content":"dropped"}}`
	if res, err := http.Post(base+sendPath+token, "application/json", strings.NewReader(body)); err == nil {
		res.Body.Close()
		t.Errorf("the connection was not dropped")
	}
	res, err := http.Post(base+sendPath+token, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatalf("sending: %v", err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusInternalServerError {
		t.Errorf("status %d, want 500", res.StatusCode)
	}
	if got := sendText(t, base, token, "after"); got != 0 {
		t.Errorf("the delayed one answers %d", got)
	}
	lines, err := sim.Received(t.Context(), testApp, testOpenID, 0, 0)
	if err != nil {
		t.Fatalf("reading: %v", err)
	}
	var texts []string
	for _, l := range lines {
		texts = append(texts, l.Text)
	}
	if diff := cmp.Diff([]string{"dropped", "after"}, texts); diff != "" {
		t.Errorf("received (-want +got):\n%s", diff)
	}
	left, err := sim.Faults(testApp)
	if err != nil || len(left) != 2 {
		t.Errorf("%d faults left, error %v", len(left), err)
	}
	total, _ := sim.Stats()
	want := map[string]int{"40164": 2, "drop": 1, "http-500": 1, "0": 1}
	if diff := cmp.Diff(want, total.SendsByCode); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
}

func TestIdenticalContentIsCounted(t *testing.T) {
	sim, base, token := openSim(t, newFakeClock(), nil)
	for _, text := range []string{"a", "b", "a", "a"} {
		sendText(t, base, token, text)
	}
	total, _ := sim.Stats()
	if total.Duplicates != 2 || total.SendsAccepted != 4 {
		t.Errorf("%d duplicates of %d", total.Duplicates, total.SendsAccepted)
	}
}
