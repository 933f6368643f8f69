package desk

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/yingda-dev/yingda/internal/domain/routing"
	"github.com/yingda-dev/yingda/internal/store"
)

func TestWhoAnswersKeepsTheConversation(t *testing.T) {
	w := newWorld(t)
	d := w.starts()
	say := func(id uuid.UUID, want int) {
		t.Helper()
		body := map[string]any{"key": uuid.New(), "content": map[string]any{"kind": "text", "text": "您好"}}
		if got := d.as("xiaomei").sends(http.MethodPost, "/api/conversations/"+id.String()+"/messages", body); got.status != want {
			t.Errorf("status %d, want %d", got.status, want)
		}
	}
	agents := []store.Seat{{Agent: "xiaomei", Capacity: 100}, {Agent: "laowang", Capacity: 100}}
	rules := store.Assignment{Group: "after-sales", Seats: agents, Assignment: routing.Assignment{ReassignAfter: time.Minute}}
	assigns := func(onDuty string) {
		t.Helper()
		if _, err := w.store.Queries().PresenceSet(t.Context(), onDuty, true, w.clock()); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if _, err := w.store.AssignNext(t.Context(), w.scope(), rules); err != nil {
				t.Fatal(err)
			}
		}
	}
	answered, silent := w.queues("after-sales", "answered"), w.queues("after-sales", "silent")
	assigns("xiaomei")
	say(answered, http.StatusAccepted)
	w.passes(time.Hour)
	assigns("laowang")
	say(answered, http.StatusAccepted)
	say(silent, http.StatusConflict)
	shown := asks[struct {
		Conversation store.Conversation `json:"conversation"`
	}](d.as("laowang"), http.StatusOK, http.MethodGet, "/api/conversations/"+silent.String(), nil).Conversation
	if shown.Agent != "laowang" || len(shown.PassedBy) != 1 || shown.PassedBy[0] != "xiaomei" {
		t.Errorf("shown is %+v", shown)
	}
}
