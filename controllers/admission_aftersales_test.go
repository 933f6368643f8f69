package controllers_test

import (
	"strings"
	"testing"

	"github.com/yingda-dev/yingda/api/v1alpha1"
)

func TestAdmissionOfAfterSales(t *testing.T) { newAdmission(t).tries(afterSalesAttempts()) }

func afterSalesAttempts() map[string]attempt {
	provided := func(edit func(*v1alpha1.BrandProvider)) *v1alpha1.Brand {
		return brand("lumi", providedAt("https://erp.example/yingda"), func(b *v1alpha1.Brand) { edit(b.Spec.Provider) })
	}
	terms := func(edit func(*v1alpha1.AfterSalesSpec)) *v1alpha1.ServiceLevel {
		level := serviceLevel("standard")
		edit(&level.Spec.AfterSales)
		return level
	}
	policy := func(edit func(*v1alpha1.AfterSalesPolicy)) *v1alpha1.ServiceLevel {
		return terms(func(s *v1alpha1.AfterSalesSpec) { edit(&s.Policy) })
	}
	rung := func(after string) v1alpha1.DeadlineRung {
		return v1alpha1.DeadlineRung{After: after, Notify: v1alpha1.RoleSupervisor}
	}
	climbing := func(rungs ...v1alpha1.DeadlineRung) *v1alpha1.ServiceLevel {
		return terms(func(s *v1alpha1.AfterSalesSpec) { s.Ladder = rungs })
	}
	promotion := func(from, until string) *v1alpha1.ServiceLevel {
		return policy(func(p *v1alpha1.AfterSalesPolicy) {
			p.Promotions = []v1alpha1.PromotionWindow{{From: from, Until: until, Speed: v1alpha1.RefundInstant}}
		})
	}
	tests := map[string]attempt{
		"a provider": {provided(func(*v1alpha1.BrandProvider) {}), ""},
		"a provider of a private authority": {provided(func(p *v1alpha1.BrandProvider) {
			p.URL, p.CASecretRef = "https://erp.infra:8443", &v1alpha1.CredentialsReference{Name: "erp-ca"}
		}), ""},
		"a provider in plain text":            {provided(func(p *v1alpha1.BrandProvider) { p.URL = "http://erp.example/" }), "write url as https://host/path"},
		"a provider with a query":             {provided(func(p *v1alpha1.BrandProvider) { p.URL += "?key=1" }), "write url as https://host/path"},
		"a provider with a fragment":          {provided(func(p *v1alpha1.BrandProvider) { p.URL += "#key" }), "write url as https://host/path"},
		"a provider to whom nobody signs":     {provided(func(p *v1alpha1.BrandProvider) { p.SecretRef.Name = "" }), "spec.provider.secretRef.name"},
		"a provider of nameless authorities":  {provided(func(p *v1alpha1.BrandProvider) { p.CASecretRef = &v1alpha1.CredentialsReference{} }), "spec.provider.caSecretRef.name"},
		"no reminders":                        {terms(func(s *v1alpha1.AfterSalesSpec) { s.RemindBefore = "0s" }), ""},
		"a reminder a year before":            {terms(func(s *v1alpha1.AfterSalesSpec) { s.RemindBefore = "800h" }), "remindBefore must be at least 0s and at most 720h"},
		"a reminder at some time":             {terms(func(s *v1alpha1.AfterSalesSpec) { s.RemindBefore = "soon" }), "write remindBefore in hours, minutes and seconds"},
		"three working days":                  {terms(func(s *v1alpha1.AfterSalesSpec) { s.RefundAfterReceiptWorkingDays = 3 }), ""},
		"a month of working days and more":    {terms(func(s *v1alpha1.AfterSalesSpec) { s.RefundAfterReceiptWorkingDays = 31 }), "should be less than or equal to 30"},
		"working days that are less than one": {terms(func(s *v1alpha1.AfterSalesSpec) { s.RefundAfterReceiptWorkingDays = -1 }), "should be greater than or equal to 1"},
		"a ladder":                            {climbing(rung("30m"), rung("4h")), ""},
		"a ladder that goes down":             {climbing(rung("4h"), rung("30m")), "it counts from the missed deadline"},
		"a ladder of six rungs":               {climbing(rung("1m"), rung("2m"), rung("3m"), rung("4m"), rung("5m"), rung("6m")), "must have at most 5 items"},
		"a rung at some time":                 {climbing(rung("soon")), "write after in hours, minutes and seconds"},
		"a rung at once":                      {climbing(rung("0s")), "after must be at least 1s and at most 720h"},
		"a rung that calls agents":            {climbing(v1alpha1.DeadlineRung{After: "1h", Notify: v1alpha1.RoleAgent}), "a ladder calls Supervisor or Admin"},
		"no return without a reason":          {policy(func(p *v1alpha1.AfterSalesPolicy) { p.NoReasonDays = new(int32(0)) }), ""},
		"a return after a year":               {policy(func(p *v1alpha1.AfterSalesPolicy) { p.NoReasonDays = new(int32(365)) }), "should be less than or equal to 90"},
		"photos of what was sent wrong": {policy(func(p *v1alpha1.AfterSalesPolicy) {
			p.EvidenceFor = []v1alpha1.EvidenceReason{v1alpha1.EvidenceForWrongItem}
		}), ""},
		"photos of no reason":    {policy(func(p *v1alpha1.AfterSalesPolicy) { p.EvidenceFor = []v1alpha1.EvidenceReason{"NoReason"} }), "Unsupported value"},
		"small amounts kept":     {policy(func(p *v1alpha1.AfterSalesPolicy) { p.NoReturnBelowFen = 20_00 }), ""},
		"less than nothing kept": {policy(func(p *v1alpha1.AfterSalesPolicy) { p.NoReturnBelowFen = -1 }), "should be greater than or equal to 0"},
		"vips at once": {policy(func(p *v1alpha1.AfterSalesPolicy) {
			p.RefundSpeeds = []v1alpha1.TierRefundSpeed{{Tier: "vip", Speed: v1alpha1.RefundInstant, UpToFen: 500_00}, {Tier: "vip", Speed: v1alpha1.RefundOnApproval}}
		}), ""},
		"a speed that there is not": {policy(func(p *v1alpha1.AfterSalesPolicy) {
			p.RefundSpeeds = []v1alpha1.TierRefundSpeed{{Tier: "vip", Speed: "Yesterday"}}
		}), "Unsupported value"},
		"a promotion":                 {promotion("2026-11-11", "2026-11-13"), ""},
		"a promotion of a day":        {promotion("2026-11-11", "2026-11-11"), ""},
		"a promotion that ends first": {promotion("2026-11-13", "2026-11-11"), "until must not be before from"},
		"a promotion from some day":   {promotion("11.11", "2026-11-11"), "write from as a date, for example 2026-11-11"},
		"a promotion until some day":  {promotion("2026-11-11", "2026-13-11"), "write until as a date, for example 2026-11-13"},
		"a promotion of a speed that there is not": {policy(func(p *v1alpha1.AfterSalesPolicy) {
			p.Promotions = []v1alpha1.PromotionWindow{{From: "2026-11-11", Until: "2026-11-11", Speed: "Yesterday"}}
		}), "Unsupported value"},
		"a promotion of nothing": {policy(func(p *v1alpha1.AfterSalesPolicy) {
			p.Promotions = []v1alpha1.PromotionWindow{{From: "2026-11-11", Until: "2026-11-11", Speed: v1alpha1.RefundOnReceipt}}
		}), "speed must be OnApproval or Instant"},
		"a rung that calls nobody":      {climbing(v1alpha1.DeadlineRung{After: "1h", Notify: "Owner"}), "Unsupported value"},
		"an inspection of one point":    {policy(func(p *v1alpha1.AfterSalesPolicy) { p.Inspection = []string{"完好"} }), ""},
		"an inspection that is a novel": {policy(func(p *v1alpha1.AfterSalesPolicy) { p.Inspection = []string{strings.Repeat("好", 41)} }), "may not be more than 40"},
		"insurance left to customers":   {policy(func(p *v1alpha1.AfterSalesPolicy) { p.FreightInsurance = v1alpha1.FreightInsuranceIgnore }), ""},
		"insurance that there is not":   {policy(func(p *v1alpha1.AfterSalesPolicy) { p.FreightInsurance = "Maybe" }), "Unsupported value"},
	}
	for name, set := range map[string]func(*v1alpha1.AfterSalesSpec, string){
		"review":              func(s *v1alpha1.AfterSalesSpec, d string) { s.Review = d },
		"refundAfterApproval": func(s *v1alpha1.AfterSalesSpec, d string) { s.RefundAfterApproval = d },
		"reissueShipped":      func(s *v1alpha1.AfterSalesSpec, d string) { s.ReissueShipped = d },
		"inspect":             func(s *v1alpha1.AfterSalesSpec, d string) { s.Exchange.Inspect = d },
		"resend":              func(s *v1alpha1.AfterSalesSpec, d string) { s.Exchange.Resend = d },
		"evidenceWithin":      func(s *v1alpha1.AfterSalesSpec, d string) { s.EvidenceWithin = d },
		"returnWithin":        func(s *v1alpha1.AfterSalesSpec, d string) { s.ReturnWithin = d },
		"claimWithin":         func(s *v1alpha1.AfterSalesSpec, d string) { s.ClaimWithin = d },
		"followUpWithin":      func(s *v1alpha1.AfterSalesSpec, d string) { s.FollowUpWithin = d },
		"overall":             func(s *v1alpha1.AfterSalesSpec, d string) { s.Overall = d },
	} {
		for duration, want := range map[string]string{
			"1s": "", "720h": "", "0s": name + " must be at least 1s and at most 720h", "721h": name + " must be at least 1s and at most 720h",
			"1d": "write " + name + " in hours, minutes and seconds",
		} {
			tests[name+" within "+duration] = attempt{terms(func(s *v1alpha1.AfterSalesSpec) { set(s, duration) }), want}
		}
	}
	return tests
}

// providedAt has the Brand's own program pay, send and claim.
func providedAt(url string) func(*v1alpha1.Brand) {
	return func(b *v1alpha1.Brand) {
		b.Spec.Provider = &v1alpha1.BrandProvider{URL: url, SecretRef: v1alpha1.CredentialsReference{Name: "lumi-erp"}}
	}
}
