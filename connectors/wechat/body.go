package wechat

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"strconv"
	"strings"
	"time"
)

// MaxBody is the largest body that is read.
const MaxBody = 1 << 20

// The ways in which a body can be wrong.
var (
	ErrBrokenBody = errors.New("the body is neither the platform's XML nor its JSON")
	ErrDoctype    = errors.New("the body has a document type or an entity of its own")
)

// Push is what the platform pushes: the fields of the body's top level, by the platform's names. Nested values are left
// out; they stay in the raw body.
type Push map[string]string

// The names of the fields that are read here.
const (
	fieldMessageID  = "MsgId"
	fieldMessageID2 = "MsgID"
	fieldSender     = "FromUserName"
	fieldCreateTime = "CreateTime"
	fieldEncrypt    = "Encrypt"
)

// MessageID is the platform's id of a message; events have none.
func (p Push) MessageID() string {
	if id := p[fieldMessageID]; id != "" {
		return id
	}
	return p[fieldMessageID2]
}

// Sender is the customer's openid.
func (p Push) Sender() string { return p[fieldSender] }

// Encrypted is the encrypted text of a body in secure or compatible mode.
func (p Push) Encrypted() string { return p[fieldEncrypt] }

// SentAt is the platform's time of the push.
func (p Push) SentAt() (time.Time, bool) {
	seconds, err := strconv.ParseInt(p[fieldCreateTime], 10, 64)
	if err != nil || seconds <= 0 || seconds > maxSeconds {
		return time.Time{}, false
	}
	return time.Unix(seconds, 0).UTC(), true
}

// maxSeconds is the end of the year 9999, beyond which JSON has no timestamps.
const maxSeconds = 253402300799

// Parse reads a body of either format, told by its first byte: which one the platform sends is chosen in its console and
// may change at any time.
func Parse(body []byte) (Push, error) {
	if len(body) > MaxBody {
		return nil, ErrBrokenBody
	}
	trimmed := bytes.TrimLeft(bytes.TrimPrefix(body, []byte("\ufeff")), " \t\r\n")
	switch {
	case len(trimmed) == 0:
		return nil, ErrBrokenBody
	case trimmed[0] == '<':
		return parseXML(trimmed)
	case trimmed[0] == '{':
		return parseJSON(trimmed)
	default:
		return nil, ErrBrokenBody
	}
}

func parseJSON(body []byte) (Push, error) {
	decoder := json.NewDecoder(bytes.NewReader(body))
	// Numbers stay as they are written: a MsgId is larger than a float can hold.
	decoder.UseNumber()
	var fields map[string]any
	if decoder.Decode(&fields) != nil {
		return nil, ErrBrokenBody
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, ErrBrokenBody
	}
	push := make(Push, len(fields))
	for name, value := range fields {
		switch v := value.(type) {
		case string:
			push[name] = clean(v)
		case json.Number:
			push[name] = v.String()
		case bool:
			push[name] = strconv.FormatBool(v)
		default:
			// Nested values and null hold nothing that is read here.
		}
	}
	return push, nil
}

// clean drops NUL, which JSON can carry and Postgres cannot keep.
func clean(text string) string { return strings.ReplaceAll(text, "\x00", "") }

// xmlReader reads <xml><Name>text</Name>...</xml>.
type xmlReader struct {
	push  Push
	depth int
	name  string
	text  strings.Builder
	// nested says that the element on depth 2 has elements of its own.
	nested bool
	closed bool
}

const maxDepth = 32

func parseXML(body []byte) (Push, error) {
	decoder := xml.NewDecoder(bytes.NewReader(body))
	decoder.Strict = true
	// Without a table of entities the five of XML itself are known, and no other.
	decoder.Entity = nil
	reader := xmlReader{push: Push{}}
	for {
		token, err := decoder.Token()
		switch {
		case errors.Is(err, io.EOF) && reader.closed:
			return reader.push, nil
		case err != nil:
			return nil, xmlError(err)
		}
		if err := reader.take(token); err != nil {
			return nil, err
		}
	}
}

// xmlError tells an entity of the sender's own, which only a document type could declare, from broken XML.
func xmlError(err error) error {
	if syntax, ok := errors.AsType[*xml.SyntaxError](err); ok && strings.HasPrefix(syntax.Msg, "invalid character entity") {
		return ErrDoctype
	}
	return ErrBrokenBody
}

func (x *xmlReader) take(token xml.Token) error {
	switch t := token.(type) {
	case xml.Directive:
		return ErrDoctype
	case xml.ProcInst:
		if t.Target != "xml" || x.depth > 0 || x.closed {
			return ErrBrokenBody
		}
	case xml.StartElement:
		return x.start(t)
	case xml.EndElement:
		x.end()
	case xml.CharData:
		if x.depth == 2 {
			x.text.Write(t)
		} else if x.depth < 2 && len(bytes.TrimSpace(t)) > 0 {
			return ErrBrokenBody
		}
	}
	return nil
}

func (x *xmlReader) start(t xml.StartElement) error {
	x.depth++
	switch {
	case x.closed || x.depth > maxDepth, x.depth == 1 && t.Name.Local != "xml":
		return ErrBrokenBody
	case x.depth == 2:
		x.name, x.nested = t.Name.Local, false
		x.text.Reset()
	case x.depth > 2:
		x.nested = true
	}
	return nil
}

// end closes an element; the decoder has checked that it is the open one.
func (x *xmlReader) end() {
	x.depth--
	switch {
	case x.depth == 0:
		x.closed = true
	case x.depth == 1 && !x.nested:
		x.push[x.name] = x.text.String()
	}
}
