package quality

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"sigs.k8s.io/yaml"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/domain/bot"
	"github.com/yingda-dev/yingda/internal/golden"
)

// customer is another one for each number.
func customer(n int) uuid.UUID { return uuid.NewSHA1(uuid.Nil, fmt.Append(nil, n)) }

// talksOfAWeek are of one in which many asked how to return things and when they are sent, and some what nobody else did.
func talksOfAWeek() []Talk {
	var talks []Talk
	add := func(count int, change func(i int, t *Talk)) {
		for i := range count {
			talk := Talk{Playbook: "shop", Type: "after-sales", Customer: customer(len(talks)), Solved: true}
			change(i, &talk)
			talks = append(talks, talk)
		}
	}
	returns := []string{"怎么退货", "请问如何退货呢", "怎么退货?", "你好,怎么退货"}
	add(10, func(i int, t *Talk) {
		t.Asked = []string{"你好", returns[i%len(returns)]}
		t.Said = []string{"您好,请问有什么可以帮您?", "请在订单页点申请退货,快递员会上门取件。"}
		t.Rated, t.Good = true, true
		if i == 0 {
			t.Said[1] = "这个要问一下售后的同事哦,稍等。"
		}
	})
	add(5, func(i int, t *Talk) {
		t.Type, t.Asked, t.Solved = "", []string{"什么时候发货"}, i > 2
		t.Said = []string{"您好,请问有什么可以帮您?", "这个我也不清楚,您再等等"}
		t.Rated, t.Poor = true, true
	})
	add(6, func(i int, t *Talk) {
		t.Asked, t.Said, t.Solved = []string{"退款多久到账"}, []string{"请您再耐心等等"}, i < 3
		if i < 3 {
			t.Said = []string{"退款审核通过后 1 到 3 个工作日到账。"}
		}
		t.Rated, t.Good, t.Poor = true, i < 3, i >= 3
	})
	add(4, func(i int, t *Talk) {
		t.Asked, t.Said, t.Solved = []string{"怎么改地址"}, []string{"请把新的地址发给我,我来修改。"}, i < 2
	})
	add(4, func(i int, t *Talk) {
		t.Asked, t.Said = []string{"发票抬头可以改吗", "税号是[号码]"}, []string{fmt.Sprintf("第%d位客户,已经为您改好了", i)}
	})
	add(2, func(_ int, t *Talk) { t.Asked = []string{"张三丰的包裹在哪里"} })
	add(3, func(_ int, t *Talk) { t.Asked = []string{"转人工"} })
	add(3, func(_ int, t *Talk) {
		t.Playbook, t.Asked, t.Said = "vip", []string{"会员日是几号"}, []string{"每月 18 号是会员日。"}
	})
	return talks
}

func knownTo(playbook, question string) (name, asks string) {
	switch {
	case playbook == "shop" && strings.Contains(question, "发货"):
		return "shipping", "多久发货"
	case playbook == "shop" && strings.Contains(question, "到账"):
		return "refund", "退款什么时候到账"
	default:
		return "", ""
	}
}

func TestTopics(t *testing.T) {
	t.Parallel()
	want := []Topic{
		{
			Question: "怎么退货", Type: "after-sales", Playbook: "shop", Conversations: 10, Customers: 10, Solved: 10,
			Answer: "请在订单页点申请退货,快递员会上门取件。", Given: 9, Content: 9,
		},
		{
			Question: "退款多久到账", Type: "after-sales", Playbook: "shop", Known: "refund", KnownQuestion: "退款什么时候到账", Conversations: 6, Customers: 6, Solved: 3,
			Answer: "退款审核通过后 1 到 3 个工作日到账。", Given: 3, Content: 3,
		},
		{Question: "什么时候发货", Playbook: "shop", Known: "shipping", KnownQuestion: "多久发货", Conversations: 5, Customers: 5, Solved: 2, Answer: "这个我也不清楚,您再等等", Given: 5, Content: 2},
		{Question: "发票抬头可以改吗", Type: "after-sales", Playbook: "shop", Conversations: 4, Customers: 4, Solved: 4},
		{
			Question: "怎么改地址", Type: "after-sales", Playbook: "shop", Conversations: 4, Customers: 4, Solved: 2,
			Answer: "请把新的地址发给我,我来修改。", Given: 4, Content: 2,
		},
		{Question: "会员日是几号", Type: "after-sales", Playbook: "vip", Conversations: 3, Customers: 3, Solved: 3, Answer: "每月 18 号是会员日。", Given: 3, Content: 3},
	}
	got := Topics(talksOfAWeek(), knownTo)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("topics (-want +got):\n%s", diff)
	}
	for i, unsolved := range []bool{false, true, true, false, true, false} {
		if !got[i].Lacking() || got[i].Unsolved() != unsolved {
			t.Errorf("%s is lacking: %t, unsolved: %t", got[i].Question, got[i].Lacking(), got[i].Unsolved())
		}
	}
}

func TestWhatIsKnownAndSolvedLacksNothing(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		topic Topic
		want  bool
	}{
		{Topic{Known: "a", Conversations: 5, Solved: 4}, false},
		{Topic{Known: "a", Conversations: 100, Solved: 79}, true},
		{Topic{Conversations: 5, Solved: 5}, true},
	} {
		if got := tc.topic.Lacking(); got != tc.want {
			t.Errorf("%+v is lacking: %t", tc.topic, got)
		}
	}
}

func TestAQuestionOfOneCustomerIsNotShownHoweverOften(t *testing.T) {
	t.Parallel()
	talks := make([]Talk, 20)
	for i := range talks {
		talks[i] = Talk{Asked: []string{"我的包裹在哪里"}, Customer: customer(i % 2)}
	}
	if got := Topics(talks, knownTo); len(got) != 0 {
		t.Errorf("topics %+v", got)
	}
}

func TestAnswersGoByWhoWasContent(t *testing.T) {
	t.Parallel()
	var talks []Talk
	for i := range 12 {
		talk := Talk{Asked: []string{"怎么退货"}, Customer: customer(i), Rated: true, Poor: true, Said: []string{"退不了的,规定如此"}}
		if i >= 8 {
			talk.Poor, talk.Good, talk.Said = false, true, []string{"可以退,已经为您办理"}
		}
		talks = append(talks, talk)
	}
	if got := Topics(talks, knownTo)[0]; got.Answer != "可以退,已经为您办理" || got.Given != 4 || got.Content != 4 {
		t.Errorf("the answer is %q, given %d times, with %d content", got.Answer, got.Given, got.Content)
	}
}

func TestNoMoreThanTwentyOfAType(t *testing.T) {
	t.Parallel()
	var talks []Talk
	for kind := range 25 {
		for i := range fewestCustomers {
			talks = append(talks, Talk{Type: "goods", Asked: []string{strings.Repeat(string(rune('一'+kind*7)), 2) + "好吃"}, Customer: customer(i)})
		}
	}
	if got := len(Topics(talks, knownTo)); got != topOfType {
		t.Errorf("%d topics, want %d", got, topOfType)
	}
}

func TestPhrases(t *testing.T) {
	t.Parallel()
	var talks []Talk
	add := func(count, poor int, said ...string) {
		for i := range count {
			talks = append(talks, Talk{Said: said, Rated: true, Poor: i < poor, Good: i >= poor})
		}
	}
	add(100, 5, "您好!请问有什么可以帮您?")
	add(10, 9, "您好!这是公司规定,没办法。")
	add(4, 4, "您自己看吧")
	add(20, 6, "抱歉,让您久等了")
	talks = append(talks, Talk{Said: []string{"这是公司规定"}})
	want := []Phrase{{"没办法", 10, 9, 60}, {"这是公司规定", 10, 9, 60}}
	if diff := cmp.Diff(want, Phrases(talks)); diff != "" {
		t.Errorf("phrases (-want +got):\n%s", diff)
	}
	if got := Phrases(nil); len(got) != 0 {
		t.Errorf("of nothing come %+v", got)
	}
}

func TestPatch(t *testing.T) {
	report := NewReport("2026-W47", talksOfAWeek(), false, knownTo)
	patch := report.Patch("lumi")
	golden.Compare(t, "patch.yaml", []byte(patch))
}

func TestAnAnswerTakesThePlaceOfAnotherThatItOutdoes(t *testing.T) {
	t.Parallel()
	worse := Topic{Question: "怎么退货", Playbook: "shop", Known: "returns", KnownQuestion: "如何退货", Conversations: 10, Solved: 4, Answer: "请在订单页点申请退货。", Given: 5, Content: 4}
	with := func(change func(*Topic)) Topic { topic := worse; change(&topic); return topic }
	for name, tc := range map[string]struct {
		topics []Topic
		want   []yingdav1.FAQEntry
	}{
		"of more who were content": {[]Topic{worse}, []yingdav1.FAQEntry{{Name: "returns", Question: "如何退货", Answer: "请在订单页点申请退货。"}}},
		"not of as few":            {[]Topic{with(func(t *Topic) { t.Content = 2 })}, nil},
		"not that of a rule":       {[]Topic{with(func(t *Topic) { t.KnownQuestion = "" })}, nil},
		"not where it is solved":   {[]Topic{with(func(t *Topic) { t.Solved = 8 })}, nil},
		"once":                     {[]Topic{worse, with(func(t *Topic) { t.Answer = "点退货就可以了。" })}, []yingdav1.FAQEntry{{Name: "returns", Question: "如何退货", Answer: "请在订单页点申请退货。"}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			patch := Report{Name: "2026-W47", Topics: tc.topics}.Patch("lumi")
			var p yingdav1.Playbook
			if err := yaml.UnmarshalStrict([]byte(patch), &p); err != nil {
				t.Fatalf("%v of\n%s", err, patch)
			}
			if diff := cmp.Diff(tc.want, p.Spec.FAQ); diff != "" {
				t.Errorf("entries (-want +got):\n%s", diff)
			}
			if forced := strings.Contains(patch, "--server-side --force-conflicts "); forced != (tc.want != nil) {
				t.Errorf("applied by force: %t", forced)
			}
		})
	}
}

func TestWhatCustomersWriteCannotBreakOutOfThePatch(t *testing.T) {
	t.Parallel()
	nasty := []string{
		"怎么退货\nspec: {}", "怎么\"退货\"'", "怎么退货 # 注释", "- 怎么退货: {{.Brand}}", "怎么退货\u2028---\u0085x: y", "怎么<退>货&\\n", "怎么\x00退\ufeff货\u009f",
	}
	for _, text := range nasty {
		for _, known := range []string{"", "entry"} {
			r := Report{Name: "2026-W47-13w", Topics: []Topic{{Question: text, Playbook: "shop", Known: known, Conversations: 4, Answer: text + text}, {Question: text, Playbook: "shop", Conversations: 4}}}
			for document := range strings.SplitSeq(r.Patch("lumi"), "\n---\n") {
				var p yingdav1.Playbook
				if err := yaml.UnmarshalStrict([]byte(document), &p); err != nil {
					t.Fatalf("%v of\n%s", err, document)
				}
				for _, entry := range p.Spec.FAQ {
					if entry.Question != text || entry.Answer != text+text {
						t.Errorf("the entry is %+v", entry)
					}
				}
				if _, err := bot.Compile(p.Spec); err != nil {
					t.Errorf("the Playbook is refused: %v", err)
				}
			}
		}
	}
}
