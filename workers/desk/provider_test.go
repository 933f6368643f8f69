package desk

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/domain/oncall"
	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/promise"
	"github.com/yingda-dev/yingda/internal/store"
)

// provided is a world whose Brand has a provider with the key "shared".
func provided(t *testing.T) (*world, *desk) {
	t.Helper()
	w := newWorld(t)
	objects := brand()
	for _, object := range objects {
		if b, ok := object.(*yingdav1.Brand); ok {
			b.Spec.Provider = &yingdav1.BrandProvider{URL: "https://erp.example/", SecretRef: yingdav1.CredentialsReference{Name: "erp"}}
			b.Spec.Defaults.SkillGroupRef = &yingdav1.SkillGroupReference{Name: "after-sales"}
		}
	}
	w.catalog.Set(objects...)
	w.provider.KeyFile = filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(w.provider.KeyFile, []byte("shared\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return w, w.starts()
}

// signs sends what a provider says, signed by a key at a time.
func (d *desk) signs(path string, body any, key string, at time.Time) (status int, answer []byte) {
	d.t.Helper()
	encoded, err := json.Marshal(body)
	if err != nil {
		d.t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(d.t.Context(), http.MethodPost, d.url+path, bytes.NewReader(encoded))
	if err != nil {
		d.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set(oncall.HeaderSignature, oncall.Sign([]byte(key), encoded, at))
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		d.t.Fatal(err)
	}
	defer response.Body.Close()
	if answer, err = io.ReadAll(response.Body); err != nil {
		d.t.Fatal(err)
	}
	return response.StatusCode, answer
}

// tells sends what the provider says now, and decodes the answer.
func tells[T any](d *desk, wantStatus int, path string, body any) (decoded T) {
	d.t.Helper()
	status, answer := d.signs(path, body, "shared", d.Now())
	if status != wantStatus {
		d.t.Fatalf("%s: status %d, want %d: %s", path, status, wantStatus, answer)
	}
	if err := json.Unmarshal(answer, &decoded); err != nil {
		d.t.Fatal(err)
	}
	return decoded
}

func application(change map[string]any) map[string]any {
	body := map[string]any{
		"key": "erp-1", "channel": "shop", "customer": "c", "kind": "Return", "reason": "NoReason",
		"order": map[string]any{"number": "LM20261120001", "paid": 9900, "deliveredAt": noon().Add(-24 * time.Hour)},
	}
	maps.Copy(body, change)
	return body
}

// toldOf are the states in which an agent's desk was told of a case.
func (w *world) toldOf(agent, id string) (states []string) {
	w.t.Helper()
	w.does(func(ctx context.Context, u *store.Unit) error {
		frames, err := u.FramesAfter(ctx, agent, 0, 100)
		for _, frame := range frames {
			var c store.Case
			if frame.Kind != string(message.FrameCase) {
				continue
			}
			if err := json.Unmarshal(frame.Payload, &c); err != nil {
				return err
			}
			if c.ID == id {
				states = append(states, c.State)
			}
		}
		return err
	})
	return states
}

func TestTheProviderOpensACaseAndSaysWhatHappens(t *testing.T) {
	w, d := provided(t)
	w.knows("c")
	const path = "/api/provider/cases"
	opened := tells[ProviderCase](d, http.StatusAccepted, path, application(nil))
	want := ProviderCase{Name: opened.Name, State: "review", Order: "LM20261120001", Revision: 1, Reason: "您的申请已收到，客服会尽快为您审核。", Allowed: []string{}}
	if diff := cmp.Diff(want, opened); diff != "" {
		t.Errorf("opened (-want +got):\n%s", diff)
	}
	if again := tells[ProviderCase](d, http.StatusAccepted, path, application(nil)); again.Name != opened.Name {
		t.Errorf("by the same key %s was opened after %s", again.Name, opened.Name)
	}
	actions := path + "/" + opened.Name + "/actions"
	received := map[string]any{"key": "erp-1-received", "case": opened.Name, "action": "receive"}
	type told struct {
		Type    string
		Allowed []AllowedAction
	}
	if diff := cmp.Diff(told{"urn:yingda:problem:WrongState", []AllowedAction{}}, tells[told](d, http.StatusConflict, actions, received)); diff != "" {
		t.Errorf("received before it was approved (-want +got):\n%s", diff)
	}
	if got := w.toldOf("xiaomei", d.idOf(opened.Name)); !slices.Equal(got, []string{"review"}) {
		t.Errorf("the group was told of %q of a case that nobody owns, want it once", got)
	}
	asks[CaseDetail](d.as("xiaomei"), http.StatusAccepted, http.MethodPost, "/api/cases/"+opened.Name+"/actions", CaseActionRequest{Key: uuid.New(), Action: "approve"})
	paid := map[string]any{"key": "erp-1-paid", "case": opened.Name, "action": "refunded", "reference": "R1"}
	if diff := cmp.Diff(told{"urn:yingda:problem:WrongState", []AllowedAction{{Action: "receive"}}}, tells[told](d, http.StatusConflict, actions, paid)); diff != "" {
		t.Errorf("paid before it was asked for (-want +got):\n%s", diff)
	}
	for range 2 {
		if got := tells[ProviderCase](d, http.StatusAccepted, actions, received); got.State != "received" || got.Revision != 3 {
			t.Errorf("received: %+v", got)
		}
	}
	if got := w.toldOf("xiaomei", d.idOf(opened.Name)); !slices.Equal(got, []string{"review", "returning", "received"}) {
		t.Errorf("the group was told of %q, want each state", got)
	}
	shown := asks[CaseDetail](d.as("xiaomei"), http.StatusOK, http.MethodGet, "/api/cases/"+opened.Name, nil)
	if last := shown.History[len(shown.History)-1]; last.Actor != "provider" || last.State != "received" {
		t.Errorf("the history ends with %+v", last)
	}
	if n := len(w.outboxOf(store.TargetStart + promise.AfterSalesWorkflow)); n != 1 {
		t.Errorf("%d processes were started, want 1", n)
	}
	other := map[string]any{"key": received["key"], "case": opened.Name, "action": "refunded", "reference": "R1"}
	if got := tells[refused](d, http.StatusUnprocessableEntity, actions, other); got.Type != "urn:yingda:problem:KeyUsed" {
		t.Errorf("something else by the same key: %+v", got)
	}
	if n := len(w.outboxOf(store.TargetSignal + promise.SignalAct)); n != 2 {
		t.Errorf("%d signals, want 2", n)
	}
}

func TestWhatTheProviderOpensIsReviewedWithoutPhotos(t *testing.T) {
	w, d := provided(t)
	w.knows("c")
	for _, reason := range []string{"Quality", "WrongItem", "Damaged"} {
		opened := tells[ProviderCase](d, http.StatusAccepted, "/api/provider/cases", application(map[string]any{"key": reason, "reason": reason}))
		shown := asks[CaseDetail](d.as("xiaomei"), http.StatusOK, http.MethodGet, "/api/cases/"+opened.Name, nil)
		if advice := inside(t, shown).Decision.Agent; opened.State != "review" || !strings.Contains(advice, "没有照片") {
			t.Errorf("%s is in %s, the reviewer reads %q", reason, opened.State, advice)
		}
	}
}

func TestPhotosAreAddedToWhatTheProviderOpened(t *testing.T) {
	w, d := provided(t)
	w.knows("c")
	opened := tells[ProviderCase](d, http.StatusAccepted, "/api/provider/cases", application(map[string]any{"reason": "Quality"}))
	conversation := w.assigned("after-sales", "xiaomei", "c")
	file := w.sendsPicture(conversation)
	added := asks[CaseDetail](d.as("xiaomei"), http.StatusAccepted, http.MethodPost, "/api/cases/"+opened.Name+"/actions",
		CaseActionRequest{Key: uuid.New(), Action: "addEvidence", Evidence: w.sent(conversation)})
	if evidence := inside(t, added).Application.Evidence; len(evidence) != 1 || evidence[0].Media != file {
		t.Errorf("evidence %+v, want the photo", evidence)
	}
}

func TestTheProviderSaysWhereTheCustomerCanBeWrittenTo(t *testing.T) {
	w, d := provided(t)
	w.knows("c")
	tells[ProviderCase](d, http.StatusAccepted, "/api/provider/cases", application(map[string]any{"contact": map[string]any{"email": "zhang@mail.example"}}))
	var input promise.AfterSalesInput
	if started := w.outboxOf(store.TargetStart + promise.AfterSalesWorkflow); len(started) != 1 || json.Unmarshal(started[0], &input) != nil {
		t.Fatalf("%d processes were started", len(started))
	}
	if email, told := w.emailOf(input.ID), input.Application.Contact.Email; email != "zhang@mail.example" || told != "" {
		t.Errorf("the customer is written to at %q, of which Temporal is told %q", email, told)
	}
}

// emailOf is where the customer of an after-sales case is written to.
func (w *world) emailOf(id string) string {
	w.t.Helper()
	row, err := w.store.Queries().CaseGet(w.t.Context(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	inside, err := store.AfterSalesOf(store.CaseView(row))
	if err != nil {
		w.t.Fatal(err)
	}
	return inside.Application.Contact.Email
}

func TestWhatTheProviderSaysIsChecked(t *testing.T) {
	w, d := provided(t)
	w.knows("c")
	opened := tells[ProviderCase](d, http.StatusAccepted, "/api/provider/cases", application(nil))
	actions := "/api/provider/cases/" + opened.Name + "/actions"
	for name, tc := range map[string]struct {
		path   string
		body   map[string]any
		status int
		reason string
	}{
		"a customer of whom nobody has heard": {"/api/provider/cases", application(map[string]any{"key": "2", "customer": "k"}), http.StatusUnprocessableEntity, "NoSuchCustomer"},
		"a channel that there is not":         {"/api/provider/cases", application(map[string]any{"key": "3", "channel": "other"}), http.StatusUnprocessableEntity, "NoSuchChannel"},
		"a group that there is not":           {"/api/provider/cases", application(map[string]any{"key": "4", "skillGroup": "other"}), http.StatusUnprocessableEntity, "NoSuchGroup"},
		"more back than was paid":             {"/api/provider/cases", application(map[string]any{"key": "5", "amount": 9901}), http.StatusUnprocessableEntity, "AmountTooHigh"},
		"what was signed for another case":    {actions, map[string]any{"key": "6", "case": "after-sales~1", "action": "receive"}, http.StatusUnprocessableEntity, "OtherCase"},
		"a case that there is not":            {"/api/provider/cases/after-sales~1/actions", map[string]any{"key": "7", "case": "after-sales~1", "action": "receive"}, http.StatusNotFound, "NoSuchCase"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := tells[refused](d, tc.status, tc.path, tc.body); got.Type != "urn:yingda:problem:"+tc.reason {
				t.Errorf("refused with %+v, want %s", got, tc.reason)
			}
		})
	}
	if status, answer := d.signs(actions, map[string]any{"key": "8", "case": opened.Name, "action": "approve"}, "shared", d.Now()); status != http.StatusUnprocessableEntity {
		t.Errorf("an action that is an agent's: %d %s", status, answer)
	}
}

func TestOnlyWhatTheProviderHasSignedCounts(t *testing.T) {
	w, d := provided(t)
	w.knows("c")
	const path = "/api/provider/cases"
	for name, tc := range map[string]struct {
		key string
		at  time.Time
	}{
		"by another key": {"other", noon()},
		"long ago":       {"shared", noon().Add(-time.Hour)},
	} {
		t.Run(name, func(t *testing.T) {
			if status, answer := d.signs(path, application(nil), tc.key, tc.at); status != http.StatusUnauthorized {
				t.Errorf("status %d: %s", status, answer)
			}
		})
	}
	// An agent's token opens none of it, and the provider's signature nothing else.
	if got := d.as("laowang").sends(http.MethodPost, path, application(nil)); got.status != http.StatusUnauthorized {
		t.Errorf("by an agent's token: %d %s", got.status, got.body)
	}
	if status, answer := d.signs("/api/conversations/"+uuid.NewString()+"/after-sales", application(nil), "shared", noon()); status != http.StatusUnauthorized {
		t.Errorf("elsewhere: %d %s", status, answer)
	}
	if got := (&visitor{d, http.Header{}}).sends(http.MethodPost, path, make([]byte, maxBody+1)); got.status != http.StatusRequestEntityTooLarge {
		t.Errorf("a body that is too large: %d %s", got.status, got.body)
	}
	w.catalog.Set(brand()...)
	if status, _ := d.signs(path, application(nil), "shared", noon()); status != http.StatusUnauthorized {
		t.Errorf("of a Brand without a provider: %d", status)
	}
	if n := len(w.outboxOf(store.TargetStart + promise.AfterSalesWorkflow)); n != 0 {
		t.Errorf("%d processes were started", n)
	}
}
