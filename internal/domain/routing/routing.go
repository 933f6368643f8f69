// Package routing decides which skill group gets a conversation or a case, with which priority, and who is in a group.
//
// It is pure: it knows what the resources say and what the customer did, not who is on duty or how long a queue is. The
// same input always gives the same group, so that a redelivered message is routed as the first time.
package routing

import (
	"math"
	"slices"
	"strings"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/domain/words"
)

// Input is what routing looks at.
type Input struct {
	// Routing are the Channel's rules, in order.
	Routing []yingdav1.RoutingRule
	// EntryPoints are the Channel's.
	EntryPoints []yingdav1.EntryPoint
	// Default is the name of the Brand's default group.
	Default string
	// SessionFrom is the session-from attribute of the contact button through which the customer came.
	SessionFrom string
	// Text is what the customer wrote.
	Text string
	// Topic is the topic with which the bot handed off.
	Topic string
}

// Result is where a conversation goes.
type Result struct {
	// Rule is the name of the rule that claimed the conversation, empty for the default group.
	Rule string
	// Group is the name of the skill group; empty when no rule claimed the conversation and there is no default.
	Group string
}

// Group finds the skill group: the first rule that matches, else the default. A rule matches when every list that it sets
// has an entry that applies; a rule that sets none never matches, since a catch-all is what the default is for.
func Group(in Input) Result {
	entry := EntryPoint(in.EntryPoints, in.SessionFrom)
	text := words.Fold(in.Text)
	for i := range in.Routing {
		if rule := &in.Routing[i]; matches(&rule.When, entry, text, in.Topic) {
			return Result{Rule: rule.Name, Group: rule.SkillGroupRef.Name}
		}
	}
	return Result{Group: in.Default}
}

// CaseGroup is the skill group to which the first rule that matches gives after-sales cases of that reason; empty for none.
func CaseGroup(rules []yingdav1.RoutingRule, reason yingdav1.AfterSalesReason) string {
	for i := range rules {
		if slices.Contains(rules[i].When.AfterSales, reason) {
			return rules[i].SkillGroupRef.Name
		}
	}
	return ""
}

func matches(when *yingdav1.RoutingMatch, entry, text, topic string) bool {
	switch {
	case len(when.EntryPoints) == 0 && len(when.Keywords) == 0 && len(when.Topics) == 0:
		return false
	case len(when.EntryPoints) > 0 && (entry == "" || !slices.Contains(when.EntryPoints, entry)):
		return false
	case len(when.Topics) > 0 && (topic == "" || !slices.Contains(when.Topics, topic)):
		return false
	default:
		return len(when.Keywords) == 0 || words.Contains(text, when.Keywords)
	}
}

// EntryPoint is the name of the entry point by which a session started: the one with the longest prefix of sessionFrom, of
// equal ones the first; empty when none applies.
func EntryPoint(eps []yingdav1.EntryPoint, sessionFrom string) string {
	name, longest := "", 0
	for i := range eps {
		prefix := eps[i].SessionFromPrefix
		if len(prefix) > longest && strings.HasPrefix(sessionFrom, prefix) {
			name, longest = eps[i].Name, len(prefix)
		}
	}
	return name
}

// Priority is the sum of the rules that match a conversation with the topic of a customer of the tier; empty for none.
func Priority(rules []yingdav1.PriorityRule, topic, tier string) int32 {
	var sum int64
	for i := range rules {
		if when := &rules[i].When; prior(when, topic, tier) {
			sum += int64(rules[i].Add)
		}
	}
	return int32(max(min(sum, math.MaxInt32), math.MinInt32))
}

// prior says whether every list that a rule sets has an entry that applies; a rule that sets none never matches.
func prior(when *yingdav1.PriorityMatch, topic, tier string) bool {
	switch {
	case len(when.Topics) == 0 && len(when.Tiers) == 0:
		return false
	case len(when.Topics) > 0 && (topic == "" || !slices.Contains(when.Topics, topic)):
		return false
	default:
		return len(when.Tiers) == 0 || tier != "" && slices.Contains(when.Tiers, tier)
	}
}
