package miniprogram

import (
	"net/http"

	"github.com/yingda-dev/yingda/connectors"
	"github.com/yingda-dev/yingda/connectors/wechat"
	"github.com/yingda-dev/yingda/internal/message"
)

// Receive answers the check of the address, or verifies and decodes a push.
func (c *connector) Receive(r *http.Request) (connectors.Received, error) {
	call, err := c.Take(r)
	if err != nil || call.Echo != "" {
		return connectors.Received{Answer: call.Echo}, err
	}
	in, err := c.Inbound(call, "")
	if err != nil {
		return connectors.Received{}, err
	}
	in.Content = c.content(call, in)
	return connectors.Received{Messages: []message.Inbound{in}, Answer: wechat.AnswerSuccess}, nil
}

func (c *connector) content(call wechat.Call, in message.Inbound) message.Content {
	push := call.Push
	switch push.MsgType() {
	case "text":
		return wechat.Text(call)
	case "image":
		if media := c.File(in, push, "MediaId"); media != nil {
			return message.Content{Kind: message.KindImage, Media: media}
		}
	case "miniprogrampage":
		return message.Content{Kind: message.KindMiniProgramPage, Page: &message.Page{
			Title: push.Field("Title"), AppID: push.Field("AppId"), Path: push.Field("PagePath"), Thumb: c.File(in, push, "ThumbMediaId"),
		}}
	case "event":
		if push.Event() == "user_enter_tempsession" {
			from, code := wechat.CutLogin(push.Field("SessionFrom"))
			return message.Content{Kind: message.KindEntered, SessionFrom: from, LoginCode: code}
		}
	}
	return wechat.Unsupported(call)
}
