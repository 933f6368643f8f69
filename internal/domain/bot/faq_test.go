package bot

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
)

// shopFAQ is what a shop is asked most.
func shopFAQ() []yingdav1.FAQEntry {
	return faqOf([][2]string{
		{"return-how", "怎么退货"},
		{"return-postage", "退货运费谁承担"},
		{"exchange-how", "怎么换尺码"},
		{"refund-when", "退款多久到账"},
		{"ship-when", "什么时候发货"},
		{"ship-where", "从哪里发货"},
		{"courier", "发什么快递"},
		{"track", "怎么查物流"},
		{"address", "怎么修改收货地址"},
		{"cancel", "怎么取消订单"},
		{"invoice", "怎么开发票"},
		{"pay-later", "可以货到付款吗"},
		{"coupon", "优惠券怎么用"},
		{"coupon-fails", "优惠券为什么用不了"},
		{"points", "积分怎么兑换"},
		{"washing", "羽绒服怎么洗"},
		{"size", "尺码怎么选"},
		{"genuine", "是正品吗"},
		{"member", "会员有什么权益"},
		{"store", "实体店在哪里"},
	})
}

// faqOf makes entries of names and questions.
func faqOf(questions [][2]string) []yingdav1.FAQEntry {
	var entries []yingdav1.FAQEntry
	for _, e := range questions {
		entries = append(entries, yingdav1.FAQEntry{Name: e[0], Question: e[1], Answer: "答:" + e[1]})
	}
	return entries
}

// TestTheFAQAnswersWhatIsMeantOrNothing measures the matcher. What is labelled with an entry may be missed now and then: the
// customer gets a human. What is labelled with none, or with another entry, is never answered wrongly.
func TestTheFAQAnswersWhatIsMeantOrNothing(t *testing.T) {
	t.Parallel()
	labelled := map[string][]string{
		"return-how":     {"怎么退货", "这个东西怎么退货呀", "请问如何退货?", "我想退货怎么办", "你好,退货怎么退", "怎样才能退货", "咋退货", "这个东西怎么退", "怎么办理退货"},
		"return-postage": {"退货运费谁出", "退货的运费谁承担?", "退货运费是谁承担的", "退货邮费谁承担"},
		"exchange-how":   {"尺码怎么换", "怎么换一下尺码", "我要换尺码", "如何换尺码呢"},
		"refund-when":    {"退款什么时候到账", "退款几天到账", "退款多久能到账呀", "我的退款什么时候到账啊"},
		"ship-when":      {"多久发货", "几天发货", "什么时候能发货", "请问什么时候发货呢", "你们啥时候发货啊", "订单什么时候发货"},
		"ship-where":     {"在哪里发货", "从哪儿发货的", "哪里发货"},
		"courier":        {"发什么快递呢", "你们发的什么快递", "请问发什么快递"},
		"track":          {"物流怎么查", "如何查物流", "怎么查物流信息", "在哪里查物流", "怎么查询物流"},
		"address":        {"收货地址怎么修改", "如何修改收货地址", "怎么改收货地址", "修改收货地址", "可以修改收货地址吗"},
		"cancel":         {"订单怎么取消", "怎么取消订单呢", "如何取消这个订单", "取消订单"},
		"invoice":        {"发票怎么开", "如何开发票", "开发票", "怎么开一下发票"},
		"pay-later":      {"能货到付款吗", "能不能货到付款", "支持货到付款吗", "可不可以货到付款"},
		"coupon":         {"优惠券怎么使用", "怎么用优惠券", "优惠券如何用"},
		"coupon-fails":   {"优惠券为啥用不了", "为什么优惠券用不了", "我的优惠券怎么会用不了"},
		"points":         {"怎么兑换积分", "积分如何兑换", "积分怎么兑换礼品"},
		"washing":        {"羽绒服要怎么洗", "怎么洗羽绒服", "这件羽绒服怎么清洗"},
		"size":           {"怎么选尺码", "尺码如何选", "该怎么选尺码"},
		"genuine":        {"是正品吗?", "是不是正品", "保证是正品吗", "正品吗"},
		"member":         {"会员有什么权益呢", "会员权益", "会员有啥权益"},
		"store":          {"实体店在哪", "你们实体店在哪里呀", "有没有实体店"},
		"": {
			"在吗", "你好", "有人吗", "哦", "?", "谢谢", "好的", "收到了", "怎么", "怎么办", "怎么回事", "为什么", "退", "货", "什么", "多少钱",
			"退货", "退款", "运费", "发货", "物流", "尺码", "怎么退款", "怎么换货", "怎么退会员", "退货要多久", "退货什么时候到账", "能退货吗", "为什么不能退货", "不想退货了怎么取消",
			"我不要了", "还没发货", "怎么还没发货", "为什么还不发货", "发错货了", "少发了一件", "发货了吗", "货还没到", "退款没到账", "退款怎么还没到账", "退货地址写错了怎么办",
			"物流三天没动了", "物流显示签收了但我没收到", "快递把东西摔坏了", "收货地址在哪里看", "发票开错了", "发票抬头怎么改", "优惠券过期了", "优惠券怎么领", "优惠券用了以后退货还返吗",
			"积分什么时候过期", "积分被清零了", "羽绒服跑绒", "羽绒服洗坏了", "尺码不对", "尺码小了怎么换大一码再退差价", "假货", "不是正品", "会员怎么退", "会员多少钱", "实体店能退货吗",
			"实体店什么时候开门", "质量太差了", "我要投诉你们", "客服态度太差", "订单 20241122001 怎么还没有人处理", "你们这个羽绒服有没有黑色的", "L码还有货吗", "身高175穿什么码", "便宜点", "可以优惠吗",
			"付款失败了", "钱扣了订单没有了", "昨天买的羽绒服今天降价了能不能退差价", "能开专票吗", "送货上门吗", "我儿子误拍了怎么办", "帮我查一下我的退款到哪一步了,上周三申请的,客服说三天到现在都没有消息", "怎么退货给朋友代收",
		},
	}
	measure(t, shopFAQ(), labelled, 85)
}

// TestTheFAQOfAnotherTrade is labelled with what the matcher was not made with.
func TestTheFAQOfAnotherTrade(t *testing.T) {
	t.Parallel()
	measure(t, faqOf([][2]string{
		{"green-water", "绿茶用多少度的水泡"},
		{"keep", "茶叶怎么保存"},
		{"shelf-life", "普洱茶保质期多久"},
		{"sample", "可以先买小样吗"},
		{"gift", "有没有礼盒装"},
		{"cold-brew", "绿茶能冷泡吗"},
		{"pregnant", "孕妇能喝茶吗"},
		{"night", "晚上喝什么茶好"},
		{"cup", "盖碗怎么用"},
		{"delivery", "送到北京要几天"},
	}), map[string][]string{
		"green-water": {"绿茶要用多少度的水泡", "泡绿茶用多少度的水", "绿茶用多少度水泡呢"},
		"keep":        {"茶叶如何保存", "怎么保存茶叶", "请问茶叶怎么保存呀", "茶叶保存"},
		"shelf-life":  {"普洱茶的保质期多久", "普洱保质期多久", "普洱茶保质期多长时间"},
		"sample":      {"能先买小样吗", "可以买小样吗", "能不能买个小样先"},
		"gift":        {"礼盒装有吗", "有礼盒装吗"},
		"cold-brew":   {"绿茶可以冷泡吗", "能不能冷泡绿茶", "绿茶能不能冷泡"},
		"pregnant":    {"孕妇可以喝茶吗", "孕妇能不能喝茶"},
		"night":       {"晚上喝什么茶好呢", "晚上喝啥茶好"},
		"cup":         {"盖碗如何用", "怎么用盖碗", "盖碗怎么使用"},
		"delivery":    {"几天送到北京", "送到北京多久", "送到北京要多久呀"},
		"": {
			"茶叶发霉了", "绿茶过期了还能喝吗", "普洱茶怎么泡", "红茶用多少度的水泡", "普洱怎么保存", "孕妇不能喝茶吗", "小孩能喝茶吗", "盖碗碎了", "盖碗多少钱", "送到上海要几天",
			"送到北京了吗", "怎么还没送到北京", "礼盒破了", "礼盒装多少钱", "小样什么时候到", "晚上不能喝茶", "喝了茶睡不着", "绿茶多少钱", "绿茶好喝吗", "茶叶什么时候发货", "我要退茶叶", "冷泡要多久",
			"红茶能冷泡吗", "保质期", "多少度", "你们家茶叶是哪里产的", "喝茶", "北京有店吗",
		},
	}, 85)
}

// measure wants that no text is answered wrongly, and that enough of those with a label are.
func measure(t *testing.T, entries []yingdav1.FAQEntry, labelled map[string][]string, wantPercent int) {
	t.Helper()
	p := mustCompile(t, yingdav1.PlaybookSpec{FAQ: entries})
	asked, answered := 0, 0
	for want, texts := range labelled {
		for _, text := range texts {
			answer, _ := p.Decide(text).(Answer)
			if answer.FAQ != "" && answer.FAQ != want {
				t.Errorf("%q is answered by %q, want %q", text, answer.FAQ, want)
			}
			if want == "" {
				continue
			}
			asked++
			if answer.FAQ == want {
				answered++
			} else {
				t.Logf("%q goes to a human instead of to %s", text, want)
			}
		}
	}
	t.Logf("%d of %d are answered", answered, asked)
	if answered*100 < asked*wantPercent {
		t.Errorf("only %d of %d questions are answered", answered, asked)
	}
}

func TestWhatMayMeanTwoQuestionsGoesToAHuman(t *testing.T) {
	t.Parallel()
	goods := yingdav1.FAQEntry{Name: "goods", Question: "怎么退货", Answer: "七天内……"}
	deposit := yingdav1.FAQEntry{Name: "deposit", Question: "怎么退押金", Answer: "随时……"}
	same := yingdav1.FAQEntry{Name: "same", Question: "怎么退换", Answer: goods.Answer}
	for name, tc := range map[string]struct {
		entries []yingdav1.FAQEntry
		want    string
	}{
		"one entry":              {[]yingdav1.FAQEntry{goods}, "goods"},
		"two of different words": {[]yingdav1.FAQEntry{goods, deposit}, ""},
		"two of the same answer": {[]yingdav1.FAQEntry{goods, same}, "goods"},
		"none":                   {},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			answer, _ := mustCompile(t, yingdav1.PlaybookSpec{FAQ: tc.entries}).Decide("这个怎么退呀").(Answer)
			if answer.FAQ != tc.want {
				t.Errorf("answered by %q, want %q", answer.FAQ, tc.want)
			}
		})
	}
}

func TestARuleAndAPhraseWinOverTheFAQ(t *testing.T) {
	t.Parallel()
	spec := yingdav1.PlaybookSpec{
		Rules: []yingdav1.PlaybookRule{replyRule("postage", "包邮", "运费"), handOffRule("complaint", yingdav1.TopicComplaint, "投诉")},
		FAQ: []yingdav1.FAQEntry{
			{Name: "return", Question: "怎么退货", Answer: "七天内……", Topic: "after-sales"},
			{Name: "postage", Question: "退货运费谁承担", Answer: "卖家"},
		},
	}
	p := mustCompile(t, spec)
	for text, want := range map[string]Decision{
		"怎么退货":       Answer{FAQ: "return", Text: "七天内……", Topic: "after-sales"},
		"怎么退货,人工":    HandOff{Explicit: true},
		"怎么退货 我要投诉":  HandOff{Rule: "complaint", Topic: "complaint"},
		"退货运费谁承担":    Answer{Rule: "postage", Text: "包邮"},
		"怎么\xff\xfe": NoMatch{},
	} {
		if diff := cmp.Diff(want, p.Decide(text)); diff != "" {
			t.Errorf("Decide(%q) (-want +got):\n%s", text, diff)
		}
	}
}

// TestALongTextCostsNoMore holds that nobody can make the bot slow: a text of any length is cut short.
func TestALongTextCostsNoMore(t *testing.T) {
	t.Parallel()
	p := mustCompile(t, yingdav1.PlaybookSpec{FAQ: shopFAQ()})
	if got := p.Decide(strings.Repeat("怎么退货", 1000)); got != (NoMatch{}) {
		t.Errorf("a long text gets %+v", got)
	}
}

func BenchmarkDecideByFAQ(b *testing.B) {
	var entries []yingdav1.FAQEntry
	for i := range maxFAQ {
		question := "怎么退货" + string(rune('一'+i)) + string(rune('一'+2*i))
		entries = append(entries, yingdav1.FAQEntry{Name: question, Question: question, Answer: question})
	}
	p := mustCompile(b, yingdav1.PlaybookSpec{FAQ: entries})
	for b.Loop() {
		p.Decide("请问一下这个东西如果不喜欢的话可以怎么退货呀")
	}
}
