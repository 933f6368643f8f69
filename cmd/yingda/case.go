package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/util/duration"
	"sigs.k8s.io/yaml"

	"github.com/yingda-dev/yingda/internal/domain/aftersales"
	"github.com/yingda-dev/yingda/internal/domain/history"
	"github.com/yingda-dev/yingda/internal/domain/task"
	"github.com/yingda-dev/yingda/internal/promise"
	"github.com/yingda-dev/yingda/workers/desk"
)

const caseHelp = `Look at the cases that a brand's desk keeps: after-sales, complaints, promises and what else somebody owes a customer.

What is shown is what the agent sees whose trial token it is; a supervisor sees all. The token is in the Secret
<agent>-trial-token:

  kubectl get secret laowang-trial-token -o jsonpath='{.data.token}' | base64 -d > token
  yingda case list --desk https://desk.example --token-file token`

const (
	// casePage is the largest page that a desk gives.
	casePage = 500
	// maxCasePages end a list that nobody reads to its end.
	maxCasePages = 100
)

// caseFlags are how a case command was started.
type caseFlags struct {
	client  deskClient
	output  string
	kind    string
	state   string
	overdue bool
	mine    bool
	ended   bool
	now     func() time.Time
}

func newCaseCommand() *cobra.Command {
	return newCaseCommandAt(time.Now)
}

func newCaseCommandAt(now func() time.Time) *cobra.Command {
	f := caseFlags{now: now}
	cmd := &cobra.Command{Use: "case", Short: "Look at the cases of a brand", Long: caseHelp}
	f.client.bind(cmd)
	list := &cobra.Command{
		Use: "list", Aliases: []string{"ls"}, Short: "List open cases by deadline, or those that have ended", Args: cobra.NoArgs,
		Example: "  yingda case list --overdue\n  yingda case list --kind afterSales --state review -o wide\n  yingda case list --ended --kind complaint",
		RunE:    func(cmd *cobra.Command, _ []string) error { return f.list(cmd) },
	}
	flags := list.Flags()
	flags.StringVarP(&f.output, "output", "o", "", "wide, json or yaml")
	flags.StringVar(&f.kind, "kind", "", "only one kind: "+kindList())
	flags.StringVar(&f.state, "state", "", "only one state of the kind")
	flags.BoolVar(&f.ended, "ended", false, "those that have ended instead, the last first")
	flags.BoolVar(&f.overdue, "overdue", false, "only what is late")
	flags.BoolVar(&f.mine, "mine", false, "only what the agent has to do whose token it is")
	show := &cobra.Command{
		Use: "show NAME", Short: "Show a case with its history", Args: cobra.ExactArgs(1),
		Example: "  yingda case show after-sales~0199c7a4-51d0-7d34-9a5c-0c6f6a8b1c11",
		RunE:    func(cmd *cobra.Command, arguments []string) error { return f.show(cmd, arguments[0]) },
	}
	show.Flags().StringVarP(&f.output, "output", "o", "", "json or yaml")
	cmd.AddCommand(list, show)
	return cmd
}

func kindList() string {
	var names []string
	for _, kind := range promise.CaseKinds() {
		names = append(names, string(kind))
	}
	return strings.Join(names, ", ")
}

func (f *caseFlags) list(cmd *cobra.Command) error {
	switch {
	case !slices.Contains([]string{"", "wide", "json", "yaml"}, f.output):
		return fmt.Errorf("--output is wide, json or yaml, not %s", f.output)
	case f.ended && (f.overdue || f.mine):
		return errors.New("--ended lists cases in which nothing is due and nobody's turn: leave out --overdue and --mine")
	case f.kind != "" && !slices.Contains(promise.CaseKinds(), promise.CaseKind(f.kind)):
		return fmt.Errorf("--kind is one of %s, not %s", kindList(), f.kind)
	}
	query := url.Values{"limit": {strconv.Itoa(casePage)}}
	if f.kind != "" {
		query.Set("kind", f.kind)
	}
	if f.state != "" {
		query.Set("state", f.state)
	}
	if f.overdue {
		query.Set("dueBefore", f.now().UTC().Format(time.RFC3339))
	}
	if f.mine {
		query.Set("mine", "true")
	}
	if f.ended {
		query.Set("ended", "true")
	}
	answer, err := f.pages(cmd.Context(), query)
	if err != nil {
		return err
	}
	if f.output == "json" || f.output == "yaml" {
		return encodeAs(cmd.OutOrStdout(), f.output, answer)
	}
	if answer.Truncated {
		narrower := "--kind, --state, --overdue or --mine"
		if f.ended {
			narrower = "--kind or --state"
		}
		fmt.Fprintf(cmd.ErrOrStderr(), "There are more than %d; narrow them with %s\n", len(answer.Cases), narrower)
	}
	if len(answer.Cases) == 0 {
		fmt.Fprintln(cmd.ErrOrStderr(), f.nothingFound())
		return nil
	}
	return f.table(cmd.OutOrStdout(), answer.Cases)
}

func (f *caseFlags) nothingFound() string {
	if f.ended {
		return "No cases found that have ended."
	}
	return "No open cases found; --ended lists those that have ended."
}

// listedCases are all cases that a list found.
type listedCases struct {
	Cases []desk.CaseView `json:"cases"`
	// Truncated says that there are more than are ever listed.
	Truncated bool `json:"truncated,omitempty"`
}

// pages reads a list to its end.
func (f *caseFlags) pages(ctx context.Context, query url.Values) (listedCases, error) {
	all := listedCases{Cases: []desk.CaseView{}}
	for range maxCasePages {
		var page struct {
			Cases []desk.CaseView `json:"cases"`
			Next  string          `json:"next"`
		}
		if err := f.client.get(ctx, "/api/cases?"+query.Encode(), &page); err != nil {
			return all, err
		}
		all.Cases = append(all.Cases, page.Cases...)
		if page.Next == "" {
			return all, nil
		}
		query.Set("after", page.Next)
	}
	all.Truncated = true
	return all, nil
}

func (f *caseFlags) table(out io.Writer, cases []desk.CaseView) error {
	table := columns{gap: 3}
	header := []string{"NAME", "KIND", "STATE", "DUE", "OWNER", "AGE"}
	if f.output == "wide" {
		header = append(header, "GROUP", "CHANNEL", "CONVERSATION", "TITLE")
	}
	table.add(header...)
	for i := range cases {
		c := &cases[i]
		row := []string{c.Name, string(c.Kind), c.State, f.due(c), or(cmp.Or(c.OwnerName, c.Owner)), duration.HumanDuration(f.now().Sub(c.OpenedAt))}
		if f.output == "wide" {
			conversation := ""
			if c.Conversation != nil {
				conversation = c.Conversation.String()
			}
			row = append(row, or(c.SkillGroup), or(c.Channel), or(conversation), or(c.Title))
		}
		table.add(row...)
	}
	return table.write(out)
}

// due says how long is left, or for how long it is late.
func (f *caseFlags) due(c *desk.CaseView) string {
	switch {
	case c.Due == nil || c.ClosedAt != nil:
		return or("")
	case c.Due.Before(f.now()):
		return duration.HumanDuration(f.now().Sub(*c.Due)) + " late"
	default:
		return duration.HumanDuration(c.Due.Sub(f.now()))
	}
}

// or stands for what is empty, as kubectl has it.
func or(value string) string {
	if value == "" {
		return "<none>"
	}
	return value
}

func (f *caseFlags) show(cmd *cobra.Command, name string) error {
	if !slices.Contains([]string{"", "json", "yaml"}, f.output) {
		return fmt.Errorf("--output is json or yaml, not %s", f.output)
	}
	var c desk.CaseDetail
	if err := f.client.get(cmd.Context(), "/api/cases/"+url.PathEscape(name), &c); err != nil {
		return err
	}
	if f.output != "" {
		return encodeAs(cmd.OutOrStdout(), f.output, c)
	}
	return f.describe(cmd.OutOrStdout(), &c)
}

func (f *caseFlags) describe(out io.Writer, c *desk.CaseDetail) error {
	table := columns{gap: 2}
	line := func(name, value string) { table.add(name+":", value) }
	line("Name", c.Name)
	line("Kind", string(c.Kind))
	line("Title", or(c.Title))
	line("State", c.State)
	line("Owner", or(named(c.Owner, c.OwnerName)))
	line("Group", or(c.SkillGroup))
	line("Channel", or(c.Channel))
	if c.Conversation != nil {
		line("Conversation", c.Conversation.String())
	}
	line("Opened", f.stamp(&c.OpenedAt))
	if c.ClosedAt != nil {
		line("Closed", f.stamp(c.ClosedAt))
	} else {
		line("Due", strings.TrimSuffix(f.stamp(c.Due)+" ("+f.due(&c.CaseView)+")", " (<none>)"))
	}
	if c.BreachedAt != nil {
		line("First late", f.stamp(c.BreachedAt))
	}
	if c.Address != nil {
		line("Recipient", c.Address.Recipient+", "+c.Address.Phone)
		line("New address", c.Address.Address)
	}
	var actions []string
	for _, a := range c.Allowed {
		actions = append(actions, a.Action)
	}
	line("Possible", or(strings.Join(actions, ", ")))
	if err := table.write(out); err != nil {
		return err
	}
	if err := describeDetail(out, c.Detail); err != nil {
		return err
	}
	fmt.Fprintln(out, "History:")
	return f.history(c.History).write(out)
}

// history has a line for each event: when, what was done, in which state that left the case, and who did it.
func (f *caseFlags) history(events []desk.CaseEvent) *columns {
	table := &columns{gap: 2, indent: "  "}
	table.add("TIME", "ACTION", "STATE", "BY", "NOTE")
	for i := range events {
		e := &events[i]
		table.add(f.stamp(&e.At), or(string(e.Action)), e.State, cmp.Or(e.ActorName, e.Actor, "yingda"), or(f.told(e)))
	}
	return table
}

// told is an event's note in one line, after what its action changed: until when, or whose it is.
func (f *caseFlags) told(e *desk.CaseEvent) string {
	var told []string
	switch {
	case (e.Action == history.Due || e.Action == history.Action(task.Postpone)) && e.Due != nil:
		told = append(told, "until "+f.stamp(e.Due))
	case e.Action == history.Action(task.Reassign) || e.Action == history.Action(aftersales.ActionAssign):
		told = append(told, "to "+or(named(e.Owner, e.OwnerName)))
	}
	return strings.Join(append(told, strings.Fields(e.Note)...), " ")
}

func (f *caseFlags) stamp(at *time.Time) string {
	if at == nil {
		return or("")
	}
	return at.In(f.now().Location()).Format("2006-01-02 15:04:05 -0700")
}

// named is an Agent by display name and name.
func named(agent, display string) string {
	if display == "" || display == agent {
		return agent
	}
	return display + " (" + agent + ")"
}

// describeDetail shows what only the kind knows, which is the kind's own affair.
func describeDetail(out io.Writer, detail json.RawMessage) error {
	if len(detail) == 0 || string(detail) == "{}" {
		return nil
	}
	text, err := yaml.JSONToYAML(detail)
	if err != nil {
		return fmt.Errorf("reading the case's detail: %w", err)
	}
	fmt.Fprintln(out, "Detail:")
	for line := range strings.Lines(string(text)) {
		fmt.Fprint(out, "  "+line)
	}
	return nil
}

func encodeAs(out io.Writer, format string, value any) error {
	text, err := json.MarshalIndent(value, "", "  ")
	if err == nil && format == "yaml" {
		text, err = yaml.JSONToYAML(text)
	}
	if err != nil {
		return fmt.Errorf("encoding the answer: %w", err)
	}
	fmt.Fprintln(out, strings.TrimSuffix(string(text), "\n"))
	return nil
}

// errNoToken says how to get one.
var errNoToken = errors.New("say who asks: --token-file FILE or YINGDA_TOKEN with an agent's trial token, which is in the Secret <agent>-trial-token")

func readToken(file string) (string, error) {
	token := os.Getenv("YINGDA_TOKEN")
	if file != "" {
		content, err := os.ReadFile(file)
		if err != nil {
			return "", fmt.Errorf("reading --token-file: %w", err)
		}
		token = string(content)
	}
	if token = strings.TrimSpace(token); token == "" {
		return "", errNoToken
	}
	return token, nil
}
