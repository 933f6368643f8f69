package bot

import (
	"fmt"
	"slices"
	"strings"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/domain/words"
)

// Shadowed lists what of a Playbook no customer ever gets, since a rule that comes before it takes every text for which it is.
// Nothing of it keeps the Playbook from being used; whoever wrote it believes that it does what it does not.
func Shadowed(spec yingdav1.PlaybookSpec) []string {
	var found []string
	first := owners{}
	for i := range spec.Rules {
		rule := &spec.Rules[i]
		if before, all := first.takeAll(rule.Match.Keywords); all {
			found = append(found, fmt.Sprintf("rule %s never matches: every text with one of its keywords is for %s before it; put it first, or remove it",
				rule.Name, before))
		}
		first.add(rule)
	}
	for i := range spec.FAQ {
		if before, all := first.takeAll([]string{spec.FAQ[i].Question}); all {
			found = append(found, fmt.Sprintf("entry %s of the FAQ is not given to who asks its question: that is for %s, and rules come first",
				spec.FAQ[i].Name, before))
		}
	}
	return found
}

// owners are the rules by their folded keywords; of several with one keyword the first, which wins.
type owners map[string]string

func (o owners) add(rule *yingdav1.PlaybookRule) {
	for _, keyword := range rule.Match.Keywords {
		folded := words.Fold(keyword)
		if _, taken := o[folded]; !taken && !words.Blank(folded) {
			o[folded] = rule.Name
		}
	}
}

// takeAll names the rules that take every one of the texts, if each is taken.
func (o owners) takeAll(texts []string) (rules string, all bool) {
	var names []string
	for _, text := range texts {
		name, taken := o.take(words.Fold(text))
		if !taken {
			return "", false
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	noun := "rule "
	if len(names) > 1 {
		noun = "rules "
	}
	return noun + strings.Join(names, ", "), len(names) > 0
}

// take finds a keyword in the text. It looks up the parts of the text, of which there are fewer than keywords to look for.
func (o owners) take(folded string) (rule string, taken bool) {
	runes := []rune(folded)
	for from := range runes {
		for to := from + 1; to <= min(len(runes), from+maxKeyword); to++ {
			if rule, taken = o[string(runes[from:to])]; taken {
				return rule, true
			}
		}
	}
	return "", false
}
