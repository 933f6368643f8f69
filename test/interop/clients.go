package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/yingda-dev/yingda/hack/wechatsim"
)

// account is what clients.js is told.
type account struct {
	URL    string `json:"url"`
	AppID  string `json:"appid"`
	Secret string `json:"secret"`
	Folder string `json:"folder"`
}

const easyWeChat = "node-easywechat"

const revocation = "buys another token when its own is revoked"

// arguments of a call.
type arguments map[string]any

// clients has peers call the simulator.
func clients(ctx context.Context, r *runner) error {
	const sameAgain, keepsIt = "it tries once more, by the same token", "it keeps its token until that has expired"
	r.section("Clients", "A package calls the simulator; what it sent is what the customer's phone shows.")
	for _, c := range []struct {
		name  string
		kind  wechatsim.Kind
		known limits
	}{
		{"co-wechat-api", wechatsim.KindMiniProgram, nil},
		{"wechat-api", wechatsim.KindMiniProgram, limits{revocation: sameAgain}},
		{"node-easywechat MiniApp", wechatsim.KindMiniProgram, limits{revocation: keepsIt}},
		{"co-wechat-api", wechatsim.KindOfficialAccount, nil},
		{"wechat-api", wechatsim.KindOfficialAccount, limits{revocation: sameAgain}},
		{"node-easywechat OfficialAccount", wechatsim.KindOfficialAccount, limits{revocation: keepsIt}},
	} {
		if err := r.calls(ctx, c.name, c.kind, c.known); err != nil {
			return err
		}
	}
	return nil
}

// calls is a client of an account of its own.
func (r *runner) calls(ctx context.Context, name string, kind wechatsim.Kind, known limits) error {
	app := r.app(kind)
	// Nobody is there: the customer is known for having tried.
	app.CallbackURL = "http://127.0.0.1:1/"
	if err := r.sim.PutApp(app); err != nil {
		return fmt.Errorf("opening an account: %w", err)
	}
	if _, err := r.sim.Write(ctx, app.AppID, customer, wechatsim.Message{Content: "在吗"}); err != nil {
		return fmt.Errorf("writing as a customer: %w", err)
	}
	cache, err := os.MkdirTemp(r.scratch, "cache-")
	if err != nil {
		return fmt.Errorf("making a folder: %w", err)
	}
	p, err := r.start(ctx, "clients.js", name, account{r.url, app.AppID, secret, cache})
	if err != nil {
		return err
	}
	defer p.stop()
	c := client{r, ctx, p, app}
	suffix := map[wechatsim.Kind]string{wechatsim.KindMiniProgram: ", mini-program", wechatsim.KindOfficialAccount: ", official account"}[kind]
	try := func(what string, do func() error) {
		r.try(name, limits{what + suffix: known[what]}, what+suffix, do)
	}
	try("buys a token and sends a text", c.text)
	try("tells the code of a refusal", c.refused)
	try("uploads a picture and sends it", c.picture)
	if strings.HasPrefix(name, easyWeChat) {
		try("shows that somebody types", c.typing)
	}
	if kind == wechatsim.KindOfficialAccount {
		if !strings.HasPrefix(name, easyWeChat) {
			try("sends an article", c.article)
			try("makes a QR code", c.qrcode)
		}
		try("publishes, reads and removes the menu", c.menu)
		try("reads a follower", c.user)
		try("sends a template message", c.template)
	}
	try(revocation, c.revoked)
	return nil
}

// client is a package with its account.
type client struct {
	r   *runner
	ctx context.Context //nolint:containedctx // It lives as long as the rows of one package.
	p   *peer
	app wechatsim.App
}

func (c client) call(name string, args arguments, v any) error {
	return c.p.ask(map[string]any{"call": name, "args": args}, v)
}

// shows is an error unless the last line on the customer's phone is that text.
func (c client) shows(want string) error {
	entries, err := c.r.sim.Received(c.ctx, c.app.AppID, customer, 0, 0)
	if err != nil {
		return err
	}
	if len(entries) == 0 {
		return errors.New("the customer's phone shows nothing")
	}
	return same("what the phone shows", entries[len(entries)-1].Text, want)
}

func (c client) text() error {
	const content = `看<a href="https://lumi.example/?a=1&b=2">这里</a> 🙂`
	return either(c.call("text", arguments{"to": customer, "content": content}, nil), c.shows(content))
}

func (c client) revoked() error {
	if err := c.r.sim.EndTokens(c.app.AppID, wechatsim.TokensRevoked); err != nil {
		return err
	}
	const content = "after the token was revoked"
	return either(c.call("text", arguments{"to": customer, "content": content}, nil), c.shows(content))
}

func (c client) refused() error {
	const code = 45015
	if err := c.r.sim.AddFault(c.app.AppID, wechatsim.Fault{ErrCode: code, ErrMsg: "response out of time limit"}); err != nil {
		return err
	}
	err := c.call("text", arguments{"to": customer, "content": "refused"}, nil)
	if err == nil {
		return errors.New("a refused call succeeded")
	}
	told, ok := errors.AsType[*callError](err)
	if !ok {
		return fmt.Errorf("a refusal did not come as one: %w", err)
	}
	return same("the code", fmt.Sprint(told.Code), strconv.Itoa(code))
}

func (c client) picture() error {
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 8, 8))); err != nil {
		return err
	}
	file := filepath.Join(c.r.scratch, "picture.png")
	if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
		return err
	}
	var uploaded struct {
		MediaID string `json:"media_id"`
	}
	return either(c.call("upload", arguments{"file": file}, &uploaded), c.call("image", arguments{"to": customer, "media": uploaded.MediaID}, nil), c.shows("[图片]"))
}

func (c client) typing() error {
	if err := c.call("typing", arguments{"to": customer}, nil); err != nil {
		return err
	}
	_, byApp := c.r.sim.Stats()
	return same("the calls of typing", byApp[c.app.AppID].Calls["typing"], 1)
}

func (c client) article() error {
	article := arguments{"title": "发票", "description": "三分钟", "url": "https://lumi.example/invoice", "picurl": "https://lumi.example/i.png"}
	return either(c.call("news", arguments{"to": customer, "articles": []arguments{article}}, nil), c.shows("发票\n三分钟\nhttps://lumi.example/invoice"))
}

func (c client) qrcode() error {
	var code struct {
		Ticket string `json:"ticket"`
	}
	if err := c.call("qrcode", arguments{"scene": 12}, &code); err != nil {
		return err
	}
	return same("whether there is a ticket", code.Ticket != "", true)
}

func (c client) menu() error {
	const menu = `{"button":[{"type":"click","name":"联系客服","key":"KF"},{"name":"更多","sub_button":[{"type":"view","name":"商城","url":"https://lumi.example/?a=1&b=2"}]}]}`
	if err := c.call("createMenu", arguments{"menu": json.RawMessage(menu)}, nil); err != nil {
		return err
	}
	var got json.RawMessage
	if err := c.call("getMenu", nil, &got); err != nil {
		return err
	}
	for _, part := range []string{"联系客服", "KF", "商城", "https://lumi.example/?a=1&b=2"} {
		if !strings.Contains(string(got), part) {
			return fmt.Errorf("the menu is %s, and lacks %s", got, part)
		}
	}
	if err := c.call("removeMenu", nil, nil); err != nil {
		return err
	}
	if err := c.call("getMenu", nil, nil); err == nil {
		return errors.New("the menu is still there after it was removed")
	}
	return nil
}

func (c client) user() error {
	var user struct {
		Subscribe int    `json:"subscribe"`
		OpenID    string `json:"openid"`
	}
	return either(c.call("user", arguments{"to": customer}, &user), same("subscribe", user.Subscribe, 1), same("openid", user.OpenID, customer))
}

func (c client) template() error {
	data := arguments{"number": arguments{"value": "42"}}
	return either(c.call("template", arguments{"to": customer, "template": "TM1", "data": data}, nil), c.shows("订单 42 已发货"))
}
