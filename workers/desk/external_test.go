package desk

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"sigs.k8s.io/controller-runtime/pkg/client"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/catalog"
	"github.com/yingda-dev/yingda/internal/promise"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/store/db"
)

// generous lets agents offer 20 yuan and supervisors 200.
func generous() []client.Object {
	level := &yingdav1.ServiceLevel{Spec: yingdav1.ServiceLevelSpec{Complaint: yingdav1.ComplaintSpec{
		Ladder:             []yingdav1.EscalationRung{{After: "30m", Notify: yingdav1.RoleSupervisor}, {After: "2h", Notify: yingdav1.RoleAdmin}},
		FollowUpWithinDays: 2,
		Compensation: &yingdav1.CompensationSpec{Limits: []yingdav1.CompensationLimit{
			{Role: yingdav1.RoleAgent, UpTo: 2000}, {Role: yingdav1.RoleSupervisor, UpTo: 20000},
		}},
	}}}
	level.Name, level.Namespace, level.Generation = "standard", "lumi", 1
	objects := brand(func(objects []client.Object) {
		for _, o := range objects {
			if b, ok := o.(*yingdav1.Brand); ok {
				b.Spec.Defaults.ServiceLevelRef = &yingdav1.ServiceLevelReference{Name: "standard"}
				b.Spec.Defaults.SkillGroupRef = &yingdav1.SkillGroupReference{Name: "after-sales"}
			}
		}
	})
	return append(objects, level)
}

// compensating is what may be done with a complaint for which nothing waits.
func compensating() AllowedAction {
	return AllowedAction{Action: actionCompensate, Needs: []string{"compensation", "amount", "note"}}
}

// complains records a complaint of a conversation, as its process does.
func (w *world) complains(id uuid.UUID) string {
	w.t.Helper()
	workflow := promise.ComplaintID("lumi", "lumi", id)
	w.does(func(ctx context.Context, u *store.Unit) error {
		_, _, err := u.ChangeComplaint(ctx, id, store.ComplaintStep{Taking: store.Taking{Step: "open"}}, func(ctx context.Context) (db.Complaint, error) {
			return u.ComplaintOpen(ctx, db.ComplaintOpenParams{ID: workflow, ConversationID: id, Channel: "shop", ExternalID: "c", SkillGroup: "after-sales", OpenedAt: u.Now})
		})
		return err
	})
	return workflow
}

func offers(kind string, amount int) map[string]any {
	return map[string]any{"key": uuid.New(), "kind": kind, "amount": amount, "note": "补偿"}
}

// offered are the offers of a complaint's case.
func offered(t *testing.T, c store.Case) (states []string) {
	t.Helper()
	detail, err := store.ComplaintDetailOf(c)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range detail.Compensations {
		states = append(states, o.Kind+" "+string(o.State)+" "+o.DecidedBy)
	}
	return states
}

func TestCompensationAboveTheLimitWaitsForApproval(t *testing.T) {
	w := newWorld(t)
	w.catalog = catalog.Fixed("lumi", "lumi", generous()...)
	d := w.starts()
	id := w.assigned("after-sales", "xiaomei", "c")
	path, v := "/api/conversations/"+id.String()+"/complaint/compensation", d.as("xiaomei")
	asks[refused](v, http.StatusNotFound, http.MethodPost, path, offers("Coupon", 2000))
	workflow := w.complains(id)
	acting := "/api/cases/" + url.PathEscape(workflow) + "/actions"
	decide := func(action string) map[string]any {
		return map[string]any{"key": uuid.New(), "action": action, "note": "同意"}
	}

	within := offers("Coupon", 2000)
	for range 2 {
		got := asks[store.Case](v, http.StatusAccepted, http.MethodPost, path, within)
		if diff := cmp.Diff([]string{"Coupon approved "}, offered(t, got)); diff != "" {
			t.Errorf("within the limit (-want +got):\n%s", diff)
		}
	}
	// The second counts with the first.
	got := asks[store.Case](v, http.StatusAccepted, http.MethodPost, path, offers("Gift", 1))
	if diff := cmp.Diff([]string{"Coupon approved ", "Gift waiting "}, offered(t, got)); diff != "" {
		t.Errorf("above the limit (-want +got):\n%s", diff)
	}
	if got := asks[refused](v, http.StatusConflict, http.MethodPost, path, offers("Gift", 1)); got.Type != "urn:yingda:problem:OfferWaits" {
		t.Errorf("while one waits: %+v", got)
	}
	if got := asks[refused](v, http.StatusForbidden, http.MethodPost, acting, decide("approve")); got.Type != "urn:yingda:problem:OwnOffer" {
		t.Errorf("one's own: %+v", got)
	}
	// Nothing ends over it: the customer would never hear of it.
	for _, how := range []struct {
		path string
		body map[string]any
	}{
		{acting, map[string]any{"key": uuid.New(), "action": "resolve", "note": "已道歉"}},
		{"/api/conversations/" + id.String() + "/complaint/resolve", map[string]any{"resolution": "已道歉"}},
	} {
		if got := asks[refused](d.as("laowang"), http.StatusConflict, http.MethodPost, how.path, how.body); got.Type != "urn:yingda:problem:OfferWaits" {
			t.Errorf("resolved over it at %s: %+v", how.path, got)
		}
	}
	approval := decide("approve")
	got = asks[store.Case](d.as("laowang"), http.StatusAccepted, http.MethodPost, acting, approval)
	if diff := cmp.Diff([]string{"Coupon approved ", "Gift approved laowang"}, offered(t, got)); diff != "" {
		t.Errorf("approved (-want +got):\n%s", diff)
	}
	other := decide("refuse")
	other["key"] = approval["key"]
	if got := asks[refused](d.as("laowang"), http.StatusUnprocessableEntity, http.MethodPost, acting, other); got.Type != "urn:yingda:problem:KeyUsed" {
		t.Errorf("the key of the approval: %+v", got)
	}
	if got := asks[refused](v, http.StatusConflict, http.MethodPost, path, offers("Refund", 20000)); got.Type != "urn:yingda:problem:AboveAllLimits" {
		t.Errorf("above all limits: %+v", got)
	}
	asks[store.Case](v, http.StatusAccepted, http.MethodPost, path, offers("Refund", 17999))
	got = asks[store.Case](d.as("laowang"), http.StatusAccepted, http.MethodPost, acting, decide("refuse"))
	if diff := cmp.Diff([]string{"Coupon approved ", "Gift approved laowang", "Refund refused laowang"}, offered(t, got)); diff != "" {
		t.Errorf("refused (-want +got):\n%s", diff)
	}
	// The supervisor was told of what waits, and of nothing else.
	if steps := w.history(workflow); len(steps) != 6 {
		t.Errorf("history %q", steps)
	}
}

func TestWhoOfferedHearsOfTheDecision(t *testing.T) {
	for name, from := range map[string]func(w *world, d *desk) string{
		"of a conversation that nobody has": func(w *world, _ *desk) string { return w.complains(w.queues("after-sales", "c")) },
		"from outside, without a conversation": func(_ *world, d *desk) string {
			return asks[CaseView](d.as("laowang"), http.StatusCreated, http.MethodPost, "/api/complaints",
				map[string]any{"key": uuid.New(), "source": "12315", "what": "不给退款"}).ID
		},
	} {
		for _, decision := range []string{actionApprove, actionRefuse} {
			t.Run(name+", "+decision, func(t *testing.T) {
				w := newWorld(t)
				w.catalog = catalog.Fixed("lumi", "lumi", generous()...)
				d := w.starts()
				id := from(w, d)
				offer := act(actionCompensate, map[string]any{"compensation": "Gift", "amount": 5000, "note": "补偿"})
				asks[store.Case](d.as("xiaomei"), http.StatusAccepted, http.MethodPost, acting(store.Case{ID: id}), offer)
				before := len(w.toldOf("xiaomei", id))
				decided := act(decision, map[string]any{"note": "已看"})
				for range 2 { // The client did not hear the answer to the first.
					asks[store.Case](d.as("laowang"), http.StatusAccepted, http.MethodPost, acting(store.Case{ID: id}), decided)
				}
				if got := len(w.toldOf("xiaomei", id)) - before; got != 1 {
					t.Errorf("who offered was told %d times, want once", got)
				}
			})
		}
	}
}

func TestWhatNobodyMayApproveIsNotOffered(t *testing.T) {
	w := newWorld(t)
	w.catalog = catalog.Fixed("lumi", "lumi", slices.DeleteFunc(generous(), func(o client.Object) bool { return o.GetName() == "laowang" })...)
	d := w.starts()
	id := w.assigned("after-sales", "xiaomei", "c")
	w.complains(id)
	got := asks[refused](d.as("xiaomei"), http.StatusConflict, http.MethodPost, "/api/conversations/"+id.String()+"/complaint/compensation", offers("Gift", 2001))
	if got.Type != "urn:yingda:problem:NobodyDecides" {
		t.Errorf("offered: %+v", got)
	}
}

func TestWithoutLimitsNobodyOffersAnything(t *testing.T) {
	w := newWorld(t)
	d := w.starts()
	id := w.assigned("after-sales", "xiaomei", "c")
	w.complains(id)
	got := asks[refused](d.as("laowang"), http.StatusConflict, http.MethodPost, "/api/conversations/"+id.String()+"/complaint/compensation", offers("Gift", 1))
	if got.Type != "urn:yingda:problem:NoCompensation" {
		t.Errorf("offered: %+v", got)
	}
}

func TestAComplaintFromOutsideStartsAtTheTop(t *testing.T) {
	w := newWorld(t)
	w.catalog = catalog.Fixed("lumi", "lumi", generous()...)
	d := w.starts()
	body := map[string]any{"key": uuid.New(), "source": "12315", "reference": "2026-1123-7", "what": "不给退款"}
	asks[refused](d.as("xiaomei"), http.StatusForbidden, http.MethodPost, "/api/complaints", body)
	made := asks[CaseView](d.as("laowang"), http.StatusCreated, http.MethodPost, "/api/complaints", body)
	again := asks[CaseView](d.as("laowang"), http.StatusCreated, http.MethodPost, "/api/complaints", body)
	if made.ID != again.ID || made.Title != "外部投诉" || made.SkillGroup != "after-sales" || made.Conversation != nil {
		t.Errorf("made %+v, and again %+v", made, again)
	}
	started := w.outboxOf(store.TargetStart + promise.ComplaintWorkflow)
	var in promise.ComplaintInput
	if len(started) != 1 || json.Unmarshal(started[0], &in) != nil {
		t.Fatalf("started %s", started)
	}
	want := promise.ComplaintInput{
		ID: made.ID, SkillGroup: "after-sales", FollowUpWithinDays: 2, FollowUpRemindSeconds: 2 * 3600, StartedAt: noon(), Source: promise.ComplaintFrom12315,
		// At once, and when a complaint of a customer's would climb.
		Ladder: []promise.Rung{{Notify: promise.RoleAdmin}, {AfterSeconds: 1800, Notify: promise.RoleAdmin}, {AfterSeconds: 7200, Notify: promise.RoleAdmin}},
	}
	if diff := cmp.Diff(want, in); diff != "" {
		t.Errorf("started (-want +got):\n%s", diff)
	}

	// It is settled like any other, whether its process runs already or not.
	acting := "/api/cases/" + url.PathEscape(made.ID) + "/actions"
	resolve := map[string]any{"key": uuid.New(), "action": "resolve", "note": "已退款"}
	resolved := asks[store.Case](d.as("xiaomei"), http.StatusAccepted, http.MethodPost, acting, resolve)
	detail, err := store.ComplaintDetailOf(resolved)
	if err != nil || resolved.State != "resolved" || detail.Resolution != "已退款" || detail.What != "不给退款" || detail.Source != promise.ComplaintFrom12315 {
		t.Errorf("resolved %+v, detail %+v, err %v", resolved, detail, err)
	}
	if signals := w.outboxOf(store.TargetSignal + promise.SignalResolve); len(signals) != 1 {
		t.Errorf("%d signals, want 1", len(signals))
	}
}
