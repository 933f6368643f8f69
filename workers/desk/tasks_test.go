package desk

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/uuid"

	"github.com/yingda-dev/yingda/internal/catalog"
	"github.com/yingda-dev/yingda/internal/promise"
	"github.com/yingda-dev/yingda/internal/store"
)

// acting is where something is done with what is owed.
func acting(c store.Case) string { return "/api/cases/" + url.PathEscape(c.ID) + "/actions" }

// act is an act, with a key of its own.
func act(action string, with map[string]any) map[string]any {
	body := map[string]any{"key": uuid.New(), "action": action}
	maps.Copy(body, with)
	return body
}

// history are the steps of a case, by whom.
func (w *world) history(id string) []string {
	w.t.Helper()
	events, err := w.store.Queries().CaseEvents(w.t.Context(), id, 100)
	if err != nil {
		w.t.Fatal(err)
	}
	var steps []string
	for _, e := range events {
		steps = append(steps, e.State+" by "+e.Actor+": "+e.Note)
	}
	return steps
}

func TestAPromiseIsMadeOnceAndWatchedOver(t *testing.T) {
	w := newWorld(t)
	d := w.starts()
	id := w.assigned("after-sales", "xiaomei", "c")
	path, v := "/api/conversations/"+id.String()+"/promises", d.as("xiaomei")
	body := map[string]any{"key": uuid.New(), "what": "查物流并回复", "preset": "WithinHour"}
	made := asks[store.Case](v, http.StatusCreated, http.MethodPost, path, body)
	again := asks[store.Case](v, http.StatusCreated, http.MethodPost, path, body)
	if made.ID != again.ID || made.Owner != "xiaomei" || made.State != "open" || made.Title != titlePromise || !made.Due.Equal(noon().Add(time.Hour)) {
		t.Errorf("promised %+v, and again %+v", made, again)
	}
	started := w.outboxOf(store.TargetStart + promise.TaskWorkflow)
	var in promise.TaskInput
	if len(started) != 1 || json.Unmarshal(started[0], &in) != nil {
		t.Fatalf("started %s", started)
	}
	want := promise.TaskInput{
		ID: made.ID, Kind: promise.CasePromise, Conversation: id, Channel: "shop", Customer: "c", SkillGroup: "after-sales", Owner: "xiaomei",
		StartedAt: noon(), Due: noon().Add(time.Hour), RemindBeforeSeconds: 1800,
	}
	if diff := cmp.Diff(want, in); diff != "" {
		t.Errorf("started (-want +got):\n%s", diff)
	}

	for name, tc := range map[string]struct {
		by     string
		body   map[string]any
		status int
		reason string
	}{
		"both ways to say until when":  {"xiaomei", map[string]any{"key": uuid.New(), "what": "x", "preset": "Today", "due": noon().Add(time.Hour)}, 422, "BadDue"},
		"neither":                      {"xiaomei", map[string]any{"key": uuid.New(), "what": "x"}, 422, "BadDue"},
		"a time that has passed":       {"xiaomei", map[string]any{"key": uuid.New(), "what": "x", "due": noon()}, 422, "BadDue"},
		"somebody else's conversation": {"xiaohong", map[string]any{"key": uuid.New(), "what": "x", "preset": "Today"}, 404, "NoSuchConversation"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := asks[refused](d.as(tc.by), tc.status, http.MethodPost, path, tc.body); got.Type != "urn:yingda:problem:"+tc.reason {
				t.Errorf("refused with %+v, want %s", got, tc.reason)
			}
		})
	}
}

func TestWhatIsOwedIsPostponedGivenAwayAndDone(t *testing.T) {
	w := newWorld(t)
	w.catalog = catalog.Fixed("lumi", "lumi", append(brand(), agent("xiaoli", "after-sales"))...)
	d := w.starts()
	id := w.assigned("after-sales", "xiaomei", "c")
	v := d.as("xiaomei")
	made := asks[store.Case](v, http.StatusCreated, http.MethodPost, "/api/conversations/"+id.String()+"/promises",
		map[string]any{"key": uuid.New(), "what": "查物流", "preset": "WithinHour"})

	postponing := act("postpone", map[string]any{"note": "仓库休息", "due": noon().Add(24 * time.Hour)})
	for range 2 { // The client did not hear the answer to the first.
		got := asks[store.Case](v, http.StatusAccepted, http.MethodPost, acting(made), postponing)
		if !got.Due.Equal(noon().Add(24 * time.Hour)) {
			t.Errorf("postponed: %+v", got)
		}
	}
	if got := asks[refused](d.as("xiaoli"), http.StatusConflict, http.MethodPost, acting(made), act("done", nil)); got.Type != "urn:yingda:problem:NotYours" {
		t.Errorf("somebody else's: %+v", got)
	}
	asks[refused](d.as("xiaohong"), http.StatusNotFound, http.MethodPost, acting(made), act("done", nil))
	if got := asks[refused](v, http.StatusUnprocessableEntity, http.MethodPost, acting(made), act("reassign", map[string]any{"owner": "nobody"})); got.Type != "urn:yingda:problem:NoSuchAgent" {
		t.Errorf("given to nobody: %+v", got)
	}
	if got := asks[store.Case](v, http.StatusAccepted, http.MethodPost, acting(made), act("reassign", map[string]any{"owner": "xiaoli"})); got.Owner != "xiaoli" {
		t.Errorf("given away: %+v", got)
	}

	// The new owner and the supervisor say at once that it is done: one is told that it was.
	var answers [2]answer
	var ending sync.WaitGroup
	for i, name := range []string{"xiaoli", "laowang"} {
		ending.Go(func() { answers[i] = d.as(name).sends(http.MethodPost, acting(made), act("done", nil)) })
	}
	ending.Wait()
	if statuses := answers[0].status + answers[1].status; statuses != http.StatusAccepted+http.StatusConflict {
		t.Fatalf("answers %d %s and %d %s", answers[0].status, answers[0].body, answers[1].status, answers[1].body)
	}
	for signal, want := range map[string]int{promise.SignalTaskPostpone: 1, promise.SignalTaskReassign: 1, promise.SignalTaskEnd: 1} {
		if got := w.outboxOf(store.TargetSignal + signal); len(got) != want {
			t.Errorf("%d signals %s, want %d", len(got), signal, want)
		}
	}
	steps := w.history(made.ID)
	want := []string{"open by xiaomei: 查物流", "open by xiaomei: 仓库休息", "open by xiaomei: "}
	if len(steps) != 4 || !cmp.Equal(want, steps[:3]) {
		t.Errorf("history %q, want %q and the end", steps, want)
	}
}

func TestAPromiseIsKeptWithTheMessage(t *testing.T) {
	w := newWorld(t)
	d := w.starts()
	id := w.assigned("after-sales", "xiaomei", "c")
	path, v := "/api/conversations/"+id.String(), d.as("xiaomei")
	made := asks[store.Case](v, http.StatusCreated, http.MethodPost, path+"/promises", map[string]any{"key": uuid.New(), "what": "查物流", "preset": "Today"})
	saying := say(uuid.New(), "您的包裹今天到")
	saying["keeps"] = made.ID
	for range 2 {
		asks[store.Message](v, http.StatusAccepted, http.MethodPost, path+"/messages", saying)
	}
	row, err := w.store.Queries().CaseGet(t.Context(), made.ID)
	if err != nil || row.State != string(promise.TaskDone) {
		t.Errorf("the case is %+v, err %v", row, err)
	}
	if got := w.outboxOf(store.TargetSignal + promise.SignalTaskEnd); len(got) != 1 {
		t.Errorf("%d signals, want 1", len(got))
	}
	// What is done already keeps the message from being sent: the agent believes to keep something.
	saying = say(uuid.New(), "还有")
	saying["keeps"] = made.ID
	if got := asks[refused](v, http.StatusConflict, http.MethodPost, path+"/messages", saying); got.Type != "urn:yingda:problem:Ended" {
		t.Errorf("kept twice: %+v", got)
	}
}

// callsBack opens the call-back of a conversation, as the router does for a bad rating.
func (w *world) callsBack(id uuid.UUID) store.Case {
	w.t.Helper()
	var opened store.Case
	w.does(func(ctx context.Context, u *store.Unit) (err error) {
		in := promise.TaskInput{
			ID: promise.TaskID("lumi", "lumi", promise.CaseCallBack, id.String()), Kind: promise.CaseCallBack, Conversation: id, Channel: "shop",
			Customer: "c", SkillGroup: "after-sales", StartedAt: u.Now, Due: u.Now.Add(24 * time.Hour),
		}
		opened, _, err = u.OpenTask(ctx, in, store.TaskCase{Title: "差评回访", Due: in.Due, Detail: promise.TaskDetail{Reason: promise.CallBackBadRating, Rating: 1}},
			store.Taking{Step: "open"})
		return err
	})
	return opened
}

func TestACallBackIsDoneWithItsReason(t *testing.T) {
	w := newWorld(t)
	d := w.starts()
	call := w.callsBack(w.assigned("after-sales", "xiaomei", "c"))
	v := d.as("xiaomei")
	for _, lacking := range []map[string]any{{"note": "态度不好"}, {"reasonCode": "Attitude"}} {
		asks[refused](v, http.StatusUnprocessableEntity, http.MethodPost, acting(call), act("done", lacking))
	}
	doing := act("done", map[string]any{"reasonCode": "Attitude", "note": "客服态度不好"})
	for range 2 {
		got := asks[store.Case](v, http.StatusAccepted, http.MethodPost, acting(call), doing)
		var detail promise.TaskDetail
		if err := json.Unmarshal(got.Detail, &detail); err != nil || detail.ReasonCode != "Attitude" || detail.Rating != 1 || got.State != "done" {
			t.Errorf("done: %+v, err %v", got, err)
		}
	}
	if got := d.counted("yingda_desk_call_backs_total")["Attitude"]; got != 1 {
		t.Errorf("counted %v, want 1", got)
	}
}

func TestSupervisorsHaveCustomersAskedByPhone(t *testing.T) {
	w := newWorld(t)
	d := w.starts()
	id := w.assigned("after-sales", "xiaomei", "c")
	path, body := "/api/conversations/"+id.String()+"/call-backs", map[string]any{"key": uuid.New(), "what": "问对换货是否满意"}
	asks[refused](d.as("xiaomei"), http.StatusForbidden, http.MethodPost, path, body)
	made := asks[store.Case](d.as("laowang"), http.StatusCreated, http.MethodPost, path, body)
	if made.Kind != promise.CaseCallBack || made.Owner != "" || !made.Due.Equal(noon().Add(72*time.Hour)) {
		t.Errorf("ordered %+v", made)
	}
	// Whoever of the group made the call says so; nobody has to be discontent.
	asks[store.Case](d.as("xiaomei"), http.StatusAccepted, http.MethodPost, acting(made), act("done", nil))
}

// owesAfterOpening has an answer owed in a conversation after the opening, as the router does, and returns the case's id.
func (w *world) owesAfterOpening(id uuid.UUID) string {
	w.t.Helper()
	in := promise.TaskInput{
		ID: promise.TaskID("lumi", "lumi", promise.CaseOffHours, id.String()), Kind: promise.CaseOffHours, Conversation: id, Channel: "shop",
		Customer: "c", SkillGroup: "after-sales", StartedAt: noon(), AfterOpeningSeconds: 3600,
	}
	w.does(func(ctx context.Context, u *store.Unit) error {
		c, err := u.ConversationForUpdate(ctx, id)
		if err != nil {
			return err
		}
		due := noon().Add(time.Hour)
		c.DueAt = &due
		if _, _, err := u.OpenTask(ctx, in, store.TaskCase{Title: "非工作时间留言", Due: due}, store.Taking{Step: "open"}); err != nil {
			return err
		}
		_, err = u.Save(ctx, c)
		return err
	})
	return in.ID
}

func TestWhoEndsByHandWhatWasOwedAfterTheOpeningLeavesNothingDue(t *testing.T) {
	for action, takes := range map[string]map[string]any{"done": nil, "cancel": {"note": "客户已来电"}} {
		t.Run(action, func(t *testing.T) {
			w := newWorld(t)
			d := w.starts()
			id := w.assigned("after-sales", "xiaomei", "c")
			owed := w.owesAfterOpening(id)
			asks[store.Case](d.as("xiaomei"), http.StatusAccepted, http.MethodPost, "/api/cases/"+url.PathEscape(owed)+"/actions", act(action, takes))
			if c := conversation(t, w, id); c.DueAt != nil {
				t.Errorf("the conversation is still due at %s", c.DueAt)
			}
		})
	}
}

func TestTheFirstHumanAnswerEndsWhatWasOwedAfterTheOpening(t *testing.T) {
	w := newWorld(t)
	d := w.starts()
	id := w.assigned("after-sales", "xiaomei", "c")
	owed := w.owesAfterOpening(id)
	if got := asks[refused](d.as("xiaomei"), http.StatusConflict, http.MethodPost, "/api/cases/"+url.PathEscape(owed)+"/actions",
		act("postpone", map[string]any{"note": "忙", "due": noon().Add(time.Hour)})); got.Type != "urn:yingda:problem:NotPostponable" {
		t.Errorf("postponed: %+v", got)
	}
	for range 2 {
		d.as("xiaomei").says(id, "您好")
	}
	row, err := w.store.Queries().CaseGet(t.Context(), owed)
	if err != nil || row.State != string(promise.TaskDone) || row.ClosedAt == nil {
		t.Errorf("the case is %+v, err %v", row, err)
	}
	if got := w.outboxOf(store.TargetSignal + promise.SignalTaskEnd); len(got) != 1 {
		t.Errorf("%d signals, want 1", len(got))
	}
	if c := conversation(t, w, id); c.DueAt != nil {
		t.Errorf("answered, the conversation is still due at %s", c.DueAt)
	}
	if diff := cmp.Diff([]string{"open by : ", "done by xiaomei: "}, w.history(owed), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("history (-want +got):\n%s", diff)
	}
}
