// Package privacy takes out of a text what says who somebody is: numbers of telephones, of identity cards (GB 11643, by their
// checksum), of bank cards (by Luhn's), and any other number of eight digits or more, which names an order or an account; addresses
// of mail; where somebody lives; and names.
//
// Numbers are found wherever they are; digits may be full-width, and stand in groups with spaces or hyphens between. Names and places
// are guessed at by what stands around them, for Chinese has no gaps between words: a name that no cue, title or telephone stands
// beside is not recognised, nor is a place without a street or a door. What a guess takes too much of says less, and harms nobody.
package privacy

import (
	"strings"
	"unicode"

	"github.com/yingda-dev/yingda/internal/domain/words"
)

// What stands for what was taken out.
const (
	Phone    = "[手机号]"
	Identity = "[身份证号]"
	Card     = "[银行卡号]"
	Number   = "[号码]"
	Email    = "[邮箱]"
	Address  = "[地址]"
	Name     = "[姓名]"
)

// Replace puts something else in the place of all that Mask leaves for what it took out.
func Replace(masked, by string) string {
	return strings.NewReplacer(Phone, by, Identity, by, Card, by, Number, by, Email, by, Address, by, Name, by).Replace(masked)
}

// mostGroups is in how many groups a number may stand.
const mostGroups = 8

// longNumber is how many digits name something; years, prices and amounts have fewer.
const longNumber = 8

// Mask returns the text without what says who somebody is.
func Mask(text string) string {
	return maskNeighbours(maskNumbers(maskNames(maskAddresses(maskEmails([]rune(text))))))
}

func maskNumbers(runes []rune) string {
	var masked strings.Builder
	for i := 0; i < len(runes); {
		groups, end := numbers(runes, i)
		if len(groups) == 0 {
			masked.WriteRune(runes[i])
			i++
			continue
		}
		maskGroups(&masked, runes, groups)
		i = end
	}
	return masked.String()
}

// group is a run of digits, an X at the end of an identity card's among them.
type group struct {
	from, to int
	digits   string
}

// numbers are the groups of digits that begin at a place and have no more than one space or hyphen between them.
func numbers(runes []rune, from int) (groups []group, end int) {
	for i := from; i < len(runes); {
		start := i
		var digits strings.Builder
		for i < len(runes) && isDigit(runes[i]) {
			digits.WriteString(words.Fold(string(runes[i])))
			i++
		}
		if i == start {
			break
		}
		if digits.Len() == identityLength-1 && i < len(runes) && words.Fold(string(runes[i])) == "x" {
			digits.WriteByte('x')
			i++
		}
		groups, end = append(groups, group{start, i, digits.String()}), i
		if i < len(runes) && isSeparator(runes[i]) {
			i++
		}
	}
	return groups, end
}

func isDigit(r rune) bool { return r >= '0' && r <= '9' || r >= '０' && r <= '９' }

func isSeparator(r rune) bool { return unicode.IsSpace(r) || unicode.Is(unicode.Pd, r) }

// maskGroups writes groups and what is between them; the longest row of groups that together are a number is taken for one.
func maskGroups(masked *strings.Builder, runes []rune, groups []group) {
	for i := 0; i < len(groups); {
		taken, what := 1, ""
		for j := min(len(groups), i+mostGroups); j > i && what == ""; j-- {
			var digits strings.Builder
			for _, g := range groups[i:j] {
				digits.WriteString(g.digits)
			}
			taken, what = j-i, meaning(digits.String(), j-i == 1)
		}
		if what == "" {
			what = string(runes[groups[i].from:groups[i].to])
		}
		masked.WriteString(what)
		if i += taken; i < len(groups) {
			masked.WriteString(string(runes[groups[i-1].to:groups[i].from]))
		}
	}
}

// meaning is what a number is, by what stands for it; empty for one that says nothing of anybody. Only one that is written without
// a gap is a number of another kind: two short ones are two.
func meaning(digits string, whole bool) string {
	switch {
	case isIdentity(digits):
		return Identity
	case isPhone(digits):
		return Phone
	case isCard(digits):
		return Card
	case whole && len(digits) >= longNumber:
		return Number
	default:
		return ""
	}
}

// isPhone knows mobile telephones, with or without the country's code, and others with the code of their area.
func isPhone(digits string) bool {
	mobile := strings.TrimPrefix(strings.TrimPrefix(digits, "00"), "86")
	if len(mobile) == 11 && mobile[0] == '1' && mobile[1] >= '3' {
		return true
	}
	return digits[0] == '0' && len(digits) >= 10 && len(digits) <= 12
}

// identityLength is that of an identity card's number with its check digit.
const identityLength = 18

// isIdentity knows GB 11643 by its checksum, ISO 7064 MOD 11-2.
func isIdentity(digits string) bool {
	if len(digits) != identityLength {
		return false
	}
	sum := 0
	for i := range identityLength - 1 {
		if digits[i] == 'x' {
			return false
		}
		weight := 1
		for range identityLength - 1 - i {
			weight = weight * 2 % 11
		}
		sum += int(digits[i]-'0') * weight
	}
	return digits[identityLength-1] == "10x98765432"[sum%11]
}

// isCard knows bank cards by Luhn's checksum.
func isCard(digits string) bool {
	if len(digits) < 13 || len(digits) > 19 || strings.Contains(digits, "x") {
		return false
	}
	sum := 0
	for i := range len(digits) {
		d := int(digits[len(digits)-1-i] - '0')
		if i%2 == 1 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return sum%10 == 0
}
