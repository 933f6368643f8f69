package officialaccount

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/connectors"
	"github.com/yingda-dev/yingda/internal/message"
)

func afterSales(modify ...func(*v1alpha1.NoticeTemplate)) *v1alpha1.Channel {
	template := v1alpha1.NoticeTemplate{Name: "afterSales", TemplateID: "TM1", Values: []v1alpha1.NoticeValue{
		{Key: "character_string1", From: v1alpha1.NoticeCase},
		{Key: "phrase2", From: v1alpha1.NoticeState},
		{Key: "thing3", From: v1alpha1.NoticeDetail},
		{Key: "time4", From: v1alpha1.NoticeTime},
	}}
	for _, f := range modify {
		f(&template)
	}
	channel := &v1alpha1.Channel{}
	channel.Spec.OfficialAccount = &v1alpha1.OfficialAccountSpec{Notices: []v1alpha1.NoticeTemplate{template}}
	return channel
}

func TestANoticeFillsTheTemplateThatTheChannelDeclares(t *testing.T) {
	t.Parallel()
	values := map[string]string{"case": "A-1", "state": "已通过", "detail": "请寄回 <商品>", "time": "2026年11月23日 12:00", "more": "nobody asked"}
	const data = `"data":{"character_string1":{"value":"A-1"},"phrase2":{"value":"已通过"},"thing3":{"value":"请寄回 <商品>"},"time4":{"value":"2026年11月23日 12:00"}}`
	for name, tt := range map[string]struct {
		channel *v1alpha1.Channel
		want    string
	}{
		"that opens nothing": {afterSales(), `{"touser":"o1","template_id":"TM1",` + data + `}`},
		"that opens a page": {
			afterSales(func(n *v1alpha1.NoticeTemplate) { n.URL = "https://lumi.example/?a=1&b=2" }),
			`{"touser":"o1","template_id":"TM1","url":"https://lumi.example/?a=1&b=2",` + data + `}`,
		},
		"that opens a mini-program": {
			afterSales(func(n *v1alpha1.NoticeTemplate) {
				n.MiniProgram = &v1alpha1.NoticePage{AppID: "wx1", PagePath: "pages/case?id=1"}
			}),
			`{"touser":"o1","template_id":"TM1","miniprogram":{"appid":"wx1","pagepath":"pages/case?id=1"},` + data + `}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, address := newPlatform(t)
			c := open(t, v1alpha1.MessageModeSecure, address)
			out := message.Outbound{Customer: "o1", Content: message.Content{Kind: message.KindNotice, Notice: &message.Notice{Name: "afterSales", Values: values}}}
			if _, err := c.Notify(t.Context(), tt.channel, out); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]string{tt.want}, p.sent); diff != "" {
				t.Errorf("sent (-want +got):\n%s", diff)
			}
		})
	}
}

func TestValuesFitTheirPlaces(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("字", 40)
	for name, tt := range map[string]struct{ key, value, want string }{
		"what fits stays":                       {"thing1", "请在七天内寄回", "请在七天内寄回"},
		"what is longest stays":                 {"thing1", long[:60], long[:60]},
		"what is longer is cut, and shows it":   {"thing1", long, long[:57] + "…"},
		"a phrase is Chinese characters alone":  {"phrase2", long, long[:15]},
		"a name is shorter":                     {"name3", long, long[:27] + "…"},
		"a string is longer":                    {"character_string12", strings.Repeat("a", 40), strings.Repeat("a", 31) + "…"},
		"what has no number is cut too":         {"remark", long, long[:57] + "…"},
		"what is not told is a dash":            {"thing1", "", "-"},
		"blanks alone are not told":             {"thing1", " \n\t", "-"},
		"a value is one line":                   {"thing1", "一\n二\r\n 三", "一 二 三"},
		"what JSON or the database cannot keep": {"thing1", "a\x00b", "ab"},
	} {
		if got := fitted(tt.key, tt.value); got != tt.want {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}

func TestANoticeWithoutATemplateIsRefusedWithoutACall(t *testing.T) {
	t.Parallel()
	p, address := newPlatform(t)
	c := open(t, v1alpha1.MessageModeSecure, address)
	for name, tt := range map[string]struct {
		content message.Content
		want    string
	}{
		"of a name that is not declared": {message.Content{Kind: message.KindNotice, Notice: &message.Notice{Name: "refund"}}, connectors.ReasonNoTemplate},
		"that says nothing":              {message.Content{Kind: message.KindNotice}, "TypeNotSupported"},
	} {
		_, err := c.Notify(t.Context(), afterSales(), message.Outbound{Customer: "o1", Content: tt.content})
		failure := connectors.AsCallError(err)
		if failure.Class != connectors.ClassPermanent || failure.Reason != tt.want {
			t.Errorf("%s: %v, want %s", name, failure, tt.want)
		}
	}
	if len(p.sent) > 0 {
		t.Errorf("sent %q", p.sent)
	}
}

func TestHowANoticeEnded(t *testing.T) {
	t.Parallel()
	c := open(t, v1alpha1.MessageModePlaintext, "")
	failed := func(reason string) []connectors.Undelivered {
		return []connectors.Undelivered{{Customer: testOpenID, PlatformID: "200163836", Reason: reason}}
	}
	for name, tt := range map[string]struct {
		status string
		want   []connectors.Undelivered
	}{
		"it arrived":                        {"<MsgID>200163836</MsgID><Status><![CDATA[success]]></Status>", nil},
		"the customer blocks the account":   {"<MsgID>200163836</MsgID><Status><![CDATA[failed:user block]]></Status>", failed("BlockedByCustomer")},
		"the platform failed":               {"<MsgID>200163836</MsgID><Status><![CDATA[failed: system failed]]></Status>", failed("PlatformFailed")},
		"it failed for a reason of the day": {"<MsgID>200163836</MsgID><Status>failed:tomorrow</Status>", failed("PlatformFailed")},
		"it is not said which":              {"<Status>failed:user block</Status>", nil},
		"it is not said how":                {"<MsgID>200163836</MsgID>", nil},
	} {
		received, reason := call(t, c, signed(), xmlOf("<MsgType>event</MsgType><Event>TEMPLATESENDJOBFINISH</Event>"+tt.status))
		if reason != "" {
			t.Fatalf("%s: refused: %s", name, reason)
		}
		if diff := cmp.Diff(tt.want, received.Undelivered); diff != "" || len(received.Messages) != 1 {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	other, _ := call(t, c, signed(), xmlOf("<MsgType>event</MsgType><Event>MASSSENDJOBFINISH</Event><MsgID>1</MsgID><Status>failed:user block</Status>"))
	if len(other.Undelivered) > 0 {
		t.Errorf("of another event %+v", other.Undelivered)
	}
}
