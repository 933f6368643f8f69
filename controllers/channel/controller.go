// Package channel reconciles Channels and the connector pools that serve them.
//
// All Channels of one Brand and type share a pool, but for those that are Dedicated. Three reconcilers share the package: one
// goes by Channel and only reports; one goes by pool and renders the pool's objects from all of its Channels, so that ten
// thousand Channels cause one write to their pool and not ten thousand; one asks the replicas of a pool, once for all of its
// Channels, and wakes the first for those alone of which they say something new.
//
// Invariants: the pool's objects carry the label yingda.dev/pool and are controlled by the Brand; its Role names exactly
// the labelled Secrets of its Channels, and never no name at all, which would mean every Secret of the namespace. The
// controller reads no contents of Secrets.
package channel

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/yingda-dev/yingda/api/v1alpha1"
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
	turns    *conditions.Turns
	settings dataplane.Settings
	now      func() time.Time
	// following knows what passes were told by replicas, obstacles what keeps their pools from being brought about.
	following *following
	obstacles *obstacles
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
		recorder: o.Recorder, turns: conditions.NewTurns(), settings: o.Settings, now: o.Now, following: newFollowing(), obstacles: newObstacles(),
	}
}

// Reconcile brings the status of one Channel up to date, and lets one that is deleted drain.
func (r *Reconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	seen, err := r.observe(ctx, req.NamespacedName)
	if err != nil || seen == nil {
		if err == nil {
			r.backoff.Forget(req.NamespacedName)
			r.following.forget(req.NamespacedName)
			r.turns.Forget(req.NamespacedName)
		}
		return ctrl.Result{}, err
	}
	if seen.channel.DeletionTimestamp != nil {
		r.following.forget(req.NamespacedName)
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
	now := r.now()
	since := r.following.heard(seen.channel, word{told: seen.say(seen.channel.Name), waits: decided.pending}, now)
	if rest := hold(seen, decided, now.Sub(since), now); rest > 0 {
		return ctrl.Result{RequeueAfter: rest}, nil
	}
	foreign, err := r.foreignRoute(ctx, seen)
	if err != nil {
		return ctrl.Result{}, fmt.Errorf("observing Channel %s: %w", req.Name, err)
	}
	if len(foreign) > 0 {
		seen.met.inTheWay = slices.Concat(seen.met.inTheWay, foreign)
		decided = decide(seen, r.settings)
	}
	result, err := r.report(ctx, seen, decided, now)
	if len(foreign) > 0 && result.RequeueAfter == 0 {
		result.RequeueAfter = apply.LookAgain
	}
	return result, err
}

func (r *Reconciler) report(ctx context.Context, seen *scene, decided verdict, now time.Time) (ctrl.Result, error) {
	before, after := seen.channel.Status.Conditions, status(seen, decided, now)
	outcome, err := r.apply.Status(ctx, seen.channel, after)
	switch {
	case err != nil:
		return ctrl.Result{}, err
	case outcome == apply.Behind:
		return ctrl.Result{RequeueAfter: apply.CatchUp}, nil
	case outcome == apply.Written:
		conditions.Announce(r.recorder, seen.channel, before, after.Conditions)
		r.announceWaits(seen.channel, before, after.Conditions)
	}
	// Whatever else may change wakes the controller, but that an autoscaler goes on to be idle; replicas are asked by the
	// ReplicaReconciler.
	_, early := dataplane.Idle(seen.autoscaler, now)
	return ctrl.Result{RequeueAfter: early}, nil
}

// announceWaits tells by events what somebody has to do, and that it is done, unless it is what Ready tells. That the platform
// has not called a new Channel is no news.
func (r *Reconciler) announceWaits(channel *v1alpha1.Channel, before, after []metav1.Condition) {
	ready, _ := conditions.Find(after, v1alpha1.ConditionReady)
	for _, condition := range []string{
		v1alpha1.ConditionPermissionGranted, v1alpha1.ConditionQuotaHealthy, v1alpha1.ConditionMenuPublished, v1alpha1.ConditionMenuAnswered,
	} {
		if found, _ := conditions.Find(after, condition); ready.Status != metav1.ConditionFalse || ready.Reason != found.Reason {
			r.turns.Announce(r.recorder, channel, before, after, condition)
		}
	}
}

// For how long nothing is said of what may pass by itself in a moment, of the first pod of a new Channel's own pool besides, of a
// pool that was not looked at yet, of a further step towards Ready, and of what may be on its way to a new Channel that refers to it.
const (
	patienceWithReplicas = 3 * time.Second
	patienceWithFirstPod = 8 * time.Second
	patienceWithPool     = 20 * time.Second
	patienceWithSteps    = 20 * time.Second
	patience             = time.Second
)

// hold says for how long to say nothing yet of a Channel that is not Ready. The operator hears of a change no later than
// replicas do, and of a new Channel maybe sooner than of what it refers to: a status would say so, and a second one take it back
// at once, for ten thousand Channels twenty thousand writes. Until then the status speaks of the generation of before, and says
// that it does. Of many Channels that keep coming each waits for its pool's Role, too.
func hold(seen *scene, decided verdict, waited time.Duration, now time.Time) time.Duration {
	ready, published := decided.findings[0], seen.channel.Status.Conditions
	was, said := conditions.Find(published, v1alpha1.ConditionReady)
	withReplicas := patienceWithReplicas
	switch {
	case seen.unnamed:
		withReplicas += mostPoolSpacing
	case !said && seen.channel.Spec.Isolation == v1alpha1.IsolationDedicated && ready.Reason != v1alpha1.ReasonBrandNotReady:
		withReplicas += patienceWithFirstPod
	}
	switch {
	case !seen.looked && (obstructed(published) || !said && conditions.Passes(ready.Reason)):
		// After a restart nobody knows yet what was in the way; and of 500 pools that come at once each has its turn.
		return max(0, patienceWithPool-waited)
	case ready.Status == metav1.ConditionTrue:
		return 0
	case ready.Reason == v1alpha1.ReasonBrandNotReady && said:
		return 0
	case !conditions.Passes(ready.Reason):
		if said {
			return 0
		}
		return max(0, patience-waited)
	case decided.pending, !said:
		return max(0, withReplicas-waited)
	case conditions.Passes(was.Reason):
		// One more step towards Ready. The API server's clock, by which it was said, may be ahead.
		return min(patienceWithSteps, max(0, lastSaid(seen.channel).Add(patienceWithSteps).Sub(now)))
	}
	return 0
}

// obstructed says whether a status says that something keeps the pool from being brought about.
func obstructed(published []metav1.Condition) bool {
	found, _ := conditions.Find(published, v1alpha1.ConditionReferencesResolved)
	return found.Reason == v1alpha1.ReasonNameTaken || found.Reason == v1alpha1.ReasonNotAccepted
}

// lastSaid is when the status was written that a Channel has.
func lastSaid(channel *v1alpha1.Channel) time.Time {
	for _, entry := range channel.ManagedFields {
		if entry.Subresource == "status" && entry.Time != nil {
			return entry.Time.Time
		}
	}
	return time.Time{}
}
