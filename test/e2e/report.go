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

func (outcome) columns() []string {
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
	return append(row, o.Settled.Round(digits).String(), o.Live.Round(digits).String())
}

func (o outcome) note() string {
	if reasons := o.Replies.reasons(); reasons != "" {
		return fmt.Sprintf("Replies not delivered, %s: %s.", o.Fault, reasons)
	}
	return ""
}

// caseOutcome is what one fault did to cases.
type caseOutcome struct {
	Fault string
	Cases caseCounts
	// Kills counts the processes that were ended with SIGKILL.
	Kills int
	// Calls is how often the provider was called.
	Calls int
	// Took is how long it was from the first case to the end of the last.
	Took time.Duration
}

func (caseOutcome) columns() []string {
	return []string{
		"fault", "kills", "cases", "ended", "lost", "different", "surplus", "deadlines", "missed", "news", "missed", "twice",
		"calls", "orders", "missed", "twice", "texts", "missed", "twice", "took",
	}
}

func (o caseOutcome) row() []string {
	c := o.Cases
	row := []string{o.Fault}
	for _, n := range []int{
		o.Kills, c.Cases, c.Ended, c.Lost, c.Different, c.Surplus, c.Deadlines, c.MissedDeadlines, c.News, c.MissedNews, c.DoubledNews,
		o.Calls, c.Orders, c.MissedOrders, c.DoubledOrders, c.Texts, c.MissedTexts, c.DoubledTexts,
	} {
		row = append(row, strconv.Itoa(n))
	}
	return append(row, o.Took.Round(digits).String())
}

func (caseOutcome) note() string { return "" }

// digits are those of times that people read.
const digits = 100 * time.Millisecond

// tableLine is one line of a table; a note, where it has one, stands below.
type tableLine interface {
	columns() []string
	row() []string
	note() string
}

// printTable writes the outcomes for a terminal.
func printTable[L tableLine](w io.Writer, lines []L) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	var none L
	fmt.Fprintln(table, strings.Join(none.columns(), "\t")+"\t")
	for _, l := range lines {
		fmt.Fprintln(table, strings.Join(l.row(), "\t")+"\t")
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("writing the table: %w", err)
	}
	for _, l := range lines {
		if note := l.note(); note != "" {
			fmt.Fprintln(w, note)
		}
	}
	return nil
}

// The report that docs keep has a chapter a test, each of which replaces its own.
const (
	reportTitle      = "# What faults cost\n"
	messagesHeading  = "## Messages"
	casesHeading     = "## Cases"
	chapterSeparator = "\n## "
)

const aboutMessages = `Each fault runs while 50 customers write 100 messages a second for 60 s and an agent answers some of them.

- success: the platform was told "success"; such a message must be in the transcript once, in order. Others were refused, and the platform told the customer so.
- missing, repeated, out of order, silent (an answer that neither arrived nor is shown as failed or unknown), twice (an answer that arrived twice) and wrong (the desk
  says the contrary of what happened) must be 0.
- settled: the time from the last push of the load until every message had found its place; live: until every replica served an edited
  object, everything was Ready and a new message came to the agent's open workbench within a second again.
`

const aboutCases = `The same cases are played without a fault and with each: refunds that an agent opens, returns that the shop's own system opens, complaints in
customers' own words, promises and call-backs, twelve of each. All are left alone until they have climbed their ladders, half a minute
in all, while the fault strikes; then agents and the provider bring them to their ends. Temporal and Postgres are ended by SIGKILL twice, with timers pending
that are overdue when they come back; the provider does what it is told and forgets to answer every third time.

- lost: cases whose row is open or whose workflow has not completed in the end; different: those that went through other states or steps than without
  a fault; surplus: customers with more than one case.
- deadlines: reminders, breaches and rungs of ladders that were taken; news: what agents' desks were told of steps; orders: what the provider did, by key,
  whatever the number of calls; texts: what was on customers' phones, where more than without a fault is what took long enough to be announced.
- lost, different, surplus, missed and twice must be 0.
- emergencies, and days of conversations that are given out to be judged, have no lines below: they are played without a fault and with each, and
  are wanted to end the same, by the tests EveryFaultLeadsToTheSameEnd of workers/workflows.
`

// markdown is a chapter of the report.
func markdown[L tableLine](heading, broker, about string, lines []L) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\nMeasured by `make e2e-faults E2E_REPORT=docs/faults.md` on the local stack, broker %s. %s\n", heading, broker, about)
	line := func(cells []string) { fmt.Fprintf(&b, "| %s |\n", strings.Join(cells, " | ")) }
	var none L
	line(none.columns())
	rule := []string{"---"}
	for range none.columns()[1:] {
		rule = append(rule, "---:")
	}
	line(rule)
	for _, l := range lines {
		line(l.row())
	}
	for _, l := range lines {
		if note := l.note(); note != "" {
			fmt.Fprintf(&b, "\n%s\n", note)
		}
	}
	return b.String()
}

// withChapter is a report with that chapter anew, and whatever else it held.
func withChapter(report, heading, chapter string) string {
	chapters := map[string]string{heading: chapter}
	for _, text := range strings.Split("\n"+report, chapterSeparator)[1:] {
		text = strings.TrimPrefix(chapterSeparator, "\n") + text
		if name, _, _ := strings.Cut(text, "\n"); name != heading {
			chapters[name] = strings.TrimRight(text, "\n") + "\n"
		}
	}
	var out strings.Builder
	out.WriteString(reportTitle)
	for _, name := range []string{messagesHeading, casesHeading} {
		if chapters[name] != "" {
			out.WriteString("\n" + chapters[name])
		}
	}
	return out.String()
}
