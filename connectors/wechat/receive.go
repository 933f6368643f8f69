package wechat

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/connectors"
)

const (
	// maxSkew is how far a push's timestamp may be off. A platform's retry repeats the first one's, seconds later.
	maxSkew = 10 * time.Minute
	// AnswerSuccess tells the platform that the push is taken and that nothing is to be shown to the customer.
	AnswerSuccess = "success"
	maxEcho       = 1024
)

// The reasons of refusals, as metrics show them.
const (
	ReasonMethod        = "MethodNotAllowed"
	ReasonSignature     = "BadSignature"
	ReasonTimestamp     = "StaleTimestamp"
	ReasonEcho          = "BadEcho"
	ReasonTooLarge      = "BodyTooLarge"
	ReasonUnread        = "BodyNotRead"
	ReasonBroken        = "BrokenBody"
	ReasonDoctype       = "DoctypeOrEntity"
	ReasonPlaintext     = "PlaintextRefused"
	ReasonNoKey         = "NoEncodingAESKey"
	ReasonDecrypt       = "CannotDecrypt"
	ReasonReceiver      = "WrongReceiver"
	ReasonMissingFields = "MissingFields"
)

// Call is one call of the platform that was verified.
type Call struct {
	// Echo is what the check of the address wants to read again; "" for a push.
	Echo string
	// Push is what is pushed, Body its decrypted text.
	Push Push
	Body []byte
	// ReceivedAt is when it came.
	ReceivedAt time.Time

	nonce string
	// key is the one that opened the push; nil where it came in plain text.
	key *Key
}

// Take verifies a call, decrypts it and reads its fields. Its error is a connectors.RefusedError.
func (c *Connector) Take(r *http.Request) (Call, error) {
	query := r.URL.Query()
	switch r.Method {
	case http.MethodGet:
		return c.verify(query)
	case http.MethodPost:
		return c.receive(r, query)
	default:
		return Call{}, connectors.Refuse(http.StatusMethodNotAllowed, ReasonMethod)
	}
}

// verify answers the check that the platform's console makes when the address is saved.
func (c *Connector) verify(query url.Values) (Call, error) {
	if err := c.checkPlain(query); err != nil {
		return Call{}, err
	}
	echo := query.Get("echostr")
	if echo == "" || len(echo) > maxEcho {
		return Call{}, connectors.Refuse(http.StatusBadRequest, ReasonEcho)
	}
	return Call{Echo: echo}, nil
}

func (c *Connector) receive(r *http.Request, query url.Values) (Call, error) {
	call := Call{ReceivedAt: c.Services.Clock().UTC(), nonce: query.Get("nonce")}
	encrypted := query.Get("encrypt_type") == "aes"
	switch {
	case !encrypted && c.mode == v1alpha1.MessageModeSecure:
		return Call{}, connectors.Refuse(http.StatusForbidden, ReasonPlaintext)
	case encrypted && len(c.keys) == 0:
		return Call{}, connectors.Refuse(http.StatusForbidden, ReasonNoKey)
	}
	// The plain signature is on every call, so a stranger is turned away before a body is read. It does not cover the body:
	// where the body is encrypted, msg_signature must be right too.
	if err := c.checkPlain(query); err != nil {
		return Call{}, err
	}
	var err error
	if call.Body, err = readPush(r); err != nil {
		return Call{}, err
	}
	if call.Push, err = parse(call.Body); err != nil {
		return Call{}, err
	}
	if !encrypted {
		return call, nil
	}
	if call.Body, call.key, err = c.open(call.Push, query); err != nil {
		return Call{}, err
	}
	if call.Push, err = parse(call.Body); err != nil {
		return Call{}, err
	}
	return call, nil
}

// checkPlain checks the signature over token, timestamp and nonce, then the timestamp.
func (c *Connector) checkPlain(query url.Values) error {
	timestamp := query.Get("timestamp")
	if !Verify(query.Get("signature"), c.token, timestamp, query.Get("nonce")) {
		return connectors.Refuse(http.StatusForbidden, ReasonSignature)
	}
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil {
		return connectors.Refuse(http.StatusForbidden, ReasonTimestamp)
	}
	if skew := c.Services.Clock().Sub(time.Unix(seconds, 0)); skew > maxSkew || skew < -maxSkew {
		return connectors.Refuse(http.StatusForbidden, ReasonTimestamp)
	}
	return nil
}

// open verifies msg_signature over the encrypted text and decrypts it.
func (c *Connector) open(push Push, query url.Values) ([]byte, *Key, error) {
	encrypted := push.Encrypted()
	if encrypted == "" {
		return nil, nil, connectors.Refuse(http.StatusForbidden, ReasonPlaintext)
	}
	if !Verify(query.Get("msg_signature"), c.token, query.Get("timestamp"), query.Get("nonce"), encrypted) {
		return nil, nil, connectors.Refuse(http.StatusForbidden, ReasonSignature)
	}
	body, key, err := c.keys.Decrypt(encrypted, c.appID)
	switch {
	case errors.Is(err, ErrWrongReceiver):
		return nil, nil, connectors.Refuse(http.StatusForbidden, ReasonReceiver)
	case err != nil:
		return nil, nil, connectors.Refuse(http.StatusForbidden, ReasonDecrypt)
	}
	return body, key, nil
}

// Seal encrypts the answer to a call as its push was encrypted; the answer to a plain one stays as it is.
func (c *Connector) Seal(call Call, plain []byte) (string, error) {
	if call.key == nil {
		return string(plain), nil
	}
	var random [randomLength]byte
	if _, err := rand.Read(random[:]); err != nil {
		return "", fmt.Errorf("sealing an answer: %w", err)
	}
	encrypted, timestamp := call.key.Encrypt(random, plain, c.appID), strconv.FormatInt(c.Services.Clock().Unix(), 10)
	return EncodeXML(sealed{
		Encrypt: CDATA{encrypted}, Signature: CDATA{Sign(c.token, timestamp, call.nonce, encrypted)}, Timestamp: timestamp, Nonce: CDATA{call.nonce},
	})
}

// sealed is an encrypted answer.
type sealed struct {
	XMLName   struct{} `xml:"xml"`
	Encrypt   CDATA    `xml:"Encrypt"`
	Signature CDATA    `xml:"MsgSignature"`
	Timestamp string   `xml:"TimeStamp"`
	Nonce     CDATA    `xml:"Nonce"`
}

func readPush(r *http.Request) ([]byte, error) {
	if r.ContentLength > MaxBody {
		return nil, connectors.Refuse(http.StatusRequestEntityTooLarge, ReasonTooLarge)
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, MaxBody+1))
	switch {
	case err != nil:
		return nil, connectors.Refuse(http.StatusBadRequest, ReasonUnread)
	case len(body) > MaxBody:
		return nil, connectors.Refuse(http.StatusRequestEntityTooLarge, ReasonTooLarge)
	}
	return body, nil
}

func parse(body []byte) (Push, error) {
	push, err := Parse(body)
	switch {
	case errors.Is(err, ErrDoctype):
		return nil, connectors.Refuse(http.StatusBadRequest, ReasonDoctype)
	case err != nil:
		return nil, connectors.Refuse(http.StatusBadRequest, ReasonBroken)
	}
	return push, nil
}
