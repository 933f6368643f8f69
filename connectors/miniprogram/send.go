package miniprogram

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
	case content.Kind == message.KindLink && content.Link != nil:
		return c.Client.Send(ctx, wechat.Outgoing{ToUser: to, MsgType: "link", Link: &wechat.OutgoingLink{
			Title: content.Link.Title, Description: content.Link.Description, URL: content.Link.URL, ThumbURL: content.Link.ThumbURL,
		}})
	case content.Kind == message.KindImage && content.Media != nil:
		return c.SendImage(ctx, to, content.Media)
	case content.Kind == message.KindMiniProgramPage && content.Page != nil && content.Page.Thumb != nil:
		return c.SendWithFiles(ctx, func(ids []string) any {
			return wechat.Outgoing{ToUser: to, MsgType: "miniprogrampage", Page: &wechat.OutgoingPage{
				Title: content.Page.Title, PagePath: content.Page.Path, ThumbMediaID: ids[0],
			}}
		}, wechat.Attached{Kind: wechat.FileImage, Media: content.Page.Thumb})
	case content.Kind == message.KindMiniProgramPage && content.Page != nil:
		return &connectors.CallError{Class: connectors.ClassPermanent, Reason: "ThumbMissing"}
	default:
		return &connectors.CallError{Class: connectors.ClassPermanent, Reason: "TypeNotSupported"}
	}
}
