//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"
)

// simulator is WeChat's side: accounts, their customers, and what these receive.
type simulator struct{ url string }

func (s simulator) app(id string) app { return app{s.url + "/sim/v1/apps/" + id, id, s} }

// app is one account at the platform.
type app struct {
	url, id string
	sim     simulator
}

// console is what the platform's console knows of an account.
type console struct {
	AppID          string `json:"appID,omitempty"`
	AppSecret      string `json:"appSecret,omitempty"`
	Token          string `json:"token,omitempty"`
	EncodingAESKey string `json:"encodingAESKey,omitempty"`
	OriginalID     string `json:"originalID,omitempty"`
	Name           string `json:"name,omitempty"`
	Mode           string `json:"mode,omitempty"`
	Format         string `json:"format,omitempty"`
	CallbackURL    string `json:"callbackURL,omitempty"`
}

// change changes what the console says; empty fields stay.
func (a app) change(ctx context.Context, to console) error {
	return call(ctx, http.MethodPatch, a.url, "", to, nil)
}

// set changes what the console says until the test ends.
func (a app) set(t *testing.T, to console) {
	t.Helper()
	var before console
	must(t, call(t.Context(), http.MethodGet, a.url, "", nil, &before))
	must(t, a.change(t.Context(), to))
	cleanly(t, func(ctx context.Context) error { return a.change(ctx, before) })
}

// create makes the account until the test ends.
func (a app) create(t *testing.T, c console) {
	t.Helper()
	c.AppID = a.id
	must(t, call(t.Context(), http.MethodPost, a.sim.url+"/sim/v1/apps", "", c, nil))
	cleanly(t, func(ctx context.Context) error { return call(ctx, http.MethodDelete, a.url, "", nil, nil) })
}

// verify does what the console does when the callback URL is saved.
func (a app) verify(ctx context.Context) error {
	var answer struct {
		OK bool `json:"ok"`
	}
	if err := call(ctx, http.MethodPost, a.url+"/verify", "", nil, &answer); err != nil {
		return err
	}
	if !answer.OK {
		return fmt.Errorf("the callback URL of %s did not pass the platform's check", a.id)
	}
	return nil
}

func (a app) revokeTokens(ctx context.Context) error {
	return call(ctx, http.MethodPost, a.url+"/tokens/revoke", "", nil, nil)
}

// fault scripts what goes wrong with the next calls of the product; what is left of it ends with the test.
func (a app) fault(t *testing.T, f map[string]any) {
	t.Helper()
	must(t, call(t.Context(), http.MethodPost, a.url+"/faults", "", f, nil))
	cleanly(t, a.clearFaults)
}

func (a app) clearFaults(ctx context.Context) error {
	return call(ctx, http.MethodDelete, a.url+"/faults", "", nil, nil)
}

func (a app) customer(openid string) customer {
	return customer{a.url + "/customers/" + openid, openid, a}
}

// customer is a phone.
type customer struct {
	url, openid string
	app         app
}

// push is what became of something that a customer sent.
type push struct {
	ID       string    `json:"id"`
	MsgID    string    `json:"msgId"`
	State    string    `json:"state"`
	Attempts []attempt `json:"attempts"`
	// Reply is what the customer read by the answer itself.
	Reply *line `json:"reply"`
}

type attempt struct {
	Status  int    `json:"status"`
	Outcome string `json:"outcome"`
	Answer  string `json:"answer"`
}

const (
	pushDelivered  = "delivered"
	pushFailed     = "failed"
	outcomeSuccess = "success"
)

// send sends anything and waits until the push has come to its end, good or bad.
func (c customer) send(ctx context.Context, message map[string]any) (push, error) {
	var p push
	err := call(ctx, http.MethodPost, c.url+"/messages", "", message, &p)
	return p, err
}

// sends is send for what the product must take.
func (c customer) sends(t testing.TB, message map[string]any) push {
	t.Helper()
	p, err := c.send(t.Context(), message)
	must(t, err)
	if p.State != pushDelivered {
		t.Fatalf("the product did not take the push: %s", describe(p))
	}
	return p
}

func (c customer) writes(t testing.TB, text string) push {
	t.Helper()
	return c.sends(t, map[string]any{"content": text})
}

// happens lets the platform tell of something that the customer did at an official account.
func (c customer) happens(t testing.TB, event string) push {
	t.Helper()
	return c.sends(t, map[string]any{"type": "event", "event": event})
}

// taps uses a button of the official account's menu.
func (c customer) taps(t testing.TB, button string) push {
	t.Helper()
	var p push
	must(t, call(t.Context(), http.MethodPost, c.url+"/tap", "", map[string]string{"button": button}, &p))
	return p
}

// repeat sends a push again, the same to the byte.
func (a app) repeat(ctx context.Context, id string, times int, concurrent bool) ([]attempt, error) {
	var answer struct {
		Attempts []attempt `json:"attempts"`
	}
	err := call(ctx, http.MethodPost, a.url+"/pushes/"+id+"/repeat", "", map[string]any{"times": times, "concurrent": concurrent}, &answer)
	return answer.Attempts, err
}

// line is one message that the customer received.
type line struct {
	N    int       `json:"n"`
	At   time.Time `json:"at"`
	Type string    `json:"type"`
	Text string    `json:"text"`
	// Via is the way by which it came.
	Via string `json:"via"`
}

// viaPassive is the way of what the account says in its answer to a push; it costs no message.
const viaPassive = "passive"

func (c customer) received(ctx context.Context) ([]line, error) {
	var answer struct {
		Messages []line `json:"messages"`
	}
	err := call(ctx, http.MethodGet, c.url+"/received?after=0", "", nil, &answer)
	return answer.Messages, err
}

// reads waits until the customer has received a text.
func (c customer) reads(t testing.TB, text string) {
	t.Helper()
	c.receives(t, fmt.Sprintf("%q on the customer's phone", text), func(l line) bool { return l.Text == text })
}

// receives waits until the customer has received a message.
func (c customer) receives(t testing.TB, what string, wanted func(line) bool) line {
	t.Helper()
	var found line
	await(t, what, soon, c.received, func(lines []line) bool {
		for _, l := range lines {
			if wanted(l) {
				found = l
				return true
			}
		}
		return false
	})
	return found
}

// load is a stream of texts of many customers.
type load struct {
	ID           string        `json:"id"`
	State        string        `json:"state"`
	Planned      int           `json:"planned"`
	Written      int           `json:"written"`
	Acknowledged int           `json:"acknowledged"`
	Failed       int           `json:"failed"`
	Messages     []loadMessage `json:"messages"`
}

type loadMessage struct {
	OpenID       string `json:"openid"`
	Seq          int    `json:"seq"`
	MsgID        string `json:"msgId"`
	Acknowledged bool   `json:"acknowledged"`
}

func (a app) startLoad(ctx context.Context, prefix string, customers, perSecond int, length time.Duration) (load, error) {
	var l load
	err := call(ctx, http.MethodPost, a.url+"/load", "", map[string]any{
		"customers": customers, "ratePerSecond": perSecond, "seconds": length.Seconds(), "openidPrefix": prefix,
	}, &l)
	return l, err
}

func (s simulator) load(ctx context.Context, id, detail string) (load, error) {
	var l load
	err := call(ctx, http.MethodGet, s.url+"/sim/v1/loads/"+id+"?messages="+detail, "", nil, &l)
	return l, err
}
