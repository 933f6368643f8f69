package bot

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
)

const formAddress = "https://service.lumi.example/forms/after-sales/abc"

// leading is a Playbook that leads customers to their form wherever it can.
func leading() yingdav1.PlaybookSpec {
	apply := replyRule("apply", "{{.Brand}}售后申请,24 小时内有效:", "申请售后")
	apply.Reply.Link = &yingdav1.BotLink{Title: "申请售后", URL: "{{.AfterSalesForm}}"}
	return yingdav1.PlaybookSpec{
		Texts: yingdav1.PlaybookTexts{
			Welcome:  "您好。{{if .AfterSalesForm}}售后:{{.AfterSalesForm}}{{end}}",
			OffHours: "休息中,可先申请:{{.AfterSalesForm}}", Queued: "可先申请:{{.AfterSalesForm}}", QueueFull: new("{{.AfterSalesForm}}"),
			ComplaintAcknowledged: "收到。",
		},
		Rules: []yingdav1.PlaybookRule{replyRule("invoice", "开票", "发票"), apply, replyRule("brand", "{{.Brand}} 的 {{.Channel}}", "你是谁")},
		FAQ: []yingdav1.FAQEntry{
			{Name: "return", Question: "怎么退货", Answer: "请填写:{{.AfterSalesForm}}", Topic: "after-sales"},
			{Name: "size", Question: "尺码怎么选", Answer: "请看尺码表。"},
		},
	}
}

func TestAnswersAreFilledIn(t *testing.T) {
	t.Parallel()
	p := mustCompile(t, leading())
	for text, want := range map[string]Answer{
		"我要申请售后": {Rule: "apply", Text: "露米售后申请,24 小时内有效:", Link: &Link{Title: "申请售后", URL: formAddress}, Form: true},
		"怎么退货":   {FAQ: "return", Text: "请填写:" + formAddress, Topic: "after-sales", Form: true},
		"你是谁":    {Rule: "brand", Text: "露米 的 露米商城"},
		"发票":     {Rule: "invoice", Text: "开票"},
		"尺码怎么选":  {FAQ: "size", Text: "请看尺码表。"},
	} {
		decided, ok := p.Decide(text).(Answer)
		if !ok {
			t.Errorf("%s is not answered", text)
			continue
		}
		got, err := p.Fill(decided, Vars{Brand: "露米", Channel: "露米商城", AfterSalesForm: formAddress})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s is answered (-want +got):\n%s", text, diff)
		}
	}
}

func TestAPlaybookNamesWhatLeadsToTheForm(t *testing.T) {
	t.Parallel()
	want := []string{"rule apply", "entry return of the FAQ", "texts.offHours", "texts.queueFull", "texts.queued", "texts.welcome"}
	if diff := cmp.Diff(want, Forms(leading())); diff != "" {
		t.Errorf("forms (-want +got):\n%s", diff)
	}
	if got := Forms(sample()); got != nil {
		t.Errorf("a Playbook without the form has it in %v", got)
	}
	if p := mustCompile(t, sample()); p.WelcomeLeads() || p.OffHoursLeads() {
		t.Error("a text without the form leads to it")
	}
}

func TestVariablesOfAnswersThatCannotBe(t *testing.T) {
	t.Parallel()
	const known = "{{.Brand}}, {{.Channel}}, {{.AfterSalesForm}}"
	long := strings.Repeat("您", 560) + "{{.AfterSalesForm}}"
	answered := func(text string) yingdav1.PlaybookSpec {
		return yingdav1.PlaybookSpec{Rules: []yingdav1.PlaybookRule{replyRule("a", text, "b")}}
	}
	linked := answered("a")
	linked.Rules[0].Reply.Link = &yingdav1.BotLink{Title: "a", URL: "{{.Form}}"}
	for name, tc := range map[string]struct {
		spec yingdav1.PlaybookSpec
		want string
	}{
		"an unknown variable in a rule": {
			answered("{{.Order}}"), `spec.rules[0].reply.text: Invalid value: "{{.Order}}": unknown variable .Order: there are ` + known,
		},
		"a variable without its dot": {
			answered("{{afterSalesForm}}"),
			`spec.rules[0].reply.text: Invalid value: "{{afterSalesForm}}": not a Go template: ` + `template: reply:1: function "afterSalesForm" not defined; the variables are ` + known,
		},
		"an unknown variable in the FAQ": {
			faqs(yingdav1.FAQEntry{Name: "a", Question: "怎么退货", Answer: "{{.Hours}}"}), `spec.faq[0].answer: Invalid value: "{{.Hours}}": unknown variable .Hours: there are ` + known,
		},
		"an unknown variable as an address": {
			linked, `spec.rules[0].reply.link.url: Invalid value: "{{.Form}}": write a full address without a password, for example https://shop.example/invoice, or {{.AfterSalesForm}}`,
		},
		"a text that would be cut in the address": {
			answered(long),
			`spec.rules[0].reply.text: Invalid value: "` + excerpt(long) + `": with the address of the form this may have 2083 bytes of at most 2048: write less beside it, and put it in once`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			checkErrors(t, tc.spec, []string{tc.want})
		})
	}
}
