//go:build e2e

package e2e

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/yingda-dev/yingda/api/v1alpha1"
)

// accountName is the Channel of the sample's official account.
const accountName = "service"

// account finds the sample's official account at the platform.
func (s *story) account() app {
	s.t.Helper()
	channel := &v1alpha1.Channel{}
	s.kube.get(s.t, accountName, channel)
	return s.sim.app(channel.Spec.OfficialAccount.AppID)
}

// answersAtOnce is what the bot says in its answer to the platform's call, which costs nothing of the customer's quota.
func (s *story) answersAtOnce() {
	t := s.t
	account := s.account()
	fan := account.customer(s.customer("fan").openid)

	if welcome := s.saidAtOnce(t, fan.happens(t, "subscribe")); !strings.Contains(welcome, "露米") {
		t.Errorf("who follows reads %q", welcome)
	}
	asked := fan.writes(t, "运费多少?")
	if answer := s.saidAtOnce(t, asked); !strings.Contains(answer, "99") {
		t.Errorf("who asks for the fee reads %q", answer)
	}
	if answer := s.saidAtOnce(t, fan.taps(t, "开发票")); !strings.Contains(answer, "开票") {
		t.Errorf("who taps on the menu reads %q", answer)
	}

	attempts, err := account.repeat(t.Context(), asked.ID, 3, true)
	must(t, err)
	for _, again := range attempts {
		if again.Answer == "" || len(again.Answer) != len(asked.Attempts[0].Answer) {
			t.Errorf("a call that came again was answered with %s, the first with %s", describe(again), describe(asked.Attempts[0]))
		}
	}
	lines, err := fan.received(t.Context())
	must(t, err)
	if paid := slices.ContainsFunc(lines, func(l line) bool { return l.Via != viaPassive }); paid || len(lines) != 3 {
		t.Errorf("the customer received %s", describe(lines))
	}
}

// saidAtOnce is the text that the customer read by the answer to a push.
func (s *story) saidAtOnce(t *testing.T, p push) string {
	t.Helper()
	if p.Reply == nil || p.Reply.Via != viaPassive {
		t.Fatalf("the push was not answered with words: %s", describe(p))
	}
	return p.Reply.Text
}

// humanAtTheAccount is a conversation with a human at the official account: the bot is quiet while it lasts.
func (s *story) humanAtTheAccount() {
	t := s.t
	fan := s.account().customer(s.customer("fan-with-a-human").openid)
	fan.happens(t, "subscribe")
	fan.writes(t, "转人工")
	given := s.stream.gives(t, fan, soon)
	s.agent.closesLater(t, given.ID)
	s.agent.replies(t, fan, given.ID, "您好,我是小美。")

	if p := fan.writes(t, "运费多少?"); p.Reply != nil {
		t.Errorf("the bot interrupts: %s", describe(p.Reply))
	}
	s.stream.shows(t, given.ID, "运费多少?")
	s.agent.replies(t, fan, given.ID, "满 99 元包邮。")

	fan.sends(t, map[string]any{"type": "voice", "recognition": "我还想问一下"})
	s.stream.shows(t, given.ID, "我还想问一下")
}

// onePerson writes to the mini-program and to the official account, and is one customer with one history.
func (s *story) onePerson() {
	t := s.t
	name := s.customer("li-lei").openid
	fan, shopper := s.account().customer(name+"-fan"), s.app.customer(name+"-shopper")
	for _, c := range []customer{fan, shopper} {
		must(t, call(t.Context(), http.MethodPatch, c.url, "", map[string]string{"person": name}, nil))
	}
	fan.happens(t, "subscribe")
	fan.writes(t, "公众号里问过,转人工")
	first := s.stream.gives(t, fan, soon)
	s.agent.closesLater(t, first.ID)

	var login struct {
		Code string `json:"code"`
	}
	must(t, call(t.Context(), http.MethodPost, shopper.url+"/login", "", nil, &login))
	must(t, call(t.Context(), http.MethodPost, shopper.url+"/enter", "", map[string]string{"sessionFrom": "order:1;login=" + login.Code}, nil))
	shopper.writes(t, "小程序里再问,转人工")
	second := s.stream.gives(t, shopper, soon)
	s.agent.closesLater(t, second.ID)

	type shown struct {
		Contacts []struct {
			Channel string `json:"channel"`
		} `json:"contacts"`
	}
	await(t, "the desk knows one customer on both Channels", soon, func(ctx context.Context) (shown, error) {
		var out shown
		return out, s.agent.do(ctx, http.MethodGet, "/api/conversations/"+second.ID, nil, &out)
	}, func(out shown) bool { return len(out.Contacts) == 2 })
	var timeline struct {
		Messages []message `json:"messages"`
	}
	must(t, s.agent.do(t.Context(), http.MethodGet, "/api/conversations/"+second.ID+"/timeline", nil, &timeline))
	said := thread{Messages: timeline.Messages}.said("inbound")
	for _, text := range []string{"公众号里问过,转人工", "小程序里再问,转人工"} {
		if !slices.Contains(said, text) {
			t.Errorf("the timeline does not hold %q: %q", text, said)
		}
	}
}

// repairedMenu is the menu of the Channel's spec at the platform, whoever changes it there.
func (s *story) repairedMenu() {
	t := s.t
	account := s.account()
	published := account.showsMenu(t, "as the Channel has it", func(m string) bool { return strings.Contains(m, "开发票") })
	must(t, call(t.Context(), http.MethodPut, account.url+"/menu", "", map[string]any{
		"button": []map[string]string{{"type": "click", "name": "别人的", "key": "X"}},
	}, nil))
	change(t, s.kube, accountName, &v1alpha1.Channel{}, func(c *v1alpha1.Channel) { c.Spec.OfficialAccount.Menu.Buttons[0].Name = "要发票" })
	account.showsMenu(t, "as the Channel has it now", func(m string) bool {
		return strings.Contains(m, "要发票") && !strings.Contains(m, "别人的") && m != published
	})
}

// showsMenu waits for the menu below the chat, as JSON.
func (a app) showsMenu(t *testing.T, what string, wanted func(string) bool) string {
	t.Helper()
	return await(t, "the menu is "+what, soon, func(ctx context.Context) (string, error) {
		menu, err := fetch(ctx, http.MethodGet, a.url+"/menu", "", nil)
		return string(menu), err
	}, wanted)
}
