package wechatsim

import (
	"context"
	"net/http"
	"strconv"
	"sync"
	"time"
)

var (
	errNoCallback  = &problem{http.StatusConflict, "the app has no callbackURL yet"}
	errUnknownPush = &problem{http.StatusNotFound, "no such push, or it is too old to be remembered"}
	errQueueFull   = &problem{http.StatusTooManyRequests, "too many pushes of this customer are waiting"}
)

// job is one message or event on its way to the callback.
type job struct {
	id, msgID, openID string
	seq               int // the chat's line
	kind              Kind
	event             bool    // has no MsgId
	unseen            bool    // the customer does not wait for an answer
	opens             trigger // the window that it opens, if any
	created           time.Time
	skew              time.Duration
	fields            []field // after the common ones
	rawBody           string  // replaces everything
	done              func(Push)
}

// render writes the plain body at the moment of sending, so that a change of the app's format takes effect at once.
func (j *job) render(app App) []byte {
	if j.rawBody != "" {
		return []byte(j.rawBody)
	}
	fields := append([]field{
		{"ToUserName", app.OriginalID},
		{"FromUserName", j.openID},
		{"CreateTime", j.created.Add(j.skew).Unix()},
	}, j.fields...)
	if j.msgID != "" {
		id, err := strconv.ParseInt(j.msgID, 10, 64)
		if err == nil {
			fields = append(fields, field{"MsgId", id})
		}
	}
	return renderFields(app.Format, fields)
}

func (j *job) delivered(attempts []Attempt) Push {
	return Push{ID: j.id, MsgID: j.msgID, OpenID: j.openID, State: PushDelivered, Attempts: attempts}
}

func (j *job) failed(attempts []Attempt) Push {
	return Push{ID: j.id, MsgID: j.msgID, OpenID: j.openID, State: PushFailed, Shown: j.shown(), Attempts: attempts}
}

// shown is the error that the phone shows when the push has failed, if the customer sees one at all.
func (j *job) shown() string {
	if j.unseen {
		return ""
	}
	return systemError(j.kind)
}

// enqueueLocked puts a job into its customer's queue and makes sure that somebody works on it. The caller holds acc.mu.
func (s *Server) enqueueLocked(ctx context.Context, acc *account, c *customer, j *job) error {
	if len(c.queue) >= maxQueue {
		return errQueueFull
	}
	if acc.app.Order == OrderParallel {
		if !s.background(ctx, func(ctx context.Context) { s.finish(acc, c, j, s.deliverUnlessSilent(ctx, acc, j)) }) {
			return errStopping
		}
		return nil
	}
	if !c.pushing && !s.background(ctx, func(ctx context.Context) { s.drain(ctx, acc, c) }) {
		return errStopping
	}
	c.pushing = true
	c.queue = append(c.queue, j)
	return nil
}

// drain sends a customer's queue, one after the other, and ends when it is empty.
func (s *Server) drain(ctx context.Context, acc *account, c *customer) {
	for {
		acc.mu.Lock()
		if len(c.queue) == 0 {
			c.pushing, c.queue = false, nil
			acc.mu.Unlock()
			return
		}
		j := c.queue[0]
		c.queue = c.queue[1:]
		acc.mu.Unlock()
		push := j.failed(nil)
		if ctx.Err() == nil {
			push = s.deliverUnlessSilent(ctx, acc, j)
		}
		s.finish(acc, c, j, push)
	}
}

func (s *Server) deliverUnlessSilent(ctx context.Context, acc *account, j *job) Push {
	acc.mu.Lock()
	silent := s.opts.Clock().Before(acc.silentTil)
	acc.mu.Unlock()
	if silent {
		acc.stats.change(func(c *Stats) { c.Suppressed++ })
		return j.failed(nil)
	}
	return s.deliver(ctx, acc, j)
}

// finish counts a push's end, shows it in the chat and tells whoever waits.
func (s *Server) finish(acc *account, c *customer, j *job, push Push) {
	push.LatencyMS = milliseconds(s.opts.Clock().Sub(j.created))
	tries := len(push.Attempts)
	acc.stats.change(func(st *Stats) {
		switch {
		case push.State == PushDelivered:
			st.Successes++
		case tries > 0 && push.Attempts[tries-1].Outcome == OutcomeInvalidAnswer:
			st.InvalidAnswers++
		case tries > 0:
			st.GaveUp++
		}
	})
	now := s.now()
	acc.mu.Lock()
	acc.countFailureLocked(push, s.opts.Clock())
	c.markLocked(j.seq, push.State)
	if push.Reply != nil {
		acc.showReplyLocked(c, &push, now)
	}
	if push.Shown != "" {
		acc.appendLocked(c, Entry{At: s.opts.Clock(), From: FromSystem, Type: "error", Text: push.Shown, MsgID: j.msgID})
	}
	acc.mu.Unlock()
	j.done(push)
}

// countFailureLocked is MarkFail: after so many messages given up in a row nothing is pushed for a minute.
func (a *account) countFailureLocked(push Push, now time.Time) {
	if push.State == PushDelivered {
		a.failures = 0
		return
	}
	if len(push.Attempts) == 0 || a.app.MarkFailAfter == 0 {
		return
	}
	a.failures++
	if a.failures >= a.app.MarkFailAfter {
		a.failures = 0
		a.silentTil = now.Add(markFailPause)
	}
}

// pushLog remembers the last pushes as they went over the wire, for repeats.
type pushLog struct {
	byID  map[string]sealed
	order []string
}

func newPushLog() pushLog { return pushLog{byID: map[string]sealed{}} }

func (a *account) keepPush(id string, p sealed) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, ok := a.pushes.byID[id]; !ok {
		a.pushes.order = append(a.pushes.order, id)
	}
	a.pushes.byID[id] = p
	if len(a.pushes.order) > maxKeptPushes {
		delete(a.pushes.byID, a.pushes.order[0])
		a.pushes.order = a.pushes.order[1:]
	}
}

// Repeat asks for a push to be sent again, as the platform does when an answer got lost.
type Repeat struct {
	// times is how often (default 1, at most 100).
	Times int `json:"times,omitempty"`
	// concurrent sends all of them at once.
	Concurrent bool `json:"concurrent,omitempty"`
	// callbackURL sends them elsewhere, to another replica for instance (default: the app's).
	CallbackURL string `json:"callbackURL,omitempty"`
	// fresh gives each a new timestamp, nonce and signature; without it they are the same to the byte.
	Fresh bool `json:"fresh,omitempty"`
}

const maxRepeats = 100

// RepeatPush sends a push of before again, one attempt each, and says what was answered.
func (s *Server) RepeatPush(ctx context.Context, appID, pushID string, r Repeat) ([]Attempt, error) {
	setDefault(&r.Times, 1)
	if r.Times < 1 || r.Times > maxRepeats {
		return nil, problemf(http.StatusBadRequest, "times must be 1 to %d", maxRepeats)
	}
	acc, err := s.account(appID)
	if err != nil {
		return nil, err
	}
	acc.mu.Lock()
	app := acc.app
	p, ok := acc.pushes.byID[pushID]
	acc.mu.Unlock()
	if !ok {
		return nil, errUnknownPush
	}
	if r.CallbackURL != "" {
		if err := checkCallback(r.CallbackURL); err != nil {
			return nil, err
		}
		app.CallbackURL = r.CallbackURL
	}
	attempts := make([]Attempt, r.Times)
	var group sync.WaitGroup
	for i := range attempts {
		one := func() {
			again := p
			if r.Fresh {
				again = s.stamp(p, 0)
			}
			attempts[i], _ = s.attempt(ctx, app, again)
			acc.stats.change(func(c *Stats) { c.Attempts++ })
		}
		if r.Concurrent {
			group.Go(one)
		} else {
			one()
		}
	}
	group.Wait()
	return attempts, nil
}
