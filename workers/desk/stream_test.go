package desk

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
)

func TestAFrameReachesTheAgentThroughKafka(t *testing.T) {
	w := newWorld(t)
	w.relays()
	d := w.starts()
	s := d.as("xiaomei").connects("")
	if hello := s.must(); hello.Kind != kindHello || hello.Seq != 0 {
		t.Fatalf("first message %+v, want hello of 0", hello)
	}
	id := w.assigned("after-sales", "xiaomei", "c")
	w.hears(id, text("在吗"))
	for seq, kind := range []string{"conversation", "message"} {
		if got := s.must(); got.Seq != int64(seq+1) || got.Kind != kind {
			t.Errorf("frame %d %s, want %d %s", got.Seq, got.Kind, seq+1, kind)
		}
	}
}

// TestResumeMissesNothing drops sockets and restarts desks while an agent's news come in, and looks at what arrived.
func TestResumeMissesNothing(t *testing.T) {
	w := newWorld(t)
	w.relays()
	id := w.assigned("after-sales", "xiaomei", "c")
	const messages = 300
	var writing sync.WaitGroup
	writing.Go(func() {
		for i := range messages {
			w.hears(id, text("第 %d 条", i))
		}
	})
	defer writing.Wait()
	const want = messages + 1 // the assignment is one too
	var last int64
	for life := 0; last < want; life++ {
		d := w.starts()
		for drop := 0; drop < 3 && last < want; drop++ {
			last = readSome(t, d, last, want)
		}
		d.stop()
	}
}

// readSome resumes after last, reads up to 40 frames, each of which must be the next, and drops the connection.
func readSome(t *testing.T, d *desk, last, want int64) int64 {
	t.Helper()
	s := d.as("xiaomei").connects("?after=" + itoa(last))
	defer s.conn.CloseNow()
	if hello := s.must(); hello.Kind != kindHello {
		t.Fatalf("first message %+v, want hello", hello)
	}
	for range 40 {
		if last == want {
			break
		}
		frame := s.must()
		if frame.Seq != last+1 {
			t.Fatalf("frame %d (%s) after %d", frame.Seq, frame.Kind, last)
		}
		last = frame.Seq
	}
	return last
}

func TestTheCheckBringsWhatKafkaDoesNot(t *testing.T) {
	w := newWorld(t)
	d := w.starts() // without a broker
	s := d.as("xiaomei").connects("")
	s.must()
	w.assigned("after-sales", "xiaomei", "c")
	if err := d.check(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := s.must(); got.Seq != 1 || got.Kind != "conversation" {
		t.Errorf("got %+v, want frame 1", got)
	}
}

func TestASocketWhoseFramesAreGoneIsReset(t *testing.T) {
	w := newWorld(t)
	d := w.starts()
	id := w.assigned("after-sales", "xiaomei", "c")
	w.hears(id, text("一"))
	if _, err := w.store.Queries().FramesPrune(t.Context(), w.clock().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	tests := map[string]string{
		"frames were deleted":                     "?after=1",
		"the client knows frames that never were": "?after=99",
	}
	for name, query := range tests {
		t.Run(name, func(t *testing.T) {
			s := d.as("xiaomei").connects(query)
			s.must()
			if got := s.must(); got.Kind != kindReset || got.Seq != 2 {
				t.Errorf("got %+v, want reset at 2", got)
			}
		})
	}
}

func TestSocketsEndWithTheirSession(t *testing.T) {
	w := newWorld(t)
	d := w.starts()
	tests := map[string]func(v *visitor){
		"signing out": func(v *visitor) { asks[any](v, http.StatusNoContent, http.MethodDelete, "/api/session", nil) },
		"a session that is deleted behind the desk's back": func(*visitor) {
			if _, err := w.store.Pool().Exec(t.Context(), "DELETE FROM session"); err != nil {
				t.Fatal(err)
			}
			if err := d.check(t.Context()); err != nil {
				t.Fatal(err)
			}
		},
		"a new trial token": func(*visitor) { w.catalog.Set(rotated(brand(), "xiaomei")...) },
		"an Agent who is deleted": func(*visitor) {
			w.catalog.Set(without(brand(), "xiaomei")...)
		},
	}
	for name, happens := range tests {
		t.Run(name, func(t *testing.T) {
			w.catalog.Set(brand()...)
			v := d.signsIn("xiaomei")
			s := v.connects("")
			s.must()
			happens(v)
			if _, err := s.next(); websocket.CloseStatus(err) != websocket.StatusPolicyViolation {
				t.Errorf("the socket ended with %v, want policy violation", err)
			}
		})
	}
}

func TestAnotherSitesPageGetsNoSocket(t *testing.T) {
	w := newWorld(t)
	d := w.starts()
	v := d.as("xiaomei")
	v.headers.Set("Origin", "https://evil.example")
	_, response, err := websocket.Dial(t.Context(), d.url+"/api/stream", &websocket.DialOptions{HTTPHeader: v.headers})
	if response != nil && response.Body != nil {
		defer response.Body.Close()
	}
	if err == nil || response.StatusCode != http.StatusForbidden {
		t.Errorf("err %v, want 403", err)
	}
}

func TestADeskThatStopsTellsItsSockets(t *testing.T) {
	w := newWorld(t)
	w.relays()
	d := w.starts()
	s := d.as("xiaomei").connects("")
	s.must()
	ended := make(chan error, 1)
	go func() {
		_, err := s.next()
		ended <- err
	}()
	d.stop()
	if err := <-ended; websocket.CloseStatus(err) != websocket.StatusGoingAway {
		t.Errorf("the socket ended with %v, want going away", err)
	}
}
