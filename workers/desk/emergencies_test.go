package desk

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/yingda-dev/yingda/internal/promise"
	"github.com/yingda-dev/yingda/internal/store"
)

type listedEmergencies struct{ Emergencies []EmergencyView }

// breaksOut has an emergency of a scope begin, with its case; it returns the path of the case.
func (w *world) breaksOut(group string) (path string) {
	w.t.Helper()
	var number int64
	w.does(func(ctx context.Context, u *store.Unit) (err error) {
		number, err = u.EmergencyOpen(ctx, group, u.Now)
		return err
	})
	id := promise.EmergencyID("lumi", "lumi", number)
	detail, err := json.Marshal(promise.EmergencyDetail{Number: number, SkillGroup: group})
	if err != nil {
		w.t.Fatal(err)
	}
	w.opens(store.Case{ID: id, Kind: promise.CaseEmergency, State: string(promise.EmergencyOpen), SkillGroup: group, Detail: detail})
	return "/api/cases/" + strings.ReplaceAll(id, "/lumi/lumi/", "~")
}

// does one of the actions, under a key of its own.
func (v *visitor) acts(path, action, note string) answer {
	return v.sends(http.MethodPost, path+"/actions", map[string]any{"key": uuid.New(), "action": action, "note": note})
}

func TestEveryAgentSeesAnEmergencyWhileItLasts(t *testing.T) {
	w := newWorld(t)
	d := w.starts()
	list := func(agent string) []EmergencyView {
		return asks[listedEmergencies](d.as(agent), http.StatusOK, http.MethodGet, "/api/emergencies", nil).Emergencies
	}
	if got := list("xiaomei"); len(got) != 0 {
		t.Errorf("listed %+v before there is one", got)
	}
	w.breaksOut("after-sales")
	path := w.breaksOut("")
	want := []EmergencyView{
		{Case: "emergency~1", SkillGroup: "after-sales", ScopeName: "after-sales", StartedAt: noon()},
		{Case: "emergency~2", ScopeName: "露米", StartedAt: noon()},
	}
	for _, agent := range []string{"xiaohong", "laowang"} {
		if diff := cmp.Diff(want, list(agent)); diff != "" {
			t.Errorf("what %s sees (-want +got):\n%s", agent, diff)
		}
	}
	if got := d.as("laowang").acts(path, "close", "已恢复"); got.status != http.StatusAccepted {
		t.Fatalf("status %d: %s", got.status, got.body)
	}
	if diff := cmp.Diff(want[:1], list("xiaohong")); diff != "" {
		t.Errorf("after the end (-want +got):\n%s", diff)
	}
}

func TestASupervisorEndsAnEmergencyOnce(t *testing.T) {
	w := newWorld(t)
	d := w.starts()
	path := w.breaksOut("after-sales")
	for _, step := range []struct {
		sentence, agent, action, note string
		want                          int
	}{
		{"an agent of the group may not", "xiaomei", "close", "好了", http.StatusConflict},
		{"an agent of another group sees no such case", "xiaohong", "close", "好了", http.StatusNotFound},
		{"without a reason it goes on", "laowang", "close", " ", http.StatusUnprocessableEntity},
		{"what there is not is refused", "laowang", "resolve", "好了", http.StatusUnprocessableEntity},
		{"a supervisor ends it", "laowang", "close", "公告已发", http.StatusAccepted},
		{"what has ended does not end again", "laowang", "close", "好了", http.StatusConflict},
		{"nor is it extended", "laowang", "extend", "", http.StatusConflict},
	} {
		if got := d.as(step.agent).acts(path, step.action, step.note); got.status != step.want {
			t.Errorf("%s: status %d, want %d: %s", step.sentence, got.status, step.want, got.body)
		}
	}
	row, err := w.store.Queries().EmergencyGet(t.Context(), 1)
	if err != nil || row.EndedAt == nil || !row.EndedAt.Equal(noon()) || row.CalmAt != nil {
		t.Errorf("the row is %+v, %v", row, err)
	}
	signals := w.outboxOf(store.TargetSignal + promise.SignalEmergencyClose)
	if len(signals) != 1 || !strings.Contains(string(signals[0]), "laowang") {
		t.Errorf("its process was told %s, want once", signals)
	}
	shown := asks[CaseDetail](d.as("laowang"), http.StatusOK, http.MethodGet, path, nil)
	if last := shown.History[len(shown.History)-1]; last.Actor != "laowang" || last.Note != "公告已发" || shown.State != "closing" || len(shown.Allowed) != 0 {
		t.Errorf("the case is %+v", shown)
	}
}

func TestAnEmergencyIsExtendedByTwoHoursEachTime(t *testing.T) {
	w := newWorld(t)
	d := w.starts()
	path, key := w.breaksOut(""), uuid.New()
	extend := func(key uuid.UUID) promise.EmergencyDetail {
		t.Helper()
		shown := asks[CaseDetail](d.as("laowang"), http.StatusAccepted, http.MethodPost, path+"/actions", map[string]any{"key": key, "action": "extend"})
		var detail promise.EmergencyDetail
		if err := json.Unmarshal(shown.Detail, &detail); err != nil {
			t.Fatal(err)
		}
		return detail
	}
	extend(key)
	w.passes(time.Hour)
	if got := extend(key).HeldUntil; !got.Equal(noon().Add(2 * time.Hour)) {
		t.Errorf("the same action again holds it until %s", got)
	}
	if got := extend(uuid.New()).HeldUntil; !got.Equal(noon().Add(3 * time.Hour)) {
		t.Errorf("another one holds it until %s", got)
	}
	if signals := w.outboxOf(store.TargetSignal + promise.SignalEmergencyExtend); len(signals) != 2 {
		t.Errorf("its process was told %s, want twice", signals)
	}
}
