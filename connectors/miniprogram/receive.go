package miniprogram

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/connectors"
	"github.com/yingda-dev/yingda/connectors/wechat"
	"github.com/yingda-dev/yingda/internal/message"
)

const (
	// maxSkew is how far a push's timestamp may be off. A platform's retry repeats the first one's, seconds later.
	maxSkew = 10 * time.Minute
	// answerSuccess tells the platform that the push is taken and that nothing is to be shown to the customer.
	answerSuccess = "success"
	maxEcho       = 1024
	// Longer than anything that the platform lets a customer write, and short enough for one Kafka record.
	maxText      = 64 << 10
	maxField     = 4 << 10
	maxOpenID    = 128
	maxMessageID = 256
)

// The reasons of refusals, as metrics show them.
const (
	reasonMethod        = "MethodNotAllowed"
	reasonSignature     = "BadSignature"
	reasonTimestamp     = "StaleTimestamp"
	reasonEcho          = "BadEcho"
	reasonTooLarge      = "BodyTooLarge"
	reasonUnread        = "BodyNotRead"
	reasonBroken        = "BrokenBody"
	reasonDoctype       = "DoctypeOrEntity"
	reasonPlaintext     = "PlaintextRefused"
	reasonNoKey         = "NoEncodingAESKey"
	reasonDecrypt       = "CannotDecrypt"
	reasonReceiver      = "WrongReceiver"
	reasonMissingFields = "MissingFields"
)

// Receive answers the check of the address, or verifies and decodes a push.
func (c *connector) Receive(r *http.Request) (connectors.Received, error) {
	query := r.URL.Query()
	switch r.Method {
	case http.MethodGet:
		return c.verify(query)
	case http.MethodPost:
		return c.receive(r, query)
	default:
		return connectors.Received{}, connectors.Refuse(http.StatusMethodNotAllowed, reasonMethod)
	}
}

// verify answers the check that the platform's console makes when the address is saved.
func (c *connector) verify(query url.Values) (connectors.Received, error) {
	if err := c.checkPlain(query); err != nil {
		return connectors.Received{}, err
	}
	echo := query.Get("echostr")
	if echo == "" || len(echo) > maxEcho {
		return connectors.Received{}, connectors.Refuse(http.StatusBadRequest, reasonEcho)
	}
	return connectors.Received{Answer: echo}, nil
}

func (c *connector) receive(r *http.Request, query url.Values) (connectors.Received, error) {
	received := c.services.Clock().UTC()
	encrypted := query.Get("encrypt_type") == "aes"
	switch {
	case !encrypted && c.mode == v1alpha1.MessageModeSecure:
		return connectors.Received{}, connectors.Refuse(http.StatusForbidden, reasonPlaintext)
	case encrypted && len(c.keys) == 0:
		return connectors.Received{}, connectors.Refuse(http.StatusForbidden, reasonNoKey)
	}
	// The plain signature is on every call, so a stranger is turned away before a body is read. It does not cover the body:
	// where the body is encrypted, msg_signature must be right too.
	if err := c.checkPlain(query); err != nil {
		return connectors.Received{}, err
	}
	body, err := readBody(r)
	if err != nil {
		return connectors.Received{}, err
	}
	push, err := parse(body)
	if err != nil {
		return connectors.Received{}, err
	}
	if encrypted {
		if body, err = c.open(push, query); err != nil {
			return connectors.Received{}, err
		}
		if push, err = parse(body); err != nil {
			return connectors.Received{}, err
		}
	}
	in, err := c.inbound(push, body, received)
	if err != nil {
		return connectors.Received{}, err
	}
	return connectors.Received{Messages: []message.Inbound{in}, Answer: answerSuccess}, nil
}

// checkPlain checks the signature over token, timestamp and nonce, then the timestamp.
func (c *connector) checkPlain(query url.Values) error {
	timestamp := query.Get("timestamp")
	if !wechat.Verify(query.Get("signature"), c.token, timestamp, query.Get("nonce")) {
		return connectors.Refuse(http.StatusForbidden, reasonSignature)
	}
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil {
		return connectors.Refuse(http.StatusForbidden, reasonTimestamp)
	}
	if skew := c.services.Clock().Sub(time.Unix(seconds, 0)); skew > maxSkew || skew < -maxSkew {
		return connectors.Refuse(http.StatusForbidden, reasonTimestamp)
	}
	return nil
}

// open verifies msg_signature over the encrypted text and decrypts it.
func (c *connector) open(push wechat.Push, query url.Values) ([]byte, error) {
	encrypted := push.Encrypted()
	if encrypted == "" {
		return nil, connectors.Refuse(http.StatusForbidden, reasonPlaintext)
	}
	if !wechat.Verify(query.Get("msg_signature"), c.token, query.Get("timestamp"), query.Get("nonce"), encrypted) {
		return nil, connectors.Refuse(http.StatusForbidden, reasonSignature)
	}
	body, err := c.keys.Decrypt(encrypted, c.appID)
	switch {
	case errors.Is(err, wechat.ErrWrongReceiver):
		return nil, connectors.Refuse(http.StatusForbidden, reasonReceiver)
	case err != nil:
		return nil, connectors.Refuse(http.StatusForbidden, reasonDecrypt)
	}
	return body, nil
}

func readBody(r *http.Request) ([]byte, error) {
	if r.ContentLength > wechat.MaxBody {
		return nil, connectors.Refuse(http.StatusRequestEntityTooLarge, reasonTooLarge)
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, wechat.MaxBody+1))
	switch {
	case err != nil:
		return nil, connectors.Refuse(http.StatusBadRequest, reasonUnread)
	case len(body) > wechat.MaxBody:
		return nil, connectors.Refuse(http.StatusRequestEntityTooLarge, reasonTooLarge)
	}
	return body, nil
}

func parse(body []byte) (wechat.Push, error) {
	push, err := wechat.Parse(body)
	switch {
	case errors.Is(err, wechat.ErrDoctype):
		return nil, connectors.Refuse(http.StatusBadRequest, reasonDoctype)
	case err != nil:
		return nil, connectors.Refuse(http.StatusBadRequest, reasonBroken)
	}
	return push, nil
}

// inbound turns a push into a message. body is its decrypted text.
func (c *connector) inbound(push wechat.Push, body []byte, received time.Time) (message.Inbound, error) {
	sentAt, ok := push.SentAt()
	if !ok || !identifier(push.Sender(), maxOpenID) || push["MsgType"] == "" {
		return message.Inbound{}, connectors.Refuse(http.StatusBadRequest, reasonMissingFields)
	}
	id := push.MessageID()
	if id == "" {
		// Events have no id. Two different ones can share a second, so the event's name belongs to it.
		id = push.Sender() + push["CreateTime"] + push["Event"]
	}
	if len(id) > maxMessageID {
		return message.Inbound{}, connectors.Refuse(http.StatusBadRequest, reasonMissingFields)
	}
	return message.Inbound{
		Channel: c.channel, Customer: push.Sender(), MessageID: id, SentAt: sentAt, ReceivedAt: received, Content: c.content(push, body, id),
	}, nil
}

func (c *connector) content(push wechat.Push, body []byte, id string) message.Content {
	switch push["MsgType"] {
	case "text":
		return message.Content{Kind: message.KindText, Text: cut(push["Content"], maxText)}
	case "image":
		if mediaID := push["MediaId"]; identifier(mediaID, maxField) {
			return message.Content{Kind: message.KindImage, Media: c.file(id, mediaID)}
		}
	case "miniprogrampage":
		page := &message.Page{Title: cut(push["Title"], maxField), AppID: cut(push["AppId"], maxField), Path: cut(push["PagePath"], maxField)}
		if mediaID := push["ThumbMediaId"]; identifier(mediaID, maxField) {
			page.Thumb = c.file(id, mediaID)
		}
		return message.Content{Kind: message.KindMiniProgramPage, Page: page}
	case "event":
		if push["Event"] == "user_enter_tempsession" {
			from, code := wechat.CutLogin(cut(push["SessionFrom"], maxField))
			return message.Content{Kind: message.KindEntered, SessionFrom: from, LoginCode: code}
		}
	}
	rawType := push["MsgType"]
	if event := push["Event"]; rawType == "event" && event != "" {
		rawType += "/" + event
	}
	return message.Content{Kind: message.KindUnsupported, RawType: cut(rawType, maxField), Raw: cut(connectors.CleanText(string(body)), maxText)}
}

// file names a file of the customer's. Each delivery of the same message gives it the same name.
func (c *connector) file(messageID, mediaID string) *message.Media {
	return &message.Media{ID: connectors.StableID(c.channel, messageID, mediaID), PlatformID: mediaID}
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
