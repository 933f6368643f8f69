package servicelevel

import (
	"cmp"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/util/validation/field"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/domain/aftersales"
)

// The defaults and bounds of after-sales in the resource's schema.
const (
	defaultNoReasonDays      = 7
	defaultRefundWorkingDays = 3
	minLimit, maxLimit       = time.Second, 720 * time.Hour
	maxNoReasonDays          = 90
	maxRefundWorkingDays     = 30
	maxFen                   = 100_000_00
	defaultFreightFen        = 20_00
)

// AfterSales is what becomes of after-sales cases, in a form to work with.
type AfterSales struct {
	Terms aftersales.Terms
	// Ladder is climbed from each missed deadline.
	Ladder []Rung
}

// CompileAfterSales reads what becomes of after-sales cases; of a spec without the schema's defaults it takes these. Dates are days of the
// location. It refuses what the schema refuses.
func CompileAfterSales(spec yingdav1.AfterSalesSpec, location *time.Location) (AfterSales, field.ErrorList) {
	r := reader{path: field.NewPath("spec", "afterSales")}
	exchange := reader{path: r.path.Child("exchange")}
	compiled := AfterSales{
		Terms: aftersales.Terms{
			Limits: aftersales.Limits{
				Review:              r.seconds("review", spec.Review, 2*time.Hour),
				RefundAfterApproval: r.seconds("refundAfterApproval", spec.RefundAfterApproval, day),
				RefundAfterReceiptWorkingDays: r.number("refundAfterReceiptWorkingDays", cmp.Or(spec.RefundAfterReceiptWorkingDays, defaultRefundWorkingDays),
					1, maxRefundWorkingDays),
				Reissue:  r.seconds("reissueShipped", spec.ReissueShipped, 2*day),
				Inspect:  exchange.seconds("inspect", spec.Exchange.Inspect, day),
				Resend:   exchange.seconds("resend", spec.Exchange.Resend, 2*day),
				Evidence: r.seconds("evidenceWithin", spec.EvidenceWithin, 3*day),
				Return:   r.seconds("returnWithin", spec.ReturnWithin, 7*day),
				Claim:    r.seconds("claimWithin", spec.ClaimWithin, 3*day),
				FollowUp: r.seconds("followUpWithin", spec.FollowUpWithin, 3*day),
				Overall:  r.seconds("overall", spec.Overall, day),
			},
			RemindBefore: r.limit("remindBefore", spec.RemindBefore, 30*time.Minute, 0),
		},
		Ladder: r.rungs(spec.Ladder),
	}
	policy := reader{path: r.path.Child("policy")}
	compiled.Terms.Policy = policy.policy(spec.Policy, location)
	return compiled, slices.Concat(r.wrong, exchange.wrong, policy.wrong)
}

func (r *reader) seconds(name, text string, otherwise time.Duration) int64 {
	return r.limit(name, text, otherwise, minLimit)
}

func (r *reader) limit(name, text string, otherwise, least time.Duration) int64 {
	if text == "" {
		return int64(otherwise.Seconds())
	}
	d, err := between(text, least, maxLimit)
	if err != nil {
		r.wrong = append(r.wrong, field.Invalid(r.path.Child(name), text, err.Error()))
	}
	return int64(d.Seconds())
}

func (r *reader) number(name string, n, least, most int32) int32 {
	if n < least || n > most {
		r.wrong = append(r.wrong, field.Invalid(r.path.Child(name), n, "is out of bounds"))
	}
	return n
}

func (r *reader) rungs(spec []yingdav1.DeadlineRung) []Rung {
	if len(spec) == 0 {
		return []Rung{{30 * time.Minute, yingdav1.RoleSupervisor}, {4 * time.Hour, yingdav1.RoleAdmin}}
	}
	like := yingdav1.ComplaintSpec{}
	for _, rung := range spec {
		like.Ladder = append(like.Ladder, yingdav1.EscalationRung(rung))
	}
	rungs, wrong := ladder(like, r.path)
	r.wrong = append(r.wrong, wrong...)
	return rungs
}

func (r *reader) policy(spec yingdav1.AfterSalesPolicy, location *time.Location) aftersales.Policy {
	p := aftersales.Policy{
		NoReasonDays: defaultNoReasonDays, NoReasonExcept: spec.NoReasonExcept, TimeZone: location.String(), Inspection: spec.Inspection,
		KeepBelow: r.fen("noReturnBelowFen", spec.NoReturnBelowFen), FreightInsurance: spec.FreightInsurance != yingdav1.FreightInsuranceIgnore,
		FreightUpTo: defaultFreightFen, ReturnAddress: spec.ReturnAddress,
	}
	if spec.FreightUpToFen != nil {
		p.FreightUpTo = r.fen("freightUpToFen", *spec.FreightUpToFen)
	}
	if spec.NoReasonDays != nil {
		p.NoReasonDays = r.number("noReasonDays", *spec.NoReasonDays, 0, maxNoReasonDays)
	}
	// Null is a list that was never declared; one without entries is declared to have none.
	if spec.NoReasonExcept == nil {
		p.NoReasonExcept = []string{"custom", "fresh"}
	}
	if spec.Inspection == nil {
		p.Inspection = []string{"未拆封或不影响二次销售", "商品完好", "配件齐全"}
	}
	reasons := spec.EvidenceFor
	if reasons == nil {
		reasons = []yingdav1.EvidenceReason{yingdav1.EvidenceForQuality, yingdav1.EvidenceForWrongItem, yingdav1.EvidenceForDamaged}
	}
	for _, reason := range reasons {
		p.EvidenceFor = append(p.EvidenceFor, aftersales.Reason(reason))
	}
	for i, speed := range spec.RefundSpeeds {
		at := reader{path: r.path.Child("refundSpeeds").Index(i)}
		p.Speeds = append(p.Speeds, aftersales.TierSpeed{Tier: speed.Tier, Speed: at.speed(speed.Speed), UpTo: at.fen("upToFen", speed.UpToFen)})
		r.wrong = append(r.wrong, at.wrong...)
	}
	for i, promotion := range spec.Promotions {
		at := reader{path: r.path.Child("promotions").Index(i)}
		from, until := at.date("from", promotion.From, location), at.date("until", promotion.Until, location)
		if len(at.wrong) == 0 && until.Before(from) {
			at.wrong = append(at.wrong, field.Invalid(at.path.Child("until"), promotion.Until, "must not be before from: it is the promotion's last day"))
		}
		p.Promotions = append(p.Promotions, aftersales.Promotion{
			From: from, Until: until.AddDate(0, 0, 1), Speed: at.speed(promotion.Speed), UpTo: at.fen("upToFen", promotion.UpToFen),
		})
		r.wrong = append(r.wrong, at.wrong...)
	}
	return p
}

func (r *reader) fen(name string, amount int64) int64 {
	if amount < 0 || amount > maxFen {
		r.wrong = append(r.wrong, field.Invalid(r.path.Child(name), amount, "must be from 0 to 10000000 fen"))
	}
	return amount
}

func (r *reader) speed(speed yingdav1.RefundSpeed) aftersales.Speed {
	all := []yingdav1.RefundSpeed{yingdav1.RefundOnReceipt, yingdav1.RefundOnApproval, yingdav1.RefundInstant}
	if !slices.Contains(all, speed) {
		r.wrong = append(r.wrong, field.NotSupported(r.path.Child("speed"), speed, all))
	}
	return aftersales.Speed(speed)
}

func (r *reader) date(name, text string, location *time.Location) time.Time {
	date, err := time.ParseInLocation(time.DateOnly, text, location)
	if err != nil {
		r.wrong = append(r.wrong, field.Invalid(r.path.Child(name), text, "is no date: write it as 2026-11-11"))
	}
	return date
}
