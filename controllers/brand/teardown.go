package brand

import (
	"context"
	"fmt"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/apply"
	"github.com/yingda-dev/yingda/internal/conditions"
	"github.com/yingda-dev/yingda/internal/dataplane"
	"github.com/yingda-dev/yingda/internal/refs"
)

// tearDown removes the data of a Brand that nothing needs any more, and lets it go.
func (r *Reconciler) tearDown(ctx context.Context, req ctrl.Request, seen *scene) (ctrl.Result, error) {
	r.backoff.Forget(req.NamespacedName)
	if err := r.stopUsers(ctx, seen); err != nil {
		return ctrl.Result{}, err
	}
	remains, err := r.observeRemains(ctx, seen)
	if err != nil {
		return ctrl.Result{}, err
	}
	now := r.now()
	decided := decideRemoval(remains, seen.rivals, now.Sub(teardownBegan(seen, now)))
	if decided.run {
		err := r.runTeardown(ctx, seen)
		switch {
		case apply.NamespaceEnds(err):
			decided = removal{release: true, left: "topics, data and Temporal namespace are left: nothing can run in a namespace that is being deleted; delete the Brand before its namespace"}
		case err != nil:
			// Not returned: until this pass has said that the removal began, the two minutes do not run.
			decided.finding = tearingDown("Removing the data cannot start, trying again: " + err.Error())
		}
	}
	if decided.release {
		return ctrl.Result{}, r.letGo(ctx, seen, decided.left)
	}
	_, err = r.report(ctx, seen, verdict{findings: findingsOfTeardown(seen, decided)}, now)
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

func (r *Reconciler) observeRemains(ctx context.Context, seen *scene) (remains, error) {
	var found remains
	var pods corev1.PodList
	if err := r.client.List(ctx, &pods, client.InNamespace(seen.brand.Namespace), client.MatchingLabels{dataplane.LabelBrand: seen.brand.Name}); err != nil {
		return found, fmt.Errorf("listing the Brand's pods: %w", err)
	}
	for i := range pods.Items {
		pod := &pods.Items[i]
		switch pod.Labels[dataplane.LabelComponent] {
		case dataplane.Teardown:
			found.lastWords = lastWords(pod)
		default:
			if pod.Status.Phase != corev1.PodSucceeded && pod.Status.Phase != corev1.PodFailed {
				found.users++
			}
		}
	}
	job := &batchv1.Job{}
	exists, err := refs.Get(ctx, r.client, seen.key(dataplane.WorkloadName(seen.brand.Name, dataplane.Teardown)), job)
	if err != nil {
		return found, err
	}
	if exists && metav1.IsControlledBy(job, seen.brand) {
		found.job = job
	}
	return found, nil
}

func (r *Reconciler) runTeardown(ctx context.Context, seen *scene) error {
	teardown := dataplane.TeardownWorkload(seen.brand, seen.Logins, r.settings)
	job := dataplane.TeardownJob(seen.brand, seen.Logins, r.settings)
	for _, object := range []runtime.ApplyConfiguration{teardown.ServiceAccount(), job} {
		if err := r.apply.Object(ctx, seen.brand, object); err != nil {
			return err
		}
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
	if left != "" {
		// A namespace that is being deleted takes no events.
		log.FromContext(ctx).Info("A Brand went and left something behind", "Brand", seen.brand.Name, "left", left)
		r.recorder.Eventf(seen.brand, nil, corev1.EventTypeWarning, v1alpha1.ReasonTeardownIncomplete, "Delete", "%s", conditions.Bound(left))
	}
	return nil
}
