//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"
)

const (
	maxFrame = 1 << 20
	// fromNow asks for nothing that was there before.
	fromNow = -1
)

// stream is an agent's open workbench: it keeps every frame that came.
type stream struct {
	conn *websocket.Conn
	done chan struct{}

	mu     sync.Mutex
	frames []frame
	err    error
	// news is closed and replaced whenever a frame comes or the connection ends.
	news chan struct{}
}

// listen opens the WebSocket; after is the last frame that was seen before, or fromNow.
func (d desk) listen(t testing.TB, after int64) *stream {
	t.Helper()
	address := "ws" + strings.TrimPrefix(d.url, "http") + "/api/stream"
	if after >= 0 {
		address += "?after=" + strconv.FormatInt(after, 10)
	}
	options := &websocket.DialOptions{HTTPHeader: http.Header{"Authorization": {"Bearer " + d.token}}}
	// A browser, too, tries again while no desk is there.
	conn := await(t, "the WebSocket of "+d.agent+" opens", soon, func(ctx context.Context) (*websocket.Conn, error) {
		//nolint:bodyclose // The answer to a WebSocket's handshake has no body to close: see websocket.Dial.
		conn, _, err := websocket.Dial(ctx, address, options)
		return conn, err
	}, func(*websocket.Conn) bool { return true })
	conn.SetReadLimit(maxFrame)
	s := &stream{conn: conn, done: make(chan struct{}), news: make(chan struct{})}
	go s.read(context.WithoutCancel(t.Context()))
	t.Cleanup(func() {
		s.close()
		s.gapless(t)
	})
	s.gets(t, "the stream says hello", soon, func(f frame) bool { return f.Kind == "hello" })
	return s
}

// close ends the connection and waits for its reader.
func (s *stream) close() {
	s.conn.CloseNow()
	<-s.done
}

// gapless fails the test when a frame is lacking, came twice or out of order.
func (s *stream) gapless(t testing.TB) {
	t.Helper()
	frames, _, _ := s.state()
	var before int64
	for _, f := range frames {
		if f.Kind == "hello" {
			continue
		}
		if before != 0 && f.Seq != before+1 {
			t.Errorf("frame %d came after frame %d", f.Seq, before)
		}
		before = f.Seq
	}
}

func (s *stream) read(ctx context.Context) {
	defer close(s.done)
	for {
		var f frame
		err := wsjson.Read(ctx, s.conn, &f)
		f.came = time.Now()
		s.mu.Lock()
		if err == nil {
			s.frames = append(s.frames, f)
		}
		s.err = err
		close(s.news)
		s.news = make(chan struct{})
		s.mu.Unlock()
		if err != nil {
			return
		}
	}
}

func (s *stream) state() ([]frame, <-chan struct{}, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.frames), s.news, s.err
}

// last is the number of the last frame.
func (s *stream) last() int64 {
	frames, _, _ := s.state()
	var last int64
	for _, f := range frames {
		last = max(last, f.Seq)
	}
	return last
}

// gets waits for a frame.
func (s *stream) gets(t testing.TB, what string, limit time.Duration, wanted func(frame) bool) frame {
	t.Helper()
	deadline := time.NewTimer(limit)
	defer deadline.Stop()
	for {
		frames, news, err := s.state()
		if i := slices.IndexFunc(frames, wanted); i >= 0 {
			return frames[i]
		}
		if err != nil {
			t.Fatalf("the WebSocket ended while waiting for: %s: %v\nframes so far: %s", what, err, describe(frames))
		}
		select {
		case <-news:
		case <-deadline.C:
			t.Fatalf("waited %s for: %s\nframes so far: %s", limit, what, describe(frames))
		}
	}
}

// payload reads a frame's payload when it is of that kind.
func payload[T any](f frame, kind string) (T, bool) {
	var p T
	if f.Kind != kind {
		return p, false
	}
	return p, json.Unmarshal(f.Payload, &p) == nil
}

// gives waits until the agent is given a customer's conversation.
func (s *stream) gives(t testing.TB, c customer, limit time.Duration) conversation {
	t.Helper()
	p, _ := payload[conversation](s.given(t, c, limit), "conversation")
	return p
}

// given is the frame that gives a customer's conversation to the agent.
func (s *stream) given(t testing.TB, c customer, limit time.Duration) frame {
	t.Helper()
	return s.gets(t, "the conversation of "+c.openid+" is given to the agent", limit, func(f frame) bool {
		p, ok := payload[conversation](f, "conversation")
		return ok && p.Customer == c.openid && p.State == assigned
	})
}

// shows waits until the agent sees what a customer wrote.
func (s *stream) shows(t testing.TB, conversationID, text string) message {
	t.Helper()
	f := s.gets(t, fmt.Sprintf("the agent sees %q", text), soon, func(f frame) bool {
		m, ok := payload[message](f, "message")
		return ok && m.Conversation == conversationID && m.Content.Text == text
	})
	m, _ := payload[message](f, "message")
	return m
}

// delivers waits until the agent is told what became of a message.
func (s *stream) delivers(t testing.TB, id, state string) {
	t.Helper()
	s.gets(t, "the agent is told that message "+id+" is "+state, soon, func(f frame) bool {
		p, ok := payload[struct {
			Message string `json:"message"`
			State   string `json:"state"`
		}](f, "delivery")
		return ok && p.Message == id && p.State == state
	})
}

// tells waits for news of a complaint.
func (s *stream) tells(t testing.TB, conversationID, state string, limit time.Duration) complaint {
	t.Helper()
	f := s.gets(t, "the agent is told that the complaint is "+state, limit, func(f frame) bool {
		p, ok := payload[complaint](f, "complaint")
		return ok && p.Conversation == conversationID && p.State == state
	})
	p, _ := payload[complaint](f, "complaint")
	return p
}
