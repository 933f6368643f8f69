// Package reporter is what those controllers share that write nothing but the status of their kind: one write of it,
// events when Ready and what a kind names beside it change, and when to look again.
//
// It decides nothing: what a status says is the controllers' own.
package reporter

import (
	"context"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/yingda-dev/yingda/internal/ack"
	"github.com/yingda-dev/yingda/internal/apply"
	"github.com/yingda-dev/yingda/internal/conditions"
)

// Options are what such a controller works with.
type Options struct {
	// Client reads from the cache and writes; Live reads past it.
	Client   client.Client
	Live     client.Reader
	Asker    ack.Asker
	Recorder events.EventRecorder
	Now      func() time.Time
}

// Reporter reports on the objects of one kind.
type Reporter struct {
	Options

	apply   *apply.Applier
	backoff *ack.Backoff
	turns   *conditions.Turns
}

// New makes the Reporter of a controller.
func New(controller string, o Options) *Reporter {
	return &Reporter{Options: o, apply: apply.New(o.Client, o.Live, controller), backoff: ack.NewBackoff(), turns: conditions.NewTurns()}
}

// Pass is what a look at an object came to.
type Pass struct {
	// Object as it was read from the cache, with the conditions that it had.
	Object client.Object
	Before []metav1.Condition
	// Status to write, and the conditions in it.
	Status any
	After  []metav1.Condition
	// Turns are the conditions beside Ready whose turns are told by events.
	Turns []string
	// Pending says that asking the replicas again may change a finding.
	Pending bool
	// Wake is how long it is until a finding changes by itself; zero for never.
	Wake time.Duration
}

// Report writes the status and says when to look again: while a replica has not loaded the object's generation, and when a
// finding changes by itself.
func (r *Reporter) Report(ctx context.Context, pass Pass) (ctrl.Result, error) {
	outcome, err := r.apply.Status(ctx, pass.Object, pass.Status)
	switch {
	case err != nil:
		return ctrl.Result{}, err
	case outcome == apply.Behind:
		return ctrl.Result{RequeueAfter: apply.CatchUp}, nil
	case outcome == apply.Written:
		conditions.Announce(r.Recorder, pass.Object, pass.Before, pass.After)
		for _, condition := range pass.Turns {
			r.turns.Announce(r.Recorder, pass.Object, pass.Before, pass.After, condition)
		}
	}
	key, wake := client.ObjectKeyFromObject(pass.Object), pass.Wake
	if !pass.Pending {
		r.backoff.Forget(key)
		return ctrl.Result{RequeueAfter: wake}, nil
	}
	next := r.backoff.Next(key, pass.Object.GetGeneration())
	if wake > 0 {
		next = min(wake, next)
	}
	return ctrl.Result{RequeueAfter: next}, nil
}

// Forget ends what is known of an object that is gone or cannot be looked at; its error is passed on.
func (r *Reporter) Forget(key types.NamespacedName, err error) (ctrl.Result, error) {
	r.backoff.Forget(key)
	if err == nil {
		r.turns.Forget(key)
	}
	return ctrl.Result{}, err
}
