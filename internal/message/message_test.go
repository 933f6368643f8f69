package message_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/yingda-dev/yingda/internal/golden"
	"github.com/yingda-dev/yingda/internal/message"
)

// at is an instant with what a careless codec drops: a zone and nanoseconds.
func at() time.Time {
	return time.Date(2026, 11, 11, 0, 0, 20, 123456789, time.FixedZone("UTC+8", 8*60*60))
}

func id(n byte) uuid.UUID { return uuid.UUID{6: 0x70, 8: 0x80, 15: n} }

// sample is a payload with every field set, and its type.
type sample struct {
	typ     message.Type
	payload any
	// decode reads the payload back.
	decode func(message.Envelope) (any, error)
}

func payloadOf[T any](typ message.Type, payload T) sample {
	return sample{typ: typ, payload: payload, decode: func(e message.Envelope) (any, error) { return message.Payload[T](e, typ) }}
}

func inbound(content message.Content) sample {
	return payloadOf(message.TypeInbound, message.Inbound{
		Channel: "shop", Customer: "o-1", MessageID: "m-1", SentAt: at().UTC(), ReceivedAt: at().UTC().Add(time.Second), Content: content,
	})
}

func outbound(content message.Content) sample {
	return payloadOf(message.TypeOutbound, message.Outbound{
		MessageID: id(1), Channel: "shop", Customer: "o-1", Conversation: id(2), Content: content, NotAfter: at().UTC(),
	})
}

func samples() map[string]sample {
	media := &message.Media{ID: id(3), PlatformID: "media-1", ContentType: "image/png"}
	return map[string]sample{
		"inbound-text":    inbound(message.Content{Kind: message.KindText, Text: "你好 <b>&\u2028\"👋"}),
		"inbound-image":   inbound(message.Content{Kind: message.KindImage, Media: media}),
		"inbound-entered": inbound(message.Content{Kind: message.KindEntered, SessionFrom: "order?id=1"}),
		"inbound-page": inbound(message.Content{Kind: message.KindMiniProgramPage, Page: &message.Page{
			Title: "订单", AppID: "wx1", Path: "pages/order?id=1", Thumb: media,
		}}),
		"inbound-unsupported": inbound(message.Content{Kind: message.KindUnsupported, RawType: "voice", Raw: `{"MsgType":"voice"}`}),
		"inbound-voice":       inbound(message.Content{Kind: message.KindVoice, Media: media, Text: "我要退货"}),
		"inbound-video":       inbound(message.Content{Kind: message.KindVideo, Media: media, Thumb: media}),
		"inbound-location":    inbound(message.Content{Kind: message.KindLocation, Location: &message.Location{Latitude: 31.23, Longitude: 121.47, Label: "人民广场"}}),
		"inbound-followed":    inbound(message.Content{Kind: message.KindFollowed, SessionFrom: "parcel:1"}),
		"inbound-choice":      inbound(message.Content{Kind: message.KindText, Text: "满意", Choice: "5"}),
		"inbound-replied": payloadOf(message.TypeInbound, message.Inbound{
			Channel: "shop", Customer: "o-1", MessageID: "m-1", SentAt: at().UTC(), ReceivedAt: at().UTC().Add(time.Second),
			Content: message.Content{Kind: message.KindMenuTap, MenuKey: "INVOICE"},
			Reply:   &message.Reply{Reason: message.ReplyRule, Contents: []message.Content{{Kind: message.KindText, Text: "开票入口:"}}, MessageIDs: []uuid.UUID{{6: 0x70, 8: 0x80, 15: 1}}},
		}),
		"inbound-told": payloadOf(message.TypeInbound, message.Inbound{
			Channel: "shop", Customer: "o-1", MessageID: "m-1", SentAt: at().UTC(), ReceivedAt: at().UTC().Add(time.Second), Content: message.Content{Kind: message.KindFollowed},
			Reply: &message.Reply{Reason: message.ReplyWelcome, Contents: []message.Content{{Kind: message.KindText, Text: "部分包裹延误。"}, {Kind: message.KindText, Text: "您好"}}, Banner: 7},
		}),
		"inbound-in-doubt": payloadOf(message.TypeInbound, message.Inbound{
			Channel: "shop", Customer: "o-1", MessageID: "m-1", SentAt: at().UTC(), ReceivedAt: at().UTC().Add(time.Second),
			Content: message.Content{Kind: message.KindFollowed}, InDoubt: uuid.UUID{6: 0x70, 8: 0x80, 15: 1},
		}),
		"outbound-choices": outbound(message.Content{Kind: message.KindChoices, Text: "您满意吗?", Choices: []message.Choice{{ID: "5", Text: "满意"}, {ID: "1", Text: "不满意"}}}),
		"outbound-music":   outbound(message.Content{Kind: message.KindMusic, Link: &message.Link{Title: "歌", URL: "https://shop.example/a.mp3"}, Thumb: media}),
		"outbound-card":    outbound(message.Content{Kind: message.KindCard, PlatformID: "card-1"}),
		"outbound-text":    outbound(message.Content{Kind: message.KindText, Text: "您好"}),
		"outbound-about": outbound(message.Content{
			Kind: message.KindText, Text: "退款已到账。", About: &message.About{Case: "after-sales/lumi/lumi/1", Step: "told/1"},
		}),
		"outbound-link": outbound(message.Content{Kind: message.KindLink, Link: &message.Link{
			Title: "开发票", Description: "点这里", URL: "https://shop.example/invoice?a=1&b=2", ThumbURL: "https://shop.example/t.png",
		}}),
		"outbound-notice": outbound(message.Content{Kind: message.KindNotice, Text: "退货已通过审核", Notice: &message.Notice{
			Name: "afterSales", Values: map[string]string{"case": "A-1", "state": "已通过"},
		}}),
		"outbound-typing": outbound(message.Content{Kind: message.KindTyping}),
		"delivery": payloadOf(message.TypeDelivery, message.Delivery{
			MessageID: id(1), Channel: "shop", Customer: "o-1", State: message.DeliveryFailed, Code: 45015, Reason: "WindowClosed", At: at().UTC(),
		}),
		"frame": payloadOf(message.TypeFrame, message.Frame{
			Agent: "xiaomei", Seq: 7, Kind: message.FrameMessage, Payload: json.RawMessage(`{"text":"你好"}`), At: at().UTC(),
		}),
	}
}

func envelopeOf(t *testing.T, s sample) message.Envelope {
	t.Helper()
	e, err := message.New("e-1", s.typ, "/lumi/lumi/router", "shop", message.CustomerKey("shop", "o-1"), at(), s.payload)
	if err != nil {
		t.Fatal(err)
	}
	e.TraceParent, e.TraceState = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "vendor=1"
	return e
}

// The golden files hold a record as a broker does: `key: value` lines, the record's key first, an empty line, the data.
func TestEveryPayloadIsTheSameBytesBothWays(t *testing.T) {
	for name, s := range samples() {
		t.Run(name, func(t *testing.T) {
			sent := envelopeOf(t, s)
			golden.Compare(t, name+".record", render(sent))
			got := read(t, filepath.Join("testdata", name+".record"))
			if diff := cmp.Diff(sent, got); diff != "" {
				t.Errorf("envelope (-sent +got):\n%s", diff)
			}
			payload, err := s.decode(got)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(s.payload, payload); diff != "" {
				t.Errorf("payload (-sent +got):\n%s", diff)
			}
		})
	}
}

func render(e message.Envelope) []byte {
	var out bytes.Buffer
	fmt.Fprintf(&out, "key: %s\n", e.Key)
	for _, h := range e.Headers() {
		fmt.Fprintf(&out, "%s: %s\n", h.Key, h.Value)
	}
	fmt.Fprintf(&out, "\n%s\n", e.Data)
	return out.Bytes()
}

func read(t *testing.T, path string) message.Envelope {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	head, data, _ := strings.Cut(strings.TrimSuffix(string(text), "\n"), "\n\n")
	var key string
	var headers []message.Header
	for line := range strings.Lines(head) {
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		if name == "key" {
			key = value
			continue
		}
		headers = append(headers, message.Header{Key: name, Value: value})
	}
	e, err := message.Decode([]byte(key), []byte(data), headers)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// The files of testdata/readable are written by hand, once: what an older and a newer version write must stay readable.
func TestRecordsOfOtherVersionsAreRead(t *testing.T) {
	tests := map[string]sample{
		"older-inbound-without-optional-fields": payloadOf(message.TypeInbound, message.Inbound{
			Channel: "shop", Customer: "o-1", MessageID: "m-1", SentAt: at().UTC(), Content: message.Content{Kind: message.KindText, Text: "你好"},
		}),
		"older-outbound-without-a-limit": payloadOf(message.TypeOutbound, message.Outbound{
			MessageID: id(1), Channel: "shop", Customer: "o-1", Conversation: id(2), Content: message.Content{Kind: message.KindText, Text: "您好"},
		}),
		"newer-inbound-with-unknown-fields-and-kind": payloadOf(message.TypeInbound, message.Inbound{
			Channel: "shop", Customer: "o-1", MessageID: "m-1", SentAt: at().UTC(), ReceivedAt: at().UTC(), Content: message.Content{Kind: "hologram"},
		}),
		"newer-delivery-with-unknown-state": payloadOf(message.TypeDelivery, message.Delivery{
			MessageID: id(1), Channel: "shop", Customer: "o-1", State: "read", At: at().UTC(),
		}),
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			payload, err := test.decode(read(t, filepath.Join("testdata", "readable", name+".record")))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.payload, payload); diff != "" {
				t.Errorf("payload (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWhatIsNoEnvelopeIsRefused(t *testing.T) {
	with := func(change func(map[string]string)) map[string]string {
		headers := map[string]string{"ce_specversion": "1.0", "ce_id": "e-1", "ce_type": "t", "ce_time": "2026-11-11T00:00:00Z"}
		change(headers)
		return headers
	}
	tests := map[string]map[string]string{
		"no headers":              {},
		"another CloudEvents":     with(func(h map[string]string) { h["ce_specversion"] = "2.0" }),
		"no version":              with(func(h map[string]string) { delete(h, "ce_specversion") }),
		"no id":                   with(func(h map[string]string) { delete(h, "ce_id") }),
		"no type":                 with(func(h map[string]string) { delete(h, "ce_type") }),
		"a time that is no time":  with(func(h map[string]string) { h["ce_time"] = "yesterday" }),
		"a time after all time":   with(func(h map[string]string) { h["ce_time"] = "9999-12-31T23:59:59-01:00" }),
		"a time that is o-secret": with(func(h map[string]string) { h["ce_time"] = "o-secret" }),
	}
	for name, given := range tests {
		t.Run(name, func(t *testing.T) {
			var headers []message.Header
			for key, value := range given {
				headers = append(headers, message.Header{Key: key, Value: value})
			}
			_, err := message.Decode([]byte("k"), []byte("{}"), headers)
			if !errors.Is(err, message.ErrNotEnvelope) {
				t.Fatalf("error %v, want ErrNotEnvelope", err)
			}
			if strings.Contains(err.Error(), "o-secret") {
				t.Errorf("the error repeats what was sent: %v", err)
			}
		})
	}
}

func TestPayloadOfAnotherTypeOrShapeIsRefusedWithoutRepeatingIt(t *testing.T) {
	tests := map[string]message.Envelope{
		"another type":    {Type: message.TypeOutbound, Data: json.RawMessage(`{}`)},
		"no JSON":         {Type: message.TypeInbound, Data: json.RawMessage(`o-secret`)},
		"no data":         {Type: message.TypeInbound},
		"another shape":   {Type: message.TypeInbound, Data: json.RawMessage(`{"sentAt":"o-secret"}`)},
		"another literal": {Type: message.TypeInbound, Data: json.RawMessage(`"o-secret"`)},
	}
	for name, e := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := message.Payload[message.Inbound](e, message.TypeInbound)
			if !errors.Is(err, message.ErrNotEnvelope) {
				t.Fatalf("error %v, want ErrNotEnvelope", err)
			}
			if strings.Contains(err.Error(), "o-secret") {
				t.Errorf("the error repeats what was sent: %v", err)
			}
		})
	}
}

func TestPayloadThatHasNoJSONIsNoEnvelope(t *testing.T) {
	if _, err := message.New("e-1", message.TypeFrame, "/", "", "", at(), make(chan int)); err == nil {
		t.Error("a channel was encoded")
	}
}

func TestFinalStatesOfADelivery(t *testing.T) {
	want := map[message.DeliveryState]bool{
		message.DeliveryQueued: false, message.DeliverySending: false, message.DeliveryDeferred: false,
		message.DeliveryDelivered: true, message.DeliveryFailed: true, message.DeliveryUnknown: true,
	}
	got := map[message.DeliveryState]bool{}
	for state := range want {
		got[state] = state.Final()
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("final states (-want +got):\n%s", diff)
	}
}

// Whatever bytes arrive: no panic, an error that is ErrNotEnvelope, or an envelope that survives being written again.
func FuzzDecode(f *testing.F) {
	f.Add("shop/o-1", []byte(`{"channel":"shop"}`), "1.0", "e-1", string(message.TypeInbound), "2026-11-11T00:00:20.123456789+08:00", "00-0-0-0")
	f.Add("", []byte(nil), "", "", "", "", "")
	f.Fuzz(func(t *testing.T, key string, value []byte, version, id, typ, when, trace string) {
		e, err := message.Decode([]byte(key), value, []message.Header{
			{Key: "ce_specversion", Value: version},
			{Key: "ce_id", Value: id},
			{Key: "ce_type", Value: typ},
			{Key: "ce_time", Value: when},
			{Key: "traceparent", Value: trace},
			{Key: "unknown", Value: id},
		})
		if err != nil {
			if !errors.Is(err, message.ErrNotEnvelope) {
				t.Fatalf("error %v, want ErrNotEnvelope", err)
			}
			return
		}
		again, err := message.Decode([]byte(e.Key), e.Data, e.Headers())
		if err != nil {
			t.Fatalf("reading it again: %v", err)
		}
		if !again.Time.Equal(e.Time) {
			t.Errorf("time %s, was %s", again.Time, e.Time)
		}
		again.Time = e.Time
		if diff := cmp.Diff(e, again); diff != "" {
			t.Errorf("envelope (-first +second):\n%s", diff)
		}
		for _, typ := range []message.Type{message.TypeInbound, e.Type} {
			if _, err := message.Payload[message.Inbound](e, typ); err != nil && !errors.Is(err, message.ErrNotEnvelope) {
				t.Errorf("error %v, want ErrNotEnvelope", err)
			}
		}
	})
}
