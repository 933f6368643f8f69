package skillgroup

import (
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/ack"
	"github.com/yingda-dev/yingda/internal/conditions"
	"github.com/yingda-dev/yingda/internal/domain/queue"
)

// waiting is who waits for a group's agents by what the replicas of the router say; nil when none can say. Each looks once a
// second: of answers that differ, the one with more customers is told.
func waiting(group string, router []ack.Answer) *v1alpha1.SkillGroupQueueStatus {
	var most *v1alpha1.SkillGroupQueueStatus
	for _, answer := range router {
		if answer.Err != nil || answer.Report.Queues == nil {
			continue
		}
		said := answer.Report.Queues[group]
		found := &v1alpha1.SkillGroupQueueStatus{Waiting: count(int(said.Waiting))}
		if said.Waiting > 0 {
			// The API server keeps whole seconds: anything finer would be a change each time.
			found.OldestWaitingSince = &metav1.Time{Time: said.OldestSince.Truncate(time.Second)}
		}
		if most == nil || found.Waiting > most.Waiting {
			most = found
		}
	}
	return most
}

// healthy says whether a queue is short enough and moves.
func healthy(rules queue.Rules, seen *v1alpha1.SkillGroupQueueStatus, now time.Time) conditions.Condition {
	const condition = v1alpha1.ConditionQueueHealthy
	if seen == nil {
		return conditions.Unknown(condition, v1alpha1.ReasonNotReported, "No replica of the router says who waits")
	}
	var oldest time.Time
	if seen.OldestWaitingSince != nil {
		oldest = seen.OldestWaitingSince.Time
	}
	health := rules.Health(int(seen.Waiting), oldest, now)
	long := fmt.Sprintf("%d customers wait, more than %d", seen.Waiting, rules.AlertLength)
	slow := fmt.Sprintf("the first of them for more than %d minutes", int(queue.Slow.Minutes()))
	switch {
	case health.Long && health.Slow:
		return conditions.False(condition, v1alpha1.ReasonQueueLong, long+", "+slow)
	case health.Long:
		return conditions.False(condition, v1alpha1.ReasonQueueLong, long)
	case health.Slow:
		return conditions.False(condition, v1alpha1.ReasonQueueSlow, fmt.Sprintf("Somebody has waited for more than %d minutes; %d wait", int(queue.Slow.Minutes()), seen.Waiting))
	case seen.Waiting == 0:
		return conditions.True(condition, v1alpha1.ReasonQueueShort, "Nobody waits")
	}
	return conditions.True(condition, v1alpha1.ReasonQueueShort, fmt.Sprintf("No more than %d customers wait", rules.AlertLength))
}
