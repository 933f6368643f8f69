package desk

import (
	"sync"

	"github.com/coder/websocket"
	"go.opentelemetry.io/otel/trace"

	"github.com/yingda-dev/yingda/internal/message"
)

const (
	// maxPending is how many live frames wait for a slow socket.
	maxPending = 256
	// maxSockets an agent may have open at once on one replica.
	maxSockets = 32
)

// ending is why the desk closes a socket.
type ending int

const (
	// endFailed: the socket or the database gave up. The client connects again and resumes.
	endFailed ending = iota
	// endSlow: the client did not keep up. It connects again and resumes.
	endSlow
	// endGoingAway: this replica stops. The client connects again and resumes.
	endGoingAway
	// endChanged: the agent's groups or role changed. The client connects again as who the agent is now.
	endChanged
	// endSignedOut: the session is over. The client has to sign in.
	endSignedOut
)

func (e ending) code() websocket.StatusCode {
	switch e {
	case endGoingAway:
		return websocket.StatusGoingAway
	case endSignedOut:
		return websocket.StatusPolicyViolation
	default:
		return websocket.StatusTryAgainLater
	}
}

func (e ending) String() string {
	switch e {
	case endSlow:
		return "too slow"
	case endGoingAway:
		return "going away"
	case endChanged:
		return "other groups"
	case endSignedOut:
		return "signed out"
	default:
		return "cannot go on"
	}
}

// live is a frame that Kafka brought, with its trace.
type live struct {
	message.Frame
	span trace.SpanContext
}

// subscription is what is on its way to one socket: live frames, and the number up to which frames exist.
//
//	Tail --push--> pending --+
//	                         +--take--> socket      (a gap in pending is read from Postgres)
//	check --announce-> head -+
type subscription struct {
	principal *principal
	// wake has room for one: there is something to take.
	wake chan struct{}

	mu      sync.Mutex
	pending []live
	head    int64
	// reading says that the socket reads from Postgres, as it does at first. What finds no room meanwhile is read there too; outside of it a
	// full buffer means a client that does not keep up.
	reading bool
	ended   *ending
}

func newSubscription(p *principal) *subscription {
	return &subscription{principal: p, wake: make(chan struct{}, 1), reading: true}
}

func (s *subscription) push(f live) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.head = max(s.head, f.Seq)
	switch {
	case len(s.pending) < maxPending:
		s.pending = append(s.pending, f)
	case !s.reading && s.ended == nil:
		why := endSlow
		s.ended = &why
	}
	s.signal()
}

// announce says that frames up to head exist.
func (s *subscription) announce(head int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if head > s.head {
		s.head = head
		s.signal()
	}
}

func (s *subscription) end(why ending) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended == nil {
		s.ended = &why
	}
	s.signal()
}

func (s *subscription) signal() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// take returns what has come since the last take, and why to end, if so.
func (s *subscription) take() (frames []live, head int64, why *ending) {
	s.mu.Lock()
	defer s.mu.Unlock()
	frames, s.pending = s.pending, nil
	return frames, s.head, s.ended
}

// whileReading runs f, which reads from Postgres what finds no room in the meantime.
func (s *subscription) whileReading(f func() error) error {
	s.setReading(true)
	defer s.setReading(false)
	return f()
}

func (s *subscription) setReading(reading bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reading = reading
}

// hub knows the sockets of this replica.
type hub struct {
	mu      sync.Mutex
	sockets map[string]map[*subscription]bool
	closed  bool
	open    sync.WaitGroup
}

func newHub() *hub { return &hub{sockets: map[string]map[*subscription]bool{}} }

// join adds a socket; false when the agent has too many or the desk goes away.
func (h *hub) join(p *principal) (*subscription, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	of := h.sockets[p.agent.Name]
	if h.closed || len(of) >= maxSockets {
		return nil, false
	}
	if of == nil {
		of = map[*subscription]bool{}
		h.sockets[p.agent.Name] = of
	}
	s := newSubscription(p)
	of[s] = true
	h.open.Add(1)
	return s, true
}

func (h *hub) leave(s *subscription) {
	h.mu.Lock()
	defer h.mu.Unlock()
	name := s.principal.agent.Name
	delete(h.sockets[name], s)
	if len(h.sockets[name]) == 0 {
		delete(h.sockets, name)
	}
	h.open.Done()
}

// of returns the sockets of an agent.
func (h *hub) of(agent string) []*subscription {
	h.mu.Lock()
	defer h.mu.Unlock()
	sockets := make([]*subscription, 0, len(h.sockets[agent]))
	for s := range h.sockets[agent] {
		sockets = append(sockets, s)
	}
	return sockets
}

func (h *hub) announce(agent string, head int64) {
	for _, s := range h.of(agent) {
		s.announce(head)
	}
}

// present returns the agents who have sockets here, and the sessions that opened them.
func (h *hub) present() (agents []string, sessions [][]byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for agent, sockets := range h.sockets {
		agents = append(agents, agent)
		for s := range sockets {
			if s.principal.session != nil {
				sessions = append(sessions, s.principal.session)
			}
		}
	}
	return agents, sessions
}

// endWhere ends the sockets of those whom the condition names.
func (h *hub) endWhere(over func(*principal) bool, why ending) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, sockets := range h.sockets {
		for s := range sockets {
			if over(s.principal) {
				s.end(why)
			}
		}
	}
}

// shut ends all sockets, lets no other in and waits until all are gone.
func (h *hub) shut() {
	h.mu.Lock()
	h.closed = true
	h.mu.Unlock()
	h.endWhere(func(*principal) bool { return true }, endGoingAway)
	h.open.Wait()
}
