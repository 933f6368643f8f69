package router

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"sigs.k8s.io/controller-runtime/pkg/client"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/configz"
	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/store"
)

// of changes the object of that name and type.
func of[T client.Object](name string, change func(T)) func([]client.Object) {
	return func(objects []client.Object) {
		for _, object := range objects {
			if found, ok := object.(T); ok && found.GetName() == name {
				change(found)
			}
		}
	}
}

func agentOf(name string, role yingdav1.AgentRole) *yingdav1.Agent {
	agent := &yingdav1.Agent{Spec: yingdav1.AgentSpec{BrandRef: yingdav1.BrandReference{Name: "lumi"}, Role: role, Capacity: 1}}
	agent.Name, agent.Namespace, agent.Generation = name, "lumi", 1
	return agent
}

func overflows(from, to, after string) func([]client.Object) {
	return of(from, func(g *yingdav1.SkillGroup) {
		g.Spec.Queue.Overflow = &yingdav1.QueueOverflow{After: after, ToRef: yingdav1.SkillGroupReference{Name: to}}
	})
}

func holds(group string, most int32) func([]client.Object) {
	return of(group, func(g *yingdav1.SkillGroup) { g.Spec.Queue.MaxLength = &most })
}

func saysWhenFull(text string) func([]client.Object) {
	return of("shop", func(p *yingdav1.Playbook) { p.Spec.Texts.QueueFull = &text })
}

// waitsFor are the customers who wait in a group, the next one first.
func (w *world) waitsFor(group string) []string {
	w.t.Helper()
	var customers []string
	for {
		var customer string
		err := w.Store.Pool().QueryRow(w.t.Context(), `SELECT external_id FROM conversation WHERE state = 'queued' AND skill_group = $1
			ORDER BY coalesce(queue_key, queued_at), id OFFSET $2 LIMIT 1`, group, len(customers)).Scan(&customer)
		if isNoRows(err) {
			return customers
		}
		if err != nil {
			w.t.Fatal(err)
		}
		customers = append(customers, customer)
	}
}

func TestWhoWaitsTooLongGoesToAnotherGroupOnceAndKeepsTheirTime(t *testing.T) {
	w := newWorld(t, overflows("after-sales", "pre-sales", "3m"), overflows("pre-sales", "after-sales", "3m"))
	w.writes("busy", "你好")
	w.now = w.now.Add(time.Minute)
	w.writes("refund", "我要退款")
	since := *w.row("refund").QueuedAt
	w.now = w.now.Add(2 * time.Minute)
	w.writes("later", "有人吗")
	if diff := cmp.Diff([]string{"refund"}, w.waitsFor("after-sales")); diff != "" {
		t.Errorf("after 2 minutes (-want +got):\n%s", diff)
	}
	w.now = w.now.Add(time.Minute)
	w.drains()
	// Who has waited longer stands before who came to that group first.
	if diff := cmp.Diff([]string{"refund", "later"}, w.waitsFor("pre-sales")); diff != "" {
		t.Errorf("after 3 minutes (-want +got):\n%s", diff)
	}
	if c := w.row("refund"); !c.QueuedAt.Equal(since) || !c.WaitingSince.Equal(since) {
		t.Errorf("it waits since %s, of which %s count, want %s", c.QueuedAt, c.WaitingSince, since)
	}
	// The two groups help each other out, and nobody is sent to and fro.
	for range 3 {
		w.now = w.now.Add(time.Hour)
		w.drains()
	}
	if diff := cmp.Diff([]string{"later"}, w.waitsFor("after-sales")); diff != "" {
		t.Errorf("hours later (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"refund"}, w.waitsFor("pre-sales")); diff != "" {
		t.Errorf("hours later (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]float64{"after-sales pre-sales": 1, "pre-sales after-sales": 1}, metric(t, w.registry, "yingda_router_overflows_total")); diff != "" {
		t.Errorf("metric (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"前面还有 0 位。"}, w.sees("refund").Said); diff != "" {
		t.Errorf("said (-want +got):\n%s", diff)
	}
}

func TestWhoComesToAFullQueueGoesToAnotherGroup(t *testing.T) {
	w := newWorld(t, overflows("after-sales", "pre-sales", ""), holds("after-sales", 2), holds("pre-sales", 2))
	w.writes("busy", "你好")
	for i := range 6 {
		w.now = w.now.Add(time.Second)
		w.writes(fmt.Sprint("refund-", i), "我要退款")
	}
	// The other group takes two, and is full as well.
	want := map[string][]string{"after-sales": {"refund-0", "refund-1", "refund-4", "refund-5"}, "pre-sales": {"refund-2", "refund-3"}}
	if diff := cmp.Diff(want, map[string][]string{"after-sales": w.waitsFor("after-sales"), "pre-sales": w.waitsFor("pre-sales")}); diff != "" {
		t.Errorf("queues (-want +got):\n%s", diff)
	}
}

func TestWhoCannotGoOnWaitsAndIsTold(t *testing.T) {
	const sorry = "现在人很多,请留言。"
	monday := of("online", func(s *yingdav1.ShiftSchedule) { s.Spec.Shifts[0].Days = []yingdav1.Weekday{yingdav1.Tuesday} })
	open := of("after-sales", func(g *yingdav1.SkillGroup) {
		g.Spec.ScheduleRef = &yingdav1.ShiftScheduleReference{Name: "missing"} // Such a group serves around the clock.
	})
	for name, changes := range map[string][]func([]client.Object){
		"there is no other group":         {},
		"the other group is closed":       {overflows("after-sales", "pre-sales", ""), monday, open},
		"the other group has nobody":      {overflows("after-sales", "pre-sales", ""), of("pre-sales", func(g *yingdav1.SkillGroup) { g.Spec.AgentSelector.MatchLabels = map[string]string{"team": "none"} })},
		"the other group does not exist":  {overflows("after-sales", "gone", "")},
		"the other group is the very one": {overflows("after-sales", "after-sales", "")},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, append(changes, holds("after-sales", 1), saysWhenFull(sorry))...)
			w.writes("busy", "我要退款")
			for _, customer := range []string{"first", "second"} {
				w.now = w.now.Add(time.Second)
				w.writes(customer, "我要退款")
			}
			if diff := cmp.Diff([]string{"first", "second"}, w.waitsFor("after-sales")); diff != "" {
				t.Errorf("queue (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff([][]string{{"前面还有 0 位。"}, {sorry}}, [][]string{w.sees("first").Said, w.sees("second").Said}); diff != "" {
				t.Errorf("said (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTheNightDoesNotCountAsWaitingForAnAgent(t *testing.T) {
	w := newWorld(t, overflows("after-sales", "pre-sales", "3m"))
	w.writes("busy", "你好")
	w.now = noon().Add(11 * time.Hour) // 23:00
	w.writes("refund", "我要退款")
	w.now = time.Date(2026, 11, 24, 1, 0, 0, 0, time.UTC) // 9:00
	clock := newClock(w.Router)
	w.looks(clock)
	w.looks(clock)
	if diff := cmp.Diff([]string{"refund"}, w.waitsFor("after-sales")); diff != "" {
		t.Errorf("at the opening (-want +got):\n%s", diff)
	}
	want := map[string]configz.Queue{"after-sales": {Waiting: 1, OldestSince: w.now}}
	if diff := cmp.Diff(want, w.Queues()); diff != "" {
		t.Errorf("who waits (-want +got):\n%s", diff)
	}
	w.now = w.now.Add(standingsKept + time.Second)
	if got := w.Queues(); got != nil {
		t.Errorf("a router that does not look says %v", got)
	}
}

func TestAChangeOfAgeingSortsTheQueueAnew(t *testing.T) {
	w := newWorld(t)
	w.writes("busy", "我要退款")
	w.writes("refund", "我要退款")
	w.now = w.now.Add(21 * time.Minute) // 200 points are worth 20.
	w.writes("complaint", "退款,我要投诉")
	w.drains()
	if diff := cmp.Diff([]string{"refund", "complaint"}, w.waitsFor("after-sales")); diff != "" {
		t.Errorf("by 10 points a minute (-want +got):\n%s", diff)
	}
	objects := brand()
	of("after-sales", func(g *yingdav1.SkillGroup) {
		g.Generation, g.Spec.PriorityAgeing = 2, new(int32(0))
	})(objects)
	w.Catalog.Set(objects...)
	w.drains()
	if diff := cmp.Diff([]string{"complaint", "refund"}, w.waitsFor("after-sales")); diff != "" {
		t.Errorf("without ageing (-want +got):\n%s", diff)
	}
}

func TestTheQueueTextSaysHowLongItTakes(t *testing.T) {
	w := newWorld(t, of("shop", func(p *yingdav1.Playbook) {
		p.Spec.Texts.Queued = "前面 {{.QueuePosition}} 位,预计 {{.ExpectedWait}}。"
	}))
	w.writes("busy", "你好")
	w.writes("unknown", "有人吗")
	w.closes("busy")
	w.drains()
	// One is taken every five minutes.
	for i := range 3 {
		w.now = w.now.Add(5 * time.Minute)
		w.writes(fmt.Sprint("next-", i), "有人吗")
		w.closes([]string{"unknown", "next-0", "next-1"}[i])
		w.drains()
	}
	w.now = w.now.Add(5 * time.Minute)
	w.writes("c", "有人吗")
	want := [][]string{{"前面 0 位,预计 暂时无法估计。"}, {"前面 0 位,预计 约 4 分钟。"}}
	if diff := cmp.Diff(want, [][]string{w.sees("unknown").Said, w.sees("c").Said}); diff != "" {
		t.Errorf("said (-want +got):\n%s", diff)
	}
}

func TestTheLastMessageThatThePlatformLetsThroughIsTheAgents(t *testing.T) {
	w := newWorld(t)
	w.writes("busy", "你好")
	for customer, remaining := range map[string]int{"one-left": 1, "two-left": 2} {
		w.now = w.now.Add(time.Second)
		e := w.says(customer, customer, message.Content{Kind: message.KindText, Text: "有人吗"})
		if err := w.Handle(t.Context(), 0, []message.Envelope{e}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Store.Pool().Exec(t.Context(), "UPDATE quota SET remaining = $1, session_remaining = 0 WHERE external_id = $2", remaining, customer); err != nil {
			t.Fatal(err)
		}
	}
	w.drains()
	if said := w.sees("one-left").Said; said != nil {
		t.Errorf("the customer's last message is spent on %q", said)
	}
	if said := w.sees("two-left").Said; len(said) != 1 {
		t.Errorf("said %q, want the place in the queue", said)
	}
}

func TestOnlyWhatIsOfUseWhileWaitingIsMarkedSo(t *testing.T) {
	w := newWorld(t)
	w.writes("busy", "你好")
	w.writes("waits", "有人吗")
	w.drains()
	var marked []string
	rows, err := w.Store.Pool().Query(t.Context(), `SELECT payload->'content'->>'text' FROM outbox
		WHERE event_type = $1 AND payload->>'whileWaiting' = 'true' ORDER BY id`, string(message.TypeOutbound))
	if err != nil {
		t.Fatal(err)
	}
	if marked, err = pgx.CollectRows(rows, pgx.RowTo[string]); err != nil {
		t.Fatal(err)
	}
	said := w.sees("waits").Said
	if diff := cmp.Diff(said[len(said)-1:], marked); diff != "" {
		t.Errorf("of use while nobody has the conversation (-want +got):\n%s", diff)
	}
}

func TestAQueueThatIsTooLongOrTooSlowAlertsItsAgentsOnce(t *testing.T) {
	w := newWorld(t, of("after-sales", func(g *yingdav1.SkillGroup) { g.Spec.Queue.AlertLength = new(int32(1)) }))
	clocks := []*clock{newClock(w.Router), newClock(w.Router)} // as of two routers
	alerts := func() int {
		t.Helper()
		for _, clock := range clocks {
			w.looks(clock)
		}
		var count int
		err := w.Store.Pool().QueryRow(t.Context(), "SELECT count(*) FROM frame WHERE agent = 'xiaomei' AND kind = 'queue'").Scan(&count)
		if err != nil {
			t.Fatal(err)
		}
		return count
	}
	w.writes("busy", "你好")
	w.writes("first", "我要退款")
	steps := []struct {
		name string
		does func()
		want int
	}{
		{"one waits", func() {}, 0},
		{"two do", func() { w.writes("second", "我要退款") }, 1},
		{"a third comes", func() { w.writes("third", "我要退款") }, 1},
		{"two have left, and come back within the minute", func() { w.closes("third"); w.closes("second") }, 1},
		{"one waits, and the minute is over", func() { w.now = w.now.Add(alertKept + time.Second) }, 1},
		{"two wait again", func() { w.writes("second", "我要退款") }, 2},
		{"one leaves, and the other waits for long", func() {
			w.closes("first")
			w.now = w.now.Add(alertKept + time.Second)
			if got := alerts(); got != 2 {
				t.Errorf("%d alerts when one waits", got)
			}
			w.now = w.now.Add(5 * time.Minute)
		}, 3},
	}
	for _, step := range steps {
		step.does()
		if got := alerts(); got != step.want {
			t.Errorf("%s: %d alerts so far, want %d", step.name, got, step.want)
		}
	}
	// A router that starts while agents are alerted does not alert them again, and ends it.
	clocks = []*clock{newClock(w.Router)}
	if got := alerts(); got != 3 {
		t.Errorf("a new router makes it %d alerts, want 3", got)
	}
	w.closes("second")
	w.now = w.now.Add(alertKept + time.Second)
	alerts()
	if left, err := w.Store.Queries().QueueAlerts(t.Context()); err != nil || slices.Contains(left, "after-sales") {
		t.Errorf("alerts %v, %v are left", left, err)
	}
}

func TestOnlyThoseOnDutyWhoServeOrWatchTheQueueAreAlerted(t *testing.T) {
	objects := append(brand(),
		agentOf("laozhang", yingdav1.RoleSupervisor), agentOf("xiaohong", yingdav1.RoleAgent), agentOf("asleep", yingdav1.RoleAdmin))
	of("after-sales", func(g *yingdav1.SkillGroup) { g.Generation, g.Spec.Queue.AlertLength = 2, new(int32(1)) })(objects)
	w := newWorld(t)
	w.Catalog.Set(objects...)
	for agent, onDuty := range map[string]bool{"laozhang": true, "xiaohong": true, "asleep": false} {
		if _, err := w.Store.Queries().PresenceSet(t.Context(), agent, onDuty, w.now); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 3 {
		w.writes(fmt.Sprint("refund-", i), "我要退款")
	}
	w.looks(newClock(w.Router))
	var told []string
	err := w.Store.Pool().QueryRow(t.Context(), "SELECT array_agg(agent ORDER BY agent) FROM frame WHERE kind = 'queue'").Scan(&told)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"laozhang", "xiaomei"}, told); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
	if state := w.row("refund-1").State; state != store.StateQueued {
		t.Errorf("the conversation is %s", state)
	}
}

func TestACustomersTierCountsInEachOfTheirConversations(t *testing.T) {
	w := newWorld(t, of("pre-sales", func(g *yingdav1.SkillGroup) {
		g.Spec.Priorities = []yingdav1.PriorityRule{{Name: "vip", When: yingdav1.PriorityMatch{Tiers: []string{"vip"}}, Add: 100}}
	}))
	w.writes("c", "你好") // Whoever came once is known.
	w.closes("c")
	w.writes("busy", "你好")
	if _, err := w.Store.Pool().Exec(t.Context(), "UPDATE contact SET tier = 'vip' WHERE external_id = 'c'"); err != nil {
		t.Fatal(err)
	}
	w.writes("plain", "有人吗")
	w.now = w.now.Add(time.Minute)
	w.writes("c", "有人吗")
	if diff := cmp.Diff([]string{"c", "plain"}, w.waitsFor("pre-sales")); diff != "" {
		t.Errorf("queue (-want +got):\n%s", diff)
	}
	if c := w.row("c"); c.Tier != "vip" || c.Priority != 100 {
		t.Errorf("it is of tier %q, with %d points", c.Tier, c.Priority)
	}
}
