package channel

import (
	"slices"
	"strconv"
	"strings"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/conditions"
	"github.com/yingda-dev/yingda/internal/configz"
	"github.com/yingda-dev/yingda/internal/domain/bot"
)

// What follows is what waits for a person at the platform's console. Each finding that is False says what to click there: the
// names of menus change now and then, these are those of docs/onboarding.md.

// console is where things are in the console of a Channel's account.
type console struct{ push, secret, whitelist, permissions, certify string }

func consoleOf(channel *v1alpha1.Channel) console {
	if channel.Spec.Type == v1alpha1.ChannelTypeOfficialAccount {
		return console{
			push: "设置与开发 → 开发接口管理 → 基本配置 → 服务器配置 → 修改配置", secret: "设置与开发 → 开发接口管理 → 基本配置 → 开发者密码(AppSecret)",
			whitelist: "设置与开发 → 开发接口管理 → 基本配置 → IP白名单", permissions: "设置与开发 → 接口权限", certify: "设置与开发 → 公众号设置 → 认证",
		}
	}
	return console{
		push: "开发 → 开发管理 → 消息推送 → 启用", secret: "开发 → 开发管理 → 开发设置 → AppSecret(小程序密钥)",
		whitelist: "开发 → 开发管理 → 开发设置 → IP白名单", permissions: "开发 → 开发管理 → 接口设置", certify: "设置 → 基本设置 → 认证",
	}
}

// credentialsAdvice is what to do about credentials that the platform refuses, "" where it depends.
func credentialsAdvice(channel *v1alpha1.Channel, reason string) string {
	c := consoleOf(channel)
	switch reason {
	case "InvalidAppSecret", "AppSecretFrozen":
		return "reset it in the console (" + c.secret + ") and put the new one into the Secret"
	case "InvalidAppID":
		return "compare spec's appID with the console's (" + c.secret + ")"
	case "AddressNotAllowed", "AddressNotConfirmed":
		return "add the addresses from which the cluster reaches the internet in the console (" + c.whitelist + ")"
	case "APIBlocked", "InvalidAccountType":
		return "see in the console's 通知中心 why the platform restricts the account"
	default:
		return ""
	}
}

// asked says whether a replica's credentials were accepted, so that it has made calls.
func asked(reports []configz.Channel) bool {
	return slices.ContainsFunc(reports, func(r configz.Channel) bool { return r.Credentials == configz.CredentialsAccepted })
}

// calls are those that any replica tells of, sorted.
func calls(reports []configz.Channel, of func(configz.Channel) []string) []string {
	var all []string
	for _, report := range reports {
		all = append(all, of(report)...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func denied(reports []configz.Channel) []string {
	return calls(reports, func(r configz.Channel) []string { return r.Denied })
}

// rights are the console's names of what calls need.
func rights(calls []string) string {
	names := make([]string, len(calls))
	for i, call := range calls {
		switch call {
		case "send":
			names[i] = "客服消息"
		case "menu":
			names[i] = "自定义菜单"
		case "user":
			names[i] = "获取用户基本信息"
		case "media":
			names[i] = "素材管理"
		case "template":
			names[i] = "模板消息"
		default:
			names[i] = call
		}
	}
	return strings.Join(names, "、")
}

// triedAgain says when calls that are refused are made again: there is nothing to do once the right is there.
func triedAgain(calls []string) string {
	if slices.Contains(calls, "send") {
		return "A message is tried every 5 minutes at the latest"
	}
	return "It is tried again within 10 minutes, or when it is needed next"
}

func judgePermission(seen *scene) conditions.Condition {
	const condition = v1alpha1.ConditionPermissionGranted
	reports := channelReports(seen)
	if missing := denied(reports); len(missing) > 0 {
		c := consoleOf(seen.channel)
		return conditions.False(condition, v1alpha1.ReasonNotAuthorized, "The platform does not let the account use "+rights(missing)+
			" (code 48001): see in the console ("+c.permissions+") what it lacks; most of it takes an account that is certified ("+c.certify+"). "+triedAgain(missing))
	}
	if !asked(reports) {
		return conditions.Unknown(condition, v1alpha1.ReasonNotYetTried, "No connector has used the account yet")
	}
	return conditions.True(condition, v1alpha1.ReasonGranted, "The platform has refused no call for want of a permission")
}

func judgeQuota(seen *scene) conditions.Condition {
	const condition = v1alpha1.ConditionQuotaHealthy
	reports := channelReports(seen)
	if limited := calls(reports, func(r configz.Channel) []string { return r.Limited }); len(limited) > 0 {
		return conditions.False(condition, v1alpha1.ReasonQuotaReached, "The account has used "+rights(limited)+
			" as often as it may today (code 45009); what waits goes on after midnight in Beijing, or at once when the counters are cleared in the console ("+
			consoleOf(seen.channel).permissions+"), ten times a month")
	}
	if !asked(reports) {
		return conditions.Unknown(condition, v1alpha1.ReasonNotYetTried, "No connector has used the account yet")
	}
	return conditions.True(condition, v1alpha1.ReasonWithinQuota, "No call has reached the account's quota")
}

// menuReport is what was said last of the Channel's menu: the replicas read it where all of them write it.
func menuReport(seen *scene) *configz.Menu {
	var last *configz.Menu
	for _, answer := range seen.pool {
		menu := answer.Report.Channels[seen.channel.Name].Menu
		if answer.Err == nil && menu != nil && (last == nil || menu.Generation > last.Generation) {
			last = menu
		}
	}
	return last
}

func declaresMenu(channel *v1alpha1.Channel) bool {
	return channel.Spec.OfficialAccount != nil && channel.Spec.OfficialAccount.Menu != nil
}

// menuStays says whether a menu that is declared no more is left, for others would go with it.
func menuStays(seen *scene) bool {
	menu := menuReport(seen)
	return menu != nil && menu.Ours && menu.Others > 0 && menu.Generation >= seen.channel.Generation
}

// judgeMenu is nil for a Channel without a menu.
func judgeMenu(seen *scene) *conditions.Condition {
	const condition = v1alpha1.ConditionMenuPublished
	menu := menuReport(seen)
	switch {
	case declaresMenu(seen.channel):
	case menuStays(seen):
		return new(conditions.False(condition, v1alpha1.ReasonOtherMenus, "The menu is declared no more and still shown: the account has other menus for some of its customers "+
			"(个性化菜单), which would be deleted with it: "+strconv.Itoa(menu.Others)+". Delete them where they were made (API menu/delconditional); it goes within 10 minutes"))
	default:
		return nil
	}
	if menu == nil || menu.Generation < seen.channel.Generation {
		return new(conditions.Unknown(condition, v1alpha1.ReasonNotYetTried, "No connector has looked after the menu of this generation yet"))
	}
	code := " (code " + strconv.Itoa(menu.Code) + ")"
	switch {
	case menu.State == configz.MenuPublished && menu.Others > 0:
		return new(conditions.False(condition, v1alpha1.ReasonOtherMenus, "The declared menu is published, but the account has other menus for some of its customers (个性化菜单), "+
			"who see those instead: "+strconv.Itoa(menu.Others)+". Delete them where they were made (API menu/delconditional); the console does not show them"))
	case menu.State == configz.MenuPublished:
		return new(conditions.True(condition, v1alpha1.ReasonPublished, "The account shows the declared menu"))
	case menu.Code == notAuthorized:
		c := consoleOf(seen.channel)
		return new(conditions.False(condition, v1alpha1.ReasonNotAuthorized, "The account may have no menu by API"+code+": see 自定义菜单 in the console ("+c.permissions+
			"); it takes an account that is certified ("+c.certify+"). It is tried again within 10 minutes"))
	case menu.Code == 0:
		return new(conditions.False(condition, v1alpha1.ReasonNotPublished, "The menu could not be published yet: "+menu.State+"; it is tried again within 10 minutes"))
	default:
		return new(conditions.False(condition, v1alpha1.ReasonNotPublished, "The platform answers "+menu.State+code+
			" to the menu; it is tried again within 10 minutes. A mini-program in it must be linked to the account in the console (设置与开发 → 小程序管理 → 关联小程序)"))
	}
}

// judgeTaps is nil for a Channel whose menu asks the bot for nothing.
func judgeTaps(seen *scene) *conditions.Condition {
	const condition = v1alpha1.ConditionMenuAnswered
	if !asksBot(seen.channel) {
		return nil
	}
	var spec v1alpha1.PlaybookSpec
	of := "There is no Playbook"
	if seen.playbook != nil {
		spec, of = seen.playbook.Spec, "Playbook "+seen.playbook.Name+" has no rule"
	}
	if keys := bot.Unanswered(spec, seen.channel.Spec.OfficialAccount.Menu); len(keys) > 0 {
		return new(conditions.False(condition, v1alpha1.ReasonUnknownKeys, of+" for these keys of the menu: "+strings.Join(keys, ", ")+
			". Who taps them hears nothing: add rules with match.menuKeys"))
	}
	return new(conditions.True(condition, v1alpha1.ReasonAnswered, "The Playbook has rules for all keys of the menu"))
}

// notAuthorized is WeChat's code for a call that the account may not make.
const notAuthorized = 48001

// menuStatus is the menu that the account shows; nil while nobody knows of one that is declared.
func menuStatus(seen *scene) *v1alpha1.MenuStatus {
	menu := menuReport(seen)
	before := seen.channel.Status.Menu
	switch {
	case menu == nil && declaresMenu(seen.channel):
		return before
	case menu == nil, menu.State == configz.MenuAbsent, !declaresMenu(seen.channel):
		return nil
	case menu.State != configz.MenuPublished:
		return before
	}
	return &v1alpha1.MenuStatus{Generation: menu.Generation}
}

// menuWaits says whether a connector that could has not looked after the menu of this generation.
func menuWaits(seen *scene) bool {
	menu := menuReport(seen)
	return declaresMenu(seen.channel) && asked(channelReports(seen)) && (menu == nil || menu.Generation < seen.channel.Generation)
}
