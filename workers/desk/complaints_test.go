package desk

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/yingda-dev/yingda/internal/catalog"
	"github.com/yingda-dev/yingda/internal/domain/history"
	"github.com/yingda-dev/yingda/internal/promise"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/store/db"
)

// settles records how a complaint was settled, as its process does.
func (w *world) settles(complaint string, conversation uuid.UUID) {
	w.t.Helper()
	w.does(func(ctx context.Context, u *store.Unit) error {
		due := u.Now.Add(72 * time.Hour)
		step := store.ComplaintStep{Taking: store.Taking{Step: "resolve", Action: history.Due}, Due: &due}
		_, _, err := u.ChangeComplaint(ctx, conversation, step, func(ctx context.Context) (db.Complaint, error) {
			return u.ComplaintResolve(ctx, db.ComplaintResolveParams{
				ID: complaint, ResolvedAt: u.Now, ResolvedBy: "xiaomei", Resolution: "已换货", FollowUpDue: due,
			})
		})
		return err
	})
}

// listsComplaints are the ids that an agent's list has.
func (d *desk) listsComplaints(agentName, query string) (ids []string) {
	d.t.Helper()
	type listed struct{ Complaints []ListedComplaint }
	for _, c := range asks[listed](d.as(agentName), http.StatusOK, http.MethodGet, "/api/complaints"+query, nil).Complaints {
		ids = append(ids, c.ID)
	}
	return ids
}

// shownComplaint is the complaint of a conversation as xiaomei sees it.
func (d *desk) shownComplaint(conversation uuid.UUID) *ShownComplaint {
	d.t.Helper()
	type shown struct{ Complaint *ShownComplaint }
	return asks[shown](d.as("xiaomei"), http.StatusOK, http.MethodGet, "/api/conversations/"+conversation.String(), nil).Complaint
}

func TestAComplaintThatHasLapsedAsksForNobody(t *testing.T) {
	w := newWorld(t)
	d := w.starts()
	id := w.assigned("after-sales", "xiaomei", "c")
	complaint := w.complains(id)
	w.settles(complaint, id)
	if shown := d.shownComplaint(id); shown == nil || shown.Lapsed {
		t.Errorf("of the conversation: %+v, want that somebody asks the customer again", shown)
	}
	for _, query := range []string{"", "?state=resolved"} {
		if diff := cmp.Diff([]string{complaint}, d.listsComplaints("xiaomei", query)); diff != "" {
			t.Errorf("listed by %q before (-want +got):\n%s", query, diff)
		}
	}
	w.does(func(ctx context.Context, u *store.Unit) error {
		_, _, err := u.ChangeCase(ctx, complaint, store.Taking{Step: "lapse", Action: history.Lapse}, func(c *store.Case) error {
			c.ClosedAt, c.Due = &u.Now, nil
			return nil
		})
		return err
	})
	for _, query := range []string{"", "?state=resolved"} {
		if got := d.listsComplaints("xiaomei", query); len(got) > 0 {
			t.Errorf("listed by %q: %q", query, got)
		}
	}
	if shown := d.shownComplaint(id); shown == nil || !shown.Lapsed || shown.State != string(promise.ComplaintResolved) {
		t.Errorf("of the conversation: %+v, want that it has lapsed", shown)
	}
	before := w.history(complaint)
	of := "/api/conversations/" + id.String() + "/complaint/"
	for name, how := range map[string]struct {
		path string
		body any
	}{
		"asked again, of the conversation": {of + "follow-up", nil},
		"asked again, of the case":         {acting(store.Case{ID: complaint}), act("followUp", nil)},
		"resolved, of the conversation":    {of + "resolve", map[string]any{"resolution": "已退款"}},
		"resolved, of the case":            {acting(store.Case{ID: complaint}), act("resolve", map[string]any{"note": "已退款"})},
	} {
		if got := asks[refused](d.as("xiaomei"), http.StatusConflict, http.MethodPost, how.path, how.body); got.Type != "urn:yingda:problem:Ended" {
			t.Errorf("%s: %+v", name, got)
		}
	}
	if diff := cmp.Diff(before, w.history(complaint)); diff != "" {
		t.Errorf("history (-want +got):\n%s", diff)
	}
	if sent := len(w.outboxOf(store.TargetSignal+promise.SignalFollowedUp)) + len(w.outboxOf(store.TargetSignal+promise.SignalResolve)); sent > 0 {
		t.Errorf("%d signals to a process that has ended", sent)
	}
}

func TestAComplaintThatWasFollowedUpIsListedToWhoAsksForThose(t *testing.T) {
	w := newWorld(t)
	d := w.starts()
	id := w.assigned("after-sales", "xiaomei", "c")
	complaint := w.complains(id)
	w.settles(complaint, id)
	w.does(func(ctx context.Context, u *store.Unit) error {
		_, _, err := u.ChangeComplaint(ctx, id, store.ComplaintStep{Taking: store.Taking{Step: "follow-up"}}, func(ctx context.Context) (db.Complaint, error) {
			return u.ComplaintFollowUp(ctx, u.Now, complaint)
		})
		return err
	})
	if shown := d.shownComplaint(id); shown == nil || shown.Lapsed {
		t.Errorf("of the conversation: %+v, want that the customer was asked again", shown)
	}
	for query, want := range map[string][]string{"": nil, "?state=resolved": nil, "?state=followed_up": {complaint}} {
		if diff := cmp.Diff(want, d.listsComplaints("xiaomei", query)); diff != "" {
			t.Errorf("listed by %q (-want +got):\n%s", query, diff)
		}
	}
}

func TestAComplaintWithoutAConversationIsListedToItsGroupAndSupervisors(t *testing.T) {
	w := newWorld(t)
	w.catalog = catalog.Fixed("lumi", "lumi", generous()...)
	d := w.starts()
	made := asks[CaseView](d.as("laowang"), http.StatusCreated, http.MethodPost, "/api/complaints",
		map[string]any{"key": uuid.New(), "source": "12315", "what": "不给退款"})
	for name, want := range map[string][]string{"laowang": {made.ID}, "xiaomei": {made.ID}, "xiaohong": nil} {
		if diff := cmp.Diff(want, d.listsComplaints(name, "")); diff != "" {
			t.Errorf("listed to %s (-want +got):\n%s", name, diff)
		}
	}
	type listed struct{ Complaints []ListedComplaint }
	if got := asks[listed](d.as("laowang"), http.StatusOK, http.MethodGet, "/api/complaints", nil).Complaints; len(got) != 1 || got[0].ChannelGone {
		t.Errorf("it says that a Channel is gone of which it never was: %+v", got)
	}
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
