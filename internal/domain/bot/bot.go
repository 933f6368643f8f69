// Package bot decides what a Playbook answers to a customer's text and when it hands over to a human, and renders the texts
// that it sends by itself.
//
// It sends nothing, waits for nothing and remembers nothing: the same text always gets the same Decision. It knows no
// regular expressions, so that no Playbook can make it slow.
//
// Invariants:
//   - Asking for a human always works, the first time and every time. A hand-off phrase wins over every rule that would
//     reply; a rule that hands off as well only adds its topic, so that "投诉,转人工" is still a complaint. 人工 is a phrase
//     whatever the Playbook says, and a rule that would answer one is refused.
//   - What neither a rule nor the FAQ answers is a NoMatch, which the caller gives to a human: the bot never pretends to have
//     understood. The FAQ is guessed at, and a guess that is not sure is a NoMatch.
//   - Templates know only the variables of their text and no loops, so that what is sent is bounded; and all that they
//     compute is tried when they are compiled, so that a mistake is found when the Playbook is written, not when a customer
//     waits.
package bot

import (
	"slices"
	"strings"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/domain/words"
)

// Decision is what the bot does with a text: an Answer, a HandOff or a NoMatch.
type Decision interface{ decision() }

// Answer is sent to the customer; the conversation stays with the bot.
type Answer struct {
	// Rule is the name of the rule that matched, empty when an entry of the FAQ did.
	Rule string
	// FAQ is the name of the entry whose question is meant, empty when a rule matched. Who gets the same entry twice was not
	// helped by it: the caller gives them to a human.
	FAQ string
	// Topic is the entry's, for the case that the conversation goes to a human later; empty without one.
	Topic string
	// Text is sent once Playbook.Fill has put its variables in.
	Text string
	// Link is sent as a card after the text; nil for none.
	Link *Link
	// Form says that it leads to the customer's own form for after-sales: who has no address of that cannot give it.
	Form bool
}

// Link is a link card.
type Link struct{ Title, URL string }

// HandOff gives the conversation to a human.
type HandOff struct {
	// Rule is the name of the rule that matched, empty when a phrase alone did.
	Rule string
	// Topic is the rule's, empty without one.
	Topic string
	// Explicit says that the customer asked for a human.
	Explicit bool
}

// NoMatch says that the bot has no answer.
type NoMatch struct{}

func (Answer) decision()  {}
func (HandOff) decision() {}
func (NoMatch) decision() {}

// Playbook is a compiled Playbook. It never changes and may be used by many goroutines at once.
type Playbook struct {
	phrases []string
	rules   []rule
	faq     *faq
	texts   texts
	// replies are what rules and the FAQ answer, by what is written in the Playbook, where that has variables.
	replies map[string]text
}

// rule has folded keywords, menu keys and what it decides.
type rule struct {
	keywords []string
	menuKeys []string
	decision Decision
}

// standingPhrases are in force in every Playbook and cannot be configured away. The one word is in all the ways of asking
// that customers use: 转人工, 人工客服, 人工服务, 要找人工.
func standingPhrases() []string { return []string{"人工"} }

// Compile checks a spec and makes it ready for use. Its error lists every mistake by field, and is fit to be shown.
func Compile(spec yingdav1.PlaybookSpec) (*Playbook, error) {
	c := compiler{}
	p := c.playbook(spec)
	if err := c.errs.ToAggregate(); err != nil {
		return nil, err
	}
	return p, nil
}

// Decide finds what to do with a customer's text.
func (p *Playbook) Decide(text string) Decision {
	folded := words.Fold(text)
	if containsAny(folded, p.phrases) {
		return p.explicit(folded)
	}
	for i := range p.rules {
		if containsAny(folded, p.rules[i].keywords) {
			return p.rules[i].decision
		}
	}
	if answer, sure := p.faq.match(text); sure {
		return answer
	}
	return NoMatch{}
}

// Question is what the entry of the FAQ asks that an answer is of; empty for a rule's.
func (p *Playbook) Question(answer Answer) string {
	for i := range p.faq.entries {
		if answer.FAQ != "" && p.faq.entries[i].answer.FAQ == answer.FAQ {
			return p.faq.entries[i].asks
		}
	}
	return ""
}

// Fill puts the variables into what is answered.
func (p *Playbook) Fill(answer Answer, vars Vars) (Answer, error) {
	if reply, varies := p.replies[answer.Text]; varies {
		var err error
		if answer.Text, err = render(reply, vars); err != nil {
			return Answer{}, err
		}
	}
	if answer.Link != nil && answer.Link.URL == formURL {
		answer.Link = &Link{Title: answer.Link.Title, URL: vars.AfterSalesForm}
	}
	return answer, nil
}

// Names says whether a text is nothing but a keyword of a rule: whoever was told to answer 1 for it means the rule.
func (p *Playbook) Names(text string) bool {
	folded := strings.TrimSpace(words.Fold(text))
	return slices.ContainsFunc(p.rules, func(r rule) bool { return slices.Contains(r.keywords, folded) })
}

// DecideTap finds what to do with a tap on the menu. A key that no rule has is a NoMatch.
func (p *Playbook) DecideTap(key string) Decision {
	for i := range p.rules {
		if slices.Contains(p.rules[i].menuKeys, key) {
			return p.rules[i].decision
		}
	}
	return NoMatch{}
}

// explicit is the hand-off of a customer who asked for it, with the topic of the first rule that would have handed off.
func (p *Playbook) explicit(folded string) Decision {
	for i := range p.rules {
		if handOff, ok := p.rules[i].decision.(HandOff); ok && containsAny(folded, p.rules[i].keywords) {
			handOff.Explicit = true
			return handOff
		}
	}
	return HandOff{Explicit: true}
}

func containsAny(folded string, keywords []string) bool {
	_, holds := held(folded, keywords)
	return holds
}

// held is the first of the words that the folded text holds.
func held(folded string, list []string) (string, bool) {
	for _, w := range list {
		if strings.Contains(folded, w) {
			return w, true
		}
	}
	return "", false
}
