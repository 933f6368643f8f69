package wechatsim

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestLimitsOfMenus(t *testing.T) {
	_, base, token := openAccount(t, newFakeClock(), nil)
	click := func(name, key string) string { return `{"type":"click","name":"` + name + `","key":"` + key + `"}` }
	parent := func(subs ...string) string { return `{"name":"更多","sub_button":[` + strings.Join(subs, ",") + `]}` }
	one := click("a", "K")
	long := strings.Repeat("x", 1025)
	for name, c := range map[string]struct {
		buttons []string
		want    int
	}{
		"three buttons":                    {[]string{one, one, parent(one, one, one, one, one)}, 0},
		"no button":                        {nil, 40016},
		"four buttons":                     {[]string{one, one, one, one}, 40016},
		"six below one":                    {[]string{parent(one, one, one, one, one, one)}, 40023},
		"a third level":                    {[]string{parent(parent(one))}, 40022},
		"a name of 16 bytes":               {[]string{click(strings.Repeat("x", 16), "K")}, 0},
		"a name of 18 bytes":               {[]string{click("联系人工客服", "K")}, 40018},
		"no name":                          {[]string{click("", "K")}, 40018},
		"a name of 60 bytes below":         {[]string{parent(click(strings.Repeat("客", 20), "K"))}, 0},
		"a name of 63 bytes below":         {[]string{parent(click(strings.Repeat("客", 21), "K"))}, 40025},
		"no key":                           {[]string{click("a", "")}, 40019},
		"a key of 129 bytes":               {[]string{click("a", strings.Repeat("x", 129))}, 40019},
		"a key of 129 bytes below":         {[]string{parent(click("a", strings.Repeat("x", 129)))}, 40026},
		"a link":                           {[]string{`{"type":"view","name":"a","url":"https://example.com"}`}, 0},
		"a link that is none":              {[]string{`{"type":"view","name":"a","url":"example"}`}, 40020},
		"a link that is too long below":    {[]string{parent(`{"type":"view","name":"a","url":"https://` + long + `"}`)}, 40027},
		"a mini-program without its page":  {[]string{`{"type":"miniprogram","name":"a","url":"https://example.com","appid":"wx1"}`}, 40119},
		"an article without its id below":  {[]string{parent(`{"type":"article_id","name":"a"}`)}, 40120},
		"an unknown type":                  {[]string{`{"type":"dance","name":"a"}`}, 40017},
		"an unknown type below":            {[]string{parent(`{"type":"dance","name":"a"}`)}, 40024},
		"a parent with a type":             {[]string{`{"type":"click","name":"a","key":"K","sub_button":[` + one + `]}`}, 40017},
		"Chinese that was escaped":         {[]string{click(`\u5ba2`, "K")}, 40033},
		"an empty list of buttons below":   {[]string{`{"type":"click","name":"a","key":"K","sub_button":[]}`}, 0},
		"every type that only needs a key": {[]string{`{"type":"location_select","name":"a","key":"K"}`}, 0},
	} {
		if got := post(t, base+"/cgi-bin/menu/create?access_token="+token, `{"button":[`+strings.Join(c.buttons, ",")+`]}`); got != c.want {
			t.Errorf("%s: code %d, want %d", name, got, c.want)
		}
	}
}

func TestTheLifeOfAMenu(t *testing.T) {
	sim, base, token := openAccount(t, newFakeClock(), nil)
	get := func(path string) string {
		_, answer := do(t, http.MethodGet, base+path+"?access_token="+token, nil)
		delete(answer, "errmsg")
		text, err := json.Marshal(answer)
		if err != nil {
			t.Fatalf("encoding: %v", err)
		}
		return string(text)
	}
	publish := func(path, body string) int { return post(t, base+"/cgi-bin/menu/"+path+"?access_token="+token, body) }
	const mine = `{"button":[{"type":"click","name":"客服","key":"KF"},{"name":"更多","sub_button":[{"type":"view","name":"商城","url":"https://example.com"}]}]}`
	const rule = `{"button":[{"type":"click","name":"VIP","key":"V"}],"matchrule":{"tag_id":"2"}}`
	steps := []struct {
		name, got, want string
	}{
		{"at first there is none", get("/cgi-bin/menu/get"), `{"errcode":46003}`},
		{"nor does one show", get("/cgi-bin/get_current_selfmenu_info"), `{"is_menu_open":0}`},
		{"a conditional one needs another", numberText(int64(publish("addconditional", rule))), "65303"},
		{"publishing", numberText(int64(publish("create", mine))), "0"},
		{
			"every button gets a list", get("/cgi-bin/menu/get"),
			`{"menu":{"button":[{"key":"KF","name":"客服","sub_button":[],"type":"click"},{"name":"更多","sub_button":[{"name":"商城","sub_button":[],"type":"view","url":"https://example.com"}]}]}}`,
		},
		{
			"the other call wraps it", get("/cgi-bin/get_current_selfmenu_info"),
			`{"is_menu_open":1,"selfmenu_info":{"button":[{"key":"KF","name":"客服","type":"click"},{"name":"更多","sub_button":{"list":[{"name":"商城","type":"view","url":"https://example.com"}]}}]}}`,
		},
		{"a rule is needed", numberText(int64(publish("addconditional", mine))), "65304"},
		{"a conditional one", numberText(int64(publish("addconditional", rule))), "0"},
	}
	for _, step := range steps {
		if diff := cmp.Diff(step.want, step.got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", step.name, diff)
		}
	}
	menus, err := sim.Menus(testApp)
	if err != nil || len(menus.Conditional) != 1 || menus.Menu.MenuID == 0 {
		t.Fatalf("menus %+v, error %v", menus, err)
	}
	if got := publish("delconditional", `{"menuid":"`+numberText(menus.Conditional[0].MenuID)+`"}`); got != 0 {
		t.Errorf("removing the conditional one: %d", got)
	}
	if got := publish("delconditional", `{"menuid":"1"}`); got != 65301 {
		t.Errorf("removing an unknown one: %d", got)
	}
	if got := get("/cgi-bin/menu/delete"); got != `{"errcode":0}` {
		t.Errorf("deleting: %s", got)
	}
	if menus, err := sim.Menus(testApp); err != nil || menus.Menu != nil {
		t.Errorf("after deleting %+v, error %v", menus, err)
	}
}

func TestSomebodyElseChangesTheMenu(t *testing.T) {
	_, server := newSim(t, Options{}, "", officialAccount)
	menu := server.URL + "/sim/v1/apps/" + testApp + "/menu"
	status, answer := do(t, http.MethodPut, menu, `{"button":[{"type":"click","name":"别人的","key":"X"}]}`)
	if status != http.StatusOK {
		t.Fatalf("status %d: %v", status, answer)
	}
	do(t, http.MethodPost, menu+"/conditional", `{"button":[{"type":"click","name":"VIP","key":"V"}],"matchrule":{"tag_id":"2"}}`)
	_, answer = do(t, http.MethodGet, menu, nil)
	if len(answer["conditionalmenu"].([]any)) != 1 {
		t.Errorf("menus %v", answer)
	}
	if status, answer = do(t, http.MethodPut, menu, `{"button":[]}`); status != http.StatusBadRequest {
		t.Errorf("an empty menu: status %d, %v", status, answer)
	}
	do(t, http.MethodDelete, menu, nil)
	if _, answer = do(t, http.MethodGet, menu, nil); len(answer) != 0 {
		t.Errorf("after deleting %v", answer)
	}
}
