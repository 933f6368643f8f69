package router

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/bus"
)

// departing deletes the brand's Channels.
func departing(objects []client.Object) {
	for _, object := range objects {
		if channel, ok := object.(*yingdav1.Channel); ok {
			channel.DeletionTimestamp = &metav1.Time{Time: noon()}
		}
	}
}

// look is one look at the departures.
func (w *world) look() {
	w.t.Helper()
	if err := w.lookAtDepartures(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

// topicRead plays the inbound topic: read says whether the routers have passed its end.
type topicRead struct{ read bool }

func (t *topicRead) Mark(context.Context) (bus.Mark, error) { return bus.Mark{}, nil }

func (t *topicRead) Passed(context.Context, bus.Mark) (bool, error) { return t.read, nil }

func TestOfAChannelThatIsBeingDeletedTheUnsettledMessagesAreCounted(t *testing.T) {
	w := newWorld(t, departing)
	w.writes("olivia", "发票") // The bot's answer is two messages.
	var ids []string
	rows, err := w.Store.Pool().Query(t.Context(), "SELECT id::text FROM message WHERE direction = 'outbound' ORDER BY id")
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	if len(ids) != 2 {
		t.Fatalf("the bot said %d messages, want 2", len(ids))
	}
	deliver := func(id, state string) {
		t.Helper()
		_, err := w.Store.Pool().Exec(t.Context(), `INSERT INTO delivery (message_id, pool, channel, external_id, state, outbound, updated_at)
			VALUES ($1, 'miniprogram', 'shop', 'olivia', $2, '{}', now()) ON CONFLICT (message_id) DO UPDATE SET state = excluded.state`, id, state)
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, step := range []struct {
		sentence string
		after    func()
		want     int64
	}{
		{"what no connector has taken over is on its way", func() {}, 2},
		{"what waits for another try is, too", func() { deliver(ids[0], "deferred") }, 2},
		{"what arrived is settled", func() { deliver(ids[0], "delivered") }, 1},
		{"and so is what may have arrived", func() { deliver(ids[1], "unknown") }, 0},
	} {
		step.after()
		w.look()
		got := w.Departing()["shop"].OnTheWay
		if diff := cmp.Diff(&step.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", step.sentence, diff)
		}
	}
	w.now = w.now.Add(2 * time.Hour)
	w.look()
	if got := w.Departing()["shop"].OnTheWay; got == nil || *got != 0 {
		t.Errorf("two hours later %v are on their way", got)
	}
}

func TestWhatCustomersWroteIsReadOnceItIsOutOfTheSpoolAndTheTopic(t *testing.T) {
	w := newWorld(t, departing)
	topic := &topicRead{read: true}
	w.reading.progress = topic
	spooled := func(pool, channel string) {
		t.Helper()
		_, err := w.Store.Pool().Exec(t.Context(), "INSERT INTO spool (pool, envelope, created_at) VALUES ($1, jsonb_build_object('subject', $2::text), now())", pool, channel)
		if err != nil {
			t.Fatal(err)
		}
	}
	seconds := func(n float64) *float64 { return &n }
	for _, step := range []struct {
		sentence string
		before   func()
		want     *float64
	}{
		{"nothing is there to be read", func() {}, seconds(0)},
		{"of other Channels, or unreadable, it is no matter", func() { spooled("miniprogram", "outlet"); spooled("miniprogram/unreadable", "shop") }, seconds(0)},
		{"what is in the spool is not read", func() { spooled("miniprogram", "shop") }, nil},
		{"nor is what came from there and nobody has read", func() {
			topic.read = false
			if _, err := w.Store.Pool().Exec(t.Context(), "DELETE FROM spool"); err != nil {
				t.Fatal(err)
			}
		}, nil},
		{"a while later neither", func() { w.now = w.now.Add(7 * time.Second) }, nil},
		{"then it is read, up to when its end was looked at", func() { topic.read = true }, seconds(9)},
		{"and all of later, at the next look", func() {}, seconds(0)},
	} {
		w.now = w.now.Add(time.Second)
		step.before()
		w.look()
		if diff := cmp.Diff(step.want, w.Departing()["shop"].UnreadSeconds); diff != "" {
			t.Errorf("%s (-want +got):\n%s", step.sentence, diff)
		}
	}
}

func TestOfAChannelThatStaysNothingIsCounted(t *testing.T) {
	w := newWorld(t)
	w.look()
	if got := w.Departing(); len(got) > 0 {
		t.Errorf("counted %v", got)
	}
}
