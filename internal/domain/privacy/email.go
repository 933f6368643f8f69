package privacy

import "strings"

// maskEmails puts Email in the place of addresses of mail: what may be a name before the sign, and a domain with a dot after it.
func maskEmails(runes []rune) []rune {
	var masked []rune
	kept := 0
	for i, r := range runes {
		if r != '@' && r != '＠' || i < kept {
			continue
		}
		from, to := i, i+1
		for from > kept && isMailbox(runes[from-1]) {
			from--
		}
		for to < len(runes) && isDomain(runes[to]) {
			to++
		}
		// A sentence may end behind it.
		for to > i+1 && (runes[to-1] == '.' || runes[to-1] == '-') {
			to--
		}
		if from == i || !strings.Contains(string(runes[i+1:to]), ".") {
			continue
		}
		masked = append(append(masked, runes[kept:from]...), []rune(Email)...)
		kept = to
	}
	return append(masked, runes[kept:]...)
}

func isMailbox(r rune) bool { return isDomain(r) || r == '_' || r == '+' || r == '%' }

func isDomain(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '.' || r == '-'
}
