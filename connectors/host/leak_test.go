package host_test

import (
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/yingda-dev/yingda/internal/message"
)

// Not parallel: it looks at all goroutines of the process. Kafka's and the platform's own live on with the test's world, so
// it counts those that run code of the connectors.
func TestStoppedReplicaLeavesNothingBehind(t *testing.T) {
	w, r, _ := shopWith(t, "customer1")
	w.Report(w.Say("shop", "customer1", "hello"), message.DeliveryDelivered)
	ours := regexp.MustCompile(`yingda/connectors/(host|wechat|miniprogram|officialaccount)\.`)
	count := func() (running []string) {
		buffer := make([]byte, 8<<20)
		for stack := range strings.SplitSeq(string(buffer[:runtime.Stack(buffer, true)]), "\n\n") {
			// Tests of the package itself wait in Parallel for this one's end.
			if ours.MatchString(stack) && !strings.Contains(stack, "testing.(*T).Parallel") {
				running = append(running, stack)
			}
		}
		return running
	}
	if len(count()) < dispatchers {
		t.Fatalf("a running replica shows %d goroutines: the test looks for the wrong ones", len(count()))
	}
	r.Stop()
	w.Eventually("no goroutine of the connectors runs", func() bool { return len(count()) == 0 })
}

// dispatchers is a part of what a replica runs.
const dispatchers = 32
