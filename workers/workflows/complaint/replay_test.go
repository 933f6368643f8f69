package complaint

import (
	"testing"

	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/yingda-dev/yingda/internal/promise"
	"github.com/yingda-dev/yingda/workers/workflows/workflowtest"
)

// newest is the version whose histories the tests on real servers write with -update.
const newest = "v0.3.0"

func TestStoredHistoriesReplay(t *testing.T) {
	workflowtest.Replay(t, func(r worker.WorkflowReplayer) {
		r.RegisterWorkflowWithOptions(Workflow, workflow.RegisterOptions{Name: promise.ComplaintWorkflow})
	})
}
