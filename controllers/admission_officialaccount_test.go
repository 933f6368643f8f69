package controllers_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/yingda-dev/yingda/api/v1alpha1"
)

func TestAdmissionOfOfficialAccounts(t *testing.T) { newAdmission(t).tries(officialAccountAttempts()) }

func officialAccountAttempts() map[string]attempt {
	return map[string]attempt{
		"an official account":                      {officialAccount(func(*v1alpha1.OfficialAccountSpec) {}), ""},
		"an official account's appID that is none": {officialAccount(func(s *v1alpha1.OfficialAccountSpec) { s.AppID = "gh_0123456789ab" }), "appID is wx and 16 hexadecimal digits"},
		"an account of before":                     {officialAccount(func(s *v1alpha1.OfficialAccountSpec) { s.MessagesPerContact = 20 }), ""},
		"an account with more messages than any":   {officialAccount(func(s *v1alpha1.OfficialAccountSpec) { s.MessagesPerContact = 21 }), "should be less than or equal to 20"},
		"a menu with everything": {menu(
			v1alpha1.MenuButton{Name: "今日", MenuAction: tapped("today")}, v1alpha1.MenuButton{Name: "商城", MenuAction: shopPage()},
			v1alpha1.MenuButton{Name: "服务", Items: []v1alpha1.MenuItem{{Name: "官网", MenuAction: opened("https://lumi.example/?a=b")}, {Name: "会员", MenuAction: shopPage()}, {Name: "人工", MenuAction: tapped("human")}}},
		), ""},
		"a menu without buttons":                    {menu(), "spec.officialAccount.menu.buttons"},
		"a menu of four buttons":                    {menu(buttons(4)...), "must have at most 3 items"},
		"a button that does nothing":                {menu(v1alpha1.MenuButton{Name: "空"}), "set exactly one of key, url, miniProgram and items"},
		"a button that does two things":             {menu(v1alpha1.MenuButton{Name: "多", MenuAction: v1alpha1.MenuAction{Key: "a", URL: "https://lumi.example"}}), "set exactly one of key, url, miniProgram and items"},
		"a button that does and opens":              {menu(v1alpha1.MenuButton{Name: "多", MenuAction: tapped("a"), Items: items(1)}), "set exactly one of key, url, miniProgram and items"},
		"a button with five items":                  {menu(v1alpha1.MenuButton{Name: "多", Items: items(5)}), ""},
		"a button with six items":                   {menu(v1alpha1.MenuButton{Name: "多", Items: items(6)}), "must have at most 5 items"},
		"an item that does nothing":                 {menu(v1alpha1.MenuButton{Name: "多", Items: []v1alpha1.MenuItem{{Name: "空"}}}), "set exactly one of key, url and miniProgram"},
		"a button's longest name":                   {menu(v1alpha1.MenuButton{Name: "一二三四五6", MenuAction: tapped("a")}), ""},
		"a button's name of six characters":         {menu(v1alpha1.MenuButton{Name: "一二三四五六", MenuAction: tapped("a")}), "name a button of the menu's first level with at most 16 bytes"},
		"an item's longest name":                    {menu(v1alpha1.MenuButton{Name: "多", Items: []v1alpha1.MenuItem{{Name: strings.Repeat("一", 20), MenuAction: tapped("a")}}}), ""},
		"an item's name that is longer":             {menu(v1alpha1.MenuButton{Name: "多", Items: []v1alpha1.MenuItem{{Name: strings.Repeat("一", 21), MenuAction: tapped("a")}}}), "name an item of the menu with at most 60 bytes"},
		"a menu key of 128 bytes":                   {menu(v1alpha1.MenuButton{Name: "键", MenuAction: tapped(strings.Repeat("k", 128))}), ""},
		"a menu key of more bytes":                  {menu(v1alpha1.MenuButton{Name: "键", MenuAction: tapped(strings.Repeat("键", 43))}), "write a menu key of at most 128 bytes"},
		"a menu that opens no address":              {menu(v1alpha1.MenuButton{Name: "网", MenuAction: opened("lumi.example")}), "write url as an address with http:// or https://"},
		"a menu that opens too long an address":     {menu(v1alpha1.MenuButton{Name: "网", MenuAction: opened("https://lumi.example/" + strings.Repeat("页", 400))}), "at most 1024 bytes"},
		"a mini-program in the menu that is none":   {menu(v1alpha1.MenuButton{Name: "小", MenuAction: v1alpha1.MenuAction{MiniProgram: &v1alpha1.MenuMiniProgram{AppID: "shop", PagePath: "a", URL: "https://a.b"}}}), "appID is wx and 16 hexadecimal digits"},
		"an item with a key of more bytes":          {item(tapped(strings.Repeat("键", 43))), "write a menu key of at most 128 bytes"},
		"an item that opens no address":             {item(opened("lumi.example")), "write url as an address with http:// or https://"},
		"a mini-program in an item that is none":    {item(pageOf("shop", "https://lumi.example")), "appID is wx and 16 hexadecimal digits"},
		"a mini-program's page for old versions":    {menu(v1alpha1.MenuButton{Name: "小", MenuAction: pageOf("wx0123456789abcdef", "http://lumi.example")}), ""},
		"one that is no address":                    {menu(v1alpha1.MenuButton{Name: "小", MenuAction: pageOf("wx0123456789abcdef", "lumi.example")}), "write url as an address with http:// or https://"},
		"one that is no address, in an item":        {item(pageOf("wx0123456789abcdef", "lumi.example")), "write url as an address with http:// or https://"},
		"an account that is called elsewhere":       {officialAccount(func(s *v1alpha1.OfficialAccountSpec) { s.APIBaseURL = "http://10.97.0.1:8090" }), ""},
		"an account that is called at a path":       {officialAccount(func(s *v1alpha1.OfficialAccountSpec) { s.APIBaseURL = "https://a.example/b" }), "write apiBaseURL as scheme and host"},
		"an account that encrypts as none does":     {officialAccount(func(s *v1alpha1.OfficialAccountSpec) { s.MessageMode = "Open" }), "Unsupported value"},
		"one button twice":                          {menu(append(buttons(1), buttons(1)...)...), "Duplicate value"},
		"notices":                                   {notices(func(n *v1alpha1.NoticeTemplate) { n.URL = "https://lumi.example/cases" }), ""},
		"notices that open a mini-program":          {notices(func(n *v1alpha1.NoticeTemplate) { n.MiniProgram = casePage() }), ""},
		"notices that open two pages":               {notices(func(n *v1alpha1.NoticeTemplate) { n.URL, n.MiniProgram = "https://lumi.example", casePage() }), "set url or miniProgram, not both"},
		"notices that open no address":              {notices(func(n *v1alpha1.NoticeTemplate) { n.URL = "lumi.example" }), "write url as an address with http:// or https://"},
		"notices that open what is no mini-program": {notices(func(n *v1alpha1.NoticeTemplate) { n.MiniProgram = &v1alpha1.NoticePage{AppID: "shop", PagePath: "a"} }), "appID is wx and 16 hexadecimal digits"},
		"notices of a name in Chinese":              {notices(func(n *v1alpha1.NoticeTemplate) { n.Name = "售后" }), "name notices by a small letter, then letters and digits"},
		"a template with a blank":                   {notices(func(n *v1alpha1.NoticeTemplate) { n.TemplateID = "TM 1" }), "copy templateID from the console"},
		"a key as it stands in the template":        {notices(func(n *v1alpha1.NoticeTemplate) { n.Values[0].Key = "character_string12" }), ""},
		"a key with its end":                        {notices(func(n *v1alpha1.NoticeTemplate) { n.Values[0].Key = "thing1.DATA" }), "write the key as it stands in the template, without .DATA"},
		"a value that notices do not tell":          {notices(func(n *v1alpha1.NoticeTemplate) { n.Values[0].From = "price" }), "Unsupported value"},
		"a template without values":                 {notices(func(n *v1alpha1.NoticeTemplate) { n.Values = nil }), "spec.officialAccount.notices[0].values"},
		"one place twice":                           {notices(func(n *v1alpha1.NoticeTemplate) { n.Values = append(n.Values, n.Values[0]) }), "Duplicate value"},
	}
}

func accountSpec() *v1alpha1.OfficialAccountSpec {
	return &v1alpha1.OfficialAccountSpec{WeChatAccount: v1alpha1.WeChatAccount{
		AppID: uniqueAppID(), CredentialsSecretRef: v1alpha1.CredentialsReference{Name: "service-wechat"},
	}}
}

func officialAccount(edit func(*v1alpha1.OfficialAccountSpec)) *v1alpha1.Channel {
	return channelWith(func(s *v1alpha1.ChannelSpec) {
		s.Type, s.MiniProgram, s.OfficialAccount = v1alpha1.ChannelTypeOfficialAccount, nil, accountSpec()
		edit(s.OfficialAccount)
	})
}

func officialAccountNamed(name string) *v1alpha1.Channel {
	c := officialAccount(func(*v1alpha1.OfficialAccountSpec) {})
	c.Name = name
	return c
}

func menu(buttons ...v1alpha1.MenuButton) *v1alpha1.Channel {
	return officialAccount(func(s *v1alpha1.OfficialAccountSpec) { s.Menu = &v1alpha1.Menu{Buttons: buttons} })
}

func buttons(n int) []v1alpha1.MenuButton {
	var all []v1alpha1.MenuButton
	for i := range n {
		all = append(all, v1alpha1.MenuButton{Name: fmt.Sprint("按钮", i), MenuAction: tapped("a")})
	}
	return all
}

func items(n int) []v1alpha1.MenuItem {
	var all []v1alpha1.MenuItem
	for i := range n {
		all = append(all, v1alpha1.MenuItem{Name: fmt.Sprint("选项", i), MenuAction: tapped("a")})
	}
	return all
}

// item is a menu with one item of a list, which does that.
func item(action v1alpha1.MenuAction) *v1alpha1.Channel {
	return menu(v1alpha1.MenuButton{Name: "多", Items: []v1alpha1.MenuItem{{Name: "一", MenuAction: action}}})
}

func tapped(key string) v1alpha1.MenuAction { return v1alpha1.MenuAction{Key: key} }

func opened(url string) v1alpha1.MenuAction { return v1alpha1.MenuAction{URL: url} }

func shopPage() v1alpha1.MenuAction { return pageOf("wx0123456789abcdef", "https://lumi.example/shop") }

// pageOf opens a page of a mini-program, and another one where WeChat is old.
func pageOf(appID, url string) v1alpha1.MenuAction {
	return v1alpha1.MenuAction{MiniProgram: &v1alpha1.MenuMiniProgram{AppID: appID, PagePath: "pages/shop/index?from=menu", URL: url}}
}

func notices(edit func(*v1alpha1.NoticeTemplate)) *v1alpha1.Channel {
	template := v1alpha1.NoticeTemplate{Name: "afterSales", TemplateID: "TM-1_a", Values: []v1alpha1.NoticeValue{{Key: "thing1", From: v1alpha1.NoticeState}}}
	edit(&template)
	return officialAccount(func(s *v1alpha1.OfficialAccountSpec) { s.Notices = []v1alpha1.NoticeTemplate{template} })
}

func casePage() *v1alpha1.NoticePage {
	return &v1alpha1.NoticePage{AppID: "wx0123456789abcdef", PagePath: "pages/case/list"}
}
