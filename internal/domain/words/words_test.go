package words

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFold(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ in, want string }{
		"Chinese stays as it is":                 {in: "转人工", want: "转人工"},
		"upper case becomes lower case":          {in: "Refund NOW", want: "refund now"},
		"full-width letters and digits are read": {in: "ＶＩＰ１２３！", want: "vip123!"},
		"the ideographic space is a space":       {in: "退　货", want: "退 货"},
		"the ends of the full-width range fold":  {in: "！～", want: "!~"},
		"what lies beside the range stays":       {in: "\uFF00\uFF5F", want: "\uFF00\uFF5F"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tc.want, Fold(tc.in)); diff != "" {
				t.Errorf("Fold (-want +got):\n%s", diff)
			}
		})
	}
}

func TestContains(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		text  string
		words []string
		want  bool
	}{
		"a word inside a sentence applies":  {text: "我要退款!", words: []string{"退货", "退款"}, want: true},
		"case and width do not matter":      {text: "ｒＥｆund", words: []string{"REFUND"}, want: true},
		"a word which is not held does not": {text: "你好", words: []string{"退款"}},
		"a blank word never applies":        {text: "你 好", words: []string{" ", "", "　"}},
		"no words never apply":              {text: "你好"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := Contains(Fold(tc.text), tc.words); got != tc.want {
				t.Errorf("Contains(%q, %q) = %t, want %t", tc.text, tc.words, got, tc.want)
			}
		})
	}
}

// FuzzFold holds that folding is stable: a folded text folds to itself, or a keyword could miss its own text.
func FuzzFold(f *testing.F) {
	f.Add("ＡbC　1")
	f.Add("İK\xff")
	f.Fuzz(func(t *testing.T, text string) {
		once := Fold(text)
		if twice := Fold(once); twice != once {
			t.Errorf("Fold(%q) = %q, again %q", text, once, twice)
		}
	})
}
