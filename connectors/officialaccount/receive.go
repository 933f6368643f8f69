package officialaccount

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/yingda-dev/yingda/connectors"
	"github.com/yingda-dev/yingda/connectors/wechat"
	"github.com/yingda-dev/yingda/internal/message"
)

// scenePrefix is before the scene of a QR code that made a customer follow; of one that a follower scans nothing is.
const scenePrefix = "qrscene_"

// Receive answers the check of the address, or verifies and decodes a push.
func (c *connector) Receive(r *http.Request) (connectors.Received, error) {
	call, err := c.Take(r)
	if err != nil || call.Echo != "" {
		return connectors.Received{Answer: call.Echo}, err
	}
	in, err := c.Inbound(call, eventKey(call.Push))
	if err != nil {
		return connectors.Received{}, err
	}
	in.Content = c.content(call, in)
	return connectors.Received{
		Messages: []message.Inbound{in}, Undelivered: undelivered(call.Push), Answer: wechat.AnswerSuccess,
		Reply: func(contents []message.Content) (string, bool) { return c.reply(call, contents) },
	}, nil
}

// eventKey tells an event from others of the same name, customer and second. It may be a long address.
func eventKey(push wechat.Push) string {
	key := push["EventKey"] + push.MessageID()
	if key == "" {
		return ""
	}
	return connectors.StableID(key).String()
}

func (c *connector) content(call wechat.Call, in message.Inbound) message.Content {
	push := call.Push
	switch push.MsgType() {
	case "text":
		content := wechat.Text(call)
		content.Choice = push.Field("bizmsgmenuid")
		return content
	case "image":
		if media := c.File(in, push, "MediaId"); media != nil {
			return message.Content{Kind: message.KindImage, Media: media}
		}
	case "voice":
		if media := c.File(in, push, "MediaId"); media != nil {
			return message.Content{Kind: message.KindVoice, Media: media, Text: push.Field("Recognition")}
		}
	case "video", "shortvideo":
		if media := c.File(in, push, "MediaId"); media != nil {
			return message.Content{Kind: message.KindVideo, Media: media, Thumb: c.File(in, push, "ThumbMediaId")}
		}
	case "location":
		if place, ok := location(push, "Location_X", "Location_Y"); ok {
			return message.Content{Kind: message.KindLocation, Location: place}
		}
	case "link":
		return message.Content{Kind: message.KindLink, Link: &message.Link{
			Title: push.Field("Title"), Description: push.Field("Description"), URL: push.Field("Url"),
		}}
	case "event":
		return event(call)
	}
	return wechat.Unsupported(call)
}

// event is what an event means; of one that means nothing here all is kept.
func event(call wechat.Call) message.Content {
	push := call.Push
	switch push.Event() {
	case "subscribe":
		return message.Content{Kind: message.KindFollowed, SessionFrom: strings.TrimPrefix(push.Field("EventKey"), scenePrefix)}
	case "unsubscribe":
		return message.Content{Kind: message.KindUnfollowed}
	case "SCAN":
		return message.Content{Kind: message.KindScanned, SessionFrom: push.Field("EventKey")}
	case "CLICK", "scancode_push", "scancode_waitmsg":
		tap := wechat.Unsupported(call)
		tap.Kind, tap.MenuKey = message.KindMenuTap, push.Field("EventKey")
		return tap
	case "LOCATION":
		if place, ok := location(push, "Latitude", "Longitude"); ok {
			return message.Content{Kind: message.KindPosition, Location: place}
		}
	}
	return wechat.Unsupported(call)
}

func location(push wechat.Push, latitude, longitude string) (*message.Location, bool) {
	lat, err := strconv.ParseFloat(push[latitude], 64)
	if err != nil || !(lat >= -90 && lat <= 90) {
		return nil, false
	}
	lng, err := strconv.ParseFloat(push[longitude], 64)
	if err != nil || !(lng >= -180 && lng <= 180) {
		return nil, false
	}
	return &message.Location{Latitude: lat, Longitude: lng, Label: push.Field("Label")}, true
}
