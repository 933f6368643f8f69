package desk

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/yingda-dev/yingda/internal/domain/history"
	"github.com/yingda-dev/yingda/internal/promise"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/store/db"
)

// settles records how a complaint was settled, as its process does.
func (w *world) settles(complaint string, conversation uuid.UUID) {
	w.t.Helper()
	w.does(func(ctx context.Context, u *store.Unit) error {
		step := store.ComplaintStep{Taking: store.Taking{Step: "resolve", Action: history.Due}}
		_, _, err := u.ChangeComplaint(ctx, conversation, step, func(ctx context.Context) (db.Complaint, error) {
			return u.ComplaintResolve(ctx, db.ComplaintResolveParams{
				ID: complaint, ResolvedAt: u.Now, ResolvedBy: "xiaomei", Resolution: "已换货", FollowUpDue: u.Now.Add(72 * time.Hour),
			})
		})
		return err
	})
}

func TestWhatEndsAComplaintIsSaidOnceForEachKey(t *testing.T) {
	w := newWorld(t)
	d := w.starts()
	id := w.assigned("after-sales", "xiaomei", "c")
	complaint := w.complains(id)
	path, v := acting(store.Case{ID: complaint}), d.as("xiaomei")
	stale := act("resolve", map[string]any{"note": "已换货", "revision": 7})
	if got := asks[refused](v, http.StatusConflict, http.MethodPost, path, stale); got.Type != "urn:yingda:problem:CaseChanged" {
		t.Errorf("upon another revision: %+v", got)
	}
	resolving := act("resolve", map[string]any{"note": "已换货", "revision": 1})
	for range 2 { // The client did not hear the answer to the first.
		if got := asks[store.Case](v, http.StatusAccepted, http.MethodPost, path, resolving); got.State != "resolved" {
			t.Errorf("resolved: %+v", got)
		}
	}
	for name, other := range map[string]struct {
		by, note string
	}{"by somebody else": {"laowang", "已换货"}, "in another way": {"xiaomei", "已退款"}} {
		asks[refused](d.as(other.by), http.StatusConflict, http.MethodPost, path, act("resolve", map[string]any{"note": other.note}))
		if sent := w.outboxOf(store.TargetSignal + promise.SignalResolve); len(sent) != 1 {
			t.Errorf("resolved %s there are %d signals, want 1", name, len(sent))
		}
	}
	w.settles(complaint, id)
	asking := act("followUp", map[string]any{"note": "客户满意"})
	for range 2 {
		asks[store.Case](v, http.StatusAccepted, http.MethodPost, path, asking)
	}
	asks[refused](d.as("laowang"), http.StatusConflict, http.MethodPost, path, asking)
	if sent := w.outboxOf(store.TargetSignal + promise.SignalFollowedUp); len(sent) != 1 {
		t.Errorf("%d signals that the customer was asked, want 1", len(sent))
	}
}
