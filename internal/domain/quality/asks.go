package quality

import (
	"regexp"
	"strings"
	"unicode"

	"github.com/yingda-dev/yingda/internal/domain/words"
)

// courtesies are what customers end a talk with, the longer before those that they hold.
func courtesies() []string {
	return []string{
		"thank you", "thanks", "thx", "okay", "ok", "bye", "谢谢", "感谢", "多谢", "谢了", "辛苦", "麻烦", "好的呢", "好呢", "好的", "好滴", "好嘞", "好吧", "好",
		"知道", "明白", "了解", "收到了", "清楚", "懂了", "没事", "没有问题", "没问题", "没有了", "没了", "不用了", "不需要了", "不客气", "再见", "拜拜", "晚安",
		"满意", "可以", "行", "是的", "对", "嗯", "哦", "噢",
	}
}

// fillers are characters that want nothing by themselves.
const fillers = "的了啦呀啊哈嘛吧您你亲我就那先太很都也这"

// Asks says whether a customer's text wants an answer: whether it says more than thanks, farewell, or that it was understood. What it
// cannot tell it takes for a question.
func Asks(text string) bool {
	replaced := courtesies()
	pairs := make([]string, 0, 2*len(replaced))
	for _, courtesy := range replaced {
		pairs = append(pairs, courtesy, " ")
	}
	rest := strings.NewReplacer(pairs...).Replace(face.ReplaceAllLiteralString(words.Fold(text), ""))
	return strings.ContainsFunc(rest, func(r rune) bool {
		return r == '?' || (unicode.IsLetter(r) || unicode.IsDigit(r)) && !strings.ContainsRune(fillers, r)
	})
}

// face is what platforms write for one: [微笑]. What is longer, asks or counts is something that the customer has put in brackets.
var face = regexp.MustCompile(`\[[^\[\]?\p{Nd}]{1,4}\]`)
