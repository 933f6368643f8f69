package intake

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
)

const (
	order   = yingdav1.IntakeOrderNumber
	problem = yingdav1.IntakeProblemType
	product = yingdav1.IntakeProductName
	when    = yingdav1.IntakeOrderTime
	contact = yingdav1.IntakeContact
)

type values = map[yingdav1.IntakeField]string

func TestWhateverACustomerWritesCounts(t *testing.T) {
	t.Parallel()
	usual := []yingdav1.IntakeField{order, problem}
	for name, tc := range map[string]struct {
		fields []yingdav1.IntakeField
		before string
		writes []string
		want   values
	}{
		"nothing":                                {usual, "转人工", nil, nil},
		"both at once":                           {usual, "转人工", []string{"20241122001 退款"}, values{order: "20241122001", problem: "退款"}},
		"both with labels":                       {usual, "", []string{"订单号:20241122001,问题类型:尺码不对"}, values{order: "20241122001", problem: "尺码不对"}},
		"one after the other":                    {usual, "", []string{"退款退款", "订单 D20241122001"}, values{order: "D20241122001"}},
		"the number first":                       {usual, "", []string{"２０２４１１２２００１", "衣服破了个洞"}, values{order: "20241122001", problem: "衣服破了个洞"}},
		"who declines has not told":              {usual, "", []string{"20241122001", "没有", "好的"}, values{order: "20241122001"}},
		"the number was in what handed over":     {usual, "订单20241122001到哪了,转人工", nil, values{order: "20241122001"}},
		"and its words are no answer":            {usual, "订单20241122001到哪了,转人工", []string{"三天没动了"}, values{order: "20241122001", problem: "三天没动了"}},
		"a price is no order":                    {usual, "", []string{"退我 1999 元"}, nil},
		"a mobile number is no order":            {usual, "", []string{"13800138000"}, nil},
		"it is one where it is wanted":           {[]yingdav1.IntakeField{order, contact}, "", []string{"13800138000,20241122001"}, values{order: "20241122001", contact: "13800138000"}},
		"words are no number":                    {[]yingdav1.IntakeField{order}, "", []string{"我找不到订单号了"}, nil},
		"a label without a colon is no label":    {[]yingdav1.IntakeField{product, when}, "", []string{"商品破了"}, nil},
		"labels in any order":                    {[]yingdav1.IntakeField{product, when}, "", []string{"下单时间 昨天。商品 风衣"}, values{product: "风衣", when: "昨天"}},
		"what is left is what is missing":        {[]yingdav1.IntakeField{product, when}, "", []string{"商品:风衣", "上周三买的"}, values{product: "风衣", when: "上周三买的"}},
		"a new value replaces the one before":    {usual, "", []string{"20241122001 退款", "错了 20241122002"}, values{order: "20241122002", problem: "退款"}},
		"nothing is wanted, and nothing is kept": {nil, "20241122001", []string{"20241122001"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			card := &Card{Fields: tc.fields}
			card.Note(tc.before)
			for _, text := range tc.writes {
				card.Answer(text)
			}
			if diff := cmp.Diff(tc.want, card.Values); diff != "" {
				t.Errorf("values (-want +got):\n%s", diff)
			}
			if want := strings.Join(tc.writes, "\n"); card.Said != want {
				t.Errorf("said %q, want %q", card.Said, want)
			}
		})
	}
}

func TestWhatIsMissingIsAskedForByItsName(t *testing.T) {
	t.Parallel()
	card := &Card{Fields: []yingdav1.IntakeField{order, problem, contact}}
	card.Note("我的电话 13800138000")
	if got, want := Names(card.Missing()), "订单号、问题类型"; got != want {
		t.Errorf("asked for %q, want %q", got, want)
	}
}

// FuzzAnswer holds that nothing that a customer writes grows without bound or stops anybody.
func FuzzAnswer(f *testing.F) {
	f.Add("订单号:20241122001,问题类型:退款", "13800138000")
	f.Add(strings.Repeat("长", 2000), "商品 ")
	f.Fuzz(func(t *testing.T, before, text string) {
		card := &Card{Fields: []yingdav1.IntakeField{order, problem, product, when, contact}}
		card.Note(before)
		for range 3 {
			card.Answer(text)
		}
		for field, value := range card.Values {
			if n := utf8.RuneCountInString(value); n == 0 || n > maxValue {
				t.Errorf("%s has %d characters", field, n)
			}
		}
		if utf8.RuneCountInString(card.Said) > maxSaid {
			t.Errorf("said %d characters", utf8.RuneCountInString(card.Said))
		}
		kept, err := card.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Decode(kept); err != nil {
			t.Fatal(err)
		}
	})
}
