package wechatsim

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
)

// Outcome is how the platform understands one attempt.
type Outcome string

// The outcomes of an attempt.
const (
	OutcomeSuccess       Outcome = "success"
	OutcomeTransferred   Outcome = "transferred" // to Tencent's own customer-service tool
	OutcomeInvalidAnswer Outcome = "invalid-answer"
	OutcomeStatus        Outcome = "http-status"
	OutcomeTimeout       Outcome = "timeout"
	OutcomeNoConnection  Outcome = "no-connection"
)

func (o Outcome) accepted() bool { return o == OutcomeSuccess || o == OutcomeTransferred }

// final says whether another attempt would be pointless.
func (o Outcome) final() bool { return o.accepted() || o == OutcomeInvalidAnswer }

// passiveReply holds the elements of an answer that matter here, in either format.
type passiveReply struct {
	MsgType string `json:"MsgType" xml:"MsgType"`
	Encrypt string `json:"Encrypt" xml:"Encrypt"`
}

// judge decides about the body of an answer with status 200, and gives it back readable. A mini-program has no passive
// replies with content: besides "success" and nothing at all there is only the transfer to Tencent's own tool.
func judge(app App, answer []byte) (Outcome, string) {
	if len(answer) == 0 || string(answer) == "success" {
		return OutcomeSuccess, string(answer)
	}
	reply, ok := parseReply(answer)
	if ok && reply.Encrypt != "" {
		if plain, err := openReply(app, reply.Encrypt); err == nil {
			answer = plain
			reply, ok = parseReply(plain)
		}
	}
	if ok && reply.MsgType == "transfer_customer_service" {
		return OutcomeTransferred, string(answer)
	}
	return OutcomeInvalidAnswer, string(answer)
}

func parseReply(body []byte) (passiveReply, bool) {
	var reply passiveReply
	switch trimmed := bytes.TrimSpace(body); {
	case bytes.HasPrefix(trimmed, []byte("{")):
		return reply, json.Unmarshal(trimmed, &reply) == nil
	case bytes.HasPrefix(trimmed, []byte("<")):
		return reply, xml.Unmarshal(trimmed, &reply) == nil
	}
	return reply, false
}

func openReply(app App, encrypted string) ([]byte, error) {
	key, err := decodeKey(app.EncodingAESKey)
	if err != nil {
		return nil, err
	}
	e, err := open(key, encrypted)
	if err != nil {
		return nil, err
	}
	if e.receiverID != app.AppID {
		return nil, errReceiver
	}
	return e.message, nil
}
