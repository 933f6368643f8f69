package officialaccount

import (
	"context"

	"github.com/yingda-dev/yingda/connectors"
	"github.com/yingda-dev/yingda/connectors/wechat"
	"github.com/yingda-dev/yingda/internal/message"
)

// Send says something to a customer.
func (c *connector) Send(ctx context.Context, out message.Outbound) error {
	content, to := out.Content, out.Customer
	switch {
	case content.Kind == message.KindTyping:
		return c.Typing(ctx, to)
	case content.Kind == message.KindText:
		return c.SendText(ctx, to, content.Text)
	case content.Kind == message.KindImage && content.Media != nil:
		return c.SendImage(ctx, to, content.Media)
	}
	body, files, missing := outgoing(content)
	switch {
	case missing != "":
		return &connectors.CallError{Class: connectors.ClassPermanent, Reason: missing}
	case len(files) == 0:
		return c.Client.Send(ctx, body(to, nil))
	}
	return c.SendWithFiles(ctx, func(ids []string) any { return body(to, ids) }, files...)
}

// The reasons for which a message cannot be sent at all.
const (
	reasonThumbMissing = "ThumbMissing"
	reasonNotSupported = "TypeNotSupported"
)

// outgoing is the body of a message and the files whose ids it takes, or what is missing.
func outgoing(content message.Content) (body func(to string, ids []string) wechat.Outgoing, files []wechat.Attached, missing string) {
	switch {
	case content.Kind == message.KindVoice && content.Media != nil:
		return voice, []wechat.Attached{{Kind: wechat.FileVoice, Media: content.Media}}, ""
	case content.Kind == message.KindVideo && content.Media != nil:
		return thumbed(content.Thumb, video, wechat.Attached{Kind: wechat.FileVideo, Media: content.Media})
	case content.Kind == message.KindMusic && content.Link != nil:
		return thumbed(content.Thumb, func(to string, ids []string) wechat.Outgoing { return music(to, content.Link, ids[0]) })
	case content.Kind == message.KindMiniProgramPage && content.Page != nil:
		return thumbed(content.Page.Thumb, func(to string, ids []string) wechat.Outgoing { return page(to, content.Page, ids[0]) })
	case content.Kind == message.KindLink && content.Link != nil:
		return func(to string, _ []string) wechat.Outgoing { return news(to, content.Link) }, nil, ""
	case content.Kind == message.KindChoices && len(content.Choices) > 0:
		return func(to string, _ []string) wechat.Outgoing { return menu(to, content) }, nil, ""
	case content.Kind == message.KindArticle && content.PlatformID != "":
		return func(to string, _ []string) wechat.Outgoing {
			return wechat.Outgoing{ToUser: to, MsgType: "mpnewsarticle", Article: &wechat.OutgoingArticle{ArticleID: content.PlatformID}}
		}, nil, ""
	case content.Kind == message.KindCard && content.PlatformID != "":
		return func(to string, _ []string) wechat.Outgoing {
			return wechat.Outgoing{ToUser: to, MsgType: "wxcard", Card: &wechat.OutgoingCard{CardID: content.PlatformID}}
		}, nil, ""
	default:
		return nil, nil, reasonNotSupported
	}
}

// thumbed is a message whose last file is its picture, which the platform demands.
func thumbed(thumb *message.Media, body func(string, []string) wechat.Outgoing, files ...wechat.Attached) (
	func(string, []string) wechat.Outgoing, []wechat.Attached, string,
) {
	if thumb == nil {
		return nil, nil, reasonThumbMissing
	}
	return body, append(files, wechat.Attached{Kind: wechat.FileThumb, Media: thumb}), ""
}

func voice(to string, ids []string) wechat.Outgoing {
	return wechat.Outgoing{ToUser: to, MsgType: "voice", Voice: &wechat.OutgoingFile{MediaID: ids[0]}}
}

func video(to string, ids []string) wechat.Outgoing {
	return wechat.Outgoing{ToUser: to, MsgType: "video", Video: &wechat.OutgoingVideo{MediaID: ids[0], ThumbMediaID: ids[1]}}
}

func music(to string, link *message.Link, thumbID string) wechat.Outgoing {
	return wechat.Outgoing{ToUser: to, MsgType: "music", Music: &wechat.OutgoingMusic{
		Title: link.Title, Description: link.Description, MusicURL: link.URL, HQMusicURL: link.URL, ThumbMediaID: thumbID,
	}}
}

func page(to string, page *message.Page, thumbID string) wechat.Outgoing {
	return wechat.Outgoing{ToUser: to, MsgType: "miniprogrampage", Page: &wechat.OutgoingPage{
		Title: page.Title, AppID: page.AppID, PagePath: page.Path, ThumbMediaID: thumbID,
	}}
}

func news(to string, link *message.Link) wechat.Outgoing {
	return wechat.Outgoing{ToUser: to, MsgType: "news", News: &wechat.OutgoingNews{Articles: [1]wechat.NewsArticle{{
		Title: link.Title, Description: link.Description, URL: link.URL, PicURL: link.ThumbURL,
	}}}}
}

func menu(to string, content message.Content) wechat.Outgoing {
	list := make([]wechat.OutgoingChoice, len(content.Choices))
	for i, choice := range content.Choices {
		list[i] = wechat.OutgoingChoice{ID: choice.ID, Content: choice.Text}
	}
	return wechat.Outgoing{ToUser: to, MsgType: "msgmenu", Menu: &wechat.OutgoingMenu{Head: content.Text, List: list}}
}
