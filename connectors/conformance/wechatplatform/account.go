package wechatplatform

import (
	"time"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/connectors/conformance"
	"github.com/yingda-dev/yingda/hack/wechatsim"
	"github.com/yingda-dev/yingda/internal/message"
)

// Account is an account of the simulator's. It is not safe to change its settings while others use it.
type Account struct {
	// App is what the platform's console shows. Put makes the platform take changes.
	App wechatsim.App

	p    *Platform
	name string
	// nextKey is announced and not yet in force.
	nextKey string
}

var (
	_ conformance.Account  = (*Account)(nil)
	_ conformance.Repeater = (*Account)(nil)
	_ conformance.Unusual  = (*Account)(nil)
	_ conformance.Exposed  = (*Account)(nil)
	_ conformance.Failing  = (*Account)(nil)
	_ conformance.Noticing = (*Account)(nil)
	_ conformance.Rotator  = (*Account)(nil)
	_ conformance.Revoker  = (*Account)(nil)
)

// Put tells the platform of the account's settings.
func (a *Account) Put() {
	a.p.t.Helper()
	a.must(a.p.Sim.PutApp(a.App))
}

func (a *Account) must(err error) {
	a.p.t.Helper()
	if err != nil {
		a.p.t.Fatal(err)
	}
}

// Spec is that of the account's Channel.
func (a *Account) Spec() v1alpha1.ChannelSpec {
	account := v1alpha1.WeChatAccount{
		AppID: a.App.AppID, CredentialsSecretRef: v1alpha1.CredentialsReference{Name: a.name + "-wechat"},
		MessageMode: modes()[a.App.Mode], APIBaseURL: a.p.URL,
	}
	if a.App.Kind == wechatsim.KindOfficialAccount {
		return v1alpha1.ChannelSpec{Type: v1alpha1.ChannelTypeOfficialAccount, OfficialAccount: &v1alpha1.OfficialAccountSpec{
			WeChatAccount: account, Notices: []v1alpha1.NoticeTemplate{noticeTemplate()},
		}}
	}
	return v1alpha1.ChannelSpec{Type: v1alpha1.ChannelTypeMiniProgram, MiniProgram: &v1alpha1.MiniProgramSpec{WeChatAccount: account}}
}

// Secret is what the Channel's Secret should hold.
func (a *Account) Secret() map[string][]byte {
	secret := map[string][]byte{
		"appSecret": []byte(a.App.AppSecret), "token": []byte(a.App.Token), "encodingAESKey": []byte(a.App.EncodingAESKey + "\n"),
	}
	if a.nextKey != "" {
		secret["encodingAESKey"], secret["previousEncodingAESKey"] = []byte(a.nextKey), []byte(a.App.EncodingAESKey)
	}
	return secret
}

// CallAt makes the platform push there.
func (a *Account) CallAt(url string) {
	a.p.t.Helper()
	a.App.CallbackURL = url
	a.Put()
}

// Write lets a customer write a text.
func (a *Account) Write(customer, text string) conformance.Written {
	a.p.t.Helper()
	return written(a.Push(customer, wechatsim.Message{Content: text}))
}

// WriteUnknown does something of a type that no version of the connector knows.
func (a *Account) WriteUnknown(customer, words string) conformance.Written {
	a.p.t.Helper()
	return written(a.Push(customer, wechatsim.Message{Type: wechatsim.TypeRaw, MsgType: "hologram", Fields: map[string]any{"Words": words}}))
}

// Push lets a customer do something.
func (a *Account) Push(customer string, m wechatsim.Message) wechatsim.Push {
	a.p.t.Helper()
	push, err := a.p.Sim.Write(a.p.t.Context(), a.App.AppID, customer, m)
	a.must(err)
	return push
}

func written(push wechatsim.Push) conformance.Written {
	w := conformance.Written{MessageID: push.ID, Taken: push.State == wechatsim.PushDelivered, Tries: len(push.Attempts)}
	if w.Tries > 0 {
		w.Took = time.Duration(push.Attempts[w.Tries-1].LatencyMS * float64(time.Millisecond))
	}
	return w
}

// Repeat pushes the same again.
func (a *Account) Repeat(written conformance.Written, url string) bool {
	a.p.t.Helper()
	attempts, err := a.p.Sim.RepeatPush(a.p.t.Context(), a.App.AppID, written.MessageID, wechatsim.Repeat{CallbackURL: url})
	a.must(err)
	return attempts[0].Outcome == wechatsim.OutcomeSuccess
}

// Received are the texts on the customer's phone.
func (a *Account) Received(customer string) []string {
	a.p.t.Helper()
	entries, err := a.p.Sim.Received(a.p.t.Context(), a.App.AppID, customer, 0, 0)
	a.must(err)
	texts := []string{}
	for _, e := range entries {
		texts = append(texts, e.Text)
	}
	return texts
}

// Sends counts the calls of custom/send.
func (a *Account) Sends() int { return a.Calls("send") }

// Calls counts the calls of one of the platform's APIs.
func (a *Account) Calls(api string) int { return a.Stats().Calls[api] }

// Stats are the platform's counts.
func (a *Account) Stats() wechatsim.Stats {
	_, byApp := a.p.Sim.Stats()
	return byApp[a.App.AppID]
}

// Fault scripts what the platform does next.
func (a *Account) Fault(f wechatsim.Fault) {
	a.p.t.Helper()
	a.must(a.p.Sim.AddFault(a.App.AppID, f))
}

// late is how long an answer that is late takes.
const late = wechatsim.Duration(2 * time.Second)

// FailNext scripts the next message to the customer.
func (a *Account) FailNext(customer string, how conformance.Failure) {
	a.p.t.Helper()
	fault := map[conformance.Failure]wechatsim.Fault{
		conformance.Busy:         {ErrCode: -1},
		conformance.AnswerLost:   {When: wechatsim.FaultAfter, Drop: true},
		conformance.AnswerLate:   {When: wechatsim.FaultAfter, Delay: late},
		conformance.WindowClosed: {ErrCode: 45015},
		conformance.QuotaSpent:   {ErrCode: 45047},
	}[how]
	fault.OpenID = customer
	a.Fault(fault)
}

// template is what the console shows of the account's template.
const template = "{{character_string1.DATA}}: {{phrase2.DATA}}"

func noticeTemplate() v1alpha1.NoticeTemplate {
	return v1alpha1.NoticeTemplate{Name: "afterSales", TemplateID: "TM-after-sales", Values: []v1alpha1.NoticeValue{
		{Key: "character_string1", From: v1alpha1.NoticeCase}, {Key: "phrase2", From: v1alpha1.NoticeState},
	}}
}

// Notice fills the account's template.
func (*Account) Notice() (notice message.Notice, read string) {
	return message.Notice{Name: noticeTemplate().Name, Values: map[string]string{"case": "A-1", "state": "已通过"}}, "A-1: 已通过"
}

// RefuseNotice spends the account's notices of the day.
func (a *Account) RefuseNotice(customer string) {
	a.p.t.Helper()
	a.Fault(wechatsim.Fault{On: "template", OpenID: customer, ErrCode: 45009})
}

// BlockNotices has the customer refuse the account's templates.
func (a *Account) BlockNotices(customer string) {
	a.p.t.Helper()
	_, err := a.p.Sim.PatchCustomer(a.App.AppID, customer, wechatsim.ProfilePatch{TemplateStatus: new("failed:user block")})
	a.must(err)
}

// Announce has the brand enter the key that the console will change to.
func (a *Account) Announce() {
	a.nextKey = map[string]string{KeyOne: KeyTwo, KeyTwo: KeyOne}[a.App.EncodingAESKey]
}

// Rotate changes the key in the console.
func (a *Account) Rotate() {
	a.p.t.Helper()
	a.App.EncodingAESKey, a.nextKey = a.nextKey, ""
	a.Put()
}

// Revoke changes the app secret in the console, with which the tokens die that were bought with the old one.
func (a *Account) Revoke() {
	a.p.t.Helper()
	a.App.AppSecret = "changed-in-the-console"
	a.Put()
	a.must(a.p.Sim.EndTokens(a.App.AppID, wechatsim.TokensRevoked))
}
