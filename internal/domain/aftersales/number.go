package aftersales

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// MaxOrderNumber is how many characters an order's number has at most.
const MaxOrderNumber = 64

// OrderNumber is an order's number as it is kept, whichever way it was typed: full-width letters are those of ASCII, and there is no space
// around it. Two spellings would be two orders, each of which is paid back in full. Its case stays: the shop's own system may want it so.
func OrderNumber(typed string) string { return strings.TrimSpace(norm.NFKC.String(typed)) }

// IsOrderNumber says whether a number is one as it is kept. What is not seen, as a space of no width, would make it that of another order.
func IsOrderNumber(number string) bool {
	return number != "" && utf8.RuneCountInString(number) <= MaxOrderNumber && number == OrderNumber(number) &&
		!strings.ContainsFunc(number, isForeign)
}

// isForeign says whether a rune is in no order's number.
func isForeign(r rune) bool {
	switch {
	case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
		return false
	default:
		return !strings.ContainsRune("-_./#", r) && !unicode.Is(unicode.Han, r)
	}
}
