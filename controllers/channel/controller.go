// Package channel reconciles Channels and the connector pools that serve them.
//
// All Channels of one Brand and type share a pool, but for those that are Dedicated. Two reconcilers share the package and the field manager: one goes by
// Channel and only reports, the other goes by pool and renders the pool's objects from all of its Channels, so that ten
// thousand Channels cause one write to their pool and not ten thousand.
//
// Invariants: the pool's objects carry the label yingda.dev/pool and are controlled by the Brand; its Role names exactly
// the labelled Secrets of its Channels, and never no name at all, which would mean every Secret of the namespace. The
// controller reads no contents of Secrets.
package channel

import (
	"context"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/yingda-dev/yingda/internal/ack"
	"github.com/yingda-dev/yingda/internal/apply"
	"github.com/yingda-dev/yingda/internal/conditions"
	"github.com/yingda-dev/yingda/internal/dataplane"
)

// Reconciler reports on Channels.
type Reconciler struct {
	client   client.Client
	apply    *apply.Applier
	asker    ack.Asker
	backoff  *ack.Backoff
	recorder events.EventRecorder
	settings dataplane.Settings
	now      func() time.Time
	// confirmed says since when everybody is known to have confirmed the deletion of a Channel, by UID.
	confirmed sync.Map
}

// Options are what the reconcilers of the package work with.
type Options struct {
	Client   client.Client
	Live     client.Reader
	Asker    ack.Asker
	Recorder events.EventRecorder
	Settings dataplane.Settings
	Now      func() time.Time
}

// New makes the Reconciler of Channels.
func New(o Options) *Reconciler {
	return &Reconciler{
		client: o.Client, apply: apply.New(o.Client, o.Live, "channel"), asker: o.Asker, backoff: ack.NewBackoff(),
		recorder: o.Recorder, settings: o.Settings, now: o.Now,
	}
}

// Reconcile brings the status of one Channel up to date, and lets one that is deleted drain.
func (r *Reconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	seen, err := r.observe(ctx, req.NamespacedName)
	if err != nil || seen == nil {
		r.backoff.Forget(req.NamespacedName)
		return ctrl.Result{}, err
	}
	if seen.channel.DeletionTimestamp != nil {
		return r.leave(ctx, req, seen)
	}
	if !controllerutil.ContainsFinalizer(seen.channel, Finalizer) {
		err := r.apply.AddFinalizer(ctx, seen.channel, Finalizer)
		if apierrors.IsConflict(err) {
			err = nil
		}
		// The change, or what the cache missed, wakes the controller; a status written by this pass would be one more, and the
		// pass for the first would not know of the second.
		return ctrl.Result{}, err
	}
	decided := decide(seen, r.settings)
	wake := r.wake(req, seen, decided)
	if tooSoon(seen, decided, wake) {
		return ctrl.Result{RequeueAfter: wake}, nil
	}
	before := seen.channel.Status.Conditions
	after := status(seen, decided, r.now())
	changed, err := r.apply.Status(ctx, seen.channel, after)
	if err != nil {
		return ctrl.Result{}, err
	}
	if changed {
		conditions.Announce(r.recorder, seen.channel, before, after.Conditions)
	}
	return ctrl.Result{RequeueAfter: wake}, nil
}

// How long the pauses between looks at a new Channel grow before a first word that is not Ready: 3 s in all while replicas
// may still load it, less than one where something else is wrong.
const (
	patienceWithReplicas = 2 * time.Second
	patience             = 500 * time.Millisecond
)

// firstWord says whether a pass would be the first to say something of a Channel, and it is not that it is Ready.
func firstWord(seen *scene, decided verdict) bool {
	return seen.channel.Status.ObservedGeneration == 0 && decided.findings[0].Status != metav1.ConditionTrue
}

// tooSoon says whether to say nothing yet. The operator hears of a new Channel no later than its replicas do, and may hear of
// what it refers to later: a first status would say so, and a second one take it back at once, for ten thousand Channels
// twenty thousand writes.
func tooSoon(seen *scene, decided verdict, wake time.Duration) bool {
	limit := patience
	if decided.pending {
		limit = patienceWithReplicas
	}
	return firstWord(seen, decided) && wake < limit
}

// wake says when to ask the replicas again: soon while something is under way, slowly for what the platform may change
// without us, and not at all while there is nobody to ask.
func (r *Reconciler) wake(req ctrl.Request, seen *scene, decided verdict) time.Duration {
	if decided.pending || firstWord(seen, decided) {
		return r.backoff.Next(req.NamespacedName, seen.channel.Generation)
	}
	r.backoff.Forget(req.NamespacedName)
	if len(seen.inTheWay) > 0 {
		return apply.LookAgain
	}
	if len(seen.pool) == 0 {
		return 0
	}
	return ack.CredentialsInterval
}
