package bot

import (
	"slices"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
)

// Unanswered are the keys of a menu for which the Playbook has no rule, sorted, each once: who taps them hears nothing.
func Unanswered(spec yingdav1.PlaybookSpec, menu *yingdav1.Menu) []string {
	var found []string
	for _, key := range keysOf(menu) {
		known := slices.ContainsFunc(spec.Rules, func(rule yingdav1.PlaybookRule) bool { return slices.Contains(rule.Match.MenuKeys, key) })
		if !known {
			found = append(found, key)
		}
	}
	return found
}

// keysOf are the keys that a menu's buttons and items send, sorted, each once.
func keysOf(menu *yingdav1.Menu) []string {
	if menu == nil {
		return nil
	}
	var keys []string
	for _, button := range menu.Buttons {
		keys = append(keys, button.Key)
		for _, item := range button.Items {
			keys = append(keys, item.Key)
		}
	}
	slices.Sort(keys)
	return slices.DeleteFunc(slices.Compact(keys), func(key string) bool { return key == "" })
}

// HasKeys says whether a menu asks the bot for anything.
func HasKeys(menu *yingdav1.Menu) bool { return len(keysOf(menu)) > 0 }
