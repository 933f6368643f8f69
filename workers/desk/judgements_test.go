package desk

import (
	"context"
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/domain/quality"
	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/promise"
	"github.com/yingda-dev/yingda/internal/store"
)

// staffed is a brand with two supervisors, laowang and laoli, and the admin laoban.
func staffed(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	as := func(role yingdav1.AgentRole) func(*yingdav1.Agent) {
		return func(a *yingdav1.Agent) { a.Spec.Role = role }
	}
	w.catalog.Set(append(brand(), agent("laoli", "office", as(yingdav1.RoleSupervisor)), agent("laoban", "office", as(yingdav1.RoleAdmin)))...)
	return w
}

// given is a conversation that xiaomei had and a supervisor is to judge within two days.
func (w *world) given(d *desk, customer, reviewer string, reasons ...quality.Reason) uuid.UUID {
	w.t.Helper()
	id := w.assigned("after-sales", "xiaomei", customer)
	asks[store.Conversation](d.as("xiaomei"), http.StatusOK, http.MethodPost, "/api/conversations/"+id.String()+"/close", nil)
	w.does(func(ctx context.Context, u *store.Unit) error {
		return u.AssignReview(ctx, store.ReviewAssignment{
			ID: promise.ReviewID("lumi", "lumi", id), Day: "2026-11-22", Due: u.Now.Add(48 * time.Hour), DueWithin: 48 * time.Hour, Location: time.UTC,
			Chosen: quality.Chosen{ID: id, Agent: "xiaomei", Reviewer: reviewer, Reasons: reasons},
		})
	})
	return id
}

func judgementPath(id uuid.UUID) string { return "/api/conversations/" + id.String() + "/judgement" }

// heard are the states of judgements that an agent's desk was told of.
func (w *world) heard(agentName string) []string {
	w.t.Helper()
	frames, err := w.store.Queries().FramesAfter(w.t.Context(), agentName, 0, 100)
	if err != nil {
		w.t.Fatal(err)
	}
	var states []string
	for _, frame := range frames {
		if frame.Kind != string(message.FrameCase) {
			continue
		}
		var c store.Case
		if err := json.Unmarshal(frame.Payload, &c); err != nil {
			w.t.Fatal(err)
		}
		states = append(states, c.State+" "+c.Owner)
	}
	return states
}

type judgements struct{ Judgements []JudgedConversation }

func listedJudgements(v *visitor, path string) []string {
	var all []string
	for _, j := range asks[judgements](v, http.StatusOK, http.MethodGet, "/api/quality/judgements"+path, nil).Judgements {
		all = append(all, j.Conversation.Customer+" "+string(j.Judgement.State))
	}
	return all
}

func scores(norms, attitude, expertise int) map[string]any {
	return map[string]any{"scriptNorms": norms, "attitude": attitude, "expertise": expertise}
}

func TestAConversationIsJudgedAppealedAndDecided(t *testing.T) {
	w := staffed(t)
	d := w.starts()
	id := w.given(d, "tang", "laowang", quality.Sampled, quality.Slow)
	path := judgementPath(id)
	if diff := cmp.Diff([]string{"tang pending"}, listedJudgements(d.as("laowang"), "")); diff != "" {
		t.Errorf("laowang is to judge (-want +got):\n%s", diff)
	}
	// Nothing was judged that an agent could see.
	asks[refused](d.as("xiaomei"), http.StatusNotFound, http.MethodGet, path, nil)

	body := scores(4, 2, 5)
	body["comment"] = "开场白没有按规范"
	w.passes(time.Hour)
	asks[store.Judgement](d.as("laowang"), http.StatusOK, http.MethodPost, path, body)
	w.passes(time.Hour)
	asks[store.Judgement](d.as("xiaomei"), http.StatusOK, http.MethodPost, path+"/appeal", map[string]any{"words": "客户没有等我说完"})
	w.passes(time.Hour)
	decided := asks[store.Judgement](d.as("laoli"), http.StatusOK, http.MethodPost, path+"/decision",
		map[string]any{"scores": scores(4, 4, 5), "comment": "记录支持客服的说法"})
	at := func(after time.Duration) time.Time { return noon().Add(after) }
	appealed := at(2 * time.Hour)
	want := store.Judgement{
		Conversation: id, Day: "2026-11-22", Agent: "xiaomei", State: quality.Changed, Reasons: []string{"sample", "slow"}, Reviewer: "laoli",
		Scores: []store.Score{
			{By: "laowang", ScriptNorms: 4, Attitude: 2, Expertise: 5, Comment: "开场白没有按规范", At: at(time.Hour)},
			{By: "laoli", ScriptNorms: 4, Attitude: 4, Expertise: 5, Comment: "记录支持客服的说法", At: at(3 * time.Hour)},
		},
		Appeal: "客户没有等我说完", AppealedAt: &appealed,
	}
	if diff := cmp.Diff(want, decided); diff != "" {
		t.Errorf("in the end (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want, asks[store.Judgement](d.as("xiaomei"), http.StatusOK, http.MethodGet, path, nil)); diff != "" {
		t.Errorf("the agent sees (-want +got):\n%s", diff)
	}
	averages := asks[struct{ Agents []AgentAverage }](d.as("xiaomei"), http.StatusOK, http.MethodGet, "/api/quality/agents", nil).Agents
	if diff := cmp.Diff([]AgentAverage{{"xiaomei", 1, 4, 4, 5}}, averages); diff != "" {
		t.Errorf("on average (-want +got):\n%s", diff)
	}
	told := map[string][]string{}
	for _, name := range []string{"xiaomei", "laowang", "laoli", "laoban", "xiaohong"} {
		told[name] = w.heard(name)
	}
	wantTold := map[string][]string{
		"xiaomei": {"pending laowang", "scored laowang", "appealed laoli", "changed laoli"},
		"laowang": {"pending laowang", "scored laowang", "appealed laoli", "changed laoli"},
		"laoli":   {"appealed laoli", "changed laoli"},
		"laoban":  nil, "xiaohong": nil,
	}
	if diff := cmp.Diff(wantTold, told); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"tang changed"}, listedJudgements(d.as("xiaomei"), "/mine")); diff != "" {
		t.Errorf("the agent's (-want +got):\n%s", diff)
	}
	for _, name := range []string{"laowang", "laoli", "laoban"} {
		if left := listedJudgements(d.as(name), ""); left != nil {
			t.Errorf("%s has %v left", name, left)
		}
	}
}

func TestALateJudgementIsNoLateDecision(t *testing.T) {
	w := staffed(t)
	d := w.starts()
	id := w.given(d, "tang", "laowang", quality.Sampled)
	path := judgementPath(id)
	late := func(step string) bool {
		t.Helper()
		w.passes(49 * time.Hour)
		w.does(func(ctx context.Context, u *store.Unit) error {
			_, _, err := u.ChangeCase(ctx, promise.ReviewID("lumi", "lumi", id), store.Taking{Step: step}, func(c *store.Case) error {
				c.BreachedAt = c.Due
				return nil
			})
			return err
		})
		return asks[store.Judgement](d.as("laowang"), http.StatusOK, http.MethodGet, path, nil).Overdue
	}
	if !late("overdue/1") {
		t.Error("a late judgement is not")
	}
	asks[store.Judgement](d.as("laowang"), http.StatusOK, http.MethodPost, path, scores(3, 3, 3))
	appealed := asks[store.Judgement](d.as("xiaomei"), http.StatusOK, http.MethodPost, path+"/appeal", map[string]any{"words": "客户没有等我说完"})
	if appealed.Overdue {
		t.Error("an appeal is late as soon as it is made")
	}
	if !late("overdue/2") {
		t.Error("a late decision is not")
	}
}

func TestAJudgementIsRefusedToWhomItIsNotFor(t *testing.T) {
	w := staffed(t)
	d := w.starts()
	id := w.given(d, "tang", "laowang", quality.Poor)
	judged := w.given(d, "song", "laowang", quality.Poor)
	asks[store.Judgement](d.as("laowang"), http.StatusOK, http.MethodPost, judgementPath(judged), scores(5, 5, 5))
	appealed := w.given(d, "ming", "laowang", quality.Poor)
	asks[store.Judgement](d.as("laowang"), http.StatusOK, http.MethodPost, judgementPath(appealed), scores(1, 1, 1))
	words := map[string]any{"words": "不同意"}
	asks[store.Judgement](d.as("xiaomei"), http.StatusOK, http.MethodPost, judgementPath(appealed)+"/appeal", words)
	decision := map[string]any{"comment": "维持"}
	for name, tc := range map[string]struct {
		who, path string
		body      map[string]any
		status    int
		reason    string
	}{
		"an agent judges nobody":                       {"xiaomei", judgementPath(id), scores(5, 5, 5), 403, "SupervisorsOnly"},
		"another agent does not hear of it":            {"xiaohong", judgementPath(id), scores(5, 5, 5), 404, "NoJudgement"},
		"another supervisor does not take it over":     {"laoli", judgementPath(id), scores(5, 5, 5), 409, "NotYourReview"},
		"six is no score":                              {"laowang", judgementPath(id), scores(6, 5, 5), 422, ""},
		"what was judged stays":                        {"laowang", judgementPath(judged), scores(1, 5, 5), 409, "AlreadyScored"},
		"what was not chosen is not judged":            {"laowang", judgementPath(uuid.New()), scores(1, 5, 5), 404, "NoJudgement"},
		"only who had the conversation appeals":        {"laoli", judgementPath(judged) + "/appeal", words, 403, "NotYourConversation"},
		"an appeal has words":                          {"xiaomei", judgementPath(judged) + "/appeal", map[string]any{"words": ""}, 422, ""},
		"before the judgement there is no appeal":      {"xiaomei", judgementPath(id) + "/appeal", words, 409, "NotScored"},
		"after one appeal there is none":               {"xiaomei", judgementPath(appealed) + "/appeal", words, 409, "AlreadyAppealed"},
		"without an appeal there is nothing to decide": {"laoli", judgementPath(judged) + "/decision", decision, 409, "NotAppealed"},
		"who judged does not decide":                   {"laowang", judgementPath(appealed) + "/decision", decision, 403, "OwnJudgement"},
	} {
		t.Run(name, func(t *testing.T) {
			v := d.as(tc.who)
			got := asks[refused](v, tc.status, http.MethodPost, tc.path, tc.body)
			if tc.reason != "" && got.Type != "urn:yingda:problem:"+tc.reason {
				t.Errorf("refused with %+v, want %s", got, tc.reason)
			}
		})
	}
	if got := asks[refused](d.as("xiaomei"), http.StatusForbidden, http.MethodGet, "/api/quality/judgements", nil); got.Type != "urn:yingda:problem:SupervisorsOnly" {
		t.Errorf("an agent who asks what is to be judged is refused with %+v", got)
	}
	upheld := asks[store.Judgement](d.as("laoban"), http.StatusOK, http.MethodPost, judgementPath(appealed)+"/decision", decision)
	if last := upheld.Scores[len(upheld.Scores)-1]; upheld.State != quality.Upheld || last.By != "laoban" || last.Attitude != 1 {
		t.Errorf("the admin upheld to %+v", upheld)
	}
	w.passes(quality.AppealWithin + time.Second)
	if got := asks[refused](d.as("xiaomei"), http.StatusConflict, http.MethodPost, judgementPath(judged)+"/appeal", words); got.Type != "urn:yingda:problem:TooLate" {
		t.Errorf("a late appeal is refused with %+v", got)
	}
}

func TestAConversationThatNoAgentHadIsJudgedWithoutOne(t *testing.T) {
	w := staffed(t)
	d := w.starts()
	id := w.queues("after-sales", "tang")
	w.passes(time.Hour)
	asks[store.Conversation](d.as("laowang"), http.StatusOK, http.MethodPost, "/api/conversations/"+id.String()+"/close", nil)
	w.does(func(ctx context.Context, u *store.Unit) error {
		return u.AssignReview(ctx, store.ReviewAssignment{
			ID: promise.ReviewID("lumi", "lumi", id), Day: "2026-11-22", Due: u.Now, DueWithin: time.Hour, Location: time.UTC,
			Chosen: quality.Chosen{ID: id, Reviewer: "laowang", Reasons: []quality.Reason{quality.Slow}},
		})
	})
	judged := asks[store.Judgement](d.as("laowang"), http.StatusOK, http.MethodPost, judgementPath(id), scores(1, 2, 3))
	if judged.Agent != "" || judged.State != quality.Scored {
		t.Errorf("it was judged as %+v", judged)
	}
	asks[refused](d.as("xiaomei"), http.StatusNotFound, http.MethodPost, judgementPath(id)+"/appeal", map[string]any{"words": "不同意"})
	if averages := asks[struct{ Agents []AgentAverage }](d.as("laowang"), http.StatusOK, http.MethodGet, "/api/quality/agents", nil).Agents; len(averages) > 0 {
		t.Errorf("agents have averages of it: %+v", averages)
	}
	if told := w.heard(""); told != nil {
		t.Errorf("nobody was told %v", told)
	}
}

func TestJudgingAConversationInWhichACustomerWaitedIsLookingAtIt(t *testing.T) {
	w := staffed(t)
	d := w.starts()
	id := w.assigned("after-sales", "xiaomei", "tang")
	w.passes(time.Hour)
	asks[store.Conversation](d.as("xiaomei"), http.StatusOK, http.MethodPost, "/api/conversations/"+id.String()+"/close", nil)
	w.does(func(ctx context.Context, u *store.Unit) error {
		return u.AssignReview(ctx, store.ReviewAssignment{
			ID: promise.ReviewID("lumi", "lumi", id), Day: "2026-11-22", Due: u.Now, DueWithin: time.Hour, Location: time.UTC,
			Chosen: quality.Chosen{ID: id, Agent: "xiaomei", Reasons: []quality.Reason{quality.Slow}},
		})
	})
	list := func() int {
		return len(asks[struct{ Reviews []Review }](d.as("laoli"), http.StatusOK, http.MethodGet, "/api/reviews", nil).Reviews)
	}
	before := list()
	asks[store.Judgement](d.as("laoli"), http.StatusOK, http.MethodPost, judgementPath(id), scores(3, 3, 3))
	if after := list(); before != 1 || after != 0 {
		t.Errorf("%d and then %d conversations are to be looked at, want 1 and 0", before, after)
	}
}
