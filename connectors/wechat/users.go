package wechat

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/yingda-dev/yingda/connectors"
)

// Follower asks who a customer of an official account is. Who does not follow has no more than a union id, if that.
func (c *Client) Follower(ctx context.Context, openID string) (connectors.Profile, error) {
	var profile connectors.Profile
	err := c.withToken(ctx, func(ctx context.Context, token string) error {
		a, err := c.do(ctx, request{
			name: "user", method: http.MethodGet, path: "/cgi-bin/user/info",
			query:   url.Values{"access_token": {token}, "openid": {openID}, "lang": {"zh_CN"}},
			timeout: callTimeout, maxAnswer: maxAnswer, repeatable: true,
		}, codes)
		if err != nil {
			return err
		}
		var info struct {
			Subscribe      int    `json:"subscribe"`
			SubscribeTime  int64  `json:"subscribe_time"`
			SubscribeScene string `json:"subscribe_scene"`
			UnionID        string `json:"unionid"`
		}
		if json.Unmarshal(a.body, &info) != nil {
			return unreadable()
		}
		profile = connectors.Profile{UnionID: connectors.CleanText(info.UnionID)}
		if info.Subscribe == 1 {
			profile.SubscribedAt, profile.SubscribeScene = time.Unix(info.SubscribeTime, 0).UTC(), connectors.CleanText(info.SubscribeScene)
		}
		return nil
	})
	return profile, err
}

// Login redeems the code of a mini-program user's login, which can be done once. A code that somebody else logged in with
// says nothing about the customer, and is refused. The session key that comes with it is not kept.
func (c *Client) Login(ctx context.Context, openID, code string) (connectors.Profile, error) {
	a, err := c.do(ctx, request{
		name: "login", method: http.MethodGet, path: "/sns/jscode2session",
		query: url.Values{
			"appid": {c.account.AppID}, "secret": {c.account.AppSecret}, "js_code": {code}, "grant_type": {"authorization_code"},
		},
		timeout: callTimeout, maxAnswer: maxAnswer, repeatable: true,
	}, codes)
	if err != nil {
		return connectors.Profile{}, err
	}
	var session struct {
		OpenID  string `json:"openid"`
		UnionID string `json:"unionid"`
	}
	switch {
	case json.Unmarshal(a.body, &session) != nil:
		return connectors.Profile{}, unreadable()
	case session.OpenID != openID:
		return connectors.Profile{}, &connectors.CallError{Class: connectors.ClassPermanent, Reason: "AnotherCustomer"}
	}
	return connectors.Profile{UnionID: connectors.CleanText(session.UnionID)}, nil
}

// loginMark stands between where a customer came from and the code of their login, in a contact button's session-from.
const loginMark = ";login="

// CutLogin parts a session-from: `order:1001;login=CODE` came from order:1001, and CODE is what wx.login gave.
func CutLogin(sessionFrom string) (from, code string) {
	at := strings.LastIndex(sessionFrom, loginMark)
	if at < 0 {
		return sessionFrom, ""
	}
	return sessionFrom[:at], connectors.CleanText(sessionFrom[at+len(loginMark):])
}

func unreadable() error {
	return &connectors.CallError{Class: connectors.ClassRetryLater, Reason: "UnreadableAnswer", RetryAfter: time.Second}
}
