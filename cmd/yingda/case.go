package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/util/duration"
	"sigs.k8s.io/yaml"

	"github.com/yingda-dev/yingda/internal/promise"
	"github.com/yingda-dev/yingda/workers/desk"
)

const caseHelp = `Look at the cases that a brand's desk keeps: after-sales, complaints, promises and what else somebody owes a customer.

What is shown is what the agent sees whose trial token it is; a supervisor sees all. The token is in the Secret
<agent>-trial-token:

  kubectl get secret laowang-trial-token -o jsonpath='{.data.token}' | base64 -d > token
  yingda case list --desk https://desk.example --token-file token`

// caseKinds are those of --kind, in the order of its help.
func caseKinds() []promise.CaseKind {
	return []promise.CaseKind{
		promise.CaseAfterSales, promise.CaseComplaint, promise.CasePromise, promise.CaseOffHours, promise.CaseCallBack, promise.CaseEmergency, promise.CaseReview,
	}
}

// caseFlags are how a case command was started.
type caseFlags struct {
	client  deskClient
	output  string
	kind    string
	state   string
	overdue bool
	mine    bool
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
		Use: "list", Aliases: []string{"ls"}, Short: "List open cases by deadline", Args: cobra.NoArgs,
		Example: "  yingda case list --overdue\n  yingda case list --kind afterSales --state review -o wide",
		RunE:    func(cmd *cobra.Command, _ []string) error { return f.list(cmd) },
	}
	flags := list.Flags()
	flags.StringVarP(&f.output, "output", "o", "", "wide, json or yaml")
	flags.StringVar(&f.kind, "kind", "", "only one kind: "+kindList())
	flags.StringVar(&f.state, "state", "", "only one state of the kind")
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
	for _, kind := range caseKinds() {
		names = append(names, string(kind))
	}
	return strings.Join(names, ", ")
}

func (f *caseFlags) list(cmd *cobra.Command) error {
	switch {
	case !slices.Contains([]string{"", "wide", "json", "yaml"}, f.output):
		return fmt.Errorf("--output is wide, json or yaml, not %s", f.output)
	case f.kind != "" && !slices.Contains(caseKinds(), promise.CaseKind(f.kind)):
		return fmt.Errorf("--kind is one of %s, not %s", kindList(), f.kind)
	}
	query := url.Values{"limit": {"500"}}
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
	var answer struct {
		Cases     []desk.CaseView `json:"cases"`
		Truncated bool            `json:"truncated,omitempty"`
	}
	if err := f.client.get(cmd.Context(), "/api/cases?"+query.Encode(), &answer); err != nil {
		return err
	}
	if f.output == "json" || f.output == "yaml" {
		return encodeAs(cmd.OutOrStdout(), f.output, answer)
	}
	if answer.Truncated {
		fmt.Fprintf(cmd.ErrOrStderr(), "There are more than %d; narrow them with --kind, --state, --overdue or --mine\n", len(answer.Cases))
	}
	if len(answer.Cases) == 0 {
		fmt.Fprintln(cmd.ErrOrStderr(), "No open cases found.")
		return nil
	}
	return f.table(cmd.OutOrStdout(), answer.Cases)
}

func (f *caseFlags) table(out io.Writer, cases []desk.CaseView) error {
	table := tabwriter.NewWriter(out, 0, 0, 3, ' ', 0)
	header := "NAME\tKIND\tSTATE\tDUE\tOWNER\tAGE"
	if f.output == "wide" {
		header += "\tGROUP\tCHANNEL\tCONVERSATION\tTITLE"
	}
	fmt.Fprintln(table, header)
	for i := range cases {
		c := &cases[i]
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s", c.Name, c.Kind, c.State, f.due(c), or(c.Owner), duration.HumanDuration(f.now().Sub(c.OpenedAt)))
		if f.output == "wide" {
			conversation := ""
			if c.Conversation != nil {
				conversation = c.Conversation.String()
			}
			fmt.Fprintf(table, "\t%s\t%s\t%s\t%s", or(c.SkillGroup), or(c.Channel), or(conversation), or(c.Title))
		}
		fmt.Fprintln(table)
	}
	return table.Flush()
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
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	line := func(name, value string) { fmt.Fprintf(table, "%s:\t%s\n", name, value) }
	stamp := func(at *time.Time) string {
		if at == nil {
			return or("")
		}
		return at.In(f.now().Location()).Format("2006-01-02 15:04:05 -0700")
	}
	line("Name", c.Name)
	line("Kind", string(c.Kind))
	line("Title", or(c.Title))
	line("State", c.State)
	line("Owner", or(c.Owner))
	line("Group", or(c.SkillGroup))
	line("Channel", or(c.Channel))
	if c.Conversation != nil {
		line("Conversation", c.Conversation.String())
	}
	line("Opened", stamp(&c.OpenedAt))
	if c.ClosedAt != nil {
		line("Closed", stamp(c.ClosedAt))
	} else {
		line("Due", strings.TrimSuffix(stamp(c.Due)+" ("+f.due(&c.CaseView)+")", " (<none>)"))
	}
	if c.BreachedAt != nil {
		line("First late", stamp(c.BreachedAt))
	}
	var actions []string
	for _, a := range c.Allowed {
		actions = append(actions, a.Action)
	}
	line("Possible", or(strings.Join(actions, ", ")))
	if err := table.Flush(); err != nil {
		return err
	}
	if err := describeDetail(out, c.Detail); err != nil {
		return err
	}
	fmt.Fprintln(out, "History:")
	fmt.Fprintln(table, "  TIME\tSTATE\tBY\tNOTE")
	for _, e := range c.History {
		actor := e.Actor
		if actor == "" {
			actor = "yingda"
		}
		fmt.Fprintf(table, "  %s\t%s\t%s\t%s\n", stamp(&e.At), e.State, actor, or(strings.Join(strings.Fields(e.Note), " ")))
	}
	return table.Flush()
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
