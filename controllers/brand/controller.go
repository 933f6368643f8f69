// Package brand reconciles Brands: it has the Brand's topics, schema and Temporal namespace set up by a Job, runs its
// router, workflow worker and desk, and reports on them.
//
// The controller touches neither Kafka, nor Postgres, nor Temporal, nor the contents of Secrets: the Job does, with the
// Brand's own credentials. Deployments are made once the Job is done, and left as they are while a later one runs.
//
// Invariants: everything made here carries the label yingda.dev/brand and not yingda.dev/pool (the connector pools are the
// Channel controller's), and is controlled by the Brand. Topics and data outlive the Brand, unless its deletionPolicy is
// Delete.
package brand

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/selection"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/ack"
	"github.com/yingda-dev/yingda/internal/apply"
	"github.com/yingda-dev/yingda/internal/conditions"
	"github.com/yingda-dev/yingda/internal/dataplane"
)

// Finalizer keeps a Brand while Channels refer to it.
const Finalizer = "yingda.dev/brand"

// Reconciler reconciles Brands.
type Reconciler struct {
	client   client.Client
	apply    *apply.Applier
	asker    ack.Asker
	backoff  *ack.Backoff
	turns    *conditions.Turns
	recorder events.EventRecorder
	settings dataplane.Settings
	now      func() time.Time
}

// Options are what a Reconciler works with.
type Options struct {
	Client   client.Client
	Live     client.Reader
	Asker    ack.Asker
	Recorder events.EventRecorder
	Settings dataplane.Settings
	Now      func() time.Time
}

// New makes a Reconciler.
func New(o Options) *Reconciler {
	return &Reconciler{
		client: o.Client, apply: apply.New(o.Client, o.Live, "brand"), asker: o.Asker, backoff: ack.NewBackoff(), turns: conditions.NewTurns(),
		recorder: o.Recorder, settings: o.Settings, now: o.Now,
	}
}

// Reconcile brings one Brand closer to what it declares.
func (r *Reconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	seen, err := r.observe(ctx, req.NamespacedName)
	if err != nil || seen == nil {
		r.forget(req, err)
		return ctrl.Result{}, err
	}
	objects, err := render(seen.brand, seen.Logins, seen.scales, r.settings)
	if err != nil {
		return ctrl.Result{}, fmt.Errorf("rendering Brand %s: %w", req.Name, err)
	}
	now := r.now()
	decided := decide(seen, *objects.setup.GetName(), now)
	if decided.release {
		r.backoff.Forget(req.NamespacedName)
		return ctrl.Result{}, r.apply.RemoveFinalizer(ctx, seen.brand, Finalizer)
	}
	if decided.tearDown {
		return r.tearDown(ctx, req, seen)
	}
	var applyErr error
	if seen.inTheWay, applyErr = r.bringAbout(ctx, seen, decided, objects); len(seen.inTheWay) > 0 {
		decided = decide(seen, *objects.setup.GetName(), now)
	}
	applyErr = apply.IgnoreNamespaceEnd(applyErr)
	outcome, err := r.report(ctx, seen, decided, now)
	switch {
	case err != nil:
		return ctrl.Result{}, err
	case applyErr != nil:
		return ctrl.Result{}, applyErr
	case outcome == apply.Behind:
		return ctrl.Result{RequeueAfter: apply.CatchUp}, nil
	}
	return ctrl.Result{RequeueAfter: r.wake(req, seen, decided)}, nil
}

// forget ends what is known of a Brand that is gone or cannot be looked at.
func (r *Reconciler) forget(req ctrl.Request, err error) {
	r.backoff.Forget(req.NamespacedName)
	if err == nil {
		r.turns.Forget(req.NamespacedName)
	}
}

func (r *Reconciler) bringAbout(ctx context.Context, seen *scene, decided verdict, objects rendered) (inTheWay []string, err error) {
	if seen.brand.DeletionTimestamp == nil {
		if err := r.apply.AddFinalizer(ctx, seen.brand, Finalizer); err != nil {
			return nil, err
		}
	}
	var running apply.Phase
	if decided.provisioning.retire != nil {
		if err := r.apply.Delete(ctx, decided.provisioning.retire); err != nil {
			return nil, err
		}
	}
	if decided.provisioning.run {
		running = append(running, objects.setup)
	}
	if decided.serve {
		running = append(running, objects.serving...)
		if err := r.leaveReplicas(ctx, seen); err != nil {
			return nil, err
		}
	}
	// Pods are refused without the identity that they run under.
	if inTheWay, err = r.apply.Objects(ctx, seen.brand, objects.always, running); err != nil {
		return inTheWay, fmt.Errorf("bringing about Brand %s: %w", seen.brand.Name, err)
	}
	for _, route := range objects.routes {
		refusal, err := r.apply.Refusable(ctx, seen.brand, route)
		if err != nil {
			return inTheWay, fmt.Errorf("exposing the desk of Brand %s: %w", seen.brand.Name, err)
		}
		if refusal != "" {
			r.recorder.Eventf(seen.brand, nil, corev1.EventTypeWarning, v1alpha1.ReasonNotAccepted, "Expose", "%s", conditions.Bound(refusal))
		}
	}
	// An autoscaler of the other kind goes before one comes: of two for one workload the second would be refused.
	if err := r.prune(ctx, seen.brand, objects); err != nil {
		return inTheWay, err
	}
	return inTheWay, r.scale(ctx, seen, objects)
}

// prune removes what the Brand no longer has: setup Jobs of before, and whatever an older operator made.
func (r *Reconciler) prune(ctx context.Context, brand *v1alpha1.Brand, objects rendered) error {
	notAPool, err := labels.NewRequirement(dataplane.LabelPool, selection.DoesNotExist, nil)
	if err != nil {
		return fmt.Errorf("selecting what belongs to the Brand: %w", err)
	}
	selector := labels.SelectorFromSet(labels.Set{dataplane.LabelBrand: brand.Name, dataplane.LabelManagedBy: dataplane.ManagedBy}).Add(*notAPool)
	return r.apply.Prune(ctx, brand, selector, objects.all(), dataplane.Kinds(r.settings)...)
}

func (r *Reconciler) report(ctx context.Context, seen *scene, decided verdict, now time.Time) (apply.Outcome, error) {
	before := seen.brand.Status.Conditions
	after := status(seen, decided, r.settings, now)
	outcome, err := r.apply.Status(ctx, seen.brand, after)
	if err != nil {
		return outcome, err
	}
	if outcome == apply.Written {
		conditions.Announce(r.recorder, seen.brand, before, after.Conditions)
		r.turns.Announce(r.recorder, seen.brand, before, after.Conditions, v1alpha1.ConditionDependenciesReachable)
		r.turns.Announce(r.recorder, seen.brand, before, after.Conditions, v1alpha1.ConditionMailReached)
	}
	return outcome, nil
}

// wake says when to look again though nothing changed: while replicas have not loaded the Brand, when a failed setup has
// rested, while something is in the way, when the schedules want another number of replicas, and from time to time as long as
// there is somebody to ask what is in reach.
func (r *Reconciler) wake(req ctrl.Request, seen *scene, decided verdict) time.Duration {
	wake := decided.provisioning.wake
	if wake == 0 && (len(seen.inTheWay) > 0 || seen.unscaled) {
		wake = apply.LookAgain
	}
	for _, component := range components() {
		wake = seen.scales[component].plan.Wake(r.now(), wake)
	}
	if seen.asked > 0 && (wake == 0 || wake > dependenciesInterval) {
		wake = dependenciesInterval
	}
	if !decided.pending {
		r.backoff.Forget(req.NamespacedName)
		return wake
	}
	next := r.backoff.Next(req.NamespacedName, seen.brand.Generation)
	if wake > 0 {
		return min(wake, next)
	}
	return next
}
