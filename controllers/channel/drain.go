package channel

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/apply"
	"github.com/yingda-dev/yingda/internal/conditions"
	"github.com/yingda-dev/yingda/internal/configz"
	"github.com/yingda-dev/yingda/internal/dataplane"
)

// Finalizer keeps a Channel that is being deleted until its connectors have drained.
//
//	deleted ─> connectors take no more webhooks, desks no more replies ─> what customers wrote is taken in
//	        ─> what is on its way to them is settled ─> gone
//	                                └── after drainLimit: gone all the same, with an event that says what is left
const Finalizer = "yingda.dev/channel"

const (
	// drainLimit is how long a deletion waits at most.
	drainLimit = 2 * time.Minute
	// countsAfter is how long after everybody has confirmed a deletion the routers are believed. A webhook that was being
	// answered then is kept within 3 s, by Kafka or by the spool, a desk's last reply sooner; a report is up to a second old.
	countsAfter = 4 * time.Second
)

// gone says whether a Channel is being deleted and nothing of ours waits for it any more.
func gone(channel *v1alpha1.Channel) bool {
	return channel.DeletionTimestamp != nil && !controllerutil.ContainsFinalizer(channel, Finalizer)
}

// departure is what a pass makes of a Channel that is being deleted.
type departure struct {
	// release says that the Channel may go, abandoned what it leaves behind; empty when it is nothing.
	release   bool
	abandoned string
	// finding says what it waits for.
	finding conditions.Condition
	// wake is when to look again at the latest.
	wake time.Duration
}

// decideDeparture is told for how long everybody has been known to have confirmed the deletion; 0 while not.
func decideDeparture(seen *scene, confirmed time.Duration, now time.Time) departure {
	waiting := waitsFor(seen, confirmed)
	rest := seen.channel.DeletionTimestamp.Add(drainLimit).Sub(now)
	switch {
	case waiting == "" && menuStays(seen):
		return departure{release: true, abandoned: "the menu that was published stays, for the account's other menus (个性化菜单) would go with it"}
	case waiting == "":
		return departure{release: true}
	case rest <= 0:
		return departure{release: true, abandoned: waiting}
	}
	return departure{
		finding: conditions.False(v1alpha1.ConditionReady, v1alpha1.ReasonDraining, "The Channel goes when it has drained, at the latest "+
			drainLimit.String()+" after it was deleted; "+waiting),
		wake: rest,
	}
}

// waitsFor says what a Channel's deletion waits for, "" when for nothing.
func waitsFor(seen *scene, confirmedFor time.Duration) string {
	if seen.brand == nil || seen.deployment == nil {
		// Nobody ever served it, or nobody is left who could settle anything.
		return ""
	}
	if confirmed := confirmation(seen); confirmed.Status != metav1.ConditionTrue {
		return "not every replica has confirmed that it takes nothing more: " + confirmed.Message
	}
	if menu := menuReport(seen); menu != nil && menu.Ours && !menuStays(seen) {
		return "the menu that was published is being removed from the account"
	}
	messages, known := onTheWay(seen)
	switch {
	case !known:
		return "no router could say how many messages to customers are on their way"
	case messages > 0:
		return fmt.Sprintf("messages to customers are on their way: %d", messages)
	}
	read, known := takenIn(seen)
	switch {
	case !known:
		return "messages of customers wait in the spool, or no router could say that it has read all of them"
	case confirmedFor < read+countsAfter:
		return "the last messages of customers are being read"
	}
	return ""
}

// confirmation is the condition Acknowledged of a Channel that is being deleted: whether every replica works by that.
func confirmation(seen *scene) conditions.Condition {
	return seen.judge(seen.channel.Name, seen.channel.Generation)
}

// confirmedFor is for how long the operator has known that everybody has confirmed the Channel's deletion.
func (r *Reconciler) confirmedFor(seen *scene, now time.Time) time.Duration {
	if confirmation(seen).Status != metav1.ConditionTrue {
		r.confirmed.Delete(seen.channel.UID)
		return 0
	}
	since, _ := r.confirmed.LoadOrStore(seen.channel.UID, now)
	first, _ := since.(time.Time)
	return now.Sub(first)
}

// takenIn is how long ago the oldest message of a customer may have come that is not taken in. The routers share the work and look
// at all of it, so that the one who looked last knows best.
func takenIn(seen *scene) (before time.Duration, known bool) {
	for _, report := range routerReports(seen) {
		if report.UnreadSeconds == nil {
			continue
		}
		if unread := time.Duration(*report.UnreadSeconds * float64(time.Second)); !known || unread < before {
			before, known = unread, true
		}
	}
	return before, known
}

// onTheWay is what the routers say; they read one database, so that the one who asked last knows best and the most is safe.
func onTheWay(seen *scene) (messages int64, known bool) {
	for _, report := range routerReports(seen) {
		if report.OnTheWay == nil {
			return 0, false
		}
		messages, known = max(messages, *report.OnTheWay), true
	}
	return messages, known
}

// routerReports are what the routers say of the Channel.
func routerReports(seen *scene) []configz.Channel {
	var reports []configz.Channel
	for _, group := range seen.serving {
		if group.Name != dataplane.Router {
			continue
		}
		for _, answer := range group.Answers {
			reports = append(reports, answer.Report.Channels[seen.channel.Name])
		}
	}
	return reports
}

// leave lets a Channel that is being deleted go, or says what it waits for.
func (r *Reconciler) leave(ctx context.Context, req ctrl.Request, seen *scene) (ctrl.Result, error) {
	if gone(seen.channel) {
		r.backoff.Forget(req.NamespacedName)
		return ctrl.Result{}, nil
	}
	now := r.now()
	decided := decideDeparture(seen, r.confirmedFor(seen, now), now)
	if decided.release {
		r.backoff.Forget(req.NamespacedName)
		r.confirmed.Delete(seen.channel.UID)
		if err := r.apply.RemoveFinalizer(ctx, seen.channel, Finalizer); err != nil {
			return ctrl.Result{}, err
		}
		if decided.abandoned != "" {
			// A namespace that is being deleted takes no events.
			log.FromContext(ctx).Info("A Channel went without having drained", "Channel", seen.channel.Name, "left", decided.abandoned)
			r.recorder.Eventf(seen.channel, nil, corev1.EventTypeWarning, v1alpha1.ReasonDrainIncomplete, "Delete", "Gone without having drained: %s", decided.abandoned)
		}
		return ctrl.Result{}, nil
	}
	before := seen.channel.Status
	after := before
	after.ObservedGeneration = seen.channel.Generation
	after.Conditions = conditions.Merge(before.Conditions, seen.channel.Generation, now, append([]conditions.Condition{decided.finding}, kept(seen)...)...)
	outcome, err := r.apply.Status(ctx, seen.channel, after)
	if err != nil {
		return ctrl.Result{}, err
	}
	if outcome == apply.Written {
		conditions.Announce(r.recorder, seen.channel, before.Conditions, after.Conditions)
	}
	return ctrl.Result{RequeueAfter: min(r.backoff.Next(req.NamespacedName, seen.channel.Generation), decided.wake)}, nil
}

// kept are the findings of before that still hold: Ready is told anew, Acknowledged speaks of the deletion, and the route is
// gone already.
func kept(seen *scene) []conditions.Condition {
	before := seen.channel.Status.Conditions
	var findings []conditions.Condition
	for i := range before {
		switch before[i].Type {
		case v1alpha1.ConditionReady, v1alpha1.ConditionExposed:
		case v1alpha1.ConditionAcknowledged:
			findings = append(findings, confirmation(seen))
		default:
			found, _ := conditions.Find(before, before[i].Type)
			findings = append(findings, found)
		}
	}
	return findings
}
