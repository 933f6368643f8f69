package wechatsim

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	retries        = 3
	maxAnswer      = 64 << 10
	shownAnswer    = 300
	markFailPause  = time.Minute
	maxConnections = 512
)

// PushState says how far a push has come.
type PushState string

// The states of a push.
const (
	PushSending   PushState = "sending"
	PushDelivered PushState = "delivered"
	PushFailed    PushState = "failed"
)

// Attempt is one try to deliver a push.
type Attempt struct {
	At time.Time `json:"at"`
	// status is the HTTP status of the answer, 0 when none came.
	Status int `json:"status"`
	// answer is the beginning of the answer's body, decrypted if it was encrypted.
	Answer string `json:"answer"`
	// outcome is success, replied, transferred, invalid-answer, http-status, timeout or no-connection.
	Outcome Outcome `json:"outcome"`
	// problem is what is wrong with an invalid answer.
	Problem   string  `json:"problem,omitempty"`
	LatencyMS float64 `json:"latencyMs"`
}

// Push is what became of a message or an event of a customer's.
type Push struct {
	// id names the push for `repeat`; for messages it is the MsgId, events have no MsgId but an id all the same.
	ID     string    `json:"id"`
	MsgID  string    `json:"msgId,omitempty"`
	OpenID string    `json:"openid"`
	State  PushState `json:"state"`
	// reply is the passive reply that the customer's phone shows.
	Reply *Entry `json:"reply,omitempty"`
	// shown is the error that the customer's phone shows.
	Shown     string    `json:"shown,omitempty"`
	Attempts  []Attempt `json:"attempts"`
	LatencyMS float64   `json:"latencyMs"`
}

// sealed is a push as it goes over the wire.
type sealed struct {
	timestamp, nonce string
	openID           string
	event            bool
	encrypted        string // the Encrypt text, empty in plaintext mode
	body             []byte
	contentType      string
}

// query is the callback's query, in the platform's order and without needless escaping.
func (p sealed) query(token string) string {
	q := "signature=" + sign(token, p.timestamp, p.nonce) + "&timestamp=" + p.timestamp + "&nonce=" + p.nonce +
		"&openid=" + url.QueryEscape(p.openID)
	if p.encrypted != "" {
		q += "&encrypt_type=aes&msg_signature=" + sign(token, p.timestamp, p.nonce, p.encrypted)
	}
	return q
}

// sealPush writes a plain body as the app's mode asks. In compatible mode the plain fields stay beside the encrypted text.
func sealPush(app App, plain, random []byte) (sealed, error) {
	p := sealed{body: plain, contentType: "application/json"}
	if app.Format == FormatXML {
		p.contentType = "text/xml"
	}
	if app.Mode == ModePlaintext {
		return p, nil
	}
	key, err := decodeKey(app.EncodingAESKey)
	if err != nil {
		return sealed{}, err
	}
	p.encrypted, err = seal(key, envelope{random: random, message: plain, receiverID: app.AppID})
	if err != nil {
		return sealed{}, err
	}
	if app.Mode == ModeCompatible {
		p.body = addEncrypt(app.Format, plain, p.encrypted)
		return p, nil
	}
	p.body = renderFields(app.Format, []field{{"ToUserName", app.OriginalID}, {"Encrypt", p.encrypted}})
	return p, nil
}

// addEncrypt puts the encrypted text as the last element into a plain body, whatever that holds.
func addEncrypt(format Format, plain []byte, encrypted string) []byte {
	end, element := "}", `,"Encrypt":`+jsonString(encrypted)
	if format == FormatXML {
		end, element = "</xml>", "<Encrypt>"+cdata(encrypted)+"</Encrypt>\n"
	}
	at := bytes.LastIndex(plain, []byte(end))
	if at < 0 {
		at = len(plain)
	}
	return []byte(string(plain[:at]) + element + string(plain[at:]))
}

// stamp gives a push a fresh timestamp and nonce.
func (s *Server) stamp(p sealed, skew time.Duration) sealed {
	p.timestamp = strconv.FormatInt(s.opts.Clock().Add(skew).Unix(), 10)
	p.nonce = randomNonce()
	return p
}

// newPushClient builds the client of the pushes: no proxy, no redirects, and no address beyond this machine.
func newPushClient() *http.Client {
	dialer := &net.Dialer{
		Timeout: defaultPushTimeout,
		Control: func(_, address string, _ syscall.RawConn) error { return checkDialled(address) },
	}
	return &http.Client{
		Transport: &http.Transport{
			DialContext:         dialer.DialContext,
			MaxIdleConns:        maxConnections,
			MaxIdleConnsPerHost: maxConnections,
			MaxConnsPerHost:     maxConnections,
			IdleConnTimeout:     time.Minute,
			DisableCompression:  true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// attempt delivers a push once. What an official account replied is for the caller to show.
func (s *Server) attempt(ctx context.Context, app App, p sealed) (Attempt, *passiveReply) {
	begin := s.opts.Clock()
	a := Attempt{At: begin}
	ctx, cancel := context.WithTimeout(ctx, s.opts.PushTimeout)
	defer cancel()
	status, answer, err := s.post(ctx, app.CallbackURL, p.query(app.Token), p)
	a.LatencyMS = milliseconds(s.opts.Clock().Sub(begin))
	a.Status = status
	switch {
	case err != nil:
		a.Outcome = OutcomeNoConnection
		if errors.Is(err, context.DeadlineExceeded) {
			a.Outcome = OutcomeTimeout
		}
	case status != http.StatusOK:
		a.Outcome, a.Answer = OutcomeStatus, shorten(string(answer))
	default:
		v := judge(app, p, answer)
		a.Outcome, a.Answer, a.Problem = v.outcome, shorten(v.text), v.problem
		return a, v.reply
	}
	return a, nil
}

func (s *Server) post(ctx context.Context, callback, query string, p sealed) (int, []byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, addQuery(callback, query), bytes.NewReader(p.body))
	if err != nil {
		return 0, nil, fmt.Errorf("building push: %w", err)
	}
	req.Header.Set("Content-Type", p.contentType)
	return s.exchange(req)
}

func (s *Server) exchange(req *http.Request) (int, []byte, error) {
	req.Header.Set("User-Agent", "Mozilla/4.0")
	req.Header.Set("Accept", "*/*")
	res, err := s.client.Do(req)
	if err != nil {
		return 0, nil, fmt.Errorf("pushing: %w", err)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return 0, nil, fmt.Errorf("reading answer: %w", err)
	}
	return res.StatusCode, answer, nil
}

func addQuery(callback, query string) string {
	if strings.Contains(callback, "?") {
		return callback + "&" + query
	}
	return callback + "?" + query
}

// deliver tries up to four times. A missing answer or a failing status is tried again; an answer that the platform does
// not understand is not, the customer sees the error at once.
func (s *Server) deliver(ctx context.Context, acc *account, j *job) Push {
	app := acc.config()
	p, err := sealPush(app, j.render(app), randomBytes(randomLength))
	if err != nil {
		return j.failed(nil)
	}
	p.openID, p.event = j.openID, j.event
	p = s.stamp(p, j.skew)
	acc.keepPush(j.id, p)
	var attempts []Attempt
	var shown *Entry
	for try := range 1 + retries {
		if try > 0 {
			if !s.pause(ctx, s.opts.RetryDelay) {
				break
			}
			acc.stats.change(func(c *Stats) { c.Retries++ })
			if app.RetrySignature == RetryFresh {
				p = s.stamp(p, j.skew)
			}
		}
		a, answered := s.attemptUnlessFaulty(ctx, acc, app, p)
		shown = s.acceptReply(acc, j.openID, answered, &a)
		attempts = append(attempts, a)
		acc.stats.change(func(c *Stats) { c.Attempts++ })
		if a.Outcome.final() {
			break
		}
	}
	if len(attempts) > 0 && attempts[len(attempts)-1].Outcome.accepted() {
		push := j.delivered(attempts)
		push.Reply = shown
		return push
	}
	return j.failed(attempts)
}

// attemptUnlessFaulty lets a scripted fault of the network strike: before the callback hears of the push, or after it has
// answered, so that the platform does not know.
func (s *Server) attemptUnlessFaulty(ctx context.Context, acc *account, app App, p sealed) (Attempt, *passiveReply) {
	f := acc.takeFault(opPush, p.openID)
	if f == nil {
		return s.attempt(ctx, app, p)
	}
	lost := Attempt{At: s.opts.Clock(), Outcome: OutcomeNoConnection}
	if f.When == FaultBefore && (!s.pause(ctx, time.Duration(f.Delay)) || f.Drop) {
		return lost, nil
	}
	a, answered := s.attempt(ctx, app, p)
	if f.When == FaultAfter && (!s.pause(ctx, time.Duration(f.Delay)) || f.Drop) {
		a.Outcome = OutcomeNoConnection
		return a, nil
	}
	return a, answered
}

// pause waits; it reports false when the Server stopped meanwhile.
func (s *Server) pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// VerifyResult is what a URL verification gave.
type VerifyResult struct {
	OK     bool    `json:"ok"`
	Status int     `json:"status"`
	Answer string  `json:"answer"`
	Error  string  `json:"error,omitempty"`
	TookMS float64 `json:"latencyMs"`
}

// Verify asks the callback URL as the console does when it is saved: it must answer echostr unchanged.
func (s *Server) Verify(ctx context.Context, appID string) (VerifyResult, error) {
	acc, err := s.account(appID)
	if err != nil {
		return VerifyResult{}, err
	}
	app := acc.config()
	if app.CallbackURL == "" {
		return VerifyResult{}, errNoCallback
	}
	begin := s.opts.Clock()
	p := s.stamp(sealed{}, 0)
	echo := strconv.FormatInt(s.ids.next(begin), 10)
	query := "signature=" + sign(app.Token, p.timestamp, p.nonce) + "&echostr=" + echo +
		"&timestamp=" + p.timestamp + "&nonce=" + p.nonce
	ctx, cancel := context.WithTimeout(ctx, s.opts.PushTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, addQuery(app.CallbackURL, query), http.NoBody)
	if err != nil {
		return VerifyResult{}, fmt.Errorf("building verification: %w", err)
	}
	status, answer, err := s.exchange(req)
	result := VerifyResult{
		OK:     err == nil && status == http.StatusOK && string(answer) == echo,
		Status: status,
		Answer: shorten(string(answer)),
		TookMS: milliseconds(s.opts.Clock().Sub(begin)),
	}
	if err != nil {
		result.Error = "no answer"
	}
	return result, nil
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func shorten(text string) string {
	if len(text) <= shownAnswer {
		return text
	}
	return strings.ToValidUTF8(text[:shownAnswer], "") + "…"
}
