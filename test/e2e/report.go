package e2e

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// outcome is what one fault did.
type outcome struct {
	Fault    string
	Messages messageCounts
	Replies  replyCounts
	// Kills counts the processes that were ended with SIGKILL.
	Kills int
	// Settled is how long after the last message of the load everything had found its place.
	Settled time.Duration
	// Live is how long after that same moment every replica served an edited object, everything was Ready and a new
	// message came to the agent's open workbench as quickly as ever.
	Live time.Duration
}

func (o outcome) failed() bool {
	return o.Messages.Missing+o.Messages.Repeated+o.Messages.OutOfOrder+o.Replies.Silent+o.Replies.Twice+o.Replies.Wrong > 0
}

func columns() []string {
	return []string{
		"fault", "kills", "written", "success", "kept", "missing", "repeated", "out of order",
		"replies", "delivered", "failed", "unknown", "silent", "twice", "wrong", "settled", "live",
	}
}

func (o outcome) row() []string {
	m, r := o.Messages, o.Replies
	row := []string{o.Fault}
	for _, n := range []int{
		o.Kills, m.Written, m.Success, m.Kept, m.Missing, m.Repeated, m.OutOfOrder,
		r.Accepted, r.Delivered, r.Failed, r.Unknown, r.Silent, r.Twice, r.Wrong,
	} {
		row = append(row, strconv.Itoa(n))
	}
	const digits = 100 * time.Millisecond
	return append(row, o.Settled.Round(digits).String(), o.Live.Round(digits).String())
}

// printTable writes the outcomes for a terminal.
func printTable(w io.Writer, outcomes []outcome) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, strings.Join(columns(), "\t")+"\t")
	for _, o := range outcomes {
		fmt.Fprintln(table, strings.Join(o.row(), "\t")+"\t")
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("writing the table: %w", err)
	}
	for _, o := range outcomes {
		if reasons := o.Replies.reasons(); reasons != "" {
			fmt.Fprintf(w, "%s: replies not delivered: %s\n", o.Fault, reasons)
		}
	}
	return nil
}

// markdown is the report that docs keep.
func markdown(broker string, outcomes []outcome) string {
	var b strings.Builder
	fmt.Fprintf(&b, `# What faults cost

Measured by `+"`make e2e-faults E2E_REPORT=docs/faults.md`"+` on the local stack, broker %s. Each fault runs while 50 customers write
100 messages a second for 60 s and an agent answers some of them.

- success: the platform was told "success"; such a message must be in the transcript once, in order. Others were refused, and the platform told the customer so.
- missing, repeated, out of order, silent (an answer that neither arrived nor is shown as failed or unknown), twice (an answer that arrived twice) and wrong (the desk
  says the contrary of what happened) must be 0.
- settled: the time from the last push of the load until every message had found its place; live: until every replica served an edited
  object, everything was Ready and a new message came to the agent's open workbench within a second again.

`, broker)
	line := func(cells []string) { fmt.Fprintf(&b, "| %s |\n", strings.Join(cells, " | ")) }
	line(columns())
	rule := []string{"---"}
	for range columns()[1:] {
		rule = append(rule, "---:")
	}
	line(rule)
	for _, o := range outcomes {
		line(o.row())
	}
	for _, o := range outcomes {
		if reasons := o.Replies.reasons(); reasons != "" {
			fmt.Fprintf(&b, "\nReplies not delivered, %s: %s.\n", o.Fault, reasons)
		}
	}
	return b.String()
}
