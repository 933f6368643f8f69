package wechatsim

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// outgoing is a message of the account as custom/send takes it.
type outgoing struct {
	ToUser          string        `json:"touser"`
	MsgType         string        `json:"msgtype"`
	Text            *sentText     `json:"text"`
	Image           *sentMedia    `json:"image"`
	Voice           *sentMedia    `json:"voice"`
	Video           *sentMedia    `json:"video"`
	Music           *sentMusic    `json:"music"`
	News            *sentNews     `json:"news"`
	MPNews          *sentMedia    `json:"mpnews"`
	MPNewsArticle   *sentArticle  `json:"mpnewsarticle"`
	MsgMenu         *sentMenu     `json:"msgmenu"`
	WXCard          *sentCard     `json:"wxcard"`
	Link            *sentLink     `json:"link"`
	MiniProgramPage *sentPage     `json:"miniprogrampage"`
	CustomService   *sentByServer `json:"customservice"`
}

type sentText struct {
	Content string `json:"content"`
}

type sentMedia struct {
	MediaID      string `json:"media_id"`
	ThumbMediaID string `json:"thumb_media_id"`
	Title        string `json:"title"`
}

type sentMusic struct {
	Title        string `json:"title"`
	MusicURL     string `json:"musicurl"`
	HQMusicURL   string `json:"hqmusicurl"`
	ThumbMediaID string `json:"thumb_media_id"`
}

type sentLink struct {
	Title       string `json:"title"`
	Description string `json:"description"`
	URL         string `json:"url"`
}

type sentNews struct {
	Articles []sentLink `json:"articles"`
}

type sentArticle struct {
	ArticleID string `json:"article_id"`
}

type sentMenu struct {
	HeadContent string     `json:"head_content"`
	List        []sentItem `json:"list"`
	TailContent string     `json:"tail_content"`
}

// sentItem has an id that senders write as a text or as a number.
type sentItem struct {
	ID      json.RawMessage `json:"id"`
	Content string          `json:"content"`
}

type sentCard struct {
	CardID string `json:"card_id"`
}

type sentPage struct {
	Title        string `json:"title"`
	AppID        string `json:"appid"`
	PagePath     string `json:"pagepath"`
	ThumbMediaID string `json:"thumb_media_id"`
}

type sentByServer struct {
	KFAccount string `json:"kf_account"`
}

func (l sentLink) text() string { return l.Title + "\n" + l.Description + "\n" + l.URL }

// sendTypes lists what a kind of account may send.
func sendTypes(kind Kind) []string {
	if kind == KindOfficialAccount {
		return []string{
			"text", "image", "voice", "video", "music", "news", "mpnews", "mpnewsarticle", "msgmenu", "wxcard", "miniprogrampage",
		}
	}
	return []string{"text", "image", "link", "miniprogrampage"}
}

// checkContentLocked looks at what is sent, and says what the phone shows.
func (a *account) checkContentLocked(m outgoing, line *Entry, now time.Time) error {
	if err := a.checkTypeLocked(m.MsgType); err != nil {
		return err
	}
	if err := a.checkSenderLocked(m, line); err != nil {
		return err
	}
	switch {
	case m.MsgType == "text":
		return m.showText(line)
	case m.MsgType == "image" && m.Image != nil:
		line.Text = "[图片]"
		return a.showMediaLocked(m.Image.MediaID, line, now, mediaImage)
	case m.MsgType == "link" && m.Link != nil:
		if m.Link.Title == "" || m.Link.URL == "" {
			return wxErrorf(47001, "data format error: link needs title and url")
		}
		line.Text = m.Link.text()
		return nil
	case m.MsgType == "miniprogrampage" && m.MiniProgramPage != nil:
		if a.app.Kind == KindOfficialAccount && m.MiniProgramPage.AppID == "" {
			return wxErrorf(40013, "invalid appid")
		}
		line.Text = m.MiniProgramPage.Title
		return a.showMediaLocked(m.MiniProgramPage.ThumbMediaID, line, now, mediaImage, mediaThumb)
	}
	return a.checkAccountContentLocked(m, line, now)
}

// checkAccountContentLocked knows the types that only an official account has, and finds out when the object is missing.
func (a *account) checkAccountContentLocked(m outgoing, line *Entry, now time.Time) error {
	switch {
	case m.MsgType == "voice" && m.Voice != nil:
		line.Text = "[语音]"
		return a.showMediaLocked(m.Voice.MediaID, line, now, mediaVoice)
	case m.MsgType == "video" && m.Video != nil:
		line.Text = "[视频] " + m.Video.Title
		if _, err := a.media.findKind(m.Video.MediaID, now, mediaVideo); err != nil {
			return err
		}
		return a.showMediaLocked(m.Video.ThumbMediaID, line, now, mediaImage, mediaThumb)
	case m.MsgType == "music" && m.Music != nil:
		if m.Music.MusicURL == "" || m.Music.HQMusicURL == "" {
			return wxErrorf(47001, "data format error: music needs musicurl and hqmusicurl")
		}
		line.Text = "[音乐] " + m.Music.Title + "\n" + m.Music.MusicURL
		return a.showMediaLocked(m.Music.ThumbMediaID, line, now, mediaImage, mediaThumb)
	case m.MsgType == "news" && m.News != nil:
		return m.News.show(line)
	case m.MsgType == "mpnews" && m.MPNews != nil && m.MPNews.MediaID != "":
		line.Text = "[图文] " + m.MPNews.MediaID
	case m.MsgType == "mpnewsarticle" && m.MPNewsArticle != nil && m.MPNewsArticle.ArticleID != "":
		line.Text = "[图文] " + m.MPNewsArticle.ArticleID
	case m.MsgType == "wxcard" && m.WXCard != nil && m.WXCard.CardID != "":
		line.Text = "[卡券] " + m.WXCard.CardID
	case m.MsgType == "msgmenu" && m.MsgMenu != nil:
		return m.MsgMenu.show(line)
	default:
		return wxErrorf(47001, "data format error: the "+m.MsgType+" object is missing or incomplete")
	}
	return nil
}

// checkTypeLocked tells types that this account may not send from types that nobody may.
func (a *account) checkTypeLocked(msgType string) error {
	switch {
	case msgType == "mpnews" && a.app.Kind == KindOfficialAccount && !a.app.MPNews:
		return wxErrorf(48008, "no permission for this msgtype")
	case slices.Contains(sendTypes(a.app.Kind), msgType):
		return nil
	case slices.Contains(slices.Concat(sendTypes(KindOfficialAccount), sendTypes(KindMiniProgram)), msgType):
		return wxErrorf(45162, "invalid type")
	}
	return wxErrorf(40008, "invalid message type")
}

// checkSenderLocked looks at the agent whose name the message bears.
func (a *account) checkSenderLocked(m outgoing, line *Entry) error {
	if m.CustomService == nil || m.CustomService.KFAccount == "" {
		return nil
	}
	if len(a.app.KFAccounts) == 0 {
		return wxErrorf(65400, "please enable new custom service")
	}
	if !slices.Contains(a.app.KFAccounts, m.CustomService.KFAccount) {
		return wxErrorf(65401, "invalid custom service account")
	}
	line.KFAccount = m.CustomService.KFAccount
	return nil
}

func (m outgoing) showText(line *Entry) error {
	if m.Text == nil || strings.TrimSpace(m.Text.Content) == "" {
		return wxErrorf(44004, "empty content")
	}
	if len(m.Text.Content) > maxSendText {
		return wxErrorf(45002, "content size out of limit")
	}
	line.Text = m.Text.Content
	return nil
}

// showMediaLocked looks a medium up, and puts it on the phone if it is a picture.
func (a *account) showMediaLocked(id string, line *Entry, now time.Time, kinds ...mediaKind) error {
	item, err := a.media.findKind(id, now, kinds...)
	if err != nil {
		return err
	}
	if strings.HasPrefix(item.contentType, "image/") {
		line.PictureURL = item.picturePath(a.app.AppID)
	}
	return nil
}

func (n sentNews) show(line *Entry) error {
	switch {
	case len(n.Articles) > 1:
		return wxErrorf(45008, "article size out of limit")
	case len(n.Articles) == 0 || n.Articles[0].Title == "" || n.Articles[0].URL == "":
		return wxErrorf(47001, "data format error: an article needs title and url")
	}
	line.Text = n.Articles[0].text()
	return nil
}

func (m sentMenu) show(line *Entry) error {
	if len(m.List) == 0 {
		return wxErrorf(47001, "data format error: msgmenu needs a list")
	}
	texts := []string{m.HeadContent}
	for _, item := range m.List {
		id := strings.Trim(string(item.ID), `"`)
		if id == "" || item.Content == "" {
			return wxErrorf(47001, "data format error: an item needs id and content")
		}
		line.Options = append(line.Options, MenuOption{ID: id, Content: item.Content})
		texts = append(texts, item.Content)
	}
	line.Text = strings.TrimSpace(strings.Join(append(texts, m.TailContent), "\n"))
	return nil
}
