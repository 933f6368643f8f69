package task

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"go.temporal.io/sdk/worker"

	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/promise"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/store/db"
	"github.com/yingda-dev/yingda/workers/workflows/deadline"
	"github.com/yingda-dev/yingda/workers/workflows/workflowtest"
)

func TestMain(m *testing.M) {
	workflowtest.Main(m, func(r worker.Registry, s *store.Store, arguments ...string) { served(s, opening(arguments))(r) })
}

// served has a worker serve tasks.
func served(s *store.Store, directory Directory) func(worker.Registry) {
	return func(r worker.Registry) { Register(r, activitiesOn(s, directory)) }
}

func activitiesOn(s *store.Store, directory Directory) *Activities {
	return &Activities{
		Store: s, Directory: directory, Events: "events", Source: "/shop/lumi/workflows", Now: time.Now,
		Logger: slog.New(slog.DiscardHandler), Metrics: NewMetrics(prometheus.NewRegistry()),
	}
}

// people is a brand with one supervisor, one admin, two agents and one channel, whose groups open at a time.
type people struct{ opens time.Time }

// opening is the brand whose groups open when a worker's argument says.
func opening(arguments []string) (p people) {
	if len(arguments) > 0 {
		p.opens, _ = time.Parse(time.RFC3339Nano, arguments[0])
	}
	return p
}

func (people) Agents(role string) []string {
	return map[string][]string{"Supervisor": {"sup"}, "Admin": {"boss"}}[role]
}

func (people) GroupAgents(string) []string { return []string{"an", "bo"} }

func (people) Supervisors(string) []string { return []string{"sup"} }

func (p people) Opening(string, time.Time, time.Time) (time.Time, bool) { return p.opens, true }

func (people) OutboundTopic(channel string) (string, bool) { return "outbound", channel == "mini" }

// brand is one brand on real servers.
type brand struct{ *workflowtest.Brand }

func newBrand(t *testing.T) *brand { t.Helper(); return &brand{workflowtest.NewBrand(t)} }

// told is how often an agent's desk was told of a case.
func (b *brand) told(agent string) int {
	b.T.Helper()
	return len(workflowtest.News[store.Case](b.Brand, agent, message.FrameCase))
}

// owes opens a task, and starts its workflow a second time, as a relay that crashed before it deleted its row does.
func (b *brand) owes(change ...func(*promise.TaskInput)) promise.TaskInput {
	b.T.Helper()
	conversation := b.Converse("customer", 20)
	in := promise.TaskInput{
		ID: promise.TaskID("shop", "lumi", promise.CasePromise, conversation.String()), Kind: promise.CasePromise, Conversation: conversation,
		Channel: "mini", Customer: "customer", SkillGroup: "after-sales", Owner: "an", StartedAt: time.Now().UTC(),
	}
	for _, f := range change {
		f(&in)
	}
	b.Insist(func(ctx context.Context, u *store.Unit) error {
		if _, _, err := u.OpenTask(ctx, in, store.TaskCase{Title: "承诺", Due: in.Due}, store.Taking{Step: "open", Actor: "an"}); err != nil {
			return err
		}
		return u.StartWorkflow(ctx, in.ID, promise.TaskWorkflow, in)
	})
	return in
}

// dueIn makes a task that is due soon, is reminded of three seconds before, and calls an admin a second after.
func dueIn(d time.Duration) func(*promise.TaskInput) {
	return func(in *promise.TaskInput) {
		in.Due, in.RemindBeforeSeconds, in.LateText = in.StartedAt.Add(d), 3, "晚了"
		in.Ladder = []promise.Rung{{AfterSeconds: 1, Notify: promise.RoleAdmin}}
	}
}

// awaits waits until a step of the case was taken.
func (b *brand) awaits(id, step string) {
	b.T.Helper()
	workflowtest.Await(b.Brand, "the step "+step, func(ctx context.Context) ([]string, error) { return b.Steps(ctx, id) },
		func(steps []string) bool { return slices.Contains(steps, step) })
}

// ends says as the desk does that the task is done, twice to Temporal, and waits for its workflow.
func (b *brand) ends(in promise.TaskInput) promise.TaskStatus {
	b.T.Helper()
	b.Insist(func(ctx context.Context, u *store.Unit) error {
		for range 2 {
			if err := u.SignalWorkflow(ctx, in.ID, promise.SignalTaskEnd, promise.TaskEnd{By: "an", State: promise.TaskDone}); err != nil {
				return err
			}
		}
		return nil
	})
	var status promise.TaskStatus
	b.Result(in.ID, &status)
	status.IgnoredSignals = 0 // The second end is ignored, or comes too late to be.
	return status
}

func TestWhatIsOwedAfterTheOpeningIsKept(t *testing.T) {
	b := newBrand(t)
	opens := time.Now().Add(time.Second).UTC()
	b.Work(served(b.Store, people{opens}))
	in := b.owes(func(in *promise.TaskInput) {
		in.ID, in.Kind, in.Owner, in.AfterOpeningSeconds = promise.TaskID("shop", "lumi", promise.CaseOffHours, in.Conversation.String()), promise.CaseOffHours, "", 1
	})
	b.awaits(in.ID, "breach")
	row, err := b.Store.Queries().CaseGet(t.Context(), in.ID)
	if err != nil || row.DueAt == nil || row.DueAt.Sub(opens.Add(time.Second)).Abs() > time.Millisecond || row.BreachedAt == nil {
		t.Errorf("the case is %+v, err %v, want it due a second after %s", row, err, opens)
	}
	if got := b.told("sup"); got != 1 {
		t.Errorf("the supervisor was told %d times", got)
	}
	status := b.ends(in)
	if status.State != promise.TaskDone || !status.Late {
		t.Errorf("the status is %+v", status)
	}
	b.StoreHistory(newest, in.ID, "off-hours-late")
}

func TestWhatIsPostponedAndDoneInTimeDisturbsNobody(t *testing.T) {
	b := newBrand(t)
	b.Work(served(b.Store, people{}))
	in := b.owes(dueIn(time.Hour))
	b.Insist(func(ctx context.Context, u *store.Unit) error {
		for range 2 {
			postponing := promise.TaskPostpone{ID: "p1", By: "an", Due: in.Due.Add(time.Hour)}
			if err := u.SignalWorkflow(ctx, in.ID, promise.SignalTaskPostpone, postponing); err != nil {
				return err
			}
		}
		return u.SignalWorkflow(ctx, in.ID, promise.SignalTaskReassign, promise.TaskReassign{By: "sup", Owner: "bo"})
	})
	status := b.ends(in)
	if status.Postponed != 1 || status.Owner != "bo" || status.Late || !status.Due.Equal(in.Due.Add(time.Hour)) {
		t.Errorf("the status is %+v", status)
	}
	if steps, err := b.Steps(t.Context(), in.ID); err != nil || !slices.Equal(steps, []string{"open", "end"}) {
		t.Errorf("the steps are %q, err %v", steps, err)
	}
	b.StoreHistory(newest, in.ID, "postponed-and-done")
}

func TestTemporalListsWhoOwesItAtOnce(t *testing.T) {
	b := newBrand(t)
	b.Work(served(b.Store, people{}))
	in := b.owes(dueIn(time.Hour))
	b.AwaitListed(fmt.Sprintf("WorkflowId = %q", in.ID), `YingdaOwner = "an"`)
	b.Insist(func(ctx context.Context, u *store.Unit) error {
		return u.SignalWorkflow(ctx, in.ID, promise.SignalTaskReassign, promise.TaskReassign{By: "sup", Owner: "bo"})
	})
	b.AwaitListed(fmt.Sprintf("WorkflowId = %q", in.ID), `YingdaOwner = "bo"`, `YingdaState = "open"`)
	b.ends(in)
}

// An order belongs to no conversation: whoever paid it is told in their newest.
func TestAnOrderThatIsNotSentIsToldOfAndEndsWhenItIs(t *testing.T) {
	b := newBrand(t)
	b.Work(served(b.Store, people{}))
	conversation := b.Converse("customer", 20)
	b.Insist(func(ctx context.Context, _ *store.Unit) error {
		_, err := b.Store.Pool().Exec(ctx, `INSERT INTO contact (channel, external_id, customer_id, first_seen, last_seen)
			SELECT channel, external_id, customer_id, opened_at, opened_at FROM conversation WHERE id = $1 ON CONFLICT DO NOTHING`, conversation)
		return err
	})
	now := time.Now().UTC()
	in := promise.TaskInput{
		ID: promise.TaskID("shop", "lumi", promise.CaseShipping, conversation.String()), Kind: promise.CaseShipping, Channel: "mini", Customer: "customer",
		SkillGroup: "after-sales", StartedAt: now.Add(-time.Hour), Due: now.Add(time.Second), RemindBeforeSeconds: 1, LateText: "发货晚了",
		Ladder: []promise.Rung{{AfterSeconds: 1, Notify: promise.RoleAdmin}},
	}
	b.Insist(func(ctx context.Context, u *store.Unit) error {
		_, _, err := u.OpenTask(ctx, in, store.TaskCase{Title: "发货 LM****0001", Due: in.Due}, store.Taking{Step: "open", Actor: "provider"})
		return err
	})
	b.awaits(in.ID, "escalate/1")
	if diff := cmp.Diff([]string{"text 发货晚了"}, b.Said(conversation)); diff != "" {
		t.Errorf("said (-want +got):\n%s", diff)
	}
	var about string
	if err := b.Store.Pool().QueryRow(t.Context(), "SELECT content -> 'about' ->> 'case' FROM message WHERE direction = 'outbound'").Scan(&about); err != nil || about != in.ID {
		t.Errorf("where it does not arrive %q is told otherwise, err %v, want %s", about, err, in.ID)
	}
	status := b.ends(in)
	if status.State != promise.TaskDone || !status.Late || status.Rung != 1 {
		t.Errorf("the status is %+v", status)
	}
	steps, err := b.Steps(t.Context(), in.ID)
	if diff := cmp.Diff([]string{"open", "remind", "breach", "escalate/1", "end"}, steps); diff != "" || err != nil {
		t.Errorf("steps (-want +got):\n%s, err %v", diff, err)
	}
	if told := []int{b.told("an"), b.told("bo"), b.told("sup"), b.told("boss")}; !slices.Equal(told, []int{1, 1, 1, 1}) {
		t.Errorf("an, bo, the supervisor and the admin were told %v times", told)
	}
	row, err := b.Store.Queries().CaseGet(t.Context(), in.ID)
	if err != nil || row.ConversationID != nil {
		t.Errorf("the case is %+v, err %v, want it of no conversation", row, err)
	}
}

func TestAnOrderOfWhomNoConversationIsLeftIsLateInItsHistoryAlone(t *testing.T) {
	b := newBrand(t)
	in := promise.TaskInput{
		ID: promise.TaskID("shop", "lumi", promise.CaseShipping, "1"), Kind: promise.CaseShipping, Channel: "mini", Customer: "gone", SkillGroup: "after-sales",
		StartedAt: time.Now().UTC(), Due: time.Now().UTC(),
	}
	b.Insist(func(ctx context.Context, u *store.Unit) error {
		_, _, err := u.OpenTask(ctx, in, store.TaskCase{Due: in.Due}, store.Taking{Step: "open"})
		return err
	})
	late := Taking{ID: in.ID, SkillGroup: in.SkillGroup, LateText: "发货晚了"}
	late.Step.Kind = "breach"
	if err := activitiesOn(b.Store, people{}).MarkLate(t.Context(), late); err != nil {
		t.Fatal(err)
	}
	events, err := b.Store.Queries().CaseEvents(t.Context(), in.ID, 10)
	if err != nil || len(events) != 2 || !strings.Contains(events[1].Note, "没有可以发送的会话") {
		t.Errorf("the history is %+v, err %v", events, err)
	}
}

func TestActivitiesHaveEffectOnceAndNoneAfterTheEnd(t *testing.T) {
	b := newBrand(t)
	in := b.owes(dueIn(time.Hour)) // No worker takes it.
	a := activitiesOn(b.Store, people{})
	taking := func(kind string, rung int) Taking {
		t := Taking{ID: in.ID, SkillGroup: in.SkillGroup, LateText: "晚了"}
		t.Step.Kind, t.Step.Rung, t.Step.Notify = deadline.Kind(kind), rung, promise.RoleAdmin
		return t
	}
	run := func(ctx context.Context) {
		for range 3 { // An activity runs again when its worker died before it could report.
			for _, err := range []error{
				a.Remind(ctx, taking("remind", 0)), a.MarkLate(ctx, taking("breach", 0)), a.Call(ctx, taking("escalate", 1)),
			} {
				if err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	run(t.Context())
	for range 3 {
		if err := a.Close(t.Context(), Closing{ID: in.ID, By: "an", State: promise.TaskDone}); err != nil {
			t.Fatal(err)
		}
	}
	late := taking("breach", 0)
	late.Deadline = "p1"
	if err := a.MarkLate(t.Context(), late); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Plan(t.Context(), Planning{ID: in.ID, Now: time.Now()}); err != nil {
		t.Fatal(err)
	}
	steps, err := b.Steps(t.Context(), in.ID)
	if diff := cmp.Diff([]string{"open", "remind", "breach", "escalate/1", "end"}, steps); diff != "" || err != nil {
		t.Errorf("steps (-want +got):\n%s, err %v", diff, err)
	}
	if diff := cmp.Diff([]string{"text 晚了"}, b.Said(in.Conversation)); diff != "" {
		t.Errorf("said (-want +got):\n%s", diff)
	}
}

// The desk has written the row; the signal comes after the timers that ran out while Temporal was away.
func TestWhatWasPostponedWhileItsProcessWasAwayIsNotLate(t *testing.T) {
	b := newBrand(t)
	in := b.owes(dueIn(time.Hour)) // No worker takes it.
	a := activitiesOn(b.Store, people{})
	runs := func(postponement string, due time.Time) []string {
		t.Helper()
		taking := func(step deadline.Step) Taking {
			return Taking{ID: in.ID, Deadline: postponement, Due: due, Step: step, SkillGroup: in.SkillGroup, LateText: "晚了"}
		}
		for _, err := range []error{
			a.Remind(t.Context(), taking(deadline.Step{Kind: "remind"})), a.MarkLate(t.Context(), taking(deadline.Step{Kind: "breach"})),
			a.Call(t.Context(), taking(deadline.Step{Kind: "escalate", Rung: 1, Notify: promise.RoleAdmin})),
		} {
			if err != nil {
				t.Fatal(err)
			}
		}
		steps, err := b.Steps(t.Context(), in.ID)
		if err != nil {
			t.Fatal(err)
		}
		return steps
	}
	later := in.Due.Add(time.Hour)
	b.Insist(func(ctx context.Context, u *store.Unit) error {
		_, _, err := u.ChangeCase(ctx, in.ID, store.Taking{Step: "postponed", Actor: "an"}, func(c *store.Case) error {
			c.Due = &later
			return nil
		})
		return err
	})
	if diff := cmp.Diff([]string{"open", "postponed"}, runs("", in.Due)); diff != "" {
		t.Errorf("steps of the deadline that was postponed (-want +got):\n%s", diff)
	}
	if said := b.Said(in.Conversation); len(said) > 0 {
		t.Errorf("said %q", said)
	}
	want := []string{"open", "postponed", "remind/p1", "breach/p1", "escalate/1/p1"}
	if diff := cmp.Diff(want, runs("p1", later)); diff != "" {
		t.Errorf("steps of the one that counts (-want +got):\n%s", diff)
	}
}

// groups is a brand without leaders of the whole of it, whose groups have people and hours of their own.
type groups struct {
	people

	at map[string]time.Time
}

func (groups) Agents(string) []string { return nil }

func (groups) GroupAgents(group string) []string { return []string{"agent of " + group} }

func (groups) Supervisors(group string) []string { return []string{"supervisor of " + group} }

// Opening is of groups that have opened then, whoever asks since when.
func (g groups) Opening(group string, since, _ time.Time) (time.Time, bool) {
	if at := g.at[group]; at.After(since) {
		return at, true
	}
	return since, true
}

// afterOpening makes a task one that is owed an hour after the opening by nobody in particular.
func afterOpening(in *promise.TaskInput) {
	in.ID, in.Kind, in.Owner = promise.TaskID("shop", "lumi", promise.CaseOffHours, in.Conversation.String()), promise.CaseOffHours, ""
	in.AfterOpeningSeconds = 3600
}

// waits has a conversation wait for the opening of a group, which owes it an answer.
func (b *brand) waits(id uuid.UUID, group string) {
	b.T.Helper()
	b.Insist(func(ctx context.Context, u *store.Unit) error {
		c, err := u.ConversationForUpdate(ctx, id)
		if err != nil {
			return err
		}
		c.State, c.SkillGroup, c.Agent, c.DueAt = store.StateAwaitingOpening, group, nil, &u.Now
		_, err = u.Save(ctx, c)
		return err
	})
}

func TestWhatIsOwedAfterTheOpeningGoesToAnotherGroupWithItsConversation(t *testing.T) {
	b := newBrand(t)
	in := b.owes(afterOpening) // No worker takes it.
	b.waits(in.Conversation, "pre-sales")
	now := in.StartedAt.Add(10 * time.Hour)
	a := activitiesOn(b.Store, groups{at: map[string]time.Time{"after-sales": now.Add(time.Hour), "pre-sales": in.StartedAt.Add(time.Hour)}})
	opening, err := a.Plan(t.Context(), Planning{ID: in.ID, SkillGroup: "after-sales", Since: in.StartedAt, Now: now, AfterOpeningSeconds: 3600})
	if err != nil || !opening.At.Equal(now) {
		t.Errorf("the opening is %+v, err %v, want the new group's, which is open: %s", opening, err, now)
	}
	taking := func(step deadline.Step) Taking { return Taking{ID: in.ID, Step: step, SkillGroup: "after-sales"} }
	for _, err := range []error{
		a.Remind(t.Context(), taking(deadline.Step{Kind: "remind"})), a.MarkLate(t.Context(), taking(deadline.Step{Kind: "breach"})),
		a.Call(t.Context(), taking(deadline.Step{Kind: "escalate", Rung: 1, Notify: promise.RoleAdmin})),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	told := map[string]int{}
	for _, group := range []string{"pre-sales", "after-sales"} {
		for _, who := range []string{"agent of " + group, "supervisor of " + group} {
			told[who] = b.told(who)
		}
	}
	want := map[string]int{"agent of pre-sales": 2, "supervisor of pre-sales": 1, "agent of after-sales": 0, "supervisor of after-sales": 0}
	if diff := cmp.Diff(want, told); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
	row, err := b.Store.Queries().CaseGet(t.Context(), in.ID)
	if err != nil || row.SkillGroup != "pre-sales" || row.DueAt == nil || row.DueAt.Sub(now.Add(time.Hour)).Abs() > time.Millisecond {
		t.Errorf("the case is %+v, err %v, want it of pre-sales, due an hour after %s", row, err, now)
	}
}

func TestWhatLapsesAfterTheOpeningLeavesNothingDue(t *testing.T) {
	b := newBrand(t)
	in := b.owes(afterOpening) // No worker takes it.
	b.waits(in.Conversation, "after-sales")
	a := activitiesOn(b.Store, people{})
	for range 2 { // An activity runs again when its worker died before it could report.
		if err := a.Close(t.Context(), Closing{ID: in.ID, State: promise.TaskLapsed}); err != nil {
			t.Fatal(err)
		}
	}
	row, err := b.Store.Queries().CaseGet(t.Context(), in.ID)
	if err != nil || row.State != string(promise.TaskLapsed) {
		t.Errorf("the case is %+v, err %v", row, err)
	}
	c, err := b.Store.Queries().ConversationGet(t.Context(), in.Conversation)
	if err != nil || c.DueAt != nil {
		t.Errorf("the conversation is due at %v, err %v", c.DueAt, err)
	}
}

func TestACustomerWhomNothingReachesIsNotToldAndTheHistorySaysSo(t *testing.T) {
	b := newBrand(t)
	in := b.owes(dueIn(time.Hour))
	b.Insist(func(ctx context.Context, u *store.Unit) error {
		return u.QuotaSet(ctx, db.QuotaSetParams{Channel: "mini", ExternalID: "customer", WindowEnds: u.Now.Add(-time.Hour)})
	})
	late := Taking{ID: in.ID, SkillGroup: in.SkillGroup, LateText: "晚了"}
	late.Step.Kind = "breach"
	if err := activitiesOn(b.Store, people{}).MarkLate(t.Context(), late); err != nil {
		t.Fatal(err)
	}
	events, err := b.Store.Queries().CaseEvents(t.Context(), in.ID, 10)
	if err != nil || len(events) != 2 || events[1].Action != "breach" || !strings.Contains(events[1].Note, "无法告知客户") {
		t.Errorf("the history is %+v, err %v", events, err)
	}
	if said := b.Said(in.Conversation); len(said) > 0 {
		t.Errorf("said %q", said)
	}
}
