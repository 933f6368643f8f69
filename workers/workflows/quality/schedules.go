package quality

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/yingda-dev/yingda/internal/promise"
)

const (
	// lookAgain is how often schedules are compared without a change: somebody may have removed one.
	lookAgain = 10 * time.Minute
	// The pauses between tries.
	shortestPause, longestPause = time.Second, time.Minute
	// scheduleCall bounds a call.
	scheduleCall = 10 * time.Second
	// awaited is for how long a day is done late rather than not at all: its run waits so long for a worker, or for its turn behind those
	// of the days before, and is made up for when the service was away. It bounds what a run that cannot end keeps from its turn.
	awaited = 30 * 24 * time.Hour
)

// Settings say how a brand looks back on its conversations.
type Settings struct {
	// On is false where nobody does: there are no schedules then.
	On                  bool
	SamplePercent       int32
	ReviewResponsesOver time.Duration
	DueWithin           time.Duration
	TimeZone            string
}

// Schedules keep a brand's schedules as its resources say. Every replica of the worker does so: what one has done is found done
// by the others.
type Schedules struct {
	Client client.ScheduleClient
	// TaskQueue is where the workflows run.
	TaskQueue        string
	Namespace, Brand string
	// Settings are those in force now.
	Settings func() Settings
	// Changed tells that they may have changed.
	Changed <-chan struct{}
	Logger  *slog.Logger
}

// Run keeps the schedules until ctx ends.
func (s *Schedules) Run(ctx context.Context) error {
	var kept *Settings
	pause := shortestPause
	again := time.NewTimer(0)
	defer again.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-s.Changed:
			if kept != nil && *kept == s.Settings() {
				continue
			}
		case <-again.C:
		}
		wanted := s.Settings()
		err := s.Ensure(ctx, wanted)
		if err != nil && ctx.Err() == nil {
			s.Logger.Warn("Cannot keep the schedules yet", "error", err)
			kept = nil
			again.Reset(pause)
			pause = min(2*pause, longestPause)
			continue
		}
		kept, pause = &wanted, shortestPause
		again.Reset(lookAgain)
	}
}

// Ensure makes the schedules what the settings say.
func (s *Schedules) Ensure(ctx context.Context, settings Settings) error {
	for _, wanted := range s.schedules(settings) {
		var err error
		if settings.On {
			err = s.keep(ctx, wanted)
		} else {
			err = s.remove(ctx, wanted.ID)
		}
		if err != nil {
			return fmt.Errorf("keeping the schedule %s: %w", wanted.ID, err)
		}
	}
	return nil
}

// schedules are those of a brand that looks back.
func (s *Schedules) schedules(settings Settings) []client.ScheduleOptions {
	brand := s.Namespace + "/" + s.Brand
	return []client.ScheduleOptions{
		s.schedule("quality-sample/"+brand, "0 4 * * *", settings, promise.QualitySampleWorkflow, promise.QualitySampleInput{
			Namespace: s.Namespace, Brand: s.Brand, SamplePercent: settings.SamplePercent, TimeZone: settings.TimeZone,
			ReviewResponsesOverSeconds: int64(settings.ReviewResponsesOver / time.Second), DueWithinSeconds: int64(settings.DueWithin / time.Second),
		}),
		s.schedule("quality-week/"+brand, "0 5 * * 1", settings, promise.QualityWeekWorkflow, promise.QualityWeekInput{
			Namespace: s.Namespace, Brand: s.Brand, TimeZone: settings.TimeZone,
		}),
	}
}

func (s *Schedules) schedule(id, cron string, settings Settings, workflowType string, input any) client.ScheduleOptions {
	return client.ScheduleOptions{
		ID:   id,
		Spec: client.ScheduleSpec{CronExpressions: []string{cron}, TimeZoneName: settings.TimeZone},
		Action: &client.ScheduleWorkflowAction{
			ID: id, Workflow: workflowType, Args: []any{input}, TaskQueue: s.TaskQueue, WorkflowRunTimeout: awaited,
		},
		// A day that takes long, or waits for a worker, costs no other its turn: they come one after the other, the oldest first, and after
		// weeks without a worker there are not as many reports at once in its memory.
		Overlap:       enumspb.SCHEDULE_OVERLAP_POLICY_BUFFER_ALL,
		CatchupWindow: awaited,
		// By which a schedule is compared: the service brings the rest into a form of its own.
		Note: fmt.Sprintf("%s in %s with %+v, awaited for %s", cron, settings.TimeZone, input, awaited),
	}
}

// keep makes a schedule, or changes it where it is another one. A schedule that somebody has paused stays paused.
func (s *Schedules) keep(ctx context.Context, wanted client.ScheduleOptions) error {
	ctx, cancel := context.WithTimeout(ctx, scheduleCall)
	defer cancel()
	handle := s.Client.GetHandle(ctx, wanted.ID)
	is, err := handle.Describe(ctx)
	if missing(err) {
		_, err = s.Client.Create(ctx, wanted)
		if !errors.Is(err, temporal.ErrScheduleAlreadyRunning) {
			return err
		}
		// Another replica was quicker.
		is, err = handle.Describe(ctx)
	}
	if err != nil || is.Schedule.State.Note == wanted.Note {
		return err
	}
	return handle.Update(ctx, client.ScheduleUpdateOptions{DoUpdate: func(now client.ScheduleUpdateInput) (*client.ScheduleUpdate, error) {
		changed := now.Description.Schedule
		changed.Action, changed.Spec, changed.State.Note = wanted.Action, &wanted.Spec, wanted.Note
		changed.Policy = &client.SchedulePolicies{Overlap: wanted.Overlap, CatchupWindow: wanted.CatchupWindow}
		return &client.ScheduleUpdate{Schedule: &changed}, nil
	}})
}

func (s *Schedules) remove(ctx context.Context, id string) error {
	ctx, cancel := context.WithTimeout(ctx, scheduleCall)
	defer cancel()
	err := s.Client.GetHandle(ctx, id).Delete(ctx)
	if missing(err) {
		return nil
	}
	return err
}

func missing(err error) bool {
	_, notFound := errors.AsType[*serviceerror.NotFound](err)
	return notFound
}
