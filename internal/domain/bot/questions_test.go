package bot

import "testing"

func TestQuestionsAreFoundInOtherWords(t *testing.T) {
	t.Parallel()
	q := NewQuestions()
	for _, text := range []string{"怎么退货", "什么时候发货", "优惠券怎么用"} {
		q.Add(text)
	}
	for text, want := range map[string]int{
		"请问如何退货呢": 0, "退货怎么退": 0, "啥时候能发货呀": 1, "多久发货": 1, "优惠券如何使用": 2, "优惠券怎么领": -1, "你好": -1, "发票抬头写错了": -1,
	} {
		got, found := q.Find(text)
		if !found {
			got = -1
		}
		if got != want {
			t.Errorf("%s is question %d, want %d", text, got, want)
		}
	}
}

func TestFormsAreOfQuestions(t *testing.T) {
	t.Parallel()
	q := NewQuestions()
	if a, b := q.Form("请问怎么退货?"), q.Form("如何退货"); a == "" || a != b {
		t.Errorf("one question has the forms %q and %q", a, b)
	}
	for _, text := range []string{"", "你好", "在吗", "转人工", "人工客服怎么找", "嗯", "?"} {
		if form := q.Form(text); form != "" {
			t.Errorf("%q has the form %q", text, form)
		}
	}
}
