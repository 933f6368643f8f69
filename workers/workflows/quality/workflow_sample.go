// Package quality looks back on a brand's conversations: every day it gives some to those who judge them, every week it counts
// what they were about.
//
//	schedule 04:00 --> Sample: Select -> Assign, 50 at a time -> Remind of what is late
//	schedule Monday 05:00 --> Week: Report
//
// What is drawn, what a question is and which words go with poor ratings is decided by internal/domain/quality; who judges
// how is decided at the desk. Invariants: every step has effect once, however often its activity runs; what customers wrote
// enters no history.
package quality

import (
	"slices"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/yingda-dev/yingda/internal/promise"
)

// perStep is how many judgements are given out by one activity.
const perStep = 50

// Sample gives the conversations of the day before to those who judge them; its type is promise.QualitySampleWorkflow.
func Sample(ctx workflow.Context, input promise.QualitySampleInput) (promise.QualitySampleResult, error) {
	at := scheduledAt(ctx)
	selected, err := choose(ctx, Selection{
		At: at, TimeZone: input.TimeZone, Namespace: input.Namespace, Brand: input.Brand, Percent: input.SamplePercent,
		WaitedOverSeconds: input.ReviewResponsesOverSeconds,
	})
	result := promise.QualitySampleResult{Day: selected.Day, Chosen: len(selected.Reviews), LeftOut: selected.LeftOut}
	if err != nil {
		return result, err
	}
	for reviews := range slices.Chunk(selected.Reviews, perStep) {
		err := assign(ctx, Assignments{
			Namespace: input.Namespace, Brand: input.Brand, Day: selected.Day, DueWithinSeconds: input.DueWithinSeconds, Reviews: reviews,
			TimeZone: input.TimeZone,
		})
		if err != nil {
			return result, err
		}
	}
	result.Overdue, err = remind(ctx, Reminder{Day: selected.Day})
	return result, err
}

// scheduledAt is when the schedule was to start the workflow, which may be long before it did; when it started, without one.
func scheduledAt(ctx workflow.Context) time.Time {
	if at, scheduled := workflow.GetTypedSearchAttributes(ctx).GetTime(temporal.NewSearchAttributeKeyTime(promise.ScheduledAt)); scheduled {
		return at
	}
	return workflow.GetInfo(ctx).WorkflowStartTime
}
