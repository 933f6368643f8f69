package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
)

const (
	floorQueue  = "floor"
	floorSignal = "go-on"
	// parallel is how many calls are under way at once, on both sides.
	parallel = 20
)

// The steps of a floor's workflow.
const (
	stepTimer    = "timer"
	stepActivity = "activity"
	stepLocal    = "local activity"
	stepSignal   = "signal"
)

// script returns the steps that a workflow has gone through, in their order, and how many workflow tasks they took.
func script(ctx context.Context, c client.Client, id string) (steps []string, tasks int, err error) {
	history := c.GetWorkflowHistory(ctx, id, "", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for history.HasNext() {
		event, err := history.Next()
		if err != nil {
			return nil, 0, fmt.Errorf("reading the history of a case: %w", err)
		}
		switch event.GetEventType() {
		case enumspb.EVENT_TYPE_TIMER_STARTED:
			steps = append(steps, stepTimer)
		case enumspb.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
			steps = append(steps, stepActivity)
		case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED:
			steps = append(steps, stepSignal)
		case enumspb.EVENT_TYPE_MARKER_RECORDED:
			if event.GetMarkerRecordedEventAttributes().GetMarkerName() == "LocalActivity" {
				steps = append(steps, stepLocal)
			}
		case enumspb.EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
			tasks++
		default:
		}
	}
	return steps, tasks, nil
}

// floorWorkflow goes through the steps. A timer of it is one that somebody gives up, as a deadline that is kept.
func floorWorkflow(ctx workflow.Context, steps []string) error {
	activities := workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: time.Minute})
	locals := workflow.WithLocalActivityOptions(ctx, workflow.LocalActivityOptions{StartToCloseTimeout: time.Minute})
	for _, step := range steps {
		var err error
		switch step {
		case stepTimer:
			timers, cancel := workflow.WithCancel(ctx)
			_ = workflow.NewTimer(timers, time.Hour)
			defer cancel()
		case stepActivity:
			err = workflow.ExecuteActivity(activities, nothing).Get(ctx, nil)
		case stepLocal:
			err = workflow.ExecuteLocalActivity(locals, nothing).Get(ctx, nil)
		case stepSignal:
			workflow.GetSignalChannel(ctx, floorSignal).Receive(ctx, nil)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// oneTimer ends when its time has come.
func oneTimer(ctx workflow.Context, due time.Time) error {
	return workflow.Sleep(ctx, due.Sub(workflow.Now(ctx)))
}

func nothing(context.Context) error { return nil }

// startFloor makes a worker serve the floor's workflows.
func startFloor(c client.Client, o worker.Options) (worker.Worker, error) {
	w := worker.New(c, floorQueue, o)
	w.RegisterWorkflow(floorWorkflow)
	w.RegisterWorkflow(oneTimer)
	w.RegisterActivity(nothing)
	if err := w.Start(); err != nil {
		return nil, fmt.Errorf("starting the floor's worker: %w", err)
	}
	return w, nil
}

// floorTurn takes n cases from their start to their end.
func floorTurn(ctx context.Context, c client.Client, turn string, steps []string, n int) (taken, error) {
	began := time.Now()
	id := func(i int) string { return fmt.Sprintf("floor/%s/%d", turn, i) }
	if err := each(n, func(i int) error {
		_, err := c.ExecuteWorkflow(ctx, client.StartWorkflowOptions{ID: id(i), TaskQueue: floorQueue}, floorWorkflow, steps)
		return err
	}); err != nil {
		return taken{}, fmt.Errorf("starting the floor's workflows: %w", err)
	}
	started := time.Since(began)
	err := errors.Join(
		each(n, func(i int) error {
			for _, step := range steps {
				if step == stepSignal {
					if err := c.SignalWorkflow(ctx, id(i), "", floorSignal, nil); err != nil {
						return err
					}
				}
			}
			return nil
		}),
		each(n, func(i int) error { return c.GetWorkflow(ctx, id(i), "").Get(ctx, nil) }),
	)
	return taken{n, started, time.Since(began)}, err
}

// floorDeadlines starts n workflows with one timer that is due at one time, and returns how long after that all have ended.
func floorDeadlines(ctx context.Context, c client.Client, turn string, due time.Time, n int) (time.Duration, error) {
	id := func(i int) string { return fmt.Sprintf("timer/%s/%d", turn, i) }
	if err := each(n, func(i int) error {
		_, err := c.ExecuteWorkflow(ctx, client.StartWorkflowOptions{ID: id(i), TaskQueue: floorQueue}, oneTimer, due)
		return err
	}); err != nil {
		return 0, fmt.Errorf("starting the floor's timers: %w", err)
	}
	if left := time.Until(due); left <= 0 {
		return 0, errors.New("the timers were due before all of them ran: allow more time to start them")
	}
	err := each(n, func(i int) error { return c.GetWorkflow(ctx, id(i), "").Get(ctx, nil) })
	return time.Since(due), err
}
