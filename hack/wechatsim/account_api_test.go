package wechatsim

import (
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// openAccount is an official account in secure mode with a follower who has written, and a token.
func openAccount(t *testing.T, clock *fakeClock, change func(*App)) (*Server, string, string) {
	t.Helper()
	return openSim(t, clock, func(a *App) {
		officialAccount(a)
		a.TokenLifetime = Duration(1000 * time.Hour)
		if change != nil {
			change(a)
		}
	})
}

func TestWindowsOfAnOfficialAccount(t *testing.T) {
	clock := newFakeClock()
	sim, base, token := openAccount(t, clock, nil)
	event := func(name, key string) func() {
		return func() { act(t, sim, Message{Type: TypeEvent, Event: name, EventKey: key, Scene: "1"}) }
	}
	clock.Advance(48 * time.Hour)
	for _, step := range []struct {
		name string
		do   func()
		want []int
	}{
		{"nothing is open", func() {}, []int{45015}},
		{"a tap on the menu allows three", event("CLICK", "KF"), []int{0, 0, 0, 45047}},
		{"for a minute", func() { event("CLICK", "KF")(); clock.Advance(time.Minute) }, []int{45015}},
		{"opening a link allows nothing", event("VIEW", "https://example.com"), []int{45015}},
		{"a scan by the menu allows three", event("scancode_waitmsg", "QR"), []int{0, 0, 0, 45047}},
		{"time passes", func() { clock.Advance(time.Minute) }, []int{45015}},
		{"following allows three", event("subscribe", ""), []int{0, 0, 0, 45047}},
		{"a QR code as well", func() { clock.Advance(time.Minute); event("SCAN", "")() }, []int{0, 0, 0, 45047}},
		{
			"a tap on a msgmenu is no message", func() {
				clock.Advance(time.Minute)
				act(t, sim, Message{Content: "满意", MenuID: "1"})
			}, []int{0, 0, 0, 45047},
		},
		{"a message allows five", func() { write(t, sim, "hi") }, []int{0, 0, 0, 0, 0, 45047}},
		{"a tap within the 48 h allows three more", event("CLICK", "KF"), []int{0, 0, 0, 45047}},
		{"a position allows nothing", event("LOCATION", ""), []int{45047}},
	} {
		step.do()
		var got []int
		for range step.want {
			got = append(got, sendText(t, base, token, "hi"))
		}
		if diff := cmp.Diff(step.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", step.name, diff)
		}
	}
}

func TestOlderAccountsMaySendTwenty(t *testing.T) {
	sim, _, _ := openAccount(t, newFakeClock(), func(a *App) { a.SendsPerMessage = 20 })
	info, err := sim.PatchCustomer(testApp, testOpenID, ProfilePatch{})
	if err != nil || info.Windows["message"].Left != 20 {
		t.Errorf("windows %v, error %v", info.Windows, err)
	}
}

func TestWhatAnOfficialAccountMaySend(t *testing.T) {
	_, base, token := openAccount(t, newFakeClock(), func(a *App) { a.SendsPerMessage, a.KFAccounts = 100, []string{"lili@lumi"} })
	id := func(kind mediaKind, name string, data []byte) string {
		text, ok := uploadAs(t, base, token, kind, data)[name].(string)
		if !ok {
			t.Fatalf("uploading %s failed", kind)
		}
		return text
	}
	jpeg := []byte("\xff\xd8\xff\xe0 a small picture")
	media := strings.NewReplacer(
		"IMAGE", id(mediaImage, "media_id", drawPicture("x")),
		"VOICE", id(mediaVoice, "media_id", silence()),
		"VIDEO", id(mediaVideo, "media_id", emptyVideo()),
		"THUMB", id(mediaThumb, "thumb_media_id", jpeg),
	)
	article := `{"title":"a","description":"b","url":"u","picurl":"p"}`
	for body, want := range map[string]int{
		`"msgtype":"text","text":{"content":"hi"}`:                                                           0,
		`"msgtype":"text","text":{"content":""}`:                                                             44004,
		`"msgtype":"text","text":{"content":"` + strings.Repeat("x", 2049) + `"}`:                            45002,
		`"msgtype":"text","text":{"content":"\u4f60"}`:                                                       40033,
		`"msgtype":"image","image":{"media_id":"IMAGE"}`:                                                     0,
		`"msgtype":"image","image":{"media_id":"VOICE"}`:                                                     40007,
		`"msgtype":"voice","voice":{"media_id":"VOICE"}`:                                                     0,
		`"msgtype":"video","video":{"media_id":"VIDEO","thumb_media_id":"THUMB","title":"a"}`:                0,
		`"msgtype":"video","video":{"media_id":"VIDEO"}`:                                                     40007,
		`"msgtype":"music","music":{"musicurl":"u","hqmusicurl":"u","thumb_media_id":"THUMB"}`:               0,
		`"msgtype":"music","music":{"thumb_media_id":"THUMB"}`:                                               47001,
		`"msgtype":"news","news":{"articles":[` + article + `]}`:                                             0,
		`"msgtype":"news","news":{"articles":[` + article + `,` + article + `]}`:                             45008,
		`"msgtype":"mpnews","mpnews":{"media_id":"x"}`:                                                       48008,
		`"msgtype":"mpnewsarticle","mpnewsarticle":{"article_id":"x"}`:                                       0,
		`"msgtype":"msgmenu","msgmenu":{"head_content":"h","list":[{"id":"101","content":"满意"}]}`:            0,
		`"msgtype":"msgmenu","msgmenu":{"head_content":"h","list":[{"id":101,"content":"满意"}]}`:              0,
		`"msgtype":"msgmenu","msgmenu":{"head_content":"h","list":[]}`:                                       47001,
		`"msgtype":"wxcard","wxcard":{"card_id":"x"}`:                                                        0,
		`"msgtype":"miniprogrampage","miniprogrampage":{"appid":"wx1","title":"a","thumb_media_id":"IMAGE"}`: 0,
		`"msgtype":"miniprogrampage","miniprogrampage":{"title":"a","thumb_media_id":"IMAGE"}`:               40013,
		`"msgtype":"link","link":{"title":"a","url":"u"}`:                                                    45162,
		`"msgtype":"hologram"`: 40008,
		`"msgtype":"wxcard"`:   47001,
		`"msgtype":"text","text":{"content":"by Lili"},"customservice":{"kf_account":"lili@lumi"}`: 0,
		`"msgtype":"text","text":{"content":"by Max"},"customservice":{"kf_account":"max@lumi"}`:   65401,
	} {
		body = media.Replace(body)
		if got := post(t, base+sendPath+token, `{"touser":"`+testOpenID+`",`+body+`}`); got != want {
			t.Errorf("%.90s: code %d, want %d", body, got, want)
		}
	}
}

func TestMediaOfAnOfficialAccount(t *testing.T) {
	_, base, token := openAccount(t, newFakeClock(), nil)
	for name, c := range map[string]struct {
		kind mediaKind
		data []byte
		want float64
	}{
		"a voice of 2 MB":           {mediaVoice, append([]byte("#!AMR\n"), make([]byte, maxMediaSize-6)...), 0},
		"a byte more":               {mediaVoice, append([]byte("#!AMR\n"), make([]byte, maxMediaSize-5)...), 45001},
		"a voice as MP3":            {mediaVoice, []byte("\xff\xfb\x90\x64"), 0},
		"a voice that is a picture": {mediaVoice, drawPicture("x"), 40005},
		"a thumb that is too large": {mediaThumb, append([]byte("\xff\xd8\xff\xe0"), make([]byte, maxThumbSize)...), 45001},
		"a file":                    {"file", []byte("x"), 40004},
	} {
		if code, _ := uploadAs(t, base, token, c.kind, c.data)["errcode"].(float64); code != c.want {
			t.Errorf("%s: code %v, want %v", name, code, c.want)
		}
	}
	id, _ := uploadAs(t, base, token, mediaVideo, emptyVideo())["media_id"].(string)
	_, answer := do(t, http.MethodGet, base+"/cgi-bin/media/get?access_token="+token+"&media_id="+id, nil)
	if url, _ := answer["video_url"].(string); !strings.HasSuffix(url, id) {
		t.Errorf("a video: %v", answer)
	}
}

func TestTemplateMessages(t *testing.T) {
	hook := newCallback(t, success)
	sim, server := newSim(t, Options{}, hook.URL, func(a *App) {
		officialAccount(a)
		a.Templates = map[string]string{"TM1": "订单 {{number.DATA}} {{state.DATA}}"}
	})
	token := stableToken(t, server.URL, false)
	send := func(openID, template, data string) (int, map[string]any) {
		_, answer := do(t, http.MethodPost, server.URL+"/cgi-bin/message/template/send?access_token="+token,
			`{"touser":"`+openID+`","template_id":"`+template+`","data":{`+data+`}}`)
		code, _ := answer["errcode"].(float64)
		return int(code), answer
	}
	const good = `"number":{"value":"42"},"state":{"value":"已发货"}`
	if code, _ := send(testOpenID, "TM1", good); code != 40003 {
		t.Errorf("to nobody: %d", code)
	}
	if _, err := sim.PatchCustomer(testApp, testOpenID, ProfilePatch{}); err != nil {
		t.Fatalf("making a customer: %v", err)
	}
	if code, _ := send(testOpenID, "TM1", good); code != 43004 {
		t.Errorf("to somebody who does not follow: %d", code)
	}
	act(t, sim, Message{Type: TypeEvent, Event: "subscribe"})
	if code, _ := send(testOpenID, "TM2", good); code != 40037 {
		t.Errorf("an unknown template: %d", code)
	}
	if code, _ := send(testOpenID, "TM1", `"number":{"value":"42"}`); code != 47003 {
		t.Errorf("without a value: %d", code)
	}
	for _, status := range []string{"success", "failed:user block"} {
		if _, err := sim.PatchCustomer(testApp, testOpenID, ProfilePatch{TemplateStatus: &status}); err != nil {
			t.Fatalf("setting the status: %v", err)
		}
		code, answer := send(testOpenID, "TM1", good)
		if id, _ := answer["msgid"].(float64); code != 0 || id == 0 {
			t.Fatalf("sending: %v", answer)
		}
		// Pushes of one customer are sequential, so this one arrives after the report.
		write(t, sim, "ok")
		all := hook.pushes()
		report := elements(maskIDs(all[len(all)-2].body))
		if diff := cmp.Diff([]string{"MsgType>event", "Event>TEMPLATESENDJOBFINISH", "MsgID>N", "Status>" + status}, report[3:]); diff != "" {
			t.Errorf("report (-want +got):\n%s", diff)
		}
	}
	lines, err := sim.Received(t.Context(), testApp, testOpenID, 0, 0)
	if err != nil || len(lines) != 1 || lines[0].Text != "订单 42 已发货" || lines[0].Via != ViaTemplate {
		t.Errorf("the customer saw %+v, error %v", lines, err)
	}
}

func TestPermissionsAndQuotas(t *testing.T) {
	clock := newFakeClock()
	sim, base, token := openAccount(t, clock, nil)
	status, _ := do(t, http.MethodPatch, base+"/sim/v1/apps/"+testApp, map[string]any{"denied": []string{"send", "menu"}})
	if status != http.StatusOK {
		t.Fatalf("patching answers %d", status)
	}
	get := func(path string) int {
		_, answer := do(t, http.MethodGet, base+path+"?access_token="+token+"&openid="+testOpenID, nil)
		code, _ := answer["errcode"].(float64)
		return int(code)
	}
	for name, c := range map[string][2]int{
		"sending": {sendText(t, base, token, "x"), 48001},
		"a menu":  {get("/cgi-bin/menu/get"), 48001},
		"a user":  {get("/cgi-bin/user/info"), 0},
	} {
		if c[0] != c[1] {
			t.Errorf("%s: code %d, want %d", name, c[0], c[1])
		}
	}
	do(t, http.MethodPatch, base+"/sim/v1/apps/"+testApp, map[string]any{"denied": nil})
	if got := sendText(t, base, token, "x"); got != 0 {
		t.Errorf("with the permission back: %d", got)
	}
	for _, name := range []string{"send", "user_info"} {
		if err := sim.ExhaustQuota(testApp, name); err != nil {
			t.Fatalf("exhausting: %v", err)
		}
	}
	if send, info := sendText(t, base, token, "x"), get("/cgi-bin/user/info"); send != 45009 || info != 45009 {
		t.Errorf("exhausted: %d and %d", send, info)
	}
	clock.Advance(24 * time.Hour)
	if send, info := sendText(t, base, token, "x"), get("/cgi-bin/user/info"); send != 0 || info != 0 {
		t.Errorf("on the next day: %d and %d", send, info)
	}
	if err := sim.ExhaustQuota(testApp, "typing"); problemStatus(err) != 404 {
		t.Errorf("a call without a quota: %v", err)
	}
}

func TestFaultsOfAnOfficialAccountsCalls(t *testing.T) {
	sim, base, token := openAccount(t, newFakeClock(), nil)
	for _, f := range []Fault{
		{On: "menu_create", ErrCode: 48001},
		{On: "user_info", OpenID: testOpenID, HTTPStatus: 503},
	} {
		if err := sim.AddFault(testApp, f); err != nil {
			t.Fatalf("adding fault: %v", err)
		}
	}
	create := base + "/cgi-bin/menu/create?access_token=" + token
	const menu = `{"button":[{"type":"click","name":"a","key":"K"}]}`
	if one, two := post(t, create, menu), post(t, create, menu); one != 48001 || two != 0 {
		t.Errorf("publishing: %d, then %d", one, two)
	}
	info := base + "/cgi-bin/user/info?access_token=" + token + "&openid="
	if _, answer := do(t, http.MethodGet, info+"somebody-else", nil); answer["errcode"] != 40003.0 {
		t.Errorf("somebody else: %v", answer)
	}
	res, err := http.Get(info + testOpenID)
	if err != nil {
		t.Fatalf("asking: %v", err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("status %d", res.StatusCode)
	}
	if err := sim.AddFault(testApp, Fault{On: "menu"}); problemStatus(err) != 400 {
		t.Errorf("a fault of nothing: %v", err)
	}
}

func TestAMiniProgramHasNoneOfTheOfficialAccountsCalls(t *testing.T) {
	_, base, token := openSim(t, newFakeClock(), nil)
	for path, body := range map[string]string{
		"/cgi-bin/message/template/send": "{}", "/cgi-bin/menu/create": "{}", "/cgi-bin/qrcode/create": "{}", "/cgi-bin/menu/addconditional": "{}",
	} {
		if got := post(t, base+path+"?access_token="+token, body); got != 48001 {
			t.Errorf("%s: code %d", path, got)
		}
	}
	if got := post(t, base+sendPath+token, `{"touser":"`+testOpenID+`","msgtype":"voice","voice":{"media_id":"x"}}`); got != 45162 {
		t.Errorf("a voice of a mini-program: %d", got)
	}
}

func TestWhatIsKnownOfAUser(t *testing.T) {
	clock := newFakeClock()
	sim, base, token := openAccount(t, clock, func(a *App) { a.OpenPlatform = "lumi" })
	info := func() map[string]any {
		_, answer := do(t, http.MethodGet, base+"/cgi-bin/user/info?access_token="+token+"&openid="+testOpenID+"&lang=zh_CN", nil)
		delete(answer, "unionid")
		return answer
	}
	act(t, sim, Message{Type: TypeEvent, Event: "subscribe", Scene: "shop-12"})
	want := map[string]any{
		"subscribe": 1.0, "openid": testOpenID, "language": "zh_CN", "subscribe_time": 1795251600.0, "subscribe_scene": "ADD_SCENE_QR_CODE",
		"remark": "", "groupid": 0.0, "tagid_list": []any{}, "qr_scene": 0.0, "qr_scene_str": "shop-12",
	}
	if diff := cmp.Diff(want, info()); diff != "" {
		t.Errorf("a follower (-want +got):\n%s", diff)
	}
	act(t, sim, Message{Type: TypeEvent, Event: "unsubscribe"})
	if diff := cmp.Diff(map[string]any{"subscribe": 0.0, "openid": testOpenID}, info()); diff != "" {
		t.Errorf("after leaving (-want +got):\n%s", diff)
	}
}

func TestOnePersonHasOneUnionIDInAllAppsOfAnOpenPlatformAccount(t *testing.T) {
	sim, server := newSim(t, Options{}, "", func(a *App) { officialAccount(a); a.OpenPlatform = "lumi" })
	for id, platform := range map[string]string{"wxshop": "lumi", "wxother": "other", "wxalone": ""} {
		app := App{AppID: id, AppSecret: testSecret, Token: "AAAAA", OriginalID: "gh_2", OpenPlatform: platform}
		if err := sim.PutApp(app); err != nil {
			t.Fatalf("putting app: %v", err)
		}
	}
	person := "li-lei"
	union := func(appID, openID string, patch ProfilePatch) string {
		info, err := sim.PatchCustomer(appID, openID, patch)
		if err != nil {
			t.Fatalf("patching: %v", err)
		}
		return info.UnionID
	}
	one := union(testApp, "o-fan-1", ProfilePatch{Person: &person})
	shop := union("wxshop", "o-customer-1", ProfilePatch{Person: &person})
	stranger := union("wxshop", "o-customer-2", ProfilePatch{})
	other := union("wxother", "o-x", ProfilePatch{Person: &person})
	if one == "" || one != shop || one == stranger || one == other || strings.Contains(one, person) {
		t.Errorf("unionids %q %q %q %q", one, shop, stranger, other)
	}
	if alone := union("wxalone", "o-x", ProfilePatch{Person: &person}); alone != "" {
		t.Errorf("an unbound app knows %q", alone)
	}
	code, err := sim.Login("wxshop", "o-customer-1")
	if err != nil {
		t.Fatalf("logging in: %v", err)
	}
	path := server.URL + "/sns/jscode2session?appid=wxshop&secret=" + testSecret + "&grant_type=authorization_code&js_code=" + code
	_, session := do(t, http.MethodGet, path, nil)
	if session["openid"] != "o-customer-1" || session["unionid"] != one || session["session_key"] == "" {
		t.Errorf("session %v", session)
	}
	if _, again := do(t, http.MethodGet, path, nil); again["errcode"] != 40029.0 {
		t.Errorf("the code was good twice: %v", again)
	}
}

func TestWhoRefusesMessagesGetsNone(t *testing.T) {
	sim, base, token := openAccount(t, newFakeClock(), nil)
	refuses := true
	if _, err := sim.PatchCustomer(testApp, testOpenID, ProfilePatch{RefusesMessages: &refuses}); err != nil {
		t.Fatalf("patching: %v", err)
	}
	if got := sendText(t, base, token, "x"); got != 48002 {
		t.Errorf("code %d", got)
	}
	status := "maybe"
	if _, err := sim.PatchCustomer(testApp, testOpenID, ProfilePatch{TemplateStatus: &status}); problemStatus(err) != 400 {
		t.Errorf("an unknown status: %v", err)
	}
}

func TestQRCodes(t *testing.T) {
	_, base, token := openAccount(t, newFakeClock(), nil)
	for body, want := range map[string]int{
		`{"action_name":"QR_LIMIT_STR_SCENE","action_info":{"scene":{"scene_str":"shop-12"}}}`:   0,
		`{"expire_seconds":60,"action_name":"QR_SCENE","action_info":{"scene":{"scene_id":12}}}`: 0,
		`{"action_name":"QR_SCENE","action_info":{"scene":{"scene_str":"x"}}}`:                   40053,
		`{"action_name":"QR_OTHER","action_info":{"scene":{"scene_str":"x"}}}`:                   40052,
	} {
		if got := post(t, base+"/cgi-bin/qrcode/create?access_token="+token, body); got != want {
			t.Errorf("%s: code %d, want %d", body, got, want)
		}
	}
}

func TestFollowersAndMenusSurviveARestart(t *testing.T) {
	opts := Options{StateFile: filepath.Join(t.TempDir(), "state.json")}
	hook := newCallback(t, success)
	before, _ := newSim(t, opts, hook.URL, officialAccount)
	act(t, before, Message{Type: TypeEvent, Event: "subscribe", Scene: "12"})
	menus, err := before.PutMenu(testApp, Menu{Button: []Button{{Type: "click", Name: "客服", Key: "KF"}}})
	if err != nil {
		t.Fatalf("publishing: %v", err)
	}
	if err := before.Close(); err != nil {
		t.Fatalf("closing: %v", err)
	}
	after := New(opts)
	if err := after.LoadState(); err != nil {
		t.Fatalf("loading: %v", err)
	}
	defer after.Close()
	info, err := after.PatchCustomer(testApp, testOpenID, ProfilePatch{})
	if err != nil || !info.Follows || info.QRScene != "12" {
		t.Errorf("customer %+v, error %v", info, err)
	}
	again, err := after.Menus(testApp)
	if diff := cmp.Diff(menus, again); diff != "" || err != nil {
		t.Errorf("menus (-want +got), error %v:\n%s", err, diff)
	}
}
