package bot

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
)

func TestValidate(t *testing.T) {
	t.Parallel()
	rules := func(r ...yingdav1.PlaybookRule) yingdav1.PlaybookSpec { return yingdav1.PlaybookSpec{Rules: r} }
	linked := func(url string) yingdav1.PlaybookSpec {
		r := replyRule("invoice", "开票:", "发票")
		r.Reply.Link = &yingdav1.BotLink{Title: "开发票", URL: url}
		return rules(r)
	}
	for name, tc := range map[string]struct {
		spec yingdav1.PlaybookSpec
		want []string
	}{
		"the sample is valid":                     {spec: sample()},
		"an empty Playbook is valid":              {},
		"a keyword inside of a phrase is allowed": {spec: rules(replyRule("a", "b", "客服", "人"))},
		"a hand-off for who asks for a human":     {spec: rules(handOffRule("a", "complaint", "人工投诉"))},
		"a reply to who asks for a human": {
			spec: rules(replyRule("a", "b", "发票"), replyRule("wait", "请先回答三个问题", "发货", "转人工客服")),
			want: []string{`spec.rules[1].match.keywords[1]: Invalid value: "转人工客服": rule wait: who writes this asks for a human (人工), and a reply may not come between; set handOff instead of reply, or remove the keyword`},
		},
		"a reply to a phrase of the Playbook's own": {
			spec: yingdav1.PlaybookSpec{Rules: []yingdav1.PlaybookRule{replyRule("wait", "b", "ＨＵＭＡＮ")}, HandOff: yingdav1.HandOffSpec{Phrases: []string{"human"}}},
			want: []string{`spec.rules[0].match.keywords[0]: Invalid value: "ＨＵＭＡＮ": rule wait: who writes this asks for a human (human), and a reply may not come between; set handOff instead of reply, or remove the keyword`},
		},
		"two rules of one name":                     {spec: rules(replyRule("a", "b", "c"), replyRule("a", "b", "d")), want: []string{`spec.rules[1].name: Duplicate value: "a"`}},
		"a rule without keywords":                   {spec: rules(replyRule("a", "b")), want: []string{"spec.rules[0].match.keywords: Required value: rule a: list the words for which it is, or the menuKeys"}},
		"a rule for taps on the menu alone":         {spec: rules(tapRule("a", "KEY"))},
		"a rule for more keys than there are":       {spec: rules(tapRule("a", slices.Repeat([]string{"KEY"}, 17)...)), want: []string{"spec.rules[0].match.menuKeys: Too many: 17: must have at most 16 items"}},
		"a blank keyword":                           {spec: rules(replyRule("a", "b", "c", "　")), want: []string{"spec.rules[0].match.keywords[1]: Invalid value: \"\\u3000\": a word of spaces would match every text; write a word or remove it"}},
		"a rule that neither replies nor hands off": {spec: rules(yingdav1.PlaybookRule{Name: "a", Match: yingdav1.PlaybookMatch{Keywords: []string{"b"}}}), want: []string{`spec.rules[0]: Invalid value: "a": set exactly one of reply and handOff`}},
		"a blank reply":                             {spec: rules(replyRule("a", " ", "b")), want: []string{"spec.rules[0].reply.text: Required value: rule a: write what the bot answers"}},
		"a hand-off without topic":                  {spec: rules(handOffRule("a", "", "b")), want: []string{"spec.rules[0].handOff.topic: Required value: rule a: name the topic"}},
		"a link without host":                       {spec: linked("https://"), want: []string{`spec.rules[0].reply.link.url: Invalid value: "https://": write a full address without a password, for example https://shop.example/invoice, or {{.AfterSalesForm}}`}},
		"a link of another scheme":                  {spec: linked("javascript://x"), want: []string{`spec.rules[0].reply.link.url: Invalid value: "javascript://x": write a full address without a password, for example https://shop.example/invoice, or {{.AfterSalesForm}}`}},
		"a blank phrase":                            {spec: yingdav1.PlaybookSpec{HandOff: yingdav1.HandOffSpec{Phrases: []string{" "}}}, want: []string{`spec.handOff.phrases[0]: Invalid value: " ": a word of spaces would match every text; write a word or remove it`}},
		"more rules than the schema allows":         {spec: rules(make([]yingdav1.PlaybookRule, 257)...), want: []string{"spec.rules: Too many: 257: must have at most 256 items"}},
		"a FAQ":                                     {spec: faqs(asked("return", "怎么退货"), asked("genuine", "是正品吗"))},
		"two entries of one name": {
			spec: faqs(asked("return", "怎么退货"), asked("return", "怎么换货")), want: []string{`spec.faq[1].name: Duplicate value: "return"`},
		},
		"a question by which customers ask for a human": {
			spec: faqs(asked("human", "怎么转人工")),
			want: []string{`spec.faq[0].question: Invalid value: "怎么转人工": entry human: who writes this asks for a human (人工), and an answer may not come between; remove the entry, or ask it otherwise`},
		},
		"a question about nothing": {
			spec: faqs(asked("how", "请问怎么办呢"), asked("goods", "商品退"), asked("dots", "……")),
			want: []string{
				`spec.faq[0].question: Invalid value: "请问怎么办呢": entry how: say what is asked about, for example 怎么退货`,
				`spec.faq[1].question: Invalid value: "商品退": entry goods: say what is asked about, for example 怎么退货`,
				`spec.faq[2].question: Invalid value: "……": entry dots: say what is asked about, for example 怎么退货`,
			},
		},
		"a question that is a story": {
			spec: faqs(asked("long", strings.Repeat("退货运费", 9))),
			want: []string{`spec.faq[0].question: Invalid value: "` + strings.Repeat("退货运费", 9) + `": entry long: ask it in at most 32 characters and words`},
		},
		"a blank answer": {
			spec: faqs(yingdav1.FAQEntry{Name: "a", Question: "怎么退货", Answer: " "}), want: []string{"spec.faq[0].answer: Required value: entry a: write what the bot answers"},
		},
		"an answer to a complaint": {
			spec: faqs(yingdav1.FAQEntry{Name: "a", Question: "怎么退货", Answer: "b", Topic: "complaint"}),
			want: []string{`spec.faq[0].topic: Invalid value: "complaint": entry a: a complaint belongs to a human at once: write a rule with handOff instead`},
		},
		"a reminder after the window of the last message": {
			spec: yingdav1.PlaybookSpec{Survey: &yingdav1.SurveySpec{RemindAfter: "72h"}},
			want: []string{`spec.survey.remindAfter: Invalid value: "72h": must be at least 10m and at most 47h`},
		},
		"more entries than the schema allows": {spec: faqs(make([]yingdav1.FAQEntry, 513)...), want: []string{"spec.faq: Too many: 513: must have at most 512 items"}},
		"two canned replies of one code": {
			spec: yingdav1.PlaybookSpec{CannedReplies: []yingdav1.CannedReply{{Code: "1", Text: "a"}, {Code: "1", Text: "b"}}},
			want: []string{`spec.cannedReplies[1].code: Duplicate value: "1"`},
		},
		"a blank canned reply": {
			spec: yingdav1.PlaybookSpec{CannedReplies: []yingdav1.CannedReply{{Code: "1", Text: " "}}},
			want: []string{"spec.cannedReplies[0].text: Required value: canned reply 1: write what is sent"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			checkErrors(t, tc.spec, tc.want)
		})
	}
}

func faqs(entries ...yingdav1.FAQEntry) yingdav1.PlaybookSpec {
	return yingdav1.PlaybookSpec{FAQ: entries}
}

func asked(name, question string) yingdav1.FAQEntry {
	return yingdav1.FAQEntry{Name: name, Question: question, Answer: "答"}
}

func checkErrors(t *testing.T, spec yingdav1.PlaybookSpec, want []string) {
	t.Helper()
	var got []string
	for _, err := range Validate(spec) {
		got = append(got, err.Error())
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Validate (-want +got):\n%s", diff)
	}
	if _, err := Compile(spec); (err != nil) != (len(want) > 0) {
		t.Errorf("Compile: %v, but %d mistakes are wanted", err, len(want))
	}
}

// TestTemplates shows the mistakes as an author sees them, after `spec.texts.welcome: Invalid value: "<template>": `.
func TestTemplates(t *testing.T) {
	t.Parallel()
	const variables = "{{.Brand}}, {{.Channel}}, {{.Hours}}, {{.AfterSalesForm}}"
	const known = "there are " + variables
	const broken, listing = "not a Go template: ", "; the variables are " + variables
	const plain = " cannot be used here: use text, variables, and if, else and end"
	for template, want := range map[string]string{
		"{{.Brand}} {{$.Channel}} {{/* note */}}":          "",
		"{{/* nothing but a note */}}":                     "",
		`{{if eq .Hours "休息"}}a{{else if .Brand}}b{{end}}`: "",
		`{{"a" | eq .Brand}}`:                              "",
		"{{.Brend}}":                                       "unknown variable .Brend: " + known,
		"{{.QueuePosition}}":                               "unknown variable .QueuePosition: " + known,
		"{{if .Brand}}{{.Nope}}{{end}}":                    "unknown variable .Nope: " + known,
		"{{if .Brand}}a{{else}}{{$.Nope}}{{end}}":          "unknown variable $.Nope: " + known,
		"{{if not (eq .Nope 1)}}a{{end}}":                  "unknown variable .Nope: " + known,
		"{{.Brand.Name}}":                                  "unknown variable .Brand.Name: " + known,
		"{{(.Brand).Name}}":                                "unknown variable (.Brand).Name: " + known,
		"{{.}}":                                            "unknown variable .: " + known,
		"{{$}}":                                            "unknown variable $: " + known,
		"{{nil}}":                                          "unknown variable nil: " + known,
		"{{.Brand":                                         broken + "template: welcome:1: unclosed action" + listing,
		"{{Brand}}":                                        broken + `template: welcome:1: function "Brand" not defined` + listing,
		"{{range 1000000000}}{{end}}":                      "range" + plain,
		"{{with .Brand}}{{.}}{{end}}":                      "with" + plain,
		`{{define "welcome"}}{{template "welcome"}}{{end}}`: "template" + plain,
		`{{define "a"}}{{end}}b`:                            "define and block" + plain,
		`{{block "a" .}}{{end}}`:                            "define and block" + plain,
		"{{$x := .Brand}}{{$x}}":                            "a variable of your own" + plain,
		"{{break}}":                                         broken + "template: welcome:1: {{break}} outside {{range}}" + listing,
		`{{printf "%0999999d" 1}}`:                          "the function printf cannot be used here: there are and, or, not, eq, ne, lt, le, gt, ge",
		"{{if false}}{{lt .Brand 1}}{{end}}":                `rendering the text welcome: template: welcome:1:14: executing "welcome" at <lt .Brand 1>: error calling lt: incompatible types for comparison: string and int`,
		"{{and false (lt .Brand 1)}}":                       `rendering the text welcome: template: welcome:1:13: executing "welcome" at <lt .Brand 1>: error calling lt: incompatible types for comparison: string and int`,
	} {
		t.Run(template, func(t *testing.T) {
			t.Parallel()
			var wants []string
			if want != "" {
				wants = []string{`spec.texts.welcome: Invalid value: ` + quoted(template) + `: ` + want}
			}
			checkErrors(t, yingdav1.PlaybookSpec{Texts: yingdav1.PlaybookTexts{Welcome: template}}, wants)
		})
	}
}

func quoted(text string) string { return `"` + strings.ReplaceAll(excerpt(text), `"`, `\"`) + `"` }

func TestEveryTextHasItsOwnVariables(t *testing.T) {
	t.Parallel()
	const all = "{{.Brand}}{{.Channel}}{{.Nope}}"
	checkErrors(t, yingdav1.PlaybookSpec{Texts: yingdav1.PlaybookTexts{Welcome: all, OffHours: all, Queued: all, QueueFull: new(all), Intake: new(all), Survey: new(all), Rated: new(all), ComplaintAcknowledged: all}}, []string{
		`spec.texts.welcome: Invalid value: "` + all + `": unknown variable .Nope: there are {{.Brand}}, {{.Channel}}, {{.Hours}}, {{.AfterSalesForm}}`,
		`spec.texts.offHours: Invalid value: "` + all + `": unknown variable .Nope: there are {{.Brand}}, {{.Channel}}, {{.Hours}}, {{.NextOpening}}, {{.AfterSalesForm}}`,
		`spec.texts.queued: Invalid value: "` + all + `": unknown variable .Nope: there are {{.Brand}}, {{.Channel}}, {{.QueuePosition}}, {{.ExpectedWait}}, {{.AfterSalesForm}}`,
		`spec.texts.queueFull: Invalid value: "` + all + `": unknown variable .Nope: there are {{.Brand}}, {{.Channel}}, {{.QueuePosition}}, {{.ExpectedWait}}, {{.AfterSalesForm}}`,
		`spec.texts.intake: Invalid value: "` + all + `": unknown variable .Nope: there are {{.Brand}}, {{.Channel}}, {{.IntakeFields}}`,
		`spec.texts.survey: Invalid value: "` + all + `": unknown variable .Nope: there are {{.Brand}}, {{.Channel}}, {{.RatingAnswers}}`,
		`spec.texts.rated: Invalid value: "` + all + `": unknown variable .Nope: there are {{.Brand}}, {{.Channel}}`,
		`spec.texts.complaintAcknowledged: Invalid value: "` + all + `": unknown variable .Nope: there are {{.Brand}}, {{.Channel}}`,
	})
}

func TestATextThatIsTooLongIsRefused(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("您", maxTemplate)
	checkErrors(t, yingdav1.PlaybookSpec{Texts: yingdav1.PlaybookTexts{Queued: long}}, nil)
	checkErrors(t, yingdav1.PlaybookSpec{Texts: yingdav1.PlaybookTexts{Queued: long + "好"}}, []string{
		`spec.texts.queued: Invalid value: "` + excerpt(long) + `": write at most 600 characters, not 601`,
	})
}

// FuzzTexts holds that whatever compiles renders within its bound, and that nothing panics.
func FuzzTexts(f *testing.F) {
	for _, seed := range []string{
		"您好,{{.Brand}}", "{{if gt .QueuePosition 3}}{{.QueuePosition}}{{else}}a{{end}}", "{{range 9}}{{.}}{{end}}", "{{.Brand",
		"{{define \"a\"}}{{template \"a\"}}{{end}}", "{{and .Brand (or .Hours 1)}}", "{{- \"x\" | printf \"%s\" -}}", "{{$}}", "{{(.Brand)}}", "{{1}}{{'a'}}{{true}}",
	} {
		f.Add(seed, "露米", 3)
	}
	f.Fuzz(func(t *testing.T, template, brand string, position int) {
		p, err := Compile(yingdav1.PlaybookSpec{Texts: yingdav1.PlaybookTexts{Welcome: template, OffHours: template, Queued: template}})
		if err != nil {
			return
		}
		for _, text := range []func(Vars) (string, error){p.Welcome, p.OffHours, p.Queued} {
			got, err := text(Vars{Brand: brand, QueuePosition: position})
			if err != nil {
				t.Errorf("%q compiles, but: %v", template, err)
			}
			if len(got) > MaxText || utf8.ValidString(template) && utf8.ValidString(brand) && !utf8.ValidString(got) {
				t.Errorf("%q renders %d bytes: %q", template, len(got), got)
			}
		}
	})
}

// FuzzDecide holds the bot's first promise: a text with a phrase in it reaches a human, whatever the rules are.
func FuzzDecide(f *testing.F) {
	f.Add("投诉", "转人工", "我要", "退款")
	f.Add("a", "ＨＵＭＡＮ", "", "human")
	f.Fuzz(func(t *testing.T, keyword, phrase, before, after string) {
		if !utf8.ValidString(keyword) || !utf8.ValidString(phrase) || !utf8.ValidString(before) || !utf8.ValidString(after) {
			return // halves of characters, of which neither a resource nor a message is made, could join into others
		}
		spec := yingdav1.PlaybookSpec{
			Rules:   []yingdav1.PlaybookRule{replyRule("reply", "x", keyword), handOffRule("handoff", "topic", keyword+after)},
			HandOff: yingdav1.HandOffSpec{Phrases: []string{phrase}},
		}
		p, err := Compile(spec)
		if err != nil {
			return
		}
		if got, ok := p.Decide(before + phrase + after).(HandOff); !ok || !got.Explicit {
			t.Errorf("%q asks for a human, but gets %+v", before+phrase+after, got)
		}
		if _, ok := p.Decide(before + keyword + after).(NoMatch); ok {
			t.Errorf("%q holds the keyword %q, but matches nothing", before+keyword+after, keyword)
		}
	})
}
