package brand

import (
	"regexp"
	"slices"
	"strings"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/conditions"
	"github.com/yingda-dev/yingda/internal/dataplane"
)

// retryAfter is how long a failed setup rests before it is tried again. It stays short however often it fails, because
// what it waits for (Kafka, Temporal, Postgres) comes back at its own time, and a try costs one small pod.
const retryAfter = 10 * time.Second

// setupPoll is how often a setup that runs is asked what keeps it, which no watch tells.
const setupPoll = 2 * time.Second

// provisioning is what is to be done about the setup Job.
type provisioning struct {
	finding conditions.Condition
	// run says that the Job is to be there.
	run bool
	// retire is a failed Job to delete, so that the next pass makes it anew.
	retire *batchv1.Job
	// wake is when to look again without anything having changed; zero for never.
	wake time.Duration
}

func decideProvisioning(seen *scene, jobName string, now time.Time) provisioning {
	const condition = v1alpha1.ConditionProvisioned
	if len(seen.taken) > 0 {
		return provisioning{finding: conditions.False(condition, v1alpha1.ReasonAwaitingReferences,
			"Setup waits until another Brand has let go of what this one declares")}
	}
	if missing, _ := loginProblems(seen); len(missing) > 0 {
		return provisioning{finding: conditions.False(condition, v1alpha1.ReasonAwaitingReferences,
			"Setup waits for the Secret "+strings.Join(missing, " and the Secret "))}
	}
	job := seen.jobs[jobName]
	if job == nil || job.DeletionTimestamp != nil {
		return provisioning{finding: stillProvisioning(seen), run: job == nil}
	}
	if seen.done[jobName] {
		return provisioning{run: true, finding: conditions.True(condition, v1alpha1.ReasonProvisioned,
			"Topics, database schema and Temporal namespace are in place")}
	}
	failed := dataplane.Finished(job, batchv1.JobFailed)
	if failed == nil {
		return provisioning{run: true, finding: stillProvisioning(seen), wake: setupPoll}
	}
	why := seen.failures[job.Name]
	if why == "" {
		why = "setup ended without saying why (" + failed.Reason + ")"
	}
	verdict := provisioning{run: true, finding: conditions.False(condition, v1alpha1.ReasonProvisioningFailed, why)}
	if rest := failed.LastTransitionTime.Add(retryAfter).Sub(now); rest > 0 {
		verdict.wake = rest
	} else {
		verdict.retire, verdict.run = job, false
	}
	return verdict
}

// ended says whether a setup Job will do nothing more.
func (s *scene) ended(job *batchv1.Job) bool {
	return s.done[job.Name] || dataplane.Finished(job, batchv1.JobFailed) != nil
}

// stillProvisioning says what keeps a setup that goes on trying or what it is at, and keeps the reason of the last failure while the same
// declaration is tried again: an operator of the platform should read what is wrong, not see it blink.
func stillProvisioning(seen *scene) conditions.Condition {
	if seen.failing != "" {
		return conditions.False(v1alpha1.ConditionProvisioned, v1alpha1.ReasonProvisioningFailed, seen.failing)
	}
	const message = "Topics, database schema and Temporal namespace are being set up"
	if seen.doing != "" {
		return conditions.False(v1alpha1.ConditionProvisioned, v1alpha1.ReasonProvisioning, readable(message+": "+seen.doing))
	}
	before, known := conditions.Find(seen.brand.Status.Conditions, v1alpha1.ConditionProvisioned)
	if known && before.Reason == v1alpha1.ReasonProvisioningFailed && seen.brand.Status.ObservedGeneration == seen.brand.Generation {
		return before
	}
	return conditions.False(v1alpha1.ConditionProvisioned, v1alpha1.ReasonProvisioning, message)
}

// lastWords is the last line of what a failed pod left behind.
func lastWords(pod *corev1.Pod) string {
	for _, status := range pod.Status.ContainerStatuses {
		terminated := status.State.Terminated
		if terminated == nil || terminated.ExitCode == 0 {
			continue
		}
		lines := strings.Split(strings.TrimSpace(terminated.Message), "\n")
		return readable(strings.TrimSpace(lines[len(lines)-1]))
	}
	return ""
}

// keptFromStarting says what keeps a pod from its first word, in the kubelet's words, as ImagePullBackOff. Every container waits for
// a moment.
func keptFromStarting(pod *corev1.Pod) string {
	for _, status := range pod.Status.ContainerStatuses {
		waiting := status.State.Waiting
		if waiting == nil || slices.Contains([]string{"", "ContainerCreating", "PodInitializing"}, waiting.Reason) {
			continue
		}
		return "Setup does not start: " + waiting.Reason + " of the image " + status.Image
	}
	for _, condition := range pod.Status.Conditions {
		if condition.Type == corev1.PodScheduled && condition.Reason == corev1.PodReasonUnschedulable {
			return "Setup does not start: no node takes its pod"
		}
	}
	return ""
}

// readable is what setup says as a condition may show it.
func readable(words string) string { return conditions.Bound(withoutPasswords(words)) }

// withoutPasswords removes what a driver may have quoted of a connection string. Setup does not print one; this is the
// second lock on the door, as a condition is read by more people than a Secret.
func withoutPasswords(text string) string {
	text = regexp.MustCompile(`://[^\s/@]+@`).ReplaceAllString(text, "://***@")
	return regexp.MustCompile(`(?i)password=\S+`).ReplaceAllString(text, "password=***")
}
