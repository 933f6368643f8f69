package desk

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/yingda-dev/yingda/internal/domain/aftersales"
	"github.com/yingda-dev/yingda/internal/domain/history"
	"github.com/yingda-dev/yingda/internal/domain/order"
	"github.com/yingda-dev/yingda/internal/domain/quality"
	"github.com/yingda-dev/yingda/internal/promise"
	"github.com/yingda-dev/yingda/internal/store"
)

// A browser runs none of a module that declares a name twice, which is what a merge of two that compile can leave behind.
func TestThePagesModulesDeclareEachNameOnce(t *testing.T) {
	paths, err := filepath.Glob("web/js/*.js")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no modules: %v", err)
	}
	declaration := regexp.MustCompile(`(?m)^(?:export )?(?:async )?(?:function|class|const|let) (\w+)`)
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		seen := map[string]bool{}
		for _, found := range declaration.FindAllStringSubmatch(string(content), -1) {
			if seen[found[1]] {
				t.Errorf("%s declares %s twice", path, found[1])
			}
			seen[found[1]] = true
		}
	}
}

func TestThePageNamesEveryStateOfAJudgement(t *testing.T) {
	content, err := os.ReadFile("web/js/cases.js")
	if err != nil {
		t.Fatal(err)
	}
	names := regexp.MustCompile(`(?m)^  review: \{.*\}`).Find(content)
	for _, state := range []quality.State{quality.Pending, quality.Scored, quality.Appealed, quality.Upheld, quality.Changed} {
		if !regexp.MustCompile(`\b` + string(state) + `: '\p{Han}+'`).Match(names) {
			t.Errorf("cases.js has no name for %s", state)
		}
	}
}

// runs has Node run a module that imports nothing, with a script after it that reads JSON from its standard input and writes some to its output.
func runs(t *testing.T, module, script string, in, out any) {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("there is no Node here to run what the page runs")
	}
	source, err := os.ReadFile(module)
	if err != nil {
		t.Fatal(err)
	}
	input, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), node, "--input-type=module", "--eval",
		"import { readFileSync, writeSync } from 'node:fs';\n"+string(source)+"\nconst input = JSON.parse(readFileSync(0));\n"+script)
	command.Stdin = bytes.NewReader(input)
	answer, err := command.Output()
	if err != nil {
		t.Fatalf("%s: %v", module, err)
	}
	if err := json.Unmarshal(answer, out); err != nil {
		t.Fatalf("%s wrote %q: %v", module, answer, err)
	}
}

// What an agent named an is called for by the news of a case, and nobody else's screen is filled by.
func TestThePageCallsAnAgentForWhatHappenedToACase(t *testing.T) {
	const soon, late, given = "soon", "late", "given"
	news := func(action history.Action, owner string, change ...func(*store.CaseNews)) store.CaseNews {
		n := store.CaseNews{Case: store.Case{Kind: promise.CasePromise, State: "open", Owner: owner, Revision: 3}, Action: action}
		for _, f := range change {
			f(&n)
		}
		return n
	}
	by := func(actor string) func(*store.CaseNews) { return func(n *store.CaseNews) { n.Actor = actor } }
	afterSales := func(state aftersales.State, detail string) func(*store.CaseNews) {
		return func(n *store.CaseNews) {
			n.Kind, n.State, n.Detail = promise.CaseAfterSales, string(state), json.RawMessage(detail)
		}
	}
	ended := func(kind promise.CaseKind, detail string) func(*store.CaseNews) {
		return func(n *store.CaseNews) {
			at := noon()
			n.Kind, n.ClosedAt, n.Detail = kind, &at, json.RawMessage(detail)
		}
	}
	complaint := func(n *store.CaseNews) { n.Kind = promise.CaseComplaint }
	offered := func(who string) func(*store.CaseNews) {
		return func(n *store.CaseNews) {
			n.Kind, n.Detail = promise.CaseComplaint, json.RawMessage(`{"compensations":[{"by":"bo"},{"by":"`+who+`"}]}`)
		}
	}
	cases := map[string]struct {
		News store.CaseNews
		want string
	}{
		"a new one of theirs":                                     {news(history.Open, "an", by("customer")), "new"},
		"one that they opened":                                    {news(history.Open, "an", by("an")), ""},
		"a new one of nobody":                                     {news(history.Apply, "", by("provider")), "new"},
		"a new one of somebody else":                              {news(history.Apply, "bo", by("bo")), ""},
		"one that they are given":                                 {news(history.Action(aftersales.ActionAssign), "an", by("sup")), given},
		"a promise that they are given":                           {news("reassign", "an", by("sup")), given},
		"one that somebody else is given":                         {news("reassign", "bo", by("sup")), ""},
		"theirs is soon due":                                      {news(history.Remind, "an"), soon},
		"nobody's is soon due":                                    {news(history.Remind, ""), soon},
		"somebody else's is soon due":                             {news(history.Remind, "bo"), ""},
		"the customer's evidence is soon due":                     {news(history.Remind, "", afterSales(aftersales.StateEvidence, "{}")), ""},
		"the customer's goods are soon due":                       {news(history.Remind, "", afterSales(aftersales.StateReturning, "{}")), ""},
		"goods on their way are soon due":                         {news(history.Remind, "", afterSales(aftersales.StateReturning, `{"parcel":{}}`)), soon},
		"the question whether all is well is soon due":            {news(history.Remind, "", afterSales(aftersales.StateSettled, "{}")), soon},
		"a step was missed":                                       {news(history.Breach, "bo"), late},
		"the whole took too long":                                 {news(history.Overall, "bo"), late},
		"a rung":                                                  {news(history.Escalate, "bo"), "escalated"},
		"the provider refused theirs":                             {news(history.ProviderRefused, "an", by("provider")), "refused"},
		"the provider refused nobody's":                           {news(history.ProviderRefused, "", by("provider")), "refused"},
		"the provider refused somebody else's":                    {news(history.ProviderRefused, "bo", by("provider")), ""},
		"the provider refused their change of an order":           {news(history.ProviderRefused, "", ended(promise.CaseOrder, `{"owner":"an"}`)), "refused"},
		"the provider refused somebody else's change of an order": {news(history.ProviderRefused, "", ended(promise.CaseOrder, `{"owner":"bo"}`)), ""},
		"theirs is left to people":                                {news(history.ByHand, "an"), "byHand"},
		"nobody's is left to people":                              {news(history.ByHand, ""), "byHand"},
		"somebody else's is left to people":                       {news(history.ByHand, "bo"), ""},
		"goods that they have to send back":                       {news(history.Action(aftersales.ActionReject), "an", by("bo"), afterSales(aftersales.StateSendingBack, "{}")), "byHand"},
		"goods that somebody else has to send back":               {news(history.Action(aftersales.ActionReversed), "bo", by("sup"), afterSales(aftersales.StateSendingBack, "{}")), ""},
		"money that has to come back before the goods go":         {news(history.Action(aftersales.ActionReject), "an", by("bo"), afterSales(aftersales.StateUndoing, "{}")), ""},
		"a customer is not content":                               {news(history.Escalate, "", ended(promise.CaseAfterSales, `{"content":false}`)), "disputed"},
		"what the customer said before":                           {news(history.Action(aftersales.ActionDispute), "", ended(promise.CaseAfterSales, `{"content":false}`)), ""},
		"done":                                                    {news(history.Action(order.ActionDone), "", by("bo"), ended(promise.CaseOrder, `{"owner":"an"}`)), ""},
		"a complaint that somebody wrote down":                    {news(history.Open, "", by("bo"), complaint), "new"},
		"a complaint that they wrote down":                        {news(history.Open, "", by("an"), complaint), ""},
		"more of a complaint, by somebody else":                   {news(history.Complain, "", by("bo"), complaint), "new"},
		"a complaint of a customer's own":                         {news(history.Open, "", complaint), ""},
		"a complaint's next step is soon due":                     {news(history.Remind, "", complaint), "soon"},
		"a complaint, of which there are other news":              {news(history.Escalate, "an", complaint), ""},
		"what they offered is approved":                           {news("approve", "", by("sup"), offered("an")), "approved"},
		"what they offered is declined":                           {news("refuse", "", by("sup"), offered("an")), "declined"},
		"what somebody else offered is approved":                  {news("approve", "", by("sup"), offered("bo")), ""},
		"they decided on what they offered":                       {news("approve", "", by("an"), offered("an")), ""},
		"a due time was set":                                      {news(history.Due, "an"), ""},
		"told to a customer":                                      {news(history.Told, "an"), ""},
	}
	want, got := map[string]string{}, map[string]string{}
	for name, tc := range cases {
		want[name] = tc.want
	}
	runs(t, "web/js/news.js",
		"writeSync(1, JSON.stringify(Object.fromEntries(Object.entries(input).map(([name, { News }]) => [name, callOf(News, 'an') || '']))));", cases, &got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
}

// Without their categories the policy would take goods that cannot be returned for ordinary ones.
func TestThePageAppliesForTheGoodsThatWereChosen(t *testing.T) {
	bought := []NewItem{{Name: "真丝衬衫 M", Quantity: 2}, {Name: "刻字手链", Category: "custom", Quantity: 1}}
	type choice struct {
		Kind   aftersales.Kind
		Items  []NewItem
		Chosen []bool
	}
	type applied struct {
		Items       []NewItem
		NeedsAmount bool
	}
	long := strings.Repeat("类", 100)
	choices := map[string]choice{
		"none, which is all":                   {aftersales.Return, bought, []bool{false, false}},
		"one":                                  {aftersales.Return, bought, []bool{false, true}},
		"one to be exchanged":                  {aftersales.Exchange, bought, []bool{true, false}},
		"all":                                  {aftersales.RefundOnly, bought, []bool{true, true}},
		"one of a category that nobody writes": {aftersales.Return, []NewItem{{Name: "茶", Category: long}}, []bool{true}},
	}
	want := map[string]applied{
		"none, which is all":                   {bought, false},
		"one":                                  {bought[1:], true},
		"one to be exchanged":                  {bought[:1], false},
		"all":                                  {bought, false},
		"one of a category that nobody writes": {[]NewItem{{Name: "茶", Category: string([]rune(long)[:63])}}, false},
	}
	var got map[string]applied
	runs(t, "web/js/goods.js",
		"writeSync(1, JSON.stringify(Object.fromEntries(Object.entries(input).map(([name, { Kind, Items, Chosen }]) => [name, { Items: about(Items, Chosen), NeedsAmount: needsAmount(Kind, Chosen) }]))));",
		choices, &got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("applied for (-want +got):\n%s", diff)
	}
}

func TestThePageHasWordsForEachCall(t *testing.T) {
	page, err := os.ReadFile("web/js/main.js")
	if err != nil {
		t.Fatal(err)
	}
	news, err := os.ReadFile("web/js/news.js")
	if err != nil {
		t.Fatal(err)
	}
	words := regexp.MustCompile(`(?ms)^const calls = \{.*?^\};`).Find(page)
	for _, call := range regexp.MustCompile(`(?:return|\?) '(\w+)'`).FindAllSubmatch(news, -1) {
		if !regexp.MustCompile(`(?m)^  ` + string(call[1]) + `: `).Match(words) {
			t.Errorf("main.js has no words for %s", call[1])
		}
	}
}

// What the page does not know to show it offers to save, and what the desk sends to be saved no element of the page shows.
func TestThePageShowsTheFilesThatAreSentToBeShown(t *testing.T) {
	want, got := map[string]string{}, map[string]string{}
	asked := append(shownTypes(), "", "audio/amr", "image/svg+xml", "text/html", "application/octet-stream")
	for _, contentType := range asked {
		want[contentType] = ""
	}
	for _, contentType := range shownTypes() {
		family, _, _ := strings.Cut(contentType, "/")
		want[contentType] = map[string]string{"image": "img", "video": "video", "audio": "audio"}[family]
	}
	runs(t, "web/js/files.js", "writeSync(1, JSON.stringify(Object.fromEntries(input.map((type) => [type, tagOf(type) || '']))));", asked, &got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("elements (-want +got):\n%s", diff)
	}
}
