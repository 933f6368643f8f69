package wechatsim

import (
	"bytes"
	"crypto/subtle"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

const msgTransfer = "transfer_customer_service"

// encryptedReply is a reply as it comes in secure mode.
type encryptedReply struct {
	XMLName      xml.Name `xml:"xml"`
	Encrypt      string   `xml:"Encrypt"`
	MsgSignature string   `xml:"MsgSignature"`
	TimeStamp    string   `xml:"TimeStamp"`
	Nonce        string   `xml:"Nonce"`
}

// passiveReply is what an official account answers to a push.
type passiveReply struct {
	XMLName      xml.Name    `xml:"xml"`
	ToUserName   string      `xml:"ToUserName"`
	FromUserName string      `xml:"FromUserName"`
	CreateTime   string      `xml:"CreateTime"`
	MsgType      string      `xml:"MsgType"`
	Content      string      `xml:"Content"`
	Image        replyMedia  `xml:"Image"`
	Voice        replyMedia  `xml:"Voice"`
	Video        replyMedia  `xml:"Video"`
	Music        replyMusic  `xml:"Music"`
	ArticleCount string      `xml:"ArticleCount"`
	Articles     []replyItem `xml:"Articles>item"`
	KFAccount    string      `xml:"TransInfo>KfAccount"`
}

type replyMedia struct {
	MediaID     string `xml:"MediaId"`
	Title       string `xml:"Title"`
	Description string `xml:"Description"`
}

type replyMusic struct {
	Title        string `xml:"Title"`
	Description  string `xml:"Description"`
	MusicURL     string `xml:"MusicUrl"`
	ThumbMediaID string `xml:"ThumbMediaId"`
}

type replyItem struct {
	Title       string `xml:"Title"`
	Description string `xml:"Description"`
	PicURL      string `xml:"PicUrl"`
	URL         string `xml:"Url"`
}

// judgeReply decides about an official account's answer that is not "success".
//
//	secure      <xml> Encrypt MsgSignature TimeStamp Nonce </xml>  only
//	compatible  encrypted or plain
//	plaintext   plain only
func judgeReply(app App, p sealed, body []byte) verdict {
	refuse := func(err error) verdict {
		return verdict{outcome: OutcomeInvalidAnswer, text: string(body), problem: err.Error()}
	}
	var outer encryptedReply
	if err := readXML(body, &outer); err != nil {
		return refuse(err)
	}
	switch {
	case outer.Encrypt != "" && app.Mode == ModePlaintext:
		return refuse(errors.New("the reply must not be encrypted in plaintext mode"))
	case outer.Encrypt != "":
		plain, err := outer.open(app)
		if err != nil {
			return refuse(err)
		}
		body = plain
	case app.Mode == ModeSecure:
		return refuse(errors.New("the reply must be encrypted in secure mode"))
	}
	var r passiveReply
	if err := readXML(body, &r); err != nil {
		return refuse(err)
	}
	if err := r.check(app, p); err != nil {
		return refuse(err)
	}
	if r.MsgType == msgTransfer {
		return verdict{outcome: OutcomeTransferred, text: string(body)}
	}
	return verdict{outcome: OutcomeReplied, text: string(body), reply: &r}
}

// readXML wants one <xml> element and nothing behind it.
func readXML(body []byte, into any) error {
	dec := xml.NewDecoder(bytes.NewReader(body))
	if err := dec.Decode(into); err != nil {
		return fmt.Errorf("the answer is neither success, nor empty, nor XML that can be read: %w", err)
	}
	for {
		token, err := dec.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading behind the reply: %w", err)
		}
		if text, ok := token.(xml.CharData); !ok || len(bytes.TrimSpace(text)) > 0 {
			return errors.New("something follows the reply")
		}
	}
}

// open checks the signature before it decrypts.
func (e encryptedReply) open(app App) ([]byte, error) {
	stamp := strings.TrimSpace(e.TimeStamp)
	if _, err := strconv.ParseInt(stamp, 10, 64); err != nil {
		return nil, errors.New("the TimeStamp of the encrypted reply is not a number")
	}
	if strings.TrimSpace(e.Nonce) == "" {
		return nil, errors.New("the encrypted reply has no Nonce")
	}
	encrypted := strings.TrimSpace(e.Encrypt)
	want := sign(app.Token, stamp, strings.TrimSpace(e.Nonce), encrypted)
	if subtle.ConstantTimeCompare([]byte(want), []byte(strings.TrimSpace(e.MsgSignature))) != 1 {
		return nil, errors.New("the MsgSignature of the encrypted reply does not fit")
	}
	plain, err := openReply(app, encrypted)
	if err != nil {
		return nil, fmt.Errorf("opening the encrypted reply: %w", err)
	}
	return plain, nil
}

// check looks at all that needs no account: media are looked up when the reply is shown.
func (r *passiveReply) check(app App, p sealed) error {
	switch _, err := strconv.ParseInt(strings.TrimSpace(r.CreateTime), 10, 64); {
	case err != nil:
		return errors.New("the CreateTime is not a number")
	case r.ToUserName != p.openID:
		return errors.New("the ToUserName must be the customer's openid")
	case r.FromUserName != app.OriginalID:
		return errors.New("the FromUserName must be the account's original id")
	case r.MsgType == msgTransfer && p.event:
		return errors.New("an event cannot be transferred")
	case r.MsgType == msgTransfer, r.MsgType == "image", r.MsgType == "voice", r.MsgType == "video", r.MsgType == "music":
		return nil
	case r.MsgType == "text":
		return checkText(r.Content)
	case r.MsgType == "news":
		return r.checkNews()
	}
	return errors.New("the MsgType must be text, image, voice, video, music, news or " + msgTransfer)
}

func checkText(content string) error {
	if strings.TrimSpace(content) == "" {
		return errors.New("the text has no Content")
	}
	if len(content) > maxSendText {
		return fmt.Errorf("the text is longer than %d bytes", maxSendText)
	}
	return nil
}

func (r *passiveReply) checkNews() error {
	if strings.TrimSpace(r.ArticleCount) != "1" || len(r.Articles) != 1 {
		return errors.New("news must have ArticleCount 1 and one item in Articles")
	}
	if r.Articles[0].Title == "" || r.Articles[0].URL == "" {
		return errors.New("an article needs Title and Url")
	}
	return nil
}

// replyLineLocked says what the phone shows of a reply; it fails when a medium is not there. The caller holds a.mu.
func (a *account) replyLineLocked(r *passiveReply, now time.Time) (Entry, error) {
	line := Entry{From: FromAccount, Via: ViaPassive, Type: r.MsgType}
	var item mediaItem
	var err error
	switch r.MsgType {
	case "text":
		line.Text = r.Content
	case "image":
		item, err = a.media.findKind(r.Image.MediaID, now, mediaImage)
		line.Text = "[图片]"
	case "voice":
		_, err = a.media.findKind(r.Voice.MediaID, now, mediaVoice)
		line.Text = "[语音]"
	case "video":
		_, err = a.media.findKind(r.Video.MediaID, now, mediaVideo)
		line.Text = "[视频] " + r.Video.Title
	case "music":
		item, err = a.media.findKind(r.Music.ThumbMediaID, now, mediaThumb, mediaImage)
		line.Text = "[音乐] " + r.Music.Title + "\n" + r.Music.MusicURL
	case "news":
		line.Text = r.Articles[0].Title + "\n" + r.Articles[0].Description + "\n" + r.Articles[0].URL
	}
	if err != nil {
		return Entry{}, errors.New("the reply names a medium that the account has not, or no longer")
	}
	if item.id != "" {
		line.PictureURL = item.picturePath(a.app.AppID)
	}
	return line, nil
}

// acceptReply turns a reply into what the phone shows. One that cannot be shown makes the attempt invalid.
func (s *Server) acceptReply(acc *account, openID string, r *passiveReply, a *Attempt) *Entry {
	if r == nil {
		return nil
	}
	now, real := s.now(), s.opts.Clock()
	acc.mu.Lock()
	defer acc.mu.Unlock()
	line, err := acc.replyLineLocked(r, now)
	if c := acc.customers[openID]; err == nil && c != nil && !c.profile.Follows {
		err = errors.New("the customer does not follow the account")
	}
	if err != nil {
		a.Outcome, a.Problem = OutcomeInvalidAnswer, err.Error()
		return nil
	}
	line.At, line.LatencyMS = real, a.LatencyMS
	return &line
}

// showReplyLocked puts the reply into the chat. It costs nothing of the windows. The caller holds a.mu.
func (a *account) showReplyLocked(c *customer, push *Push, now time.Time) {
	a.appendLocked(c, *push.Reply)
	shown := c.chat[len(c.chat)-1]
	push.Reply = &shown
	c.lastExchange, c.typingUntil = now, time.Time{}
	a.stats.change(func(st *Stats) { st.PassiveReplies++ })
}
