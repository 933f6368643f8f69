package controllers_test

import (
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/yingda-dev/yingda/api/v1alpha1"
)

func TestWhatASchemaCannotCheckIsAConditionToo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	broken := playbook("broken")
	broken.Spec.Texts.Welcome = "{{.Nobody}}"
	nowhere := alwaysOpen("nowhere")
	nowhere.Spec.TimeZone = "Mars/Olympus"
	broken.Spec.Rules = []v1alpha1.PlaybookRule{{Name: "hello", Match: v1alpha1.PlaybookMatch{Keywords: []string{"hi"}}, Reply: &v1alpha1.BotReply{Text: "hi"}}}
	w.data.hold("Playbook", "broken", 0)
	w.data.hold("ShiftSchedule", "nowhere", 0)
	w.servedBrand("lumi")
	w.create(broken, nowhere)
	w.waitFor(&v1alpha1.Playbook{}, "broken", v1alpha1.ConditionValid, v1alpha1.ReasonInvalid)
	w.waitFor(&v1alpha1.ShiftSchedule{}, "nowhere", v1alpha1.ConditionValid, v1alpha1.ReasonInvalid)
	for name, obj := range map[string]client.Object{"broken": broken, "nowhere": nowhere} {
		refused := w.waitFor(obj, name, v1alpha1.ConditionAcknowledged, v1alpha1.ReasonInvalid)
		if want := "Not served: invalid"; refused.Message != want {
			t.Errorf("%s: message is %q, want %q", name, refused.Message, want)
		}
	}
	if broken.Status.Rules != 0 {
		t.Errorf("%d rules are in force, want 0", broken.Status.Rules)
	}
	w.data.release("Playbook", "broken")
	change(w, "broken", broken, func(p *v1alpha1.Playbook) { p.Spec.Texts.Welcome = "" })
	w.waitFor(broken, "broken", v1alpha1.ConditionReady, v1alpha1.ReasonReady)
	w.data.hold("Playbook", "broken", broken.Generation)
	change(w, "broken", broken, func(p *v1alpha1.Playbook) { p.Spec.Texts.Welcome, p.Spec.Rules = "{{.Nobody}}", nil })
	refused := w.waitFor(broken, "broken", v1alpha1.ConditionAcknowledged, v1alpha1.ReasonInvalid)
	if want := "Not served: invalid; the last valid generation stays in force"; refused.Message != want || broken.Status.Rules != 1 {
		t.Errorf("message is %q with %d rules, want %q with the rule of before", refused.Message, broken.Status.Rules, want)
	}
}

func TestAPlaybookSaysWhatOfItNobodyGetsTo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.servedBrand("lumi")
	reply := &v1alpha1.BotReply{Text: "开票入口:"}
	shop := playbook("shop")
	shop.Spec.Rules = []v1alpha1.PlaybookRule{
		{Name: "invoice", Match: v1alpha1.PlaybookMatch{Keywords: []string{"票"}}, Reply: reply},
		{Name: "tickets", Match: v1alpha1.PlaybookMatch{Keywords: []string{"门票"}}, Reply: reply},
	}
	shop.Spec.FAQ = []v1alpha1.FAQEntry{{Name: "return", Question: "怎么退货", Answer: "签收七天内……"}}
	w.create(shop)
	w.waitFor(shop, "shop", v1alpha1.ConditionReady, v1alpha1.ReasonReady)
	shadowed := w.waitFor(shop, "shop", v1alpha1.ConditionRulesReachable, v1alpha1.ReasonShadowed)
	if want := "rule tickets never matches: every text with one of its keywords is for rule invoice before it; put it first, or remove it"; shadowed.Message != want {
		t.Errorf("message is %q, want %q", shadowed.Message, want)
	}
	if shop.Status.Rules != 2 || shop.Status.FAQEntries != 1 {
		t.Errorf("%d rules and %d questions are in force, want 2 and 1", shop.Status.Rules, shop.Status.FAQEntries)
	}
	change(w, "shop", shop, func(p *v1alpha1.Playbook) { p.Spec.Rules = p.Spec.Rules[1:] })
	w.waitFor(shop, "shop", v1alpha1.ConditionRulesReachable, v1alpha1.ReasonReachable)
}

func TestAPlaybookSaysWhereCustomersReachNoForm(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.servedBrand("lumi")
	lumi, shop := &v1alpha1.Brand{}, playbook("shop")
	shop.Spec.Rules = []v1alpha1.PlaybookRule{{
		Name: "apply", Match: v1alpha1.PlaybookMatch{Keywords: []string{"售后"}}, Reply: &v1alpha1.BotReply{Text: "售后申请:{{.AfterSalesForm}}"},
	}}
	w.create(shop)
	w.waitFor(shop, "shop", v1alpha1.ConditionFormReachable, v1alpha1.ReasonReachable)
	change(w, "lumi", lumi, func(b *v1alpha1.Brand) { b.Spec.Defaults.PlaybookRef = &v1alpha1.PlaybookReference{Name: "shop"} })
	missing := w.waitFor(shop, "shop", v1alpha1.ConditionFormReachable, v1alpha1.ReasonNoFormsURL)
	want := "Brand lumi has no address for customers' forms: set its spec.desk.formsURL to the https address at which they reach the desk's /forms/. " +
		"Until then whom a rule or the FAQ would lead there is given to a human, and {{.AfterSalesForm}} is empty in texts. It is in rule apply"
	if missing.Message != want {
		t.Errorf("message is %q, want %q", missing.Message, want)
	}
	w.waitFor(shop, "shop", v1alpha1.ConditionReady, v1alpha1.ReasonReady)
	change(w, "lumi", lumi, func(b *v1alpha1.Brand) { b.Spec.Desk.FormsURL = "https://service.lumi.example" })
	w.waitFor(shop, "shop", v1alpha1.ConditionFormReachable, v1alpha1.ReasonReachable)
	change(w, "shop", shop, func(p *v1alpha1.Playbook) { p.Spec.Rules = nil })
	w.waitFor(shop, "shop", v1alpha1.ConditionFormReachable, v1alpha1.ReasonNotUsed)
}
