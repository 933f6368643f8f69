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
	OutcomeReplied       Outcome = "replied"     // a passive reply of an official account
	OutcomeTransferred   Outcome = "transferred" // to Tencent's own customer-service tool
	OutcomeInvalidAnswer Outcome = "invalid-answer"
	OutcomeStatus        Outcome = "http-status"
	OutcomeTimeout       Outcome = "timeout"
	OutcomeNoConnection  Outcome = "no-connection"
)

func (o Outcome) accepted() bool {
	return o == OutcomeSuccess || o == OutcomeReplied || o == OutcomeTransferred
}

// final says whether another attempt would be pointless.
func (o Outcome) final() bool { return o.accepted() || o == OutcomeInvalidAnswer }

// verdict is what the platform makes of an answer with status 200.
type verdict struct {
	outcome Outcome
	text    string        // the answer, decrypted if it was encrypted
	problem string        // what is wrong with it
	reply   *passiveReply // what an official account wants shown
}

// judge decides about the body of an answer with status 200.
func judge(app App, p sealed, body []byte) verdict {
	switch {
	case len(body) == 0 || string(body) == "success":
		return verdict{outcome: OutcomeSuccess, text: string(body)}
	case app.Kind == KindOfficialAccount:
		return judgeReply(app, p, body)
	}
	return judgeTransfer(app, body)
}

// transferAnswer holds the elements of a mini-program's answer that matter here, in either format.
type transferAnswer struct {
	MsgType string `json:"MsgType" xml:"MsgType"`
	Encrypt string `json:"Encrypt" xml:"Encrypt"`
}

// judgeTransfer decides about a mini-program's answer. It has no passive replies with content: besides "success" and
// nothing at all there is only the transfer to Tencent's own tool.
func judgeTransfer(app App, body []byte) verdict {
	read, ok := readTransfer(body)
	if ok && read.Encrypt != "" {
		if plain, err := openReply(app, read.Encrypt); err == nil {
			body = plain
			read, ok = readTransfer(plain)
		}
	}
	if ok && read.MsgType == msgTransfer {
		return verdict{outcome: OutcomeTransferred, text: string(body)}
	}
	return verdict{outcome: OutcomeInvalidAnswer, text: string(body), problem: "neither success, nor empty, nor a transfer"}
}

func readTransfer(body []byte) (transferAnswer, bool) {
	var read transferAnswer
	switch trimmed := bytes.TrimSpace(body); {
	case bytes.HasPrefix(trimmed, []byte("{")):
		return read, json.Unmarshal(trimmed, &read) == nil
	case bytes.HasPrefix(trimmed, []byte("<")):
		return read, xml.Unmarshal(trimmed, &read) == nil
	}
	return read, false
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
