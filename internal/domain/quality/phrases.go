package quality

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/yingda-dev/yingda/internal/domain/privacy"
)

const (
	// mostPhrases are shown.
	mostPhrases = 20
	// fewestRated is in how many rated conversations a phrase must have been said.
	fewestRated = 5
	// The length of a phrase, in characters.
	minPhrase, maxPhrase = 2, 24
	// certainty is of the interval by which a phrase is judged, in standard deviations: 95 %.
	certainty = 1.96
)

// Phrase is what agents said in conversations that were rated poorly more often than the rest. It is a coincidence that is worth a
// look, not a cause: an apology goes with poor ratings too.
type Phrase struct {
	Text string `json:"text"`
	// Conversations that were rated and in which it was said, and how many of them poorly.
	Conversations int `json:"conversations"`
	Poor          int `json:"poor"`
	// AtLeast is the share of poor ones that is certain: the lower end of Wilson's 95 % interval, in percent.
	AtLeast float64 `json:"atLeast"`
}

// Phrases finds what goes with poor ratings: parts of sentences of which it is certain, to 95 %, that conversations with them were
// rated poorly more often than rated conversations are. The surest come first.
func Phrases(talks []Talk) []Phrase {
	said, poor := map[string]int{}, map[string]int{}
	rated, poorly := 0, 0
	for i := range talks {
		if !talks[i].Rated {
			continue
		}
		rated++
		if talks[i].Poor {
			poorly++
		}
		for _, part := range parts(talks[i].Said) {
			said[part]++
			if talks[i].Poor {
				poor[part]++
			}
		}
	}
	found := []Phrase{}
	for _, part := range slices.Sorted(maps.Keys(poor)) {
		p := Phrase{Text: part, Conversations: said[part], Poor: poor[part]}
		lower := wilson(p.Poor, p.Conversations)
		if p.Conversations < fewestRated || lower <= float64(poorly)/float64(rated) {
			continue
		}
		p.AtLeast = math.Round(lower * 100)
		found = append(found, p)
	}
	slices.SortStableFunc(found, func(a, b Phrase) int { return cmp.Or(cmp.Compare(b.AtLeast, a.AtLeast), cmp.Compare(b.Poor, a.Poor)) })
	return found[:min(len(found), mostPhrases)]
}

// parts are the parts of sentences that were said, each once.
func parts(said []string) []string {
	var found []string
	for _, text := range said {
		for part := range strings.FieldsFuncSeq(folded(privacy.Replace(text, "\n")), func(r rune) bool { return unicode.IsPunct(r) || unicode.IsSymbol(r) || r == '\n' }) {
			part = strings.TrimSpace(part)
			if n := utf8.RuneCountInString(part); n >= minPhrase && n <= maxPhrase && !slices.Contains(found, part) {
				found = append(found, part)
			}
		}
	}
	return found
}

// wilson is the lower end of Wilson's interval of a share.
func wilson(hits, of int) float64 {
	n, z := float64(of), certainty
	p := float64(hits) / n
	return (p + z*z/(2*n) - z*math.Sqrt(p*(1-p)/n+z*z/(4*n*n))) / (1 + z*z/n)
}
