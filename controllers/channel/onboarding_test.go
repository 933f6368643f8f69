package channel

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/events"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/ack"
	"github.com/yingda-dev/yingda/internal/conditions"
	"github.com/yingda-dev/yingda/internal/configz"
)

// says is a pool whose replicas say this of the Channel, with accepted credentials.
func says(reports ...configz.Channel) func(*scene) {
	return func(s *scene) {
		s.pool = nil
		for _, report := range reports {
			if report.Credentials == "" {
				report.Credentials = configz.CredentialsAccepted
			}
			s.pool = append(s.pool, ack.Answer{Report: configz.Report{
				Objects: map[string]int64{"Channel/shop": 2}, Channels: map[string]configz.Channel{"shop": report},
			}})
		}
	}
}

// asAccount makes the scene's Channel an official account with a menu.
func asAccount(s *scene) {
	spec := &s.channel.Spec
	spec.OfficialAccount = &v1alpha1.OfficialAccountSpec{
		WeChatAccount: spec.MiniProgram.WeChatAccount,
		Menu:          &v1alpha1.Menu{Buttons: []v1alpha1.MenuButton{{Name: "发票", MenuAction: v1alpha1.MenuAction{Key: "INVOICE"}}}},
	}
	spec.Type, spec.MiniProgram = v1alpha1.ChannelTypeOfficialAccount, nil
}

func withoutMenu(s *scene) { s.channel.Spec.OfficialAccount.Menu = nil }

// answeredBy is a Playbook with rules for these keys of a menu.
func answeredBy(keys ...string) func(*scene) {
	return func(s *scene) {
		s.playbook = &v1alpha1.Playbook{ObjectMeta: metav1.ObjectMeta{Name: "shop"}, Spec: v1alpha1.PlaybookSpec{
			Rules: []v1alpha1.PlaybookRule{{Name: "taps", Match: v1alpha1.PlaybookMatch{MenuKeys: keys}}},
		}}
	}
}

func TestAReadyChannelSaysWhatWaitsForSomebody(t *testing.T) {
	for name, tt := range map[string]struct {
		edits []func(*scene)
		waits string
	}{
		"nothing": {[]func(*scene){says(configz.Channel{WebhookCalled: true})}, ""},
		"the platform's first call": {
			[]func(*scene){says(configz.Channel{})}, "WebhookVerified (NotYetCalled)",
		},
		"a menu and the quota": {
			[]func(*scene){asAccount, answeredBy("INVOICE"), says(configz.Channel{
				WebhookCalled: true, Limited: []string{"send"}, Menu: &configz.Menu{Generation: 2, State: "Published", Others: 1},
			})},
			"QuotaHealthy (QuotaReached), MenuPublished (OtherMenus)",
		},
	} {
		t.Run(name, func(t *testing.T) {
			decided := decide(sceneOf(tt.edits...), settings())
			ready, want := decided.findings[0], "Everything that was declared is in force"
			if tt.waits != "" {
				want += "; what waits for somebody: " + tt.waits
			}
			if decided.waitsFor != tt.waits || ready.Status != metav1.ConditionTrue || ready.Message != want {
				t.Errorf("it waits for %q, Ready is %s: %q; want %q, True: %q", decided.waitsFor, ready.Status, ready.Message, tt.waits, want)
			}
		})
	}
}

func TestEventsTellWhatTurns(t *testing.T) {
	recorder := events.NewFakeRecorder(8)
	r := New(Options{Recorder: recorder})
	channel := sceneOf().channel
	var before []metav1.Condition
	for _, step := range []struct {
		does   []func(*scene)
		events []string
	}{
		{[]func(*scene){asAccount, answeredBy("INVOICE"), says(shows(configz.Menu{Generation: 2, State: "Published"}))}, nil},
		{[]func(*scene){asAccount, answeredBy(), says(shows(configz.Menu{Generation: 2, State: "Published", Others: 1}))}, []string{"Warning OtherMenus", "Warning UnknownKeys"}},
		{[]func(*scene){asAccount, answeredBy(), says(shows(configz.Menu{Generation: 2, State: "Published", Others: 1}))}, nil},
		{[]func(*scene){asAccount, answeredBy("INVOICE"), says(shows(configz.Menu{Generation: 2, State: "Published"}))}, []string{"Normal Published", "Normal Answered"}},
		// Ready tells this one.
		{[]func(*scene){asAccount, answeredBy("INVOICE"), says(configz.Channel{Denied: []string{"send"}, Menu: &configz.Menu{Generation: 2, State: "Published"}})}, nil},
	} {
		after := conditions.Merge(before, 2, time.Time{}, decide(sceneOf(step.does...), settings()).findings...)
		r.announceWaits(channel, before, after)
		before = after
		var got []string
		for len(recorder.Events) > 0 {
			words := strings.SplitN(<-recorder.Events, " ", 3)
			got = append(got, words[0]+" "+words[1])
		}
		if diff := cmp.Diff(step.events, got); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
	}
}

func shows(menu configz.Menu) configz.Channel { return configz.Channel{Menu: &menu} }

// Who reads a condition and who reads the guide enter the webhook in the same place.
func TestTheGuideNamesThePlacesThatConditionsName(t *testing.T) {
	for _, guide := range []string{"onboarding.md", "onboarding.zh-CN.md"} {
		content, err := os.ReadFile("../../docs/" + guide)
		if err != nil {
			t.Fatal(err)
		}
		for _, of := range []v1alpha1.ChannelType{v1alpha1.ChannelTypeMiniProgram, v1alpha1.ChannelTypeOfficialAccount} {
			c := consoleOf(&v1alpha1.Channel{Spec: v1alpha1.ChannelSpec{Type: of}})
			for _, place := range []string{c.push, c.permissions} {
				if !strings.Contains(string(content), place) {
					t.Errorf("docs/%s does not name %s of a %s", guide, place, of)
				}
			}
		}
	}
}

func TestWhatWaitsForAPersonSaysWhatToClick(t *testing.T) {
	const permission, quota, menu, taps, credentials = v1alpha1.ConditionPermissionGranted, v1alpha1.ConditionQuotaHealthy, v1alpha1.ConditionMenuPublished, v1alpha1.ConditionMenuAnswered, v1alpha1.ConditionCredentialsValid
	for name, tt := range map[string]struct {
		edits     []func(*scene)
		condition string
		status    metav1.ConditionStatus
		reason    string
		says      string
		ready     metav1.ConditionStatus
	}{
		"nobody has used the account":       {[]func(*scene){says(configz.Channel{Credentials: configz.CredentialsNotYetTried})}, permission, "Unknown", "NotYetTried", "", "Unknown"},
		"nothing was refused":               {[]func(*scene){says(configz.Channel{})}, permission, "True", "Granted", "", "True"},
		"sending is refused":                {[]func(*scene){says(configz.Channel{}, configz.Channel{Denied: []string{"send"}})}, permission, "False", "NotAuthorized", "客服消息 (code 48001): see in the console (开发 → 开发管理 → 接口设置)", "False"},
		"sending is, on an account":         {[]func(*scene){asAccount, says(configz.Channel{Denied: []string{"send"}})}, permission, "False", "NotAuthorized", "设置与开发 → 接口权限", "False"},
		"only user info is refused":         {[]func(*scene){says(configz.Channel{Denied: []string{"user"}})}, permission, "False", "NotAuthorized", "获取用户基本信息", "True"},
		"only notices are refused":          {[]func(*scene){asAccount, says(configz.Channel{Denied: []string{"template"}})}, permission, "False", "NotAuthorized", "模板消息", "True"},
		"a secret that is wrong":            {[]func(*scene){says(configz.Channel{Credentials: configz.CredentialsRejected, Message: "m", Reason: "InvalidAppSecret"})}, credentials, "False", "Rejected", "开发 → 开发管理 → 开发设置 → AppSecret", "False"},
		"an address that is not allowed":    {[]func(*scene){asAccount, says(configz.Channel{Credentials: configz.CredentialsRejected, Message: "m", Reason: "AddressNotAllowed"})}, credentials, "False", "Rejected", "设置与开发 → 开发接口管理 → 基本配置 → IP白名单", "False"},
		"within the quota":                  {[]func(*scene){says(configz.Channel{})}, quota, "True", "WithinQuota", "", "True"},
		"the quota is reached":              {[]func(*scene){asAccount, says(configz.Channel{Limited: []string{"send"}})}, quota, "False", "QuotaReached", "counters are cleared in the console (设置与开发 → 接口权限)", "True"},
		"nobody has looked at the menu":     {[]func(*scene){asAccount, says(configz.Channel{})}, menu, "Unknown", "NotYetTried", "", "True"},
		"the menu is that of before":        {[]func(*scene){asAccount, says(shows(configz.Menu{Generation: 1, State: "Published"}))}, menu, "Unknown", "NotYetTried", "", "True"},
		"the menu is published":             {[]func(*scene){asAccount, says(configz.Channel{}, shows(configz.Menu{Generation: 2, State: "Published"}))}, menu, "True", "Published", "", "True"},
		"there are conditional menus":       {[]func(*scene){asAccount, says(shows(configz.Menu{Generation: 2, State: "Published", Others: 2}))}, menu, "False", "OtherMenus", "个性化菜单", "True"},
		"a menu that cannot be removed":     {[]func(*scene){asAccount, withoutMenu, says(shows(configz.Menu{Generation: 2, State: "Published", Others: 2, Ours: true}))}, menu, "False", "OtherMenus", "declared no more and still shown", "True"},
		"the account may have no menu":      {[]func(*scene){asAccount, says(shows(configz.Menu{Generation: 2, State: "APINotAuthorized", Code: 48001}))}, menu, "False", "NotAuthorized", "自定义菜单 in the console (设置与开发 → 接口权限)", "True"},
		"a rule knows the menu's keys":      {[]func(*scene){asAccount, answeredBy("INVOICE"), says(shows(configz.Menu{Generation: 2, State: "Published"}))}, taps, "True", "Answered", "", "True"},
		"no rule knows a key of the menu":   {[]func(*scene){asAccount, answeredBy("OTHER"), says(shows(configz.Menu{Generation: 2, State: "Published"}))}, taps, "False", "UnknownKeys", "Playbook shop has no rule for these keys of the menu: INVOICE", "True"},
		"there are keys and no Playbook":    {[]func(*scene){asAccount, says(shows(configz.Menu{Generation: 2, State: "Published"}))}, taps, "False", "UnknownKeys", "There is no Playbook for these keys", "True"},
		"what is refused is tried again":    {[]func(*scene){asAccount, says(configz.Channel{Denied: []string{"menu", "user"}})}, permission, "False", "NotAuthorized", "It is tried again within 10 minutes", "True"},
		"messages that are refused are too": {[]func(*scene){asAccount, says(configz.Channel{Denied: []string{"send", "user"}})}, permission, "False", "NotAuthorized", "A message is tried every 5 minutes at the latest", "False"},
		"the platform does not take it":     {[]func(*scene){asAccount, says(shows(configz.Menu{Generation: 2, State: "Refused", Code: 40165}))}, menu, "False", "NotPublished", "Refused (code 40165)", "True"},
		"the platform could not be reached": {[]func(*scene){asAccount, says(shows(configz.Menu{Generation: 2, State: "NoAnswer"}))}, menu, "False", "NotPublished", "tried again", "True"},
	} {
		t.Run(name, func(t *testing.T) {
			decided := decide(sceneOf(tt.edits...), settings())
			got := finding(t, decided, tt.condition)
			if got.Status != tt.status || got.Reason != tt.reason || !strings.Contains(got.Message, tt.says) {
				t.Errorf("%s is %s, %s: %q; want %s, %s with %q", tt.condition, got.Status, got.Reason, got.Message, tt.status, tt.reason, tt.says)
			}
			if len(got.Message) > conditions.MaxMessageBytes {
				t.Errorf("the message has %d bytes and would be cut: %q", len(got.Message), got.Message)
			}
			if ready := finding(t, decided, v1alpha1.ConditionReady); ready.Status != tt.ready {
				t.Errorf("Ready is %s, %s; want %s", ready.Status, ready.Message, tt.ready)
			}
		})
	}
}

func TestAChannelWithoutAMenuSaysNothingOfOne(t *testing.T) {
	for _, f := range decide(sceneOf(says(configz.Channel{})), settings()).findings {
		if f.Type == v1alpha1.ConditionMenuPublished {
			t.Errorf("it says %+v", f)
		}
	}
}

func TestTheStatusNamesTheGenerationWhoseMenuIsShown(t *testing.T) {
	before := &v1alpha1.MenuStatus{Generation: 1}
	for name, tt := range map[string]struct {
		report configz.Channel
		want   int64
	}{
		"nobody has looked":     {configz.Channel{}, 1},
		"it is published":       {shows(configz.Menu{Generation: 2, State: "Published"}), 2},
		"the next one is not":   {shows(configz.Menu{Generation: 2, State: "Refused", Code: 1}), 1},
		"it was taken away":     {shows(configz.Menu{Generation: 2, State: "Absent"}), 0},
		"others are beside it":  {shows(configz.Menu{Generation: 2, State: "Published", Others: 1}), 2},
		"it is of before still": {shows(configz.Menu{Generation: 1, State: "Published"}), 1},
	} {
		seen := sceneOf(asAccount, says(tt.report), func(s *scene) { s.channel.Status.Menu = before })
		var got int64
		if menu := menuStatus(seen); menu != nil {
			got = menu.Generation
		}
		if got != tt.want {
			t.Errorf("%s: generation %d, want %d", name, got, tt.want)
		}
	}
}

func TestADeletedChannelWaitsForItsMenuToGo(t *testing.T) {
	seen := sceneOf(asAccount, says(shows(configz.Menu{Generation: 1, State: "Published", Ours: true})))
	if got := waitsFor(seen, 0); !strings.Contains(got, "menu") {
		t.Errorf("it waits for %q", got)
	}
	seen = sceneOf(asAccount, says(shows(configz.Menu{Generation: 2, State: "Absent"})))
	if got := waitsFor(seen, 0); strings.Contains(got, "menu") {
		t.Errorf("it waits for %q", got)
	}
}
