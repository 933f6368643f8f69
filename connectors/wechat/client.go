package wechat

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/yingda-dev/yingda/connectors"
)

const (
	// callTimeout bounds connecting, sending and the answer of a call.
	callTimeout = 5 * time.Second
	// fileTimeout bounds an upload or a download of up to MaxFile.
	fileTimeout = 60 * time.Second
	maxAnswer   = 1 << 20
	// MaxFile is the largest file that is fetched.
	MaxFile = 20 << 20
	// maxFiles bounds how many files one Channel has in memory.
	maxFiles = 4
	// maxConnections bounds what one Channel opens to the platform.
	maxConnections = 64
)

// Account is who calls the API.
type Account struct {
	BaseURL   string
	AppID     string
	AppSecret string
}

// Client calls the platform's API for one account. It is safe for concurrent use.
type Client struct {
	account Account
	http    *http.Client
	clock   func() time.Time
	observe func(call, outcome string, took time.Duration)
	tokens  tokens
	// files are the turns of those who hold a file in memory.
	files chan struct{}
}

// NewClient makes a client; it calls nobody.
func NewClient(account Account, services connectors.Services) *Client {
	c := &Client{
		account: account,
		http:    newHTTPClient(),
		clock:   services.Clock,
		observe: services.ObserveCall,
		files:   make(chan struct{}, maxFiles),
	}
	c.tokens = newTokens(c, services.Tokens)
	return c
}

// newHTTPClient calls the account's own host only: redirects could lead a token or a message elsewhere.
func newHTTPClient() *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			Proxy:                 http.ProxyFromEnvironment,
			DialContext:           (&net.Dialer{Timeout: callTimeout}).DialContext,
			TLSHandshakeTimeout:   callTimeout,
			MaxIdleConnsPerHost:   maxConnections,
			MaxConnsPerHost:       maxConnections,
			IdleConnTimeout:       time.Minute,
			ResponseHeaderTimeout: fileTimeout,
			ForceAttemptHTTP2:     true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Close releases the connections that are idle.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Check fetches an access token.
func (c *Client) Check(ctx context.Context) error {
	_, err := c.tokens.get(ctx)
	return err
}

// Send is custom/send with the given body. After an error of class Unknown the message may have arrived.
func (c *Client) Send(ctx context.Context, body any) error {
	return c.post(ctx, "send", "/cgi-bin/message/custom/send", body)
}

// Typing is custom/typing: the customer sees for 15 s, or until a message comes, that somebody types.
func (c *Client) Typing(ctx context.Context, openID string) error {
	return c.post(ctx, "typing", "/cgi-bin/message/custom/typing", map[string]string{"touser": openID, "command": "Typing"})
}

func (c *Client) post(ctx context.Context, call, path string, body any) error {
	_, err := c.postBy(ctx, call, path, body, codes)
	return err
}

func (c *Client) postBy(ctx context.Context, call, path string, body any, table func(int) verdict) (said []byte, err error) {
	// The platform shows \u003c to the customer as it stands, which breaks links in texts.
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(body); err != nil {
		return nil, &connectors.CallError{Class: connectors.ClassPermanent, Reason: "CannotEncode", Err: err}
	}
	err = c.withToken(ctx, func(ctx context.Context, token string) error {
		answer, err := c.do(ctx, request{
			name: call, method: http.MethodPost, path: path, query: url.Values{"access_token": {token}},
			body: buffer.Bytes(), contentType: "application/json; charset=utf-8", timeout: callTimeout, maxAnswer: maxAnswer, coded: true,
		}, table)
		said = answer.body
		return err
	})
	return said, err
}

// withToken calls f with an access token, and once more with a new one when the platform refused the first. That is no
// repeat of a message: a call with a refused token has no effect.
func (c *Client) withToken(ctx context.Context, f func(ctx context.Context, token string) error) error {
	token, err := c.tokens.get(ctx)
	if err != nil {
		return err
	}
	err = f(ctx, token)
	if remedyOf(err) != refreshToken {
		return err
	}
	if token, err = c.tokens.renew(ctx, token); err != nil {
		return err
	}
	return f(ctx, token)
}

// request is one call of the API.
type request struct {
	name, method, path string
	query              url.Values
	// address is where else than at the API the call is made; "" for the API.
	address     string
	body        []byte
	contentType string
	timeout     time.Duration
	maxAnswer   int64
	// repeatable says that a call which may have been done can be made again: no answer is RetryLater, not Unknown.
	repeatable bool
	// binary says that the answer may be a file.
	binary bool
	// coded says that the answer holds an error code even when it is a success: what holds none is not the platform's.
	coded bool
}

// answer is what came back with status 200 and without an error code.
type answer struct {
	body []byte
}

// do makes one call and observes it.
func (c *Client) do(ctx context.Context, r request, table func(int) verdict) (answer, error) {
	begin := c.clock()
	result, err := c.exchange(ctx, r, table)
	outcome := "ok"
	if failure, ok := errors.AsType[*connectors.CallError](err); ok {
		outcome = string(failure.Class)
	}
	c.observe(r.name, outcome, c.clock().Sub(begin))
	return result, err
}

func (c *Client) exchange(ctx context.Context, r request, table func(int) verdict) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	// A connection that was got may carry bytes of the request; GetConn begins each attempt of the transport, which repeats
	// a POST by itself only when nothing of it was written.
	var connected atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn: func(string) { connected.Store(false) },
		GotConn: func(httptrace.GotConnInfo) { connected.Store(true) },
	})
	address := cmp.Or(r.address, c.account.BaseURL+r.path+"?"+r.query.Encode())
	req, err := http.NewRequestWithContext(ctx, r.method, address, bytes.NewReader(r.body))
	if err != nil {
		return answer{}, &connectors.CallError{Class: connectors.ClassCredentials, Reason: "InvalidAPIBaseURL"}
	}
	if r.contentType != "" {
		req.Header.Set("Content-Type", r.contentType)
	}
	lost := func(reason string, err error) error {
		class := connectors.ClassUnknown
		if r.repeatable || !connected.Load() {
			class = connectors.ClassRetryLater
		}
		return &connectors.CallError{Class: class, Reason: reason, Err: withoutURL(err)}
	}
	res, err := c.http.Do(req)
	if err != nil {
		return answer{}, lost("NoAnswer", err)
	}
	defer res.Body.Close()
	body, err := readBody(res, r.maxAnswer)
	if err != nil {
		return answer{}, lost("NoAnswer", err)
	}
	switch {
	case res.StatusCode >= http.StatusInternalServerError, res.StatusCode > http.StatusOK && res.StatusCode < http.StatusMultipleChoices:
		return answer{}, lost("PlatformError", fmt.Errorf("status %d", res.StatusCode))
	case res.StatusCode != http.StatusOK:
		// Something before the platform answered, so the platform did nothing; redirects are not followed.
		return answer{}, &connectors.CallError{
			Class: connectors.ClassRetryLater, Reason: "UnexpectedStatus", RetryAfter: retryMinute, Err: fmt.Errorf("status %d", res.StatusCode),
		}
	case int64(len(body)) > r.maxAnswer:
		return answer{}, &connectors.CallError{Class: connectors.ClassPermanent, Reason: "TooLarge"}
	}
	return judge(answer{body: body}, r, table, lost)
}

// readBody reads at most one byte more than may come, into a buffer of the size that was announced.
func readBody(res *http.Response, most int64) ([]byte, error) {
	var buffer bytes.Buffer
	if res.ContentLength > 0 {
		buffer.Grow(int(min(res.ContentLength, most)) + bytes.MinRead)
	}
	_, err := buffer.ReadFrom(io.LimitReader(res.Body, most+1))
	return buffer.Bytes(), err
}

// judge reads the error code out of an answer. Files come without one; their errors come as JSON of any content type.
func judge(a answer, r request, table func(int) verdict, lost func(string, error) error) (answer, error) {
	var status struct {
		Code *int `json:"errcode"`
	}
	isJSON := json.Unmarshal(a.body, &status) == nil
	switch {
	case status.Code != nil && *status.Code != 0:
		return answer{}, table(*status.Code).failure(*status.Code)
	case !isJSON && !r.binary:
		return answer{}, lost("UnreadableAnswer", errors.New("the answer is no JSON"))
	case status.Code == nil && r.coded:
		return answer{}, lost("UnreadableAnswer", errors.New("the answer holds no error code"))
	default:
		return a, nil
	}
}

// withoutURL drops the URL from an error of net/http: its query holds the access token.
func withoutURL(err error) error {
	if inner, ok := errors.AsType[*url.Error](err); ok {
		return inner.Err
	}
	return err
}
