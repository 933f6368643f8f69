package wechatsim

import (
	"encoding/json"
	"slices"
	"strings"
)

// serveMenuCreate is POST /cgi-bin/menu/create.
func (s *Server) serveMenuCreate(c *call) (answer, error) {
	m, err := readMenu(c.body)
	if err != nil {
		return answer{}, err
	}
	now, id := s.now(), s.ids.next(s.opts.Clock())
	c.account.mu.Lock()
	defer c.account.mu.Unlock()
	if err := c.account.countLocked(opMenuCreate, now); err != nil {
		return answer{}, err
	}
	return okAnswer(), c.account.publishLocked(m, id)
}

func readMenu(body []byte) (Menu, error) {
	var m Menu
	if err := readAPIBody(body, &m); err != nil {
		return m, err
	}
	if needlessEscape(body) {
		return m, errNeedlessEscape()
	}
	return m, nil
}

// serveMenuGet is GET /cgi-bin/menu/get.
func (s *Server) serveMenuGet(c *call) (answer, error) {
	now := s.now()
	c.account.mu.Lock()
	defer c.account.mu.Unlock()
	if err := c.account.countLocked(opMenuGet, now); err != nil {
		return answer{}, err
	}
	menus := c.account.menus.shown()
	if menus.Menu == nil {
		return answer{}, wxErrorf(46003, "menu no exist")
	}
	return jsonAnswer(menus), nil
}

// serveMenuDelete is GET /cgi-bin/menu/delete: conditional menus go with it.
func (s *Server) serveMenuDelete(c *call) (answer, error) {
	now := s.now()
	c.account.mu.Lock()
	defer c.account.mu.Unlock()
	if err := c.account.countLocked(opMenuDelete, now); err != nil {
		return answer{}, err
	}
	c.account.menus = Menus{}
	return okAnswer(), nil
}

// serveSelfMenu is GET /cgi-bin/get_current_selfmenu_info, which wraps the buttons of the second level once more.
func (s *Server) serveSelfMenu(c *call) (answer, error) {
	c.account.mu.Lock()
	defer c.account.mu.Unlock()
	menu := c.account.menus.Menu
	if menu == nil {
		return jsonAnswer(map[string]any{"is_menu_open": 0}), nil
	}
	buttons := []map[string]any{}
	for _, b := range menu.Button {
		shown := selfButton(b)
		if len(b.SubButton) > 0 {
			list := []map[string]any{}
			for _, sub := range b.SubButton {
				list = append(list, selfButton(sub))
			}
			shown["sub_button"] = map[string]any{"list": list}
		}
		buttons = append(buttons, shown)
	}
	return jsonAnswer(map[string]any{"is_menu_open": 1, "selfmenu_info": map[string]any{"button": buttons}}), nil
}

func selfButton(b Button) map[string]any {
	shown := map[string]any{"name": b.Name}
	for name, value := range map[string]string{
		"type": b.Type, "key": b.Key, "url": b.URL, "value": b.MediaID + b.ArticleID, "appid": b.AppID, "pagepath": b.PagePath,
	} {
		if value != "" {
			shown[name] = value
		}
	}
	return shown
}

// serveMenuAddConditional is POST /cgi-bin/menu/addconditional.
func (s *Server) serveMenuAddConditional(c *call) (answer, error) {
	m, err := readMenu(c.body)
	if err != nil {
		return answer{}, err
	}
	id := s.ids.next(s.opts.Clock())
	c.account.mu.Lock()
	defer c.account.mu.Unlock()
	return jsonAnswer(map[string]any{"menuid": numberText(id)}), c.account.addConditionalLocked(m, id)
}

// serveMenuDelConditional is POST /cgi-bin/menu/delconditional.
func (s *Server) serveMenuDelConditional(c *call) (answer, error) {
	var body struct {
		MenuID json.RawMessage `json:"menuid"` // a text or a number
	}
	if err := readAPIBody(c.body, &body); err != nil {
		return answer{}, err
	}
	id := strings.Trim(string(body.MenuID), `"`)
	c.account.mu.Lock()
	defer c.account.mu.Unlock()
	menus := &c.account.menus
	at := slices.IndexFunc(menus.Conditional, func(m Menu) bool { return numberText(m.MenuID) == id })
	if at < 0 {
		return answer{}, wxErrorf(65301, "no such conditional menu")
	}
	menus.Conditional = slices.Delete(slices.Clone(menus.Conditional), at, at+1)
	return okAnswer(), nil
}
