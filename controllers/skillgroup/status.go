package skillgroup

import (
	"time"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/conditions"
)

func status(seen *scene, decided verdict, now time.Time) v1alpha1.SkillGroupStatus {
	group := seen.group
	return v1alpha1.SkillGroupStatus{
		Conditions:         conditions.Merge(group.Status.Conditions, group.Generation, now, decided.findings...),
		ObservedGeneration: group.Generation,
		Agents:             count(len(seen.agents)),
		Seats:              &decided.seats,
		Queue:              decided.queue,
		Forecast:           decided.forecast,
	}
}

// count is a number of agents or customers as a status has it.
func count(n int) int32 {
	return int32(min(n, 1<<30)) //nolint:gosec // bounded in the same expression
}
