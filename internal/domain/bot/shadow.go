package bot

import (
	"fmt"
	"slices"
	"strings"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/domain/words"
)

// Shadowed lists what of a Playbook no customer ever gets, since rules that come before it take all for which it is: every
// text, and every tap on the menu. Nothing of it keeps the Playbook from being used; whoever wrote it believes that it does what
// it does not.
func Shadowed(spec yingdav1.PlaybookSpec) []string {
	var found []string
	first := takers{keywords: owners{}, menuKeys: owners{}}
	for i := range spec.Rules {
		rule := &spec.Rules[i]
		if why := first.takeRule(rule); why != "" {
			found = append(found, fmt.Sprintf("rule %s never matches: %s before it; put it first, or remove it", rule.Name, why))
		}
		first.add(rule)
	}
	for i := range spec.FAQ {
		if before, all := takeAll([]string{spec.FAQ[i].Question}, first.keywords.take); all {
			found = append(found, fmt.Sprintf("entry %s of the FAQ is not given to who asks its question: that is for %s, and rules come first",
				spec.FAQ[i].Name, before))
		}
	}
	return found
}

// owners are rules by what they are for; of several for the same the first, which wins.
type owners map[string]string

func (o owners) add(what, rule string) {
	if _, taken := o[what]; !taken {
		o[what] = rule
	}
}

// takers are the rules by their folded keywords, and by their menu keys.
type takers struct{ keywords, menuKeys owners }

func (t takers) add(rule *yingdav1.PlaybookRule) {
	for _, keyword := range rule.Match.Keywords {
		if folded := words.Fold(keyword); !words.Blank(folded) {
			t.keywords.add(folded, rule.Name)
		}
	}
	for _, key := range rule.Match.MenuKeys {
		t.menuKeys.add(key, rule.Name)
	}
}

// takeRule says which rules take all for which a rule is; "" where something is left to it.
func (t takers) takeRule(rule *yingdav1.PlaybookRule) string {
	var taken []string
	if len(rule.Match.Keywords) > 0 {
		before, all := takeAll(rule.Match.Keywords, t.keywords.take)
		if !all {
			return ""
		}
		taken = append(taken, "every text with one of its keywords is for "+before)
	}
	if len(rule.Match.MenuKeys) > 0 {
		before, all := takeAll(rule.Match.MenuKeys, t.menuKeys.takeKey)
		if !all {
			return ""
		}
		taken = append(taken, "every tap on one of its menuKeys is for "+before)
	}
	return strings.Join(taken, ", and ")
}

// takeAll names the rules that take every one of what is listed, if each is taken.
func takeAll(listed []string, take func(string) (rule string, taken bool)) (rules string, all bool) {
	var names []string
	for _, one := range listed {
		name, taken := take(one)
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
func (o owners) take(text string) (rule string, taken bool) {
	runes := []rune(words.Fold(text))
	for from := range runes {
		for to := from + 1; to <= min(len(runes), from+maxKeyword); to++ {
			if rule, taken = o[string(runes[from:to])]; taken {
				return rule, true
			}
		}
	}
	return "", false
}

// takeKey finds a menu key, which is matched as a whole.
func (o owners) takeKey(key string) (rule string, taken bool) {
	rule, taken = o[key]
	return rule, taken
}
