// Package ack finds out what the ready replicas of the data plane serve, and turns it into the condition Acknowledged.
//
// The data plane writes nothing to the API server: every replica answers /configz, the operator asks. An object counts as
// acknowledged when there is a ready replica and every ready one of those who work by its kind serves exactly its generation.
package ack

import (
	"context"
	"slices"
	"time"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/conditions"
	"github.com/yingda-dev/yingda/internal/configz"
)

// Target names the replicas of one workload.
type Target struct {
	Namespace string
	Brand     string
	// Component is the value of the label app.kubernetes.io/component.
	Component string
	// Pool is the value of the label yingda.dev/pool; empty but for connectors.
	Pool string
	// Unready asks those as well that run and are not ready.
	Unready bool
}

// Answer is what one ready replica said.
type Answer struct {
	Report configz.Report
	// Err is set when the replica could not be asked.
	Err error
}

// Asker asks every ready replica of a workload.
type Asker interface {
	Ask(ctx context.Context, target Target) ([]Answer, error)
}

// Group is a set of replicas that must serve an object.
type Group struct {
	// Name of the group in messages, such as "router".
	Name string
	// Beside says that an object does not wait for the first of the replicas. Whoever starts later begins with what is declared
	// then, and until then nobody works by anything older.
	Beside  bool
	Answers []Answer
}

// Judge says whether all groups serve the generation of an object.
func Judge(kind, name string, generation int64, groups ...Group) conditions.Condition {
	return JudgeAlike(kind, name, []int64{generation}, groups...)
}

// JudgeAlike is Judge for an object of which some generations are served alike: each of them counts as the newest.
func JudgeAlike(kind, name string, generations []int64, groups ...Group) conditions.Condition {
	const condition = v1alpha1.ConditionAcknowledged
	for _, group := range groups {
		if len(group.Answers) == 0 && !group.Beside {
			return conditions.False(condition, v1alpha1.ReasonAwaitingReplicas, "No replica of the "+group.Name+" is ready")
		}
	}
	for _, group := range groups {
		for _, answer := range group.Answers {
			if answer.Err != nil {
				return conditions.False(condition, v1alpha1.ReasonAwaitingReload, "A replica of the "+group.Name+" does not answer")
			}
			if !slices.Contains(generations, answer.Report.Objects[configz.ObjectKey(kind, name)]) {
				return conditions.False(condition, v1alpha1.ReasonAwaitingReload, "A replica of the "+group.Name+" does not serve this generation yet")
			}
		}
	}
	return conditions.True(condition, v1alpha1.ReasonAcknowledged, "Every ready replica serves this generation")
}

// CredentialsInterval is how often the replicas are asked about what changes without any object changing: whether the
// platform still accepts a Channel's credentials.
const CredentialsInterval = 30 * time.Second

// Pending says whether asking again may change the finding. Without a ready replica it cannot: the pod's watch wakes the
// controller.
func Pending(finding conditions.Condition) bool {
	return finding.Reason == v1alpha1.ReasonAwaitingReload
}
