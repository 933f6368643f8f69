package servicelevel

import (
	"github.com/yingda-dev/yingda/internal/ack"
	"github.com/yingda-dev/yingda/internal/conditions"
)

// verdict is what a pass makes of the scene.
type verdict struct {
	// findings in the order of the status, Ready first.
	findings []conditions.Condition
	// pending says that asking the replicas again may change a finding.
	pending bool
}

func decide(seen *scene) verdict {
	acknowledged := ack.JudgeBrands("ServiceLevel", seen.level.Name, seen.level.Generation, seen.brands)
	return verdict{
		findings: []conditions.Condition{conditions.Summary(acknowledged), acknowledged},
		pending:  ack.Pending(acknowledged),
	}
}
