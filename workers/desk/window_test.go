package desk

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/store/db"
)

func TestWhatThePlatformWouldRefuseIsRefusedBeforeItIsMade(t *testing.T) {
	w := newWorld(t)
	d := w.starts()
	id := w.assigned("after-sales", "xiaomei", "c")
	path := "/api/conversations/" + id.String()
	v := d.as("xiaomei")
	says := func(key uuid.UUID) map[string]any {
		return map[string]any{"key": key, "content": map[string]any{"kind": "text", "text": "您好"}}
	}
	grant := func(remaining int32, ends time.Time) {
		t.Helper()
		err := w.store.Queries().QuotaSet(t.Context(), db.QuotaSetParams{Channel: "shop", ExternalID: "c", WindowEnds: ends, Remaining: remaining, Granted: 5})
		if err != nil {
			t.Fatal(err)
		}
	}
	window := func() Window {
		t.Helper()
		return asks[struct{ Window Window }](v, http.StatusOK, http.MethodGet, path, nil).Window
	}
	ends := w.clock().Add(time.Hour)
	grant(2, ends)
	if got := window(); got.Verdict != "Allowed" || got.Remaining != 2 || got.Granted != 5 || got.Until == nil || !got.Until.Equal(ends) {
		t.Errorf("two are left: %+v", got)
	}
	first := uuid.New()
	asks[store.Message](v, http.StatusAccepted, http.MethodPost, path+"/messages", says(first))
	asks[store.Message](v, http.StatusAccepted, http.MethodPost, path+"/messages", says(uuid.New()))
	// Neither has gone out yet, and a third would be one too many.
	if got := window(); got.Verdict != "QuotaSpent" || got.Remaining != 0 {
		t.Errorf("with two on their way: %+v", got)
	}
	third := uuid.New()
	if got := asks[refused](v, http.StatusConflict, http.MethodPost, path+"/messages", says(third)); got.Type != "urn:yingda:problem:QuotaSpent" {
		t.Errorf("the third: %+v", got)
	}
	// What was said before is not said again, and not refused either.
	asks[store.Message](v, http.StatusAccepted, http.MethodPost, path+"/messages", says(first))
	if got := len(w.outboxOf("dev.yingda.outbound.v1")); got != 2 {
		t.Errorf("%d messages went out, want 2", got)
	}
	grant(5, w.clock())
	if got := asks[refused](v, http.StatusConflict, http.MethodPost, path+"/messages", says(third)); got.Type != "urn:yingda:problem:WindowClosed" {
		t.Errorf("after the window: %+v", got)
	}
	// The customer writes again, and the same message goes out.
	grant(5, w.clock().Add(48*time.Hour))
	asks[store.Message](v, http.StatusAccepted, http.MethodPost, path+"/messages", says(third))
}
