package aftersales

import (
	"strings"
	"testing"
)

func TestAnOrderHasOneNumberHoweverItIsTyped(t *testing.T) {
	for name, test := range map[string]struct {
		typed, want string
		taken       bool
	}{
		"as the shop writes it":              {"LM20261120001", "LM20261120001", true},
		"its case stays":                     {"lm1", "lm1", true},
		"in full width":                      {"ＬＭ１", "LM1", true},
		"signs in full width":                {"ＬＭ－１／２＃３", "LM-1/2#3", true},
		"with spaces around it":              {" LM1\t\n", "LM1", true},
		"with wide spaces around it":         {"\u3000LM1\u00a0", "LM1", true},
		"with all signs":                     {"LM_1-2.3/4#5", "LM_1-2.3/4#5", true},
		"in Chinese":                         {"线下单号一", "线下单号一", true},
		"an ideograph that is there twice":   {"\uf9001", "\u8c481", true},
		"with a space in it":                 {"LM 1", "LM 1", false},
		"with a space of no width in it":     {"LM\u200b1", "LM\u200b1", false},
		"with a space of no width around it": {"LM1\u200b", "LM1\u200b", false},
		"with a mark of order":               {"\ufeffLM1", "\ufeffLM1", false},
		"with a line's end in it":            {"LM\n7", "LM\n7", false},
		"with a zero":                        {"LM\x007", "LM\x007", false},
		"with letters that look alike":       {"LМ1", "LМ1", false},
		"with another dash":                  {"LM–1", "LM–1", false},
		"with another sign":                  {"LM&1", "LM&1", false},
		"with a broken letter":               {"LM\xff1", "LM\xff1", false},
		"as long as it may be":               {strings.Repeat("单", 64), strings.Repeat("单", 64), true},
		"longer than it may be":              {strings.Repeat("1", 65), strings.Repeat("1", 65), false},
		"of spaces":                          {" \u3000", "", false},
	} {
		t.Run(name, func(t *testing.T) {
			got := OrderNumber(test.typed)
			if got != test.want || IsOrderNumber(got) != test.taken {
				t.Errorf("it is %q, taken: %t, want %q, %t", got, IsOrderNumber(got), test.want, test.taken)
			}
			if test.typed != got && IsOrderNumber(test.typed) {
				t.Errorf("%q is taken as it was typed", test.typed)
			}
		})
	}
}
