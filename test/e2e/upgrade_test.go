//go:build e2e

package e2e

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
)

// upgradeLimit is how long an installation may take whose programs have to be built.
const upgradeLimit = 20 * time.Minute

// TestUpgrade installs an older version on this machine, has customers and cases wait for somebody, upgrades to the commit that is
// checked out, and sees everybody served to the end. Nothing else may run that make up starts. FROM is the older version's tag or commit.
func TestUpgrade(t *testing.T) {
	from := os.Getenv("FROM")
	if from == "" {
		t.Fatal("say from what to upgrade: make e2e-upgrade FROM=<tag or commit>")
	}
	root, err := filepath.Abs(filepath.Join("..", ".."))
	must(t, err)
	clone := filepath.Join(root, ".run", "upgrade")
	// A run that was killed has left its servers.
	if _, err := os.Stat(clone); err == nil {
		must(t, runProgram(t.Context(), clone, "make", "down"))
	}
	must(t, os.RemoveAll(clone))
	must(t, runProgram(t.Context(), root, "git", "clone", "--quiet", "--no-checkout", root, clone))
	must(t, runProgram(t.Context(), clone, "git", "tag", "upgraded", "HEAD"))
	must(t, runProgram(t.Context(), root, "cp", "-a", "bin", clone)) // What is the same in both versions need not be built again.
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), cleanupLimit)
		defer cancel()
		if err := runProgram(ctx, clone, "make", "down"); err != nil {
			t.Error(err)
		}
		if !t.Failed() {
			must(t, os.RemoveAll(clone))
		}
	})
	install(t, clone, from)
	before := openAt(t, clone)
	open := beginCases(t, before)
	install(t, clone, "upgraded")
	after := openAt(t, clone)
	after.kube.allReady(t, recovery)
	endCases(t, after, open)
}

// install checks a version out and brings it up over what is there.
func install(t *testing.T, clone, version string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), upgradeLimit)
	defer cancel()
	must(t, runProgram(ctx, clone, "git", "checkout", "--quiet", "--force", version))
	began := time.Now()
	must(t, runProgram(ctx, clone, "make", "up"))
	t.Logf("%s is up after %s", version, time.Since(began).Round(time.Second))
}

// waiting is who and what waits for somebody while the product is upgraded.
type waiting struct {
	customer                    customer
	conversation                string
	reviewed, returned, promise file
	complaint                   string
}

const (
	firstWords     = "你好,想问一下售后"
	complaintWords = "我要投诉!"
)

func beginCases(t *testing.T, s *stack) waiting {
	t.Helper()
	w := waiting{customer: s.customer("upgraded")}
	complains := s.customer("complaint")
	w.customer.writes(t, firstWords)
	w.conversation = s.agent.sees(t, w.customer, assigned).ID
	opens := func(kind, reason string, opened *file) {
		body := application(&player{number: s.run + kind}, kind, reason)
		body["key"] = uuid.New()
		must(t, s.agent.do(t.Context(), http.MethodPost, "/api/conversations/"+w.conversation+"/after-sales", body, opened))
	}
	opens("RefundOnly", "MissingItem", &w.reviewed)
	opens("Return", "NoReason", &w.returned)
	s.agent.acts(t, w.returned.Name, "approve", map[string]any{"note": "核实"})
	s.agent.acts(t, w.returned.Name, "sent", map[string]any{"carrier": "顺丰", "tracking": "SF1"})
	must(t, s.agent.do(t.Context(), http.MethodPost, "/api/conversations/"+w.conversation+"/promises", map[string]any{
		"key": uuid.New(), "what": "查物流", "due": time.Now().Add(time.Hour).UTC(),
	}, &w.promise))
	complains.writes(t, complaintWords)
	w.complaint = s.agent.sees(t, complains, assigned).ID
	return w
}

func endCases(t *testing.T, s *stack, w waiting) {
	t.Helper()
	w.customer.writes(t, "在吗?")
	s.agent.hears(t, w.conversation, firstWords, "在吗?")
	s.agent.replies(t, w.customer, w.conversation, "在的")
	s.agent.acts(t, w.reviewed.Name, "approve", map[string]any{"note": "核实少发"})
	s.agent.acts(t, w.returned.Name, "receive", nil)
	var points []string
	for _, allowed := range s.agent.reaches(t, w.returned.Name, "accept").Allowed {
		points = slices.Concat(points, allowed.Points)
	}
	s.agent.acts(t, w.returned.Name, "accept", map[string]any{"checked": points})
	paid := map[string]any{"reference": "4200001234"}
	s.agent.acts(t, w.reviewed.Name, "refunded", paid)
	s.agent.acts(t, w.returned.Name, "refunded", paid)
	s.agent.acts(t, w.returned.Name, "claimed", paid)
	s.agent.acts(t, w.reviewed.Name, "confirm", nil)
	s.agent.acts(t, w.returned.Name, "confirm", nil)
	s.agent.acts(t, w.promise.Name, "done", nil)
	for name, want := range map[string][]string{
		w.reviewed.Name: {"review", "refunding", "settled", "done"},
		w.returned.Name: {"review", "returning", "received", "refunding", "claiming", "settled", "done"},
		w.promise.Name:  {"open", "done"},
	} {
		ended := await(t, name+" has ended", recovery,
			func(ctx context.Context) (file, error) { return s.agent.file(ctx, name) }, func(f file) bool { return f.ClosedAt != nil })
		if got := ended.was(); !slices.Equal(got, want) || ended.BreachedAt != nil {
			t.Errorf("%s went through %q, late at %v; want %q, never late", name, got, ended.BreachedAt, want)
		}
	}
	must(t, s.agent.resolve(t.Context(), w.complaint, "已道歉"))
	await(t, "the complaint is resolved", recovery, s.supervisor.complaints, func(all []complaint) bool {
		return slices.ContainsFunc(all, func(c complaint) bool { return c.Conversation == w.complaint && strings.HasPrefix(c.State, "resolved") })
	})
}
