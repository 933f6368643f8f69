// Package agent reconciles Agents: it makes the token with which a person signs in, there being no single sign-on yet, and
// reports who serves the Agent.
//
// The token lies in the immutable Secret <agent>-trial-token, which the Agent controls; its SHA-256 lies beside it in an
// annotation, so that the status can be told again from metadata alone: after it was made, the operator never reads the
// token, and a restart or a lost status changes nothing. Deleting the Secret makes a new token and ends the old one.
//
// A Secret of that name which is not this Agent's is left alone and reported.
package agent

import (
	"context"
	"io"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/ack"
	"github.com/yingda-dev/yingda/internal/apply"
	"github.com/yingda-dev/yingda/internal/conditions"
	"github.com/yingda-dev/yingda/internal/refs"
	"github.com/yingda-dev/yingda/internal/retry"
	"github.com/yingda-dev/yingda/internal/telemetry"
)

// Reconciler reconciles Agents.
type Reconciler struct {
	client   client.Client
	apply    *apply.Applier
	asker    ack.Asker
	backoff  *ack.Backoff
	recorder events.EventRecorder
	random   io.Reader
	now      func() time.Time
}

// Options are what a Reconciler works with.
type Options struct {
	Client   client.Client
	Live     client.Reader
	Asker    ack.Asker
	Recorder events.EventRecorder
	// Random is where tokens come from: crypto/rand.Reader but in tests.
	Random io.Reader
	Now    func() time.Time
}

// New makes a Reconciler.
func New(o Options) *Reconciler {
	return &Reconciler{
		client: o.Client, apply: apply.New(o.Client, o.Live, "agent"), asker: o.Asker, backoff: ack.NewBackoff(),
		recorder: o.Recorder, random: o.Random, now: o.Now,
	}
}

// Reconcile brings one Agent closer to what it declares.
func (r *Reconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	seen, err := r.observe(ctx, req.NamespacedName)
	if err != nil || seen == nil || seen.agent.DeletionTimestamp != nil {
		r.backoff.Forget(req.NamespacedName)
		return ctrl.Result{}, err
	}
	decided := decide(seen)
	tokenErr := r.bringAbout(ctx, seen, &decided)
	if apply.NamespaceEnds(tokenErr) {
		return ctrl.Result{}, nil // The Agent is about to go, and nobody needs to know of its token.
	}
	if tokenErr != nil {
		seen.refused = tokenErr
		decided = decide(seen)
	}
	before := seen.agent.Status.Conditions
	after := status(seen, decided, r.now())
	outcome, err := r.apply.Status(ctx, seen.agent, after)
	if err != nil {
		return ctrl.Result{}, err
	}
	if outcome == apply.Written {
		conditions.Announce(r.recorder, seen.agent, before, after.Conditions)
	}
	if tokenErr != nil {
		return ctrl.Result{}, tokenErr
	}
	return ctrl.Result{RequeueAfter: r.wake(req, seen, decided)}, nil
}

func (r *Reconciler) bringAbout(ctx context.Context, seen *scene, decided *verdict) error {
	switch decided.token {
	case tokenMake:
		secret, hash, err := newToken(seen.agent, r.random)
		if err != nil {
			return err
		}
		err = r.apply.Create(ctx, secret)
		if apierrors.IsAlreadyExists(err) {
			// The cache is behind: it will tell whose Secret this is. Until then the last known token stands.
			if known := seen.agent.Status.TrialToken; known != nil {
				decided.hash = known.SHA256
			}
			return nil
		}
		if err != nil {
			return err
		}
		decided.hash = hash
		return nil
	case tokenReplace:
		// Its deletion wakes the controller, which then makes a new one.
		return r.apply.Delete(ctx, seen.secret)
	case tokenKeep, tokenForeign:
	}
	return nil
}

// wake says when to ask the replicas again: soon while one has not loaded this generation, slowly until the person has
// signed in once, which no watch can tell.
func (r *Reconciler) wake(req ctrl.Request, seen *scene, decided verdict) time.Duration {
	if decided.pending {
		return r.backoff.Next(req.NamespacedName, seen.agent.Generation)
	}
	r.backoff.Forget(req.NamespacedName)
	if decided.signedIn || len(seen.desk) == 0 {
		return 0
	}
	return ack.CredentialsInterval
}

// SetupWithManager says which changes an Agent's state depends on.
func (r *Reconciler) SetupWithManager(mgr ctrl.Manager) error {
	list := func() client.ObjectList { return &v1alpha1.AgentList{} }
	return ctrl.NewControllerManagedBy(mgr).
		WithOptions(controller.Options{RateLimiter: retry.Limiter[ctrl.Request]()}).
		For(&v1alpha1.Agent{}).
		WatchesMetadata(refs.SecretMetadata(), handler.EnqueueRequestForOwner(mgr.GetScheme(), mgr.GetRESTMapper(), &v1alpha1.Agent{})).
		WatchesMetadata(refs.SecretMetadata(), handler.EnqueueRequestsFromMapFunc(agentOfToken), builder.WithPredicates(ack.ExistenceChanged())).
		Watches(&v1alpha1.Brand{}, handler.EnqueueRequestsFromMapFunc(ack.MapBrand(r.client, list, refs.ByBrand, client.Object.GetName)),
			builder.WithPredicates(ack.BlameChanged())).
		Watches(ack.Replica(), handler.EnqueueRequestsFromMapFunc(ack.MapBrand(r.client, list, refs.ByBrand, ack.BrandLabel)),
			ack.WatchReplicas(servers()...)).
		Complete(telemetry.Traced("agent", r))
}
