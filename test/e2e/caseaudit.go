package e2e

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// caseEnd is what one case came to.
type caseEnd struct {
	// Customer is whose case it is, Script what was played with it.
	Customer, Script string
	// Ended says that its row is closed and its workflow has come to its end.
	Ended bool
	// States are those that it went through, in order.
	States []string
	// Late says that its row is marked as one that missed a deadline.
	Late bool
	// Steps are what happened to it, without what is a case's own.
	Steps []string
	// Told counts the news of its steps on agents' desks, by agent and step.
	Told map[string]int
	// Moved counts what the provider did for it, by operation and attempt.
	Moved map[string]int
	// Read counts the texts on the customer's phone, word for word.
	Read map[string]int
}

// caseCounts are what became of the cases of one trial, against the same cases without a fault.
type caseCounts struct {
	Cases, Ended int
	// Lost have not ended; Different went another way; Surplus are customers with more than one case.
	Lost, Different, Surplus int
	// Deadlines are reminders, breaches and rungs: all that were taken, and those that were not.
	Deadlines, MissedDeadlines int
	// News are what desks were told.
	News, MissedNews, DoubledNews int
	// Orders are what the provider did; Doubled what it did though it was done already or not to be done.
	Orders, MissedOrders, DoubledOrders int
	// Texts are what customers read.
	Texts, MissedTexts, DoubledTexts int
	Findings                         []string
}

func (c *caseCounts) failed() bool {
	return c.Lost+c.Different+c.Surplus+c.MissedDeadlines+c.MissedNews+c.DoubledNews+c.MissedOrders+c.DoubledOrders+c.MissedTexts+c.DoubledTexts > 0
}

// auditCases compares the cases of a trial with what those of the same script come to without a fault.
func auditCases(wanted map[string]caseEnd, cases []caseEnd) caseCounts {
	counts := caseCounts{Cases: len(cases)}
	of := map[string]int{}
	for i := range cases {
		counts.add(wanted[cases[i].Script], cases[i])
		if of[cases[i].Customer]++; of[cases[i].Customer] > 1 {
			counts.Surplus++
			counts.find("%s has %d cases", cases[i].Customer, of[cases[i].Customer])
		}
	}
	return counts
}

func (c *caseCounts) add(want, got caseEnd) {
	who := got.Customer
	if got.Ended {
		c.Ended++
	} else {
		c.Lost++
		c.find("%s has not ended: %v", who, got.States)
	}
	missing, surplus := difference(tally(want.Steps), tally(got.Steps))
	for _, step := range got.Steps {
		if isDeadline(step) {
			c.Deadlines++
		}
	}
	otherwise := len(surplus) > 0
	for _, step := range missing {
		if isDeadline(step) {
			c.MissedDeadlines++
			c.find("%s was never taken for %s", step, who)
		} else {
			otherwise = true
		}
	}
	if !slices.Equal(want.States, got.States) || want.Late != got.Late || otherwise {
		c.Different++
		c.find("%s went through %v (late: %t; steps missing: %v; more: %v), without a fault it is %v", who, got.States, got.Late, missing, surplus, want.States)
	}

	missing, surplus = difference(want.Told, got.Told)
	c.News, c.MissedNews, c.DoubledNews = c.News+total(got.Told), c.MissedNews+len(missing), c.DoubledNews+len(surplus)
	c.findAll("of %s nobody was told at "+who, missing)
	c.findAll("of %s somebody was told once more at "+who, surplus)

	missing, surplus = difference(want.Moved, got.Moved)
	c.Orders, c.MissedOrders, c.DoubledOrders = c.Orders+total(got.Moved), c.MissedOrders+len(missing), c.DoubledOrders+len(surplus)
	c.findAll("%s was not done for "+who, missing)
	c.findAll("%s was done once more for "+who, surplus)

	// Numbers and times differ from case to case. What takes long is announced as well: more is not too much, the same again is.
	missing, _ = difference(withoutNumbers(want.Read), withoutNumbers(got.Read))
	c.Texts, c.MissedTexts = c.Texts+total(got.Read), c.MissedTexts+len(missing)
	c.findAll("%q never came to "+who, missing)
	for text, n := range got.Read {
		if n > 1 {
			c.DoubledTexts += n - 1
			c.find("%q came %d times to %s", text, n, who)
		}
	}
}

func (c *caseCounts) findAll(format string, what []string) {
	for _, one := range what {
		c.find(format, one)
	}
}

func (c *caseCounts) find(format string, args ...any) {
	if len(c.Findings) < maxFindings {
		c.Findings = append(c.Findings, fmt.Sprintf(format, args...))
	}
}

// isDeadline says whether a step is one that only a clock takes.
func isDeadline(step string) bool {
	kind, _, _ := strings.Cut(step, "/")
	return kind == "remind" || kind == "breach" || kind == "escalate"
}

// ownParts are the parts of a step's name that are one case's alone.
var ownParts = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`)

// toldStep begins the names of steps that tell the customer something. What they read is counted on their phone.
const toldStep = "told/"

// stepsAlike returns steps by names that are the same for every case of a script, however long it took.
func stepsAlike(steps []string) []string {
	var alike []string
	for _, step := range steps {
		if !strings.HasPrefix(step, toldStep) {
			alike = append(alike, ownParts.ReplaceAllString(step, "*"))
		}
	}
	slices.Sort(alike)
	return alike
}

var numbers = regexp.MustCompile(`[0-9]+`)

func withoutNumbers(texts map[string]int) map[string]int {
	alike := map[string]int{}
	for text, n := range texts {
		alike[numbers.ReplaceAllString(text, "#")] += n
	}
	return alike
}

func tally(items []string) map[string]int {
	counts := map[string]int{}
	for _, item := range items {
		counts[item]++
	}
	return counts
}

func total(counts map[string]int) int {
	sum := 0
	for _, n := range counts {
		sum += n
	}
	return sum
}

// difference lists what got has too few and too many of, each as often as that is.
func difference(want, got map[string]int) (missing, surplus []string) {
	for _, name := range slices.Sorted(maps.Keys(want)) {
		for range want[name] - got[name] {
			missing = append(missing, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(got)) {
		for range got[name] - want[name] {
			surplus = append(surplus, name)
		}
	}
	return missing, surplus
}
