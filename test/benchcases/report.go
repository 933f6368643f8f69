package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

// begin and end enclose what a run replaces: the figures of one kind of persistence.
func marks(persisted string) (begin, end string) {
	return "<!-- begin " + persisted + " -->\n", "<!-- end " + persisted + " -->\n"
}

func progress(format string, arguments ...any) {
	fmt.Fprintf(os.Stderr, "%s "+format+"\n", append([]any{time.Now().Format(time.TimeOnly)}, arguments...)...)
}

// write replaces the figures of this kind of persistence in the report's file.
func (m *measured) write() error {
	text := m.render()
	fmt.Println(text)
	if m.out == "" {
		return nil
	}
	before, err := os.ReadFile(m.out)
	if err != nil {
		return fmt.Errorf("reading the last report: %w", err)
	}
	begin, end := marks(m.persisted)
	head, rest, found := strings.Cut(string(before), begin)
	_, tail, closed := strings.Cut(rest, end)
	if !found || !closed {
		return fmt.Errorf("%s has no place for figures of %s: it lacks the lines %q and %q", m.out, m.persisted, begin, end)
	}
	if err := os.WriteFile(m.out, []byte(head+begin+text+end+tail), 0o644); err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	return nil
}

func (m *measured) render() string {
	var w strings.Builder
	fmt.Fprintf(&w, "Printed by `go run ./test/benchcases -on %s -rounds %d -cases %d -deadlines %d -spread %s` on %s.\n\n",
		m.persisted, m.rounds, m.cases, m.deadlines, m.spread, time.Now().Format(time.DateOnly))
	// Of each round, for floor and product follow at once on each other: what a shared machine does to one it does to both.
	ratios := make([]float64, m.rounds)
	for i := range ratios {
		ratios[i] = m.product[i] / m.floor[i]
	}
	fmt.Fprintf(&w, "| cases from start to end, %d at once | median of %d rounds | lowest | highest |\n|---|---|---|---|\n", parallel, m.rounds)
	for _, line := range []struct {
		name, form string
		values     []float64
	}{
		{"floor: the same steps without our logic", "%.1f cases/s", m.floor},
		{"product", "%.1f cases/s", m.product},
		{"ratio of a round (at least 0.8 asked)", "**%.2f**", ratios},
	} {
		fmt.Fprintf(&w, "| %s | "+line.form+" | %.2f | %.2f |\n", line.name, median(line.values), slices.Min(line.values), slices.Max(line.values))
	}
	w.WriteString("\n")
	fmt.Fprintf(&w, "One case is %d workflow tasks and %s.\n", m.tasks, strings.Join(m.steps, ", "))
	if m.deadlines == 0 {
		return w.String()
	}
	at := func(percent int) time.Duration { return m.lags[len(m.lags)*percent/100].Round(time.Millisecond) }
	fmt.Fprintf(&w, "\n| %d deadlines over %s | lag |\n|---|---|\n| p50 | %s |\n| p99 (at most 2 s asked) | **%s** |\n| worst | %s |\n| lost | %d |\n\n",
		m.deadlines, m.spread, at(50), at(99), m.lags[len(m.lags)-1].Round(time.Millisecond), m.deadlines-len(m.lags))
	fmt.Fprintf(&w, "| %d deadlines at one time | handled after |\n|---|---|\n| floor: workflows with one timer | %s |\n| product | %s |\n| ratio (at most 1.25 asked) | **%.2f** |\n",
		m.deadlines, m.floorBurst.Round(10*time.Millisecond), m.productBurst.Round(10*time.Millisecond), m.productBurst.Seconds()/m.floorBurst.Seconds())
	return w.String()
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}
