package routing

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
)

func rule(name, group string, when yingdav1.RoutingMatch) yingdav1.RoutingRule {
	return yingdav1.RoutingRule{Name: name, When: when, SkillGroupRef: yingdav1.SkillGroupReference{Name: group}}
}

func sample() Input {
	return Input{
		Default: "pre-sales",
		EntryPoints: []yingdav1.EntryPoint{
			{Name: "order", SessionFromPrefix: "order:"},
			{Name: "vip-order", SessionFromPrefix: "order:vip:"},
		},
		Routing: []yingdav1.RoutingRule{
			rule("complaints", "care", yingdav1.RoutingMatch{Topics: []string{"complaint"}}),
			rule("vip-refund", "vip", yingdav1.RoutingMatch{EntryPoints: []string{"vip-order"}, Keywords: []string{"退款"}}),
			rule("from-order", "after-sales", yingdav1.RoutingMatch{EntryPoints: []string{"order", "vip-order"}}),
			rule("refund-words", "refunds", yingdav1.RoutingMatch{Keywords: []string{"退款", "REFUND"}}),
		},
	}
}

func TestADepartmentDecidesOnCasesOfItsReasonsAndClaimsNoConversation(t *testing.T) {
	t.Parallel()
	in := sample()
	cases := func(name, group string, reasons ...yingdav1.AfterSalesReason) yingdav1.RoutingRule {
		return rule(name, group, yingdav1.RoutingMatch{AfterSales: reasons})
	}
	in.Routing = append([]yingdav1.RoutingRule{cases("broken", "quality", "Quality", "Damaged"), cases("parcels", "warehouse", "Damaged", "MissingItem")}, in.Routing...)
	for reason, want := range map[yingdav1.AfterSalesReason]string{"Quality": "quality", "Damaged": "quality", "MissingItem": "warehouse", "NoReason": ""} {
		if got := CaseGroup(in.Routing, reason); got != want {
			t.Errorf("cases for %s go to %q, want %q", reason, got, want)
		}
	}
	if got := Group(in); got.Group != in.Default {
		t.Errorf("a conversation that no rule claims goes to %+v", got)
	}
}

func TestGroup(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		change func(*Input)
		want   Result
	}{
		"nothing matches, the default gets it":         {func(*Input) {}, Result{Group: "pre-sales"}},
		"without a default nobody gets it":             {func(in *Input) { in.Default = "" }, Result{}},
		"a keyword in the text matches":                {func(in *Input) { in.Text = "我想退款" }, Result{Rule: "refund-words", Group: "refunds"}},
		"case and width do not matter":                 {func(in *Input) { in.Text = "ｒefund please" }, Result{Rule: "refund-words", Group: "refunds"}},
		"the first rule that matches wins":             {func(in *Input) { in.SessionFrom, in.Text = "order:1", "退款" }, Result{Rule: "from-order", Group: "after-sales"}},
		"every list that is set has to apply":          {func(in *Input) { in.SessionFrom, in.Text = "order:vip:1", "退款" }, Result{Rule: "vip-refund", Group: "vip"}},
		"one list of two is not enough":                {func(in *Input) { in.SessionFrom, in.Text = "order:vip:1", "你好" }, Result{Rule: "from-order", Group: "after-sales"}},
		"a topic matches":                              {func(in *Input) { in.Topic = "complaint" }, Result{Rule: "complaints", Group: "care"}},
		"an empty topic never matches an empty entry":  {func(in *Input) { in.Routing[0].When.Topics = []string{""} }, Result{Group: "pre-sales"}},
		"an unknown entry never matches an empty name": {func(in *Input) { in.Routing[2].When.EntryPoints = []string{""} }, Result{Group: "pre-sales"}},
		"a rule which sets nothing never matches":      {func(in *Input) { in.Routing[0].When = yingdav1.RoutingMatch{} }, Result{Group: "pre-sales"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := sample()
			tc.change(&in)
			if diff := cmp.Diff(tc.want, Group(in)); diff != "" {
				t.Errorf("Group (-want +got):\n%s", diff)
			}
		})
	}
}

func TestEntryPoint(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ sessionFrom, want string }{
		"a prefix applies":                {"order:123", "order"},
		"the longest prefix wins":         {"order:vip:7", "vip-order"},
		"case matters in an attribute":    {"Order:123", ""},
		"no session-from, no entry point": {"", ""},
		"another attribute does not":      {"cart", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := EntryPoint(sample().EntryPoints, tc.sessionFrom); got != tc.want {
				t.Errorf("EntryPoint(%q) = %q, want %q", tc.sessionFrom, got, tc.want)
			}
		})
	}
}

// FuzzEntryPoint holds that the order of entry points with different prefixes does not matter.
func FuzzEntryPoint(f *testing.F) {
	f.Add("order:", "order:vip:", "order:vip:1")
	f.Fuzz(func(t *testing.T, a, b, sessionFrom string) {
		if a == b {
			return
		}
		one, two := yingdav1.EntryPoint{Name: "a", SessionFromPrefix: a}, yingdav1.EntryPoint{Name: "b", SessionFromPrefix: b}
		forward := EntryPoint([]yingdav1.EntryPoint{one, two}, sessionFrom)
		if back := EntryPoint([]yingdav1.EntryPoint{two, one}, sessionFrom); forward != back {
			t.Errorf("%q in order, %q reversed", forward, back)
		}
	})
}

func TestPriority(t *testing.T) {
	t.Parallel()
	add := func(n int32, topics ...string) yingdav1.PriorityRule {
		return yingdav1.PriorityRule{When: yingdav1.PriorityMatch{Topics: topics}, Add: n}
	}
	of := func(rule yingdav1.PriorityRule, tiers ...string) yingdav1.PriorityRule {
		rule.When.Tiers = tiers
		return rule
	}
	for name, tc := range map[string]struct {
		rules []yingdav1.PriorityRule
		topic string
		tier  string
		want  int32
	}{
		"no rule adds nothing":              {topic: "complaint"},
		"the rules that match are added up": {rules: []yingdav1.PriorityRule{add(200, "complaint"), add(50, "refund", "complaint"), add(7, "refund")}, topic: "complaint", want: 250},
		"no topic matches no rule":          {rules: []yingdav1.PriorityRule{add(200, "")}},
		"a tier that is named adds":         {rules: []yingdav1.PriorityRule{of(add(100), "vip", "gold"), of(add(7), "gold")}, tier: "vip", want: 100},
		"topic and tier must both apply": {
			rules: []yingdav1.PriorityRule{of(add(1, "complaint"), "vip"), of(add(2, "refund"), "vip"), of(add(4, "complaint"), "gold"), add(8, "complaint"), of(add(16), "vip")},
			topic: "complaint", tier: "vip", want: 25,
		},
		"no tier matches no rule":            {rules: []yingdav1.PriorityRule{of(add(100), ""), add(100)}, topic: "complaint"},
		"a sum beyond the range is the most": {rules: []yingdav1.PriorityRule{add(math.MaxInt32, "x"), add(1, "x")}, topic: "x", want: math.MaxInt32},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := Priority(tc.rules, tc.topic, tc.tier); got != tc.want {
				t.Errorf("Priority = %d, want %d", got, tc.want)
			}
		})
	}
}

func agent(name, brand string, labels map[string]string) yingdav1.Agent {
	return yingdav1.Agent{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels},
		Spec:       yingdav1.AgentSpec{BrandRef: yingdav1.BrandReference{Name: brand}},
	}
}

func broken() metav1.LabelSelector {
	return metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "team", Operator: metav1.LabelSelectorOpIn}}}
}

func TestMembers(t *testing.T) {
	t.Parallel()
	agents := []yingdav1.Agent{
		agent("yun", "lumi", map[string]string{"team": "after-sales"}),
		agent("an", "lumi", map[string]string{"team": "after-sales"}),
		agent("bo", "lumi", nil),
	}
	for name, tc := range map[string]struct {
		selector metav1.LabelSelector
		want     []string
		wantErr  bool
	}{
		"a selector chooses by label, sorted by name": {selector: metav1.LabelSelector{MatchLabels: map[string]string{"team": "after-sales"}}, want: []string{"an", "yun"}},
		"an empty selector chooses all":               {want: []string{"an", "bo", "yun"}},
		"a selector may choose nobody":                {selector: metav1.LabelSelector{MatchLabels: map[string]string{"team": "x"}}},
		"a broken selector is an error":               {selector: broken(), wantErr: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := Members(tc.selector, agents)
			if (err != nil) != tc.wantErr {
				t.Errorf("error %v, want error %t", err, tc.wantErr)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("Members (-want +got):\n%s", diff)
			}
		})
	}
}

func TestGroups(t *testing.T) {
	t.Parallel()
	group := func(name, brand string, selector metav1.LabelSelector) yingdav1.SkillGroup {
		return yingdav1.SkillGroup{
			ObjectMeta: metav1.ObjectMeta{Name: name},
			Spec:       yingdav1.SkillGroupSpec{BrandRef: yingdav1.BrandReference{Name: brand}, AgentSelector: selector},
		}
	}
	team := metav1.LabelSelector{MatchLabels: map[string]string{"team": "after-sales"}}
	groups := []yingdav1.SkillGroup{
		group("refunds", "lumi", team), group("broken", "lumi", broken()), group("foreign", "other", team), group("all", "lumi", metav1.LabelSelector{}),
	}
	got, err := Groups(agent("an", "lumi", map[string]string{"team": "after-sales"}), groups)
	if diff := cmp.Diff([]string{"all", "refunds"}, got); diff != "" {
		t.Errorf("an agent is in the groups of their brand that choose them (-want +got):\n%s", diff)
	}
	if err == nil {
		t.Error("the broken group is not named")
	}
	if got, err := Groups(agent("bo", "nobody", nil), groups); len(got) != 0 || err != nil {
		t.Errorf("an agent of another brand: %v, %v", got, err)
	}
}
