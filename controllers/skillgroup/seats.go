package skillgroup

import (
	"fmt"
	"time"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/ack"
	"github.com/yingda-dev/yingda/internal/conditions"
)

// askInterval is how often the replicas are asked who is on duty and who waits, which no watch can tell.
const askInterval = 10 * time.Second

// demand is what a schedule wants of each of its groups now.
type demand struct {
	seats int32
	// why names what is on: the peak, the shift, or that it is closed.
	why string
}

// demandOf is what a schedule's own status says, so that the two objects cannot disagree; nil while it says nothing.
func demandOf(schedule *v1alpha1.ShiftSchedule) *demand {
	now := schedule.Status
	switch {
	case now.Seats == nil:
		return nil
	case now.CurrentPeak != "":
		return &demand{seats: *now.Seats, why: "peak " + now.CurrentPeak}
	case now.CurrentShift != "":
		return &demand{seats: *now.Seats, why: "shift " + now.CurrentShift}
	}
	return &demand{seats: *now.Seats, why: "closed"}
}

// decideSeats says how many seats are wanted, and why: the larger of what the schedule wants and what somebody asks for, within
// bounds. scheduled is nil for a group that follows no schedule.
func decideSeats(spec v1alpha1.SkillGroupSeats, scheduled *demand) v1alpha1.SkillGroupSeatsStatus {
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

// staffed says whether the seats that are wanted are taken.
func staffed(seats v1alpha1.SkillGroupSeatsStatus) conditions.Condition {
	const condition = v1alpha1.ConditionStaffed
	switch {
	case seats.Wanted == nil:
		return conditions.Unknown(condition, v1alpha1.ReasonAwaitingReferences, seats.Reason)
	case *seats.Wanted == 0:
		return conditions.True(condition, v1alpha1.ReasonStaffed, "No seats are wanted")
	case seats.OnDuty == nil:
		return conditions.Unknown(condition, v1alpha1.ReasonNotReported, "No replica of the desk says who is on duty")
	}
	taken := fmt.Sprintf("%d of %d seats are taken", *seats.OnDuty, *seats.Wanted)
	if *seats.OnDuty < *seats.Wanted {
		return conditions.False(condition, v1alpha1.ReasonUnderstaffed, taken)
	}
	return conditions.True(condition, v1alpha1.ReasonStaffed, taken)
}
