//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
)

// file is a case as the desk shows it.
type file struct {
	Name       string     `json:"name"`
	ID         string     `json:"id"`
	State      string     `json:"state"`
	Due        *time.Time `json:"due"`
	BreachedAt *time.Time `json:"breachedAt"`
	ClosedAt   *time.Time `json:"closedAt"`
	History    []struct {
		State string `json:"state"`
		Actor string `json:"actor"`
	} `json:"history"`
	Allowed []struct {
		Action string   `json:"action"`
		Points []string `json:"points"`
	} `json:"allowed"`
}

// was lists the states that a case went through.
func (f file) was() []string {
	var states []string
	for _, event := range f.History {
		states = append(states, event.State)
	}
	return slices.Compact(states)
}

func (d desk) file(ctx context.Context, name string) (f file, err error) {
	return f, d.do(ctx, http.MethodGet, "/api/cases/"+url.PathEscape(name), nil, &f)
}

// reaches waits until a case is in a state in which the action is allowed.
func (d desk) reaches(t testing.TB, name, action string) file {
	t.Helper()
	return await(t, "the case takes "+action, recovery,
		func(ctx context.Context) (file, error) { return d.file(ctx, name) },
		func(f file) bool {
			for _, a := range f.Allowed {
				if a.Action == action {
					return true
				}
			}
			return false
		})
}

// acts does something with a case, twice: the first answer may have been lost.
func (d desk) acts(t testing.TB, name, action string, with map[string]any) {
	t.Helper()
	d.reaches(t, name, action)
	body := map[string]any{"key": uuid.New(), "action": action}
	maps.Copy(body, with)
	for range 2 {
		must(t, d.do(t.Context(), http.MethodPost, "/api/cases/"+url.PathEscape(name)+"/actions", body, nil))
	}
}

// recovery is how long a step may take whose worker was killed: its pod starts anew, and Temporal gives up on the old one.
const recovery = 90 * time.Second

// refundedOnce plays an after-sales case from the application to the customer's consent, while the worker is killed as soon as it
// runs, before the review and with the refund: every step happens once. What happens in each state the tests of the process hold.
func (s *story) refundedOnce() {
	t := s.t
	c := s.customer("refunded")
	given := s.meets(t, c, "少发了一件")
	prey := findVictims(t, s.kube)
	crash := func() {
		t.Helper()
		await(t, "a worker that runs again is killed", recovery,
			func(context.Context) (int, error) { return prey.kill("workflows") }, func(killed int) bool { return killed > 0 })
	}
	// Of its own: what was paid back for an order in a run of before is not left to pay back.
	order := fmt.Sprintf("LM%d", time.Now().UnixMilli())
	var opened file
	must(t, s.agent.do(t.Context(), http.MethodPost, "/api/conversations/"+given.ID+"/after-sales", map[string]any{
		"key": uuid.New(), "kind": "RefundOnly", "reason": "MissingItem", "description": "少一件",
		"order": map[string]any{"number": order, "paid": 19900, "deliveredAt": time.Now().Add(-24 * time.Hour).UTC()},
	}, &opened))
	crash()
	s.agent.acts(t, opened.Name, "approve", map[string]any{"note": "核实少发"})
	s.agent.reaches(t, opened.Name, "refunded")
	must(t, s.agent.close(t.Context(), given.ID))
	c.writes(t, "进度") // Of the bot: while an agent has the conversation, it is the agent who answers.
	c.receives(t, "where the case stands", func(l line) bool {
		return strings.Contains(l.Text, order[len(order)-4:]) && strings.Contains(l.Text, "退款")
	})
	s.agent.acts(t, opened.Name, "refunded", map[string]any{"reference": "4200001234202611220001"})
	crash()
	s.agent.acts(t, opened.Name, "confirm", nil)
	done := await(t, "the case has ended", recovery,
		func(ctx context.Context) (file, error) { return s.agent.file(ctx, opened.Name) },
		func(f file) bool { return f.ClosedAt != nil })
	want := []string{"review", "refunding", "settled", "done"}
	if got := done.was(); !slices.Equal(got, want) || done.BreachedAt != nil {
		t.Errorf("the case went through %q, late at %v; want %q, never late", got, done.BreachedAt, want)
	}
}

// promisedAndLate makes a promise that nobody keeps in time: its breach is marked, and the agent can still keep it.
func (s *story) promisedAndLate() {
	t := s.t
	c := s.customer("promised")
	given := s.meets(t, c, "物流到哪了")
	var owed file
	must(t, s.agent.do(t.Context(), http.MethodPost, "/api/conversations/"+given.ID+"/promises", map[string]any{
		"key": uuid.New(), "what": "查物流", "due": time.Now().Add(3 * time.Second).UTC(),
	}, &owed))
	await(t, "the promise is late", recovery,
		func(ctx context.Context) (file, error) { return s.agent.file(ctx, owed.Name) },
		func(f file) bool { return f.BreachedAt != nil })
	s.agent.acts(t, owed.Name, "done", nil)
	await(t, "the promise is kept", recovery,
		func(ctx context.Context) (file, error) { return s.agent.file(ctx, owed.Name) },
		func(f file) bool { return f.ClosedAt != nil })
}
