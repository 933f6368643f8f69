package miniprogram

import (
	"errors"
	"fmt"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/connectors"
	"github.com/yingda-dev/yingda/connectors/wechat"
	"github.com/yingda-dev/yingda/internal/message"
)

const (
	testToken  = "AAAAA"
	testAppID  = "wxba5fad812f8e6fb9"
	testAESKey = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
)

// published is the time of the platform's published examples.
func published() time.Time { return time.Unix(1714112445, 0) }

func open(t testing.TB, mode v1alpha1.MessageMode, modify ...func(map[string][]byte)) (*connector, error) {
	t.Helper()
	secret := map[string][]byte{"appSecret": []byte("hush\n"), "token": []byte(testToken), "encodingAESKey": []byte(testAESKey)}
	for _, f := range modify {
		f(secret)
	}
	opened, err := Type{}.Open(connectors.Config{
		Channel: &v1alpha1.Channel{
			ObjectMeta: metav1.ObjectMeta{Name: "shop"},
			Spec:       v1alpha1.ChannelSpec{MiniProgram: &v1alpha1.MiniProgramSpec{WeChatAccount: v1alpha1.WeChatAccount{AppID: testAppID, MessageMode: mode}}},
		},
		Secret: secret, Services: connectors.Services{Clock: published},
	})
	if err != nil {
		return nil, err
	}
	c, ok := opened.(*connector)
	if !ok {
		t.Fatalf("Open = %T", opened)
	}
	return c, nil
}

func mustOpen(t testing.TB, mode v1alpha1.MessageMode) *connector {
	t.Helper()
	c, err := open(t, mode)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// plainQuery is the query of a call at the given time.
func plainQuery(at time.Time) url.Values {
	timestamp := strconv.FormatInt(at.Unix(), 10)
	return url.Values{"timestamp": {timestamp}, "nonce": {"n"}, "signature": {wechat.Sign(testToken, timestamp, "n")}}
}

func push(t testing.TB, c *connector, query url.Values, body string) (connectors.Received, string) {
	t.Helper()
	received, err := c.Receive(httptest.NewRequestWithContext(t.Context(), "POST", "/lumi/shop?"+query.Encode(), strings.NewReader(body)))
	if refused, ok := errors.AsType[*connectors.RefusedError](err); ok {
		return received, refused.Reason
	}
	if err != nil {
		t.Fatal(err)
	}
	return received, ""
}

func TestThePlatformsOwnExampleIsReceived(t *testing.T) {
	t.Parallel()
	c := mustOpen(t, v1alpha1.MessageModeSecure)
	// Vector E1 of connectors/wechat/testdata.
	query := url.Values{
		"timestamp": {"1714112445"}, "nonce": {"415670741"}, "signature": {"6c5c811b55cc85e0e1b54100749188c20beb3f5d"}, "encrypt_type": {"aes"},
		"openid": {"o9AgO5Kd5ggOC-bXrbNODIiE3bGY"}, "msg_signature": {"046e02f8204d34f8ba5fa3b1db94908f3df2e9b3"},
	}
	const encrypted = "+qdx1OKCy+5JPCBFWw70tm0fJGb2Jmeia4FCB7kao+/Q5c/ohsOzQHi8khUOb05JCpj0JB4RvQMkUyus8TPxLKJGQqcvZqzDpVzazhZv6JsXUnnR8XGT740XgXZUXQ7vJVnAG+tE8NUd4yFyjPy7GgiaviNrlCTj+l5kdfMuFUPpRSrfMZuMcp3Fn2Pede2IuQrKEYwKSqFIZoNqJ4M8EajAsjLY2km32IIjdf8YL/P50F7mStwntrA2cPDrM1kb6mOcfBgRtWygb3VIYnSeOBrebufAlr7F9mFUPAJGj04="
	received, reason := push(t, c, query, `{"ToUserName":"gh_97417a04a28d","Encrypt":"`+encrypted+`"}`)
	if reason != "" || received.Answer != "success" || len(received.Messages) != 1 {
		t.Fatalf("Receive = %+v, refused %q", received, reason)
	}
	in := received.Messages[0]
	if in.Content.RawType != "event/debug_demo" || in.MessageID != "o9AgO5Kd5ggOC-bXrbNODIiE3bGY1714112445debug_demo" || !in.SentAt.Equal(published()) {
		t.Errorf("inbound = %+v", in)
	}
}

func TestRepeatedPushesAreAlikeAndTheWindowIsTenMinutes(t *testing.T) {
	t.Parallel()
	c := mustOpen(t, v1alpha1.MessageModePlaintext)
	const body = `{"FromUserName":"o1","CreateTime":1714112445,"MsgType":"image","MediaId":"m1","MsgId":12345678901234567890}`
	first, _ := push(t, c, plainQuery(published()), body)
	again, _ := push(t, c, plainQuery(published()), body)
	if diff := cmp.Diff(first, again); diff != "" || first.Messages[0].MessageID != "12345678901234567890" {
		t.Errorf("a repetition differs (-first +again):\n%s", diff)
	}
	for skew, want := range map[time.Duration]string{
		-10 * time.Minute: "", 10 * time.Minute: "", -10*time.Minute - time.Second: wechat.ReasonTimestamp, 10*time.Minute + time.Second: wechat.ReasonTimestamp,
	} {
		if _, reason := push(t, c, plainQuery(published().Add(skew)), body); reason != want {
			t.Errorf("%s off: refused %q, want %q", skew, reason, want)
		}
	}
}

func TestLongAndOddPushesAreKeptWithinBounds(t *testing.T) {
	t.Parallel()
	c := mustOpen(t, v1alpha1.MessageModePlaintext)
	long := strings.Repeat("长", 100_000)
	for name, tc := range map[string]struct {
		fields string
		check  func(message.Content) bool
	}{
		"a long text": {`"MsgType":"text","Content":"` + long + `"`, func(m message.Content) bool {
			return len(m.Text) <= wechat.MaxText && utf8.ValidString(m.Text) && len(m.Text) > wechat.MaxText-3
		}},
		"a long unknown push": {`"MsgType":"hologram","Data":"` + long + `"`, func(m message.Content) bool {
			return m.Kind == message.KindUnsupported && len(m.Raw) <= wechat.MaxText && utf8.ValidString(m.Raw)
		}},
		"an unknown event":          {`"MsgType":"event","Event":"surprise"`, func(m message.Content) bool { return m.RawType == "event/surprise" }},
		"an image without its file": {`"MsgType":"image","PicUrl":"http://example.com/x"`, func(m message.Content) bool { return m.Kind == message.KindUnsupported }},
		"a page without a picture":  {`"MsgType":"miniprogrampage","PagePath":"p"`, func(m message.Content) bool { return m.Page != nil && m.Page.Thumb == nil }},
		"an empty text":             {`"MsgType":"text","Content":""`, func(m message.Content) bool { return m.Kind == message.KindText && m.Text == "" }},
	} {
		received, reason := push(t, c, plainQuery(published()), `{"FromUserName":"o1","CreateTime":"1714112445","MsgId":"a_1",`+tc.fields+`}`)
		if reason != "" || !tc.check(received.Messages[0].Content) {
			t.Errorf("%s: refused %q, got %.200v", name, reason, received.Messages)
		}
	}
	for name, body := range map[string]string{
		"no sender":          `{"CreateTime":1,"MsgType":"text"}`,
		"a sender of blanks": `{"FromUserName":"o 1","CreateTime":1,"MsgType":"text"}`,
		"a sender too long":  `{"FromUserName":"` + strings.Repeat("o", 200) + `","CreateTime":1,"MsgType":"text"}`,
		"no time":            `{"FromUserName":"o1","MsgType":"text"}`,
		"no type":            `{"FromUserName":"o1","CreateTime":1}`,
	} {
		if _, reason := push(t, c, plainQuery(published()), body); reason != wechat.ReasonMissingFields {
			t.Errorf("%s: refused %q, want %q", name, reason, wechat.ReasonMissingFields)
		}
	}
}

func TestSecretsAreChecked(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		mode   v1alpha1.MessageMode
		change func(map[string][]byte)
		want   string
	}{
		"complete":                        {v1alpha1.MessageModeSecure, func(map[string][]byte) {}, ""},
		"no app secret":                   {v1alpha1.MessageModeSecure, func(s map[string][]byte) { delete(s, "appSecret") }, "lacks the key appSecret"},
		"an empty token":                  {v1alpha1.MessageModeSecure, func(s map[string][]byte) { s["token"] = []byte(" \n") }, "lacks the key token"},
		"no key in secure mode":           {v1alpha1.MessageModeSecure, func(s map[string][]byte) { delete(s, "encodingAESKey") }, "encodingAESKey"},
		"no key in plaintext mode":        {v1alpha1.MessageModePlaintext, func(s map[string][]byte) { delete(s, "encodingAESKey") }, ""},
		"a broken previous key":           {v1alpha1.MessageModeSecure, func(s map[string][]byte) { s["previousEncodingAESKey"] = []byte("x") }, "previousEncodingAESKey"},
		"a previous key like the current": {v1alpha1.MessageModeSecure, func(s map[string][]byte) { s["previousEncodingAESKey"] = s["encodingAESKey"] }, ""},
		"only a previous key in plaintext": {v1alpha1.MessageModePlaintext, func(s map[string][]byte) {
			s["previousEncodingAESKey"] = s["encodingAESKey"]
			delete(s, "encodingAESKey")
		}, ""},
	} {
		_, err := open(t, tc.mode, tc.change)
		if (err == nil) != (tc.want == "") || err != nil && !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, want %q", name, err, tc.want)
		}
	}
}

func FuzzReceive(f *testing.F) {
	f.Add(`{"FromUserName":"o1","CreateTime":1714112445,"MsgType":"text","Content":"hi","MsgId":1}`)
	f.Add(`<xml><FromUserName>o1</FromUserName><CreateTime>1</CreateTime><MsgType>image</MsgType><MediaId>m</MediaId></xml>`)
	f.Add(`{"FromUserName":"o1","CreateTime":1,"MsgType":"event","Event":"user_enter_tempsession","SessionFrom":"x"}`)
	c := mustOpen(f, v1alpha1.MessageModePlaintext)
	f.Fuzz(func(t *testing.T, body string) {
		received, reason := push(t, c, plainQuery(published()), body)
		if reason != "" {
			return
		}
		in := received.Messages[0]
		for _, text := range []string{in.MessageID, in.Customer, in.Content.Text, in.Content.Raw, in.Content.RawType, in.Content.SessionFrom} {
			if !utf8.ValidString(text) || strings.ContainsRune(text, 0) || len(text) > wechat.MaxText {
				t.Errorf("inbound holds %q", fmt.Sprintf("%.100s", text))
			}
		}
	})
}
