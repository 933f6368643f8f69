package desk

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/yingda-dev/yingda/internal/message"
)

func TestACustomerOfTwoChannelsHasOneTimeline(t *testing.T) {
	w := newWorld(t)
	d := w.starts()
	mine := w.assigned("after-sales", "xiaomei", "guest")
	w.hears(mine, text("在小程序里"))
	hidden := w.queues("pre-sales", "somewhere")
	w.hears(hidden, text("别组的会话"))
	earlier := w.queues("after-sales", "fan")
	w.hears(earlier, text("在公众号里"))
	customer, subscribed := uuid.New(), w.clock().Add(-time.Hour).UTC().Truncate(time.Second)
	exec := func(statement string, args ...any) {
		t.Helper()
		if _, err := w.store.Pool().Exec(t.Context(), statement, args...); err != nil {
			t.Fatal(err)
		}
	}
	exec("UPDATE conversation SET customer_id = $1, channel = CASE external_id WHEN 'fan' THEN 'service' ELSE channel END", customer)
	exec("UPDATE message SET channel = 'service', sent_at = sent_at - interval '1 minute' WHERE external_id = 'fan'")
	exec(`INSERT INTO contact (channel, external_id, customer_id, first_seen, last_seen)
		VALUES ('service', 'fan', $1, '2026-11-01Z', '2026-11-02Z'), ('shop', 'guest', $1, '2026-11-03Z', '2026-11-04Z')`, customer)
	exec(`INSERT INTO profile (channel, external_id, state, union_id, subscribed_at, subscribe_scene, updated_at)
		VALUES ('service', 'fan', 'known', 'union', $1, 'ADD_SCENE_QR_CODE', now())`, subscribed)
	path := "/api/conversations/" + mine.String()
	type line struct {
		Channel string
		Content message.Content
	}
	type timeline struct{ Messages []line }
	said := func(words ...string) timeline {
		channels := map[string]string{"在公众号里": "service", "在小程序里": "shop", "别组的会话": "shop"}
		var want timeline
		for _, word := range words {
			want.Messages = append(want.Messages, line{channels[word], text("%s", word)})
		}
		return want
	}
	if diff := cmp.Diff(said("在公众号里", "在小程序里"), asks[timeline](d.as("xiaomei"), http.StatusOK, http.MethodGet, path+"/timeline", nil)); diff != "" {
		t.Errorf("the agent's timeline (-want +got):\n%s", diff)
	}
	asks[refused](d.as("xiaohong"), http.StatusNotFound, http.MethodGet, path+"/timeline", nil)

	type known struct{ Contacts []ContactView }
	want := known{[]ContactView{
		{Channel: "service", Customer: "fan", Since: day(1), LastSeen: day(2), SubscribedAt: &subscribed, SubscribeScene: "ADD_SCENE_QR_CODE"},
		{Channel: "shop", Customer: "guest", Since: day(3), LastSeen: day(4)},
	}}
	if diff := cmp.Diff(want, asks[known](d.as("xiaomei"), http.StatusOK, http.MethodGet, path, nil)); diff != "" {
		t.Errorf("where the customer is known (-want +got):\n%s", diff)
	}
}

func day(n int) time.Time { return time.Date(2026, 11, n, 0, 0, 0, 0, time.UTC) }
