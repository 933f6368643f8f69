package wechat

import (
	"net/http"
	"unicode/utf8"

	"github.com/yingda-dev/yingda/connectors"
	"github.com/yingda-dev/yingda/internal/message"
)

// MaxText is longer than anything that the platform lets a customer write, and short enough for one Kafka record.
const MaxText = 64 << 10

const (
	maxField     = 4 << 10
	maxOpenID    = 128
	maxMessageID = 256
)

// MsgType is the platform's name of what is pushed.
func (p Push) MsgType() string { return p["MsgType"] }

// Event is the platform's name of an event, "" of a message.
func (p Push) Event() string { return p["Event"] }

// Field is a field, cut to a bounded length.
func (p Push) Field(name string) string { return cut(p[name], maxField) }

// Inbound is what a customer did, without its content. eventKey tells an event from others of the same kind and second;
// messages have ids of their own.
func (c *Connector) Inbound(call Call, eventKey string) (message.Inbound, error) {
	push := call.Push
	sentAt, ok := push.SentAt()
	if !ok || !identifier(push.Sender(), maxOpenID) || push.MsgType() == "" {
		return message.Inbound{}, connectors.Refuse(http.StatusBadRequest, ReasonMissingFields)
	}
	id := push.MessageID()
	if id == "" || push.Event() != "" {
		// Events have no id of their own; what some carry as MsgID is that of another message. Two different ones can share a
		// second, so the event's name belongs to it.
		id = push.Sender() + push[fieldCreateTime] + push.Event() + eventKey
	}
	if len(id) > maxMessageID {
		return message.Inbound{}, connectors.Refuse(http.StatusBadRequest, ReasonMissingFields)
	}
	return message.Inbound{Channel: c.Channel, Customer: push.Sender(), MessageID: id, SentAt: sentAt, ReceivedAt: call.ReceivedAt}, nil
}

// Text is the content of a text message.
func Text(call Call) message.Content {
	return message.Content{Kind: message.KindText, Text: cut(call.Push["Content"], MaxText)}
}

// Unsupported keeps what is of a type that this version does not know. Events are named event/<name>.
func Unsupported(call Call) message.Content {
	rawType := call.Push.MsgType()
	if event := call.Push.Event(); rawType == "event" && event != "" {
		rawType += "/" + event
	}
	return message.Content{
		Kind: message.KindUnsupported, RawType: cut(rawType, maxField), Raw: cut(connectors.CleanText(string(call.Body)), MaxText),
	}
}

// File is the customer's file in a field of a message, nil when there is none. Each delivery of the same message gives it the
// same name.
func (c *Connector) File(in message.Inbound, push Push, field string) *message.Media {
	mediaID := push[field]
	if !identifier(mediaID, maxField) {
		return nil
	}
	return &message.Media{ID: connectors.StableID(c.Channel, in.MessageID, mediaID), PlatformID: mediaID}
}

// identifier bounds what becomes part of keys and queries.
func identifier(text string, most int) bool {
	if text == "" || len(text) > most {
		return false
	}
	for _, b := range []byte(text) {
		if b <= ' ' || b >= 0x7f {
			return false
		}
	}
	return true
}

// cut shortens a text to whole characters in most bytes.
func cut(text string, most int) string {
	if len(text) <= most {
		return text
	}
	for !utf8.RuneStart(text[most]) {
		most--
	}
	return text[:most]
}
