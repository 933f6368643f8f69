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

// JobDone says whether a Job has done what it is for. The containers of its pod say so some seconds before the Job does: the kubelet
// takes the pod down first, and the controller of Jobs counts in its own time.
func JobDone(job *batchv1.Job, pods []corev1.Pod) bool {
	if dataplane.Finished(job, batchv1.JobFailed) != nil {
		return false
	}
	return dataplane.Finished(job, batchv1.JobComplete) != nil || slices.ContainsFunc(pods, succeeded)
}

func succeeded(pod corev1.Pod) bool {
	unfinished := slices.ContainsFunc(pod.Status.ContainerStatuses, func(c corev1.ContainerStatus) bool {
		return c.State.Terminated == nil || c.State.Terminated.ExitCode != 0
	})
	return pod.Status.Phase == corev1.PodSucceeded || len(pod.Status.ContainerStatuses) > 0 && !unfinished
}
