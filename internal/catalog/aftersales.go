package catalog

import (
	"cmp"
	"time"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/domain/aftersales"
	"github.com/yingda-dev/yingda/internal/domain/routing"
	"github.com/yingda-dev/yingda/internal/domain/schedule"
	"github.com/yingda-dev/yingda/internal/domain/servicelevel"
	"github.com/yingda-dev/yingda/internal/promise"
)

// AfterSales is what becomes of an after-sales case of a Channel's customer that begins now, in a SkillGroup; the defaults where the Channel
// is gone.
func (s *Snapshot) AfterSales(channel, group string) (aftersales.Terms, []promise.Rung) {
	var spec yingdav1.AfterSalesSpec
	if c, known := s.channels[channel]; known {
		spec = c.ServiceLevel.AfterSales
	}
	compiled, wrong := servicelevel.CompileAfterSales(spec, s.groups[group].days().Location())
	if len(wrong) > 0 { // The operator refuses such a ServiceLevel, and the catalog does not take it in.
		compiled, _ = servicelevel.CompileAfterSales(yingdav1.AfterSalesSpec{}, s.groups[group].days().Location())
	}
	rungs := make([]promise.Rung, len(compiled.Ladder))
	for i, rung := range compiled.Ladder {
		rungs[i] = promise.Rung{AfterSeconds: int64(rung.After.Seconds()), Notify: string(rung.Notify)}
	}
	return compiled.Terms, rungs
}

// AfterSalesGroup is the SkillGroup that decides on cases of a Channel's customers for that reason: the one that a routing rule of the Channel
// names, else the one given.
func (s *Snapshot) AfterSalesGroup(channel string, reason aftersales.Reason, otherwise string) string {
	c, known := s.channels[channel]
	if !known {
		return otherwise
	}
	return cmp.Or(routing.CaseGroup(c.Spec.Routing, yingdav1.AfterSalesReason(reason)), otherwise)
}

// WorkingDays is the end of the n-th working day after a day. A group that is not known, or has no schedule, has no holidays.
func (g *Group) WorkingDays(since time.Time, n int) time.Time {
	return g.days().AddWorkingDays(since, n)
}

// days is a schedule to ask about days.
func (g *Group) days() *schedule.Schedule {
	if g == nil || g.Schedule == nil {
		return schedule.Bare()
	}
	return g.Schedule
}
