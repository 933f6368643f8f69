package wechatsim

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// field is one element of a push, in the platform's order. A value is a string, an int64, a float64, or fields.
type field struct {
	name  string
	value any
}

// renderFields writes a push body in the app's format.
func renderFields(format Format, fields []field) []byte {
	var b bytes.Buffer
	if format == FormatXML {
		writeXML(&b, fields)
	} else {
		writeJSON(&b, fields)
	}
	return b.Bytes()
}

func writeJSON(b *bytes.Buffer, fields []field) {
	b.WriteByte('{')
	for i, f := range fields {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(jsonString(f.name))
		b.WriteByte(':')
		switch v := f.value.(type) {
		case []field:
			writeJSON(b, v)
		case int64:
			b.WriteString(strconv.FormatInt(v, 10))
		case float64:
			b.WriteString(strconv.FormatFloat(v, 'f', -1, 64))
		default:
			b.WriteString(jsonString(fmt.Sprint(v)))
		}
	}
	b.WriteByte('}')
}

// jsonString quotes without escaping <, > and &: the platform sends them as they are.
func jsonString(s string) string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(s) //nolint:errchkjson // a string always encodes, and a Builder takes everything
	return strings.TrimSuffix(b.String(), "\n")
}

func writeXML(b *bytes.Buffer, fields []field) {
	b.WriteString("<xml>")
	for i, f := range fields {
		if i > 0 {
			b.WriteByte('\n')
		}
		writeElement(b, f)
	}
	b.WriteString("\n</xml>")
}

func writeElement(b *bytes.Buffer, f field) {
	b.WriteString("<" + f.name + ">")
	switch v := f.value.(type) {
	case []field:
		for _, inner := range v {
			writeElement(b, inner)
		}
	case int64:
		b.WriteString(strconv.FormatInt(v, 10))
	case float64:
		b.WriteString(strconv.FormatFloat(v, 'f', -1, 64))
	default:
		b.WriteString(cdata(fmt.Sprint(v)))
	}
	b.WriteString("</" + f.name + ">")
}

// cdata drops what XML 1.0 cannot carry and splits a terminator that the customer typed.
func cdata(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < 0x20 && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF {
			return -1
		}
		return r
	}, s)
	return "<![CDATA[" + strings.ReplaceAll(s, "]]>", "]]]]><![CDATA[>") + "]]>"
}

// anyFields turns a decoded JSON object into fields, sorted by name so that a push is reproducible.
func anyFields(object map[string]any) []field {
	fields := make([]field, 0, len(object))
	for name, value := range object {
		fields = append(fields, field{name, anyValue(value)})
	}
	slices.SortFunc(fields, func(a, b field) int { return strings.Compare(a.name, b.name) })
	return fields
}

func anyValue(value any) any {
	switch v := value.(type) {
	case map[string]any:
		return anyFields(v)
	case float64:
		if v == float64(int64(v)) {
			return int64(v)
		}
	}
	return value
}
