package wechatsim

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
)

// The names of the API calls, as faults, quotas and statistics use them; a push is no call, but has faults as well.
const (
	opPush       = "push"
	opToken      = "token"
	opStable     = "stable_token"
	opSend       = "send"
	opTyping     = "typing"
	opUpload     = "upload"
	opMedia      = "media"
	opClearQuota = "clear_quota"
	opLogin      = "jscode2session"
	opTemplate   = "template"
	opUserInfo   = "user_info"
	opMenuCreate = "menu_create"
	opMenuGet    = "menu_get"
	opMenuDelete = "menu_delete"
	opSelfMenu   = "selfmenu"
	opMenuAdd    = "menu_addconditional"
	opMenuDel    = "menu_delconditional"
	opQRCode     = "qrcode"
)

// faultable lists what can be made to fail.
func faultable() []string {
	return []string{
		opPush, opToken, opStable, opSend, opTyping, opUpload, opMedia, opClearQuota, opLogin, opTemplate, opUserInfo,
		opMenuCreate, opMenuGet, opMenuDelete, opSelfMenu, opMenuAdd, opMenuDel, opQRCode,
	}
}

const maxAPIBody = 1 << 20

// wxError is an answer of the platform that is not "ok". Receivers go by the code alone.
type wxError struct {
	code    int
	message string
}

func (e *wxError) Error() string { return fmt.Sprintf("%d %s", e.code, e.message) }

func wxErrorf(code int, message string) error { return &wxError{code: code, message: message} }

// call is one call of the platform's API.
type call struct {
	request *http.Request
	query   url.Values
	body    []byte
	account *account
}

// answer is what a call gives back: JSON, or a binary with its own type.
type answer struct {
	contentType, disposition string
	body                     []byte
}

func jsonAnswer(value any) answer {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(value) //nolint:errchkjson // only maps of strings and numbers come here, which always encode
	return answer{contentType: "application/json; encoding=utf-8", body: bytes.TrimSpace(b.Bytes())}
}

func okAnswer() answer { return jsonAnswer(map[string]any{"errcode": 0, "errmsg": "ok"}) }

// errorAnswer carries the request id that the platform adds to every message.
func errorAnswer(err error) answer {
	e, ok := errors.AsType[*wxError](err)
	if !ok {
		e = &wxError{-1, "system error"}
	}
	return jsonAnswer(map[string]any{"errcode": e.code, "errmsg": e.message + " rid: " + randomID()})
}

func writeWX(w http.ResponseWriter, err error) { errorAnswer(err).write(w) }

func (a answer) write(w http.ResponseWriter) {
	w.Header().Set("Content-Type", a.contentType)
	if a.disposition != "" {
		w.Header().Set("Content-Disposition", a.disposition)
	}
	// The caller may be gone already: nobody is left to tell.
	_, _ = w.Write(a.body)
}

// endpoint is one call of the API: who calls, what they need for it, and what it does.
type endpoint struct {
	op, method string
	permission Permission // may be denied to an app; empty: may not
	only       Kind       // has this call; empty: every kind
	maxBody    int64      // 0: maxAPIBody
	identify   func(*call) (*account, error)
	serve      func(*call) (answer, error)
}

func (s *Server) routeAPI() {
	const get, post = http.MethodGet, http.MethodPost
	const account, miniProgram = KindOfficialAccount, KindMiniProgram
	send := endpoint{op: opSend, method: post, permission: PermissionSend, identify: s.byToken, serve: s.serveSend}
	typing := endpoint{op: opTyping, method: post, permission: PermissionSend, identify: s.byToken, serve: s.serveTyping}
	menu := func(op, method string, serve func(*call) (answer, error)) endpoint {
		return endpoint{op: op, method: method, permission: PermissionMenu, only: account, identify: s.byToken, serve: serve}
	}
	paths := map[string]endpoint{
		"/cgi-bin/token":        {op: opToken, method: get, identify: s.byAppID, serve: s.serveToken},
		"/cgi-bin/stable_token": {op: opStable, method: post, identify: s.byBodyAppID, serve: s.serveStableToken},
		"/cgi-bin/clear_quota":  {op: opClearQuota, method: post, identify: s.byToken, serve: s.serveClearQuota},
		"/sns/jscode2session":   {op: opLogin, method: get, only: miniProgram, identify: s.byLogin, serve: s.serveLogin},

		"/cgi-bin/message/custom/send":            send,
		"/cgi-bin/message/custom/business/send":   business(send),
		"/cgi-bin/message/custom/typing":          typing,
		"/cgi-bin/message/custom/business/typing": business(typing),
		"/cgi-bin/message/template/send": {
			op: opTemplate, method: post, permission: PermissionTemplate, only: account, identify: s.byToken, serve: s.serveTemplate,
		},

		"/cgi-bin/media/upload": {
			op: opUpload, method: post, permission: PermissionMedia, maxBody: maxUpload, identify: s.byToken, serve: s.serveUpload,
		},
		"/cgi-bin/media/get": {op: opMedia, method: get, permission: PermissionMedia, identify: s.byToken, serve: s.serveMedia},
		"/cgi-bin/user/info": {
			op: opUserInfo, method: get, permission: PermissionUser, only: account, identify: s.byToken, serve: s.serveUserInfo,
		},
		"/cgi-bin/qrcode/create": {
			op: opQRCode, method: post, permission: PermissionQRCode, only: account, identify: s.byToken, serve: s.serveQRCode,
		},

		"/cgi-bin/menu/create":               menu(opMenuCreate, post, s.serveMenuCreate),
		"/cgi-bin/menu/get":                  menu(opMenuGet, get, s.serveMenuGet),
		"/cgi-bin/menu/delete":               menu(opMenuDelete, get, s.serveMenuDelete),
		"/cgi-bin/get_current_selfmenu_info": menu(opSelfMenu, get, s.serveSelfMenu),
		"/cgi-bin/menu/addconditional":       menu(opMenuAdd, post, s.serveMenuAddConditional),
		"/cgi-bin/menu/delconditional":       menu(opMenuDel, post, s.serveMenuDelConditional),
	}
	for path, e := range paths {
		setDefault(&e.maxBody, maxAPIBody)
		s.mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) { s.serveAPI(w, r, e) })
	}
}

// allow refuses calls that an app has no permission for.
func (e endpoint) allow(app App) error {
	if e.only != "" && e.only != app.Kind || slices.Contains(app.Denied, e.permission) {
		return wxErrorf(48001, "api unauthorized")
	}
	return nil
}

func (s *Server) serveAPI(w http.ResponseWriter, r *http.Request, e endpoint) {
	if r.Method != e.method {
		code := map[string]int{http.MethodGet: 43001, http.MethodPost: 43002}[e.method]
		writeWX(w, wxErrorf(code, "require "+e.method+" method"))
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, e.maxBody))
	if err != nil {
		writeWX(w, wxErrorf(45001, "request too large"))
		return
	}
	c := &call{request: r, query: r.URL.Query(), body: body}
	c.account, err = e.identify(c)
	if err == nil {
		err = e.allow(c.account.config())
	}
	if err != nil {
		counts := s.stray
		if c.account != nil {
			counts = c.account.stats
		}
		counts.call(e.op, outcomeOf(err))
		writeWX(w, err)
		return
	}
	if fault := c.account.takeFault(e.op, c.customer()); fault != nil {
		s.serveFault(w, c, e, fault)
		return
	}
	result, err := e.serve(c)
	c.account.stats.call(e.op, outcomeOf(err))
	if err != nil {
		result = errorAnswer(err)
		if e.op == opMedia {
			// The platform sends these errors as text now and then; a receiver must look at the body.
			result.contentType = "text/plain"
		}
	}
	result.write(w)
}

func outcomeOf(err error) string {
	if err == nil {
		return codeLabel(0)
	}
	if e, ok := errors.AsType[*wxError](err); ok {
		return codeLabel(e.code)
	}
	return codeLabel(-1)
}

// customer finds out whom a call is about, in the query or in a body that may be anything.
func (c *call) customer() string {
	if openID := c.query.Get("openid"); openID != "" {
		return openID
	}
	var peek struct {
		ToUser string `json:"touser"`
	}
	if json.Unmarshal(c.body, &peek) != nil {
		return ""
	}
	return peek.ToUser
}

// business opens the paths that some pages of the documentation print, for apps that ask for it.
func business(e endpoint) endpoint {
	serve := e.serve
	e.serve = func(c *call) (answer, error) {
		if !c.account.config().BusinessPaths {
			return answer{}, wxErrorf(48001, "api unauthorized")
		}
		return serve(c)
	}
	return e
}
