package wechatsim

import (
	"context"
	"net/http"
	"strings"
)

var errNoButton = &problem{http.StatusNotFound, "the published menu has no such button"}

// Tap lets a customer tap a button of the published menu and waits for the push that it makes, if it makes one.
func (s *Server) Tap(ctx context.Context, appID, openID, name string) (Push, error) {
	acc, err := s.account(appID)
	if err != nil {
		return Push{}, err
	}
	acc.mu.Lock()
	button, ok := acc.menus.find(name)
	var menuID int64
	if ok {
		menuID = acc.menus.Menu.MenuID
	}
	acc.mu.Unlock()
	if !ok {
		return Push{}, errNoButton
	}
	if held := button.MediaID + button.ArticleID; held != "" {
		return s.showHeld(appID, openID, held)
	}
	return s.Write(ctx, appID, openID, button.event(menuID))
}

// event is what a tap on the button pushes.
func (b Button) event(menuID int64) Message {
	m := Message{Type: TypeEvent, Event: b.Type, EventKey: b.Key}
	switch b.Type {
	case "click":
		m.Event = eventClick
	case "view":
		m.Event, m.EventKey, m.Fields = eventView, b.URL, map[string]any{"MenuId": menuID}
	case "miniprogram":
		m.Event, m.EventKey, m.Fields = eventViewMiniProgram, b.PagePath, map[string]any{"MenuId": menuID}
	case eventScanCodePush, eventScanCodeWait:
		m.Fields = map[string]any{"ScanCodeInfo": map[string]any{"ScanType": "qrcode", "ScanResult": "https://example.com/qr"}}
	case "location_select":
		m.Fields = map[string]any{"SendLocationInfo": map[string]any{
			"Location_X": "23", "Location_Y": "113", "Scale": "15", "Label": "", "Poiname": "",
		}}
	default:
		if strings.HasPrefix(b.Type, "pic_") {
			picture := map[string]any{"item": map[string]any{"PicMd5Sum": "5a75aaca956d97be686719218f275c6b"}}
			m.Fields = map[string]any{"SendPicsInfo": map[string]any{"Count": 1.0, "PicList": picture}}
		}
	}
	return m
}

// showHeld is a tap on a button that holds a medium or an article: the platform shows it and tells nobody.
func (s *Server) showHeld(appID, openID, held string) (Push, error) {
	acc, err := s.account(appID)
	if err != nil {
		return Push{}, err
	}
	acc.mu.Lock()
	defer acc.mu.Unlock()
	c, err := acc.customerLocked(openID)
	if err != nil {
		return Push{}, err
	}
	acc.appendLocked(c, Entry{At: s.opts.Clock(), From: FromAccount, Via: ViaMenu, Type: "menu", Text: "[" + held + "]"})
	return Push{OpenID: openID, State: PushDelivered, Attempts: []Attempt{}}, nil
}

func (s *Server) postTap(r *http.Request) (any, error) {
	var body struct {
		// button is its name.
		Button string `json:"button"`
	}
	if err := readBody(r, &body); err != nil {
		return nil, err
	}
	return s.Tap(r.Context(), r.PathValue("appid"), r.PathValue("openid"), body.Button)
}
