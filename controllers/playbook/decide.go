package playbook

import (
	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/ack"
	"github.com/yingda-dev/yingda/internal/conditions"
	"github.com/yingda-dev/yingda/internal/domain/bot"
)

// verdict is what a pass makes of the scene.
type verdict struct {
	// findings in the order of the status, Ready first.
	findings []conditions.Condition
	// pending says that asking the replicas again may change a finding.
	pending bool
}

func decide(seen *scene) verdict {
	acknowledged := ack.JudgeRouters("Playbook", seen.playbook.Name, seen.playbook.Generation, seen.routers)
	findings := []conditions.Condition{valid(seen.playbook.Spec), acknowledged}
	return verdict{
		findings: append([]conditions.Condition{conditions.Summary(findings...)}, findings...),
		pending:  ack.Pending(acknowledged),
	}
}

func valid(spec v1alpha1.PlaybookSpec) conditions.Condition {
	if mistakes := bot.Validate(spec); len(mistakes) > 0 {
		return conditions.False(v1alpha1.ConditionValid, v1alpha1.ReasonInvalid, mistakes.ToAggregate().Error())
	}
	return conditions.True(v1alpha1.ConditionValid, v1alpha1.ReasonValid, "All texts and rules can be used")
}
