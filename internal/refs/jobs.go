package refs

import (
	"context"
	"fmt"
	"slices"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/yingda-dev/yingda/internal/dataplane"
)

// PodsOfJob are the pods that a Job controls; those of another one that had its name are not among them.
func PodsOfJob(ctx context.Context, reader client.Reader, job *batchv1.Job) ([]corev1.Pod, error) {
	var pods corev1.PodList
	err := reader.List(ctx, &pods, client.InNamespace(job.Namespace), client.MatchingLabels{batchv1.JobNameLabel: job.Name})
	if err != nil {
		return nil, fmt.Errorf("listing the pods of Job %s: %w", job.Name, err)
	}
	return slices.DeleteFunc(pods.Items, func(pod corev1.Pod) bool { return !metav1.IsControlledBy(&pod, job) }), nil
}

// JobDone says whether a Job has done what it is for. One of its pods says so a second or two before the Job does, which waits for
// the controller of Jobs to count.
func JobDone(job *batchv1.Job, pods []corev1.Pod) bool {
	if dataplane.Finished(job, batchv1.JobFailed) != nil {
		return false
	}
	return dataplane.Finished(job, batchv1.JobComplete) != nil ||
		slices.ContainsFunc(pods, func(pod corev1.Pod) bool { return pod.Status.Phase == corev1.PodSucceeded })
}
