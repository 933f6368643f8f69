package desk

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/store"
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

func TestAStoredAlertIsShownToWhoStillServesTheQueue(t *testing.T) {
	w := newWorld(t)
	d := w.starts()
	for _, group := range []string{"after-sales", "pre-sales"} {
		w.does(func(ctx context.Context, u *store.Unit) error {
			u.Tell(ctx, "xiaomei", message.FrameQueue, store.QueueAlert{SkillGroup: group, Waiting: 6})
			return nil
		})
	}
	s := d.as("xiaomei").connects("?after=0")
	s.must()
	if own, others := s.must(), s.must(); own.Kind != "queue" || others.Kind != kindHidden || others.Payload != nil {
		t.Errorf("got %+v and %+v, want the alert of the agent's own group alone", own, others)
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

// changed replaces an Agent.
func changed(name string, change func(*yingdav1.Agent)) []client.Object {
	objects := brand()
	for _, o := range objects {
		if a, ok := o.(*yingdav1.Agent); ok && a.Name == name {
			change(a)
		}
	}
	return objects
}

func TestStoredFramesShowWhatTheAgentMaySeeNow(t *testing.T) {
	w := newWorld(t)
	d := w.starts()
	id := w.assigned("after-sales", "xiaomei", "c")
	w.hears(id, text("我的电话是 13800000000"))
	asks[store.Conversation](d.as("xiaomei"), http.StatusOK, http.MethodPost, "/api/conversations/"+id.String()+"/close", nil)
	mine := w.assigned("pre-sales", "xiaomei", "other")
	w.catalog.Set(changed("xiaomei", func(a *yingdav1.Agent) { a.Labels["team"] = "pre-sales" })...)
	s := d.as("xiaomei").connects("?after=0")
	if hello := s.must(); hello.Seq != 4 {
		t.Fatalf("hello %+v, want 4 frames", hello)
	}
	for seq, kind := range []string{kindHidden, kindHidden, kindHidden, "conversation"} {
		got := s.must()
		if got.Seq != int64(seq+1) || got.Kind != kind || (kind == kindHidden) != (got.Payload == nil) {
			t.Errorf("got %d %s with %d bytes, want %d %s", got.Seq, got.Kind, len(got.Payload), seq+1, kind)
		}
	}
	w.hears(mine, text("在吗"))
	// A supervisor sees all, and so does the agent who comes back.
	w.catalog.Set(brand()...)
	s = d.as("xiaomei").connects("?after=1")
	s.must()
	if got := s.must(); got.Kind != "message" {
		t.Errorf("back in the group: got %+v, want the message", got)
	}
}

func TestAnAgentsFeedDiesWithTheAgent(t *testing.T) {
	w := newWorld(t)
	id := w.assigned("after-sales", "xiaomei", "c")
	w.hears(id, text("我的电话是 13800000000"))
	known := func(uid string) []client.Object {
		return changed("xiaomei", func(a *yingdav1.Agent) { a.UID = types.UID(uid) })
	}
	d := w.starts()
	w.catalog.Set(known("one")...)
	first := d.as("xiaomei").connects("?after=0")
	first.must()
	if got := first.must(); got.Seq != 1 || got.Payload == nil {
		t.Fatalf("got %+v, want the first frame", got)
	}
	w.catalog.Set(known("two")...)
	other := w.starts()
	for name, replica := range map[string]*desk{"the replica that knew the old one": d, "another": other} {
		s := replica.as("xiaomei").connects("?after=0")
		s.must()
		if got := s.must(); got.Kind != kindReset || got.Seq != 2 {
			t.Errorf("%s: got %+v, want a reset at 2", name, got)
		}
	}
	for got, err := first.next(); err == nil; got, err = first.next() {
		if got.Seq > 2 {
			t.Errorf("the old one's socket lives on: %+v", got)
		}
	}
}

func TestASocketEndsWhenItsAgentMoves(t *testing.T) {
	w := newWorld(t)
	d := w.starts()
	s := d.as("xiaomei").connects("")
	s.must()
	w.catalog.Set(changed("xiaomei", func(a *yingdav1.Agent) { a.Labels["team"] = "pre-sales" })...)
	if _, err := s.next(); websocket.CloseStatus(err) != websocket.StatusTryAgainLater {
		t.Errorf("the socket ended with %v, want try again later", err)
	}
}

func TestADeskIsReadyWhenItHearsEvents(t *testing.T) {
	w := newWorld(t)
	if err := w.starts().Ready(t.Context()); err == nil {
		t.Error("a desk that reads no events says that it is ready")
	}
	w.relays()
	d := w.starts()
	eventually(t, "the desk is ready", func() bool { return d.Ready(t.Context()) == nil })
	if err := d.Alive(); err != nil {
		t.Error(err)
	}
}

func TestADeskWhoseRoundsStopIsNotAlive(t *testing.T) {
	w := newWorld(t)
	d := w.starts()
	if err := d.Alive(); err != nil {
		t.Errorf("before the first round: %v", err)
	}
	d.beat.Store(w.clock().UnixNano())
	w.passes(stuckAfter + 1)
	if d.Alive() == nil {
		t.Error("a desk whose rounds stopped says that it is alive")
	}
}

func TestWhoIsAbsentGoesOffDuty(t *testing.T) {
	w := newWorld(t)
	d, other := w.starts(), w.starts()
	onDuty := map[string]bool{"onDuty": true}
	here := d.as("xiaohong").connects("")
	here.must()
	for _, name := range []string{"xiaomei", "xiaohong", "laowang"} {
		asks[MeView](d.as(name), http.StatusOK, http.MethodPut, "/api/duty", onDuty)
	}
	rounds := func(want string) {
		t.Helper()
		if err := d.check(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := d.relieve(t.Context()); err != nil {
			t.Fatal(err)
		}
		var got string
		if err := w.store.Pool().QueryRow(t.Context(), "SELECT coalesce(string_agg(agent, ' ' ORDER BY agent), '') FROM presence WHERE on_duty").Scan(&got); err != nil {
			t.Fatal(err)
		}
		if got != want {
			t.Errorf("on duty: %q, want %q", got, want)
		}
		other.learn(t.Context())
		if diff := cmp.Diff(strings.Fields(want), other.OnDutyAgents()); diff != "" {
			t.Errorf("on duty, as another replica reports (-want +got):\n%s", diff)
		}
	}
	if names := other.OnDutyAgents(); names != nil {
		t.Errorf("on duty before anything was read: %q", names)
	}
	rounds("laowang xiaohong xiaomei")
	w.passes(absentAfter - time.Second)
	rounds("laowang xiaohong xiaomei")
	asks[MeView](d.as("laowang"), http.StatusOK, http.MethodGet, "/api/me", nil) // A client without a socket.
	w.passes(2 * time.Second)
	rounds("laowang xiaohong")
	w.catalog.Set(without(brand(), "laowang")...)
	rounds("xiaohong")
	asks[MeView](d.as("xiaomei"), http.StatusOK, http.MethodPut, "/api/duty", onDuty)
	rounds("xiaohong xiaomei")
	away, cancel := context.WithCancel(t.Context())
	cancel()
	other.learn(away)
	if names := other.OnDutyAgents(); names != nil {
		t.Errorf("on duty while Postgres could not be asked: %q", names)
	}
}
