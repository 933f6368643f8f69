package wechatsim

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"
)

const (
	maxControlBody = 4 << 20
	maxWait        = time.Minute
)

// controlFunc serves one control call: what it returns becomes the JSON answer.
type controlFunc func(r *http.Request) (any, error)

func (s *Server) routeControl() {
	control := http.NewServeMux()
	for pattern, f := range map[string]controlFunc{
		"GET /sim/v1/apps":                                       s.listApps,
		"POST /sim/v1/apps":                                      s.createApp,
		"GET /sim/v1/apps/{appid}":                               s.getApp,
		"PATCH /sim/v1/apps/{appid}":                             s.patchApp,
		"DELETE /sim/v1/apps/{appid}":                            s.removeApp,
		"POST /sim/v1/apps/{appid}/verify":                       s.verifyApp,
		"GET /sim/v1/apps/{appid}/customers":                     s.listCustomers,
		"GET /sim/v1/apps/{appid}/customers/{openid}":            s.getCustomer,
		"PATCH /sim/v1/apps/{appid}/customers/{openid}":          s.patchCustomer,
		"POST /sim/v1/apps/{appid}/customers/{openid}/tap":       s.postTap,
		"POST /sim/v1/apps/{appid}/customers/{openid}/login":     s.postLogin,
		"POST /sim/v1/apps/{appid}/customers/{openid}/messages":  s.postMessage,
		"POST /sim/v1/apps/{appid}/customers/{openid}/enter":     s.postEnter,
		"GET /sim/v1/apps/{appid}/customers/{openid}/received":   s.getReceived,
		"GET /sim/v1/apps/{appid}/customers/{openid}/transcript": s.getTranscript,
		"POST /sim/v1/apps/{appid}/pushes/{id}/repeat":           s.postRepeat,
		"GET /sim/v1/apps/{appid}/faults":                        s.getFaults,
		"POST /sim/v1/apps/{appid}/faults":                       s.postFault,
		"DELETE /sim/v1/apps/{appid}/faults":                     s.deleteFaults,
		"GET /sim/v1/apps/{appid}/quotas":                        s.getQuotas,
		"POST /sim/v1/apps/{appid}/quotas/{name}/exhaust":        s.exhaustQuota,
		"GET /sim/v1/apps/{appid}/menu":                          s.getMenu,
		"PUT /sim/v1/apps/{appid}/menu":                          s.putMenu,
		"DELETE /sim/v1/apps/{appid}/menu":                       s.deleteMenu,
		"POST /sim/v1/apps/{appid}/menu/conditional":             s.postConditionalMenu,
		"POST /sim/v1/apps/{appid}/tokens/revoke":                s.endTokens(TokensRevoked),
		"POST /sim/v1/apps/{appid}/tokens/expire":                s.endTokens(TokensExpired),
		"POST /sim/v1/apps/{appid}/load":                         s.postLoad,
		"GET /sim/v1/loads/{id}":                                 s.getLoad,
		"DELETE /sim/v1/loads/{id}":                              s.deleteLoad,
		"GET /sim/v1/clock":                                      s.getClock,
		"POST /sim/v1/clock":                                     s.postClock,
		"GET /sim/v1/stats":                                      s.getStats,
	} {
		control.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { serveControl(w, r, f) })
	}
	// A page of another site, open in the developer's browser, must not be able to script the simulator.
	s.mux.Handle("/sim/v1/", http.NewCrossOriginProtection().Handler(control))
	s.mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok\n") })
}

func serveControl(w http.ResponseWriter, r *http.Request, f controlFunc) {
	r.Body = http.MaxBytesReader(w, r.Body, maxControlBody)
	status := http.StatusOK
	result, err := f(r)
	if err != nil {
		status, result = problemStatus(err), map[string]string{"error": err.Error()}
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(result) //nolint:errchkjson // the caller may be gone already: nobody is left to tell
}

// readBody decodes a JSON body; an empty one leaves the value as it is.
func readBody(r *http.Request, into any) error {
	data, err := io.ReadAll(r.Body)
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return problemf(http.StatusRequestEntityTooLarge, "the body is larger than %d bytes", maxControlBody)
	}
	if err != nil {
		return problemf(http.StatusBadRequest, "reading the body failed")
	}
	if len(data) == 0 {
		return nil
	}
	if err := strictJSON(data, into); err != nil {
		return problemf(http.StatusBadRequest, "reading the body: %v", err)
	}
	return nil
}

func (s *Server) listApps(*http.Request) (any, error) { return map[string]any{"apps": s.Apps()}, nil }

func (s *Server) createApp(r *http.Request) (any, error) {
	var app App
	if err := readBody(r, &app); err != nil {
		return nil, err
	}
	if err := s.PutApp(app); err != nil {
		return nil, err
	}
	return s.appConfig(app.AppID)
}

func (s *Server) getApp(r *http.Request) (any, error) { return s.appConfig(r.PathValue("appid")) }

func (s *Server) appConfig(appID string) (any, error) {
	acc, err := s.account(appID)
	if err != nil {
		return nil, err
	}
	return acc.config(), nil
}

func (s *Server) patchApp(r *http.Request) (any, error) {
	acc, err := s.account(r.PathValue("appid"))
	if err != nil {
		return nil, err
	}
	var patch json.RawMessage
	if err := readBody(r, &patch); err != nil {
		return nil, err
	}
	app, err := mergeApp(acc.config(), patch)
	if err != nil {
		return nil, err
	}
	if err := s.PutApp(app); err != nil {
		return nil, err
	}
	return s.appConfig(app.AppID)
}

func (s *Server) removeApp(r *http.Request) (any, error) {
	return map[string]any{}, s.DeleteApp(r.PathValue("appid"))
}

func (s *Server) verifyApp(r *http.Request) (any, error) {
	return s.Verify(r.Context(), r.PathValue("appid"))
}

func (s *Server) postMessage(r *http.Request) (any, error) {
	var body struct {
		Message
		// async returns at once instead of waiting for the push's end.
		Async bool `json:"async"`
	}
	if err := readBody(r, &body); err != nil {
		return nil, err
	}
	if body.Async {
		return s.WriteAsync(r.Context(), r.PathValue("appid"), r.PathValue("openid"), body.Message, func(Push) {})
	}
	return s.Write(r.Context(), r.PathValue("appid"), r.PathValue("openid"), body.Message)
}

func (s *Server) postEnter(r *http.Request) (any, error) {
	m := Message{Type: TypeEnter}
	if err := readBody(r, &m); err != nil {
		return nil, err
	}
	m.Type = TypeEnter
	return s.Write(r.Context(), r.PathValue("appid"), r.PathValue("openid"), m)
}

// paging reads ?after= and ?wait=.
func paging(r *http.Request) (after int, wait time.Duration, err error) {
	if text := r.URL.Query().Get("after"); text != "" {
		after, err = strconv.Atoi(text)
	}
	if text := r.URL.Query().Get("wait"); text != "" && err == nil {
		wait, err = time.ParseDuration(text)
	}
	if err != nil || wait > maxWait {
		return 0, 0, problemf(http.StatusBadRequest, "after must be a number and wait a duration of at most %s", maxWait)
	}
	return after, wait, nil
}

func (s *Server) getReceived(r *http.Request) (any, error) {
	after, wait, err := paging(r)
	if err != nil {
		return nil, err
	}
	lines, err := s.Received(r.Context(), r.PathValue("appid"), r.PathValue("openid"), after, wait)
	return map[string]any{"messages": lines}, err
}

func (s *Server) getTranscript(r *http.Request) (any, error) {
	after, wait, err := paging(r)
	if err != nil {
		return nil, err
	}
	lines, err := s.Transcript(r.Context(), r.PathValue("appid"), r.PathValue("openid"), after, wait)
	return map[string]any{"messages": lines}, err
}

func (s *Server) postRepeat(r *http.Request) (any, error) {
	var body Repeat
	if err := readBody(r, &body); err != nil {
		return nil, err
	}
	attempts, err := s.RepeatPush(r.Context(), r.PathValue("appid"), r.PathValue("id"), body)
	return map[string]any{"attempts": attempts}, err
}

func (s *Server) getFaults(r *http.Request) (any, error) {
	faults, err := s.Faults(r.PathValue("appid"))
	return map[string]any{"faults": faults}, err
}

func (s *Server) postFault(r *http.Request) (any, error) {
	var f Fault
	if err := readBody(r, &f); err != nil {
		return nil, err
	}
	if err := s.AddFault(r.PathValue("appid"), f); err != nil {
		return nil, err
	}
	return s.getFaults(r)
}

func (s *Server) deleteFaults(r *http.Request) (any, error) {
	return map[string]any{}, s.ClearFaults(r.PathValue("appid"))
}

func (s *Server) endTokens(end TokenEnd) controlFunc {
	return func(r *http.Request) (any, error) {
		return map[string]any{}, s.EndTokens(r.PathValue("appid"), end)
	}
}

func (s *Server) postLoad(r *http.Request) (any, error) {
	var spec LoadSpec
	if err := readBody(r, &spec); err != nil {
		return nil, err
	}
	return s.StartLoad(r.Context(), r.PathValue("appid"), spec)
}

func (s *Server) getLoad(r *http.Request) (any, error) {
	detail := WithMessages
	if r.URL.Query().Get("messages") == "false" {
		detail = CountsOnly
	}
	return s.Load(r.PathValue("id"), detail)
}

func (s *Server) deleteLoad(r *http.Request) (any, error) {
	return map[string]any{}, s.StopLoad(r.PathValue("id"))
}

func (s *Server) getClock(*http.Request) (any, error) { return map[string]any{"now": s.now()}, nil }

func (s *Server) postClock(r *http.Request) (any, error) {
	var body struct {
		Advance Duration `json:"advance"`
	}
	if err := readBody(r, &body); err != nil {
		return nil, err
	}
	now, err := s.Advance(time.Duration(body.Advance))
	return map[string]any{"now": now}, err
}

func (s *Server) getStats(*http.Request) (any, error) {
	total, byApp := s.Stats()
	return map[string]any{"total": total, "apps": byApp}, nil
}

// CustomerInfo is what the page shows of a customer before the chat.
type CustomerInfo struct {
	OpenID string `json:"openid"`
	Profile
	// unionid is the same in all apps of one open platform account.
	UnionID string `json:"unionid,omitempty"`
	// windows says how many messages the account may still send, and until when.
	Windows map[string]window `json:"windows"`
	Typing  bool              `json:"typing"`
	Lines   int               `json:"lines"`
}

// listCustomers names the first customers; a load makes more of them than a list should hold.
func (s *Server) listCustomers(r *http.Request) (any, error) {
	acc, err := s.account(r.PathValue("appid"))
	if err != nil {
		return nil, err
	}
	return map[string]any{"customers": acc.customerInfos(s.now())}, nil
}

func (s *Server) getCustomer(r *http.Request) (any, error) {
	acc, err := s.account(r.PathValue("appid"))
	if err != nil {
		return nil, err
	}
	now := s.now()
	acc.mu.Lock()
	defer acc.mu.Unlock()
	c, ok := acc.customers[r.PathValue("openid")]
	if !ok {
		return nil, errUnknownCustomer
	}
	return acc.infoLocked(c, now), nil
}
