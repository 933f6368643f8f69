package bot

import (
	"strings"

	"github.com/yingda-dev/yingda/internal/domain/words"
)

// Questions tells which of the questions that it was given a text asks, by what makes the bot sure of an answer. It is for one
// goroutine.
type Questions struct{ faq faq }

// NewQuestions returns it without questions.
func NewQuestions() *Questions {
	return &Questions{faq{reader: newReader(), holding: map[string][]int{}}}
}

// Form is what is left of a text that asks something: texts of one form are one question. It is empty for who greets, asks for a
// human or tells a story.
func (q *Questions) Form(text string) string {
	if containsAny(words.Fold(text), standingPhrases()) {
		return ""
	}
	asked := q.faq.reader.read(text)
	if asked.tooLong || len(asked.said) == 0 || len(asked.said)+len(asked.kinds) < 2 {
		return ""
	}
	return strings.Join(asked.features, "|")
}

// Add gives it a question and returns its number, counted from 0.
func (q *Questions) Add(text string) int {
	asked := q.faq.reader.read(text)
	q.faq.hold(entry{question: asked, weight: asked.weight()})
	return len(q.faq.entries) - 1
}

// Find returns the number of the question that a text asks, the likeliest of several.
func (q *Questions) Find(text string) (number int, found bool) {
	asked := q.faq.reader.read(text)
	best, found := nearest(q.faq.candidates(asked), asked)
	return best.number, found
}
