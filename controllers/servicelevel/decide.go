package servicelevel

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/ack"
	"github.com/yingda-dev/yingda/internal/conditions"
	"github.com/yingda-dev/yingda/internal/domain/servicelevel"
)

// verdict is what a pass makes of the scene.
type verdict struct {
	// findings in the order of the status, Ready first.
	findings []conditions.Condition
	// pending says that asking the replicas again may change a finding.
	pending bool
	// wake is when a finding may change by itself; zero for never.
	wake time.Duration
}

func decide(seen *scene) verdict {
	checked := valid(seen.level.Spec)
	acknowledged := ack.JudgeBrands("ServiceLevel", seen.level.Name, seen.level.Generation, seen.brands)
	if checked.Status != metav1.ConditionTrue {
		acknowledged, _ = ack.NotServed("ServiceLevel", seen.level.Name, seen.brands)
	}
	findings := []conditions.Condition{checked, acknowledged}
	decided := verdict{
		findings: append([]conditions.Condition{conditions.Summary(findings...)}, findings...),
		pending:  ack.Pending(acknowledged),
	}
	if objectives, wanted := attained(seen.level, seen.brands); wanted {
		decided.findings, decided.wake = append(decided.findings, objectives), measureAgain
	}
	return decided
}

// valid finds what passed another version of the schema.
func valid(spec v1alpha1.ServiceLevelSpec) conditions.Condition {
	if mistakes := servicelevel.Validate(spec); len(mistakes) > 0 {
		return conditions.False(v1alpha1.ConditionValid, v1alpha1.ReasonInvalid, mistakes.ToAggregate().Error())
	}
	return conditions.True(v1alpha1.ConditionValid, v1alpha1.ReasonValid, "All promises can be kept")
}
