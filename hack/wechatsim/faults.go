package wechatsim

import (
	"net/http"
	"slices"
	"strconv"
	"time"
)

// Fault makes the next calls of an app's API, or its next pushes, fail; faults are used up in the order in which they were set.
type Fault struct {
	// on is send (default) or another call as the statistics name it, or push.
	On string `json:"on,omitempty"`
	// openid limits it to what is about one customer.
	OpenID string `json:"openid,omitempty"`
	// count is how many calls (default 1).
	Count int `json:"count,omitempty"`
	// when is before (default: the call has no effect) or after (the platform did what was asked, the caller cannot know).
	When FaultMoment `json:"when,omitempty"`
	// delay passes before the call is looked at (before) or before it is answered (after).
	Delay Duration `json:"delay,omitempty"`
	// One of: errcode (with errmsg) answers that code; httpStatus answers that status; drop closes the connection.
	// With none of them the call is only delayed.
	ErrCode    int    `json:"errcode,omitempty"`
	ErrMsg     string `json:"errmsg,omitempty"`
	HTTPStatus int    `json:"httpStatus,omitempty"`
	Drop       bool   `json:"drop,omitempty"`
}

// FaultMoment says whether a fault strikes before or after the platform did what it was asked.
type FaultMoment string

// The moments of a Fault.
const (
	FaultBefore FaultMoment = "before"
	FaultAfter  FaultMoment = "after"
)

const (
	maxFaults     = 1000
	maxFaultDelay = 5 * time.Minute
)

// AddFault puts a fault at the end of an app's script.
func (s *Server) AddFault(appID string, f Fault) error {
	setDefault(&f.On, opSend)
	setDefault(&f.Count, 1)
	setDefault(&f.When, FaultBefore)
	switch {
	case f.When != FaultBefore && f.When != FaultAfter:
		return problemf(http.StatusBadRequest, "when must be before or after")
	case f.Count < 1:
		return problemf(http.StatusBadRequest, "count must be at least 1")
	case f.Delay < 0 || f.Delay > Duration(maxFaultDelay):
		return problemf(http.StatusBadRequest, "delay must be at most %s", maxFaultDelay)
	case !slices.Contains(faultable(), f.On):
		return problemf(http.StatusBadRequest, "on must be one of %v", faultable())
	case f.On == opPush && (f.ErrCode != 0 || f.HTTPStatus != 0):
		return problemf(http.StatusBadRequest, "a fault of a push is drop or delay: it is the callback that answers")
	case f.HTTPStatus != 0 && (f.HTTPStatus < 300 || f.HTTPStatus > 599):
		return problemf(http.StatusBadRequest, "httpStatus must be 300 to 599")
	}
	acc, err := s.account(appID)
	if err != nil {
		return err
	}
	acc.mu.Lock()
	defer acc.mu.Unlock()
	if len(acc.faults) >= maxFaults {
		return problemf(http.StatusTooManyRequests, "there are %d faults already", maxFaults)
	}
	acc.faults = append(acc.faults, &f)
	return nil
}

// Faults lists what is left of an app's script.
func (s *Server) Faults(appID string) ([]Fault, error) {
	acc, err := s.account(appID)
	if err != nil {
		return nil, err
	}
	acc.mu.Lock()
	defer acc.mu.Unlock()
	faults := []Fault{}
	for _, f := range acc.faults {
		faults = append(faults, *f)
	}
	return faults, nil
}

// ClearFaults drops an app's script.
func (s *Server) ClearFaults(appID string) error {
	acc, err := s.account(appID)
	if err != nil {
		return err
	}
	acc.mu.Lock()
	defer acc.mu.Unlock()
	acc.faults = nil
	return nil
}

// takeFault uses up the first fault that fits.
func (a *account) takeFault(op, openID string) *Fault {
	a.mu.Lock()
	defer a.mu.Unlock()
	for i, f := range a.faults {
		if f.On != op || f.OpenID != "" && f.OpenID != openID {
			continue
		}
		taken := *f
		f.Count--
		if f.Count == 0 {
			a.faults = append(a.faults[:i], a.faults[i+1:]...)
		}
		return &taken
	}
	return nil
}

func (s *Server) serveFault(w http.ResponseWriter, c *call, e endpoint, f *Fault) {
	onlyDelay := f.ErrCode == 0 && f.HTTPStatus == 0 && !f.Drop
	waited := f.When == FaultAfter || s.wait(c.request, time.Duration(f.Delay))
	var result answer
	var err error
	if waited && (onlyDelay || f.When == FaultAfter) {
		result, err = e.serve(c)
		c.account.stats.call(e.op, f.label(outcomeOf(err)))
		if err != nil {
			result = errorAnswer(err)
		}
	} else {
		c.account.stats.call(e.op, f.label("gone"))
	}
	if f.When == FaultAfter {
		waited = s.wait(c.request, time.Duration(f.Delay))
	}
	switch {
	case !waited || f.Drop:
		drop(w)
	case f.HTTPStatus != 0:
		http.Error(w, http.StatusText(f.HTTPStatus), f.HTTPStatus)
	case f.ErrCode != 0:
		setDefault(&f.ErrMsg, "scripted error")
		writeWX(w, wxErrorf(f.ErrCode, f.ErrMsg))
	default:
		result.write(w)
	}
}

// label is how a faulty call is counted.
func (f *Fault) label(otherwise string) string {
	switch {
	case f.Drop:
		return "drop"
	case f.HTTPStatus != 0:
		return "http-" + strconv.Itoa(f.HTTPStatus)
	case f.ErrCode != 0:
		return codeLabel(f.ErrCode)
	}
	return otherwise
}

// wait reports false when the caller or the Server left first.
func (s *Server) wait(r *http.Request, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-r.Context().Done():
		return false
	case <-s.stopped:
		return false
	}
}

// drop closes the connection without an answer, as a broken network does.
func drop(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		http.Error(w, http.StatusText(http.StatusBadGateway), http.StatusBadGateway)
		return
	}
	_ = conn.Close()
}
