package privacy

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestMask(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ text, want string }{
		"nothing":                              {"", ""},
		"words":                                {"怎么退货?", "怎么退货?"},
		"a mobile telephone":                   {"我的电话是13800138000,请回电", "我的电话是[手机号],请回电"},
		"with the country's code":              {"+8613800138000", "+[手机号]"},
		"in groups":                            {"138 0013 8000", "[手机号]"},
		"with hyphens":                         {"138-0013-8000", "[手机号]"},
		"in full-width digits":                 {"１３８００１３８０００", "[手机号]"},
		"of an area":                           {"010-62345678 转 801", "[手机号] 转 801"},
		"an identity card":                     {"身份证11010519491231002X。", "身份证[身份证号]。"},
		"with a small x":                       {"11010519491231002x", "[身份证号]"},
		"one with a wrong check digit":         {"110105194912310021", "[号码]"},
		"a bank card":                          {"卡号 6222 0212 3456 7890 128", "卡号 [银行卡号]"},
		"a card without gaps":                  {"4111111111111111", "[银行卡号]"},
		"an order":                             {"订单20261121000017到哪了", "订单[号码]到哪了"},
		"an order with letters":                {"SF1234567890", "SF[号码]"},
		"two numbers after each other":         {"12345678 13800138000", "[号码] [手机号]"},
		"prices, years and amounts stay":       {"2026年双11满300减40,买2件", "2026年双11满300减40,买2件"},
		"short numbers after each other stay":  {"尺码 38 39 40 41", "尺码 38 39 40 41"},
		"an X that is no check digit stays":    {"2X 特大", "2X 特大"},
		"what is no text is left as it is":     {"\xff退货", "\uFFFD退货"},
		"a telephone at the end of a sentence": {"打13912345678.", "打[手机号]."},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := Mask(tc.text); got != tc.want {
				t.Errorf("%q became %q, want %q", tc.text, got, tc.want)
			}
		})
	}
}

func FuzzMask(f *testing.F) {
	for _, text := range []string{"13800138000", "我的 6222 0212 3456 7890 128 卡", "11010519491231002X", "１２３-４５６ ７８９", "-- 1 - 2", "我叫张三,a@b.cn", "张江路88号3栋 李四 13800138000", "王先生女士", "姓名:李·a 我姓王"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		masked := Mask(text)
		if again := Mask(masked); again != masked {
			t.Errorf("%q became %q and then %q", text, masked, again)
		}
		if run := longest(masked); run >= longNumber {
			t.Errorf("%q became %q, which has %d digits in a row", text, masked, run)
		}
		if utf8.ValidString(text) && !strings.ContainsAny(text, "0123456789０１２３４５６７８９@＠") && !tells(text) && masked != text {
			t.Errorf("%q without digits, cues and places became %q", text, masked)
		}
	})
}

// tells says whether something in a text may have a name or a place beside it.
func tells(text string) bool {
	beside := append(append(cues(), titles()...), "我姓", Phone, Address)
	for _, u := range append(named(), numbered()...) {
		beside = append(beside, u.text)
	}
	return slices.ContainsFunc(beside, func(one string) bool { return strings.Contains(text, one) })
}

// longest is the most digits in a row.
func longest(text string) (most int) {
	run := 0
	for _, r := range text {
		if run++; !isDigit(r) {
			run = 0
		}
		most = max(most, run)
	}
	return most
}
