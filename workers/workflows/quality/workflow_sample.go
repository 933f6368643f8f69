// Package quality looks back on a brand's conversations: every day it gives some to those who judge them, every week it counts
// what they were about.
//
//	schedule 04:00 --> Sample: (Select -> Assign, 50 at a time) for each part of the day -> Remind of what is late
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
	day := promise.QualitySampleCarried{At: scheduledAt(ctx)}
	if input.Carried != nil {
		day = *input.Carried
	}
	for {
		selected, err := choose(ctx, Selection{
			At: day.At, TimeZone: input.TimeZone, Namespace: input.Namespace, Brand: input.Brand, Percent: input.SamplePercent,
			WaitedOverSeconds: input.ReviewResponsesOverSeconds, After: day.After, Given: day.Given,
		})
		if err != nil {
			return promise.QualitySampleResult{}, err
		}
		if err := assignAll(ctx, input, selected); err != nil {
			return promise.QualitySampleResult{}, err
		}
		day.After, day.Given, day.Chosen = selected.Next, selected.Given, day.Chosen+len(selected.Reviews)
		if day.After == nil {
			overdue, err := remind(ctx, Reminder{Day: selected.Day})
			return promise.QualitySampleResult{Day: selected.Day, Chosen: day.Chosen, Overdue: overdue}, err
		}
		if workflow.GetInfo(ctx).GetContinueAsNewSuggested() {
			input.Carried = &day
			return promise.QualitySampleResult{}, workflow.NewContinueAsNewError(ctx, promise.QualitySampleWorkflow, input)
		}
	}
}

// assignAll gives out what was chosen of a part of the day.
func assignAll(ctx workflow.Context, input promise.QualitySampleInput, selected Selected) error {
	for reviews := range slices.Chunk(selected.Reviews, perStep) {
		err := assign(ctx, Assignments{
			Namespace: input.Namespace, Brand: input.Brand, Day: selected.Day, DueWithinSeconds: input.DueWithinSeconds, Reviews: reviews,
			TimeZone: input.TimeZone,
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// scheduledAt is when the schedule was to start the workflow, which may be long before it did; when it started, without one.
func scheduledAt(ctx workflow.Context) time.Time {
	if at, scheduled := workflow.GetTypedSearchAttributes(ctx).GetTime(temporal.NewSearchAttributeKeyTime(promise.ScheduledAt)); scheduled {
		return at
	}
	return workflow.GetInfo(ctx).WorkflowStartTime
}
