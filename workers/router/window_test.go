package router

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/store/db"
)

// warned are those who were told of windows that close, and how often.
func (w *world) warned() map[string]int {
	w.t.Helper()
	rows, err := w.Store.Pool().Query(w.t.Context(), "SELECT agent FROM frame WHERE kind = 'window'")
	if err != nil {
		w.t.Fatal(err)
	}
	defer rows.Close()
	told := map[string]int{}
	for rows.Next() {
		var agent string
		if err := rows.Scan(&agent); err != nil {
			w.t.Fatal(err)
		}
		told[agent]++
	}
	return told
}

func TestAgentsAreToldOnceOfWhoWaitsAndCanSoonBeGivenNoAnswer(t *testing.T) {
	w := newWorld(t)
	clocks := []*clock{newClock(w.Router), newClock(w.Router)} // as of two routers
	look := func() map[string]int {
		t.Helper()
		w.now = w.now.Add(windowInterval)
		for _, clock := range clocks {
			if err := clock.warnOfWindows(t.Context(), w.Catalog.Snapshot()); err != nil {
				t.Fatal(err)
			}
		}
		return w.warned()
	}
	w.writes("served", "我要退款")
	w.now = w.now.Add(46 * time.Hour)
	if got := look(); len(got) != 0 {
		t.Errorf("two hours before the end: told %v", got)
	}
	w.now = w.now.Add(time.Hour)
	for range 3 {
		if diff := cmp.Diff(map[string]int{"xiaomei": 1}, look()); diff != "" {
			t.Errorf("within the last hour (-want +got):\n%s", diff)
		}
	}
	// Who writes again has a window of their own, and who was answered does not wait.
	w.writes("served", "还在吗")
	w.now = w.now.Add(47*time.Hour + 30*time.Minute)
	if diff := cmp.Diff(map[string]int{"xiaomei": 2}, look()); diff != "" {
		t.Errorf("of the next window (-want +got):\n%s", diff)
	}
	w.writes("served", "谢谢")
	if _, err := w.Store.Pool().Exec(t.Context(), `INSERT INTO message (id, conversation_id, channel, external_id, direction, sender, agent, content, sent_at, received_at)
		SELECT gen_random_uuid(), id, channel, external_id, 'outbound', 'agent', 'xiaomei', '{"kind": "text"}', $1, $1 FROM conversation`, w.now.Add(time.Second)); err != nil {
		t.Fatal(err)
	}
	w.now = w.now.Add(47*time.Hour + 30*time.Minute)
	if diff := cmp.Diff(map[string]int{"xiaomei": 2}, look()); diff != "" {
		t.Errorf("of who was answered (-want +got):\n%s", diff)
	}
}

func TestOfWhoWaitsInAQueueThoseOnDutyAreToldWhoCouldAnswer(t *testing.T) {
	objects := append(brand(),
		agentOf("laozhang", yingdav1.RoleSupervisor), agentOf("xiaohong", yingdav1.RoleAgent), agentOf("asleep", yingdav1.RoleAdmin))
	w := newWorld(t)
	w.Catalog.Set(objects...)
	presence := func(agent string, onDuty bool) {
		t.Helper()
		if _, err := w.Store.Queries().PresenceSet(t.Context(), agent, onDuty, w.now); err != nil {
			t.Fatal(err)
		}
	}
	clock := newClock(w.Router)
	look := func() map[string]int {
		t.Helper()
		w.now = w.now.Add(windowInterval)
		if err := clock.warnOfWindows(t.Context(), w.Catalog.Snapshot()); err != nil {
			t.Fatal(err)
		}
		return w.warned()
	}
	presence("xiaomei", false)
	w.writes("waits", "我要退款")
	w.now = w.now.Add(47*time.Hour + time.Minute)
	if got := look(); len(got) != 0 {
		t.Errorf("with nobody on duty: told %v", got)
	}
	for agent, onDuty := range map[string]bool{"xiaomei": true, "laozhang": true, "xiaohong": true, "asleep": false} {
		presence(agent, onDuty)
	}
	if diff := cmp.Diff(map[string]int{"xiaomei": 1, "laozhang": 1}, look()); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
}

func TestWhatTheBotSaidIsNoAnswer(t *testing.T) {
	w := newWorld(t)
	w.now = w.now.Add(10 * time.Hour)
	w.writes("waits", "我要退款")
	if got := w.sees("waits"); len(got.Said) != 1 {
		t.Fatalf("in the night the customer was told %q", got.Said)
	}
	w.now = w.now.Add(47*time.Hour + time.Minute)
	if err := newClock(w.Router).warnOfWindows(t.Context(), w.Catalog.Snapshot()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]int{"xiaomei": 1}, w.warned()); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
}

func TestWhatIsOnItsWayCountsAsSaid(t *testing.T) {
	w := newWorld(t)
	w.writes("busy", "你好")
	w.now = w.now.Add(time.Second)
	w.writes("waits", "有人吗") // and is told their place
	left := func() int32 {
		t.Helper()
		state, err := w.Store.Unspent(t.Context(), store.Contact{Channel: "shop", ExternalID: "waits"}, w.now)
		if err != nil {
			t.Fatal(err)
		}
		return state.Remaining
	}
	if got := left(); got != 4 {
		t.Errorf("with a message in Kafka %d are left, want 4", got)
	}
	// A connector takes it over, and then sends it, which is when it is spent.
	for _, step := range []struct {
		state string
		spent int32
	}{{"queued", 0}, {"sending", 1}, {"deferred", 0}, {"delivered", 1}} {
		if _, err := w.Store.Pool().Exec(t.Context(), `INSERT INTO delivery (message_id, pool, channel, external_id, state, outbound, updated_at)
			SELECT id, 'miniprogram', channel, external_id, $1, '{}', now() FROM message WHERE direction = 'outbound' AND external_id = 'waits'
			ON CONFLICT (message_id) DO UPDATE SET state = excluded.state`, step.state); err != nil {
			t.Fatal(err)
		}
		if err := w.Store.Queries().QuotaSet(t.Context(), db.QuotaSetParams{
			Channel: "shop", ExternalID: "waits", WindowEnds: w.now.Add(time.Hour), Remaining: 5 - step.spent, Granted: 5,
		}); err != nil {
			t.Fatal(err)
		}
		if got := left(); got != 4 {
			t.Errorf("with a message that is %s %d are left, want 4", step.state, got)
		}
	}
	// A notice costs nothing.
	if _, err := w.Store.Pool().Exec(t.Context(), `INSERT INTO delivery (message_id, pool, channel, external_id, state, outbound, updated_at)
		VALUES (gen_random_uuid(), 'miniprogram', 'shop', 'waits', 'queued', '{"content":{"kind":"notice"}}', now())`); err != nil {
		t.Fatal(err)
	}
	if got := left(); got != 4 {
		t.Errorf("with a notice on its way %d are left, want 4", got)
	}
}
