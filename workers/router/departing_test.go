package router

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
)

func TestOfAChannelThatIsBeingDeletedTheUnsettledMessagesAreCounted(t *testing.T) {
	w := newWorld(t, func(objects []client.Object) {
		for _, object := range objects {
			if channel, ok := object.(*yingdav1.Channel); ok {
				channel.DeletionTimestamp = &metav1.Time{Time: noon()}
			}
		}
	})
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
		w.countDepartures(t.Context())
		got := w.Departing()["shop"].OnTheWay
		if diff := cmp.Diff(&step.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", step.sentence, diff)
		}
	}
	w.now = w.now.Add(2 * time.Hour)
	w.countDepartures(t.Context())
	if got := w.Departing()["shop"].OnTheWay; got == nil || *got != 0 {
		t.Errorf("two hours later %v are on their way", got)
	}
}

func TestOfAChannelThatStaysNothingIsCounted(t *testing.T) {
	w := newWorld(t)
	w.countDepartures(t.Context())
	if got := w.Departing(); len(got) > 0 {
		t.Errorf("counted %v", got)
	}
}
