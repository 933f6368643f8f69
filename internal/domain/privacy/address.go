package privacy

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	// mostPlace is how many characters the name of a place may have: 新疆维吾尔自治区 has five.
	mostPlace = 6
	// notPlaces are characters that are hardly ever in the name of a place and stand before one, or between two words.
	notPlaces = "到在是为寄往去住址从给了的我你您他她们请把货发送换改成于叫填写订单退修能要想和与至按吗呢月日几哪那这什么怎个"
	numerals  = "0123456789０１２３４５６７８９一二三四五六七八九十百"
)

// unit is what the part of an address ends with.
type unit struct {
	kind kind
	text string
	// never are characters before it with which it is another word: 超市, 线路.
	never string
}

type kind int

const (
	// coarse parts are of many people: 上海市.
	coarse kind = iota
	// fine parts are streets and estates.
	fine
	// house is the number of a house in a street, or a day of the month: 5号.
	house
	// door parts are of few: 3栋, 502室.
	door
	// storey parts are of anything: 2层.
	storey
)

// named are the parts with a name, numbered those with a number; of two that fit the first one is meant.
func named() []unit {
	return []unit{
		{coarse, "自治区", ""},
		{coarse, "自治州", ""},
		{coarse, "街道", ""},
		{fine, "小区", ""},
		{fine, "新村", ""},
		{fine, "花园", ""},
		{fine, "公寓", ""},
		{fine, "大厦", ""},
		{fine, "家园", ""},
		{fine, "大道", ""},
		{fine, "大街", ""},
		{fine, "胡同", ""},
		{coarse, "省", "节"},
		{coarse, "市", "超城门上夜集菜股都"},
		{coarse, "区", "专社地时片分客库仓务"},
		{coarse, "县", ""},
		{coarse, "镇", ""},
		{coarse, "乡", "老家"},
		{fine, "路", "走线一半网电思公铁出顺道后迷"},
		{fine, "街", "逛上"},
		{fine, "巷", ""},
		{fine, "弄", ""},
		{fine, "村", "农"},
		{fine, "苑", ""},
	}
}

func numbered() []unit {
	return []unit{
		{door, "号楼", ""},
		{door, "号院", ""},
		{door, "单元", ""},
		{door, "栋", ""},
		{door, "幢", ""},
		{door, "室", ""},
		{door, "弄", ""},
		{storey, "座", ""},
		{storey, "楼", ""},
		{storey, "层", ""},
		{house, "号", ""},
	}
}

// byFirst finds units by their first characters.
func byFirst(units []unit) map[rune][]unit {
	found := map[rune][]unit{}
	for _, u := range units {
		first, _ := utf8.DecodeRuneInString(u.text)
		found[first] = append(found[first], u)
	}
	return found
}

func unitsAt(runes []rune, at int, units map[rune][]unit) []unit {
	if at == len(runes) {
		return nil
	}
	return units[runes[at]]
}

// maskAddresses puts Address in the place of where somebody lives: parts that stand side by side and together lead to a door, or to a
// street of a place that is named twice. A city and its district alone are of too many people to be masked, and often the question.
func maskAddresses(runes []rune) []rune {
	named, numbered := byFirst(named()), byFirst(numbered())
	var masked []rune
	for i := 0; i < len(runes); {
		if end := address(runes, i, named, numbered); end > i {
			masked, i = append(masked, []rune(Address)...), end
			continue
		}
		masked = append(masked, runes[i])
		i++
	}
	return masked
}

// address is where an address ends that begins at a place; the place itself where none does.
func address(runes []rune, from int, named, numbered map[rune][]unit) (end int) {
	count := map[kind]int{}
	houses, i := 0, from
	for {
		next, of := part(runes, i, named, numbered)
		if next == i {
			break
		}
		if of == house && count[fine] > 0 {
			houses++
		}
		count[of]++
		i = next
	}
	leads := count[fine] > 0 && houses+count[door] > 0 || count[coarse] > 0 && count[door] > 0 || count[door] > 1 || count[coarse] > 1 && count[fine] > 0
	if !leads {
		return from
	}
	// 3栋502 has its last unit left out.
	return number(runes, i)
}

// part is where the part of an address ends that begins at a place, and what it is.
func part(runes []rune, from int, named, numbered map[rune][]unit) (end int, of kind) {
	if at := number(runes, from); at > from {
		for _, u := range unitsAt(runes, at, numbered) {
			if starts(runes, at, u.text) {
				return at + utf8.RuneCountInString(u.text), u.kind
			}
		}
		if slices.Contains(runes[from:at], '-') {
			return at, door // 3-2-501
		}
	}
	for at := from + 1; at < len(runes) && at-from <= mostPlace && isPlace(runes[at-1]); at++ {
		for _, u := range unitsAt(runes, at, named) {
			if starts(runes, at, u.text) && !strings.ContainsRune(u.never, runes[at-1]) && (at-from > 1 || u.kind == fine || utf8.RuneCountInString(u.text) > 1) {
				return at + utf8.RuneCountInString(u.text), u.kind
			}
		}
	}
	return from, 0
}

// number is where a number ends that begins at a place: digits, or a letter and digits, with single hyphens inside.
func number(runes []rune, from int) (end int) {
	i := from
	if i+1 < len(runes) && runes[i] < unicode.MaxASCII && unicode.IsLetter(runes[i]) {
		i++
	}
	for i < len(runes) && (strings.ContainsRune(numerals, runes[i]) || runes[i] == '-' && i > from && i+1 < len(runes) && strings.ContainsRune(numerals, runes[i+1])) {
		i++
		end = i
	}
	if end == 0 && i > from && (starts(runes, i, "座") || starts(runes, i, "栋") || starts(runes, i, "幢")) {
		return i // A座
	}
	return max(end, from)
}

func isPlace(r rune) bool {
	return unicode.Is(unicode.Han, r) && !strings.ContainsRune(notPlaces, r)
}

// starts says whether a text stands at a place.
func starts(runes []rune, at int, text string) bool {
	for _, r := range text {
		if at >= len(runes) || runes[at] != r {
			return false
		}
		at++
	}
	return true
}
