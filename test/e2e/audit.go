package e2e

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// maxFindings bounds what a broken run prints.
const maxFindings = 20

// written is a message as the platform knows it.
type written struct {
	customer, id string
	// seq is its place among the customer's own.
	seq int
	// success says that the platform was told "success": from then on the product may not lose it.
	success bool
}

// kept is a message in a transcript.
type kept struct{ customer, id string }

// messageCounts are what became of the customers' messages.
type messageCounts struct {
	Written, Success, Kept        int
	Missing, Repeated, OutOfOrder int
	Findings                      []string
}

// auditMessages compares what customers wrote with their transcripts, which come in the order in which desks show them.
func auditMessages(all []written, transcript []kept) messageCounts {
	counts := messageCounts{Written: len(all), Kept: len(transcript)}
	seqs, times := map[kept]int{}, map[kept]int{}
	for _, m := range all {
		seqs[kept{m.customer, m.id}] = m.seq
	}
	last := map[string]int{}
	for _, m := range transcript {
		times[m]++
		if times[m] > 1 {
			counts.Repeated++
			counts.find("repeated: message %d of customer %s", seqs[m], m.customer)
			continue
		}
		if seqs[m] < last[m.customer] {
			counts.OutOfOrder++
			counts.find("out of order: message %d of customer %s after message %d", seqs[m], m.customer, last[m.customer])
		}
		last[m.customer] = seqs[m]
	}
	for _, m := range all {
		if !m.success {
			continue
		}
		counts.Success++
		if times[kept{m.customer, m.id}] == 0 {
			counts.Missing++
			counts.find("missing: message %d (%s) of customer %s", m.seq, m.id, m.customer)
		}
	}
	return counts
}

func (c *messageCounts) find(format string, args ...any) {
	if len(c.Findings) < maxFindings {
		c.Findings = append(c.Findings, fmt.Sprintf(format, args...))
	}
}

// reply is an agent's answer. Every text is used once, so that the text tells answers apart on the customer's phone.
type reply struct {
	text string
	// accepted says that the desk took it.
	accepted bool
}

// delivery is what the desk shows under an answer.
type delivery struct {
	State  string `json:"state"`
	Code   int    `json:"code,omitempty"`
	Reason string `json:"reason,omitempty"`
}

// replyCounts are what became of the agents' answers.
type replyCounts struct {
	Tried, Accepted            int
	Delivered, Failed, Unknown int
	// Silent did not arrive, and the desk does not say so; Twice arrived more than once; Wrong says the contrary of what
	// happened: delivered and not arrived, or failed and arrived.
	Silent, Twice, Wrong int
	// Reasons of those that failed or are unknown.
	Reasons  map[string]int
	Findings []string
}

// auditReplies compares what the desk shows with what came to the phones; arrived counts by text.
func auditReplies(replies []reply, shown map[string]delivery, arrived map[string]int) replyCounts {
	counts := replyCounts{Tried: len(replies), Reasons: map[string]int{}}
	for _, r := range replies {
		d, n := shown[r.text], arrived[r.text]
		if r.accepted {
			counts.Accepted++
		}
		if n > 1 {
			counts.Twice++
			counts.find("arrived %d times: %s", n, r.text)
		}
		switch d.State {
		case "delivered":
			counts.Delivered++
			if n == 0 {
				counts.wrong(r, d, n)
			}
		case "failed":
			counts.Failed++
			counts.Reasons[d.Reason]++
			if n > 0 {
				counts.wrong(r, d, n)
			}
		case "unknown":
			counts.Unknown++
			counts.Reasons[d.Reason]++
		default:
			if r.accepted && n == 0 {
				counts.Silent++
				counts.find("neither arrived nor shown as failed or unknown (%q): %s", d.State, r.text)
			}
		}
	}
	return counts
}

func (c *replyCounts) wrong(r reply, d delivery, arrived int) {
	c.Wrong++
	c.find("shown as %s, arrived %d times: %s", d.State, arrived, r.text)
}

func (c *replyCounts) find(format string, args ...any) {
	if len(c.Findings) < maxFindings {
		c.Findings = append(c.Findings, fmt.Sprintf(format, args...))
	}
}

// reasons lists them as "QuotaSpent 3, WindowClosed 1".
func (c *replyCounts) reasons() string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(c.Reasons)) {
		parts = append(parts, fmt.Sprintf("%s %d", name, c.Reasons[name]))
	}
	return strings.Join(parts, ", ")
}
