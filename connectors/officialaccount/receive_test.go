package officialaccount

import (
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/uuid"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/connectors/wechat"
	"github.com/yingda-dev/yingda/internal/message"
)

// The encrypted text of vector E5 of connectors/wechat/testdata, and its signature.
const (
	exampleEncrypted = "hyzAe4OzmOMbd6TvGdIOO6uBmdJoD0Fk53REIHvxYtJlE2B655HuD0m8KUePWB3+LrPXo87wzQ1QLvbeUgmBM4x6F8PGHQHFVAFmOD2LdJF9FrXpbUAh0B5GIItb52sn896wVsMSHGuPE328HnRGBcrS7C41IzDWyWNlZkyyXwon8T332jisa+h6tEDYsVticbSnyU8dKOIbgU6ux5VTjg3yt+WGzjlpKn6NPhRjpA912xMezR4kw6KWwMrCVKSVCZciVGCgavjIQ6X8tCOp3yZbGpy0VxpAe+77TszTfRd5RJSVO/HTnifJpXgCSUdUue1v6h0EIBYYI1BD1DlD+C0CR8e6OewpusjZ4uBl9FyJvnhvQl+q5rv1ixrcpCumEPo5MJSgM9ehVsNPfUM669WuMyVWQLCzpu9GhglF2PE="
	exampleSignature = "5d197aaffba7e9b25a30732f161a50dee96bd5fa"
)

func exampleQuery() url.Values {
	return url.Values{
		"timestamp": {"1409735669"}, "nonce": {"1320562132"}, "signature": {wechat.Sign(testToken, "1409735669", "1320562132")},
		"encrypt_type": {"aes"}, "msg_signature": {exampleSignature},
	}
}

func TestThePlatformsOwnExampleIsReceivedInEveryMode(t *testing.T) {
	t.Parallel()
	sealed := "<xml><ToUserName><![CDATA[" + testAccount + "]]></ToUserName><Encrypt><![CDATA[" + exampleEncrypted + "]]></Encrypt></xml>"
	fields := "<MsgType><![CDATA[text]]></MsgType><Content><![CDATA[abcdteT]]></Content><MsgId>6054768590064713728</MsgId>"
	want := message.Inbound{
		Channel: "service", Customer: testOpenID, MessageID: "6054768590064713728", SentAt: time.Unix(1409735668, 0).UTC(),
		ReceivedAt: published().UTC(), Content: message.Content{Kind: message.KindText, Text: "abcdteT"},
	}
	for name, tt := range map[string]struct {
		mode       v1alpha1.MessageMode
		query      url.Values
		body       string
		wantReason string
	}{
		"secure":                       {v1alpha1.MessageModeSecure, exampleQuery(), sealed, ""},
		"compatible":                   {v1alpha1.MessageModeCompatible, exampleQuery(), xmlOf(fields + "<Encrypt><![CDATA[" + exampleEncrypted + "]]></Encrypt>"), ""},
		"plaintext":                    {v1alpha1.MessageModePlaintext, signed(), xmlOf(fields), ""},
		"plaintext to a secure one":    {v1alpha1.MessageModeSecure, signed(), xmlOf(fields), wechat.ReasonPlaintext},
		"plaintext that says it is no": {v1alpha1.MessageModeSecure, exampleQuery(), xmlOf(fields), wechat.ReasonPlaintext},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			received, reason := call(t, open(t, tt.mode, ""), tt.query, tt.body)
			if reason != tt.wantReason {
				t.Fatalf("refused %q, want %q", reason, tt.wantReason)
			}
			if reason != "" {
				return
			}
			if diff := cmp.Diff([]message.Inbound{want}, received.Messages); diff != "" || received.Answer != "success" {
				t.Errorf("answer %q, messages (-want +got):\n%s", received.Answer, diff)
			}
		})
	}
}

func TestEveryTypeIsReceived(t *testing.T) {
	t.Parallel()
	c := open(t, v1alpha1.MessageModePlaintext, "")
	file := func(platformID string) *message.Media { return &message.Media{PlatformID: platformID} }
	event := func(fields string) string { return "<MsgType>event</MsgType><Event>" + fields }
	for name, tt := range map[string]struct {
		fields string
		want   message.Content
	}{
		"a text": {"<MsgType>text</MsgType><Content>在吗</Content>", message.Content{Kind: message.KindText, Text: "在吗"}},
		"a tap on a choice": {
			"<MsgType>text</MsgType><Content>满意</Content><bizmsgmenuid>5</bizmsgmenuid>",
			message.Content{Kind: message.KindText, Text: "满意", Choice: "5"},
		},
		"a picture": {"<MsgType>image</MsgType><PicUrl>http://a/b</PicUrl><MediaId>m1</MediaId>", message.Content{Kind: message.KindImage, Media: file("m1")}},
		"a voice message that was understood": {
			"<MsgType>voice</MsgType><MediaId>m2</MediaId><Format>amr</Format><Recognition>我要退货</Recognition>",
			message.Content{Kind: message.KindVoice, Media: file("m2"), Text: "我要退货"},
		},
		"a voice message that was not": {"<MsgType>voice</MsgType><MediaId>m2</MediaId><Recognition/>", message.Content{Kind: message.KindVoice, Media: file("m2")}},
		"a video": {
			"<MsgType>video</MsgType><MediaId>m3</MediaId><ThumbMediaId>t3</ThumbMediaId>",
			message.Content{Kind: message.KindVideo, Media: file("m3"), Thumb: file("t3")},
		},
		"a short video": {
			"<MsgType>shortvideo</MsgType><MediaId>m4</MediaId><ThumbMediaId>t4</ThumbMediaId>",
			message.Content{Kind: message.KindVideo, Media: file("m4"), Thumb: file("t4")},
		},
		"a place": {
			"<MsgType>location</MsgType><Location_X>31.23</Location_X><Location_Y>121.47</Location_Y><Scale>15</Scale><Label>人民广场</Label>",
			message.Content{Kind: message.KindLocation, Location: &message.Location{Latitude: 31.23, Longitude: 121.47, Label: "人民广场"}},
		},
		"a link": {
			"<MsgType>link</MsgType><Title>标题</Title><Description>说明</Description><Url>https://a.example/?b=c&amp;d=e</Url>",
			message.Content{Kind: message.KindLink, Link: &message.Link{Title: "标题", Description: "说明", URL: "https://a.example/?b=c&d=e"}},
		},
		"who follows": {event("subscribe</Event><EventKey/>"), message.Content{Kind: message.KindFollowed}},
		"who follows by a QR code": {
			event("subscribe</Event><EventKey>qrscene_parcel:1</EventKey><Ticket>t</Ticket>"), message.Content{Kind: message.KindFollowed, SessionFrom: "parcel:1"},
		},
		"who scans":           {event("SCAN</Event><EventKey>qrscene_1</EventKey><Ticket>t</Ticket>"), message.Content{Kind: message.KindScanned, SessionFrom: "qrscene_1"}},
		"who follows no more": {event("unsubscribe</Event>"), message.Content{Kind: message.KindUnfollowed}},
		"where a device is": {
			event("LOCATION</Event><Latitude>-31.5</Latitude><Longitude>121</Longitude><Precision>10</Precision>"),
			message.Content{Kind: message.KindPosition, Location: &message.Location{Latitude: -31.5, Longitude: 121}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			received, reason := call(t, c, signed(), xmlOf(tt.fields+"<MsgId>1</MsgId>"))
			if reason != "" {
				t.Fatalf("refused: %s", reason)
			}
			ids := cmpopts.IgnoreTypes(uuid.UUID{})
			if diff := cmp.Diff(tt.want, received.Messages[0].Content, ids); diff != "" {
				t.Errorf("content (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWhatIsNotUnderstoodIsKept(t *testing.T) {
	t.Parallel()
	c := open(t, v1alpha1.MessageModePlaintext, "")
	for name, tt := range map[string]struct {
		fields, wantType string
		wantKind         message.Kind
		wantKey          string
	}{
		"a type of tomorrow":            {"<MsgType>hologram</MsgType>", "hologram", message.KindUnsupported, ""},
		"an event of tomorrow":          {"<MsgType>event</MsgType><Event>surprise</Event>", "event/surprise", message.KindUnsupported, ""},
		"a page that was opened":        {"<MsgType>event</MsgType><Event>VIEW</Event><EventKey>https://a.example</EventKey>", "event/VIEW", message.KindUnsupported, ""},
		"a session of another desk":     {"<MsgType>event</MsgType><Event>kf_create_session</Event><KfAccount>a@b</KfAccount>", "event/kf_create_session", message.KindUnsupported, ""},
		"the end of a template message": {"<MsgType>event</MsgType><Event>TEMPLATESENDJOBFINISH</Event><MsgID>7</MsgID><Status>success</Status>", "event/TEMPLATESENDJOBFINISH", message.KindUnsupported, ""},
		"a tap on the menu":             {"<MsgType>event</MsgType><Event>CLICK</Event><EventKey>INVOICE</EventKey>", "event/CLICK", message.KindMenuTap, "INVOICE"},
		"a tap that scans": {
			"<MsgType>event</MsgType><Event>scancode_waitmsg</Event><EventKey>SCAN</EventKey><ScanCodeInfo><ScanResult>1</ScanResult></ScanCodeInfo>",
			"event/scancode_waitmsg", message.KindMenuTap, "SCAN",
		},
		"a place that is none":    {"<MsgType>location</MsgType><Location_X>NaN</Location_X><Location_Y>1</Location_Y>", "location", message.KindUnsupported, ""},
		"a place beyond the pole": {"<MsgType>event</MsgType><Event>LOCATION</Event><Latitude>91</Latitude><Longitude>1</Longitude>", "event/LOCATION", message.KindUnsupported, ""},
		"a video without a file":  {"<MsgType>video</MsgType>", "video", message.KindUnsupported, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			received, reason := call(t, c, signed(), xmlOf(tt.fields))
			if reason != "" {
				t.Fatalf("refused: %s", reason)
			}
			content := received.Messages[0].Content
			if content.Kind != tt.wantKind || content.RawType != tt.wantType || content.MenuKey != tt.wantKey || !strings.Contains(content.Raw, tt.fields) {
				t.Errorf("content = %+v", content)
			}
		})
	}
}

func TestEventsAreToldApartByCustomerSecondNameAndKey(t *testing.T) {
	t.Parallel()
	c := open(t, v1alpha1.MessageModePlaintext, "")
	ids := map[string]string{}
	for name, body := range map[string]string{
		"a tap":                   xmlOf("<MsgType>event</MsgType><Event>CLICK</Event><EventKey>A</EventKey>"),
		"another button":          xmlOf("<MsgType>event</MsgType><Event>CLICK</Event><EventKey>B</EventKey>"),
		"another event":           xmlOf("<MsgType>event</MsgType><Event>scancode_push</Event><EventKey>A</EventKey>"),
		"a second later":          strings.Replace(xmlOf("<MsgType>event</MsgType><Event>CLICK</Event><EventKey>A</EventKey>"), "1409735668", "1409735669", 1),
		"somebody else":           strings.Replace(xmlOf("<MsgType>event</MsgType><Event>CLICK</Event><EventKey>A</EventKey>"), testOpenID, "o-other", 1),
		"a long address":          xmlOf("<MsgType>event</MsgType><Event>VIEW</Event><EventKey>https://a.example/" + strings.Repeat("页", 300) + "</EventKey>"),
		"one template message":    xmlOf("<MsgType>event</MsgType><Event>TEMPLATESENDJOBFINISH</Event><MsgID>1</MsgID>"),
		"another of that second":  xmlOf("<MsgType>event</MsgType><Event>TEMPLATESENDJOBFINISH</Event><MsgID>2</MsgID>"),
		"an event without a name": xmlOf("<MsgType>event</MsgType>"),
	} {
		first, reason := call(t, c, signed(), body)
		if reason != "" {
			t.Fatalf("%s: refused %s", name, reason)
		}
		again, _ := call(t, c, signed(), body)
		id := first.Messages[0].MessageID
		if diff := cmp.Diff(first.Messages, again.Messages); diff != "" {
			t.Errorf("%s: a repetition differs (-first +again):\n%s", name, diff)
		}
		if other, taken := ids[id]; taken {
			t.Errorf("%s has the id of %s", name, other)
		}
		ids[id] = name
	}
}

func FuzzReceive(f *testing.F) {
	for _, fields := range []string{
		"<MsgType>text</MsgType><Content><![CDATA[abcdteT]]></Content><MsgId>6054768590064713728</MsgId>",
		"<MsgType>location</MsgType><Location_X>31.23</Location_X><Location_Y>121.47</Location_Y>",
		"<MsgType>event</MsgType><Event>subscribe</Event><EventKey>qrscene_1</EventKey>",
		"<MsgType>event</MsgType><Event>scancode_push</Event><ScanCodeInfo><ScanType>qrcode</ScanType></ScanCodeInfo>",
		"<MsgType>voice</MsgType><MediaId>m</MediaId><Recognition>a</Recognition>",
	} {
		f.Add(xmlOf(fields), "您好]]><a>")
	}
	c := open(f, v1alpha1.MessageModePlaintext, "")
	f.Fuzz(func(t *testing.T, body, said string) {
		received, reason := call(t, c, signed(), body)
		if reason != "" {
			return
		}
		in := received.Messages[0]
		for _, text := range []string{in.MessageID, in.Customer, in.Content.Text, in.Content.Raw, in.Content.RawType, in.Content.SessionFrom, in.Content.MenuKey} {
			if !utf8.ValidString(text) || strings.ContainsRune(text, 0) || len(text) > wechat.MaxText {
				t.Errorf("inbound holds %.100q", text)
			}
		}
		answer, ok := received.Reply([]message.Content{{Kind: message.KindText, Text: said}})
		if !ok {
			return
		}
		push, err := wechat.Parse([]byte(answer))
		if err != nil || push["FromUserName"] == "" && strings.Contains(body, testAccount) || push["ToUserName"] != in.Customer {
			t.Errorf("the answer %.200q reads as %v, %v", answer, push, err)
		}
	})
}
