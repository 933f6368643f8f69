package skillgroup

import (
	"fmt"
	"strings"
	"time"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/ack"
	"github.com/yingda-dev/yingda/internal/conditions"
	"github.com/yingda-dev/yingda/internal/domain/roster"
	"github.com/yingda-dev/yingda/internal/domain/schedule"
)

// askInterval is how often the replicas are asked who is on duty and who waits, which no watch can tell.
const askInterval = 10 * time.Second

// demand is what a schedule wants of each of its groups now.
type demand struct {
	seats int32
	// why names what is on: the peak, the shift, or that it is closed.
	why    string
	closed bool
}

// demandOf is what a schedule's own status says, so that the two objects cannot disagree; nil while it says nothing.
func demandOf(of *v1alpha1.ShiftSchedule) *demand {
	now := of.Status
	switch {
	case now.Seats == nil:
		return nil
	case now.CurrentPeak != "":
		return &demand{seats: *now.Seats, why: "peak " + now.CurrentPeak}
	case now.CurrentShift != "":
		return &demand{seats: *now.Seats, why: "shift " + now.CurrentShift}
	}
	return &demand{seats: *now.Seats, why: "closed", closed: true}
}

// decideSeats says how many seats are wanted, and why: the largest of what the schedule wants, what somebody asks for and what
// the customers want, within bounds. scheduled is nil for a group that follows no schedule, advice for one to which nothing is
// recommended.
func decideSeats(spec v1alpha1.SkillGroupSeats, scheduled *demand, advice *recommendation) v1alpha1.SkillGroupSeatsStatus {
	asked := valueOf(spec.Asked)
	out, wanted := v1alpha1.SkillGroupSeatsStatus{Reason: "Neither a schedule nor anybody asks for seats"}, asked
	switch {
	case scheduled == nil && asked > 0:
		out.Reason = fmt.Sprintf("%d were asked for", asked)
	case scheduled != nil && asked > scheduled.seats:
		out.Reason = fmt.Sprintf("%d were asked for, the schedule wants %d (%s)", asked, scheduled.seats, scheduled.why)
	case scheduled != nil && asked > 0:
		out.Reason = fmt.Sprintf("The schedule wants %d (%s), %d were asked for", scheduled.seats, scheduled.why, asked)
	case scheduled != nil:
		out.Reason = fmt.Sprintf("The schedule wants %d (%s)", scheduled.seats, scheduled.why)
	}
	if asked > 0 {
		out.Asked = &asked
	}
	if scheduled != nil {
		out.Scheduled = &scheduled.seats
		wanted = max(wanted, scheduled.seats)
	}
	if advice != nil {
		out.Recommended = advice.seats
		wanted, out.Reason = heed(advice, wanted, out.Reason)
	}
	if least := valueOf(spec.Min); wanted < least {
		wanted = least
		out.Reason += fmt.Sprintf(", raised to min %d", least)
	}
	if spec.Max != nil && wanted > *spec.Max {
		wanted = *spec.Max
		out.Reason += fmt.Sprintf(", limited to max %d", wanted)
	}
	out.Wanted = &wanted
	return out
}

// heed adds a recommendation to what is wanted without it. Its sentence changes with the contacts: it is told where it decides.
func heed(advice *recommendation, wanted int32, reason string) (heeded int32, why string) {
	switch recommended := valueOf(advice.seats); {
	case advice.seats == nil:
		return wanted, reason + "; " + advice.why
	case recommended > wanted && wanted > 0:
		return recommended, advice.why + "; " + strings.ToLower(reason[:1]) + reason[1:]
	case recommended > wanted:
		return recommended, advice.why
	default:
		return wanted, reason
	}
}

func valueOf(optional *int32) int32 {
	if optional == nil {
		return 0
	}
	return *optional
}

// onDuty counts the members who are on duty by what any replica of the desk says; nil when none can say. Replicas read one
// table, each at moments of its own: whoever is on duty for one of them is counted.
func onDuty(desk []ack.Answer, members []string) *int32 {
	known, present := false, map[string]bool{}
	for _, answer := range desk {
		if answer.Err != nil || answer.Report.OnDutyAgents == nil {
			continue
		}
		known = true
		for _, name := range answer.Report.OnDutyAgents {
			present[name] = true
		}
	}
	if !known {
		return nil
	}
	on := 0
	for _, name := range members {
		if present[name] {
			on++
		}
	}
	return new(count(on))
}

// staffed says whether the seats that are wanted are taken, who is called if they are not, and whether enough are scheduled for the day ahead.
func staffed(seats v1alpha1.SkillGroupSeatsStatus, called []string, ahead []roster.Shortfall, plan *schedule.Schedule) conditions.Condition {
	const condition = v1alpha1.ConditionStaffed
	taken := "No seats are wanted"
	switch {
	case seats.Wanted == nil:
		return conditions.Unknown(condition, v1alpha1.ReasonAwaitingReferences, seats.Reason)
	case *seats.Wanted > 0 && seats.OnDuty == nil:
		return conditions.Unknown(condition, v1alpha1.ReasonNotReported, "No replica of the desk says who is on duty")
	case *seats.Wanted > 0:
		taken = fmt.Sprintf("%d of %d seats are taken", *seats.OnDuty, *seats.Wanted)
	}
	if *seats.Wanted > valueOf(seats.OnDuty) && len(called) > 0 {
		return conditions.False(condition, v1alpha1.ReasonOnCallCalled, taken+sayCalled(called))
	}
	if *seats.Wanted > valueOf(seats.OnDuty) {
		return conditions.False(condition, v1alpha1.ReasonUnderstaffed, taken)
	}
	if len(ahead) > 0 {
		return conditions.False(condition, v1alpha1.ReasonStaffingShortfall, sayShortfalls(ahead, plan.Location()))
	}
	if nobodySays(seats) && valueOf(seats.OnDuty) == 0 {
		return conditions.Unknown(condition, v1alpha1.ReasonNoSeatsWanted,
			"Nobody says how many agents should be on duty: name a scheduleRef, set seats.min or seats.answeredWithin, or use kubectl scale")
	}
	return conditions.True(condition, v1alpha1.ReasonStaffed, taken)
}

// nobodySays says whether no seats are wanted because nobody said a word about them, which is not the same as a schedule that
// is closed: such a group is open around the clock.
func nobodySays(seats v1alpha1.SkillGroupSeatsStatus) bool {
	return seats.Scheduled == nil && seats.Recommended == nil && valueOf(seats.Wanted) == 0
}
