package wechatsim

import (
	"encoding/base64"
	"encoding/json"
	"strconv"
)

// byLogin identifies the caller of jscode2session, whose grant is another one.
func (s *Server) byLogin(c *call) (*account, error) {
	if c.query.Get("grant_type") != "authorization_code" {
		return nil, wxErrorf(40002, "invalid grant_type")
	}
	return s.byCredentials(credentials{
		GrantType: grantClient, AppID: c.query.Get("appid"), Secret: c.query.Get("secret"),
	})
}

// serveLogin is GET /sns/jscode2session.
func (s *Server) serveLogin(c *call) (answer, error) {
	now := s.now()
	acc := c.account
	acc.mu.Lock()
	defer acc.mu.Unlock()
	code := c.query.Get("js_code")
	l, ok := acc.logins[code]
	delete(acc.logins, code)
	if !ok || !now.Before(l.expires) {
		return answer{}, wxErrorf(40029, "invalid code")
	}
	result := map[string]any{
		"openid": l.openID, "session_key": base64.StdEncoding.EncodeToString(randomBytes(randomLength)),
	}
	if union := acc.unionIDLocked(acc.customers[l.openID]); union != "" {
		result["unionid"] = union
	}
	return jsonAnswer(result), nil
}

// serveUserInfo is GET /cgi-bin/user/info. Names and pictures have not been among the answers since 2021.
func (s *Server) serveUserInfo(c *call) (answer, error) {
	now := s.now()
	acc := c.account
	acc.mu.Lock()
	defer acc.mu.Unlock()
	cust, ok := acc.customers[c.query.Get("openid")]
	if !ok {
		return answer{}, wxErrorf(40003, "invalid openid")
	}
	if err := acc.countLocked(opUserInfo, now); err != nil {
		return answer{}, err
	}
	return jsonAnswer(acc.userInfoLocked(cust, c.query.Get("lang"))), nil
}

func (a *account) userInfoLocked(c *customer, language string) map[string]any {
	info := map[string]any{"subscribe": 0, "openid": c.openID}
	if union := a.unionIDLocked(c); union != "" {
		info["unionid"] = union
	}
	p := c.profile
	if !p.Follows {
		return info
	}
	setDefault(&language, "zh_CN")
	info["subscribe"], info["language"] = 1, language
	info["subscribe_time"], info["subscribe_scene"] = p.FollowedAt.Unix(), p.SubscribeScene
	info["remark"], info["groupid"], info["tagid_list"] = "", 0, []int{}
	info["qr_scene"], info["qr_scene_str"] = qrScene(p.QRScene)
	return info
}

// qrScene tells scenes that are numbers from scenes that are texts.
func qrScene(scene string) (number uint64, text string) {
	if n, err := strconv.ParseUint(scene, 10, 32); err == nil {
		return n, ""
	}
	return 0, scene
}

// serveQRCode is POST /cgi-bin/qrcode/create.
func (s *Server) serveQRCode(c *call) (answer, error) {
	var body struct {
		ExpireSeconds int    `json:"expire_seconds"`
		ActionName    string `json:"action_name"`
		ActionInfo    struct {
			Scene struct {
				ID  int64  `json:"scene_id"`
				Str string `json:"scene_str"`
			} `json:"scene"`
		} `json:"action_info"`
	}
	if err := readAPIBody(c.body, &body); err != nil {
		return answer{}, err
	}
	scene := body.ActionInfo.Scene
	switch body.ActionName {
	case "QR_SCENE", "QR_LIMIT_SCENE":
		if scene.ID <= 0 {
			return answer{}, wxErrorf(40053, "invalid action info")
		}
	case "QR_STR_SCENE", "QR_LIMIT_STR_SCENE":
		if scene.Str == "" || len(scene.Str) > maxScene {
			return answer{}, wxErrorf(40053, "invalid action info")
		}
	default:
		return answer{}, wxErrorf(40052, "invalid action name")
	}
	now := s.now()
	c.account.mu.Lock()
	defer c.account.mu.Unlock()
	if err := c.account.countLocked(opQRCode, now); err != nil {
		return answer{}, err
	}
	result := map[string]any{"ticket": randomText(ticketLength), "url": "http://weixin.qq.com/q/" + randomText(22)}
	if body.ExpireSeconds > 0 {
		result["expire_seconds"] = body.ExpireSeconds
	}
	return jsonAnswer(result), nil
}

// readAPIBody decodes what an API call posts.
func readAPIBody(body []byte, into any) error {
	if len(body) == 0 {
		return wxErrorf(44002, "empty post data")
	}
	if json.Unmarshal(body, into) != nil {
		return wxErrorf(47001, "data format error")
	}
	return nil
}
