package wechatsim

import "time"

// trigger is what a customer did that allows the account to send.
type trigger string

const (
	triggerMessage trigger = "message"
	triggerEnter   trigger = "enter"
	triggerTap     trigger = "tap" // of the menu, or of an item of a msgmenu
	triggerFollow  trigger = "follow"
	triggerScan    trigger = "scan"
)

// allowance is how many messages a trigger permits, and for how long.
type allowance struct {
	trigger trigger
	count   int
	window  time.Duration
}

// allowances lists what an account may send.
func allowances(app App) []allowance {
	message := allowance{triggerMessage, app.SendsPerMessage, 48 * time.Hour}
	if app.Kind == KindOfficialAccount {
		return []allowance{
			{triggerTap, 3, time.Minute},
			{triggerFollow, 3, time.Minute},
			{triggerScan, 3, time.Minute},
			message,
		}
	}
	return []allowance{{triggerEnter, 2, time.Minute}, message}
}

// window is one open permission.
type window struct {
	Left    int       `json:"left"`
	Expires time.Time `json:"expires"`
}

// ledger says how many messages the account may still send to one customer.
type ledger map[trigger]window

// open starts a trigger's window anew: what was left of the one before is forgotten, not added.
func (l ledger) open(app App, t trigger, now time.Time) {
	for _, a := range allowances(app) {
		if a.trigger == t {
			l[t] = window{Left: a.count, Expires: now.Add(a.window)}
		}
	}
}

// check says whether a message may be sent now, without spending anything.
func (l ledger) check(app App, now time.Time) error {
	live := false
	for _, a := range allowances(app) {
		w, ok := l[a.trigger]
		if !ok || !now.Before(w.Expires) {
			continue
		}
		if w.Left > 0 {
			return nil
		}
		live = true
	}
	if live {
		return wxErrorf(45047, "out of response count limit")
	}
	return wxErrorf(45015, "response out of time limit or subscription is canceled")
}

// spend takes one message from every open window, because allowances do not add up: a customer who entered (2)
// and then wrote (5) may get 5 messages, not 7. The caller has checked.
func (l ledger) spend(now time.Time) {
	for t, w := range l {
		if now.Before(w.Expires) && w.Left > 0 {
			w.Left--
			l[t] = w
		}
	}
}

// inWindow says whether any window is open, spent or not: that is what typing needs.
func (l ledger) inWindow(now time.Time) bool {
	for _, w := range l {
		if now.Before(w.Expires) {
			return true
		}
	}
	return false
}
