package bot

import (
	"slices"
	"strings"
	"unicode"

	"github.com/yingda-dev/yingda/internal/domain/words"
)

// maxTokens is how much a text may say and still be one question. Who tells a story wants a listener.
const maxTokens = 32

// question is what is left of a text when it is reduced to what it asks about.
//
// Chinese has no spaces, and this package no dictionary of the trade: characters are the words, two in a row stand for their
// order, and what all questions share (politeness, particles) is left out. The ways of asking for the same kind of thing are
// one token, the kind: 如何 and 怎么样 are 怎.
type question struct {
	// features are its tokens and its pairs of neighbours, each once.
	features []string
	// said are the tokens that say what it is about, kinds those that only say what kind of answer is wanted.
	said, kinds map[string]bool
	// denies says that it holds a negation.
	denies bool
	// tooLong says that it was not read, for it says too much.
	tooLong bool
}

// kinds of questions, and the words by which they are asked, the longer before those that they hold. What is mapped to a
// space says nothing of the question; 能不能 and its like are no negation.
func expressions() []string {
	return []string{
		"不好意思", " ", "你好", " ", "您好", " ", "在吗", " ", "请问", " ", "想问", " ", "问一下", " ", "问下", " ", "咨询", " ", "麻烦", " ", "谢谢", " ",
		"帮我", " ", "告诉我", " ", "一下", " ", "这个", " ", "那个", " ", "东西", " ", "宝贝", " ", "商品", " ", "产品", " ",
		"了吗", "已", "了没", "已", "了么", "已", "怎么回事", "为", "怎么会", "为", "为什么", "为", "为啥", "为", "为何", "为",
		"怎么办", "怎", "怎么样", "怎", "怎么", "怎", "怎样", "怎", "如何", "怎", "咋", "怎",
		"什么时候", "时", "什么时间", "时", "多长时间", "时", "多久", "时", "几天", "时", "多少天", "时", "啥时候", "时", "何时", "时", "几时", "时",
		"啥", "什么", "多少钱", "价", "什么价", "价", "几块钱", "价",
		"什么地方", "哪", "在哪里", "哪", "在哪儿", "哪", "在哪", "哪", "哪里", "哪", "哪儿", "哪",
		"是不是", " ", "是否", " ", "有没有", " ", "能不能", "能", "可不可以", "能", "可以", "能", "能否", "能", "支不支持", "能", "支持", "能", "会不会", "会", "要不要", " ", "用不用", "用",
	}
}

// kinds are the tokens that say what kind of answer is wanted. Who asks how long does not want to hear how.
func isKind(token string) bool {
	return len(token) == len("怎") && strings.Contains("怎时价哪为能已", token)
}

func isNegation(token string) bool {
	return len(token) == len("不") && strings.Contains("不没未别无", token)
}

// ability is the kind of question that is answered by yes or no.
const ability = "能"

// isFiller says whether a character says nothing of the question.
func isFiller(r rune) bool {
	return strings.ContainsRune("的了吗呢呀啊吧嘛哦噢哈啦么我你您它他她们是要想请就都也还那这个件去给把让才该", r)
}

// reader reads questions.
type reader struct{ replacer *strings.Replacer }

func newReader() reader { return reader{strings.NewReplacer(expressions()...)} }

// read reduces a text to its question.
func (r reader) read(text string) question {
	q := question{said: map[string]bool{}, kinds: map[string]bool{}}
	tokens := tokenize(r.replacer.Replace(words.Fold(text)))
	if q.tooLong = len(tokens) > maxTokens; q.tooLong {
		return q
	}
	tokens = withoutAbility(tokens)
	known := map[string]bool{}
	add := func(feature string) {
		if !known[feature] {
			known[feature] = true
			q.features = append(q.features, feature)
		}
	}
	for i, token := range tokens {
		add(token)
		if i > 0 {
			add(tokens[i-1] + " " + token)
		}
		if isKind(token) {
			q.kinds[token] = true
		} else {
			q.said[token] = true
		}
		q.denies = q.denies || isNegation(token)
	}
	return q
}

// withoutAbility leaves 能 out where another kind of answer is asked for: 什么时候能发货 asks when, not whether.
func withoutAbility(tokens []string) []string {
	if !slices.ContainsFunc(tokens, func(token string) bool { return isKind(token) && token != ability }) {
		return tokens
	}
	return slices.DeleteFunc(tokens, func(token string) bool { return token == ability })
}

// tokenize cuts a text into characters of Chinese and words of letters and digits; all else separates.
func tokenize(text string) []string {
	var tokens []string
	var word strings.Builder
	end := func() {
		if word.Len() > 0 {
			tokens = append(tokens, word.String())
			word.Reset()
		}
	}
	for _, r := range text {
		switch {
		case unicode.Is(unicode.Han, r):
			end()
			if !isFiller(r) {
				tokens = append(tokens, string(r))
			}
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			word.WriteRune(r)
		default:
			end()
		}
		if len(tokens) > maxTokens {
			break
		}
	}
	end()
	return tokens
}

// weight is how much a feature says: what kind of question it is says less than what it is about.
func weight(feature string) float64 {
	if isKind(feature) {
		return 0.5
	}
	return 1
}

// weight is how much the question says.
func (q question) weight() (total float64) {
	for _, feature := range q.features {
		total += weight(feature)
	}
	return total
}
