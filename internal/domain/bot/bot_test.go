package bot

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
)

func replyRule(name, text string, keywords ...string) yingdav1.PlaybookRule {
	return yingdav1.PlaybookRule{Name: name, Match: yingdav1.PlaybookMatch{Keywords: keywords}, Reply: &yingdav1.BotReply{Text: text}}
}

func handOffRule(name, topic string, keywords ...string) yingdav1.PlaybookRule {
	return yingdav1.PlaybookRule{Name: name, Match: yingdav1.PlaybookMatch{Keywords: keywords}, HandOff: &yingdav1.RuleHandOff{Topic: topic}}
}

func sample() yingdav1.PlaybookSpec {
	invoice := replyRule("invoice", "开票入口:", "发票", "Invoice")
	invoice.Reply.Link = &yingdav1.BotLink{Title: "开发票", URL: "https://lumi.example/invoice"}
	return yingdav1.PlaybookSpec{
		Texts: yingdav1.PlaybookTexts{
			Welcome:               "您好,这里是{{.Brand}}客服。",
			OffHours:              "现在是休息时间({{.Hours}}),请留言,{{.NextOpening}}后一小时内回复。",
			Queued:                "{{if eq .QueuePosition 0}}您是下一位。{{else}}前面还有 {{.QueuePosition}} 位。{{end}}",
			ComplaintAcknowledged: "{{.Brand}}已收到您的投诉。",
		},
		Rules: []yingdav1.PlaybookRule{
			handOffRule("complaint", yingdav1.TopicComplaint, "投诉"),
			invoice,
			replyRule("hours", "每天九点到二十一点。", "营业时间", "几点"),
			handOffRule("refund", "refund", "退款", "发票"),
		},
	}
}

func mustCompile(tb testing.TB, spec yingdav1.PlaybookSpec) *Playbook {
	tb.Helper()
	p, err := Compile(spec)
	if err != nil {
		tb.Fatalf("compiling: %v", err)
	}
	return p
}

func TestDecide(t *testing.T) {
	t.Parallel()
	invoice := Answer{Rule: "invoice", Text: "开票入口:", Link: &Link{Title: "开发票", URL: "https://lumi.example/invoice"}}
	for name, tc := range map[string]struct {
		text string
		want Decision
	}{
		"a text that no rule knows":                             {"你好", NoMatch{}},
		"an empty text":                                         {"", NoMatch{}},
		"a keyword inside a sentence is answered":               {"怎么开发票呀", invoice},
		"case does not matter":                                  {"need an INVOICE", invoice},
		"full-width letters do not matter":                      {"ｉｎｖｏｉｃｅ", invoice},
		"a rule without link has none":                          {"营业时间?", Answer{Rule: "hours", Text: "每天九点到二十一点。"}},
		"a rule hands off with its topic":                       {"我要退款", HandOff{Rule: "refund", Topic: "refund"}},
		"the first rule that matches wins":                      {"投诉:发票呢", HandOff{Rule: "complaint", Topic: "complaint"}},
		"an answer before a hand-off wins without a phrase":     {"退款和发票", invoice},
		"a phrase asks for a human":                             {"转人工", HandOff{Explicit: true}},
		"a phrase inside a sentence does too":                   {"我要找人工客服!", HandOff{Explicit: true}},
		"a phrase wins over a rule that would answer":           {"人工几点在", HandOff{Explicit: true}},
		"a phrase and a hand-off rule: its topic":               {"投诉,转人工", HandOff{Rule: "complaint", Topic: "complaint", Explicit: true}},
		"a phrase and an answer before a hand-off: its topic":   {"发票 转人工", HandOff{Rule: "refund", Topic: "refund", Explicit: true}},
		"a text that is not UTF-8 is no reason to stop":         {"\xff\xfe转人工", HandOff{Explicit: true}},
		"a word that is only in part there does not match":      {"转人", NoMatch{}},
		"an ideographic space in the text does not hide a word": {"　退款　", HandOff{Rule: "refund", Topic: "refund"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tc.want, mustCompile(t, sample()).Decide(tc.text)); diff != "" {
				t.Errorf("Decide(%q) (-want +got):\n%s", tc.text, diff)
			}
		})
	}
}

func TestPhrasesOfThePlaybookAreAddedToTheStandingOnes(t *testing.T) {
	t.Parallel()
	p := mustCompile(t, yingdav1.PlaybookSpec{HandOff: yingdav1.HandOffSpec{Phrases: []string{"Human"}}})
	for text, want := range map[string]Decision{"a human, please": HandOff{Explicit: true}, "转人工": HandOff{Explicit: true}, "客服": NoMatch{}} {
		if diff := cmp.Diff(want, p.Decide(text)); diff != "" {
			t.Errorf("Decide(%q) (-want +got):\n%s", text, diff)
		}
	}
}

func TestTexts(t *testing.T) {
	t.Parallel()
	vars := Vars{Brand: "露米", Channel: "露米商城", Hours: "09:00-21:00", NextOpening: "明天 09:00", QueuePosition: 3}
	first := vars
	first.QueuePosition = 0
	p, silent := mustCompile(t, sample()), mustCompile(t, yingdav1.PlaybookSpec{})
	for name, tc := range map[string]struct {
		render func(Vars) (string, error)
		vars   Vars
		want   string
	}{
		"welcome":                    {p.Welcome, vars, "您好,这里是露米客服。"},
		"off hours":                  {p.OffHours, vars, "现在是休息时间(09:00-21:00),请留言,明天 09:00后一小时内回复。"},
		"queued":                     {p.Queued, vars, "前面还有 3 位。"},
		"queued, next in line":       {p.Queued, first, "您是下一位。"},
		"complaint":                  {p.ComplaintAcknowledged, vars, "露米已收到您的投诉。"},
		"an empty welcome is silent": {silent.Welcome, vars, ""},
		"an empty off-hours text":    {silent.OffHours, vars, ""},
		"an empty queue text":        {silent.Queued, vars, ""},
		"an empty complaint text":    {silent.ComplaintAcknowledged, vars, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := tc.render(tc.vars)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("text (-want +got):\n%s", diff)
			}
		})
	}
}

func TestATextIsCutAtACharacter(t *testing.T) {
	t.Parallel()
	p := mustCompile(t, yingdav1.PlaybookSpec{Texts: yingdav1.PlaybookTexts{Welcome: "a" + strings.Repeat("{{.Brand}}", 50)}})
	got, err := p.Welcome(Vars{Brand: strings.Repeat("露", 64)})
	if err != nil {
		t.Fatal(err)
	}
	if want := "a" + strings.Repeat("露", (MaxText-1)/len("露")); got != want {
		t.Errorf("%d bytes, want %d", len(got), len(want))
	}
}

// TestSamplesTellTheFirstInLine reads the Playbooks of config/samples: nobody is told that 0 customers are before them.
func TestSamplesTellTheFirstInLine(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("..", "..", "..", "config", "samples", "*", "playbook.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("there are no samples: %v", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var playbook yingdav1.Playbook
		if err := yaml.UnmarshalStrict(text, &playbook); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		p, err := Compile(playbook.Spec)
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		for ahead, want := range []string{"您是下一位", "前面还有 1 位"} {
			if got, err := p.Queued(Vars{QueuePosition: ahead}); err != nil || !strings.Contains(got, want) {
				t.Errorf("%s tells who has %d ahead %q, %v", file, ahead, got, err)
			}
		}
	}
}
