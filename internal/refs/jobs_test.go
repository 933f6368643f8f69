package refs

import (
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
)

func TestAJobIsDoneOnceItsPodIs(t *testing.T) {
	ended := func(how batchv1.JobConditionType) *batchv1.Job {
		return &batchv1.Job{Status: batchv1.JobStatus{Conditions: []batchv1.JobCondition{{Type: how, Status: corev1.ConditionTrue}}}}
	}
	in := func(phases ...corev1.PodPhase) (pods []corev1.Pod) {
		for _, phase := range phases {
			pods = append(pods, corev1.Pod{Status: corev1.PodStatus{Phase: phase}})
		}
		return pods
	}
	exited := func(codes ...int32) []corev1.Pod {
		pod := corev1.Pod{Status: corev1.PodStatus{Phase: corev1.PodRunning}}
		for _, code := range codes {
			pod.Status.ContainerStatuses = append(pod.Status.ContainerStatuses, corev1.ContainerStatus{
				State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: code}},
			})
		}
		return []corev1.Pod{pod}
	}
	working := exited(0)
	working[0].Status.ContainerStatuses = append(working[0].Status.ContainerStatuses, corev1.ContainerStatus{})
	for sentence, tt := range map[string]struct {
		job  *batchv1.Job
		pods []corev1.Pod
		want bool
	}{
		"no pod yet":                               {&batchv1.Job{}, nil, false},
		"its pod runs":                             {&batchv1.Job{}, in(corev1.PodRunning), false},
		"its pod failed, and the next one waits":   {&batchv1.Job{}, in(corev1.PodFailed, corev1.PodPending), false},
		"its second pod succeeded":                 {&batchv1.Job{}, in(corev1.PodFailed, corev1.PodSucceeded), true},
		"its pod has ended well, but is not down":  {&batchv1.Job{}, exited(0), true},
		"its pod has ended badly, and is not down": {&batchv1.Job{}, exited(1), false},
		"a second container of it still works":     {&batchv1.Job{}, working, false},
		"it says so, and its pods are cleaned up":  {ended(batchv1.JobComplete), nil, true},
		"it was ended though a pod came to an end": {ended(batchv1.JobFailed), in(corev1.PodSucceeded), false},
	} {
		t.Run(sentence, func(t *testing.T) {
			if got := JobDone(tt.job, tt.pods); got != tt.want {
				t.Errorf("done is %v, want %v", got, tt.want)
			}
		})
	}
}
