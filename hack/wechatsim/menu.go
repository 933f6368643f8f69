package wechatsim

import (
	"net/http"
	"strings"
)

const (
	maxButtons       = 3
	maxSubButtons    = 5
	maxButtonName    = 16
	maxSubButtonName = 60
	maxButtonKey     = 128
	maxButtonURL     = 1024
	maxConditional   = 50
)

// Button is one button of a custom menu, or the parent of some.
type Button struct {
	Type      string   `json:"type,omitempty"`
	Name      string   `json:"name"`
	Key       string   `json:"key,omitempty"`
	URL       string   `json:"url,omitempty"`
	MediaID   string   `json:"media_id,omitempty"`
	AppID     string   `json:"appid,omitempty"`
	PagePath  string   `json:"pagepath,omitempty"`
	ArticleID string   `json:"article_id,omitempty"`
	SubButton []Button `json:"sub_button"`
}

// Menu is a custom menu; a conditional one has a rule that says who sees it.
type Menu struct {
	Button    []Button       `json:"button"`
	MatchRule map[string]any `json:"matchrule,omitempty"`
	// menuid is given by the platform; it shows when the account has conditional menus.
	MenuID int64 `json:"menuid,omitempty"`
}

// Menus is all that an account shows, as menu/get answers it.
type Menus struct {
	Menu        *Menu  `json:"menu,omitempty"`
	Conditional []Menu `json:"conditionalmenu,omitempty"`
}

// shown leaves the id out where menu/get does: of accounts without conditional menus.
func (m Menus) shown() Menus {
	if m.Menu != nil && len(m.Conditional) == 0 {
		m.Menu = &Menu{Button: m.Menu.Button}
	}
	return m
}

// find looks for a button by its name.
func (m Menus) find(name string) (Button, bool) {
	if m.Menu == nil {
		return Button{}, false
	}
	for _, top := range m.Menu.Button {
		for _, button := range append([]Button{top}, top.SubButton...) {
			if button.Name == name && len(button.SubButton) == 0 {
				return button, true
			}
		}
	}
	return Button{}, false
}

// menuLevel holds the limits of a level and the codes that tell which one was broken.
type menuLevel struct {
	maxName                       int
	badType, badName, badKey, bad int
	badURL                        int
}

func menuLevels() (top, sub menuLevel) {
	return menuLevel{maxName: maxButtonName, badType: 40017, badName: 40018, badKey: 40019, badURL: 40020, bad: 40119},
		menuLevel{maxName: maxSubButtonName, badType: 40024, badName: 40025, badKey: 40026, badURL: 40027, bad: 40120}
}

// checkButtons applies the limits of the documentation, and gives every button the empty list that menu/get shows.
func checkButtons(buttons []Button) error {
	if len(buttons) < 1 || len(buttons) > maxButtons {
		return wxErrorf(40016, "invalid button size")
	}
	top, sub := menuLevels()
	for i := range buttons {
		b := &buttons[i]
		if len(b.SubButton) == 0 {
			if err := top.check(b); err != nil {
				return err
			}
			continue
		}
		switch {
		case b.Name == "" || len(b.Name) > top.maxName:
			return wxErrorf(top.badName, "invalid button name size")
		case b.Type != "":
			return wxErrorf(top.badType, "invalid button type: a button with sub_button has none")
		case len(b.SubButton) > maxSubButtons:
			return wxErrorf(40023, "invalid sub button size")
		}
		for k := range b.SubButton {
			if len(b.SubButton[k].SubButton) > 0 {
				return wxErrorf(40022, "invalid menu level")
			}
			if err := sub.check(&b.SubButton[k]); err != nil {
				return err
			}
		}
	}
	return nil
}

// check looks at a button that does something.
func (l menuLevel) check(b *Button) error {
	b.SubButton = []Button{}
	if b.Name == "" || len(b.Name) > l.maxName {
		return wxErrorf(l.badName, "invalid button name size")
	}
	switch b.Type {
	case "click", "scancode_push", "scancode_waitmsg", "pic_sysphoto", "pic_photo_or_album", "pic_weixin", "location_select":
		if b.Key == "" || len(b.Key) > maxButtonKey {
			return wxErrorf(l.badKey, "invalid button key size")
		}
	case "view":
		return l.checkURL(b)
	case "miniprogram":
		if b.AppID == "" || b.PagePath == "" {
			return wxErrorf(l.bad, "a miniprogram button needs appid and pagepath")
		}
		return l.checkURL(b)
	case "media_id", "view_limited":
		if b.MediaID == "" {
			return wxErrorf(l.bad, "the button needs a media_id")
		}
	case "article_id", "article_view_limited":
		if b.ArticleID == "" {
			return wxErrorf(l.bad, "the button needs an article_id")
		}
	default:
		return wxErrorf(l.badType, "invalid button type")
	}
	return nil
}

func (l menuLevel) checkURL(b *Button) error {
	if len(b.URL) > maxButtonURL || !strings.HasPrefix(b.URL, "http://") && !strings.HasPrefix(b.URL, "https://") {
		return wxErrorf(l.badURL, "invalid button url")
	}
	return nil
}

// Menus gives the published menus of an official account.
func (s *Server) Menus(appID string) (Menus, error) {
	acc, err := s.account(appID)
	if err != nil {
		return Menus{}, err
	}
	acc.mu.Lock()
	defer acc.mu.Unlock()
	return acc.menus.shown(), nil
}

// PutMenu publishes a menu as somebody else than the product would.
func (s *Server) PutMenu(appID string, m Menu) (Menus, error) {
	return s.changeMenu(appID, func(acc *account) error { return acc.publishLocked(m, s.ids.next(s.opts.Clock())) })
}

// AddConditionalMenu adds a menu that only some followers see.
func (s *Server) AddConditionalMenu(appID string, m Menu) (Menus, error) {
	return s.changeMenu(appID, func(acc *account) error { return acc.addConditionalLocked(m, s.ids.next(s.opts.Clock())) })
}

// DeleteMenu removes all menus.
func (s *Server) DeleteMenu(appID string) (Menus, error) {
	return s.changeMenu(appID, func(acc *account) error {
		acc.menus = Menus{}
		return nil
	})
}

func (s *Server) changeMenu(appID string, change func(*account) error) (Menus, error) {
	acc, err := s.account(appID)
	if err != nil {
		return Menus{}, err
	}
	acc.mu.Lock()
	defer acc.mu.Unlock()
	if acc.app.Kind != KindOfficialAccount {
		return Menus{}, problemf(http.StatusConflict, "only an official account has menus")
	}
	if err := change(acc); err != nil {
		return Menus{}, problemf(http.StatusBadRequest, "%v", err)
	}
	return acc.menus.shown(), nil
}

func (a *account) publishLocked(m Menu, id int64) error {
	if err := checkButtons(m.Button); err != nil {
		return err
	}
	a.menus.Menu = &Menu{Button: m.Button, MenuID: id}
	return nil
}

func (a *account) addConditionalLocked(m Menu, id int64) error {
	switch {
	case a.menus.Menu == nil:
		return wxErrorf(65303, "there is no selfmenu, please create selfmenu first")
	case len(m.MatchRule) == 0:
		return wxErrorf(65304, "match rule empty")
	case len(a.menus.Conditional) >= maxConditional:
		return wxErrorf(65305, "product count limit")
	}
	if err := checkButtons(m.Button); err != nil {
		return err
	}
	m.MenuID = id
	a.menus.Conditional = append(a.menus.Conditional, m)
	return nil
}

func (s *Server) getMenu(r *http.Request) (any, error) { return s.Menus(r.PathValue("appid")) }

func (s *Server) putMenu(r *http.Request) (any, error) { return s.withMenu(r, s.PutMenu) }

func (s *Server) postConditionalMenu(r *http.Request) (any, error) {
	return s.withMenu(r, s.AddConditionalMenu)
}

func (s *Server) deleteMenu(r *http.Request) (any, error) { return s.DeleteMenu(r.PathValue("appid")) }

func (s *Server) withMenu(r *http.Request, change func(string, Menu) (Menus, error)) (any, error) {
	var m Menu
	if err := readBody(r, &m); err != nil {
		return nil, err
	}
	return change(r.PathValue("appid"), m)
}
