package officialaccount

import (
	"strings"

	"github.com/yingda-dev/yingda/connectors/wechat"
	"github.com/yingda-dev/yingda/internal/message"
)

// maxReply is the most bytes of a text that the platform takes.
const maxReply = 2048

// reply is the answer to a push that says the contents to the customer. One answer is one message: a link after a text becomes
// a part of it.
func (c *connector) reply(call wechat.Call, contents []message.Content) (string, bool) {
	body, ok := passive(contents)
	if !ok {
		return "", false
	}
	body.To, body.From = wechat.CDATA{Text: call.Push.Sender()}, wechat.CDATA{Text: call.Push["ToUserName"]}
	body.Time = c.Services.Clock().Unix()
	plain, err := wechat.EncodeXML(body)
	if err != nil {
		return "", false
	}
	answer, err := c.Seal(call, []byte(plain))
	return answer, err == nil
}

// answer is a passive reply, with what its type has.
type answer struct {
	XMLName  struct{}      `xml:"xml"`
	To       wechat.CDATA  `xml:"ToUserName"`
	From     wechat.CDATA  `xml:"FromUserName"`
	Time     int64         `xml:"CreateTime"`
	Type     wechat.CDATA  `xml:"MsgType"`
	Text     *wechat.CDATA `xml:"Content,omitempty"`
	Count    int           `xml:"ArticleCount,omitempty"`
	Articles *articles     `xml:"Articles,omitempty"`
}

type articles struct {
	Items []article `xml:"item"`
}

type article struct {
	Title       wechat.CDATA `xml:"Title"`
	Description wechat.CDATA `xml:"Description"`
	Picture     wechat.CDATA `xml:"PicUrl"`
	URL         wechat.CDATA `xml:"Url"`
}

// passive says contents in one message, if that can be.
func passive(contents []message.Content) (answer, bool) {
	if len(contents) == 1 && contents[0].Link != nil {
		link := contents[0].Link
		return answer{Type: wechat.CDATA{Text: "news"}, Count: 1, Articles: &articles{[]article{{
			wechat.CDATA{Text: link.Title}, wechat.CDATA{Text: link.Description}, wechat.CDATA{Text: link.ThumbURL}, wechat.CDATA{Text: link.URL},
		}}}}, true
	}
	var lines []string
	for _, content := range contents {
		switch {
		case content.Kind == message.KindText:
			lines = append(lines, content.Text)
		case content.Kind == message.KindLink && content.Link != nil:
			lines = append(lines, anchor(content.Link))
		default:
			return answer{}, false
		}
	}
	text := strings.Join(lines, "\n")
	return answer{Type: wechat.CDATA{Text: "text"}, Text: &wechat.CDATA{Text: text}}, text != "" && len(text) <= maxReply
}

// anchor is a link inside a text. The platform knows no escapes there but those of addresses.
func anchor(link *message.Link) string {
	url := strings.NewReplacer(`"`, "%22", "<", "%3C", ">", "%3E").Replace(link.URL)
	return `<a href="` + url + `">` + strings.NewReplacer("<", "〈", ">", "〉").Replace(link.Title) + "</a>"
}
