// Package holidaycalendar reconciles HolidayCalendars: it checks what a schema cannot, and reports whether the schedules that
// refer to one work by it and when next year's days are missing.
//
// It writes nothing but the status, and asks no replica: the ShiftSchedules know already which generation of their calendars
// is served. A calendar that ten thousand brands share would otherwise have all of their replicas asked whenever one restarts.
package holidaycalendar

import (
	"context"

	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/domain/schedule"
	"github.com/yingda-dev/yingda/internal/reporter"
	"github.com/yingda-dev/yingda/internal/retry"
	"github.com/yingda-dev/yingda/internal/telemetry"
)

// Reconciler reconciles HolidayCalendars.
type Reconciler struct{ *reporter.Reporter }

// New makes a Reconciler.
func New(o reporter.Options) *Reconciler { return &Reconciler{reporter.New("holidaycalendar", o)} }

// Reconcile brings the status of one HolidayCalendar up to date.
func (r *Reconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	seen, err := r.observe(ctx, req.NamespacedName)
	if err != nil || seen == nil || seen.calendar.DeletionTimestamp != nil {
		return r.Forget(req.NamespacedName, err)
	}
	now := r.Now()
	decided := decide(seen, now)
	after := status(seen, decided, now)
	return r.Report(ctx, reporter.Pass{
		Object: seen.calendar, Before: seen.calendar.Status.Conditions, Status: after, After: after.Conditions,
		Wake: decided.wake,
	})
}

// SetupWithManager says which changes a HolidayCalendar's state depends on.
func (r *Reconciler) SetupWithManager(mgr ctrl.Manager) error {
	return ctrl.NewControllerManagedBy(mgr).
		WithOptions(controller.Options{RateLimiter: retry.Limiter[ctrl.Request]()}).
		For(&v1alpha1.HolidayCalendar{}).
		Watches(&v1alpha1.ShiftSchedule{}, handler.EnqueueRequestsFromMapFunc(calendarsOf)).
		Complete(telemetry.Traced("holidaycalendar", r))
}

// calendarsOf are the calendars that a schedule refers to; of one that changed, before and after.
func calendarsOf(_ context.Context, obj client.Object) []reconcile.Request {
	user, ok := obj.(*v1alpha1.ShiftSchedule)
	if !ok {
		return nil
	}
	var requests []reconcile.Request
	for _, name := range schedule.CalendarNames(user.Spec) {
		requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKey{Name: name}})
	}
	return requests
}
