package wechatsim

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"strconv"
	"time"
)

const (
	maxSendText    = 2048
	typingExchange = 30 * time.Second
	typingDuration = 15 * time.Second
)

// serveSend is POST /cgi-bin/message/custom/send.
func (s *Server) serveSend(c *call) (answer, error) {
	m, err := readOutgoing(c.body)
	if err != nil {
		return answer{}, err
	}
	now, real := s.now(), s.opts.Clock()
	acc := c.account
	acc.mu.Lock()
	defer acc.mu.Unlock()
	cust, ok := acc.customers[m.ToUser]
	if !ok {
		return answer{}, wxErrorf(40003, "invalid openid")
	}
	line := Entry{At: real, From: FromAccount, Via: ViaSend, Type: m.MsgType, Body: compact(c.body)}
	if err := acc.checkContentLocked(m, &line, now); err != nil {
		return answer{}, err
	}
	if cust.profile.RefusesMessages {
		return answer{}, wxErrorf(48002, "user refuses to receive messages")
	}
	if err := cust.ledger.check(acc.app, now); err != nil {
		return answer{}, err
	}
	if err := acc.countLocked(opSend, now); err != nil {
		return answer{}, err
	}
	cust.ledger.spend(now)
	cust.lastExchange, cust.typingUntil = now, time.Time{}
	sum := sha256.Sum256(line.Body)
	duplicate := cust.seen[sum] > 0
	cust.seen[sum]++
	acc.appendLocked(cust, line)
	acc.stats.change(func(st *Stats) {
		st.SendsAccepted++
		if duplicate {
			st.Duplicates++
		}
	})
	return okAnswer(), nil
}

func readOutgoing(body []byte) (outgoing, error) {
	var m outgoing
	if err := readAPIBody(body, &m); err != nil {
		return m, err
	}
	if needlessEscape(body) {
		return m, errNeedlessEscape()
	}
	return m, nil
}

func errNeedlessEscape() error {
	return wxErrorf(40033, `invalid charset. please check your request, if include \uxxxx will create fail`)
}

// compact keeps the body without its blanks; it was parsed before, so it cannot fail.
func compact(body []byte) json.RawMessage {
	var b bytes.Buffer
	_ = json.Compact(&b, body)
	return b.Bytes()
}

// needlessEscape finds \uXXXX where JSON does not need it. The platform shows such text to the customer as it is, so
// links arrive broken. Control characters and the two line separators must or may be escaped by any encoder.
func needlessEscape(body []byte) bool {
	for i := 0; i+1 < len(body); i++ {
		if body[i] != '\\' {
			continue
		}
		i++
		if body[i] != 'u' || i+4 >= len(body) {
			continue
		}
		code, err := strconv.ParseUint(string(body[i+1:i+5]), 16, 32)
		if err == nil && code >= 0x20 && code != 0x7F && code != 0x2028 && code != 0x2029 {
			return true
		}
	}
	return false
}

// serveTyping is POST /cgi-bin/message/custom/typing.
func (s *Server) serveTyping(c *call) (answer, error) {
	var body struct {
		ToUser  string `json:"touser"`
		Command string `json:"command"`
	}
	if err := readAPIBody(c.body, &body); err != nil {
		return answer{}, err
	}
	if body.Command != "Typing" && body.Command != "CancelTyping" {
		return answer{}, wxErrorf(45072, "invalid command")
	}
	now := s.now()
	c.account.mu.Lock()
	defer c.account.mu.Unlock()
	cust, ok := c.account.customers[body.ToUser]
	switch {
	case !ok:
		return answer{}, wxErrorf(40003, "invalid openid")
	case !cust.ledger.inWindow(now):
		return answer{}, wxErrorf(45015, "response out of time limit or subscription is canceled")
	case cust.lastExchange.IsZero() || now.After(cust.lastExchange.Add(typingExchange)):
		return answer{}, wxErrorf(45080, "no message was exchanged within 30 seconds")
	case body.Command == "CancelTyping":
		cust.typingUntil = time.Time{}
	case now.Before(cust.typingUntil):
		return answer{}, wxErrorf(45081, "typing already")
	default:
		cust.typingUntil = now.Add(typingDuration)
	}
	cust.wake()
	return okAnswer(), nil
}
