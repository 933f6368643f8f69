package desk

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"sigs.k8s.io/controller-runtime/pkg/client"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/store"
)

// tiered has priorities for the tiers gold and vip.
func tiered(objects []client.Object) {
	for _, object := range objects {
		if group, ok := object.(*yingdav1.SkillGroup); ok {
			group.Generation = 2
			group.Spec.Priorities = []yingdav1.PriorityRule{
				{Name: "gold", When: yingdav1.PriorityMatch{Tiers: []string{"gold"}}, Add: 50},
				{Name: "vip", When: yingdav1.PriorityMatch{Tiers: []string{"vip"}}, Add: 100},
			}
		}
	}
}

// knows makes the contact of a customer, as their first message does.
func (w *world) knows(customer string) {
	w.t.Helper()
	_, err := w.store.Pool().Exec(w.t.Context(), `INSERT INTO contact (channel, external_id, customer_id, first_seen, last_seen)
		VALUES ('shop', $1, gen_random_uuid(), $2, $2)`, customer, w.clock())
	if err != nil {
		w.t.Fatal(err)
	}
}

func TestACustomersTierIsSetByThoseWhoMayActAndKeepsWhoDidIt(t *testing.T) {
	w := newWorld(t)
	w.catalog.Set(brand(tiered)...)
	d := w.starts()
	w.knows("c")
	id := w.assigned("after-sales", "xiaomei", "c")
	path := "/api/conversations/" + id.String() + "/tier"
	set := func(agent, tier string, want int) answer {
		t.Helper()
		got := d.as(agent).sends(http.MethodPut, path, map[string]string{"tier": tier})
		if got.status != want {
			t.Errorf("%s sets %q: status %d, want %d: %s", agent, tier, got.status, want, got.body)
		}
		return got
	}
	set("xiaohong", "vip", http.StatusNotFound)
	set("xiaomei", "platinum", http.StatusUnprocessableEntity)
	set("xiaomei", "gold", http.StatusOK)
	set("xiaomei", "gold", http.StatusOK) // It changes nothing.
	w.passes(time.Minute)
	set("laowang", "vip", http.StatusOK)
	type shown struct {
		Tier    string
		Tiers   []string
		Changes []TierChange
	}
	want := shown{"vip", []string{"gold", "vip"}, []TierChange{
		{"gold", "vip", "laowang", noon().Add(time.Minute)}, {"", "gold", "xiaomei", noon()},
	}}
	if diff := cmp.Diff(want, asks[shown](d.as("xiaomei"), http.StatusOK, http.MethodGet, path, nil)); diff != "" {
		t.Errorf("shown (-want +got):\n%s", diff)
	}
	type listed struct{ Conversations []ListedConversation }
	if got := asks[listed](d.as("xiaomei"), http.StatusOK, http.MethodGet, "/api/conversations?mine=true", nil).Conversations; len(got) != 1 || got[0].Tier != "vip" {
		t.Errorf("listed: %+v", got)
	}
	var kept string
	if err := w.store.Pool().QueryRow(t.Context(), "SELECT tier FROM contact WHERE external_id = 'c'").Scan(&kept); err != nil || kept != "vip" {
		t.Errorf("the customer is %q, %v", kept, err)
	}
	asks[store.Conversation](d.as("xiaomei"), http.StatusOK, http.MethodPost, "/api/conversations/"+id.String()+"/close", nil)
	set("xiaomei", "", http.StatusConflict)
}

func TestWhoIsGivenATierWhileTheyWaitMovesForward(t *testing.T) {
	w := newWorld(t)
	w.catalog.Set(brand(tiered)...)
	d := w.starts()
	var ids []uuid.UUID
	for _, customer := range []string{"first", "second"} {
		w.knows(customer)
		ids = append(ids, w.queues("after-sales", customer))
		w.passes(time.Minute)
	}
	set := func(tier string) store.Conversation {
		return asks[store.Conversation](d.as("laowang"), http.StatusOK, http.MethodPut, "/api/conversations/"+ids[1].String()+"/tier", map[string]string{"tier": tier})
	}
	head := func() string {
		t.Helper()
		var customer string
		err := w.store.Pool().QueryRow(t.Context(), "SELECT external_id FROM conversation ORDER BY coalesce(queue_key, queued_at) LIMIT 1").Scan(&customer)
		if err != nil {
			t.Fatal(err)
		}
		return customer
	}
	if got := set("vip"); got.Priority != 100 || !got.QueuedAt.Equal(noon().Add(time.Minute)) || head() != "second" {
		t.Errorf("with 100 points it has %d, waits since %s, and %s is next", got.Priority, got.QueuedAt, head())
	}
	if got := set(""); got.Priority != 0 || head() != "first" {
		t.Errorf("without the tier it has %d points, and %s is next", got.Priority, head())
	}
}
