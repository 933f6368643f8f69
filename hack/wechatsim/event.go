package wechatsim

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// The events of an official account that change something on the platform's side, or that menus make.
const (
	eventSubscribe        = "subscribe"
	eventUnsubscribe      = "unsubscribe"
	eventScan             = "SCAN"
	eventLocation         = "LOCATION"
	eventClick            = "CLICK"
	eventView             = "VIEW"
	eventViewMiniProgram  = "view_miniprogram"
	eventScanCodePush     = "scancode_push"
	eventScanCodeWait     = "scancode_waitmsg"
	eventTemplateFinished = "TEMPLATESENDJOBFINISH"
)

const (
	ticketLength   = 86
	maxScene       = 64
	scenePrefix    = "qrscene_"
	sceneByQRCode  = "ADD_SCENE_QR_CODE"
	sceneOtherwise = "ADD_SCENE_OTHERS"
)

var errUnfollowed = &problem{http.StatusConflict, "the customer has unfollowed the account: let them subscribe first"}

// describeEvent fills in what an event carries; what it does not know by name carries the fields as given.
func describeEvent(m Message, j *job, line *Entry) error {
	if m.Event == "" || len(m.Event) > maxScene || len(m.Scene) > maxScene {
		return problemf(http.StatusBadRequest, "an event needs its name, and a scene has at most %d bytes", maxScene)
	}
	j.event, j.unseen, j.opens = true, unseen(m.Event), ""
	j.fields = []field{{"MsgType", "event"}, {"Event", m.Event}}
	add := func(name string, value any) { j.fields = append(j.fields, field{name, value}) }
	key := m.EventKey
	switch m.Event {
	case eventSubscribe:
		j.opens = triggerFollow
		if m.Scene != "" {
			key = scenePrefix + m.Scene
		}
	case eventScan:
		j.opens, key = triggerScan, m.Scene
	case eventClick, eventScanCodePush, eventScanCodeWait:
		j.opens = triggerTap
	case eventLocation:
		add("Latitude", m.Location.Latitude)
		add("Longitude", m.Location.Longitude)
		add("Precision", m.Location.Precision)
	}
	if key != "" || m.Event == eventSubscribe {
		add("EventKey", key)
	}
	if m.Scene != "" {
		add("Ticket", randomText(ticketLength))
	}
	j.fields = append(j.fields, anyFields(m.Fields)...)
	line.Type, line.Text = "event", strings.TrimSpace(eventText(m.Event)+" "+key)
	return nil
}

// unseen says of an event that the customer does not wait for an answer: the phone shows no error when it fails.
func unseen(event string) bool {
	return strings.HasPrefix(event, "kf_") ||
		slices.Contains([]string{eventUnsubscribe, eventLocation, eventView, eventViewMiniProgram, eventTemplateFinished}, event)
}

// eventText is what the page shows of an event.
func eventText(event string) string {
	switch event {
	case eventSubscribe:
		return "关注了公众号"
	case eventUnsubscribe:
		return "取消了关注"
	case eventScan:
		return "扫描二维码"
	case eventLocation:
		return "上报位置"
	case eventClick:
		return "点击菜单"
	case eventView:
		return "打开链接"
	}
	return event
}

// checkFollows refuses what a customer who has left cannot do.
func (c *customer) checkFollows(kind Kind, m Message) error {
	if kind == KindOfficialAccount && c.profile.Left && m.Event != eventSubscribe && !unseen(m.Event) {
		return errUnfollowed
	}
	return nil
}

// followLocked keeps the profile in step with what the customer did; at is the time that the push carries.
func (a *account) followLocked(c *customer, m Message, at time.Time) {
	switch {
	case a.app.Kind != KindOfficialAccount:
	case m.Event == eventSubscribe:
		scene := m.SubscribeScene
		if m.Scene != "" {
			setDefault(&scene, sceneByQRCode)
		}
		setDefault(&scene, "ADD_SCENE_SEARCH")
		c.profile.follow(scene, m.Scene, at)
	case m.Event == eventUnsubscribe:
		c.profile.unfollow()
		clear(c.ledger)
	case !c.profile.Follows && !c.profile.Left && m.Event != eventTemplateFinished:
		c.profile.follow(sceneOtherwise, "", at)
	}
}
