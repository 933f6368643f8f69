package wechat

import (
	"context"

	"github.com/yingda-dev/yingda/internal/message"
)

// SendText sends a text.
func (c *Connector) SendText(ctx context.Context, openID, text string) error {
	return c.Send(ctx, Outgoing{ToUser: openID, MsgType: "text", Text: &OutgoingText{Content: text}})
}

// SendImage sends a picture.
func (c *Connector) SendImage(ctx context.Context, openID string, media *message.Media) error {
	return c.SendWithFiles(ctx, func(ids []string) any {
		return Outgoing{ToUser: openID, MsgType: "image", Image: &OutgoingFile{MediaID: ids[0]}}
	}, Attached{FileImage, media})
}

// Outgoing is the body of custom/send, with exactly the member that MsgType names.
type Outgoing struct {
	ToUser  string           `json:"touser"`
	MsgType string           `json:"msgtype"`
	Text    *OutgoingText    `json:"text,omitempty"`
	Image   *OutgoingFile    `json:"image,omitempty"`
	Voice   *OutgoingFile    `json:"voice,omitempty"`
	Video   *OutgoingVideo   `json:"video,omitempty"`
	Music   *OutgoingMusic   `json:"music,omitempty"`
	Link    *OutgoingLink    `json:"link,omitempty"`
	News    *OutgoingNews    `json:"news,omitempty"`
	Article *OutgoingArticle `json:"mpnewsarticle,omitempty"`
	Menu    *OutgoingMenu    `json:"msgmenu,omitempty"`
	Card    *OutgoingCard    `json:"wxcard,omitempty"`
	Page    *OutgoingPage    `json:"miniprogrampage,omitempty"`
}

// OutgoingText is a text.
type OutgoingText struct {
	Content string `json:"content"`
}

// OutgoingFile is a picture or a voice message.
type OutgoingFile struct {
	MediaID string `json:"media_id"`
}

// OutgoingVideo is a video.
type OutgoingVideo struct {
	MediaID      string `json:"media_id"`
	ThumbMediaID string `json:"thumb_media_id"`
}

// OutgoingMusic is a piece of music.
type OutgoingMusic struct {
	Title        string `json:"title"`
	Description  string `json:"description"`
	MusicURL     string `json:"musicurl"`
	HQMusicURL   string `json:"hqmusicurl"`
	ThumbMediaID string `json:"thumb_media_id"`
}

// OutgoingLink is a mini-program's link card.
type OutgoingLink struct {
	Title       string `json:"title"`
	Description string `json:"description"`
	URL         string `json:"url"`
	ThumbURL    string `json:"thumb_url"`
}

// OutgoingNews is an official account's link card: one article, for the platform takes no more.
type OutgoingNews struct {
	Articles [1]NewsArticle `json:"articles"`
}

// NewsArticle opens a page.
type NewsArticle struct {
	Title       string `json:"title"`
	Description string `json:"description"`
	URL         string `json:"url"`
	PicURL      string `json:"picurl"`
}

// OutgoingArticle is an article that the account has published.
type OutgoingArticle struct {
	ArticleID string `json:"article_id"`
}

// OutgoingMenu is a text with choices.
type OutgoingMenu struct {
	Head string           `json:"head_content"`
	List []OutgoingChoice `json:"list"`
	Tail string           `json:"tail_content"`
}

// OutgoingChoice is one of them.
type OutgoingChoice struct {
	ID      string `json:"id"`
	Content string `json:"content"`
}

// OutgoingCard is a coupon.
type OutgoingCard struct {
	CardID string `json:"card_id"`
}

// OutgoingPage is a card that opens a page of a mini-program; without AppID of the sender's own.
type OutgoingPage struct {
	Title        string `json:"title"`
	AppID        string `json:"appid,omitempty"`
	PagePath     string `json:"pagepath"`
	ThumbMediaID string `json:"thumb_media_id"`
}
