package desk

import (
	"context"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/yingda-dev/yingda/internal/domain/history"
	"github.com/yingda-dev/yingda/internal/golden"
	"github.com/yingda-dev/yingda/internal/promise"
	"github.com/yingda-dev/yingda/internal/store"
)

// opens makes a case, as its workflow does.
func (w *world) opens(c store.Case) {
	w.t.Helper()
	if c.OpenedAt.IsZero() {
		c.OpenedAt = w.clock()
	}
	w.does(func(ctx context.Context, u *store.Unit) error {
		_, _, err := u.OpenCase(ctx, c, store.Taking{Step: "open", Actor: "customer"})
		return err
	})
}

// in is a time so long after noon.
func in(d time.Duration) *time.Time {
	at := noon().Add(d)
	return &at
}

type listedCases struct {
	Cases     []CaseView
	Truncated bool
}

func names(list listedCases) (names []string) {
	for _, c := range list.Cases {
		names = append(names, c.Name)
	}
	return names
}

func TestCasesAreListedByDeadlineToThoseWhomTheyConcern(t *testing.T) {
	w := newWorld(t)
	d := w.starts()
	afterSales, preSales := w.queues("after-sales", "c"), w.assigned("pre-sales", "xiaohong", "k")
	id := func(kind, rest string) string { return kind + "/lumi/lumi/" + rest }
	for _, c := range []store.Case{
		{ID: id("after-sales", "late"), Kind: promise.CaseAfterSales, State: "review", Conversation: &afterSales, SkillGroup: "after-sales", Due: in(-time.Minute)},
		{ID: id("after-sales", "soon"), Kind: promise.CaseAfterSales, State: "refunding", SkillGroup: "after-sales", Owner: "xiaomei", Due: in(time.Hour)},
		{ID: id("complaint", "c/2"), Kind: promise.CaseComplaint, State: "open", Conversation: &preSales, Due: in(10 * time.Minute)},
		{ID: id("promise", "later"), Kind: promise.CasePromise, State: "open", Owner: "xiaohong", SkillGroup: "after-sales", Due: in(2 * time.Hour)},
		{ID: id("review", "of-xiaomei"), Kind: promise.CaseReview, State: "open", Owner: "xiaohong", SkillGroup: "after-sales"},
		{ID: id("emergency", "done"), Kind: promise.CaseEmergency, State: "closed", SkillGroup: "after-sales"},
	} {
		w.opens(c)
	}
	w.does(func(ctx context.Context, u *store.Unit) error {
		_, _, err := u.ChangeCase(ctx, id("emergency", "done"), store.Taking{Step: "close"}, func(c *store.Case) error {
			c.ClosedAt = &u.Now
			return nil
		})
		return err
	})
	until := "dueBefore=" + url.QueryEscape(noon().Add(30*time.Minute).Format(time.RFC3339))
	for name, tc := range map[string]struct {
		agent, query string
		want         []string
	}{
		"a supervisor sees all that are open":                               {"laowang", "", []string{"after-sales~late", "complaint~c~2", "after-sales~soon", "promise~later", "review~of-xiaomei"}},
		"an agent sees those of the group, and no judgement of a colleague": {"xiaomei", "", []string{"after-sales~late", "after-sales~soon", "promise~later"}},
		"an agent sees those of their conversations, and their own":         {"xiaohong", "", []string{"complaint~c~2", "promise~later", "review~of-xiaomei"}},
		"those of one kind":               {"laowang", "kind=afterSales", []string{"after-sales~late", "after-sales~soon"}},
		"those in one state":              {"laowang", "state=refunding", []string{"after-sales~soon"}},
		"those due by then":               {"laowang", until, []string{"after-sales~late", "complaint~c~2"}},
		"those whose next step is theirs": {"xiaomei", "mine=true", []string{"after-sales~soon"}},
		"the first two":                   {"laowang", "limit=2", []string{"after-sales~late", "complaint~c~2"}},
	} {
		t.Run(name, func(t *testing.T) {
			list := asks[listedCases](d.as(tc.agent), http.StatusOK, http.MethodGet, "/api/cases?"+tc.query, nil)
			if diff := cmp.Diff(tc.want, names(list)); diff != "" {
				t.Errorf("cases (-want +got):\n%s", diff)
			}
			if list.Truncated != (tc.query == "limit=2") {
				t.Errorf("truncated: %t", list.Truncated)
			}
			for _, c := range list.Cases {
				if c.Overdue != (c.Name == "after-sales~late") {
					t.Errorf("%s: overdue %t", c.Name, c.Overdue)
				}
			}
		})
	}
}

func TestStatesThatThereAreNotAreRefusedWithThoseThatThereAre(t *testing.T) {
	d := newWorld(t).starts()
	for query, want := range map[string]string{
		"state=nope&kind=complaint":      "there is no state nope: complaint has open, escalated, resolved, followed_up",
		"state=escalated&kind=emergency": "there is no state escalated: emergency has open, closing, closed",
		"state=nope": "there is no state nope: afterSales has evidence, review, returning, received, refunding, shipping, claiming, compensating, undoing, sendingBack, settled, done, " +
			"refused, withdrawn, expired; complaint has open, escalated, resolved, followed_up; promise has open, done, cancelled, lapsed; " +
			"offHours has open, done, cancelled, lapsed; callBack has open, done, cancelled, lapsed; order has asked, done, refused; shipping has open, done, cancelled, lapsed; emergency has open, closing, closed; " +
			"review has pending, scored, appealed, upheld, changed",
	} {
		got := asks[refused](d.as("laowang"), http.StatusUnprocessableEntity, http.MethodGet, "/api/cases?"+query, nil)
		if got.Type != "urn:yingda:problem:NoSuchState" || got.Detail != want {
			t.Errorf("%s: %s %q, want %q", query, got.Type, got.Detail, want)
		}
	}
	if got := asks[refused](d.as("laowang"), http.StatusUnprocessableEntity, http.MethodGet, "/api/cases?after=x", nil); got.Type != "urn:yingda:problem:BadAfter" {
		t.Errorf("after what is no page: %+v", got)
	}
}

func TestWhatHasEndedIsListedApartTheLastFirst(t *testing.T) {
	w := newWorld(t)
	d := w.starts()
	// The sixth has not ended; each two end at once.
	_, err := w.store.Pool().Exec(t.Context(), `INSERT INTO service_case (id, kind, state, title, skill_group, opened_at, closed_at, revision, detail)
		SELECT 'promise/lumi/lumi/' || n, 'promise', CASE WHEN n = 6 THEN 'open' WHEN n < 3 THEN 'cancelled' ELSE 'done' END, '', 'after-sales', $1::timestamptz,
		CASE WHEN n < 6 THEN $1::timestamptz + make_interval(mins => n / 2) END, 1, '{}' FROM generate_series(1, 6) n`, noon())
	if err != nil {
		t.Fatal(err)
	}
	type page struct {
		Cases []CaseView
		Next  string
	}
	for query, want := range map[string][]string{
		"kind=promise": {"5", "4", "3", "2", "1"}, "state=cancelled": {"2", "1"}, "kind=complaint": nil,
	} {
		var got []string
		for next, pages := "", 0; next != "" || pages == 0; pages++ {
			found := asks[page](d.as("xiaomei"), http.StatusOK, http.MethodGet, "/api/cases?ended=true&limit=2&"+query+"&after="+next, nil)
			for _, c := range found.Cases {
				got = append(got, strings.TrimPrefix(c.Name, "promise~"))
			}
			next = found.Next
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", query, diff)
		}
	}
	if got := asks[refused](d.as("xiaomei"), http.StatusUnprocessableEntity, http.MethodGet, "/api/cases?ended=true&mine=true", nil); got.Type != "urn:yingda:problem:OpenOnly" {
		t.Errorf("nobody's next step: %+v", got)
	}
}

func TestPagesHoldEachOfManyCasesOnce(t *testing.T) {
	w := newWorld(t)
	d := w.starts()
	// Of each ten, three have no deadline, and two have the same.
	_, err := w.store.Pool().Exec(t.Context(), `INSERT INTO service_case (id, kind, state, title, skill_group, opened_at, due_at, revision, detail)
		SELECT 'promise/lumi/lumi/' || n, 'promise', 'open', '', 'after-sales', $1::timestamptz, CASE WHEN n % 10 < 3 THEN NULL ELSE $1::timestamptz + make_interval(secs => n / 2) END, 1, '{}'
		FROM generate_series(1, 5000) n`, noon())
	if err != nil {
		t.Fatal(err)
	}
	type page struct {
		Cases []CaseView
		Next  string
	}
	seen := map[string]bool{}
	var last *CaseView
	for next, pages := "", 1; ; pages++ {
		got := asks[page](d.as("xiaomei"), http.StatusOK, http.MethodGet, "/api/cases?limit=500&after="+next, nil)
		for i := range got.Cases {
			c := &got.Cases[i]
			if seen[c.Name] {
				t.Fatalf("%s is on two pages", c.Name)
			}
			seen[c.Name] = true
			if last != nil && (last.Due == nil && c.Due != nil || last.Due != nil && c.Due != nil && c.Due.Before(*last.Due)) {
				t.Fatalf("%s, due %s, comes after %s, due %s", c.Name, c.Due, last.Name, last.Due)
			}
			last = c
		}
		if len(got.Cases) > 500 || pages > 10 {
			t.Fatalf("page %d has %d cases", pages, len(got.Cases))
		}
		if next = got.Next; next == "" {
			break
		}
	}
	if len(seen) != 5000 {
		t.Errorf("the pages hold %d cases, want 5000", len(seen))
	}
}

func TestACaseIsShownWithItsHistoryToThoseWhomItConcerns(t *testing.T) {
	w := newWorld(t)
	d := w.starts()
	conversation := w.assigned("after-sales", "xiaomei", "c")
	const id = "complaint/lumi/lumi/1/2"
	w.opens(store.Case{ID: id, Kind: promise.CaseComplaint, State: "open", Title: "投诉", Conversation: &conversation, Due: in(time.Hour)})
	w.passes(time.Minute)
	w.does(func(ctx context.Context, u *store.Unit) error {
		_, _, err := u.ChangeCase(ctx, id, store.Taking{Step: "escalate/1", Action: history.Escalate, Note: "主管已收到通知"}, func(c *store.Case) error {
			c.State, c.Owner = "escalated", "laowang"
			return nil
		})
		if err != nil {
			return err
		}
		_, _, err = u.ChangeCase(ctx, id, store.Taking{Step: "act/1", Action: actionCompensate, Actor: "xiaomei", Note: "优惠券"}, func(*store.Case) error { return nil })
		return err
	})
	want := CaseDetail{
		CaseView: CaseView{Name: "complaint~1~2", Case: store.Case{
			ID: id, Kind: promise.CaseComplaint, State: "escalated", Title: "投诉", Conversation: &conversation, Owner: "laowang", OpenedAt: noon(), Due: in(time.Hour),
			Revision: 3, Detail: []byte("{}"),
		}, OwnerName: "客服 laowang"},
		History: []CaseEvent{
			{Revision: 1, At: noon(), Action: "open", Actor: "customer", State: "open", Due: in(time.Hour)},
			{
				Revision: 2, At: noon().Add(time.Minute), Action: "escalate", State: "escalated", Owner: "laowang", OwnerName: "客服 laowang",
				Due: in(time.Hour), Note: "主管已收到通知",
			},
			{
				Revision: 3, At: noon().Add(time.Minute), Action: "compensate", Actor: "xiaomei", ActorName: "客服 xiaomei", State: "escalated", Owner: "laowang",
				OwnerName: "客服 laowang", Due: in(time.Hour), Note: "优惠券",
			},
		},
		Allowed: []AllowedAction{{Action: "resolve", Needs: []string{"note"}}, compensating()},
	}
	for _, path := range []string{"/api/cases/complaint~1~2", "/api/cases/" + url.PathEscape(id)} {
		if diff := cmp.Diff(want, asks[CaseDetail](d.as("xiaomei"), http.StatusOK, http.MethodGet, path, nil)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", path, diff)
		}
		if got := asks[refused](d.as("xiaohong"), http.StatusNotFound, http.MethodGet, path, nil); got.Type != "urn:yingda:problem:NoSuchCase" {
			t.Errorf("%s shown to another group: %+v", path, got)
		}
	}
	asks[refused](d.as("laowang"), http.StatusNotFound, http.MethodGet, "/api/cases/complaint~2", nil)
}

func TestTheCasesOfACustomerAreShownBesideTheirConversation(t *testing.T) {
	w := newWorld(t)
	d := w.starts()
	w.knows("c")
	first := w.assigned("after-sales", "xiaomei", "c")
	_, err := w.store.Pool().Exec(t.Context(), "UPDATE conversation SET customer_id = (SELECT customer_id FROM contact WHERE external_id = 'c')")
	if err != nil {
		t.Fatal(err)
	}
	w.opens(store.Case{ID: "after-sales/lumi/lumi/old", Kind: promise.CaseAfterSales, State: "done", Channel: "shop", Customer: "c", SkillGroup: "after-sales"})
	w.does(func(ctx context.Context, u *store.Unit) error {
		_, _, err := u.ChangeCase(ctx, "after-sales/lumi/lumi/old", store.Taking{Step: "end"}, func(c *store.Case) error {
			c.ClosedAt = &u.Now
			return nil
		})
		return err
	})
	w.passes(time.Minute)
	w.opens(store.Case{ID: "after-sales/lumi/lumi/new", Kind: promise.CaseAfterSales, State: "review", Channel: "shop", Customer: "c", SkillGroup: "after-sales"})
	w.opens(store.Case{ID: "after-sales/lumi/lumi/theirs", Kind: promise.CaseAfterSales, State: "review", Channel: "shop", Customer: "k", SkillGroup: "after-sales"})
	w.opens(store.Case{ID: "review/lumi/lumi/c", Kind: promise.CaseReview, State: "open", Channel: "shop", Customer: "c", Owner: "xiaomei"})
	path := "/api/conversations/" + first.String() + "/cases"
	if diff := cmp.Diff([]string{"after-sales~new", "after-sales~old"}, names(asks[listedCases](d.as("xiaomei"), http.StatusOK, http.MethodGet, path, nil))); diff != "" {
		t.Errorf("cases (-want +got):\n%s", diff)
	}
	asks[refused](d.as("xiaohong"), http.StatusNotFound, http.MethodGet, path, nil)
}

func TestWhatACaseDoesNotAllowIsRefusedWithWhatItDoes(t *testing.T) {
	w := newWorld(t)
	d := w.starts()
	conversation := w.assigned("after-sales", "xiaomei", "c")
	w.complains(conversation)
	w.opens(store.Case{ID: "review/lumi/lumi/1", Kind: promise.CaseReview, State: "open", Owner: "xiaomei"})
	type told struct {
		Type, Detail string
		Allowed      []AllowedAction
	}
	resolve := []AllowedAction{{Action: "resolve", Needs: []string{"note"}}, compensating()}
	for name, tc := range map[string]struct {
		name    string
		request CaseActionRequest
		status  int
		want    told
	}{
		"an action of another state": {
			"complaint~" + conversation.String(),
			CaseActionRequest{Action: "followUp"},
			http.StatusConflict,
			told{"urn:yingda:problem:NotPossible", "not possible now: the case is open; possible is resolve, compensate", resolve},
		},
		"upon a revision that is past": {
			"complaint~" + conversation.String(),
			CaseActionRequest{Action: "resolve", Note: "已退款", Revision: 7},
			http.StatusConflict,
			told{"urn:yingda:problem:CaseChanged", "somebody has changed the case since you looked; look again", resolve},
		},
		"without the note that it needs": {
			"complaint~" + conversation.String(),
			CaseActionRequest{Action: "resolve", Note: " "},
			http.StatusUnprocessableEntity,
			told{"urn:yingda:problem:NoteMissing", "resolve needs a note", nil},
		},
		"a kind with nothing to do here": {
			"review~1",
			CaseActionRequest{Action: "close"},
			http.StatusConflict,
			told{"urn:yingda:problem:NotPossible", "nothing can be done with a case of this kind here", []AllowedAction{}},
		},
		"a case that is not there": {
			"complaint~2",
			CaseActionRequest{Action: "resolve"},
			http.StatusNotFound,
			told{"urn:yingda:problem:NoSuchCase", "there is no such case; see GET /api/cases", nil},
		},
	} {
		t.Run(name, func(t *testing.T) {
			tc.request.Key = uuid.New()
			if diff := cmp.Diff(tc.want, asks[told](d.as("xiaomei"), tc.status, http.MethodPost, "/api/cases/"+tc.name+"/actions", tc.request)); diff != "" {
				t.Errorf("told (-want +got):\n%s", diff)
			}
		})
	}
}

// TestTheAPIIsDescribed keeps docs/reference/desk-openapi.yaml what the desk serves.
func TestTheAPIIsDescribed(t *testing.T) {
	d := newWorld(t).starts()
	described := (&visitor{d, http.Header{}}).sends(http.MethodGet, "/openapi.yaml", nil)
	if described.status != http.StatusOK {
		t.Fatalf("status %d", described.status)
	}
	golden.Compare(t, "../../../docs/reference/desk-openapi.yaml", described.body)
	// A tag cannot name a list.
	for of, field := range map[reflect.Type]string{reflect.TypeFor[casesInput](): "Kind", reflect.TypeFor[store.Case](): "Kind"} {
		kind, _ := of.FieldByName(field)
		if got, want := strings.Split(kind.Tag.Get("enum"), ","), texts(promise.CaseKinds()); !slices.Equal(got, want) {
			t.Errorf("%s has the kinds %v, want %v", of, got, want)
		}
	}
}

func TestWhatIsOwedIsDoneAsACase(t *testing.T) {
	w := newWorld(t)
	d := w.starts()
	conversation := w.assigned("after-sales", "xiaomei", "c")
	type promised struct{ ID string }
	owed := asks[promised](d.as("xiaomei"), http.StatusCreated, http.MethodPost, "/api/conversations/"+conversation.String()+"/promises",
		map[string]any{"key": uuid.New(), "what": "查物流", "preset": "WithinHour"})
	path := "/api/cases/" + d.nameOf(owed.ID)
	before := asks[CaseDetail](d.as("xiaomei"), http.StatusOK, http.MethodGet, path, nil)
	if diff := cmp.Diff([]AllowedAction{
		{Action: "done", Takes: []string{"note"}},
		{Action: "postpone", Needs: []string{"due", "note"}},
		{Action: "reassign", Needs: []string{"owner"}, Takes: []string{"note"}},
		{Action: "cancel", Needs: []string{"note"}},
	}, before.Allowed); diff != "" {
		t.Errorf("allowed (-want +got):\n%s", diff)
	}
	done := CaseActionRequest{Key: uuid.New(), Action: "done"}
	for range 2 {
		if got := asks[CaseDetail](d.as("xiaomei"), http.StatusAccepted, http.MethodPost, path+"/actions", done); got.State != "done" || len(got.History) != 2 {
			t.Errorf("done it is %+v", got)
		}
	}
	type told struct {
		Type    string
		Allowed []AllowedAction
	}
	got := asks[told](d.as("laowang"), http.StatusConflict, http.MethodPost, path+"/actions", CaseActionRequest{Key: uuid.New(), Action: "cancel", Note: "不需要了"})
	if diff := cmp.Diff(told{"urn:yingda:problem:Ended", []AllowedAction{}}, got); diff != "" {
		t.Errorf("who comes later is told (-want +got):\n%s", diff)
	}
}
