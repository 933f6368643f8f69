package servicelevel

import (
	"time"

	"k8s.io/apimachinery/pkg/util/validation/field"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
)

// The defaults of how soon orders are sent and changed, as in the resource's schema.
const (
	defaultShippedWithin    = 48 * time.Hour
	defaultChangesWithin    = 2 * time.Hour
	defaultShippingReminder = 2 * time.Hour
)

// Shipping is how soon orders are sent that were paid, and changed before that.
type Shipping struct {
	Keeping

	Within, ChangesWithin time.Duration
}

// CompileShipping reads how soon orders are sent and changed. It refuses what the schema refuses.
func CompileShipping(spec yingdav1.ShippingSpec) (Shipping, field.ErrorList) {
	r := reader{path: field.NewPath("spec", "shipping")}
	s := Shipping{
		Keeping: Keeping{
			RemindBefore: r.clock("remindBefore", spec.RemindBefore, defaultShippingReminder),
			Ladder:       r.lateLadder(spec.Ladder),
		},
		Within:        r.within("within", spec.Within, defaultShippedWithin),
		ChangesWithin: r.within("changesWithin", spec.ChangesWithin, defaultChangesWithin),
	}
	if len(spec.Ladder) == 0 {
		s.Ladder = []Rung{{30 * time.Minute, yingdav1.RoleSupervisor}, {4 * time.Hour, yingdav1.RoleAdmin}}
	}
	r.lateText(spec.LateText)
	return s, r.wrong
}
