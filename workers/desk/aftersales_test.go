package desk

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"sigs.k8s.io/controller-runtime/pkg/client"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/catalog"
	"github.com/yingda-dev/yingda/internal/domain/aftersales"
	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/promise"
	"github.com/yingda-dev/yingda/internal/store"
)

// wanted is an application that the default policy leaves to a review.
func wanted(change ...func(*OpenAfterSalesRequest)) OpenAfterSalesRequest {
	request := OpenAfterSalesRequest{Key: uuid.New(), NewAfterSales: NewAfterSales{
		Kind: aftersales.Return, Reason: aftersales.NoReason, Description: "不喜欢",
		Order: NewOrder{Number: "LM20261120001", Paid: 9900, DeliveredAt: noon().Add(-24 * time.Hour)},
	}}
	for _, f := range change {
		f(&request)
	}
	return request
}

// sent are the ids of the messages of a conversation's customer.
func (w *world) sent(conversation uuid.UUID) (ids []uuid.UUID) {
	w.t.Helper()
	rows, err := w.store.Queries().DeskTranscript(w.t.Context(), conversation, 100)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, row := range rows {
		if row.Sender == "customer" {
			ids = append(ids, row.ID)
		}
	}
	return ids
}

// sends a picture in a conversation, which the connector has fetched.
func (w *world) sendsPicture(conversation uuid.UUID) (file uuid.UUID) {
	w.t.Helper()
	file = uuid.New()
	_, err := w.store.Pool().Exec(w.t.Context(), `INSERT INTO media (id, channel, state, content_type, data, created_at) VALUES ($1, 'shop', 'stored', 'image/png', 'png', $2)`, file, w.clock())
	if err != nil {
		w.t.Fatal(err)
	}
	w.hears(conversation, message.Content{Kind: message.KindImage, Media: &message.Media{ID: file, ContentType: "image/png"}})
	return file
}

func inside(t *testing.T, c CaseDetail) (i aftersales.Case) {
	t.Helper()
	if err := json.Unmarshal(c.Detail, &i); err != nil {
		t.Fatal(err)
	}
	return i
}

func TestAnAgentOpensAnAfterSalesCaseFromAConversationWithItsEvidence(t *testing.T) {
	w := newWorld(t)
	d := w.starts()
	conversation := w.assigned("after-sales", "xiaomei", "c")
	w.hears(conversation, text("领口开线了"))
	w.passes(time.Second)
	file := w.sendsPicture(conversation)
	path := "/api/conversations/" + conversation.String() + "/after-sales"
	request := wanted(func(r *OpenAfterSalesRequest) { r.Reason, r.Evidence = aftersales.Quality, w.sent(conversation) })
	asks[refused](d.as("xiaohong"), http.StatusNotFound, http.MethodPost, path, request)
	opened := asks[CaseDetail](d.as("xiaomei"), http.StatusAccepted, http.MethodPost, path, request)
	again := asks[CaseDetail](d.as("xiaomei"), http.StatusAccepted, http.MethodPost, path, request)
	if diff := cmp.Diff(opened, again); diff != "" {
		t.Errorf("opened again by the same key (-first +second):\n%s", diff)
	}
	if opened.State != string(aftersales.StateReview) || opened.Owner != "xiaomei" || opened.Conversation == nil || *opened.Conversation != conversation {
		t.Errorf("opened %+v", opened)
	}
	evidence := inside(t, opened).Application.Evidence
	ids := w.sent(conversation)
	if diff := cmp.Diff([]aftersales.Evidence{{Message: ids[0]}, {Message: ids[1], Media: file}}, evidence); diff != "" {
		t.Errorf("evidence (-want +got):\n%s", diff)
	}
	var input promise.AfterSalesInput
	started := w.outboxOf(store.TargetStart + promise.AfterSalesWorkflow)
	if len(started) != 1 {
		t.Fatalf("%d processes were started, want 1", len(started))
	}
	if err := json.Unmarshal(started[0], &input); err != nil {
		t.Fatal(err)
	}
	if input.ID != opened.ID || input.OpenedBy != "xiaomei" || input.SkillGroup != "after-sales" || input.Customer != "c" || input.Terms.Limits.Review != 7200 || len(input.Ladder) == 0 {
		t.Errorf("the process was started with %+v", input)
	}
	if diff := cmp.Diff([]FileView{{file, "image/png", len("png")}}, opened.Files); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	picture := "/api/cases/" + opened.Name + "/evidence/"
	if got := d.as("xiaomei").sends(http.MethodGet, picture+file.String(), nil); got.status != http.StatusOK || string(got.body) != "png" || got.header.Get("Content-Type") != "image/png" {
		t.Errorf("the picture: %d %q", got.status, got.body)
	}
	asks[refused](d.as("xiaohong"), http.StatusNotFound, http.MethodGet, picture+file.String(), nil)
	asks[refused](d.as("xiaomei"), http.StatusNotFound, http.MethodGet, picture+uuid.NewString(), nil)
}

func TestPhotosOfWhoComesBackAreAddedToTheCase(t *testing.T) {
	w := newWorld(t)
	d := w.starts()
	first := w.assigned("after-sales", "xiaomei", "c")
	opened := asks[CaseDetail](d.as("xiaomei"), http.StatusAccepted, http.MethodPost, "/api/conversations/"+first.String()+"/after-sales",
		wanted(func(r *OpenAfterSalesRequest) { r.Reason = aftersales.Quality }))
	asks[json.RawMessage](d.as("xiaomei"), http.StatusOK, http.MethodPost, "/api/conversations/"+first.String()+"/close", nil)
	elsewhere := w.assigned("pre-sales", "xiaohong", "c")
	w.sendsPicture(elsewhere)
	stranger := w.assigned("after-sales", "xiaomei", "k")
	w.sendsPicture(stranger)
	path := "/api/cases/" + opened.Name + "/actions"
	for name, messages := range map[string][]uuid.UUID{
		"of a conversation that the agent does not see": w.sent(elsewhere),
		"of another customer":                           w.sent(stranger),
	} {
		t.Run(name, func(t *testing.T) {
			got := asks[refused](d.as("xiaomei"), http.StatusUnprocessableEntity, http.MethodPost, path, CaseActionRequest{Key: uuid.New(), Action: "addEvidence", Evidence: messages})
			if got.Type != "urn:yingda:problem:NoSuchMessage" {
				t.Errorf("refused with %+v", got)
			}
		})
	}
	asks[json.RawMessage](d.as("xiaohong"), http.StatusOK, http.MethodPost, "/api/conversations/"+elsewhere.String()+"/close", nil)
	back := w.assigned("after-sales", "xiaomei", "c")
	file := w.sendsPicture(back)
	added := asks[CaseDetail](d.as("xiaomei"), http.StatusAccepted, http.MethodPost, path, CaseActionRequest{Key: uuid.New(), Action: "addEvidence", Evidence: w.sent(back)})
	if diff := cmp.Diff([]aftersales.Evidence{{Message: w.sent(back)[0], Media: file}}, inside(t, added).Application.Evidence); diff != "" {
		t.Errorf("evidence (-want +got):\n%s", diff)
	}
	if added.State != string(aftersales.StateReview) {
		t.Errorf("with the photo the case is in %s", added.State)
	}
	shown := d.as("xiaomei").sends(http.MethodGet, "/api/cases/"+opened.Name+"/evidence/"+file.String(), nil)
	if shown.status != http.StatusOK || string(shown.body) != "png" {
		t.Errorf("the photo: %d %q", shown.status, shown.body)
	}
}

func TestADepartmentDecidesOnTheCasesThatTheChannelGivesIt(t *testing.T) {
	w := newWorld(t)
	w.catalog = catalog.Fixed("lumi", "lumi", brand(func(objects []client.Object) {
		for _, o := range objects {
			if channel, ok := o.(*yingdav1.Channel); ok {
				channel.Spec.Routing = []yingdav1.RoutingRule{{
					Name: "parcels", SkillGroupRef: yingdav1.SkillGroupReference{Name: "pre-sales"},
					When: yingdav1.RoutingMatch{AfterSales: []yingdav1.AfterSalesReason{"MissingItem"}},
				}}
			}
		}
	})...)
	d := w.starts()
	path := "/api/conversations/" + w.assigned("after-sales", "xiaomei", "c").String() + "/after-sales"
	for reason, want := range map[aftersales.Reason]struct{ group, owner string }{
		aftersales.MissingItem: {"pre-sales", ""},
		aftersales.NoReason:    {"after-sales", "xiaomei"},
	} {
		opened := asks[CaseDetail](d.as("xiaomei"), http.StatusAccepted, http.MethodPost, path, wanted(func(r *OpenAfterSalesRequest) { r.Reason = reason }))
		if opened.SkillGroup != want.group || opened.Owner != want.owner {
			t.Errorf("a case for %s is %q's of group %q, want %+v", reason, opened.Owner, opened.SkillGroup, want)
		}
		if reason == aftersales.MissingItem {
			asks[CaseDetail](d.as("xiaohong"), http.StatusOK, http.MethodGet, "/api/cases/"+opened.Name, nil)
		}
	}
}

func TestWhoGivesACaseAwaySeesWhatTheyDid(t *testing.T) {
	w := newWorld(t)
	d := w.starts()
	conversation := w.assigned("after-sales", "xiaomei", "c")
	opened := asks[CaseDetail](d.as("xiaomei"), http.StatusAccepted, http.MethodPost, "/api/conversations/"+conversation.String()+"/after-sales", wanted())
	path := "/api/cases/" + opened.Name
	asks[CaseDetail](d.as("laowang"), http.StatusAccepted, http.MethodPost, path+"/actions", CaseActionRequest{Key: uuid.New(), Action: "assign", Owner: "xiaohong"})
	back := CaseActionRequest{Key: uuid.New(), Action: "assign", Owner: "xiaomei"}
	for range 2 { // The first answer may be lost.
		if now := asks[CaseDetail](d.as("xiaohong"), http.StatusAccepted, http.MethodPost, path+"/actions", back); now.Owner != "xiaomei" || now.Revision != 3 {
			t.Errorf("given away it is %s's, revision %d", now.Owner, now.Revision)
		}
	}
	asks[refused](d.as("xiaohong"), http.StatusNotFound, http.MethodGet, path, nil)
	asks[refused](d.as("xiaohong"), http.StatusNotFound, http.MethodPost, path+"/actions", CaseActionRequest{Key: uuid.New(), Action: "approve"})
	w.passes(answerLost)
	asks[refused](d.as("xiaohong"), http.StatusNotFound, http.MethodPost, path+"/actions", back)
}

func TestTheCustomersAddressIsShownWithTheCaseAndInNoList(t *testing.T) {
	w := newWorld(t)
	d := w.starts()
	w.knows("c")
	conversation := w.assigned("after-sales", "xiaomei", "c")
	_, err := w.store.Pool().Exec(t.Context(), "UPDATE conversation SET customer_id = (SELECT customer_id FROM contact WHERE external_id = 'c')")
	if err != nil {
		t.Fatal(err)
	}
	const path, address = "/api/conversations/", "zhang@mail.example"
	opened := asks[CaseDetail](d.as("xiaomei"), http.StatusAccepted, http.MethodPost, path+conversation.String()+"/after-sales",
		wanted(func(r *OpenAfterSalesRequest) { r.Contact.Email, r.Reason = address, aftersales.Quality }))
	shown := asks[CaseDetail](d.as("xiaomei"), http.StatusOK, http.MethodGet, "/api/cases/"+opened.Name, nil)
	if email := inside(t, shown).Application.Contact.Email; email != address {
		t.Errorf("the case shows %q", email)
	}
	for _, list := range []string{"/api/cases", path + conversation.String() + "/cases"} {
		body := string(d.as("xiaomei").sends(http.MethodGet, list, nil).body)
		if strings.Contains(body, address) || !strings.Contains(body, "z***@mail.example") {
			t.Errorf("%s shows %s", list, body)
		}
	}
}

func TestAnApplicationThatIsWrongOpensNothing(t *testing.T) {
	w := newWorld(t)
	d := w.starts()
	conversation, other := w.assigned("after-sales", "xiaomei", "c"), w.assigned("after-sales", "xiaomei", "k")
	w.hears(other, text("在吗"))
	for name, tc := range map[string]struct {
		agent  string
		change func(*OpenAfterSalesRequest)
		status int
		reason string
	}{
		"more back than was paid":      {"xiaomei", func(r *OpenAfterSalesRequest) { r.Amount = 9901 }, http.StatusUnprocessableEntity, "AmountTooHigh"},
		"words of another customer":    {"xiaomei", func(r *OpenAfterSalesRequest) { r.Evidence = w.sent(other) }, http.StatusUnprocessableEntity, "NoSuchMessage"},
		"a delivery that is to come":   {"xiaomei", func(r *OpenAfterSalesRequest) { r.Order.DeliveredAt = noon().Add(25 * time.Hour) }, http.StatusUnprocessableEntity, "BadDelivery"},
		"an address that is none":      {"xiaomei", func(r *OpenAfterSalesRequest) { r.Contact.Email = "zhang@mail" }, http.StatusUnprocessableEntity, "BadEmail"},
		"two addresses":                {"xiaomei", func(r *OpenAfterSalesRequest) { r.Contact.Email = "a@mail.example,b@mail.example" }, http.StatusUnprocessableEntity, "BadEmail"},
		"an order number with a space": {"xiaomei", func(r *OpenAfterSalesRequest) { r.Order.Number = "LM 1" }, http.StatusUnprocessableEntity, "OrderMissing"},
	} {
		t.Run(name, func(t *testing.T) {
			got := asks[refused](d.as(tc.agent), tc.status, http.MethodPost, "/api/conversations/"+conversation.String()+"/after-sales", wanted(tc.change))
			if got.Type != "urn:yingda:problem:"+tc.reason {
				t.Errorf("refused with %+v, want %s", got, tc.reason)
			}
		})
	}
	if started := w.outboxOf(store.TargetStart + promise.AfterSalesWorkflow); len(started) != 0 {
		t.Errorf("%d processes were started", len(started))
	}
}

func TestWhatThePolicyRefusesHasEndedWhenItIsOpened(t *testing.T) {
	w := newWorld(t)
	d := w.starts()
	conversation := w.assigned("after-sales", "xiaomei", "c")
	fresh := func(r *OpenAfterSalesRequest) { r.Order.Items = []NewItem{{Name: "车厘子", Category: "fresh"}} }
	opened := asks[CaseDetail](d.as("xiaomei"), http.StatusAccepted, http.MethodPost, "/api/conversations/"+conversation.String()+"/after-sales", wanted(fresh))
	if opened.State != string(aftersales.StateRefused) || opened.ClosedAt == nil || len(opened.Allowed) != 0 {
		t.Errorf("opened as %s, closed at %v, allowed %v", opened.State, opened.ClosedAt, opened.Allowed)
	}
	if open := names(asks[listedCases](d.as("xiaomei"), http.StatusOK, http.MethodGet, "/api/cases", nil)); len(open) != 0 {
		t.Errorf("listed as open: %v", open)
	}
}

func TestTwoAgentsActOnACaseAndOneIsTold(t *testing.T) {
	w := newWorld(t)
	d := w.starts()
	conversation := w.assigned("after-sales", "xiaomei", "c")
	opened := asks[CaseDetail](d.as("xiaomei"), http.StatusAccepted, http.MethodPost, "/api/conversations/"+conversation.String()+"/after-sales", wanted())
	path := "/api/cases/" + opened.Name + "/actions"
	requests := map[string]CaseActionRequest{
		"xiaomei": {Key: uuid.New(), Action: "approve"},
		"laowang": {Key: uuid.New(), Action: "refuse", Note: "已过期"},
	}
	statuses := map[string]int{}
	var mu sync.Mutex
	var group sync.WaitGroup
	for agent, request := range requests {
		group.Go(func() {
			got := d.as(agent).sends(http.MethodPost, path, request)
			mu.Lock()
			defer mu.Unlock()
			statuses[agent] = got.status
		})
	}
	group.Wait()
	winner, loser := "xiaomei", "laowang"
	if statuses[winner] != http.StatusAccepted {
		winner, loser = loser, winner
	}
	if statuses[winner] != http.StatusAccepted || statuses[loser] != http.StatusConflict {
		t.Fatalf("answered %v, want one accepted and one told", statuses)
	}
	// Acting again by the same key changes nothing.
	now := asks[CaseDetail](d.as(winner), http.StatusAccepted, http.MethodPost, path, requests[winner])
	want := map[string]string{"xiaomei": "returning", "laowang": "refused"}[winner]
	if now.State != want || now.Revision != 2 || len(now.History) != 2 || now.History[1].Actor != winner {
		t.Errorf("after %s it is %+v", winner, now)
	}
	other := requests[winner]
	other.Action, other.Owner = "assign", winner
	if got := asks[refused](d.as(winner), http.StatusUnprocessableEntity, http.MethodPost, path, other); got.Type != "urn:yingda:problem:KeyUsed" {
		t.Errorf("something else by the same key: %+v", got)
	}
	if signals := w.outboxOf(store.TargetSignal + promise.SignalAct); len(signals) != 1 {
		t.Errorf("%d signals, want 1", len(signals))
	}
}

func TestActionsOnAnAfterSalesCaseAreToldWhatTheyNeed(t *testing.T) {
	w := newWorld(t)
	d := w.starts()
	conversation := w.assigned("after-sales", "xiaomei", "c")
	opened := asks[CaseDetail](d.as("xiaomei"), http.StatusAccepted, http.MethodPost, "/api/conversations/"+conversation.String()+"/after-sales", wanted())
	if diff := cmp.Diff([]AllowedAction{
		{Action: "approve", Takes: []string{"note", "amount", "keepGoods", "freight"}},
		{Action: "refuse", Needs: []string{"note"}},
		{Action: "askEvidence", Needs: []string{"note"}},
		{Action: "addEvidence", Needs: []string{"evidence"}},
		{Action: "withdraw", Takes: []string{"note"}},
		{Action: "assign", Needs: []string{"owner"}},
	}, opened.Allowed); diff != "" {
		t.Errorf("allowed in review (-want +got):\n%s", diff)
	}
	type told struct {
		Type    string
		Allowed []AllowedAction
	}
	for name, tc := range map[string]struct {
		request CaseActionRequest
		status  int
		want    told
	}{
		"refused without a reason":        {CaseActionRequest{Action: "refuse"}, http.StatusUnprocessableEntity, told{Type: "urn:yingda:problem:NoteMissing"}},
		"given to nobody":                 {CaseActionRequest{Action: "assign", Owner: "nobody"}, http.StatusUnprocessableEntity, told{Type: "urn:yingda:problem:NoSuchAgent"}},
		"received before it was approved": {CaseActionRequest{Action: "receive"}, http.StatusConflict, told{"urn:yingda:problem:WrongState", opened.Allowed}},
		"an action that there is not":     {CaseActionRequest{Action: "explode"}, http.StatusUnprocessableEntity, told{Type: "urn:yingda:problem:UnknownAction"}},
		"given out of the group by one":   {CaseActionRequest{Action: "assign", Owner: "xiaohong"}, http.StatusForbidden, told{Type: "urn:yingda:problem:OutsideGroup"}},
		"upon a revision that is past":    {CaseActionRequest{Action: "approve", Revision: 9}, http.StatusConflict, told{"urn:yingda:problem:CaseChanged", opened.Allowed}},
	} {
		t.Run(name, func(t *testing.T) {
			tc.request.Key = uuid.New()
			if diff := cmp.Diff(tc.want, asks[told](d.as("xiaomei"), tc.status, http.MethodPost, "/api/cases/"+opened.Name+"/actions", tc.request)); diff != "" {
				t.Errorf("told (-want +got):\n%s", diff)
			}
		})
	}
	outside := asks[refused](d.as("xiaomei"), http.StatusForbidden, http.MethodPost, "/api/cases/"+opened.Name+"/actions", CaseActionRequest{Key: uuid.New(), Action: "assign", Owner: "xiaohong"})
	if want := "xiaohong is not of the case's group after-sales: only supervisors and admins give it to somebody else; ask laowang"; outside.Detail != want {
		t.Errorf("told %q, want %q", outside.Detail, want)
	}
	given := asks[CaseDetail](d.as("laowang"), http.StatusAccepted, http.MethodPost, "/api/cases/"+opened.Name+"/actions", CaseActionRequest{Key: uuid.New(), Action: "assign", Owner: "xiaohong", Revision: 1})
	if given.Owner != "xiaohong" || given.State != "review" {
		t.Errorf("given to xiaohong it is %+v", given)
	}
	var feed int
	w.does(func(ctx context.Context, u *store.Unit) error {
		frames, err := u.FramesAfter(ctx, "xiaohong", 0, 10)
		for _, frame := range frames {
			if frame.Kind == string(message.FrameCase) {
				feed++
			}
		}
		return err
	})
	if feed != 1 {
		t.Errorf("xiaohong was told %d times that the case is theirs, want 1", feed)
	}
}

func TestAReviewerAsksForGoodsBackThatThePolicyLeavesAndSaysWhoPaysTheirWay(t *testing.T) {
	w := newWorld(t)
	d := w.starts()
	conversation := w.assigned("after-sales", "xiaomei", "c")
	w.sendsPicture(conversation)
	opened := asks[CaseDetail](d.as("xiaomei"), http.StatusAccepted, http.MethodPost, "/api/conversations/"+conversation.String()+"/after-sales",
		wanted(func(r *OpenAfterSalesRequest) { r.Reason, r.Evidence = aftersales.Quality, w.sent(conversation) }))
	if diff := cmp.Diff(AllowedAction{Action: "approve", Takes: []string{"note", "amount", "returnGoods", "freight"}}, opened.Allowed[0]); diff != "" {
		t.Errorf("of goods that need not come back (-want +got):\n%s", diff)
	}
	path := "/api/cases/" + opened.Name + "/actions"
	got := asks[refused](d.as("xiaomei"), http.StatusUnprocessableEntity, http.MethodPost, path, CaseActionRequest{Key: uuid.New(), Action: "approve", Freight: aftersales.FreightInsurance})
	if got.Type != "urn:yingda:problem:Contradictory" {
		t.Errorf("freight of goods that stay: %+v", got)
	}
	approved := asks[CaseDetail](d.as("xiaomei"), http.StatusAccepted, http.MethodPost, path,
		CaseActionRequest{Key: uuid.New(), Action: "approve", ReturnGoods: true, Freight: aftersales.FreightInsurance})
	if decision := inside(t, approved).Decision; approved.State != "returning" || !decision.GoodsBack || decision.Freight != aftersales.FreightInsurance {
		t.Errorf("approved it is in %s, decided %+v", approved.State, decision)
	}
}

func TestHoweverItsNumberIsTypedAnOrderIsGrantedOnce(t *testing.T) {
	w := newWorld(t)
	d := w.starts()
	conversation := w.assigned("after-sales", "xiaomei", "c")
	path := "/api/conversations/" + conversation.String()
	open := func(number string) CaseDetail {
		return asks[CaseDetail](d.as("xiaomei"), http.StatusAccepted, http.MethodPost, path+"/after-sales",
			wanted(func(r *OpenAfterSalesRequest) {
				r.Kind, r.Reason, r.Order.Number = aftersales.RefundOnly, aftersales.MissingItem, number
			}))
	}
	approve := func(c CaseDetail) answer {
		return d.as("xiaomei").sends(http.MethodPost, "/api/cases/"+c.Name+"/actions", CaseActionRequest{Key: uuid.New(), Action: "approve"})
	}
	if got := approve(open("LM1")); got.status != http.StatusAccepted {
		t.Fatalf("the first is answered %d: %s", got.status, got.body)
	}
	for typed, kept := range map[string]string{"LM1": "LM1", "lm1": "lm1", "ＬＭ１": "LM1", "ｌｍ１": "lm1", " Lm1\u3000": "Lm1"} {
		again := open(typed)
		if number := inside(t, again).Application.Order.Number; number != kept {
			t.Errorf("%q is kept as %q, want %q", typed, number, kept)
		}
		if got := approve(again); got.status != http.StatusUnprocessableEntity || !strings.Contains(string(got.body), "AmountTooHigh") {
			t.Errorf("as %q the order is granted once more: %d, %s", typed, got.status, got.body)
		}
		cancel := map[string]any{"key": uuid.New(), "order": typed, "operation": "cancel"}
		if got := asks[refused](d.as("xiaomei"), http.StatusUnprocessableEntity, http.MethodPost, path+"/order-changes", cancel); got.Type != "urn:yingda:problem:MoneyGranted" {
			t.Errorf("as %q the order is cancelled, too: %+v", typed, got)
		}
	}
}

func TestWhatIsGrantedOfAnOrderIsNotGrantedAgain(t *testing.T) {
	w := newWorld(t)
	d := w.starts()
	conversation := w.assigned("after-sales", "xiaomei", "c")
	open := func() CaseDetail {
		return asks[CaseDetail](d.as("xiaomei"), http.StatusAccepted, http.MethodPost, "/api/conversations/"+conversation.String()+"/after-sales",
			wanted(func(r *OpenAfterSalesRequest) { r.Kind, r.Reason = aftersales.RefundOnly, aftersales.MissingItem }))
	}
	first, second := open(), open()
	asks[CaseDetail](d.as("xiaomei"), http.StatusAccepted, http.MethodPost, "/api/cases/"+first.Name+"/actions",
		CaseActionRequest{Key: uuid.New(), Action: "approve", Amount: 6900})
	got := asks[refused](d.as("xiaomei"), http.StatusUnprocessableEntity, http.MethodPost, "/api/cases/"+second.Name+"/actions",
		CaseActionRequest{Key: uuid.New(), Action: "approve"})
	if got.Type != "urn:yingda:problem:AmountTooHigh" || !strings.Contains(got.Detail, "30 are left to pay back, not 99") {
		t.Errorf("the whole order is granted once more: %+v", got)
	}
}
