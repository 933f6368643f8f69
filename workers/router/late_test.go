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

// told is what an agent's desk was told of customers who wait for too long for an answer.
func (w *world) told(agent string) []store.Lateness { return w.toldOf(store.PromiseReply, agent) }

func (w *world) toldOf(promise store.Promise, agent string) []store.Lateness {
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
		if late.Promise == promise {
			told = append(told, late)
		}
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
		c.AskedSince, c.RemindAt, c.LateAt = nil, nil, nil
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
	if diff := cmp.Diff(map[string]float64{"Reply pre-sales": 3, "FirstResponse pre-sales": 1}, metric(t, w.registry, "yingda_router_reminders_total")); diff != "" {
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

func TestWhoAsksBeforeTheNextAgentHasThemWaitsSinceThen(t *testing.T) {
	duty := func(w *world, onDuty bool) {
		w.t.Helper()
		if _, err := w.Store.Queries().PresenceSet(w.t.Context(), "xiaomei", onDuty, w.now); err != nil {
			w.t.Fatal(err)
		}
	}
	queuedAgain := func(w *world) {
		w.t.Helper()
		w.writes("c", "你好")
		w.answers("c")
		duty(w, false)
		w.does("c", func(ctx context.Context, u *store.Unit, c db.Conversation) error {
			_, err := u.Requeue(ctx, c, rulesOf(nil))
			return err
		})
	}
	for name, tc := range map[string]struct {
		before func(w *world)
		writes string
		// since is after the question.
		since time.Duration
	}{
		"in the queue again after an answer":                    {before: queuedAgain, writes: "那我的退款呢"},
		"in the queue again, with what moves them to another":   {before: queuedAgain, writes: "我要投诉"},
		"with the bot, where a supervisor had answered":         {before: func(w *world) { duty(w, false); w.writes("c", "怎么开发票"); w.answers("c") }, writes: "在吗"},
		"in the queue without an answer yet, which is timed so": {before: func(w *world) { duty(w, false); w.writes("c", "你好") }, writes: "在吗", since: time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			tc.before(w)
			w.now = w.now.Add(time.Minute)
			asked := w.now
			w.writes("c", tc.writes)
			if c := w.row("c"); c.State != store.StateQueued || c.RemindAt != nil {
				t.Errorf("it is %s, with a reminder at %v, want queued without one", c.State, c.RemindAt)
			}
			w.now = w.now.Add(30 * time.Second)
			w.writes("c", "有人吗") // It starts no other clock.
			w.now = w.now.Add(30 * time.Second)
			duty(w, true)
			w.drains()
			if c := w.row("c"); c.State != store.StateAssigned || !c.AskedSince.Equal(asked.Add(tc.since)) || !c.RemindAt.Equal(w.now.Add(20*time.Second)) {
				t.Errorf("it is %s, asked since %v, with a reminder at %v, want assigned, since %s, at %s",
					c.State, c.AskedSince, c.RemindAt, asked.Add(tc.since), w.now.Add(20*time.Second))
			}
		})
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
	// Whoever goes back into the queue goes on waiting, but nobody is to be reminded of it.
	since := *w.row("c").AskedSince
	w.does("c", func(ctx context.Context, u *store.Unit, c db.Conversation) error {
		_, err := u.Requeue(ctx, c, rulesOf(nil))
		return err
	})
	if c := w.row("c"); c.AskedSince == nil || !c.AskedSince.Equal(since) || c.RemindAt != nil || store.ConversationView(c).Reminded {
		t.Errorf("in the queue it is asked since %v, want %s, with a reminder at %v", c.AskedSince, since, c.RemindAt)
	}
}

func brandWith(change func([]client.Object)) []client.Object {
	objects := brand()
	change(objects)
	return objects
}

func TestWhoHearsFromNoHumanInTimeIsToldOfOnce(t *testing.T) {
	w := newWorld(t)
	objects := append(brand(), agentOf("laozhang", yingdav1.RoleSupervisor), agentOf("admin", yingdav1.RoleAdmin))
	of("after-sales", func(g *yingdav1.SkillGroup) {
		g.Generation = 2
		g.Spec.Queue.Overflow = &yingdav1.QueueOverflow{After: "1m", ToRef: yingdav1.SkillGroupReference{Name: "pre-sales"}}
	})(objects)
	w.Catalog.Set(objects...)
	clocks := []*clock{newClock(w.Router), newClock(w.Router)} // as of two routers
	tells := func() map[string][]string {
		t.Helper()
		for _, clock := range clocks {
			w.looks(clock)
		}
		told := map[string][]string{}
		for _, agent := range []string{"xiaomei", "laozhang", "admin"} {
			for _, late := range w.toldOf(store.PromiseFirstResponse, agent) {
				told[agent] = append(told[agent], late.Customer)
			}
		}
		return told
	}
	w.writes("served", "你好")
	w.writes("waits", "我要退款") // It goes on to another group, and has waited all the same.
	w.writes("answered", "有人吗")
	w.now = w.now.Add(3*time.Minute - time.Second)
	w.answers("answered") // by a supervisor, who need not have it
	if diff := cmp.Diff(map[string][]string{}, tells()); diff != "" {
		t.Errorf("before the limit (-want +got):\n%s", diff)
	}
	want := map[string][]string{"xiaomei": {"served"}, "laozhang": {"waits"}}
	for _, after := range []time.Duration{time.Second, time.Hour} {
		w.now = w.now.Add(after)
		if diff := cmp.Diff(want, tells()); diff != "" {
			t.Errorf("%s later (-want +got):\n%s", after, diff)
		}
	}
	late := map[string]bool{}
	for _, customer := range []string{"served", "waits", "answered"} {
		late[customer] = store.ConversationView(w.row(customer)).Late
	}
	if diff := cmp.Diff(map[string]bool{"served": true, "waits": true, "answered": false}, late); diff != "" {
		t.Errorf("shown as late (-want +got):\n%s", diff)
	}
	if group := w.sees("waits").Group; group != "pre-sales" {
		t.Errorf("it waits in %s", group)
	}
}

func TestWhoWroteInTheNightWaitsForAHumanSinceTheOpening(t *testing.T) {
	w := newWorld(t)
	clock := newClock(w.Router)
	w.now = noon().Add(11 * time.Hour) // 23:00
	w.writes("c", "你好")
	opening := noon().Add(21 * time.Hour)
	for _, step := range []struct {
		after time.Duration
		want  int
	}{{-time.Second, 0}, {0, 0}, {3*time.Minute - time.Second, 0}, {3 * time.Minute, 1}} {
		w.now = opening.Add(step.after)
		w.looks(clock)
		if got := w.toldOf(store.PromiseFirstResponse, "xiaomei"); len(got) != step.want {
			t.Errorf("%s after the opening: told %d times, want %d", step.after, len(got), step.want)
		}
	}
}

func TestTheClockOfAFirstResponseStandsStillOverNight(t *testing.T) {
	w := newWorld(t)
	clock := newClock(w.Router)
	w.writes("busy", "你好")
	w.answers("busy")
	w.now = noon().Add(9*time.Hour - time.Minute) // 20:59
	w.writes("c", "有人吗")
	for _, step := range []struct {
		at   time.Duration
		want int
	}{{9 * time.Hour, 0}, {21 * time.Hour, 0}, {21*time.Hour + time.Minute + 59*time.Second, 0}, {21*time.Hour + 2*time.Minute, 1}} {
		w.now = noon().Add(step.at)
		w.looks(clock)
		var told int
		err := w.Store.Pool().QueryRow(t.Context(), "SELECT count(*) FROM conversation WHERE external_id = 'c' AND late_at IS NULL").Scan(&told)
		if err != nil || told != step.want {
			t.Errorf("%s after noon: told %d times, %v, want %d", step.at, told, err, step.want)
		}
	}
}

func TestAQuestionThatIsNotSolvedInTimeIsToldToWhoCanSolveIt(t *testing.T) {
	w := newWorld(t)
	objects := append(brand(), agentOf("laozhang", yingdav1.RoleSupervisor))
	of("standard", func(l *yingdav1.ServiceLevel) {
		l.Generation++
		l.Spec.Resolution.Topics = []yingdav1.TopicClass{{Name: "complaint", Class: yingdav1.ResolutionComplex}}
	})(objects)
	of("xiaomei", func(a *yingdav1.Agent) { a.Spec.Capacity = 3 })(objects)
	w.Catalog.Set(objects...)
	clock := newClock(w.Router)
	w.writes("general", "你好")
	w.writes("complex", "我要投诉")
	tells := func() map[string]int {
		w.looks(clock)
		count := map[string]int{}
		for _, agent := range []string{"xiaomei", "laozhang"} {
			for _, late := range w.toldOf(store.PromiseResolution, agent) {
				count[agent+" of "+late.Customer]++
			}
		}
		return count
	}
	general := map[string]int{"xiaomei of general": 1}
	both := map[string]int{"xiaomei of general": 1, "xiaomei of complex": 1, "laozhang of complex": 1}
	for _, step := range []struct {
		after time.Duration
		want  map[string]int
	}{
		{15*time.Minute - time.Second, map[string]int{}},
		{time.Second, general},
		{time.Minute, general},
		{14*time.Minute - time.Second, general},
		{time.Second, both},
		{time.Hour, both},
	} {
		w.now = w.now.Add(step.after)
		if diff := cmp.Diff(step.want, tells()); diff != "" {
			t.Errorf("%s later (-want +got):\n%s", step.after, diff)
		}
	}
}
