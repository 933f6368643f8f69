package burst

import (
	"maps"
	"slices"
)

// Brand is the scope of the whole brand; every other scope is the name of a SkillGroup.
const Brand = ""

// Open says which scopes an emergency is to be opened of, sorted: groups where it is theirs alone, the brand where it is not.
// In a scope that is not over yet none opens, nor within it: that of the brand covers its groups, and what a group's own
// explains is left out of the brand's.
func Open(seen map[string]Seen, lasting func(scope string) bool, rules Rules) []string {
	if lasting(Brand) {
		return nil
	}
	var rest Seen
	var far []string
	for _, group := range slices.Sorted(maps.Keys(seen)) {
		if lasting(group) {
			continue
		}
		rest = rest.Add(seen[group])
		if _, is := seen[group].Far(rules); is && group != Brand {
			far = append(far, group)
		}
	}
	if _, is := rest.Far(rules); !is {
		return far
	}
	if len(far) == 1 {
		if _, still := without(seen, far[0], lasting).Far(rules); !still {
			return far
		}
	}
	return []string{Brand}
}

// Of is what was seen of a scope, by the same rule.
func Of(seen map[string]Seen, scope string, lasting func(scope string) bool) Seen {
	if scope != Brand {
		return seen[scope]
	}
	return without(seen, Brand, lasting)
}

// without sums up all groups but one, and those in which an emergency of their own lasts.
func without(seen map[string]Seen, left string, lasting func(scope string) bool) Seen {
	var sum Seen
	for group, s := range seen {
		if (group == left && left != Brand) || (group != Brand && lasting(group)) {
			continue
		}
		sum = sum.Add(s)
	}
	return sum
}
