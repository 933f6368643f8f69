package router

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/promise"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/store/db"
)

// heardOut is what who complains is told at once.
const heardOut = "已收到您的投诉。"

func TestWhoComplainsHearsFirstThatTheyWereHeard(t *testing.T) {
	for name, tt := range map[string]struct {
		before func(*world)
		want   []string
	}{
		"then that everybody is busy": {func(w *world) { w.writes("other", "你好") }, []string{heardOut, "前面还有 0 位。"}},
		"then that nobody serves now": {func(w *world) { w.now = w.now.Add(10 * time.Hour) }, []string{heardOut, "现在休息(09:00-21:00),11月24日 09:00回复您。"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, tapsOf)
			tt.before(w)
			w.handles(w.did("c", tap("KEY-complaint"), ""))
			if diff := cmp.Diff(tt.want, w.sees("c").Said); diff != "" {
				t.Errorf("said (-want +got):\n%s", diff)
			}
			// The process says it no more.
			key := promise.AcknowledgementKey(w.complaints()[0])
			w.does("c", func(ctx context.Context, u *store.Unit, c db.Conversation) error {
				_, said, err := u.Say(ctx, c, store.Words{
					Key: key, Sender: store.SenderBot, Content: message.Content{Kind: message.KindText, Text: heardOut},
				})
				if said {
					t.Error("it is said twice")
				}
				return err
			})
		})
	}
}

func TestAComplaintIsThereWhileNothingRunsItsProcess(t *testing.T) {
	w := newWorld(t, of("xiaomei", func(a *yingdav1.Agent) { a.Spec.Role = yingdav1.RoleSupervisor }))
	w.writes("c", "我要投诉")
	w.writes("c", "投诉投诉")
	id := w.complaints()[0]
	row, err := w.Store.Queries().ComplaintGet(t.Context(), id)
	if err != nil || row.State != "open" || row.ExternalID != "c" || row.SkillGroup != "pre-sales" || !row.OpenedAt.Equal(w.now) {
		t.Errorf("the complaint is %+v, err %v", row, err)
	}
	shown, err := w.Store.Queries().CaseGet(t.Context(), id)
	if err != nil || shown.State != "open" || shown.DueAt == nil || !shown.DueAt.Equal(w.now.Add(time.Hour)) {
		t.Errorf("the case is %+v, err %v", shown, err)
	}
	frames, err := w.Store.Queries().FramesAfter(t.Context(), "xiaomei", 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	told := map[string]int{}
	for _, frame := range frames {
		told[frame.Kind]++
	}
	if told[string(message.FrameComplaint)] != 1 || told[string(message.FrameCase)] != 1 {
		t.Errorf("the supervisor was told %v, want one complaint and its case", told)
	}
}

// complaints are the ids of the processes that were started, in the order of their starts.
func (w *world) complaints() []string {
	w.t.Helper()
	rows, err := w.Store.Queries().OutboxHead(w.t.Context(), []int16{0, 1, 2, 3, 4, 5, 6, 7}, store.DestinationTemporal, 10)
	if err != nil {
		w.t.Fatal(err)
	}
	var ids []string
	for _, row := range rows {
		if row.Target == store.TargetStart+promise.ComplaintWorkflow {
			ids = append(ids, row.Key)
		}
	}
	return ids
}

// does runs a transaction with the customer's open conversation, as another worker would.
func (w *world) does(customer string, f func(ctx context.Context, u *store.Unit, c db.Conversation) error) {
	w.t.Helper()
	err := w.Store.Do(w.t.Context(), w.scope(), func(ctx context.Context, u *store.Unit) error {
		c, err := u.ConversationOpenForUpdate(ctx, "shop", customer)
		if err != nil {
			return err
		}
		return f(ctx, u, c)
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

func TestWhoComplainsAgainAfterTheFirstComplaintIsSettledStartsTheNext(t *testing.T) {
	w := newWorld(t)
	w.writes("c", "我要投诉")
	first := w.complaints()[0]
	settle := func(id string) {
		t.Helper()
		w.does("c", func(ctx context.Context, u *store.Unit, _ db.Conversation) error {
			_, err := u.ComplaintResolve(ctx, db.ComplaintResolveParams{ID: id, ResolvedAt: w.now, ResolvedBy: "xiaomei", FollowUpDue: w.now})
			return err
		})
	}
	steps := []struct {
		what string
		does func()
		want []string
	}{
		{"the complaint is open", func() {}, []string{first}},
		{"the complaint is resolved", func() { settle(first) }, []string{first, first + "/2"}},
		{"the next complaint is open", func() {}, []string{first, first + "/2"}},
		{"the next complaint is resolved", func() { settle(first + "/2") }, []string{first, first + "/2", first + "/3"}},
	}
	for _, step := range steps {
		step.does()
		w.now = w.now.Add(time.Minute)
		w.writes("c", "投诉", "投诉投诉")
		if diff := cmp.Diff(step.want, w.complaints()); diff != "" {
			t.Errorf("%s: processes (-want +got):\n%s", step.what, diff)
		}
	}
	if diff := cmp.Diff(map[string]float64{"": 3}, metric(t, w.registry, "yingda_router_complaints_total")); diff != "" {
		t.Errorf("complaints_total (-want +got):\n%s", diff)
	}
}
