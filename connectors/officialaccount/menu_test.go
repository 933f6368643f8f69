package officialaccount

import (
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/connectors"
	"github.com/yingda-dev/yingda/hack/wechatsim"
)

func declared(buttons ...v1alpha1.MenuButton) *v1alpha1.Channel {
	channel := &v1alpha1.Channel{ObjectMeta: metav1.ObjectMeta{Name: "service", Generation: 1}}
	channel.Spec.OfficialAccount = &v1alpha1.OfficialAccountSpec{}
	if len(buttons) > 0 {
		channel.Spec.OfficialAccount.Menu = &v1alpha1.Menu{Buttons: buttons}
	}
	return channel
}

func key(name, key string) v1alpha1.MenuButton {
	return v1alpha1.MenuButton{Name: name, MenuAction: v1alpha1.MenuAction{Key: key}}
}

// account is an official account of the simulator's, and its connector.
func account(t *testing.T) (*wechatsim.Server, wechatsim.App, *connector) {
	t.Helper()
	sim := wechatsim.New(wechatsim.Options{})
	server := httptest.NewServer(sim)
	t.Cleanup(func() {
		server.Close()
		if err := sim.Close(); err != nil {
			t.Error(err)
		}
	})
	app := wechatsim.App{
		Kind: wechatsim.KindOfficialAccount, AppID: testAppID, AppSecret: "secret", Token: testToken, OriginalID: testAccount, Mode: wechatsim.ModePlaintext,
	}
	if err := sim.PutApp(app); err != nil {
		t.Fatal(err)
	}
	return sim, app, open(t, v1alpha1.MessageModePlaintext, server.URL, func(secret map[string][]byte) { secret["appSecret"] = []byte("secret") })
}

// menuCalls is how often the platform was called so.
func menuCalls(t *testing.T, sim *wechatsim.Server, app wechatsim.App, op string) int {
	t.Helper()
	_, byApp := sim.Stats()
	return byApp[app.AppID].Calls[op]
}

// menuOf is the menu that the account shows, in a line.
func menuOf(t *testing.T, sim *wechatsim.Server, app wechatsim.App) string {
	t.Helper()
	menus, err := sim.Menus(app.AppID)
	if err != nil {
		t.Fatal(err)
	}
	if menus.Menu == nil {
		return ""
	}
	line := func(b wechatsim.Button) string {
		return strings.Join(slices.DeleteFunc([]string{b.Type, b.Name, b.Key, b.URL, b.AppID, b.PagePath}, func(s string) bool { return s == "" }), " ")
	}
	var buttons []string
	for _, b := range menus.Menu.Button {
		var items []string
		for _, item := range b.SubButton {
			items = append(items, line(item))
		}
		text := line(b)
		if len(items) > 0 {
			text += "[" + strings.Join(items, ",") + "]"
		}
		buttons = append(buttons, text)
	}
	return strings.Join(buttons, ";")
}

func TestTheMenuIsKeptAsItIsDeclared(t *testing.T) {
	sim, app, c := account(t)
	channel := declared(key("开发票", "INVOICE"), v1alpha1.MenuButton{Name: "服务", Items: []v1alpha1.MenuItem{
		{Name: "帮助", MenuAction: v1alpha1.MenuAction{URL: "https://lumi.example/help?a=1&b=2"}},
		{Name: "商城", MenuAction: v1alpha1.MenuAction{MiniProgram: &v1alpha1.MenuMiniProgram{AppID: "wx0123456789abcdef", PagePath: "pages/index", URL: "https://lumi.example"}}},
	}})
	var ours string
	keep := func(channel *v1alpha1.Channel) connectors.Menu {
		t.Helper()
		menu, err := c.KeepMenu(t.Context(), channel, ours)
		if err != nil {
			t.Fatal(err)
		}
		ours = menu.Published
		return menu
	}
	calls := func(op string) int { return menuCalls(t, sim, app, op) }
	shown := func() string { return menuOf(t, sim, app) }
	keep(channel)
	if diff := cmp.Diff("click 开发票 INVOICE;服务[view 帮助 https://lumi.example/help?a=1&b=2,miniprogram 商城 https://lumi.example wx0123456789abcdef pages/index]", shown()); diff != "" {
		t.Errorf("shown (-want +got):\n%s", diff)
	}
	for range 3 {
		keep(channel)
	}
	if got := calls("menu_create"); got != 1 {
		t.Errorf("published %d times, want once: nothing has changed", got)
	}
	// Somebody else changes it by hand.
	if _, err := sim.PutMenu(app.AppID, wechatsim.Menu{Button: []wechatsim.Button{{Type: "click", Name: "别人的", Key: "X"}}}); err != nil {
		t.Fatal(err)
	}
	keep(channel)
	if got := shown(); !strings.HasPrefix(got, "click 开发票") {
		t.Errorf("after a drift it shows %q", got)
	}
	// Declared no more.
	if menu := keep(declared()); menu.Published != "" || shown() != "" {
		t.Errorf("%+v is left, shown %q", menu, shown())
	}
}

func TestAMenuThatIsNotOursStays(t *testing.T) {
	sim, app, c := account(t)
	theirs := wechatsim.Menu{Button: []wechatsim.Button{{Type: "click", Name: "别人的", Key: "X"}}}
	if _, err := sim.PutMenu(app.AppID, theirs); err != nil {
		t.Fatal(err)
	}
	if _, err := c.KeepMenu(t.Context(), declared(), ""); err != nil || menuCalls(t, sim, app, "menu_get") != 0 {
		t.Errorf("without a menu of ours the platform is asked %d times, err %v", menuCalls(t, sim, app, "menu_get"), err)
	}
	menu, err := c.KeepMenu(t.Context(), declared(key("开发票", "INVOICE")), "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := sim.PutMenu(app.AppID, theirs); err != nil {
		t.Fatal(err)
	}
	deleted := declared(key("开发票", "INVOICE"))
	deleted.DeletionTimestamp = &metav1.Time{Time: time.Unix(1, 0)}
	if _, err := c.KeepMenu(t.Context(), deleted, menu.Published); err != nil || menuOf(t, sim, app) != "click 别人的 X" {
		t.Errorf("deleting the Channel left %q, err %v", menuOf(t, sim, app), err)
	}
}

func TestConditionalMenusAreToldOfAndNeverDeleted(t *testing.T) {
	sim, app, c := account(t)
	channel := declared(key("开发票", "INVOICE"))
	menu, err := c.KeepMenu(t.Context(), channel, "")
	if err != nil {
		t.Fatal(err)
	}
	_, err = sim.AddConditionalMenu(app.AppID, wechatsim.Menu{
		Button: []wechatsim.Button{{Type: "click", Name: "会员", Key: "VIP"}}, MatchRule: map[string]any{"tag_id": "2"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if menu, err = c.KeepMenu(t.Context(), channel, menu.Published); err != nil || menu.Others != 1 {
		t.Errorf("%+v, err %v; want one other menu", menu, err)
	}
	left, err := c.KeepMenu(t.Context(), declared(), menu.Published)
	if err != nil || menuCalls(t, sim, app, "menu_delete") != 0 {
		t.Errorf("deleted %d times, err %v: the others would go too", menuCalls(t, sim, app, "menu_delete"), err)
	}
	if left != menu {
		t.Errorf("%+v is left, want %+v: it is still ours", left, menu)
	}
	// Once the others are gone, so is ours.
	if _, err := sim.DeleteMenu(app.AppID); err != nil {
		t.Fatal(err)
	}
	if _, err := c.KeepMenu(t.Context(), channel, left.Published); err != nil {
		t.Fatal(err)
	}
	if left, err = c.KeepMenu(t.Context(), declared(), left.Published); err != nil || left.Published != "" || menuOf(t, sim, app) != "" {
		t.Errorf("%+v is left, shown %q, err %v", left, menuOf(t, sim, app), err)
	}
}

func TestAnAccountWithoutTheRightToAMenuSaysSo(t *testing.T) {
	sim, app, c := account(t)
	app.Denied = []wechatsim.Permission{"menu"}
	if err := sim.PutApp(app); err != nil {
		t.Fatal(err)
	}
	_, err := c.KeepMenu(t.Context(), declared(key("开发票", "INVOICE")), "")
	if failure := connectors.AsCallError(err); failure.Reason != connectors.ReasonNotAuthorized || failure.Code != 48001 {
		t.Errorf("err %v", err)
	}
}
