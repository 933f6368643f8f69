package desk

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/catalog"
	"github.com/yingda-dev/yingda/internal/store/db"
)

const (
	cookieName = "yingda_session"
	sessionFor = 12 * time.Hour
	// maxSessions an agent may have at once; opening one more ends the oldest.
	maxSessions = 20
	// cookieLength is that of 32 bytes in base64url.
	cookieLength = 43
)

// principal is the Agent behind a request or a socket, with what they may see.
type principal struct {
	agent *yingdav1.Agent
	// tokenHash is the hash of the trial token that opened the door.
	tokenHash string
	// session is the hash of the cookie; nil for a client that sends the trial token itself.
	session []byte
	groups  []string
}

// holdsIn says whether the Agent is still there, the same and with the same trial token.
func (p *principal) holdsIn(s *catalog.Snapshot) bool {
	agent, ok := s.Agent(p.agent.Name)
	return ok && agent.UID == p.agent.UID && sameHash(hashOf(agent), p.tokenHash)
}

// seesTheSameIn says whether the Agent's role and groups are what they were.
func (p *principal) seesTheSameIn(s *catalog.Snapshot) bool {
	agent, ok := s.Agent(p.agent.Name)
	return ok && agent.Spec.Role == p.agent.Spec.Role && slices.Equal(s.GroupsOf(agent.Name), p.groups)
}

// supervises says whether the Agent sees the conversations of all groups and may act in all of them.
func (p *principal) supervises() bool { return supervises(p.agent) }

func supervises(a *yingdav1.Agent) bool {
	return a.Spec.Role == yingdav1.RoleSupervisor || a.Spec.Role == yingdav1.RoleAdmin
}

// onCallFor says whether the Agent is called when a group lacks agents.
func (p *principal) onCallFor(group string) bool {
	return p.agent.Spec.OnCall == yingdav1.OnCallWhenShort && slices.Contains(p.groups, group)
}

func (p *principal) sees(c db.Conversation) bool {
	return p.supervises() || slices.Contains(p.groups, c.SkillGroup) || serves(p.agent.Name, c)
}

func serves(agent string, c db.Conversation) bool {
	return c.State == "assigned" && c.Agent != nil && *c.Agent == agent
}

func hashOf(agent *yingdav1.Agent) string {
	if agent.Status.TrialToken == nil {
		return ""
	}
	return agent.Status.TrialToken.SHA256
}

func sameHash(a, b string) bool {
	return a != "" && subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1
}

// withToken returns the Agent of a trial token. All Agents are compared, each in constant time, so that the time taken says
// nothing about which of them came close.
func withToken(s *catalog.Snapshot, token string) (*principal, bool) {
	sum := sha256.Sum256([]byte(token))
	hash := hex.EncodeToString(sum[:])
	var found *yingdav1.Agent
	for _, agent := range s.Agents() {
		if sameHash(hashOf(agent), hash) {
			found = agent
		}
	}
	if found == nil {
		return nil, false
	}
	return newPrincipal(s, found), true
}

func newPrincipal(s *catalog.Snapshot, agent *yingdav1.Agent) *principal {
	return &principal{agent: agent, tokenHash: hashOf(agent), groups: s.GroupsOf(agent.Name)}
}

// errNobody says that a request carries nothing that opens the door.
var errNobody = errors.New("nobody is signed in")

// authenticate returns who sends the request; errNobody when nobody does.
func (d *Desk) authenticate(r *http.Request) (*principal, error) {
	if header := r.Header.Get("Authorization"); header != "" {
		token, ok := strings.CutPrefix(header, "Bearer ")
		if !ok {
			return nil, errNobody
		}
		return d.tokenHolder(r.Context(), r.RemoteAddr, token)
	}
	cookie, err := r.Cookie(cookieName)
	if err != nil {
		return nil, errNobody
	}
	if !isCookie(cookie.Value) {
		return nil, d.failed(r.RemoteAddr)
	}
	hash := cookieHash(cookie.Value)
	row, err := d.Store.Queries().SessionGet(r.Context(), hash, d.Now())
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, d.failed(r.RemoteAddr)
	}
	if err != nil {
		return nil, fmt.Errorf("reading a session: %w", err)
	}
	s := d.Catalog.Snapshot()
	agent, ok := s.Agent(row.Agent)
	if !ok || !sameHash(hashOf(agent), row.TrialTokenSha256) {
		return nil, errNobody
	}
	p := newPrincipal(s, agent)
	p.session = hash
	return p, d.welcome(r.Context(), p)
}

// tokenHolder checks a trial token. A right token is never held up by the wrong ones of others: the tokens cannot be
// guessed, and behind a shared address whoever tries would otherwise lock out everybody.
func (d *Desk) tokenHolder(ctx context.Context, remote, token string) (*principal, error) {
	p, ok := withToken(d.Catalog.Snapshot(), token)
	if !ok {
		d.Metrics.signIns.WithLabelValues("refused").Inc()
		return nil, d.failed(remote)
	}
	if err := d.welcome(ctx, p); err != nil {
		return nil, err
	}
	return p, nil
}

// failed counts a wrong token or cookie.
func (d *Desk) failed(remote string) error {
	if wait, ok := d.failures.failed(remote); !ok {
		return &tooManyError{wait}
	}
	return errNobody
}

// tooManyError says that too many wrong tokens were tried.
type tooManyError struct{ wait time.Duration }

func (e *tooManyError) Error() string { return "too many wrong tokens were tried" }

// welcome remembers, for ever and for all replicas, that the Agent has come, and that they were here now. To an Agent whose
// name another one had, it gives a feed without the other's news.
func (d *Desk) welcome(ctx context.Context, p *principal) error {
	agent, queries := p.agent.Name, d.Store.Queries()
	if !d.known.has(agent) {
		if err := queries.PresenceKnow(ctx, agent, d.Now()); err != nil {
			return fmt.Errorf("remembering who signed in: %w", err)
		}
		d.known.add(agent)
	}
	if reader := agent + "/" + string(p.agent.UID); !d.readers.has(reader) {
		if _, err := queries.FeedClaim(ctx, agent, string(p.agent.UID)); err != nil {
			return fmt.Errorf("giving an agent their feed: %w", err)
		}
		d.readers.add(reader)
	}
	return d.notice(ctx, agent)
}

// openSession makes a session and returns its cookie.
func (d *Desk) openSession(ctx context.Context, p *principal, secure bool) (http.Cookie, error) {
	secret := make([]byte, 32)
	_, _ = rand.Read(secret) // It never fails.
	value := base64.RawURLEncoding.EncodeToString(secret)
	now := d.Now().UTC()
	err := d.Store.Queries().SessionAdd(ctx, db.SessionAddParams{
		TokenSha256: cookieHash(value), Agent: p.agent.Name, TrialTokenSha256: p.tokenHash, CreatedAt: now, ExpiresAt: now.Add(sessionFor),
		MostOthers: maxSessions - 1,
	})
	if err != nil {
		return http.Cookie{}, fmt.Errorf("opening a session: %w", err)
	}
	d.Metrics.signIns.WithLabelValues("accepted").Inc()
	return sessionCookie(value, int(sessionFor/time.Second), secure), nil
}

func sessionCookie(value string, maxAge int, secure bool) http.Cookie {
	return http.Cookie{ //nolint:gosec // Secure when the request came by TLS: the local stack has none.
		Name: cookieName, Value: value, Path: "/", MaxAge: maxAge, HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: secure,
	}
}

// isCookie says whether a value could be one that openSession has made.
func isCookie(value string) bool {
	if len(value) != cookieLength {
		return false
	}
	_, err := base64.RawURLEncoding.DecodeString(value)
	return err == nil
}

// cookieHash is what the database keeps of a cookie.
func cookieHash(value string) []byte {
	sum := sha256.Sum256([]byte(value))
	return sum[:]
}

// agentSet is a set of names that only grows.
type agentSet struct {
	mu  sync.RWMutex
	set map[string]bool
}

func newAgentSet() *agentSet { return &agentSet{set: map[string]bool{}} }

func (s *agentSet) add(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.set[name] = true
}

func (s *agentSet) has(name string) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.set[name]
}

func (s *agentSet) names() []string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	names := make([]string, 0, len(s.set))
	for name := range s.set {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
