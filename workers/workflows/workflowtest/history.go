package workflowtest

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/temporalproto"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/worker"

	"github.com/yingda-dev/yingda/internal/golden"
)

// histories are kept by the version that wrote them. Those of the newest version are written by the tests on real servers with
// -update; once it is released they stay as they are, and the newest moves on.
const histories = "testdata/histories"

// Replay replays every stored history of a package with the workflows that register knows.
func Replay(t *testing.T, register func(worker.WorkflowReplayer)) {
	t.Helper()
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
			register(replayer)
			if err := replayer.ReplayWorkflowHistoryFromJSONFile(log.NewStructuredLogger(slog.New(slog.DiscardHandler)), path); err != nil {
				t.Errorf("running workflows could not go on with this version: %v", err)
			}
		})
	}
}

// StoreHistory writes a workflow's history for Replay, with -update.
func (b *Brand) StoreHistory(version, id, name string) {
	b.T.Helper()
	if !golden.Updating() {
		return
	}
	var history historypb.History
	for events := b.Client.GetWorkflowHistory(b.T.Context(), id, "", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT); events.HasNext(); {
		event, err := events.Next()
		if err != nil {
			b.T.Fatal(err)
		}
		history.Events = append(history.Events, event)
	}
	content, err := temporalproto.CustomJSONMarshalOptions{Indent: " "}.Marshal(&history)
	if err != nil {
		b.T.Fatal(err)
	}
	// Names of sticky queues hold the machine's.
	host, err := os.Hostname()
	if err != nil {
		b.T.Fatal(err)
	}
	path := filepath.Join(histories, version, name+".json")
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		b.T.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(strings.ReplaceAll(string(content), `"`+host+`:`, `"host:`)+"\n"), 0o600); err != nil {
		b.T.Fatal(err)
	}
}
