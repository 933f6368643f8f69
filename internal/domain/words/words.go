// Package words finds the words of our resources in what customers write.
//
// It is shared by the bot's rules and the routing rules, so that a keyword means the same in both. It knows no regular
// expressions and no language: a word applies where it is contained, with case and full-width forms folded away.
package words

import (
	"strings"
	"unicode"
)

// fullWidth is the distance between the full-width forms U+FF01..U+FF5E and their ASCII twins.
const fullWidth = 0xFF01 - '!'

// Fold brings a text to the form in which words are compared: lower case, full-width letters, digits and signs as ASCII,
// the ideographic space as a space. It does not allocate when there is nothing to fold.
func Fold(text string) string { return strings.Map(foldRune, text) }

func foldRune(r rune) rune {
	switch {
	case r >= 0xFF01 && r <= 0xFF5E:
		r -= fullWidth
	case r == 0x3000:
		r = ' '
	}
	return unicode.ToLower(r)
}

// Contains reports whether the folded text holds one of the words, which it folds itself. A blank word is never held: it
// would match everything.
func Contains(folded string, words []string) bool {
	for _, w := range words {
		if w = Fold(w); !Blank(w) && strings.Contains(folded, w) {
			return true
		}
	}
	return false
}

// Blank reports whether a word has nothing to compare.
func Blank(word string) bool { return strings.TrimSpace(word) == "" }
