package brand

import (
	"context"
	"errors"
	"fmt"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/conditions"
	"github.com/yingda-dev/yingda/internal/dataplane"
	"github.com/yingda-dev/yingda/internal/refs"
)

// A Brand with the deletionPolicy Delete goes in this order:
//
//	its Channels ─> its Deployments, and their pods ─> its topics, data and Temporal namespace, by a Job ─> itself
//	                              └── after teardownLimit, or when the Job fails: itself, with an event that says what is left
const (
	teardownLimit = 2 * time.Minute
	// teardownPoll is for the end of pods, of which no watch tells.
	teardownPoll = time.Second
)

// removal is what a pass makes of a Brand whose data must be removed.
type removal struct {
	// run says that nothing uses the data any more: the Job may start.
	run bool
	// release says that the Brand may go, left what it leaves behind; empty when that is nothing.
	release bool
	left    string
}

func decideRemoval(job *batchv1.Job, lastWords string, users int, waited time.Duration) removal {
	const kept = "topics, data and Temporal namespace may be left: "
	switch {
	case job != nil && dataplane.Finished(job, batchv1.JobComplete) != nil:
		return removal{release: true}
	case job != nil && dataplane.Finished(job, batchv1.JobFailed) != nil:
		if lastWords == "" {
			lastWords = "teardown ended without saying why"
		}
		return removal{release: true, left: kept + lastWords}
	case waited >= teardownLimit && users > 0:
		return removal{release: true, left: fmt.Sprintf("%s%d pods did not end within %s", kept, users, teardownLimit)}
	case waited >= teardownLimit:
		return removal{release: true, left: kept + "teardown did not end within " + teardownLimit.String()}
	}
	return removal{run: job == nil && users == 0}
}

// tearDown removes the data of a Brand that nothing needs any more, and lets it go.
func (r *Reconciler) tearDown(ctx context.Context, req ctrl.Request, seen *scene) (ctrl.Result, error) {
	r.backoff.Forget(req.NamespacedName)
	now := r.now()
	since, _ := r.departures.LoadOrStore(seen.brand.UID, now)
	started, _ := since.(time.Time)
	if err := r.stopUsers(ctx, seen); err != nil {
		return ctrl.Result{}, err
	}
	decided, err := r.observeRemoval(ctx, seen, now.Sub(started))
	if err != nil {
		return ctrl.Result{}, err
	}
	switch {
	case decided.run && len(seen.rivals) > 0:
		// Whose data it is cannot be told here, and what is kept by mistake can still be removed by hand.
		decided = removal{release: true, left: "topics, data and Temporal namespace are left: another Brand declares the same database or Temporal namespace"}
	case decided.run:
		err := r.runTeardown(ctx, seen)
		switch {
		case apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause):
			decided = removal{release: true, left: "topics, data and Temporal namespace are left: nothing can run in a namespace that is being deleted; delete the Brand before its namespace"}
		case err != nil:
			return ctrl.Result{}, err
		}
	}
	if decided.release {
		return ctrl.Result{}, r.letGo(ctx, seen, decided.left)
	}
	_, err = r.report(ctx, seen, verdict{findings: []conditions.Condition{conditions.False(
		v1alpha1.ConditionReady, v1alpha1.ReasonTearingDown, "The Brand goes once its topics, data and Temporal namespace are removed")}}, now)
	return ctrl.Result{RequeueAfter: teardownPoll}, err
}

// stopUsers ends what uses the Brand's data: its Deployments, and a setup that would make anew what teardown removes.
func (r *Reconciler) stopUsers(ctx context.Context, seen *scene) error {
	var users []client.Object
	for _, deployment := range seen.deployments {
		users = append(users, deployment)
	}
	for _, job := range seen.jobs {
		users = append(users, job)
	}
	for _, user := range users {
		if !metav1.IsControlledBy(user, seen.brand) || user.GetDeletionTimestamp() != nil {
			continue
		}
		if err := r.apply.Delete(ctx, user); err != nil {
			return err
		}
	}
	return nil
}

func (r *Reconciler) observeRemoval(ctx context.Context, seen *scene, waited time.Duration) (removal, error) {
	var pods corev1.PodList
	if err := r.client.List(ctx, &pods, client.InNamespace(seen.brand.Namespace), client.MatchingLabels{dataplane.LabelBrand: seen.brand.Name}); err != nil {
		return removal{}, fmt.Errorf("listing the Brand's pods: %w", err)
	}
	users, words := 0, ""
	for i := range pods.Items {
		pod := &pods.Items[i]
		switch pod.Labels[dataplane.LabelComponent] {
		case dataplane.Teardown:
			words = lastWords(pod)
		default:
			if pod.Status.Phase != corev1.PodSucceeded && pod.Status.Phase != corev1.PodFailed {
				users++
			}
		}
	}
	job := &batchv1.Job{}
	exists, err := refs.Get(ctx, r.client, seen.key(dataplane.WorkloadName(seen.brand.Name, dataplane.Teardown)), job)
	if err != nil {
		return removal{}, err
	}
	if !exists || !metav1.IsControlledBy(job, seen.brand) {
		job = nil
	}
	return decideRemoval(job, words, users, waited), nil
}

func (r *Reconciler) runTeardown(ctx context.Context, seen *scene) error {
	teardown := dataplane.TeardownWorkload(seen.brand, seen.Logins, r.settings)
	inTheWay, err := r.apply.Objects(ctx, seen.brand, teardown.ServiceAccount(), dataplane.TeardownJob(seen.brand, seen.Logins, r.settings))
	if err != nil {
		return err
	}
	if len(inTheWay) > 0 {
		return errors.New("running teardown: its name is somebody else's")
	}
	if r.settings.NetworkPolicies.Enabled {
		return r.apply.Object(ctx, seen.brand, teardown.NetworkPolicy())
	}
	return nil
}

func (r *Reconciler) letGo(ctx context.Context, seen *scene, left string) error {
	if err := r.apply.RemoveFinalizer(ctx, seen.brand, Finalizer); err != nil {
		return err
	}
	r.departures.Delete(seen.brand.UID)
	if left != "" {
		// A namespace that is being deleted takes no events.
		log.FromContext(ctx).Info("A Brand went and left something behind", "Brand", seen.brand.Name, "left", left)
		r.recorder.Eventf(seen.brand, nil, corev1.EventTypeWarning, v1alpha1.ReasonTeardownIncomplete, "Delete", "%s", conditions.Bound(left))
	}
	return nil
}
