package wechat

import (
	"context"
	"encoding/json"
)

// TemplateMessage is a notice that is sent by a template of an official account's.
type TemplateMessage struct {
	ToUser     string `json:"touser"`
	TemplateID string `json:"template_id"`
	// URL, or MiniProgram instead, is what a tap opens.
	URL         string                   `json:"url,omitempty"`
	MiniProgram *TemplatePage            `json:"miniprogram,omitempty"`
	Data        map[string]TemplateValue `json:"data"`
}

// TemplatePage is a page of a mini-program.
type TemplatePage struct {
	AppID    string `json:"appid"`
	PagePath string `json:"pagepath"`
}

// TemplateValue is what stands in one place of a template.
type TemplateValue struct {
	Value string `json:"value"`
}

// SendTemplate is message/template/send; it returns the notice's id, by which an event tells later how it ended, "" where the platform says
// none. After an error of class Unknown the notice may have arrived.
func (c *Client) SendTemplate(ctx context.Context, notice TemplateMessage) (id string, err error) {
	body, err := c.postBy(ctx, "template", "/cgi-bin/message/template/send", notice, noticeCodes)
	if err != nil {
		return "", err
	}
	var answer struct {
		MsgID json.Number `json:"msgid"`
	}
	_ = json.Unmarshal(body, &answer) // It was sent, whatever else the answer says.
	return answer.MsgID.String(), nil
}
