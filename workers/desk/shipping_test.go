package desk

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/promise"
	"github.com/yingda-dev/yingda/internal/store"
)

const ordersPath = "/api/provider/orders"

// payment is what the provider reports of an order that was paid an hour ago.
func payment(change map[string]any) map[string]any {
	body := map[string]any{
		"key": "erp-paid-1", "channel": "shop", "customer": "c", "order": map[string]any{"number": "LM20261120001"}, "paidAt": noon().Add(-time.Hour),
	}
	maps.Copy(body, change)
	return body
}

// says is what the provider reports of an order later.
func says(action string, change map[string]any) (path string, body map[string]any) {
	body = map[string]any{"key": "erp-" + action, "order": "LM20261120001", "action": action}
	if action == orderShipped {
		body["carrier"], body["tracking"] = "顺丰", "SF1"
	}
	maps.Copy(body, change)
	number, _ := body["order"].(string)
	return ordersPath + "/" + url.PathEscape(number) + "/actions", body
}

func TestAPaidOrderIsOwedUntilItIsSent(t *testing.T) {
	w, d := provided(t)
	w.knows("c")
	paid := noon().Add(-time.Hour)
	due := paid.Add(48 * time.Hour)
	opened := tells[ProviderOrder](d, http.StatusAccepted, ordersPath, payment(nil))
	if diff := cmp.Diff(ProviderOrder{Name: opened.Name, Order: "LM20261120001", State: "open", Revision: 1, Due: &due}, opened); diff != "" {
		t.Errorf("opened (-want +got):\n%s", diff)
	}
	for name, again := range map[string]map[string]any{
		"the same":     payment(nil),
		"another key":  payment(map[string]any{"key": "erp-paid-2"}),
		"another time": payment(map[string]any{"paidAt": noon().AddDate(-1, 0, 0)}),
	} {
		if diff := cmp.Diff(opened, tells[ProviderOrder](d, http.StatusAccepted, ordersPath, again)); diff != "" {
			t.Errorf("%s again (-want +got):\n%s", name, diff)
		}
	}
	started := w.outboxOf(store.TargetStart + promise.TaskWorkflow)
	var input promise.TaskInput
	if len(started) != 1 || json.Unmarshal(started[0], &input) != nil {
		t.Fatalf("%d processes were started, want 1", len(started))
	}
	want := promise.TaskInput{
		ID: input.ID, Kind: promise.CaseShipping, Channel: "shop", Customer: "c", SkillGroup: "after-sales", StartedAt: paid, Due: due, RemindBeforeSeconds: 7200,
		Ladder: []promise.Rung{{AfterSeconds: 1800, Notify: promise.RoleSupervisor}, {AfterSeconds: 14400, Notify: promise.RoleAdmin}},
	}
	if diff := cmp.Diff(want, input); diff != "" {
		t.Errorf("the process was started with (-want +got):\n%s", diff)
	}
	listed := d.as("xiaomei").sends(http.MethodGet, "/api/cases?kind=shipping", nil)
	if text := string(listed.body); listed.status != http.StatusOK || strings.Contains(text, "LM20261120001") || !strings.Contains(text, "发货 LM****0001") {
		t.Errorf("the list is %d %s", listed.status, text)
	}

	path, shipped := says(orderShipped, nil)
	for range 2 {
		want := ProviderOrder{Name: opened.Name, Order: "LM20261120001", State: "done", Revision: 2}
		if diff := cmp.Diff(want, tells[ProviderOrder](d, http.StatusAccepted, path, shipped)); diff != "" {
			t.Errorf("sent (-want +got):\n%s", diff)
		}
	}
	shown := asks[CaseDetail](d.as("xiaomei"), http.StatusOK, http.MethodGet, "/api/cases/"+opened.Name, nil)
	if last := shown.History[len(shown.History)-1]; last.Actor != "provider" || last.Action != "done" || last.Note != "已发货，顺丰 SF1" {
		t.Errorf("the history ends with %+v", last)
	}
	signals := w.outboxOf(store.TargetSignal + promise.SignalTaskEnd)
	var end promise.TaskEnd
	if len(signals) != 1 || json.Unmarshal(signals[0], &end) != nil || end != (promise.TaskEnd{By: "provider", State: promise.TaskDone}) {
		t.Errorf("%d signals, the last %+v", len(signals), end)
	}
	type told struct {
		Type    string
		Allowed []AllowedAction
	}
	path, cancelled := says(orderCancelled, nil)
	if diff := cmp.Diff(told{"urn:yingda:problem:Ended", []AllowedAction{}}, tells[told](d, http.StatusConflict, path, cancelled)); diff != "" {
		t.Errorf("cancelled after it was sent (-want +got):\n%s", diff)
	}
	if again := tells[ProviderOrder](d, http.StatusAccepted, ordersPath, payment(nil)); again.State != "done" {
		t.Errorf("paid again after it was sent: %+v", again)
	}
}

func TestACancelledOrderIsNotOwed(t *testing.T) {
	w, d := provided(t)
	w.knows("c")
	number := map[string]any{"order": map[string]any{"number": "LM/2026 1"}}
	tells[ProviderOrder](d, http.StatusAccepted, ordersPath, payment(number))
	path, body := says(orderCancelled, map[string]any{"order": "LM/2026 1"})
	if got := tells[ProviderOrder](d, http.StatusAccepted, path, body); got.State != "cancelled" || got.Due != nil {
		t.Errorf("cancelled: %+v", got)
	}
}

func TestAnAgentSaysByHandThatAnOrderWasSent(t *testing.T) {
	w, d := provided(t)
	w.knows("c")
	opened := tells[ProviderOrder](d, http.StatusAccepted, ordersPath, payment(nil))
	path := "/api/cases/" + opened.Name + "/actions"
	done := asks[CaseDetail](d.as("xiaomei"), http.StatusAccepted, http.MethodPost, path, CaseActionRequest{Key: uuid.New(), Action: "done"})
	if done.State != "done" || len(done.Allowed) != 0 {
		t.Errorf("done: %+v", done)
	}
}

func TestTheServiceLevelSaysUntilWhenAnOrderIsSent(t *testing.T) {
	w, d := provided(t)
	w.knows("c")
	level := &yingdav1.ServiceLevel{Spec: yingdav1.ServiceLevelSpec{Shipping: yingdav1.ShippingSpec{Within: "24h", RemindBefore: "1h", LateText: "晚了"}}}
	level.Namespace, level.Name = "lumi", "standard"
	objects := append(brand(), level)
	for _, object := range objects {
		if b, ok := object.(*yingdav1.Brand); ok {
			b.Spec.Provider = &yingdav1.BrandProvider{URL: "https://erp.example/", SecretRef: yingdav1.CredentialsReference{Name: "erp"}}
			b.Spec.Defaults.ServiceLevelRef = &yingdav1.ServiceLevelReference{Name: "standard"}
		}
	}
	w.catalog.Set(objects...)
	opened := tells[ProviderOrder](d, http.StatusAccepted, ordersPath, payment(map[string]any{"skillGroup": "after-sales"}))
	if !opened.Due.Equal(noon().Add(23 * time.Hour)) {
		t.Errorf("due %v", opened.Due)
	}
	var input promise.TaskInput
	if started := w.outboxOf(store.TargetStart + promise.TaskWorkflow); len(started) != 1 || json.Unmarshal(started[0], &input) != nil {
		t.Fatalf("%d processes were started", len(started))
	}
	if input.LateText != "晚了" || input.RemindBeforeSeconds != 3600 {
		t.Errorf("the process was started with %+v", input)
	}
}

func TestWhatTheProviderSaysOfOrdersIsChecked(t *testing.T) {
	w, d := provided(t)
	w.knows("c")
	w.knows("e")
	tells[ProviderOrder](d, http.StatusAccepted, ordersPath, payment(nil))
	other := func(change map[string]any) map[string]any {
		maps.Copy(change, map[string]any{"order": map[string]any{"number": "LM2"}})
		return payment(change)
	}
	unpaid, sent := says(orderShipped, map[string]any{"order": "LM2"})
	known, untracked := says(orderShipped, map[string]any{"tracking": " "})
	for name, tc := range map[string]struct {
		path   string
		body   map[string]any
		status int
		reason string
	}{
		"a customer of whom nobody has heard": {ordersPath, other(map[string]any{"customer": "k"}), http.StatusUnprocessableEntity, "NoSuchCustomer"},
		"a channel that there is not":         {ordersPath, other(map[string]any{"channel": "other"}), http.StatusUnprocessableEntity, "NoSuchChannel"},
		"a group that there is not":           {ordersPath, other(map[string]any{"skillGroup": "other"}), http.StatusUnprocessableEntity, "NoSuchGroup"},
		"paid tomorrow":                       {ordersPath, other(map[string]any{"paidAt": noon().Add(24 * time.Hour)}), http.StatusUnprocessableEntity, "BadPayment"},
		"paid last year":                      {ordersPath, other(map[string]any{"paidAt": noon().AddDate(-1, 0, 0)}), http.StatusUnprocessableEntity, "BadPayment"},
		"the order of another customer":       {ordersPath, payment(map[string]any{"customer": "e"}), http.StatusConflict, "OtherCustomer"},
		"sent before it was paid":             {unpaid, sent, http.StatusNotFound, "NoSuchOrder"},
		"sent nobody knows by what":           {known, untracked, http.StatusUnprocessableEntity, "TrackingMissing"},
		"what was signed for another order":   {known, sent, http.StatusUnprocessableEntity, "OtherOrder"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := tells[refused](d, tc.status, tc.path, tc.body); got.Type != "urn:yingda:problem:"+tc.reason {
				t.Errorf("refused with %+v, want %s", got, tc.reason)
			}
		})
	}
	for name, body := range map[string]map[string]any{
		"no number":               payment(map[string]any{"order": map[string]any{"number": ""}}),
		"a number that is a text": payment(map[string]any{"order": map[string]any{"number": strings.Repeat("1", 65)}}),
		"a field of its own":      payment(map[string]any{"address": "上海市"}),
	} {
		if status, answer := d.signs(ordersPath, body, "shared", d.Now()); status != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d %s", name, status, answer)
		}
	}
	if n := len(w.outboxOf(store.TargetStart + promise.TaskWorkflow)); n != 1 {
		t.Errorf("%d processes were started, want 1", n)
	}
}

func TestOnlyWhatTheProviderHasSignedCountsOfOrders(t *testing.T) {
	w, d := provided(t)
	w.knows("c")
	tells[ProviderOrder](d, http.StatusAccepted, ordersPath, payment(nil))
	path, shipped := says(orderShipped, nil)
	for name, tc := range map[string]struct {
		path string
		body map[string]any
		key  string
		at   time.Time
	}{
		"paid, by another key": {ordersPath, payment(nil), "other", noon()},
		"sent, by another key": {path, shipped, "other", noon()},
		"sent, long ago":       {path, shipped, "shared", noon().Add(-time.Hour)},
	} {
		t.Run(name, func(t *testing.T) {
			if status, answer := d.signs(tc.path, tc.body, tc.key, tc.at); status != http.StatusUnauthorized {
				t.Errorf("status %d: %s", status, answer)
			}
		})
	}
	if n := len(w.outboxOf(store.TargetSignal + promise.SignalTaskEnd)); n != 0 {
		t.Errorf("%d signals", n)
	}
}
