package wechatsim

import (
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// replyXML is a passive reply to the test's customer.
func replyXML(msgType, content string) string {
	return "<xml><ToUserName><![CDATA[" + testOpenID + "]]></ToUserName><FromUserName><![CDATA[" + testOriginalID + "]]></FromUserName>" +
		"<CreateTime>1795251601</CreateTime><MsgType><![CDATA[" + msgType + "]]></MsgType>" + content + "</xml>"
}

// encryptReply does what a receiver in secure mode does.
func encryptReply(t *testing.T, key, token, receiver, plain string) string {
	t.Helper()
	k, err := decodeKey(key)
	if err != nil {
		t.Fatalf("decoding key: %v", err)
	}
	text, err := seal(k, envelope{randomBytes(randomLength), []byte(plain), receiver})
	if err != nil {
		t.Fatalf("sealing: %v", err)
	}
	return "<xml><Encrypt><![CDATA[" + text + "]]></Encrypt><MsgSignature><![CDATA[" + sign(token, "1713424427", "415670741", text) +
		"]]></MsgSignature><TimeStamp>1713424427</TimeStamp><Nonce><![CDATA[415670741]]></Nonce></xml>"
}

func TestPassiveReplies(t *testing.T) {
	const hours = "<Content><![CDATA[9:00-21:00]]></Content>"
	text := replyXML("text", hours)
	secret := func(plain string) string { return encryptReply(t, testKey, "AAAAA", testApp, plain) }
	article := "<item><Title>a</Title><Description>b</Description><PicUrl>p</PicUrl><Url>u</Url></item>"
	for name, c := range map[string]struct {
		mode    Mode
		answer  string
		outcome Outcome
		shown   string // what the phone shows, or a part of the problem
	}{
		"a text":                          {ModePlaintext, text, OutcomeReplied, "9:00-21:00"},
		"an encrypted text":               {ModeSecure, secret(text), OutcomeReplied, "9:00-21:00"},
		"an encrypted one without CDATA":  {ModeSecure, strings.NewReplacer("<![CDATA[", "", "]]>", "").Replace(secret(text)), OutcomeReplied, "9:00-21:00"},
		"either in compatible mode":       {ModeCompatible, secret(text), OutcomeReplied, "9:00-21:00"},
		"or the other":                    {ModeCompatible, text, OutcomeReplied, "9:00-21:00"},
		"a plain text in secure mode":     {ModeSecure, text, OutcomeInvalidAnswer, "must be encrypted"},
		"an encrypted text in plain mode": {ModePlaintext, secret(text), OutcomeInvalidAnswer, "must not be encrypted"},
		"a time in milliseconds":          {ModePlaintext, strings.Replace(text, "1795251601", "1795251601000", 1), OutcomeReplied, "9:00-21:00"},
		"success in secure mode":          {ModeSecure, "success", OutcomeSuccess, ""},
		"nothing in secure mode":          {ModeSecure, "", OutcomeSuccess, ""},
		"another signature":               {ModeSecure, strings.Replace(secret(text), "1713424427", "1713424428", 1), OutcomeInvalidAnswer, "MsgSignature"},
		"another app's suffix":            {ModeSecure, encryptReply(t, testKey, "AAAAA", "wxother", text), OutcomeInvalidAnswer, "another app"},
		"another key":                     {ModeSecure, encryptReply(t, strings.Repeat("A", 43), "AAAAA", testApp, text), OutcomeInvalidAnswer, "opening"},
		"To and From not swapped":         {ModePlaintext, strings.NewReplacer(testOpenID, testOriginalID, testOriginalID, testOpenID).Replace(text), OutcomeInvalidAnswer, "ToUserName"},
		"somebody else's account":         {ModePlaintext, strings.Replace(text, testOriginalID, "gh_other", 1), OutcomeInvalidAnswer, "FromUserName"},
		"no time":                         {ModePlaintext, strings.Replace(text, "1795251601", "", 1), OutcomeInvalidAnswer, "CreateTime"},
		"an empty text":                   {ModePlaintext, replyXML("text", "<Content></Content>"), OutcomeInvalidAnswer, "Content"},
		"a text that is too long":         {ModePlaintext, replyXML("text", "<Content>"+strings.Repeat("x", 2049)+"</Content>"), OutcomeInvalidAnswer, "longer"},
		"an article":                      {ModePlaintext, replyXML("news", "<ArticleCount>1</ArticleCount><Articles>"+article+"</Articles>"), OutcomeReplied, "a\nb\nu"},
		"two articles":                    {ModePlaintext, replyXML("news", "<ArticleCount>2</ArticleCount><Articles>"+article+article+"</Articles>"), OutcomeInvalidAnswer, "ArticleCount"},
		"a picture that nobody uploaded":  {ModePlaintext, replyXML("image", "<Image><MediaId>x</MediaId></Image>"), OutcomeInvalidAnswer, "medium"},
		"an unknown type":                 {ModePlaintext, replyXML("hologram", ""), OutcomeInvalidAnswer, "MsgType"},
		"a transfer":                      {ModePlaintext, replyXML("transfer_customer_service", ""), OutcomeTransferred, ""},
		"JSON":                            {ModePlaintext, `{"errcode":0}`, OutcomeInvalidAnswer, "XML"},
		"a page of a proxy":               {ModePlaintext, "<html><body>502</body></html>", OutcomeInvalidAnswer, "XML"},
		"two replies":                     {ModePlaintext, text + text, OutcomeInvalidAnswer, "follows"},
		"success with a line break":       {ModePlaintext, "success\n", OutcomeInvalidAnswer, "XML"},
	} {
		t.Run(name, func(t *testing.T) {
			hook := newCallback(t, reply(200, c.answer))
			sim, _ := newSim(t, Options{}, hook.URL, func(a *App) { officialAccount(a); a.Mode = c.mode })
			push := write(t, sim, "营业时间")
			if len(push.Attempts) != 1 || push.Attempts[0].Outcome != c.outcome {
				t.Fatalf("attempts %+v, want one that is %s", push.Attempts, c.outcome)
			}
			if c.outcome == OutcomeInvalidAnswer {
				if !strings.Contains(push.Attempts[0].Problem, c.shown) || push.Shown == "" {
					t.Errorf("problem %q, shown %q", push.Attempts[0].Problem, push.Shown)
				}
				return
			}
			shown := ""
			if push.Reply != nil {
				shown = push.Reply.Text
			}
			if shown != c.shown || push.Shown != "" {
				t.Errorf("the phone shows %q and %q, want %q", shown, push.Shown, c.shown)
			}
		})
	}
}

func TestThePublishedReplyVectorIsUnderstood(t *testing.T) {
	v := loadVectors(t)["F2"]
	app := App{
		Kind: KindOfficialAccount, Mode: ModeSecure, AppID: v.ReceiverID, Token: "AAAAA", EncodingAESKey: v.EncodingAESKey,
		OriginalID: "gh_7f083739789a",
	}
	body := "<xml><Encrypt><![CDATA[" + v.Encrypt + "]]></Encrypt><MsgSignature><![CDATA[" + sign("AAAAA", "1407743423", "1320562132", v.Encrypt) +
		"]]></MsgSignature><TimeStamp>1407743423</TimeStamp><Nonce><![CDATA[1320562132]]></Nonce></xml>"
	got := judge(app, sealed{openID: "oia2Tj我是中文jewbmiOUlr6X-1crbLOvLw"}, []byte(body))
	if got.outcome != OutcomeReplied || got.text != v.Plaintext {
		t.Fatalf("outcome %s (%s)", got.outcome, got.problem)
	}
	want := replyMedia{
		MediaID: "eYJ1MbwPRJtOvIEabaxHs7TX2D-HV71s79GUxqdUkjm6Gs2Ed1KF3ulAOA9H1xG0",
		Title:   "testCallBackReplyVideo", Description: "testCallBackReplyVideo",
	}
	if diff := cmp.Diff(want, got.reply.Video); diff != "" {
		t.Errorf("video (-want +got):\n%s", diff)
	}
}

func TestAReplyWithAMediumOfTheAccountIsShown(t *testing.T) {
	var id string
	hook := newCallback(t, func(_ int, w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, replyXML("image", "<Image><MediaId>"+id+"</MediaId></Image>"))
	})
	sim, server := newSim(t, Options{}, hook.URL, officialAccount)
	id, _ = upload(t, server.URL, stableToken(t, server.URL, false), drawPicture("x"))["media_id"].(string)
	push := act(t, sim, Message{Type: TypeEvent, Event: "subscribe"})
	if push.Reply == nil || push.Reply.PictureURL == "" {
		t.Errorf("push %+v", push)
	}
}

func TestPassiveRepliesCostNothingAndAreCountedApart(t *testing.T) {
	hook := newCallback(t, reply(200, replyXML("text", "<Content>9:00-21:00</Content>")))
	sim, server := newSim(t, Options{}, hook.URL, officialAccount)
	token := stableToken(t, server.URL, false)
	for range 3 {
		write(t, sim, "营业时间")
	}
	for range 5 {
		if got := sendText(t, server.URL, token, "9:00-21:00"); got != 0 {
			t.Fatalf("sending: %d", got)
		}
	}
	if got := sendText(t, server.URL, token, "x"); got != 45047 {
		t.Errorf("the sixth: %d", got)
	}
	lines, err := sim.Received(t.Context(), testApp, testOpenID, 0, 0)
	if err != nil {
		t.Fatalf("reading: %v", err)
	}
	ways := map[Way]int{}
	for i, l := range lines {
		ways[l.Via]++
		if l.N != i+1 || (l.LatencyMS > 0) != (l.Via == ViaPassive) {
			t.Errorf("line %+v", l)
		}
	}
	if diff := cmp.Diff(map[Way]int{ViaPassive: 3, ViaSend: 5}, ways); diff != "" {
		t.Errorf("ways (-want +got):\n%s", diff)
	}
	if total, _ := sim.Stats(); total.PassiveReplies != 3 || total.SendsAccepted != 5 || total.Duplicates != 4 {
		t.Errorf("stats %+v", total)
	}
}

func TestALostReplyIsAskedForAgainAndShownOnce(t *testing.T) {
	hook := newCallback(t, func(n int, w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, replyXML("text", "<Content>"+strconv.Itoa(n)+"</Content>"))
	})
	sim, _ := newSim(t, Options{}, hook.URL, officialAccount)
	for _, f := range []Fault{{On: "push", Drop: true}, {On: "push", Drop: true, When: FaultAfter}} {
		if err := sim.AddFault(testApp, f); err != nil {
			t.Fatalf("adding fault: %v", err)
		}
	}
	push := write(t, sim, "hello")
	var outcomes []Outcome
	for _, a := range push.Attempts {
		outcomes = append(outcomes, a.Outcome)
	}
	if diff := cmp.Diff([]Outcome{OutcomeNoConnection, OutcomeNoConnection, OutcomeReplied}, outcomes); diff != "" {
		t.Errorf("outcomes (-want +got):\n%s", diff)
	}
	if len(hook.pushes()) != 2 || push.Attempts[1].Answer == "" || push.Reply.Text != "2" {
		t.Errorf("%d pushes arrived, reply %+v", len(hook.pushes()), push.Reply)
	}
	if _, err := sim.RepeatPush(t.Context(), testApp, push.ID, Repeat{Times: 2}); err != nil {
		t.Fatalf("repeating: %v", err)
	}
	if lines, err := sim.Received(t.Context(), testApp, testOpenID, 0, 0); err != nil || len(lines) != 1 {
		t.Errorf("the customer saw %d replies, error %v", len(lines), err)
	}
	if err := sim.AddFault(testApp, Fault{On: "push", ErrCode: 40001}); problemStatus(err) != 400 {
		t.Errorf("a push with an error code: %v", err)
	}
}

func TestNobodyIsRepliedToAfterLeaving(t *testing.T) {
	hook := newCallback(t, reply(200, replyXML("text", "<Content>再见</Content>")))
	sim, _ := newSim(t, Options{}, hook.URL, officialAccount)
	act(t, sim, Message{Type: TypeEvent, Event: "subscribe"})
	push := act(t, sim, Message{Type: TypeEvent, Event: "unsubscribe"})
	if push.Reply != nil || push.Attempts[0].Outcome != OutcomeInvalidAnswer {
		t.Errorf("push %+v", push)
	}
}

func TestALoadTimesThePassiveReplies(t *testing.T) {
	hook := newCallback(t, success)
	hook.answer = func(_ int, w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, strings.Replace(replyXML("text", "<Content>9:00-21:00</Content>"), testOpenID, r.URL.Query().Get("openid"), 1))
	}
	sim, _ := newSim(t, Options{}, hook.URL, officialAccount)
	started, err := sim.StartLoad(t.Context(), testApp, LoadSpec{Customers: 3, RatePerSecond: 500, Seconds: 0.02, Content: "营业时间 {customer}/{message}"})
	if err != nil {
		t.Fatalf("starting: %v", err)
	}
	report := waitForLoad(t, sim, started.ID)
	if report.Acknowledged != 10 || report.Replied != 10 || report.Reply.P99 <= 0 {
		t.Errorf("report %+v", report)
	}
	report, err = sim.Load(started.ID, WithMessages)
	if err != nil || report.Messages[3].Content != "营业时间 1/2" || report.Messages[3].Reply != "9:00-21:00" {
		t.Errorf("messages %+v, error %v", report.Messages, err)
	}
}

func TestRepliesWithinFiveSecondsOnly(t *testing.T) {
	hook := newCallback(t, first(1,
		func(_ int, _ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		reply(200, replyXML("text", "<Content>second</Content>"))))
	sim, _ := newSim(t, Options{PushTimeout: 50 * time.Millisecond}, hook.URL, officialAccount)
	push := write(t, sim, "hello")
	if len(push.Attempts) != 2 || push.Attempts[0].Outcome != OutcomeTimeout || push.Reply == nil || push.Reply.Text != "second" {
		t.Errorf("push %+v", push)
	}
}
