package complaint

import (
	"bytes"
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
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/propagation"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/worker"

	"github.com/yingda-dev/yingda/internal/domain/history"
	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/promise"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/store/db"
	"github.com/yingda-dev/yingda/workers/workflows/callees"
	"github.com/yingda-dev/yingda/workers/workflows/workflowtest"
)

func TestMain(m *testing.M) {
	otel.SetTracerProvider(sdktrace.NewTracerProvider())
	otel.SetTextMapPropagator(propagation.TraceContext{})
	workflowtest.Main(m, func(r worker.Registry, s *store.Store, _ ...string) { served(s)(r) })
}

func activitiesOn(s *store.Store) *Activities {
	return &Activities{
		Store: s, Directory: people{}, Events: "events", Source: "/shop/lumi/workflows", Now: time.Now,
		Logger: slog.New(slog.DiscardHandler), Metrics: NewMetrics(prometheus.NewRegistry()),
	}
}

// served has a worker serve complaints.
func served(s *store.Store) func(worker.Registry) {
	return func(r worker.Registry) { Register(r, activitiesOn(s)) }
}

// people is a brand with one supervisor, one admin and one channel.
type people struct{}

func (people) Agents(role string) []string {
	return map[string][]string{"Supervisor": {"sup"}, "Admin": {"boss"}}[role]
}

func (people) GroupAgents(string) []string { return []string{"an"} }

func (people) OutboundTopic(channel string) (string, bool) { return "outbound", channel == "mini" }

// brand is one brand on real servers.
type brand struct{ *workflowtest.Brand }

func newStore(t *testing.T) *brand { t.Helper(); return &brand{workflowtest.NewStore(t)} }

func newBrand(t *testing.T) *brand { t.Helper(); return &brand{workflowtest.NewBrand(t)} }

// converse opens a conversation that agent an has.
func (b *brand) converse() uuid.UUID { b.T.Helper(); return b.Converse("customer", 0) }

// news are the states that an agent's desk was told of.
func (b *brand) news(agent string) (news []string) {
	b.T.Helper()
	for _, c := range workflowtest.News[store.Complaint](b.Brand, agent, message.FrameComplaint) {
		news = append(news, fmt.Sprintf("%s %d", c.State, c.Rung))
	}
	return news
}

// complain starts the workflow through the outbox, twice, as a relay that crashed before it deleted its row does.
func (b *brand) complain(conversation uuid.UUID, ladder ...promise.Rung) promise.ComplaintInput {
	b.T.Helper()
	in := promise.ComplaintInput{
		ID: promise.ComplaintID("shop", "lumi", conversation), Conversation: conversation, Channel: "mini", Customer: "customer",
		SkillGroup: "after-sales", Ladder: ladder, FollowUpWithinDays: 3, Acknowledgement: "收到", StartedAt: time.Now(),
	}
	b.starts(in)
	return in
}

func (b *brand) starts(in promise.ComplaintInput) {
	b.T.Helper()
	b.Insist(func(ctx context.Context, u *store.Unit) error {
		for range 2 {
			if err := u.StartWorkflow(ctx, in.ID, promise.ComplaintWorkflow, in); err != nil {
				return err
			}
		}
		return nil
	})
}

// await waits until the complaint's row is as it should be.
func (b *brand) await(id, what string, condition func(db.Complaint) bool) db.Complaint {
	b.T.Helper()
	return workflowtest.Await(b.Brand, "the complaint to be "+what, func(ctx context.Context) (db.Complaint, error) {
		return b.Store.Queries().ComplaintGet(ctx, id)
	}, condition)
}

func TestAComplaintOutlivesItsWorker(t *testing.T) {
	b := newBrand(t)
	kill := b.StartWorker()
	conversation := b.converse()
	in := b.complain(conversation, promise.Rung{AfterSeconds: 1, Notify: "Supervisor"}, promise.Rung{AfterSeconds: 3, Notify: "Admin"})
	b.await(in.ID, "escalated", func(c db.Complaint) bool { return c.Rung == 1 })
	b.AwaitListed(`YingdaBrand = "shop/lumi" AND YingdaKind = "complaint" AND YingdaState = "escalated"`,
		`YingdaOwner = "Supervisor"`, fmt.Sprintf("YingdaDeadline > %q", in.StartedAt.Add(2*time.Second).UTC().Format(time.RFC3339Nano)))
	kill()
	b.Work(served(b.Store))
	b.await(in.ID, "escalated further", func(c db.Complaint) bool { return c.Rung == 2 && c.EscalatedTo == "Admin" })
	b.Signal(in.ID, promise.SignalResolve, promise.Resolve{By: "an", Resolution: "refunded"})
	b.await(in.ID, "resolved", func(c db.Complaint) bool { return c.State == "resolved" })
	b.Signal(in.ID, promise.SignalFollowedUp, promise.FollowedUp{By: "an"})
	row := b.await(in.ID, "followed up", func(c db.Complaint) bool { return c.State == "followed_up" })
	b.AwaitListed(`YingdaState = "followed_up"`, `YingdaOwner = "Admin"`, "YingdaDeadline IS NULL")
	if row.ResolvedBy != "an" || row.Resolution != "refunded" || !row.FollowUpDue.Equal(row.ResolvedAt.Add(72*time.Hour)) {
		t.Errorf("the row is %+v", row)
	}
	var status promise.ComplaintStatus
	if err := b.Client.GetWorkflow(t.Context(), in.ID, "").Get(t.Context(), &status); err != nil {
		t.Fatal(err)
	}
	want := map[string][]string{
		"an":   {"open 0", "escalated 1", "escalated 2", "resolved 2", "followed_up 2"},
		"sup":  {"open 0", "escalated 1", "escalated 2", "resolved 2", "followed_up 2"},
		"boss": {"escalated 2", "resolved 2", "followed_up 2"},
	}
	got := map[string][]string{"boss": b.news("boss")}
	for _, agent := range []string{"an", "sup"} {
		news := b.news(agent)
		if len(news) != 6 {
			t.Errorf("%s has %d news, want 6: %q", agent, len(news), news)
		}
		// The acknowledgement runs beside the ladder; its frame tells the state of the one before.
		got[agent] = slices.Compact(news)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("news (-want +got):\n%s", diff)
	}
	b.wantSaid(conversation, "bot")
	b.StoreHistory(newest, in.ID, "escalated-and-followed-up")
}

func TestAComplaintResolvedInTimeCallsNobody(t *testing.T) {
	b := newBrand(t)
	b.Work(served(b.Store))
	in := b.complain(b.converse(), promise.Rung{AfterSeconds: 3600, Notify: "Supervisor"})
	b.await(in.ID, "acknowledged", func(c db.Complaint) bool { return c.AcknowledgedAt != nil })
	for range 2 { // A relay may send a signal again; the second means nothing.
		b.Signal(in.ID, promise.SignalResolve, promise.Resolve{By: "an", Resolution: "refunded"})
	}
	b.await(in.ID, "resolved", func(c db.Complaint) bool { return c.State == "resolved" && c.Rung == 0 })
	b.Signal(in.ID, promise.SignalFollowedUp, promise.FollowedUp{By: "an"})
	b.await(in.ID, "followed up", func(c db.Complaint) bool { return c.State == "followed_up" })
	var status promise.ComplaintStatus
	if err := b.Client.GetWorkflow(t.Context(), in.ID, "").Get(t.Context(), &status); err != nil {
		t.Fatal(err)
	}
	if status.State != promise.ComplaintFollowedUp || status.IgnoredSignals != 1 {
		t.Errorf("the status is %+v", status)
	}
	b.StoreHistory(newest, in.ID, "resolved-in-time")
}

func TestWhoResolvedAComplaintIsRemindedToAskTheCustomer(t *testing.T) {
	b := newBrand(t)
	b.Work(served(b.Store))
	conversation := b.converse()
	in := promise.ComplaintInput{
		ID: promise.ComplaintID("shop", "lumi", conversation), Conversation: conversation, Channel: "mini", Customer: "customer", SkillGroup: "after-sales",
		FollowUpWithinDays: 3, FollowUpRemindSeconds: 57, StartedAt: time.Now(),
	}
	b.starts(in)
	nearly := time.Now().Add(time.Minute - 72*time.Hour)
	b.Signal(in.ID, promise.SignalResolve, promise.Resolve{By: "an", Resolution: "refunded", At: nearly})
	steps := func(ctx context.Context) ([]string, error) { return b.Steps(ctx, in.ID) }
	workflowtest.Await(b.Brand, "the reminder", steps, func(steps []string) bool { return slices.Contains(steps, "remind") })
	b.Signal(in.ID, promise.SignalFollowedUp, promise.FollowedUp{By: "an"})
	var status promise.ComplaintStatus
	b.Result(in.ID, &status)
	if status.State != promise.ComplaintFollowedUp || status.FollowUpOverdue {
		t.Errorf("the status is %+v", status)
	}
	b.StoreHistory(newest, in.ID, "reminded-of-the-follow-up")
}

func TestAComplaintThatNobodyFollowsUpLapses(t *testing.T) {
	b := newBrand(t)
	b.WorkInHaste(served(b.Store))
	conversation := b.converse()
	in := promise.ComplaintInput{
		ID: promise.ComplaintID("shop", "lumi", conversation), Conversation: conversation, Channel: "mini", Customer: "customer", SkillGroup: "after-sales",
		StartedAt: time.Now(),
	}
	b.starts(in)
	b.Signal(in.ID, promise.SignalResolve, promise.Resolve{By: "an", Resolution: "refunded", At: time.Now()})
	var status promise.ComplaintStatus
	b.Result(in.ID, &status)
	if status.State != promise.ComplaintResolved || !status.FollowUpOverdue {
		t.Errorf("the status is %+v", status)
	}
	steps, err := b.Steps(t.Context(), in.ID)
	if diff := cmp.Diff([]string{"open", "resolve", "overdue", "lapse"}, steps); diff != "" || err != nil {
		t.Errorf("steps (-want +got):\n%s, err %v", diff, err)
	}
	b.StoreHistory(newest, in.ID, "lapsed")
}

func TestActivitiesHaveEffectOnce(t *testing.T) {
	b := newBrand(t)
	a, conversation := activitiesOn(b.Store), b.converse()
	id, tell := promise.ComplaintID("shop", "lumi", conversation), []string{"Supervisor"}
	steps := []func(context.Context) error{
		func(ctx context.Context) error {
			return a.RecordOpened(ctx, Opening{ID: id, Conversation: conversation, Channel: "mini", Customer: "customer", OpenedAt: time.Now(), Tell: tell})
		},
		func(ctx context.Context) error {
			return a.Acknowledge(ctx, Acknowledgement{ID: id, Conversation: conversation, Text: "收到", Tell: tell})
		},
		func(ctx context.Context) error {
			return a.Escalate(ctx, Escalation{ID: id, Conversation: conversation, Rung: 1, Notify: "Supervisor", Tell: tell})
		},
		func(ctx context.Context) error {
			return a.RecordResolved(ctx, Resolution{ID: id, Conversation: conversation, ResolvedAt: time.Now(), FollowUpDue: time.Now(), Tell: tell})
		},
		func(ctx context.Context) error {
			_, err := a.MarkOverdue(ctx, FollowUp{ID: id, Conversation: conversation, Tell: tell})
			return err
		},
		func(ctx context.Context) error {
			return a.RecordFollowedUp(ctx, FollowUp{ID: id, Conversation: conversation, Tell: tell})
		},
	}
	for _, step := range steps {
		for range 3 { // An activity runs again when its worker died before it could report.
			if err := step(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	want := []string{"open 0", "open 0", "escalated 1", "resolved 1", "resolved 1", "followed_up 1"}
	if diff := cmp.Diff(want, b.news("sup")); diff != "" {
		t.Errorf("news (-want +got):\n%s", diff)
	}
	b.wantSaid(conversation, "bot")
}

func TestAComplaintThatIsKnownWhenItsProcessRunsIsToldOnce(t *testing.T) {
	b := newStore(t)
	a, conversation := activitiesOn(b.Store), b.converse()
	id, now := promise.ComplaintID("shop", "lumi", conversation), time.Now().UTC().Truncate(time.Microsecond)
	b.Do(func(ctx context.Context, u *store.Unit) error {
		_, _, err := u.OpenComplaint(ctx, promise.ComplaintInput{
			ID: id, Conversation: conversation, Channel: "mini", Customer: "customer", StartedAt: now, Ladder: []promise.Rung{{AfterSeconds: hour}},
		}, promise.ComplaintDetail{}, store.Taking{Step: "open", Action: history.Open, Tell: []string{"sup"}})
		return err
	})
	err := a.RecordOpened(t.Context(), Opening{
		ID: id, Conversation: conversation, Channel: "mini", Customer: "customer", OpenedAt: now, Due: now.Add(time.Hour), Tell: []string{"Supervisor"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"open 0"}, b.news("sup")); diff != "" {
		t.Errorf("news (-want +got):\n%s", diff)
	}
	if got, want := len(b.History(id)), 1; got != want {
		t.Errorf("%d steps, want %d", got, want)
	}
	shown, err := b.Store.Queries().CaseGet(t.Context(), id)
	if err != nil || shown.DueAt == nil || !shown.DueAt.Equal(now.Add(time.Hour)) {
		t.Errorf("the case is due %v, err %v", shown.DueAt, err)
	}
}

// staff is a brand with the given people.
type staff struct {
	people
	roles, groups map[string][]string
}

func (s staff) Agents(role string) []string       { return s.roles[role] }
func (s staff) GroupAgents(group string) []string { return s.groups[group] }

func TestAnEscalationReachesSomebody(t *testing.T) {
	group := map[string][]string{"after-sales": {"an", "bo"}}
	tests := map[string]struct {
		notify  string
		staff   staff
		reached string
		told    []string
	}{
		"the role is called":                            {"Supervisor", staff{roles: map[string][]string{"Supervisor": {"sup"}, "Admin": {"boss"}}, groups: group}, callees.Role, []string{"an", "sup"}},
		"without supervisors the admins are called":     {"Supervisor", staff{roles: map[string][]string{"Admin": {"boss"}}, groups: group}, callees.Others, []string{"an", "boss"}},
		"without admins the supervisors are called":     {"Admin", staff{roles: map[string][]string{"Supervisor": {"sup"}}, groups: group}, callees.Others, []string{"an", "sup"}},
		"without either the group is called":            {"Admin", staff{groups: group}, callees.Group, []string{"an", "bo"}},
		"without anybody only who has it is told of it": {"Admin", staff{}, callees.Nobody, []string{"an"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			b := newStore(t)
			registry := prometheus.NewRegistry()
			a, conversation := activitiesOn(b.Store), b.converse()
			var said bytes.Buffer
			a.Directory, a.Metrics, a.Logger = test.staff, NewMetrics(registry), slog.New(slog.NewTextHandler(&said, nil))
			id := promise.ComplaintID("shop", "lumi", conversation)
			if err := a.RecordOpened(t.Context(), Opening{ID: id, Conversation: conversation, Channel: "mini", Customer: "customer", OpenedAt: time.Now()}); err != nil {
				t.Fatal(err)
			}
			for range 2 { // The second time nothing is new.
				if err := a.Escalate(t.Context(), Escalation{ID: id, Conversation: conversation, Rung: 1, Notify: test.notify}); err != nil {
					t.Fatal(err)
				}
			}
			var told []string
			for _, agent := range []string{"an", "bo", "boss", "sup"} {
				if slices.Contains(b.news(agent), "escalated 1") {
					told = append(told, agent)
				}
			}
			if diff := cmp.Diff(test.told, told); diff != "" {
				t.Errorf("told (-want +got):\n%s", diff)
			}
			if got := escalations(t, registry); got != test.reached {
				t.Errorf("counted as %q, want %q once", got, test.reached)
			}
			if warned := said.Len() > 0; warned != (test.reached != callees.Role) {
				t.Errorf("the log says %q", said.String())
			}
		})
	}
}

func TestAComplaintFromOutsideIsLateOnceTheAdminsAreCalledAgain(t *testing.T) {
	b := newBrand(t)
	b.Work(served(b.Store))
	in := promise.ComplaintInput{
		ID: promise.ExternalComplaintID("shop", "lumi", uuid.New()), SkillGroup: "after-sales", Source: promise.ComplaintFrom12315, StartedAt: time.Now(),
		Ladder: []promise.Rung{{Notify: promise.RoleAdmin}, {AfterSeconds: 3, Notify: promise.RoleAdmin}}, FollowUpWithinDays: 3,
	}
	b.starts(in)
	breached := func() bool {
		return workflowtest.Read(b.Brand, "the case", func(ctx context.Context) (db.ServiceCase, error) {
			return b.Store.Queries().CaseGet(ctx, in.ID)
		}).BreachedAt != nil
	}
	b.await(in.ID, "at the top", func(c db.Complaint) bool { return c.Rung == 1 && c.EscalatedTo == promise.RoleAdmin })
	if breached() {
		t.Error("it is late at once")
	}
	b.await(in.ID, "at the top again", func(c db.Complaint) bool { return c.Rung == 2 })
	if !breached() {
		t.Error("it is not late")
	}
	if got := slices.DeleteFunc(b.news("boss"), func(news string) bool { return !strings.HasPrefix(news, "escalated") }); len(got) != 2 {
		t.Errorf("the admin was called %q, want twice", got)
	}
}

func TestWhoOwesTheFollowUpIsRemindedOnceAndNotOfWhatWasDone(t *testing.T) {
	for name, test := range map[string]struct {
		asked bool
		want  int
	}{"they have not asked": {false, 1}, "they have": {true, 0}} {
		t.Run(name, func(t *testing.T) {
			b := newStore(t)
			a, conversation := activitiesOn(b.Store), b.converse()
			f := FollowUp{ID: promise.ComplaintID("shop", "lumi", conversation), Conversation: conversation, By: "bo"}
			for _, err := range []error{
				a.RecordOpened(t.Context(), Opening{ID: f.ID, Conversation: conversation, Channel: "mini", Customer: "customer", OpenedAt: time.Now()}),
				a.RecordResolved(t.Context(), Resolution{ID: f.ID, Conversation: conversation, By: "bo", ResolvedAt: time.Now(), FollowUpDue: time.Now()}),
			} {
				if err != nil {
					t.Fatal(err)
				}
			}
			if test.asked {
				b.Do(func(ctx context.Context, u *store.Unit) error {
					_, _, err := u.NoteCase(ctx, f.ID, store.Taking{Step: store.StepAskedAgain, Actor: "bo"})
					return err
				})
			}
			for range 2 { // An activity runs again when its worker died before it could report.
				if err := a.Remind(t.Context(), f); err != nil {
					t.Fatal(err)
				}
			}
			for _, agent := range []string{"an", "bo"} {
				news := slices.DeleteFunc(workflowtest.News[store.CaseNews](b.Brand, agent, message.FrameCase), func(n store.CaseNews) bool { return n.Action != history.Remind })
				if len(news) != test.want {
					t.Errorf("%s was reminded %d times, want %d", agent, len(news), test.want)
				}
			}
		})
	}
}

func TestAFollowUpThatIsOverdueReachesSomebody(t *testing.T) {
	group := map[string][]string{"after-sales": {"an", "bo"}}
	for name, test := range map[string]struct {
		staff staff
		told  []string
	}{
		"the supervisors are told":                {staff{roles: map[string][]string{"Supervisor": {"sup"}, "Admin": {"boss"}}, groups: group}, []string{"an", "sup"}},
		"without supervisors the admins are told": {staff{roles: map[string][]string{"Admin": {"boss"}}, groups: group}, []string{"an", "boss"}},
		"without either the group is told":        {staff{groups: group}, []string{"an", "bo"}},
		"without anybody only who has it is told": {staff{}, []string{"an"}},
	} {
		t.Run(name, func(t *testing.T) {
			b := newStore(t)
			a, conversation := activitiesOn(b.Store), b.converse()
			a.Directory = test.staff
			id := promise.ComplaintID("shop", "lumi", conversation)
			for _, err := range []error{
				a.RecordOpened(t.Context(), Opening{ID: id, Conversation: conversation, Channel: "mini", Customer: "customer", OpenedAt: time.Now()}),
				a.RecordResolved(t.Context(), Resolution{ID: id, Conversation: conversation, ResolvedAt: time.Now(), FollowUpDue: time.Now()}),
			} {
				if err != nil {
					t.Fatal(err)
				}
			}
			if _, err := a.MarkOverdue(t.Context(), FollowUp{ID: id, Conversation: conversation, Tell: []string{"Supervisor"}}); err != nil {
				t.Fatal(err)
			}
			var told []string
			for _, agent := range []string{"an", "bo", "boss", "sup"} {
				overdue := func(c store.Complaint) bool { return c.FollowUpOverdue }
				if slices.ContainsFunc(workflowtest.News[store.Complaint](b.Brand, agent, message.FrameComplaint), overdue) {
					told = append(told, agent)
				}
			}
			if diff := cmp.Diff(test.told, told); diff != "" {
				t.Errorf("told (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAFollowUpOfWhichTheProcessHasNotHeardIsNotLate(t *testing.T) {
	for name, steps := range map[string][]func(a *Activities, ctx context.Context, f FollowUp) (Asked, error){
		"when it is due":         {(*Activities).MarkOverdue},
		"when it would lapse":    {(*Activities).Lapse},
		"when both are repeated": {(*Activities).MarkOverdue, (*Activities).MarkOverdue, (*Activities).Lapse, (*Activities).Lapse},
	} {
		for of, conversing := range map[string]func(*brand) uuid.UUID{
			"of a conversation": (*brand).converse,
			"from outside":      func(*brand) uuid.UUID { return uuid.Nil },
		} {
			t.Run(name+" "+of, func(t *testing.T) {
				b := newStore(t)
				a, conversation := activitiesOn(b.Store), conversing(b)
				f := FollowUp{ID: promise.ComplaintID("shop", "lumi", conversation), Conversation: conversation, Tell: []string{"Supervisor"}}
				for _, err := range []error{
					a.RecordOpened(t.Context(), Opening{ID: f.ID, Conversation: conversation, Channel: "mini", Customer: "customer", OpenedAt: time.Now()}),
					a.RecordResolved(t.Context(), Resolution{ID: f.ID, Conversation: conversation, ResolvedAt: time.Now(), FollowUpDue: time.Now()}),
				} {
					if err != nil {
						t.Fatal(err)
					}
				}
				b.Do(func(ctx context.Context, u *store.Unit) error { // As a desk does; its signal is on the way.
					_, _, err := u.NoteCase(ctx, f.ID, store.Taking{Step: store.StepAskedAgain, Actor: "bo"})
					return err
				})
				past, news := b.History(f.ID), b.news("sup")
				for _, step := range steps {
					if asked, err := step(a, t.Context(), f); err != nil || asked.By != "bo" {
						t.Errorf("asked by %q, err %v", asked.By, err)
					}
				}
				if diff := cmp.Diff(past, b.History(f.ID)); diff != "" {
					t.Errorf("history (-want +got):\n%s", diff)
				}
				if diff := cmp.Diff(news, b.news("sup")); diff != "" {
					t.Errorf("news (-want +got):\n%s", diff)
				}
				row := b.await(f.ID, "resolved", func(c db.Complaint) bool { return c.State == "resolved" })
				shown, err := b.Store.Queries().CaseGet(t.Context(), f.ID)
				if err != nil || row.FollowUpOverdue || shown.BreachedAt != nil || shown.ClosedAt != nil {
					t.Errorf("the row is %+v, the case %+v, err %v", row, shown, err)
				}
			})
		}
	}
}

// escalations are those whom escalations reached, one word each.
func escalations(t *testing.T, registry *prometheus.Registry) string {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var reached []string
	for _, m := range families[0].GetMetric() {
		for range int(m.GetCounter().GetValue()) {
			reached = append(reached, m.GetLabel()[0].GetValue())
		}
	}
	return strings.Join(reached, " ")
}

func TestTheTraceReachesTheWorkflow(t *testing.T) {
	b := newBrand(t)
	b.Work(served(b.Store))
	ctx, span := otel.Tracer("test").Start(t.Context(), "webhook")
	defer span.End()
	conversation := b.converse()
	id := promise.ComplaintID("shop", "lumi", conversation)
	b.Do(func(_ context.Context, u *store.Unit) error {
		return u.StartWorkflow(ctx, id, promise.ComplaintWorkflow, promise.ComplaintInput{ID: id, Conversation: conversation})
	})
	b.await(id, "open", func(c db.Complaint) bool { return c.State == "open" })
	started, err := b.Client.GetWorkflowHistory(t.Context(), id, "", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT).Next()
	if err != nil {
		t.Fatal(err)
	}
	header := started.GetWorkflowExecutionStartedEventAttributes().GetHeader().GetFields()["_tracer-data"].GetData()
	if want := span.SpanContext().TraceID().String(); !strings.Contains(string(header), want) {
		t.Errorf("the workflow's trace is %s, want one of %s", header, want)
	}
}

// wantSaid checks who said something in a conversation.
func (b *brand) wantSaid(conversation uuid.UUID, senders ...string) {
	b.T.Helper()
	messages, err := b.Store.Queries().Transcript(b.T.Context(), conversation, 100)
	if err != nil {
		b.T.Fatal(err)
	}
	var got []string
	for _, m := range messages {
		got = append(got, m.Sender)
	}
	if diff := cmp.Diff(senders, got); diff != "" {
		b.T.Errorf("transcript (-want +got):\n%s", diff)
	}
}
