package task

import (
	"log/slog"
	"path/filepath"
	"testing"

	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/yingda-dev/yingda/internal/promise"
)

// Histories are kept by the version that wrote them; those of newest are written by the tests on real servers with -update.
// Once newest is released its histories stay as they are, and newest moves on.
const (
	histories = "testdata/histories"
	newest    = "v0.2.0"
)

func TestStoredHistoriesReplay(t *testing.T) {
	paths, err := filepath.Glob(filepath.Join(histories, "*", "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	if len(paths) == 0 {
		t.Fatal("there are no stored histories")
	}
	for _, path := range paths {
		t.Run(path, func(t *testing.T) {
			replayer := worker.NewWorkflowReplayer()
			replayer.RegisterWorkflowWithOptions(Workflow, workflow.RegisterOptions{Name: promise.TaskWorkflow})
			if err := replayer.ReplayWorkflowHistoryFromJSONFile(log.NewStructuredLogger(slog.New(slog.DiscardHandler)), path); err != nil {
				t.Errorf("running tasks could not go on with this version: %v", err)
			}
		})
	}
}
