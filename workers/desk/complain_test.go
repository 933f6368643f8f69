package desk

import (
	"context"
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"sigs.k8s.io/controller-runtime/pkg/client"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/catalog"
	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/promise"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/store/db"
)

// heardOut is what who complains is told at once.
const heardOut = "已收到您的投诉。"

// hearing is a brand whose customers are told that they were heard, and whose after-sales group serves who complains earlier.
func hearing() []client.Object {
	return brand(func(objects []client.Object) {
		for _, o := range objects {
			switch o := o.(type) {
			case *yingdav1.Playbook:
				o.Spec.Texts.ComplaintAcknowledged = heardOut
			case *yingdav1.SkillGroup:
				o.Spec.Priorities = []yingdav1.PriorityRule{{Name: "complaint", When: yingdav1.PriorityMatch{Topics: []string{"complaint"}}, Add: 200}}
			}
		}
	})
}

// words are those in which an agent writes down what a customer complains of.
func words(what string) map[string]any { return map[string]any{"key": uuid.New(), "what": what} }

func complaining(id uuid.UUID) string { return "/api/conversations/" + id.String() + "/complaint" }

// begun are the complaints whose processes were started.
func (w *world) begun() (inputs []promise.ComplaintInput) {
	w.t.Helper()
	for _, row := range w.outboxOf(store.TargetStart + promise.ComplaintWorkflow) {
		var in promise.ComplaintInput
		if err := json.Unmarshal(row, &in); err != nil {
			w.t.Fatal(err)
		}
		inputs = append(inputs, in)
	}
	return inputs
}

// told are the texts of the bot in a conversation.
func (w *world) told(id uuid.UUID) (texts []string) {
	w.t.Helper()
	rows, err := w.store.Queries().DeskTranscript(w.t.Context(), id, 100)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, row := range rows {
		var content message.Content
		if err := json.Unmarshal(row.Content, &content); err != nil {
			w.t.Fatal(err)
		}
		if row.Sender == store.SenderBot {
			texts = append(texts, content.Text)
		}
	}
	return texts
}

func TestAnAgentWritesDownThatACustomerComplains(t *testing.T) {
	w := newWorld(t)
	w.catalog = catalog.Fixed("lumi", "lumi", hearing()...)
	d := w.starts()
	id := w.assigned("after-sales", "xiaomei", "c")
	path, v, first := complaining(id), d.as("xiaomei"), words("等了三天没有退款")
	asks[refused](d.as("xiaohong"), http.StatusNotFound, http.MethodPost, path, first)
	made := asks[CaseView](v, http.StatusCreated, http.MethodPost, path, first)
	detail, err := store.ComplaintDetailOf(made.Case)
	if err != nil || detail.What != "等了三天没有退款" || made.ID != promise.ComplaintID("lumi", "lumi", id) || made.Due == nil || !made.Due.Equal(noon().Add(time.Hour)) {
		t.Errorf("the case is %+v of %+v, err %v", made, detail, err)
	}
	if diff := cmp.Diff([]string{"open by xiaomei: "}, w.history(made.ID)); diff != "" {
		t.Errorf("its history (-want +got):\n%s", diff)
	}
	if shown := d.shownComplaint(id); shown == nil || shown.ID != made.ID || shown.State != string(promise.ComplaintOpen) {
		t.Errorf("of the conversation: %+v", shown)
	}
	if diff := cmp.Diff([]string{made.ID}, d.listsComplaints("laowang", "")); diff != "" {
		t.Errorf("listed to the supervisor (-want +got):\n%s", diff)
	}
	// The routers count it towards an emergency.
	counted, err := w.store.Queries().ComplaintsIn(t.Context(), []int32{0}, []time.Time{noon().Add(-time.Hour)}, []time.Time{noon()})
	if diff := cmp.Diff([]db.ComplaintsInRow{{SkillGroup: "after-sales", Complaints: 1}}, counted); err != nil || diff != "" {
		t.Errorf("counted, err %v (-want +got):\n%s", err, diff)
	}

	asks[CaseView](v, http.StatusCreated, http.MethodPost, path, first)
	more := words("没有人理")
	if again := asks[CaseView](d.as("laowang"), http.StatusCreated, http.MethodPost, path, more); again.ID != made.ID {
		t.Errorf("while it is under way another begins: %+v", again)
	}
	if diff := cmp.Diff([]string{"open by xiaomei: ", "open by laowang: 没有人理"}, w.history(made.ID)); diff != "" {
		t.Errorf("its history with what a colleague knew (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{heardOut}, w.told(id)); diff != "" {
		t.Errorf("the customer was told (-want +got):\n%s", diff)
	}
	started := w.begun()
	if len(started) != 1 || started[0].ID != made.ID || started[0].Acknowledgement != heardOut || started[0].Customer != "c" || len(started[0].Ladder) == 0 || started[0].Source != "" {
		t.Fatalf("started %+v", started)
	}

	w.settles(made.ID, id)
	if again := asks[CaseView](v, http.StatusCreated, http.MethodPost, path, first); again.ID != made.ID || again.State != string(promise.ComplaintResolved) {
		t.Errorf("by the key of the first, once that is resolved: %+v", again)
	}
	if again := asks[CaseView](d.as("laowang"), http.StatusCreated, http.MethodPost, path, more); again.ID != made.ID {
		t.Errorf("by the key of what belonged to it, once that is resolved, another begins: %+v", again)
	}
	if next := asks[CaseView](v, http.StatusCreated, http.MethodPost, path, words("还是没有退款")); next.ID != made.ID+"/2" {
		t.Errorf("the next is %+v", next)
	}
	if diff := cmp.Diff([]string{heardOut, heardOut}, w.told(id)); diff != "" {
		t.Errorf("the customer was told (-want +got):\n%s", diff)
	}
}

func TestAComplaintThatIsWrittenDownCallsTheSupervisors(t *testing.T) {
	w := newWorld(t)
	d := w.starts()
	id := w.assigned("after-sales", "xiaomei", "c")
	made := asks[CaseView](d.as("xiaomei"), http.StatusCreated, http.MethodPost, complaining(id), words("没有退款"))
	frames, err := w.store.Queries().FramesAfter(t.Context(), "laowang", 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	var news []string
	for _, frame := range frames {
		var payload store.CaseNews
		if err := json.Unmarshal(frame.Payload, &payload); err != nil {
			t.Fatal(err)
		}
		news = append(news, frame.Kind+" "+payload.ID+" "+string(payload.Action)+" "+payload.Actor)
	}
	if diff := cmp.Diff([]string{"case " + made.ID + " open xiaomei", "complaint " + made.ID + "  "}, news); diff != "" {
		t.Errorf("the supervisor was told (-want +got):\n%s", diff)
	}
}

func TestAComplaintBeginsWhereTheCustomerCannotBeToldOfIt(t *testing.T) {
	w := newWorld(t)
	w.catalog = catalog.Fixed("lumi", "lumi", hearing()...)
	d := w.starts()
	id := w.assigned("after-sales", "xiaomei", "c")
	w.passes(49 * time.Hour)
	asks[CaseView](d.as("xiaomei"), http.StatusCreated, http.MethodPost, complaining(id), words("没有退款"))
	if told := w.told(id); len(told) > 0 {
		t.Errorf("the customer was told %q, which the platform refuses", told)
	}
	if started := w.begun(); len(started) != 1 || started[0].Acknowledgement != "" {
		t.Errorf("started %+v, want one that says nothing, either", started)
	}
}

func TestWhoComplainsComesEarlierInTheQueue(t *testing.T) {
	w := newWorld(t)
	w.catalog = catalog.Fixed("lumi", "lumi", hearing()...)
	d := w.starts()
	id := w.queues("after-sales", "c")
	if got := asks[refused](d.as("xiaomei"), http.StatusConflict, http.MethodPost, complaining(id), words("没有退款")); got.Type != "urn:yingda:problem:NotAssigned" {
		t.Errorf("of nobody's conversation: %+v", got)
	}
	asks[CaseView](d.as("laowang"), http.StatusCreated, http.MethodPost, complaining(id), words("没有退款"))
	w.does(func(ctx context.Context, u *store.Unit) error {
		c, err := u.ConversationForUpdate(ctx, id)
		if err == nil && (c.Priority != 200 || c.QueueKey == nil || !c.QueueKey.Before(noon()) || c.Topic != "complaint") {
			t.Errorf("it waits with priority %d since %v, about %q", c.Priority, c.QueueKey, c.Topic)
		}
		return err
	})
}

func TestNoComplaintBeginsInAConversationThatHasEnded(t *testing.T) {
	w := newWorld(t)
	d := w.starts()
	id := w.assigned("after-sales", "xiaomei", "c")
	v := d.as("xiaomei")
	asks[json.RawMessage](v, http.StatusOK, http.MethodPost, "/api/conversations/"+id.String()+"/close", nil)
	if got := asks[refused](v, http.StatusConflict, http.MethodPost, complaining(id), words("没有退款")); got.Type != "urn:yingda:problem:Closed" {
		t.Errorf("%+v", got)
	}
	asks[refused](v, http.StatusUnprocessableEntity, http.MethodPost, complaining(id), words(" "))
	if started := w.begun(); len(started) > 0 {
		t.Errorf("started %+v", started)
	}
}
