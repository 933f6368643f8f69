package wechat

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"

	"github.com/yingda-dev/yingda/connectors"
)

// codeNoMenu is the platform's answer where there is no menu.
const codeNoMenu = 46003

// MenuButton is a button of an official account's menu, or an item of its list. Some of what the platform's own page can make
// of one is here to be told from ours alone.
type MenuButton struct {
	Type     string       `json:"type,omitempty"`
	Name     string       `json:"name"`
	Key      string       `json:"key,omitempty"`
	URL      string       `json:"url,omitempty"`
	AppID    string       `json:"appid,omitempty"`
	PagePath string       `json:"pagepath,omitempty"`
	MediaID  string       `json:"media_id,omitempty"`
	Article  string       `json:"article_id,omitempty"`
	Items    []MenuButton `json:"sub_button,omitempty"`
}

// Menus are an account's menu and how many menus there are beside it that only some customers see.
type Menus struct {
	Buttons     []MenuButton
	Conditional int
}

// Menus reads the menus of the account.
func (c *Client) Menus(ctx context.Context) (Menus, error) {
	var menus Menus
	err := c.withToken(ctx, func(ctx context.Context, token string) error {
		a, err := c.do(ctx, request{
			name: "menu_get", method: http.MethodGet, path: "/cgi-bin/menu/get", query: url.Values{"access_token": {token}},
			timeout: callTimeout, maxAnswer: maxAnswer, repeatable: true,
		}, codes)
		if failure, ok := errors.AsType[*connectors.CallError](err); ok && failure.Code == codeNoMenu {
			menus = Menus{}
			return nil
		}
		if err != nil {
			return err
		}
		var answer struct {
			Menu struct {
				Button []MenuButton `json:"button"`
			} `json:"menu"`
			Conditional []json.RawMessage `json:"conditionalmenu"`
		}
		if json.Unmarshal(a.body, &answer) != nil {
			return unreadable()
		}
		menus = Menus{answer.Menu.Button, len(answer.Conditional)}
		return nil
	})
	return menus, err
}

// PublishMenu replaces the account's menu. Those that only some customers see stay.
func (c *Client) PublishMenu(ctx context.Context, buttons []MenuButton) error {
	return c.post(ctx, "menu_create", "/cgi-bin/menu/create", map[string]any{"button": buttons})
}

// DeleteMenu removes the account's menu, and with it those that only some customers see.
func (c *Client) DeleteMenu(ctx context.Context) error {
	return c.withToken(ctx, func(ctx context.Context, token string) error {
		_, err := c.do(ctx, request{
			name: "menu_delete", method: http.MethodGet, path: "/cgi-bin/menu/delete", query: url.Values{"access_token": {token}},
			timeout: callTimeout, maxAnswer: maxAnswer, repeatable: true, coded: true,
		}, codes)
		return err
	})
}
