package bot

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
)

func TestShadowed(t *testing.T) {
	t.Parallel()
	rules := func(r ...yingdav1.PlaybookRule) yingdav1.PlaybookSpec { return yingdav1.PlaybookSpec{Rules: r} }
	tapped := func(rule yingdav1.PlaybookRule, keys ...string) yingdav1.PlaybookRule {
		rule.Match.MenuKeys = keys
		return rule
	}
	for name, tc := range map[string]struct {
		spec yingdav1.PlaybookSpec
		want []string
	}{
		"the sample has nothing in vain":           {spec: sample()},
		"a longer keyword first":                   {spec: rules(replyRule("a", "x", "开发票"), replyRule("b", "y", "发票"))},
		"one keyword that nobody has":              {spec: rules(replyRule("a", "x", "发票"), replyRule("b", "y", "开发票", "报销"))},
		"a longer keyword after":                   {spec: rules(replyRule("a", "x", "发票"), replyRule("b", "y", "开发票", "ＩＮＶＯＩＣＥ发票")), want: []string{"rule b never matches: every text with one of its keywords is for rule a before it; put it first, or remove it"}},
		"its keywords are with several rules":      {spec: rules(replyRule("b", "x", "发票"), replyRule("a", "y", "报销"), handOffRule("c", "money", "报销单", "发票")), want: []string{"rule c never matches: every text with one of its keywords is for rules a, b before it; put it first, or remove it"}},
		"a question with a keyword in it":          {spec: yingdav1.PlaybookSpec{Rules: []yingdav1.PlaybookRule{replyRule("a", "x", "发票")}, FAQ: []yingdav1.FAQEntry{asked("how", "怎么开发票"), asked("return", "怎么退货")}}, want: []string{"entry how of the FAQ is not given to who asks its question: that is for rule a, and rules come first"}},
		"a menu key is left to it":                 {spec: rules(replyRule("a", "x", "票"), tapped(replyRule("b", "y", "发票"), "INVOICE"))},
		"one of its menu keys is left to it":       {spec: rules(tapRule("a", "BILL"), tapped(replyRule("b", "y"), "BILL", "INVOICE"))},
		"a keyword is left to it":                  {spec: rules(tapRule("a", "INVOICE"), tapped(replyRule("b", "y", "发票"), "INVOICE"))},
		"a menu key in other letters":              {spec: rules(tapRule("a", "invoice"), tapRule("b", "INVOICE"))},
		"a menu key that is part of another":       {spec: rules(tapRule("a", "INVOICE"), tapRule("b", "INVOICES"))},
		"a keyword is no menu key":                 {spec: rules(replyRule("a", "x", "INVOICE"), tapRule("b", "INVOICE"))},
		"its menu keys are with another":           {spec: rules(tapRule("a", "INVOICE", "BILL"), tapRule("b", "BILL")), want: []string{"rule b never matches: every tap on one of its menuKeys is for rule a before it; put it first, or remove it"}},
		"neither words nor menu keys are left":     {spec: rules(replyRule("a", "x", "票"), tapRule("c", "INVOICE"), tapped(replyRule("b", "y", "发票"), "INVOICE")), want: []string{"rule b never matches: every text with one of its keywords is for rule a, and every tap on one of its menuKeys is for rule c before it; put it first, or remove it"}},
		"a blank keyword, which is refused anyway": {spec: rules(replyRule("a", "x", " "), replyRule("b", "y", "开 发票"))},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tc.want, Shadowed(tc.spec)); diff != "" {
				t.Errorf("Shadowed (-want +got):\n%s", diff)
			}
		})
	}
}
