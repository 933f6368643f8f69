// Package intake is what a customer is asked for while they wait for a human, and what of it they have told.
//
// It asks nobody and keeps nobody waiting: it reads what customers write anyway. What it does not recognise stays in what was
// said, where the agent reads it; it guesses at nothing that an agent would take for certain.
package intake

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/domain/words"
)

const (
	// maxValue is the most characters of a value, maxSaid of all that was said in answer.
	maxValue = 100
	maxSaid  = 1000
	// minDigits is the least that an order's number has; what has fewer is a price, a size or a date.
	minDigits = 8
)

// Card is what a customer was asked for and has told. The zero Card asks for nothing.
type Card struct {
	// Fields are what is wanted, in the order in which it is asked for.
	Fields []yingdav1.IntakeField `json:"fields"`
	// Values are what was recognised of it.
	Values map[yingdav1.IntakeField]string `json:"values,omitempty"`
	// Said is what the customer wrote after they were asked, a message a line.
	Said string `json:"said,omitempty"`
	// Asked says that they were asked.
	Asked bool `json:"asked,omitempty"`
	// Closed says that an agent has spoken: what is written from then on is for them.
	Closed bool `json:"closed,omitempty"`
}

// Missing are the fields without a value.
func (c *Card) Missing() []yingdav1.IntakeField {
	var missing []yingdav1.IntakeField
	for _, field := range c.Fields {
		if c.Values[field] == "" {
			missing = append(missing, field)
		}
	}
	return missing
}

// Note reads what was written before the customer was asked: only what can be told by its form.
func (c *Card) Note(text string) { c.recognise(words.Fold(text)) }

// Answer reads what was written after they were asked. All of it counts.
func (c *Card) Answer(text string) {
	c.Said = first(strings.TrimSpace(c.Said+"\n"+text), maxSaid)
	rest := strings.TrimSpace(c.labelled(c.recognise(words.Fold(text))))
	// What is left can only be the one thing that is still missing.
	if missing := c.Missing(); len(missing) == 1 && isFree(missing[0]) && !declines(rest) {
		c.set(missing[0], rest)
	}
}

func (c *Card) set(field yingdav1.IntakeField, value string) {
	value = first(strings.Trim(value, separators+" \t"), maxValue)
	if value == "" || !c.wants(field) {
		return
	}
	if c.Values == nil {
		c.Values = map[yingdav1.IntakeField]string{}
	}
	c.Values[field] = value
}

func (c *Card) wants(field yingdav1.IntakeField) bool {
	return slices.Contains(c.Fields, field)
}

// recognise takes the number of an order and that of a telephone, which are told by their form, out of a text.
func (c *Card) recognise(text string) (rest string) {
	var left strings.Builder
	for _, word := range split(text, func(r rune) bool {
		return r < unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r)) || r == '-'
	}) {
		switch {
		case isMobile(word):
			c.set(yingdav1.IntakeContact, word)
		case digits(word) >= minDigits && c.wants(yingdav1.IntakeOrderNumber):
			c.set(yingdav1.IntakeOrderNumber, strings.ToUpper(word))
		default:
			left.WriteString(word)
		}
	}
	return left.String()
}

// labelled takes what has its label before it, as 商品:风衣, out of a text.
func (c *Card) labelled(text string) (rest string) {
	var left []string
	for _, part := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(separators, r) && r != ':' }) {
		field, value := label(part)
		if field == "" {
			left = append(left, part)
			continue
		}
		if !declines(value) {
			c.set(field, value)
		}
	}
	return strings.Join(left, " ")
}

// separators end a value; words.Fold has made the ASCII twins of some.
const separators = ":,;。、\n!?"

// names are how customers read and write the fields, the name by which they are asked first.
func names(field yingdav1.IntakeField) []string {
	switch field {
	case yingdav1.IntakeOrderNumber:
		return []string{"订单号", "订单编号", "订单", "单号"}
	case yingdav1.IntakeProblemType:
		return []string{"问题类型", "问题", "类型"}
	case yingdav1.IntakeProductName:
		return []string{"商品名称", "商品名", "商品", "产品"}
	case yingdav1.IntakeOrderTime:
		return []string{"下单时间", "购买时间", "时间"}
	case yingdav1.IntakeContact:
		return []string{"联系方式", "联系电话", "手机号", "手机", "电话", "微信号", "微信"}
	default:
		return []string{string(field)}
	}
}

// isFree says whether a value may be any words.
func isFree(field yingdav1.IntakeField) bool {
	return field != yingdav1.IntakeOrderNumber && field != yingdav1.IntakeContact
}

// label finds the field that a part of a text begins with; only a colon or a space ends a label.
func label(part string) (field yingdav1.IntakeField, value string) {
	part = strings.TrimSpace(part)
	for _, field := range []yingdav1.IntakeField{
		yingdav1.IntakeOrderNumber, yingdav1.IntakeProblemType, yingdav1.IntakeProductName, yingdav1.IntakeOrderTime, yingdav1.IntakeContact,
	} {
		for _, name := range names(field) {
			after, found := strings.CutPrefix(part, name)
			if value := strings.TrimLeft(after, ": "); found && (value != after || after == "") {
				return field, value
			}
		}
	}
	return "", ""
}

// declines says whether an answer is none.
func declines(answer string) bool {
	switch strings.Trim(answer, separators+". ") {
	case "", "没有", "没", "无", "不知道", "不清楚", "忘了", "跳过", "在吗", "你好", "好", "好的", "嗯", "ok":
		return true
	default:
		return false
	}
}

// Names are the fields as customers are asked for them.
func Names(fields []yingdav1.IntakeField) string {
	read := make([]string, len(fields))
	for i, field := range fields {
		read[i] = names(field)[0]
	}
	return strings.Join(read, "、")
}

// isMobile says whether a word is the number of a mobile telephone.
func isMobile(word string) bool {
	return len(word) == 11 && digits(word) == 11 && word[0] == '1' && word[1] >= '3'
}

func digits(word string) (n int) {
	for _, r := range word {
		if r >= '0' && r <= '9' {
			n++
		}
	}
	return n
}

// split cuts a text into runs of characters that are of a kind and that are not.
func split(text string, kind func(rune) bool) []string {
	var runs []string
	start, last := 0, false
	for i, r := range text {
		if is := kind(r); i > 0 && is != last {
			runs, start, last = append(runs, text[start:i]), i, is
		} else {
			last = is
		}
	}
	return append(runs, text[start:])
}

func first(text string, most int) string {
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most])
	}
	return text
}

// Encode is the card as it is kept.
func (c *Card) Encode() (json.RawMessage, error) {
	encoded, err := json.Marshal(c)
	if err != nil {
		return nil, fmt.Errorf("encoding what a customer told: %w", err)
	}
	return encoded, nil
}

// Decode reads what Encode wrote; nil is nobody's card.
func Decode(kept json.RawMessage) (*Card, error) {
	if kept == nil {
		return nil, nil //nolint:nilnil // Nothing is asked of most.
	}
	card := &Card{}
	if err := json.Unmarshal(kept, card); err != nil {
		return nil, fmt.Errorf("decoding what a customer told: %w", err)
	}
	return card, nil
}
