package skillgroup

import (
	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/ack"
	"github.com/yingda-dev/yingda/internal/conditions"
	"github.com/yingda-dev/yingda/internal/refs"
)

// verdict is what a pass makes of the scene.
type verdict struct {
	// findings in the order of the status, Ready first.
	findings []conditions.Condition
	// pending says that asking the replicas again may change a finding.
	pending bool
}

func decide(seen *scene) verdict {
	acknowledged := ack.Judge("SkillGroup", seen.group.Name, seen.group.Generation,
		ack.Group{Name: "router", Answers: seen.router}, ack.Group{Name: "desk", Answers: seen.desk})
	if seen.schedule != nil && ack.Pending(acknowledged) {
		// Replicas report the generation once the schedule can be used; its change wakes the controller.
		acknowledged = conditions.False(v1alpha1.ConditionAcknowledged, v1alpha1.ReasonAwaitingReferences,
			"Without its ShiftSchedule the group is served around the clock, not as declared")
	}
	findings := []conditions.Condition{refs.Finding(problems(seen)), acknowledged}
	return verdict{
		findings: append([]conditions.Condition{conditions.Summary(findings...)}, findings...),
		pending:  ack.Pending(acknowledged),
	}
}

func problems(seen *scene) []refs.Problem {
	spec := seen.group.Spec
	var found []refs.Problem
	if seen.brand == nil {
		found = append(found, refs.NotFound("Brand", spec.BrandRef.Name))
	}
	if seen.schedule != nil {
		found = append(found, *seen.schedule)
	}
	if seen.selectorErr != nil {
		found = append(found, refs.Problem{Reason: v1alpha1.ReasonInvalid, Message: "agentSelector cannot be used: " + seen.selectorErr.Error()})
	}
	return found
}
