package emergency

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"go.temporal.io/sdk/worker"

	"github.com/yingda-dev/yingda/internal/domain/schedule"
	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/promise"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/store/db"
	"github.com/yingda-dev/yingda/workers/workflows/workflowtest"
)

func TestMain(m *testing.M) {
	workflowtest.Main(m, func(r worker.Registry, s *store.Store, _ ...string) { served(s)(r) })
}

// served has a worker serve emergencies.
func served(s *store.Store) func(worker.Registry) {
	return func(r worker.Registry) { Register(r, activitiesOn(s)) }
}

func activitiesOn(s *store.Store) *Activities {
	return &Activities{Store: s, Directory: people{}, Events: "events", Source: "/shop/lumi/workflows", Now: time.Now}
}

// people is a brand with one supervisor, one admin and one agent on call.
type people struct{}

func (people) Agents(role string) []string {
	return map[string][]string{"Supervisor": {"sup"}, "Admin": {"boss"}}[role]
}

func (people) OnCall(string) []string    { return []string{"ben"} }
func (people) Hours() *schedule.Schedule { return nil }

// brand is one brand on real servers, of which something has been known for long.
type brand struct{ *workflowtest.Brand }

func newStore(t *testing.T) *brand { t.Helper(); return known(workflowtest.NewStore(t)) }

func newBrand(t *testing.T) *brand { t.Helper(); return known(workflowtest.NewBrand(t)) }

func known(of *workflowtest.Brand) *brand {
	b := &brand{of}
	b.exec(`INSERT INTO workload (skill_group, quarter, arrivals, handled, handling_seconds) VALUES ('after-sales', $1, 1, 1, 60)`, time.Now().AddDate(0, 0, -40))
	return b
}

// news are the states that an agent's desk was told of.
func (b *brand) news(agent string) (news []string) {
	b.T.Helper()
	for _, c := range workflowtest.News[store.Case](b.Brand, agent, message.FrameCase) {
		news = append(news, c.State)
	}
	return news
}

func (b *brand) exec(statement string, arguments ...any) {
	b.T.Helper()
	if _, err := b.Store.Pool().Exec(b.T.Context(), statement, arguments...); err != nil {
		b.T.Fatal(err)
	}
}

// complain has complaints come that long ago, and says of which conversations.
func (b *brand) complain(ago time.Duration, groups ...string) {
	b.T.Helper()
	for _, group := range groups {
		id := uuid.Must(uuid.NewV7())
		b.Do(func(ctx context.Context, u *store.Unit) error {
			c, err := u.ConversationAdd(ctx, db.ConversationAddParams{ID: id, Channel: "mini", ExternalID: id.String(), CustomerID: id, OpenedAt: u.Now.Add(-ago)})
			if err != nil {
				return err
			}
			agent, offered, answered := "an", u.Now.Add(-ago), u.Now.Add(-ago+40*time.Second)
			c.State, c.SkillGroup, c.Agent, c.AssignedAt, c.OfferedAt, c.AnsweredAt = store.StateAssigned, group, &agent, &offered, &offered, &answered
			if _, err = u.Save(ctx, c); err != nil {
				return err
			}
			_, err = u.ComplaintOpen(ctx, db.ComplaintOpenParams{
				ID: promise.ComplaintID("shop", "lumi", id), ConversationID: id, Channel: "mini", ExternalID: id.String(), SkillGroup: group, OpenedAt: offered,
			})
			return err
		})
	}
}

// opens does what a router does that sees a burst, and starts the workflow twice, as a relay that crashed before it deleted its
// row does.
func (b *brand) opens(modify ...func(*promise.EmergencyInput)) promise.EmergencyInput {
	b.T.Helper()
	var in promise.EmergencyInput
	b.Do(func(ctx context.Context, u *store.Unit) error {
		number, err := u.EmergencyOpen(ctx, "", u.Now)
		if err != nil {
			return err
		}
		in = promise.EmergencyInput{
			ID: promise.EmergencyID("shop", "lumi", number), Number: number, ScopeName: "露米", Since: u.Now.Add(-15 * time.Minute), StartedAt: u.Now,
			Complaints: 4, UsualPerHour: 1, CalmForSeconds: 60, CheckEverySeconds: 1,
		}
		for _, m := range modify {
			m(&in)
		}
		for range 2 {
			if err := u.StartWorkflow(ctx, in.ID, promise.EmergencyWorkflow, in); err != nil {
				return err
			}
		}
		return nil
	})
	return in
}

// await waits until the emergency's case is as it should be.
func (b *brand) await(id string, state promise.EmergencyState) store.Case {
	b.T.Helper()
	row := workflowtest.Await(b.Brand, "the emergency to be "+string(state), func(ctx context.Context) (db.ServiceCase, error) {
		return b.Store.Queries().CaseGet(ctx, id)
	}, func(row db.ServiceCase) bool { return row.State == string(state) })
	return store.CaseView(row)
}

func detailOf(t *testing.T, c store.Case) promise.EmergencyDetail {
	t.Helper()
	var detail promise.EmergencyDetail
	if err := json.Unmarshal(c.Detail, &detail); err != nil {
		t.Fatal(err)
	}
	return detail
}

func TestAnEmergencyOutlivesItsWorkerAndWritesOneReport(t *testing.T) {
	b := newBrand(t)
	kill := b.StartWorker()
	b.complain(10*time.Minute, "after-sales", "after-sales", "after-sales")
	// This one keeps it from being calm until it is a minute old.
	b.complain(50*time.Second, "pre-sales", "after-sales")
	in := b.opens()
	b.await(in.ID, promise.EmergencyOpen)
	b.AwaitListed(`YingdaBrand = "shop/lumi" AND YingdaKind = "emergency" AND YingdaState = "open"`)
	kill()
	b.Work(served(b.Store))
	closed := b.await(in.ID, promise.EmergencyClosed)
	var status promise.EmergencyStatus
	if err := b.Client.GetWorkflow(t.Context(), in.ID, "").Get(t.Context(), &status); err != nil {
		t.Fatal(err)
	}
	b.AwaitListed(`YingdaState = "closed"`)
	for _, agent := range []string{"sup", "boss", "ben"} {
		if diff := cmp.Diff([]string{"open", "closed"}, b.news(agent)); diff != "" {
			t.Errorf("news of %s (-want +got):\n%s", agent, diff)
		}
	}
	row, err := b.Store.Queries().EmergencyGet(t.Context(), in.Number)
	if err != nil || row.EndedAt == nil || row.CalmAt == nil || !row.EndedAt.Equal(*closed.ClosedAt) {
		t.Errorf("the row is %+v, %v; the case was closed at %s", row, err, closed.ClosedAt)
	}
	report := detailOf(t, closed).Report
	want := &promise.EmergencyReport{
		From: report.From, Until: report.Until, Complaints: 5, ByChannel: map[string]int{"mini": 5}, ByGroup: map[string]int{"after-sales": 4, "pre-sales": 1},
		PeakPerHour: 20, PeakAt: report.PeakAt, UsualPerHour: 1, FirstResponse: promise.EmergencyFirstResponse{Asked: 5, Answered: 5, MedianSeconds: 40, SlowSeconds: 40},
	}
	if diff := cmp.Diff(want, report); diff != "" {
		t.Errorf("report (-want +got):\n%s", diff)
	}
	b.StoreHistory(newest, in.ID, "calm-again")
}

func TestASupervisorEndsAnEmergencyAndTheReportSaysWhen(t *testing.T) {
	b := newBrand(t)
	b.Work(served(b.Store))
	b.complain(time.Minute, "after-sales", "after-sales", "after-sales", "after-sales")
	in := b.opens(func(in *promise.EmergencyInput) { in.CheckEverySeconds = 3600 })
	b.await(in.ID, promise.EmergencyOpen)
	for range 2 { // A relay may send a signal again; the second means nothing.
		b.Signal(in.ID, promise.SignalEmergencyExtend, promise.EmergencyExtend{By: "sup", Until: time.Now().Add(time.Hour)})
	}
	b.Do(func(ctx context.Context, u *store.Unit) error { return u.EmergencyEnd(ctx, u.Now, in.Number) })
	ended, err := b.Store.Queries().EmergencyGet(t.Context(), in.Number)
	if err != nil {
		t.Fatal(err)
	}
	b.Signal(in.ID, promise.SignalEmergencyClose, promise.EmergencyClose{By: "sup"})
	closed := b.await(in.ID, promise.EmergencyClosed)
	if report := detailOf(t, closed).Report; !closed.ClosedAt.Equal(*ended.EndedAt) || !report.Until.Equal(*ended.EndedAt) || report.Complaints != 4 {
		t.Errorf("closed at %s with %+v, want %s", closed.ClosedAt, report, ended.EndedAt)
	}
	row, err := b.Store.Queries().EmergencyGet(t.Context(), in.Number)
	if err != nil || row.CalmAt != nil {
		t.Errorf("the row is %+v, %v; complaints still come", row, err)
	}
	if err := b.Client.GetWorkflow(t.Context(), in.ID, "").Get(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	b.StoreHistory(newest, in.ID, "ended-by-a-supervisor")
}

func TestActivitiesHaveEffectOnce(t *testing.T) {
	b := newStore(t)
	a, in := activitiesOn(b.Store), b.opens()
	for range 3 { // An activity runs again when its worker died before it could report.
		if err := a.RecordOpened(t.Context(), Opening{in}); err != nil {
			t.Fatal(err)
		}
	}
	for range 3 {
		outcome, err := a.RecordClosed(t.Context(), Closing{ID: in.ID, Number: in.Number})
		if err != nil || !outcome.Closed {
			t.Fatalf("closed %t, %v", outcome.Closed, err)
		}
	}
	if diff := cmp.Diff([]string{"open", "closed"}, b.news("sup")); diff != "" {
		t.Errorf("news (-want +got):\n%s", diff)
	}
}

func TestWhatSomebodyHoldsIsNotClosedByItself(t *testing.T) {
	b := newStore(t)
	a, in := activitiesOn(b.Store), b.opens()
	if err := a.RecordOpened(t.Context(), Opening{in}); err != nil {
		t.Fatal(err)
	}
	b.Do(func(ctx context.Context, u *store.Unit) error {
		_, _, err := u.ChangeCase(ctx, in.ID, store.Taking{Step: "extend"}, func(c *store.Case) error {
			detail := detailOf(t, *c)
			detail.HeldUntil = u.Now.Add(time.Hour)
			var err error
			c.Detail, err = json.Marshal(detail)
			return err
		})
		return err
	})
	if outcome, err := a.RecordClosed(t.Context(), Closing{ID: in.ID, Number: in.Number}); err != nil || outcome.Closed {
		t.Errorf("closed by itself: %t, %v", outcome.Closed, err)
	}
	if outcome, err := a.RecordClosed(t.Context(), Closing{ID: in.ID, Number: in.Number, By: "sup"}); err != nil || !outcome.Closed {
		t.Errorf("closed by a supervisor: %t, %v", outcome.Closed, err)
	}
}

func TestPeak(t *testing.T) {
	at := func(minute int, complaints int32, group string) db.ComplaintsBetweenRow {
		return db.ComplaintsBetweenRow{SkillGroup: group, Minute: start().Add(time.Duration(minute) * time.Minute), Complaints: complaints}
	}
	for name, tt := range map[string]struct {
		rows   []db.ComplaintsBetweenRow
		most   int
		minute int
	}{
		"none":                         {nil, 0, 0},
		"one minute":                   {[]db.ComplaintsBetweenRow{at(3, 2, "a")}, 2, 4},
		"several groups in one minute": {[]db.ComplaintsBetweenRow{at(3, 2, "a"), at(3, 5, "b")}, 7, 4},
		"what is a quarter apart does not add up":      {[]db.ComplaintsBetweenRow{at(0, 4, "a"), at(15, 3, "a")}, 4, 1},
		"what is less apart does":                      {[]db.ComplaintsBetweenRow{at(0, 4, "a"), at(14, 3, "a"), at(40, 5, "a")}, 7, 15},
		"the worst quarter may be in the middle of it": {[]db.ComplaintsBetweenRow{at(0, 1, "a"), at(20, 3, "a"), at(25, 3, "b"), at(50, 1, "a")}, 6, 26},
	} {
		t.Run(name, func(t *testing.T) {
			most, when := peak(tt.rows)
			if most != tt.most || most > 0 && !when.Equal(start().Add(time.Duration(tt.minute)*time.Minute)) {
				t.Errorf("%d at %s, want %d at minute %d", most, when, tt.most, tt.minute)
			}
		})
	}
}
