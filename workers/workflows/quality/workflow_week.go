package quality

import (
	"go.temporal.io/sdk/workflow"

	"github.com/yingda-dev/yingda/internal/promise"
)

// Week counts what the conversations of the week before were about; its type is promise.QualityWeekWorkflow.
func Week(ctx workflow.Context, input promise.QualityWeekInput) (promise.QualityWeekResult, error) {
	return count(ctx, Weeks{At: scheduledAt(ctx), TimeZone: input.TimeZone, Weeks: input.Weeks, LastWeek: input.LastWeek})
}
