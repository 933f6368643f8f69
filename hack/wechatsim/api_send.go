package wechatsim

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	maxSendText    = 2048
	typingExchange = 30 * time.Second
	typingDuration = 15 * time.Second
)

// outgoing is a message of the account as custom/send takes it.
type outgoing struct {
	ToUser  string `json:"touser"`
	MsgType string `json:"msgtype"`
	Text    *struct {
		Content string `json:"content"`
	} `json:"text"`
	Image *struct {
		MediaID string `json:"media_id"`
	} `json:"image"`
	Link *struct {
		Title       string `json:"title"`
		Description string `json:"description"`
		URL         string `json:"url"`
		ThumbURL    string `json:"thumb_url"`
	} `json:"link"`
	MiniProgramPage *struct {
		Title        string `json:"title"`
		PagePath     string `json:"pagepath"`
		ThumbMediaID string `json:"thumb_media_id"`
	} `json:"miniprogrampage"`
}

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
	line := Entry{At: real, From: FromAccount, Type: m.MsgType, Body: compact(c.body)}
	if err := acc.checkContentLocked(m, &line, now); err != nil {
		return answer{}, err
	}
	if err := cust.ledger.check(acc.app.Kind, now); err != nil {
		return answer{}, err
	}
	if err := acc.quota.count(opSend, acc.app.DailySendQuota, now); err != nil {
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
	if len(body) == 0 {
		return m, wxErrorf(44002, "empty post data")
	}
	if json.Unmarshal(body, &m) != nil {
		return m, wxErrorf(47001, "data format error")
	}
	if needlessEscape(body) {
		return m, wxErrorf(40033, `invalid charset. please check your request, if include \uxxxx will create fail`)
	}
	return m, nil
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

// checkContentLocked looks at what is sent, and says what the phone shows.
func (a *account) checkContentLocked(m outgoing, line *Entry, now time.Time) error {
	switch {
	case m.MsgType == "text" && m.Text != nil:
		if strings.TrimSpace(m.Text.Content) == "" {
			return wxErrorf(44004, "empty content")
		}
		if len(m.Text.Content) > maxSendText {
			return wxErrorf(45002, "content size out of limit")
		}
		line.Text = m.Text.Content
	case m.MsgType == "image" && m.Image != nil:
		item, ok := a.media.find(m.Image.MediaID, now)
		if !ok {
			return wxErrorf(40007, "invalid media_id")
		}
		line.Text, line.PictureURL = "[图片]", item.picturePath(a.app.AppID)
	case m.MsgType == "link" && m.Link != nil:
		if m.Link.Title == "" || m.Link.URL == "" {
			return wxErrorf(47001, "data format error: link needs title and url")
		}
		line.Text = m.Link.Title + "\n" + m.Link.Description + "\n" + m.Link.URL
	case m.MsgType == "miniprogrampage" && m.MiniProgramPage != nil:
		item, ok := a.media.find(m.MiniProgramPage.ThumbMediaID, now)
		if !ok {
			return wxErrorf(40007, "invalid media_id")
		}
		line.Text, line.PictureURL = m.MiniProgramPage.Title, item.picturePath(a.app.AppID)
	default:
		return refuseType(m.MsgType)
	}
	return nil
}

// refuseType tells types that mini-programs may not send from types that nobody may, and from bodies without their object.
func refuseType(msgType string) error {
	ours := []string{"text", "image", "link", "miniprogrampage"}
	others := []string{"voice", "video", "music", "news", "mpnews", "mpnewsarticle", "msgmenu", "wxcard"}
	switch {
	case msgType == "text":
		return wxErrorf(44004, "empty content")
	case slices.Contains(ours, msgType):
		return wxErrorf(47001, "data format error: the "+msgType+" object is missing")
	case slices.Contains(others, msgType):
		return wxErrorf(45162, "invalid type")
	}
	return wxErrorf(40008, "invalid message type")
}

// serveTyping is POST /cgi-bin/message/custom/typing.
func (s *Server) serveTyping(c *call) (answer, error) {
	var body struct {
		ToUser  string `json:"touser"`
		Command string `json:"command"`
	}
	if len(c.body) == 0 {
		return answer{}, wxErrorf(44002, "empty post data")
	}
	if json.Unmarshal(c.body, &body) != nil {
		return answer{}, wxErrorf(47001, "data format error")
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
