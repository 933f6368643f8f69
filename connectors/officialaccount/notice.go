package officialaccount

import (
	"context"
	"strings"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/connectors"
	"github.com/yingda-dev/yingda/connectors/wechat"
	"github.com/yingda-dev/yingda/internal/message"
)

var _ connectors.Notifier = (*connector)(nil)

// untold stands where a notice tells nothing: the platform takes no empty value.
const untold = "-"

// Notify sends a notice by the template that the Channel declares for it. It counts as delivered when the platform took it, as messages do;
// that it did not reach the customer the platform tells later, by an event: see undelivered.
func (c *connector) Notify(ctx context.Context, channel *v1alpha1.Channel, out message.Outbound) (platformID string, err error) {
	notice := out.Content.Notice
	if notice == nil {
		return "", &connectors.CallError{Class: connectors.ClassPermanent, Reason: reasonNotSupported}
	}
	template := channel.Spec.Notice(notice.Name)
	if template == nil {
		return "", &connectors.CallError{Class: connectors.ClassPermanent, Reason: connectors.ReasonNoTemplate}
	}
	return c.SendTemplate(ctx, filled(template, out.Customer, notice.Values))
}

// templateEnded is the event that tells how a notice ended.
const templateEnded = "TEMPLATESENDJOBFINISH"

// undelivered is what a push says of a notice that did not reach the customer.
func undelivered(push wechat.Push) []connectors.Undelivered {
	id, status := push.MessageID(), push.Field("Status")
	if push.Event() != templateEnded || id == "" || !strings.HasPrefix(status, "failed") {
		return nil
	}
	reason := connectors.ReasonPlatformFailed
	if strings.Contains(status, "user block") {
		reason = connectors.ReasonBlockedByCustomer
	}
	return []connectors.Undelivered{{Customer: push.Sender(), PlatformID: id, Reason: reason}}
}

func filled(template *v1alpha1.NoticeTemplate, to string, values map[string]string) wechat.TemplateMessage {
	m := wechat.TemplateMessage{ToUser: to, TemplateID: template.TemplateID, URL: template.URL, Data: map[string]wechat.TemplateValue{}}
	if page := template.MiniProgram; page != nil {
		m.MiniProgram = &wechat.TemplatePage{AppID: page.AppID, PagePath: page.PagePath}
	}
	for _, place := range template.Values {
		m.Data[place.Key] = wechat.TemplateValue{Value: fitted(place.Key, values[string(place.From)])}
	}
	return m
}

// fitted is a value as the platform takes it: one line, not empty, and no longer than may stand in a place of that key.
func fitted(key, value string) string {
	value = strings.Join(strings.Fields(connectors.CleanText(value)), " ")
	if value == "" {
		return untold
	}
	most, runes := longest(key), []rune(value)
	if len(runes) <= most {
		return value
	}
	if most == longestPhrase {
		// A phrase is of Chinese characters alone.
		return string(runes[:most])
	}
	return string(runes[:most-1]) + "…"
}

const (
	longestPhrase = 5
	longestName   = 10
	longestThing  = 20
	longestString = 32
)

// longest is how many characters may stand in a place of that key: its letters say what stands there.
func longest(key string) int {
	switch strings.TrimRight(key, "0123456789") {
	case "phrase":
		return longestPhrase
	case "name":
		return longestName
	case "character_string", "number", "letter":
		return longestString
	default:
		return longestThing
	}
}
