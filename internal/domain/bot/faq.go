package bot

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/util/validation/field"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/domain/words"
)

// maxFAQ is the schema's bound on the entries of a FAQ.
const maxFAQ = 512

// What makes the bot sure. A customer whom it does not understand gets a human, which is never wrong; so in doubt it does not.
const (
	// ofText and ofQuestion are how much of what a text says has to be in the question that it means, and the other way round.
	// What it leaves unsaid is the smaller risk: 怎么退 means 怎么退货, 怎么退货给朋友 means something else.
	ofText, ofQuestion = 0.65, 0.55
	// ahead is how much less alike every question with another answer has to be.
	ahead = 0.12
	// bareWords is how much a text has to say that asks for no kind of answer.
	bareWords = 3
)

// faq finds the entry whose question a text means. Its time is bounded by the tokens of a text and the number of entries.
type faq struct {
	reader  reader
	entries []entry
	// holding are the entries by the features of their questions.
	holding map[string][]int
}

type entry struct {
	// asks is the question as it is written.
	asks     string
	question question
	weight   float64
	answer   Answer
}

// match is the answer to a text, if it is sure.
func (f *faq) match(text string) (Answer, bool) {
	asked := f.reader.read(text)
	candidates := f.candidates(asked)
	best, found := nearest(candidates, asked)
	if !found {
		return Answer{}, false
	}
	for _, other := range candidates {
		if other.answer.Text != best.answer.Text && other.rivals(best, asked) {
			return Answer{}, false
		}
	}
	return best.answer, true
}

// nearest is the candidate that a text most likely means, if it means one.
func nearest(candidates []candidate, asked question) (candidate, bool) {
	if len(candidates) == 0 {
		return candidate{}, false
	}
	best := slices.MaxFunc(candidates, func(a, b candidate) int { return cmp.Compare(a.likeness(), b.likeness()) })
	return best, best.ofText >= ofText && best.ofQuestion >= ofQuestion && asked.means(best.question)
}

// candidate is an entry that shares something with a text: how much of what the text says, and of what the question says.
type candidate struct {
	*entry
	// number is its place in the FAQ.
	number             int
	ofText, ofQuestion float64
}

func (c candidate) likeness() float64 { return c.ofText * c.ofQuestion }

// rivals says whether a text may mean the candidate as well as the best one: it is nearly as alike, or has all of a text that
// leaves unsaid which of them is meant.
func (c candidate) rivals(best candidate, asked question) bool {
	return best.likeness()-c.likeness() < ahead ||
		!covers(asked.said, best.question.said) && covers(c.question.said, asked.said) && covers(c.question.kinds, asked.kinds)
}

// candidates are in the order of the FAQ.
func (f *faq) candidates(asked question) []candidate {
	shared, features := map[int]float64{}, map[int]int{}
	for _, feature := range asked.features {
		for _, i := range f.holding[feature] {
			shared[i] += weight(feature)
			features[i]++
		}
	}
	total := asked.weight()
	var found []candidate
	for _, i := range slices.Sorted(maps.Keys(shared)) {
		e := &f.entries[i]
		// A character alone says too little.
		if features[i] > 1 && asked.denies == e.question.denies {
			found = append(found, candidate{e, i, shared[i] / total, shared[i] / e.weight})
		}
	}
	return found
}

// means says whether nothing speaks against that a text means a question to which it is alike.
func (q question) means(other question) bool {
	switch {
	case !covers(other.said, q.said) && !covers(q.said, other.said):
		// Each is about something that the other is not about: 优惠券怎么领 and 优惠券怎么用.
		return false
	case len(q.kinds) == 0 && len(other.kinds) > 0:
		// 取消订单 wants to know how, 退款 may want anything.
		return len(q.said) >= bareWords && covers(q.said, other.said) && covers(other.said, q.said)
	default:
		return covers(other.kinds, q.kinds)
	}
}

// covers says whether all of the tokens of b are in a.
func covers(a, b map[string]bool) bool {
	for token := range b {
		if !a[token] {
			return false
		}
	}
	return true
}

func (c *compiler) faq(path *field.Path, entries []yingdav1.FAQEntry, phrases []string) *faq {
	f := &faq{reader: newReader(), holding: map[string][]int{}}
	if c.tooMany(path, len(entries), maxFAQ) {
		return f
	}
	names := map[string]bool{}
	for i := range entries {
		at, spec := path.Index(i), &entries[i]
		c.unique(at.Child("name"), spec.Name, names)
		if words.Blank(spec.Answer) {
			c.fail(field.Required(at.Child("answer"), "entry "+spec.Name+": write what the bot answers"))
		}
		if spec.Topic == yingdav1.TopicComplaint {
			c.fail(field.Invalid(at.Child("topic"), spec.Topic, "entry "+spec.Name+": a complaint belongs to a human at once: write a rule with handOff instead"))
		}
		f.add(spec, c.reply(at.Child("answer"), spec.Answer), c.question(at.Child("question"), spec, phrases, f.reader))
	}
	return f
}

// question reads an entry's question: one that says nothing would never be found, and one by which customers ask for a human
// never be answered, since phrases win.
func (c *compiler) question(path *field.Path, spec *yingdav1.FAQEntry, phrases []string, r reader) question {
	q := r.read(spec.Question)
	switch {
	case q.tooLong:
		c.fail(field.Invalid(path, excerpt(spec.Question), fmt.Sprintf("entry %s: ask it in at most %d characters and words", spec.Name, maxTokens)))
	case len(q.said) == 0 || len(q.said)+len(q.kinds) < 2:
		c.fail(field.Invalid(path, excerpt(spec.Question), "entry "+spec.Name+": say what is asked about, for example 怎么退货"))
	}
	if phrase, asks := held(words.Fold(spec.Question), phrases); asks {
		c.fail(field.Invalid(path, excerpt(spec.Question), "entry "+spec.Name+": who writes this asks for a human ("+phrase+
			"), and an answer may not come between; remove the entry, or ask it otherwise"))
	}
	return q
}

func (f *faq) add(spec *yingdav1.FAQEntry, form bool, q question) {
	f.hold(entry{asks: spec.Question, question: q, weight: q.weight(), answer: Answer{FAQ: spec.Name, Text: spec.Answer, Topic: spec.Topic, Form: form}})
}

// hold makes an entry the last one.
func (f *faq) hold(e entry) {
	for _, feature := range e.question.features {
		f.holding[feature] = append(f.holding[feature], len(f.entries))
	}
	f.entries = append(f.entries, e)
}
