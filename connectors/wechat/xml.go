package wechat

import (
	"encoding/xml"
	"fmt"
	"strings"
)

// CDATA is text in an answer. The encoder splits what would end it early.
type CDATA struct {
	Text string `xml:",cdata"`
}

// EncodeXML writes an answer. Characters that XML cannot hold are left out.
func EncodeXML(answer any) (string, error) {
	encoded, err := xml.Marshal(answer)
	if err != nil {
		return "", fmt.Errorf("encoding an answer: %w", err)
	}
	return strings.Map(printable, string(encoded)), nil
}

func printable(r rune) rune {
	if r < ' ' && r != '\n' && r != '\t' || r == 0xfffe || r == 0xffff {
		return -1
	}
	return r
}
