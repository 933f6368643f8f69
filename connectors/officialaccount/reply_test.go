package officialaccount

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/connectors/wechat"
	"github.com/yingda-dev/yingda/internal/message"
)

func text(t string) message.Content { return message.Content{Kind: message.KindText, Text: t} }

func link(title, url string) message.Content {
	return message.Content{Kind: message.KindLink, Link: &message.Link{Title: title, URL: url}}
}

const (
	answered     = "<xml><ToUserName><![CDATA[" + testOpenID + "]]></ToUserName><FromUserName><![CDATA[" + testAccount + "]]></FromUserName><CreateTime>1409735669</CreateTime>"
	answeredText = answered + "<MsgType><![CDATA[text]]></MsgType><Content><![CDATA["
)

func TestWhatTheBotSaysAtOnceIsOneAnswer(t *testing.T) {
	t.Parallel()
	c := open(t, v1alpha1.MessageModePlaintext, "")
	for name, tt := range map[string]struct {
		contents []message.Content
		want     string
	}{
		"a text":                {[]message.Content{text("您好\n在的")}, answeredText + "您好\n在的]]></Content></xml>"},
		"a text that ends data": {[]message.Content{text("a]]>b")}, answeredText + "a]]]]><![CDATA[>b]]></Content></xml>"},
		"a text of controls":    {[]message.Content{text("a\x01b\ufffe")}, answeredText + "ab]]></Content></xml>"},
		"a link after a text": {
			[]message.Content{text("开票入口:"), link("开<发>票", `https://lumi.example/?a=1&b="2"`)},
			answeredText + "开票入口:\n" + `<a href="https://lumi.example/?a=1&b=%222%22">开〈发〉票</a>` + "]]></Content></xml>",
		},
		"a link alone": {
			[]message.Content{link("开发票", "https://lumi.example")},
			answered + "<MsgType><![CDATA[news]]></MsgType><ArticleCount>1</ArticleCount><Articles><item><Title><![CDATA[开发票]]></Title>" +
				"<Description></Description><PicUrl></PicUrl><Url><![CDATA[https://lumi.example]]></Url></item></Articles></xml>",
		},
		"the longest text":    {[]message.Content{text(strings.Repeat("a", 2048))}, answeredText + strings.Repeat("a", 2048) + "]]></Content></xml>"},
		"a longer one":        {[]message.Content{text(strings.Repeat("a", 2049))}, ""},
		"nothing":             {nil, ""},
		"an empty text":       {[]message.Content{text("")}, ""},
		"what is no answer":   {[]message.Content{{Kind: message.KindTyping}}, ""},
		"a picture of a shop": {[]message.Content{{Kind: message.KindImage}}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			received, reason := call(t, c, signed(), xmlOf("<MsgType>text</MsgType><Content>a</Content><MsgId>1</MsgId>"))
			if reason != "" {
				t.Fatalf("refused: %s", reason)
			}
			got, ok := received.Reply(tt.contents)
			if diff := cmp.Diff(tt.want, got); diff != "" || ok != (tt.want != "") {
				t.Errorf("ok %t, answer (-want +got):\n%s", ok, diff)
			}
		})
	}
}

// The console's change of a key is in force at once, and messages sealed with the one before still come: their answers are
// sealed with that one.
func TestAnAnswerIsSealedAsItsPushWas(t *testing.T) {
	t.Parallel()
	const otherKey = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFA"
	for name, change := range map[string]func(map[string][]byte){
		"with the current key": func(map[string][]byte) {},
		"with the one before": func(secret map[string][]byte) {
			secret["encodingAESKey"], secret["previousEncodingAESKey"] = []byte(otherKey), []byte(testKey)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := open(t, v1alpha1.MessageModeSecure, "", change)
			received, reason := call(t, c, exampleQuery(), "<xml><Encrypt>"+exampleEncrypted+"</Encrypt></xml>")
			if reason != "" {
				t.Fatalf("refused: %s", reason)
			}
			answer, ok := received.Reply([]message.Content{text("您好")})
			if !ok {
				t.Fatal("no answer")
			}
			sealed, err := wechat.Parse([]byte(answer))
			if err != nil {
				t.Fatalf("%s: %v", answer, err)
			}
			if sealed["Nonce"] != "1320562132" || !wechat.Verify(sealed["MsgSignature"], testToken, sealed["TimeStamp"], sealed["Nonce"], sealed["Encrypt"]) {
				t.Errorf("the signature of %v is not right", sealed)
			}
			key, err := wechat.ParseKey(testKey)
			if err != nil {
				t.Fatal(err)
			}
			plain, err := key.Decrypt(sealed["Encrypt"], testAppID)
			if diff := cmp.Diff(answeredText+"您好]]></Content></xml>", string(plain)); diff != "" || err != nil {
				t.Errorf("%v, the answer (-want +got):\n%s", err, diff)
			}
		})
	}
}
