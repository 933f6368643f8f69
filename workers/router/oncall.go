package router

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/yingda-dev/yingda/internal/catalog"
	"github.com/yingda-dev/yingda/internal/configz"
	"github.com/yingda-dev/yingda/internal/domain/oncall"
	"github.com/yingda-dev/yingda/internal/domain/roster"
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
	for _, group := range calling {
		attempt := r.attempt(told[group.Name], group.Call)
		if attempt == 0 {
			continue
		}
		if err := r.tell(ctx, snapshot, group, attempt); err != nil {
			failed = append(failed, fmt.Errorf("group %s, attempt %d of %d: %w", group.Name, attempt, callAttempts, err))
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

// calling are the groups that call for help, if there is a webhook that may be told.
func (r *Router) calling(snapshot *catalog.Snapshot) []*catalog.Group {
	brand := snapshot.Brand
	if brand == nil || brand.DeletionTimestamp != nil || brand.Spec.OnCall == nil ||
		!oncall.Allowed(brand.Spec.OnCall.Webhook.URL, r.Webhook.AllowedHosts) {
		return nil
	}
	var groups []*catalog.Group
	for _, group := range snapshot.Groups() {
		if group.Call != nil && !group.Call.Since.IsZero() {
			groups = append(groups, group)
		}
	}
	return groups
}

// attempt is the number of the attempt to make now; 0 for none.
func (r *Router) attempt(told db.CallNotice, call *catalog.Call) int32 {
	switch {
	case told.Since.Before(call.Since):
		return 1
	case told.Since.After(call.Since) || told.Delivered || told.Attempts >= callAttempts || r.Now().Before(told.NotBefore):
		return 0
	}
	return told.Attempts + 1
}

// tell makes an attempt, unless another router does.
func (r *Router) tell(ctx context.Context, snapshot *catalog.Snapshot, group *catalog.Group, attempt int32) error {
	since := group.Call.Since
	claimed, err := r.Store.Queries().CallNoticeClaim(ctx, group.Name, since, attempt, r.Now().UTC().Add(pauseAfter(attempt)))
	if err != nil {
		return fmt.Errorf("claiming it: %w", err)
	}
	if claimed == 0 {
		return nil
	}
	notice := oncall.Notice{
		ID:   oncall.ID(r.Names.Namespace, r.Names.Brand, group.Name, since),
		Type: oncall.TypeCalled, Namespace: r.Names.Namespace, Brand: r.Names.Brand, SkillGroup: group.Name, DisplayName: cmp.Or(group.Spec.DisplayName, group.Name),
		Since: since, Wanted: group.Call.Wanted, OnDuty: group.Call.OnDuty, OnCall: snapshot.OnCall(group.Name),
	}
	for _, short := range roster.Shortfalls(group.Spec.Seats, group.Call.Forecast, group.Schedule, r.Now()) {
		notice.Shortfalls = append(notice.Shortfalls, oncall.Shortfall{From: short.From.UTC(), To: short.To.UTC(), Wanted: short.Wanted, Scheduled: short.Scheduled})
	}
	outcome, code, failed := r.callWebhook(ctx, snapshot.Brand.Spec.OnCall.Webhook, notice)
	r.Metrics.webhooks.WithLabelValues(string(outcome)).Inc()
	if err := r.Store.Queries().CallNoticeOutcome(ctx, string(outcome), code, group.Name, since); err != nil {
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
