package router

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/catalog"
	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/store"
)

// ended are the customers whose conversations ended because their Channel was deleted.
func (w *world) ended() []string {
	w.t.Helper()
	rows, err := w.Store.Pool().Query(w.t.Context(), `SELECT external_id FROM conversation
		WHERE state = 'closed' AND close_reason = 'ChannelGone' AND closed_at IS NOT NULL AND late_at IS NULL AND remind_at IS NULL AND asked_since IS NULL`)
	if err != nil {
		w.t.Fatal(err)
	}
	defer rows.Close()
	var customers []string
	for rows.Next() {
		var customer string
		if err := rows.Scan(&customer); err != nil {
			w.t.Fatal(err)
		}
		customers = append(customers, customer)
	}
	slices.Sort(customers)
	return customers
}

// contents is a payload in its form.
func contents[T any](t *testing.T, payload []byte) (form T) {
	t.Helper()
	if err := json.Unmarshal(payload, &form); err != nil {
		t.Fatal(err)
	}
	return form
}

// ticks lets a time pass in ticks of some seconds.
func (w *world) ticks(c *clock, d time.Duration) {
	w.t.Helper()
	for until := w.now.Add(d); w.now.Before(until); w.looks(c) {
		w.now = w.now.Add(talkingInterval)
	}
}

func TestTheConversationsOfADeletedChannelEnd(t *testing.T) {
	w := newWorld(t)
	clock := newClock(w.Router)
	w.writes("served", "我要投诉")
	w.writes("waiting", "在吗")
	w.writes("asking", "怎么开发票") // Of the bot.
	complaint := w.complaints()[0]
	w.Catalog.Set(without("shop")...)
	w.ticks(clock, channelGoneAfter-talkingInterval)
	if got := w.ended(); len(got) > 0 {
		t.Errorf("at once the conversations of %v ended: the Channel may be there, and not known yet", got)
	}
	w.ticks(clock, 2*talkingInterval)
	if diff := cmp.Diff([]string{"asking", "served", "waiting"}, w.ended()); diff != "" {
		t.Errorf("ended (-want +got):\n%s", diff)
	}
	presence, err := w.Store.Queries().PresenceGet(t.Context(), "xiaomei")
	if err != nil || presence.Used != 0 {
		t.Errorf("%d slots are used by nobody, err %v", presence.Used, err)
	}
	standings, err := w.Store.Queries().Standings(t.Context())
	if err != nil || len(standings) > 0 {
		t.Errorf("somebody waits still: %v, err %v", standings, err)
	}
	if row, err := w.Store.Queries().ComplaintGet(t.Context(), complaint); err != nil || row.State != "open" {
		t.Errorf("the complaint is %s, err %v", row.State, err)
	}

	// Who had a conversation is told, and its transcript says why it ended.
	frames, err := w.Store.Queries().FramesAfter(t.Context(), "xiaomei", 0, 100)
	if err != nil || len(frames) < 2 {
		t.Fatalf("%d frames, err %v", len(frames), err)
	}
	last := frames[len(frames)-2:]
	if note := contents[store.Message](t, last[0].Payload); last[0].Kind != string(message.FrameMessage) || note.Sender != store.SenderSystem || note.Delivery != nil ||
		contents[message.Content](t, note.Content).Kind != message.KindChannelGone {
		t.Errorf("first comes %s %s", last[0].Kind, last[0].Payload)
	}
	if c := contents[store.Conversation](t, last[1].Payload); last[1].Kind != string(message.FrameConversation) || c.Customer != "served" || c.State != store.StateClosed ||
		c.CloseReason != store.CloseReasonChannelGone {
		t.Errorf("then comes %s %s", last[1].Kind, last[1].Payload)
	}
	before := len(frames)
	w.ticks(clock, channelGoneAfter)
	if frames, err = w.Store.Queries().FramesAfter(t.Context(), "xiaomei", 0, 100); err != nil || len(frames) != before {
		t.Errorf("%d frames later, err %v", len(frames)-before, err)
	}
}

func TestConversationsDoNotEndWhileTheirChannelMayBeThere(t *testing.T) {
	departed := brand()
	departing(departed)
	for sentence, happens := range map[string]func(w *world, c *clock){
		"it is being deleted, and what agents say is sent": func(w *world, c *clock) {
			w.Catalog.Set(departed...)
			w.ticks(c, 3*channelGoneAfter)
		},
		"it is made again before its time": func(w *world, c *clock) {
			w.Catalog.Set(without("shop")...)
			w.ticks(c, channelGoneAfter-talkingInterval)
			w.Catalog.Set(brand()...)
			w.ticks(c, talkingInterval)
			w.Catalog.Set(without("shop")...)
			w.ticks(c, channelGoneAfter-talkingInterval)
		},
		"the API server is away, and it may have been made again": func(w *world, c *clock) {
			w.Catalog.Set(without("shop")...)
			w.ticks(c, channelGoneAfter-talkingInterval)
			w.Catalog.Lose()
			w.ticks(c, 3*channelGoneAfter)
		},
		"the API server has just come back": func(w *world, c *clock) {
			w.Catalog.Set(without("shop")...)
			w.ticks(c, channelGoneAfter-talkingInterval)
			w.Catalog.Lose()
			w.ticks(c, channelGoneAfter)
			w.Catalog.Set(without("shop")...)
			w.ticks(c, channelGoneAfter-talkingInterval)
		},
		"the router has started while the API server was away": func(w *world, _ *clock) {
			w.Catalog = catalog.New("lumi", "lumi", w.Logger)
			w.ticks(newClock(w.Router), 3*channelGoneAfter)
		},
		"the Brand is not known": func(w *world, c *clock) {
			w.Catalog.Set(&yingdav1.SkillGroup{})
			w.ticks(c, 3*channelGoneAfter)
		},
	} {
		t.Run(sentence, func(t *testing.T) {
			w := newWorld(t)
			clock := newClock(w.Router)
			w.writes("served", "在吗")
			w.writes("waiting", "在吗")
			happens(w, clock)
			if got := w.ended(); len(got) > 0 {
				t.Errorf("the conversations of %v ended", got)
			}
		})
	}
}

func TestWhoWritesToAChannelThatIsMadeAgainIsNotLost(t *testing.T) {
	w := newWorld(t)
	clock := newClock(w.Router)
	w.writes("old", "在吗")
	w.Catalog.Set(without("shop")...)
	w.ticks(clock, channelGoneAfter-talkingInterval)
	// Another replica and the connector know the new Channel; this one is about to.
	w.writes("new", "在吗")
	w.ticks(clock, 2*talkingInterval)
	if diff := cmp.Diff([]string{"old"}, w.ended()); diff != "" {
		t.Errorf("ended (-want +got):\n%s", diff)
	}
	w.Catalog.Set(brand()...)
	w.ticks(clock, 3*channelGoneAfter)
	if diff := cmp.Diff([]string{"old"}, w.ended()); diff != "" {
		t.Errorf("ended after the Channel was there again (-want +got):\n%s", diff)
	}
	w.writes("old", "还在吗")
	if got := w.sees("old"); got.State == store.StateClosed {
		t.Errorf("who comes back gets no new conversation: %+v", got)
	}
}

func TestWhatComesLateFromADeletedChannelEndsLater(t *testing.T) {
	w := newWorld(t)
	clock := newClock(w.Router)
	w.Catalog.Set(without("shop")...)
	w.writes("late", "在吗")
	if got := w.sees("late"); got.State != store.StateAssigned {
		t.Fatalf("what was written is not taken in: %+v", got)
	}
	w.ticks(clock, channelGoneAfter+2*talkingInterval)
	if diff := cmp.Diff([]string{"late"}, w.ended()); diff != "" {
		t.Errorf("ended (-want +got):\n%s", diff)
	}
}

func TestOneConversationThatCannotEndKeepsNoOther(t *testing.T) {
	w := newWorld(t)
	clock := newClock(w.Router)
	for _, customer := range []string{"bad", "c"} {
		w.writes(customer, "在吗")
	}
	_, err := w.Store.Pool().Exec(t.Context(), `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'refused'; END $$;
		CREATE TRIGGER refuse BEFORE UPDATE ON conversation FOR EACH ROW WHEN (OLD.external_id = 'bad') EXECUTE FUNCTION refuse()`)
	if err != nil {
		t.Fatal(err)
	}
	w.Catalog.Set(without("shop")...)
	w.looks(clock)
	w.now = w.now.Add(channelGoneAfter + time.Second)
	if err := clock.look(t.Context(), w.Catalog.Snapshot()); err == nil {
		t.Error("that a conversation cannot end is no error")
	}
	if diff := cmp.Diff([]string{"c"}, w.ended()); diff != "" {
		t.Errorf("ended (-want +got):\n%s", diff)
	}
}
