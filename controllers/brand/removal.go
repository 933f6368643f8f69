package brand

import (
	"fmt"
	"slices"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/conditions"
	"github.com/yingda-dev/yingda/internal/dataplane"
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

// remains is what is there of a Brand whose data must be removed.
type remains struct {
	// users are the pods that may use the data.
	users int
	// job removes the data, lastWords are those of its pod; nil and empty before.
	job       *batchv1.Job
	lastWords string
}

// removal is what a pass makes of it.
type removal struct {
	// run says that nothing uses the data any more: the Job may start.
	run bool
	// release says that the Brand may go, left what it leaves behind; empty when that is nothing.
	release bool
	left    string
	// finding says how far it has come.
	finding conditions.Condition
}

// decideRemoval is told how long it is since the removal began.
func decideRemoval(seen remains, rivals []v1alpha1.Brand, waited time.Duration) removal {
	const kept = "topics, data and Temporal namespace may be left: "
	switch {
	case seen.job != nil && dataplane.Finished(seen.job, batchv1.JobComplete) != nil:
		return removal{release: true}
	case seen.job != nil && dataplane.Finished(seen.job, batchv1.JobFailed) != nil:
		why := seen.lastWords
		if why == "" {
			why = "teardown ended without saying why"
		}
		return removal{release: true, left: kept + why}
	case waited >= teardownLimit && seen.users > 0:
		return removal{release: true, left: fmt.Sprintf("%s%d pods did not end within %s", kept, seen.users, teardownLimit)}
	case waited >= teardownLimit && seen.job == nil:
		return removal{release: true, left: kept + "teardown could not start within " + teardownLimit.String()}
	case waited >= teardownLimit:
		return removal{release: true, left: kept + "teardown did not end within " + teardownLimit.String()}
	case seen.job == nil && seen.users > 0:
		return removal{finding: tearingDown("The data is removed once the Brand's pods have ended")}
	case seen.job == nil && len(rivals) > 0:
		// Whose data it is cannot be told here, and what is kept by mistake can still be removed by hand.
		return removal{release: true, left: "topics, data and Temporal namespace are left: another Brand declares the same database or Temporal namespace"}
	}
	return removal{run: seen.job == nil, finding: tearingDown("Topics, data and Temporal namespace are being removed")}
}

// tearingDown is the finding of a removal that goes on.
func tearingDown(message string) conditions.Condition {
	return conditions.False(v1alpha1.ConditionTornDown, v1alpha1.ReasonTearingDown, message)
}

// teardownBegan is when the first pass said that the Brand is being torn down: an operator that starts anew reads it there, and
// does not begin anew.
func teardownBegan(seen *scene, now time.Time) time.Time {
	if said := meta.FindStatusCondition(seen.brand.Status.Conditions, v1alpha1.ConditionTornDown); said != nil {
		return said.LastTransitionTime.Time
	}
	return now
}

// findingsOfTeardown say how far the removal has come, and what is true of the Brand meanwhile.
func findingsOfTeardown(seen *scene, decided removal) []conditions.Condition {
	ready := conditions.False(v1alpha1.ConditionReady, v1alpha1.ReasonTearingDown,
		"The Brand goes once its topics, data and Temporal namespace are removed, at the latest "+teardownLimit.String()+" after that began")
	provisioned := conditions.False(v1alpha1.ConditionProvisioned, v1alpha1.ReasonTearingDown,
		"Topics, database schema and Temporal namespace go with the Brand")
	derived, beside := findings(seen, provisioned)
	return slices.Concat([]conditions.Condition{ready}, derived, []conditions.Condition{decided.finding}, beside)
}
