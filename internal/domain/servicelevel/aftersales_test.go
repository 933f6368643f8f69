package servicelevel

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/domain/aftersales"
)

func TestCompileAfterSales(t *testing.T) {
	t.Parallel()
	china := time.FixedZone("Asia/Shanghai", 8*60*60)
	const hour = int64(3600)
	defaults := func(modify ...func(*AfterSales)) AfterSales {
		a := AfterSales{
			Terms: aftersales.Terms{
				Limits: aftersales.Limits{
					Review: 2 * hour, Evidence: 72 * hour, Return: 168 * hour, RefundAfterApproval: 24 * hour, RefundAfterReceiptWorkingDays: 3,
					Reissue: 48 * hour, Inspect: 24 * hour, Resend: 48 * hour, Claim: 72 * hour, FollowUp: 72 * hour, Overall: 24 * hour,
				},
				RemindBefore: hour / 2,
				Policy: aftersales.Policy{
					NoReasonDays: 7, NoReasonExcept: []string{"custom", "fresh"}, TimeZone: "Asia/Shanghai",
					EvidenceFor: []aftersales.Reason{aftersales.Quality, aftersales.WrongItem, aftersales.Damaged},
					Inspection:  []string{"未拆封或不影响二次销售", "商品完好", "配件齐全"}, FreightInsurance: true, FreightUpTo: 20_00,
				},
			},
			Ladder: []Rung{{30 * time.Minute, yingdav1.RoleSupervisor}, {4 * time.Hour, yingdav1.RoleAdmin}},
		}
		for _, m := range modify {
			m(&a)
		}
		return a
	}
	policy := func(p yingdav1.AfterSalesPolicy) yingdav1.AfterSalesSpec { return yingdav1.AfterSalesSpec{Policy: p} }
	for name, tc := range map[string]struct {
		spec    yingdav1.AfterSalesSpec
		want    AfterSales
		wantErr string
	}{
		"without a word it is as the schema says": {want: defaults()},
		"what is declared counts, and the rest is the schema's": {
			spec: yingdav1.AfterSalesSpec{
				Review: "30m", Exchange: yingdav1.ExchangeSpec{Resend: "24h"}, RemindBefore: "0s",
				Ladder: []yingdav1.DeadlineRung{{After: "1h", Notify: yingdav1.RoleAdmin}},
			},
			want: defaults(func(a *AfterSales) {
				a.Terms.Limits.Review, a.Terms.Limits.Resend, a.Terms.RemindBefore = hour/2, 24*hour, 0
				a.Ladder = []Rung{{time.Hour, yingdav1.RoleAdmin}}
			}),
		},
		"lists that are declared empty stay empty": {
			spec: policy(yingdav1.AfterSalesPolicy{
				NoReasonDays: new(int32), NoReasonExcept: []string{}, EvidenceFor: []yingdav1.EvidenceReason{}, Inspection: []string{},
				FreightInsurance: yingdav1.FreightInsuranceIgnore, FreightUpToFen: new(int64),
			}),
			want: defaults(func(a *AfterSales) {
				a.Terms.Policy = aftersales.Policy{TimeZone: "Asia/Shanghai", NoReasonExcept: []string{}, Inspection: []string{}}
			}),
		},
		"a promotion ends with its last day, by the clock of the place": {
			spec: policy(yingdav1.AfterSalesPolicy{
				Promotions:   []yingdav1.PromotionWindow{{From: "2026-11-11", Until: "2026-11-13", Speed: yingdav1.RefundInstant, UpToFen: 200_00}},
				RefundSpeeds: []yingdav1.TierRefundSpeed{{Tier: "vip", Speed: yingdav1.RefundOnApproval}},
			}),
			want: defaults(func(a *AfterSales) {
				a.Terms.Policy.Speeds = []aftersales.TierSpeed{{Tier: "vip", Speed: aftersales.OnApproval}}
				a.Terms.Policy.Promotions = []aftersales.Promotion{{
					From: time.Date(2026, 11, 11, 0, 0, 0, 0, china), Until: time.Date(2026, 11, 14, 0, 0, 0, 0, china), Speed: aftersales.Instant, UpTo: 200_00,
				}}
			}),
		},
		"a limit of no length is refused": {
			spec: yingdav1.AfterSalesSpec{Review: "0s"}, wantErr: "spec.afterSales.review: Invalid value: \"0s\": must be at least 1s and at most 720h",
		},
		"so is one of an exchange": {
			spec: yingdav1.AfterSalesSpec{Exchange: yingdav1.ExchangeSpec{Inspect: "soon"}}, wantErr: "spec.afterSales.exchange.inspect",
		},
		"more working days than a month has are refused": {
			spec: yingdav1.AfterSalesSpec{RefundAfterReceiptWorkingDays: 31}, wantErr: "spec.afterSales.refundAfterReceiptWorkingDays",
		},
		"a ladder that goes down is refused": {
			spec:    yingdav1.AfterSalesSpec{Ladder: []yingdav1.DeadlineRung{{After: "1h", Notify: yingdav1.RoleAdmin}, {After: "1m", Notify: yingdav1.RoleAdmin}}},
			wantErr: "spec.afterSales.ladder[1].after",
		},
		"a day that there is not is refused": {
			spec:    policy(yingdav1.AfterSalesPolicy{Promotions: []yingdav1.PromotionWindow{{From: "2026-02-30", Until: "2026-03-01", Speed: yingdav1.RefundInstant}}}),
			wantErr: "spec.afterSales.policy.promotions[0].from",
		},
		"a promotion that ends before it begins is refused": {
			spec:    policy(yingdav1.AfterSalesPolicy{Promotions: []yingdav1.PromotionWindow{{From: "2026-03-02", Until: "2026-03-01", Speed: yingdav1.RefundInstant}}}),
			wantErr: "spec.afterSales.policy.promotions[0].until",
		},
		"a speed that there is not is refused": {
			spec: policy(yingdav1.AfterSalesPolicy{RefundSpeeds: []yingdav1.TierRefundSpeed{{Speed: "Yesterday"}}}), wantErr: "spec.afterSales.policy.refundSpeeds[0].speed",
		},
		"so is less of the freight": {
			spec: policy(yingdav1.AfterSalesPolicy{FreightUpToFen: new(int64(-1))}), wantErr: "spec.afterSales.policy.freightUpToFen",
		},
		"less than nothing is refused": {
			spec: policy(yingdav1.AfterSalesPolicy{NoReturnBelowFen: -1}), wantErr: "spec.afterSales.policy.noReturnBelowFen",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, wrong := CompileAfterSales(tc.spec, china)
			checkError(t, wrong.ToAggregate(), tc.wantErr)
			if diff := cmp.Diff(tc.want, got); tc.wantErr == "" && diff != "" {
				t.Errorf("after-sales (-want +got):\n%s", diff)
			}
			checkError(t, Validate(yingdav1.ServiceLevelSpec{AfterSales: tc.spec}).ToAggregate(), tc.wantErr)
		})
	}
}
