package wechatsim

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const testOriginalID = "gh_97417a04a28d"

// officialAccount makes the test's app one, in plaintext mode.
func officialAccount(a *App) {
	a.Kind, a.Mode, a.Format = KindOfficialAccount, ModePlaintext, FormatXML
}

// maskIDs hides what the simulator draws by lot.
func maskIDs(body []byte) string {
	text := regexp.MustCompile(`(MediaId|Ticket)><!\[CDATA\[[\w-]+\]\]>`).ReplaceAllString(string(body), "$1>ID")
	text = regexp.MustCompile(`<PicUrl>.*</PicUrl>`).ReplaceAllString(text, "<PicUrl>URL</PicUrl>")
	return regexp.MustCompile(`<(MsgId|MsgID)>\d{15,}<`).ReplaceAllString(text, "<$1>N<")
}

// act lets the test customer do something.
func act(t *testing.T, sim *Server, m Message) Push {
	t.Helper()
	push, err := sim.Write(t.Context(), testApp, testOpenID, m)
	if err != nil {
		t.Fatalf("doing %s %s: %v", m.Type, m.Event, err)
	}
	return push
}

func TestWhatAnOfficialAccountIsPushed(t *testing.T) {
	place := Location{Latitude: 23.134521, Longitude: 113.358803, Scale: 20, Label: "天河", Precision: 119.385}
	event := func(m Message) Message { m.Type = TypeEvent; return m }
	for name, c := range map[string]struct {
		message Message
		want    []string // after the common elements
	}{
		"a text": {Message{Content: "在吗"}, []string{"MsgType>text", "Content>在吗", "MsgId>N"}},
		"a tap on an item of a msgmenu": {
			Message{Content: "满意", MenuID: "101"}, []string{"MsgType>text", "Content>满意", "bizmsgmenuid>101", "MsgId>N"},
		},
		"a picture":               {Message{Type: TypeImage}, []string{"MsgType>image", "PicUrl>URL", "MediaId>ID", "MsgId>N"}},
		"a voice":                 {Message{Type: TypeVoice}, []string{"MsgType>voice", "MediaId>ID", "Format>amr", "MsgId>N"}},
		"a voice with its text":   {Message{Type: TypeVoice, Recognition: "退款"}, []string{"MsgType>voice", "MediaId>ID", "Format>amr", "Recognition>退款", "MsgId>N"}},
		"a video":                 {Message{Type: TypeVideo}, []string{"MsgType>video", "MediaId>ID", "ThumbMediaId>ID", "MsgId>N"}},
		"a short video":           {Message{Type: TypeShortVideo}, []string{"MsgType>shortvideo", "MediaId>ID", "ThumbMediaId>ID", "MsgId>N"}},
		"a place":                 {Message{Type: TypeLocation, Location: place}, []string{"MsgType>location", "Location_X>23.134521", "Location_Y>113.358803", "Scale>20", "Label>天河", "MsgId>N"}},
		"a link":                  {Message{Type: TypeLink, Title: "帮助", Description: "怎么退货", URL: "https://example.com/?a=1&b=2"}, []string{"MsgType>link", "Title>帮助", "Description>怎么退货", "Url>https://example.com/?a=1&b=2", "MsgId>N"}},
		"following":               {event(Message{Event: "subscribe"}), []string{"MsgType>event", "Event>subscribe", "EventKey>"}},
		"following by a QR code":  {event(Message{Event: "subscribe", Scene: "12"}), []string{"MsgType>event", "Event>subscribe", "EventKey>qrscene_12", "Ticket>ID"}},
		"leaving":                 {event(Message{Event: "unsubscribe"}), []string{"MsgType>event", "Event>unsubscribe"}},
		"a scan of a follower":    {event(Message{Event: "SCAN", Scene: "12"}), []string{"MsgType>event", "Event>SCAN", "EventKey>12", "Ticket>ID"}},
		"a report of a position":  {event(Message{Event: "LOCATION", Location: place}), []string{"MsgType>event", "Event>LOCATION", "Latitude>23.134521", "Longitude>113.358803", "Precision>119.385"}},
		"a tap on a click button": {event(Message{Event: "CLICK", EventKey: "KF"}), []string{"MsgType>event", "Event>CLICK", "EventKey>KF"}},
		"a tap on a view button":  {event(Message{Event: "VIEW", EventKey: "https://example.com", Fields: map[string]any{"MenuId": 433747.0}}), []string{"MsgType>event", "Event>VIEW", "EventKey>https://example.com", "MenuId>433747"}},
		"an agent of Tencent's":   {event(Message{Event: "kf_create_session", Fields: map[string]any{"KfAccount": "a@b"}}), []string{"MsgType>event", "Event>kf_create_session", "KfAccount>a@b"}},
		"a nested unknown event":  {event(Message{Event: "news_2030", Fields: map[string]any{"A": map[string]any{"B": "x", "C": 1.5}}}), []string{"MsgType>event", "Event>news_2030", "A>", "B>x", "C>1.5"}},
	} {
		t.Run(name, func(t *testing.T) {
			hook := newCallback(t, success)
			sim, _ := newSim(t, Options{Clock: newFakeClock().Now}, hook.URL, officialAccount)
			act(t, sim, c.message)
			got := hook.pushes()[0]
			want := append([]string{"ToUserName>" + testOriginalID, "FromUserName>" + testOpenID, "CreateTime>1795251600"}, c.want...)
			if diff := cmp.Diff(want, elements(maskIDs(got.body))); diff != "" {
				t.Errorf("elements (-want +got):\n%s", diff)
			}
			if got.header.Get("Content-Type") != "text/xml" {
				t.Errorf("Content-Type %s", got.header.Get("Content-Type"))
			}
		})
	}
}

// elements lists the elements of a push as name>value, in their order.
func elements(body string) []string {
	body = strings.NewReplacer("<![CDATA[", "", "]]>", "", "\n", "").Replace(body)
	found := []string{}
	for _, m := range regexp.MustCompile(`<([A-Za-z0-9_]+)>([^<]*)`).FindAllStringSubmatch(body, -1) {
		if m[1] != "xml" {
			found = append(found, m[1]+">"+m[2])
		}
	}
	return found
}

func TestAnOfficialAccountIsPushedXMLInEveryMode(t *testing.T) {
	for _, mode := range []Mode{ModePlaintext, ModeCompatible, ModeSecure} {
		t.Run(string(mode), func(t *testing.T) {
			hook := newCallback(t, success)
			sim, _ := newSim(t, Options{}, hook.URL, func(a *App) { officialAccount(a); a.Mode = mode })
			push := write(t, sim, "在吗")
			got := hook.pushes()[0]
			var p pushed
			if mode == ModePlaintext {
				p = readPush(t, got.body)
			} else {
				p = openPush(t, got)
			}
			if p.Content != "在吗" || string(p.MsgID) != push.MsgID {
				t.Errorf("read %+v", p)
			}
			if readable := strings.Contains(string(got.body), "在吗"); readable != (mode != ModeSecure) {
				t.Errorf("the plain text is readable: %v", readable)
			}
		})
	}
}

func TestWhatThePlatformDoesNotOffer(t *testing.T) {
	sim, _ := newSim(t, Options{}, "http://127.0.0.1:1", nil)
	account := App{
		Kind: KindOfficialAccount, AppID: "wxoa", AppSecret: "x", Token: "AAAAA", OriginalID: "gh_1", CallbackURL: "http://127.0.0.1:1",
	}
	if err := sim.PutApp(account); err != nil {
		t.Fatalf("putting app: %v", err)
	}
	for name, c := range map[string]struct {
		appID   string
		message Message
	}{
		"a voice to a mini-program":                      {testApp, Message{Type: TypeVoice}},
		"a menu tap in a mini-program":                   {testApp, Message{Type: TypeEvent, Event: "CLICK"}},
		"a page card to an official account":             {"wxoa", Message{Type: TypeMiniProgramPage}},
		"an entry into an official account":              {"wxoa", Message{Type: TypeEnter}},
		"an event without a name":                        {"wxoa", Message{Type: TypeEvent}},
		"a voice that is a picture":                      {"wxoa", Message{Type: TypeVoice, Media: drawPicture("x")}},
		"a scene longer than the platform's limit of 64": {"wxoa", Message{Type: TypeEvent, Event: "SCAN", Scene: strings.Repeat("x", 65)}},
	} {
		if _, err := sim.Write(t.Context(), c.appID, testOpenID, c.message); problemStatus(err) != 400 {
			t.Errorf("%s: error %v", name, err)
		}
	}
	for name, change := range map[string]func(*App){
		"a JSON official account":  func(a *App) { a.Format = FormatJSON },
		"an unknown kind":          func(a *App) { a.Kind = "weCom" },
		"an unknown permission":    func(a *App) { a.Denied = []Permission{"everything"} },
		"a negative allowance":     func(a *App) { a.SendsPerMessage = -1 },
		"secure mode without keys": func(a *App) { a.Mode = ModeSecure },
	} {
		app := account
		change(&app)
		if err := sim.PutApp(app); problemStatus(err) != 400 {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

func TestWhoHasLeftMustFollowAgain(t *testing.T) {
	hook := newCallback(t, success)
	sim, server := newSim(t, Options{}, hook.URL, officialAccount)
	token := stableToken(t, server.URL, false)
	write(t, sim, "hello")
	act(t, sim, Message{Type: TypeEvent, Event: "unsubscribe"})
	if got := sendText(t, server.URL, token, "x"); got != 45015 {
		t.Errorf("sending to who has left: %d", got)
	}
	if _, err := sim.Write(t.Context(), testApp, testOpenID, Message{Content: "x"}); problemStatus(err) != 409 {
		t.Errorf("writing after leaving: error %v", err)
	}
	act(t, sim, Message{Type: TypeEvent, Event: "subscribe"})
	if got := sendText(t, server.URL, token, "x"); got != 0 {
		t.Errorf("sending to who is back: %d", got)
	}
}

func TestErrorsOfPushesThatTheCustomerDoesNotSeeStayOffThePhone(t *testing.T) {
	hook := newCallback(t, reply(500, ""))
	sim, _ := newSim(t, Options{}, hook.URL, officialAccount)
	shown := map[string]string{}
	for _, event := range []string{"subscribe", "CLICK", "SCAN", "LOCATION", "VIEW", "kf_close_session", "unsubscribe"} {
		push := act(t, sim, Message{Type: TypeEvent, Event: event})
		if push.Shown != "" {
			shown[event] = push.Shown
		}
		if len(push.Attempts) != 4 {
			t.Errorf("%s: %d attempts, want 4", event, len(push.Attempts))
		}
	}
	const text = "该公众号暂时无法提供服务，请稍后再试"
	if diff := cmp.Diff(map[string]string{"subscribe": text, "CLICK": text, "SCAN": text}, shown); diff != "" {
		t.Errorf("shown (-want +got):\n%s", diff)
	}
}

func TestATapOnThePublishedMenuPushesWhatItsButtonHolds(t *testing.T) {
	hook := newCallback(t, success)
	sim, _ := newSim(t, Options{}, hook.URL, officialAccount)
	menu := Menu{Button: []Button{
		{Type: "click", Name: "联系客服", Key: "KF"},
		{Name: "更多", SubButton: []Button{
			{Type: "view", Name: "商城", URL: "https://example.com/shop"},
			{Type: "miniprogram", Name: "小程序", URL: "https://example.com", AppID: "wx1", PagePath: "pages/index"},
			{Type: "scancode_push", Name: "扫码", Key: "QR"},
			{Type: "pic_weixin", Name: "发图", Key: "PIC"},
			{Type: "media_id", Name: "名片", MediaID: "card"},
		}},
	}}
	if _, err := sim.PutMenu(testApp, menu); err != nil {
		t.Fatalf("publishing: %v", err)
	}
	for button, want := range map[string]string{
		"联系客服": "Event>CLICK EventKey>KF",
		"商城":   "Event>VIEW EventKey>https://example.com/shop MenuId>N",
		"小程序":  "Event>view_miniprogram EventKey>pages/index MenuId>N",
		"扫码":   "Event>scancode_push EventKey>QR ScanCodeInfo> ScanResult>https://example.com/qr ScanType>qrcode",
		"发图":   "Event>pic_weixin EventKey>PIC SendPicsInfo> Count>1 PicList> item> PicMd5Sum>5a75aaca956d97be686719218f275c6b",
	} {
		push, err := sim.Tap(t.Context(), testApp, testOpenID, button)
		if err != nil || push.State != PushDelivered {
			t.Errorf("%s: push %+v, error %v", button, push, err)
			continue
		}
		all := hook.pushes()
		body := regexp.MustCompile(`<MenuId>\d+<`).ReplaceAllString(string(all[len(all)-1].body), "<MenuId>N<")
		got := elements(body)
		at := slices.IndexFunc(got, func(e string) bool { return strings.HasPrefix(e, "Event>") })
		if diff := cmp.Diff(want, strings.Join(got[at:], " ")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", button, diff)
		}
	}
	before := len(hook.pushes())
	if _, err := sim.Tap(t.Context(), testApp, testOpenID, "名片"); err != nil || len(hook.pushes()) != before {
		t.Errorf("a button with a medium pushed something, or failed: %v", err)
	}
	lines, err := sim.Received(t.Context(), testApp, testOpenID, 0, 0)
	if err != nil || len(lines) != 1 || lines[0].Via != ViaMenu {
		t.Errorf("the customer saw %+v, error %v", lines, err)
	}
	if _, err := sim.Tap(t.Context(), testApp, testOpenID, "更多"); problemStatus(err) != 404 {
		t.Errorf("a parent was tapped: %v", err)
	}
}

func TestAFollowerThroughTheControlAPI(t *testing.T) {
	hook := newCallback(t, reply(200, replyXML("text", "<Content>您好</Content>")))
	_, server := newSim(t, Options{}, hook.URL, func(a *App) { officialAccount(a); a.OpenPlatform = "lumi" })
	app := server.URL + "/sim/v1/apps/" + testApp
	customer := app + "/customers/" + testOpenID
	// dig follows a path of names and indexes.
	dig := func(value any, path ...any) any {
		for _, step := range path {
			switch v := value.(type) {
			case map[string]any:
				value = v[step.(string)]
			case []any:
				value = v[step.(int)]
			}
		}
		return value
	}
	for _, step := range []struct {
		name, method, url, body string
		status                  int
		path                    []any
		want                    any
	}{
		{"naming the person", "PATCH", customer, `{"person":"li-lei"}`, 200, []any{"person"}, "li-lei"},
		{"following", "POST", customer + "/messages", `{"type":"event","event":"subscribe","scene":"12"}`, 200, []any{"reply", "via"}, "passive"},
		{"the follower", "GET", customer, "", 200, []any{"qrScene"}, "12"},
		{"the list", "GET", app + "/customers", "", 200, []any{"customers", 0, "follows"}, true},
		{"a menu", "PUT", app + "/menu", `{"button":[{"type":"click","name":"客服","key":"KF"}]}`, 200, []any{"menu", "button", 0, "key"}, "KF"},
		{"a tap", "POST", customer + "/tap", `{"button":"客服"}`, 200, []any{"attempts", 0, "outcome"}, "replied"},
		{"a tap beside it", "POST", customer + "/tap", `{"button":"商城"}`, 404, []any{"error"}, errNoButton.message},
		{"what arrived", "GET", customer + "/received?after=1", "", 200, []any{"messages", 0, "text"}, "您好"},
		{"a quota", "POST", app + "/quotas/send/exhaust", "", 200, nil, map[string]any{}},
		{"the quotas", "GET", app + "/quotas", "", 200, []any{"send", "used"}, 500_000.0},
		{"a login is for mini-programs", "POST", customer + "/login", "", 409, nil, map[string]any{"error": "only users of a mini-program log in"}},
	} {
		status, answer := do(t, step.method, step.url, step.body)
		if diff := cmp.Diff(step.want, dig(answer, step.path...)); diff != "" || status != step.status {
			t.Errorf("%s: status %d (-want +got):\n%s", step.name, status, diff)
		}
	}
}
