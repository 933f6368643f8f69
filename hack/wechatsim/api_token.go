package wechatsim

import (
	"crypto/subtle"
	"encoding/json"
	"time"
)

const (
	tokenLength    = 157 // as long as the real ones
	tokenOverlap   = 5 * time.Minute
	maxForced      = 20
	forceSpacing   = 30 * time.Second
	keptDeadTokens = 1000
	tokenDay       = "2006-01-02"
	grantClient    = "client_credential"
)

// TokenFamily tells the two isolated kinds of access tokens apart.
type TokenFamily string

// The families: GET /cgi-bin/token and POST /cgi-bin/stable_token.
const (
	FamilyPlain  TokenFamily = "token"
	FamilyStable TokenFamily = "stable"
)

// accessToken is one token; a revoked one is remembered, because the platform tells it from an expired one.
type accessToken struct {
	text    string
	family  TokenFamily
	expires time.Time
	revoked bool
}

// tokenBook holds an app's tokens. The account's mutex guards it.
type tokenBook struct {
	byText    map[string]*accessToken
	order     []string
	current   map[TokenFamily]*accessToken
	forced    []time.Time
	lastForce time.Time
}

func newTokenBook() tokenBook {
	return tokenBook{byText: map[string]*accessToken{}, current: map[TokenFamily]*accessToken{}}
}

// issue makes a new current token of a family; the one before lives on for a while, at most until its own end.
func (b *tokenBook) issue(family TokenFamily, lifetime time.Duration, now time.Time) *accessToken {
	if old := b.current[family]; old != nil {
		if end := now.Add(overlap(lifetime)); end.Before(old.expires) {
			old.expires = end
		}
	}
	t := &accessToken{text: randomText(tokenLength), family: family, expires: now.Add(lifetime)}
	b.byText[t.text] = t
	b.order = append(b.order, t.text)
	b.current[family] = t
	for len(b.order) > keptDeadTokens {
		delete(b.byText, b.order[0])
		b.order = b.order[1:]
	}
	return t
}

// overlap is 5 minutes, or half of a lifetime that a test has made shorter than that.
func overlap(lifetime time.Duration) time.Duration { return min(tokenOverlap, lifetime/2) }

// stable gives the current token while it has more than the overlap to live.
func (b *tokenBook) stable(lifetime time.Duration, now time.Time) *accessToken {
	t := b.current[FamilyStable]
	if t == nil || t.revoked || !now.Before(t.expires.Add(-overlap(lifetime))) {
		return b.issue(FamilyStable, lifetime, now)
	}
	return t
}

// force replaces the stable token and kills the old one at once. Sooner than 30 s after the last time it changes nothing.
func (b *tokenBook) force(lifetime time.Duration, now time.Time) (*accessToken, error) {
	if !b.lastForce.IsZero() && now.Before(b.lastForce.Add(forceSpacing)) {
		return b.stable(lifetime, now), nil
	}
	today := b.forced[:0]
	for _, t := range b.forced {
		if t.Format(tokenDay) == now.Format(tokenDay) {
			today = append(today, t)
		}
	}
	b.forced = today
	if len(b.forced) >= maxForced {
		return nil, wxErrorf(45009, "reach max api daily quota limit")
	}
	b.forced = append(b.forced, now)
	b.lastForce = now
	old := b.current[FamilyStable]
	t := b.issue(FamilyStable, lifetime, now)
	if old != nil {
		old.revoked = true
	}
	return t, nil
}

// verify is the check of every call: 41001 missing, 40014 no token at all, 42001 too old, 40001 not (or no longer) ours.
func (b *tokenBook) verify(text string, now time.Time) error {
	t, ok := b.byText[text]
	switch {
	case ok && t.revoked:
		return wxErrorf(40001, "invalid credential, access_token is invalid or not latest")
	case ok && !now.Before(t.expires):
		return wxErrorf(42001, "access_token expired")
	case ok:
		return nil
	case len(text) != tokenLength:
		return wxErrorf(40014, "invalid access_token")
	}
	return wxErrorf(40001, "invalid credential, access_token is invalid or not latest")
}

// byToken finds the account that a call's access token belongs to.
func (s *Server) byToken(c *call) (*account, error) {
	text := c.query.Get("access_token")
	if text == "" {
		return nil, wxErrorf(41001, "access_token missing")
	}
	now := s.now()
	err := (&tokenBook{}).verify(text, now)
	for _, acc := range s.sortedAccounts() {
		acc.mu.Lock()
		_, mine := acc.tokens.byText[text]
		if mine {
			err = acc.tokens.verify(text, now)
		}
		acc.mu.Unlock()
		if mine {
			return acc, err
		}
	}
	return nil, err
}

// credentials are what both token calls ask for.
type credentials struct {
	GrantType    string `json:"grant_type"`
	AppID        string `json:"appid"`
	Secret       string `json:"secret"`
	ForceRefresh bool   `json:"force_refresh"`
}

func (s *Server) byAppID(c *call) (*account, error) {
	return s.byCredentials(credentials{
		GrantType: c.query.Get("grant_type"), AppID: c.query.Get("appid"), Secret: c.query.Get("secret"),
	})
}

func (s *Server) byBodyAppID(c *call) (*account, error) {
	given, err := readCredentials(c.body)
	if err != nil {
		return nil, err
	}
	return s.byCredentials(given)
}

func readCredentials(body []byte) (credentials, error) {
	var given credentials
	if len(body) == 0 {
		return given, wxErrorf(44002, "empty post data")
	}
	if json.Unmarshal(body, &given) != nil {
		return given, wxErrorf(47001, "data format error")
	}
	return given, nil
}

func (s *Server) byCredentials(given credentials) (*account, error) {
	switch {
	case given.GrantType != grantClient:
		return nil, wxErrorf(40002, "invalid grant_type")
	case given.AppID == "":
		return nil, wxErrorf(41002, "appid missing")
	case given.Secret == "":
		return nil, wxErrorf(41004, "appsecret missing")
	}
	acc, err := s.account(given.AppID)
	if err != nil {
		return nil, wxErrorf(40013, "invalid appid")
	}
	if subtle.ConstantTimeCompare([]byte(acc.config().AppSecret), []byte(given.Secret)) != 1 {
		return acc, wxErrorf(40125, "invalid appsecret")
	}
	return acc, nil
}

// serveToken is GET /cgi-bin/token: a new token every time.
func (s *Server) serveToken(c *call) (answer, error) {
	now := s.now()
	c.account.mu.Lock()
	defer c.account.mu.Unlock()
	if err := c.account.countLocked(opToken, now); err != nil {
		return answer{}, err
	}
	t := c.account.tokens.issue(FamilyPlain, time.Duration(c.account.app.TokenLifetime), now)
	return tokenAnswer(t, now), nil
}

// serveStableToken is POST /cgi-bin/stable_token: the same token while it is good.
func (s *Server) serveStableToken(c *call) (answer, error) {
	given, err := readCredentials(c.body)
	if err != nil {
		return answer{}, err
	}
	now := s.now()
	c.account.mu.Lock()
	defer c.account.mu.Unlock()
	if err := c.account.countLocked(opStable, now); err != nil {
		return answer{}, err
	}
	lifetime := time.Duration(c.account.app.TokenLifetime)
	if !given.ForceRefresh {
		return tokenAnswer(c.account.tokens.stable(lifetime, now), now), nil
	}
	t, err := c.account.tokens.force(lifetime, now)
	if err != nil {
		return answer{}, err
	}
	return tokenAnswer(t, now), nil
}

func tokenAnswer(t *accessToken, now time.Time) answer {
	return jsonAnswer(map[string]any{"access_token": t.text, "expires_in": int(t.expires.Sub(now).Seconds())})
}

// EndTokens ends all tokens of an app now: revoked ones answer 40001 from now on, expired ones 42001.
func (s *Server) EndTokens(appID string, revoke TokenEnd) error {
	acc, err := s.account(appID)
	if err != nil {
		return err
	}
	now := s.now()
	acc.mu.Lock()
	defer acc.mu.Unlock()
	for _, t := range acc.tokens.byText {
		if revoke == TokensRevoked {
			t.revoked = true
		}
		if now.Before(t.expires) {
			t.expires = now
		}
	}
	acc.tokens.current = map[TokenFamily]*accessToken{}
	return nil
}

// TokenEnd is how a token comes to its end.
type TokenEnd string

// The ends of a token.
const (
	TokensRevoked TokenEnd = "revoke"
	TokensExpired TokenEnd = "expire"
)
