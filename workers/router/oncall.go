package router

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/catalog"
	"github.com/yingda-dev/yingda/internal/configz"
	"github.com/yingda-dev/yingda/internal/domain/oncall"
	"github.com/yingda-dev/yingda/internal/domain/roster"
	"github.com/yingda-dev/yingda/internal/promise"
	"github.com/yingda-dev/yingda/internal/store/db"
)

const (
	callsInterval = time.Second
	// callsKept is how long what came of the last calls is taken to be the same while no group calls.
	callsKept = 10 * time.Second
	// callAttempts are made in an hour, about.
	callAttempts = 16
	// callPause follows the first attempt and doubles up to callPauseMost. It is longer than an attempt may take, so that no two
	// routers try at the same time.
	callPause, callPauseMost = 10 * time.Second, 5 * time.Minute
)

// watchCalls has the Brand's webhook told of calls for help until ctx ends. It waits for others' servers, which nothing else
// in the router may wait for.
func (r *Router) watchCalls(ctx context.Context) {
	ticker := time.NewTicker(callsInterval)
	defer ticker.Stop()
	for {
		if err := r.passCallsOn(ctx); err != nil && ctx.Err() == nil {
			r.Logger.Warn("Telling the webhook who is called failed", "error", err)
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

// passCallsOn tells the webhook of each call for help once, as far as it takes it: a row says what was tried, and all routers see
// it. A router that dies between the attempt and its outcome has another one try again, with the same ID.
//
//	called --no row of this call: attempt--> tried --delivered, given up, or enough agents--> silent
//	                                          tried --a pause: attempt--> tried
func (r *Router) passCallsOn(ctx context.Context) error {
	snapshot := r.Catalog.Snapshot()
	calling := r.calling(snapshot)
	if brand := snapshot.Brand; brand == nil || brand.Spec.OnCall == nil || len(calling) == 0 && r.Now().Sub(r.callsRead) < callsKept {
		return nil
	}
	rows, err := r.Store.Queries().CallNotices(ctx)
	if err != nil {
		return fmt.Errorf("reading what it was told: %w", err)
	}
	r.callsRead = r.Now()
	told, calls := map[string]db.CallNotice{}, map[string]configz.Call{}
	for _, row := range rows {
		told[row.SkillGroup] = row
		if row.Outcome != "" {
			calls[row.SkillGroup] = configz.Call{
				Since: row.Since.UTC(), Attempts: row.Attempts, Outcome: configz.CallOutcome(row.Outcome), Code: row.Code,
				GivenUp: !row.Delivered && row.Attempts >= callAttempts,
			}
		}
	}
	r.calls.Store(&calls)
	var failed []error
	for _, call := range calling {
		attempt := r.attempt(told[call.key], call.notice.Since)
		if attempt == 0 {
			continue
		}
		if err := r.tell(ctx, snapshot.Brand.Spec.OnCall.Webhook, call, attempt); err != nil {
			failed = append(failed, fmt.Errorf("%s, attempt %d of %d: %w", call.key, attempt, callAttempts, err))
		}
	}
	return errors.Join(failed...)
}

// Calls are what came of each group's last call for help; nil while nobody has looked.
func (r *Router) Calls() map[string]configz.Call {
	if calls := r.calls.Load(); calls != nil {
		return *calls
	}
	return nil
}

// helpCall is a call for help that the webhook is to be told of.
type helpCall struct {
	// key tells what calls from what else does: the name of a group, or what no group is called.
	key    string
	notice oncall.Notice
}

// calling are the groups that call for help, and the emergencies, if there is a webhook that may be told.
func (r *Router) calling(snapshot *catalog.Snapshot) []helpCall {
	brand := snapshot.Brand
	if brand == nil || brand.DeletionTimestamp != nil || brand.Spec.OnCall == nil ||
		!oncall.Allowed(brand.Spec.OnCall.Webhook.URL, r.Webhook.AllowedHosts) {
		return nil
	}
	names := r.Names
	var calls []helpCall
	for _, group := range snapshot.Groups() {
		if group.Call == nil || group.Call.Since.IsZero() {
			continue
		}
		notice := oncall.Notice{
			ID:   oncall.ID(names.Namespace, names.Brand, group.Name, group.Call.Since),
			Type: oncall.TypeCalled, Namespace: names.Namespace, Brand: names.Brand, SkillGroup: group.Name, DisplayName: cmp.Or(group.Spec.DisplayName, group.Name),
			Since: group.Call.Since, Wanted: group.Call.Wanted, OnDuty: group.Call.OnDuty, OnCall: snapshot.OnCall(group.Name),
		}
		for _, short := range roster.Shortfalls(group.Spec.Seats, group.Call.Forecast, group.Schedule, r.Now()) {
			notice.Shortfalls = append(notice.Shortfalls, oncall.Shortfall{From: short.From.UTC(), To: short.To.UTC(), Wanted: short.Wanted, Scheduled: short.Scheduled})
		}
		calls = append(calls, helpCall{group.Name, notice})
	}
	for _, e := range *r.emergencies.Load() {
		if e.EndedAt != nil {
			continue
		}
		// No group is called by the id of a workflow.
		id := promise.EmergencyID(names.Namespace, names.Brand, e.Number)
		calls = append(calls, helpCall{id, oncall.Notice{
			ID: id, Type: oncall.TypeEmergency, Namespace: names.Namespace, Brand: names.Brand, SkillGroup: e.SkillGroup,
			DisplayName: scopeName(snapshot, e.SkillGroup), Since: e.StartedAt.UTC(), OnCall: append([]string{}, snapshot.OnCall(e.SkillGroup)...),
		}})
	}
	return calls
}

// attempt is the number of the attempt to make now; 0 for none.
func (r *Router) attempt(told db.CallNotice, since time.Time) int32 {
	switch {
	case told.Since.Before(since):
		return 1
	case told.Since.After(since) || told.Delivered || told.Attempts >= callAttempts || r.Now().Before(told.NotBefore):
		return 0
	}
	return told.Attempts + 1
}

// tell makes an attempt, unless another router does.
func (r *Router) tell(ctx context.Context, hook yingdav1.OnCallWebhook, call helpCall, attempt int32) error {
	since := call.notice.Since
	claimed, err := r.Store.Queries().CallNoticeClaim(ctx, call.key, since, attempt, r.Now().UTC().Add(pauseAfter(attempt)))
	if err != nil {
		return fmt.Errorf("claiming it: %w", err)
	}
	if claimed == 0 {
		return nil
	}
	outcome, code, failed := r.callWebhook(ctx, hook, call.notice)
	r.Metrics.webhooks.WithLabelValues(string(outcome)).Inc()
	if err := r.Store.Queries().CallNoticeOutcome(ctx, string(outcome), code, call.key, since); err != nil {
		failed = errors.Join(failed, fmt.Errorf("noting what came of it: %w", err))
	}
	return failed
}

// pauseAfter is how long the next attempt waits.
func pauseAfter(attempt int32) time.Duration {
	pause := callPause
	for ; attempt > 1 && pause < callPauseMost; attempt-- {
		pause *= 2
	}
	return min(pause, callPauseMost)
}
