package wechat

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/yingda-dev/yingda/connectors"
)

// maxEarly is how long before its end a token is fetched anew. Only in its last five minutes does stable_token give
// out the next one, and then both are good.
const maxEarly = 4 * time.Minute

// tokens keeps the account's access token. Replicas share one without talking to each other: in its normal mode
// stable_token gives all of them the same.
//
//	refused ──> fetch (normal) ──> another token? ──yes──> use it
//	                                    │ no
//	                                    v
//	                         may I force? (once in 30 s for all replicas)
//	                          │ yes             │ no: somebody just did
//	                          v                 v
//	                     fetch (force)     fetch (normal), else try later
type tokens struct {
	client *Client
	guard  connectors.TokenGuard
	// lock is a mutex that gives up with its caller's context; it also makes concurrent callers share one fetch.
	lock    chan struct{}
	current accessToken
}

type accessToken struct {
	text    string
	renewAt time.Time
}

func newTokens(client *Client, guard connectors.TokenGuard) tokens {
	return tokens{client: client, guard: guard, lock: make(chan struct{}, 1)}
}

func (t *tokens) acquire(ctx context.Context) error {
	select {
	case t.lock <- struct{}{}:
		return nil
	case <-ctx.Done():
		return &connectors.CallError{Class: connectors.ClassRetryLater, Reason: "NoAccessToken", Err: ctx.Err()}
	}
}

// get returns a token that should be good.
func (t *tokens) get(ctx context.Context) (string, error) {
	if err := t.acquire(ctx); err != nil {
		return "", err
	}
	defer func() { <-t.lock }()
	if t.current.text != "" && t.client.clock().Before(t.current.renewAt) {
		return t.current.text, nil
	}
	return t.fetch(ctx, normalMode)
}

// renew returns another token than the one that the platform refused.
func (t *tokens) renew(ctx context.Context, refused string) (string, error) {
	if err := t.acquire(ctx); err != nil {
		return "", err
	}
	defer func() { <-t.lock }()
	if t.current.text != "" && t.current.text != refused {
		// Another caller has renewed it while this one waited.
		return t.current.text, nil
	}
	token, err := t.fetch(ctx, normalMode)
	if err != nil || token != refused {
		return token, err
	}
	mayForce, err := t.guard.MayForce(ctx, t.client.account.AppID)
	if err != nil {
		return "", &connectors.CallError{Class: connectors.ClassRetryLater, Reason: "NoAccessToken", RetryAfter: time.Second, Err: err}
	}
	mode := normalMode
	if mayForce {
		mode = forceMode
	}
	if token, err = t.fetch(ctx, mode); err != nil || token != refused {
		return token, err
	}
	t.current = accessToken{}
	return "", &connectors.CallError{Class: connectors.ClassRetryLater, Reason: "AccessTokenRefused", RetryAfter: time.Second}
}

type tokenMode bool

const (
	normalMode tokenMode = false
	forceMode  tokenMode = true
)

// fetch asks for a token and keeps it. The caller holds the lock.
func (t *tokens) fetch(ctx context.Context, mode tokenMode) (string, error) {
	body, err := json.Marshal(map[string]any{
		"grant_type": "client_credential", "appid": t.client.account.AppID, "secret": t.client.account.AppSecret, "force_refresh": bool(mode),
	})
	if err != nil {
		return "", &connectors.CallError{Class: connectors.ClassCredentials, Reason: "InvalidAppSecret"}
	}
	begin := t.client.clock()
	a, err := t.client.do(ctx, request{
		name: "stable_token", method: http.MethodPost, path: "/cgi-bin/stable_token", body: body, contentType: "application/json",
		timeout: callTimeout, maxAnswer: maxAnswer, repeatable: true,
	}, tokenCodes)
	if err != nil {
		return "", err
	}
	var granted struct {
		Token   string `json:"access_token"`
		Seconds int    `json:"expires_in"`
	}
	if json.Unmarshal(a.body, &granted) != nil || granted.Token == "" {
		return "", &connectors.CallError{Class: connectors.ClassRetryLater, Reason: "UnreadableAnswer", RetryAfter: time.Second}
	}
	lifetime := time.Duration(granted.Seconds) * time.Second
	t.current = accessToken{text: granted.Token, renewAt: begin.Add(lifetime - min(maxEarly, lifetime/2))}
	return granted.Token, nil
}
