package router

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/controller-runtime/pkg/client"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/store/db"
)

// told is what an agent's desk was told of customers who wait for too long.
func (w *world) told(agent string) []store.Lateness {
	w.t.Helper()
	rows, err := w.Store.Queries().FramesAfter(w.t.Context(), agent, 0, 1000)
	if err != nil {
		w.t.Fatal(err)
	}
	var told []store.Lateness
	for _, row := range rows {
		if row.Kind != string(message.FrameLate) {
			continue
		}
		var late store.Lateness
		if err := json.Unmarshal(row.Payload, &late); err != nil {
			w.t.Fatal(err)
		}
		told = append(told, late)
	}
	return told
}

// answers is what a desk does when an agent says something.
func (w *world) answers(customer string) {
	w.t.Helper()
	w.does(customer, func(ctx context.Context, u *store.Unit, c db.Conversation) error {
		if c.AnsweredAt == nil {
			c.AnsweredAt = &u.Now
		}
		c.AskedSince, c.RemindAt = nil, nil
		_, err := u.Save(ctx, c)
		return err
	})
}

func TestAnAgentIsRemindedOnceOfEachCustomerWhoWaitsForAnAnswer(t *testing.T) {
	w := newWorld(t, of("xiaomei", func(a *yingdav1.Agent) { a.Spec.Capacity = 3 }))
	clocks := []*clock{newClock(w.Router), newClock(w.Router)} // as of two routers
	w.writes("c", "你好")
	w.writes("d", "在吗")
	steps := []struct {
		name string
		does func()
		want int
	}{
		{"at once", func() {}, 0},
		{"20 s after it was given the conversations", func() { w.now = w.now.Add(20 * time.Second) }, 2},
		{"later", func() { w.now = w.now.Add(time.Minute) }, 2},
		{"the customer asks again without an answer", func() { w.writes("c", "人呢"); w.now = w.now.Add(time.Minute) }, 2},
		{"it has answered, and nobody asks", func() { w.answers("c"); w.now = w.now.Add(time.Minute) }, 2},
		{"the customer asks, and asks again after 10 s", func() {
			w.writes("c", "还有问题", "第二个")
			w.now = w.now.Add(10 * time.Second)
			w.writes("c", "第三个")
		}, 2},
		{"20 s after the first of the questions", func() { w.now = w.now.Add(10 * time.Second) }, 3},
		{"it answers the other one in time", func() { w.answers("d"); w.writes("d", "谢谢"); w.answers("d"); w.now = w.now.Add(time.Minute) }, 3},
	}
	for _, step := range steps {
		step.does()
		for _, clock := range clocks {
			w.looks(clock)
		}
		if got := w.told("xiaomei"); len(got) != step.want {
			t.Errorf("%s: told %d times so far, want %d", step.name, len(got), step.want)
		}
	}
	c := w.row("c")
	want := store.Lateness{Conversation: c.ID, Channel: "shop", Customer: "c", SkillGroup: "pre-sales", Promise: store.PromiseReply, Since: *c.AskedSince}
	if diff := cmp.Diff(want, w.told("xiaomei")[2]); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
	if view := store.ConversationView(c); !view.Reminded || !view.AskedSince.Equal(w.now.Add(-80*time.Second)) {
		t.Errorf("the desk shows %v, reminded %t", view.AskedSince, view.Reminded)
	}
	if diff := cmp.Diff(map[string]float64{"Reply pre-sales": 3}, metric(t, w.registry, "yingda_router_reminders_total")); diff != "" {
		t.Errorf("metric (-want +got):\n%s", diff)
	}
}

func TestWhatTheBotSaysIsNoAnswer(t *testing.T) {
	w := newWorld(t)
	clock := newClock(w.Router)
	w.writes("c", "你好")
	w.answers("c")
	w.writes("c", "怎么开发票", "我要投诉") // A complaint is acknowledged by the bot.
	w.does("c", func(ctx context.Context, u *store.Unit, c db.Conversation) error {
		_, _, err := u.Say(ctx, c, store.Words{Key: "bot", Topic: "t", Sender: store.SenderBot, Content: message.Content{Kind: message.KindText, Text: "请稍候"}})
		return err
	})
	w.now = w.now.Add(20 * time.Second)
	w.looks(clock)
	if got := w.told("xiaomei"); len(got) != 1 {
		t.Errorf("told %d times, want once", len(got))
	}
}

func TestTheClockOfAnAnswerStandsStillWhileTheGroupIsClosed(t *testing.T) {
	w := newWorld(t)
	clock := newClock(w.Router)
	w.writes("c", "你好")
	w.answers("c")
	w.now = noon().Add(9*time.Hour - 15*time.Second) // 15 s before 21:00
	w.writes("c", "还在吗")
	for _, at := range []time.Duration{9 * time.Hour, 20 * time.Hour} {
		w.now = noon().Add(at)
		w.looks(clock)
		if got := w.told("xiaomei"); got != nil {
			t.Errorf("%s after noon: told of %v while the group is closed", at, got)
		}
	}
	w.now = noon().Add(21*time.Hour + 5*time.Second) // 5 s after 9:00
	w.looks(clock)
	if got := w.told("xiaomei"); len(got) != 1 {
		t.Errorf("told %d times after 20 s of opening hours, want once", len(got))
	}
}

func TestWhoIsPassedOnHasWaitedSinceTheFirstAgent(t *testing.T) {
	w := newWorld(t, of("pre-sales", func(g *yingdav1.SkillGroup) { g.Spec.Assignment.ReassignAfter = "1m" }))
	w.Catalog.Set(append(brandWith(of("pre-sales", func(g *yingdav1.SkillGroup) { g.Generation, g.Spec.Assignment.ReassignAfter = 2, "1m" })), agentOf("xiaohong", yingdav1.RoleAgent))...)
	clock := newClock(w.Router)
	w.writes("c", "你好")
	since := *w.row("c").AskedSince
	if _, err := w.Store.Queries().PresenceSet(t.Context(), "xiaohong", true, w.now); err != nil {
		t.Fatal(err)
	}
	w.now = w.now.Add(time.Minute)
	w.looks(clock)
	w.now = w.now.Add(19 * time.Second)
	w.looks(clock)
	if got := w.told("xiaohong"); got != nil {
		t.Errorf("told of %v 19 s after it was passed on", got)
	}
	w.now = w.now.Add(time.Second)
	w.looks(clock)
	if got := w.told("xiaohong"); len(got) != 1 || !got[0].Since.Equal(since) {
		t.Errorf("told %v, want once, and that the customer waits since %s", got, since)
	}
}

func TestAServiceLevelSaysWhenAgentsAreReminded(t *testing.T) {
	w := newWorld(t, of("standard", func(l *yingdav1.ServiceLevel) { l.Spec.Reply = yingdav1.ReplySpec{WarnAfter: "3m"} }))
	clock := newClock(w.Router)
	w.writes("c", "你好")
	for _, step := range []struct {
		after time.Duration
		want  int
	}{{2*time.Minute + 59*time.Second, 0}, {time.Second, 1}} {
		w.now = w.now.Add(step.after)
		w.looks(clock)
		if got := w.told("xiaomei"); len(got) != step.want {
			t.Errorf("told %d times, want %d", len(got), step.want)
		}
	}
	// Whoever goes back into the queue waits for nobody's answer.
	w.does("c", func(ctx context.Context, u *store.Unit, c db.Conversation) error {
		_, err := u.Requeue(ctx, c, rulesOf(nil))
		return err
	})
	if c := w.row("c"); c.AskedSince != nil || c.RemindAt != nil {
		t.Errorf("in the queue it is asked since %v, with a reminder at %v", c.AskedSince, c.RemindAt)
	}
}

func brandWith(change func([]client.Object)) []client.Object {
	objects := brand()
	change(objects)
	return objects
}
