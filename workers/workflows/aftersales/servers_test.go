package aftersales

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"go.temporal.io/sdk/worker"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
	rules "github.com/yingda-dev/yingda/internal/domain/aftersales"
	"github.com/yingda-dev/yingda/internal/outcall"
	"github.com/yingda-dev/yingda/internal/promise"
	"github.com/yingda-dev/yingda/internal/provider"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/workers/workflows/workflowtest"
)

func TestMain(m *testing.M) {
	workflowtest.Main(m, func(r worker.Registry, s *store.Store, arguments ...string) {
		a := activitiesOn(s)
		if len(arguments) > 0 {
			a.Provider = calling(arguments[0], outcall.Files{KeyFile: arguments[1], CAFile: arguments[2]})
		}
		Register(r, a)
	})
}

func activitiesOn(s *store.Store) *Activities {
	return &Activities{
		Store: s, Directory: people{}, Provider: func() *provider.Provider { return nil }, Mails: func() bool { return false },
		Events: "events", Source: "/shop/lumi/workflows", Now: time.Now, Logger: slog.New(slog.DiscardHandler), Metrics: NewMetrics(prometheus.NewRegistry()),
	}
}

func calling(url string, files outcall.Files) func() *provider.Provider {
	return func() *provider.Provider {
		return &provider.Provider{URL: url, Files: files, Authorities: &yingdav1.CredentialsReference{Name: "ca"}, Now: time.Now}
	}
}

// people is a brand that is always open, with one supervisor, one admin and one channel.
type people struct{ notices bool }

func (people) Agents(role string) []string {
	return map[string][]string{"Supervisor": {"sup"}, "Admin": {"boss"}}[role]
}

func (people) GroupAgents(string) []string { return []string{"an"} }

func (people) OutboundTopic(channel string) (string, bool) { return "outbound", channel == "mini" }

func (p people) HasNotice(string, string) bool { return p.notices }

func (people) Due(_ string, since time.Time, d time.Duration) (time.Time, bool) {
	return since.Add(d), true
}

func (people) WorkingDays(_ string, since time.Time, n int) time.Time { return since.AddDate(0, 0, n) }

// brand is one brand on real servers.
type brand struct {
	*workflowtest.Brand

	// provider is nil for a brand without one.
	provider *program
}

func newStore(t *testing.T) *brand { t.Helper(); return &brand{Brand: workflowtest.NewStore(t)} }

// begins opens a case, whose first step has begun, without its process.
func (b *brand) begins(a *Activities, in promise.AfterSalesInput) Reference {
	b.T.Helper()
	if _, err := a.Open(b.T.Context(), in); err != nil {
		b.T.Fatal(err)
	}
	reference := Reference{ID: in.ID, SkillGroup: in.SkillGroup}
	if _, err := a.Enter(b.T.Context(), Entering{Case: reference, Terms: in.Terms}); err != nil {
		b.T.Fatal(err)
	}
	return reference
}

// newBrand is a brand whose provider that is; nil for none.
func newBrand(t *testing.T, p *program) *brand {
	t.Helper()
	return &brand{workflowtest.NewBrand(t), p}
}

// under is a brand that suffers a fault.
func under(t *testing.T, fault workflowtest.Fault) (*brand, *workflowtest.Faulty) {
	t.Helper()
	p := newProvider(t)
	faulty := workflowtest.Under(t, fault, p.arguments()...)
	return &brand{faulty.Brand, p}, faulty
}

// with is the same brand for a subtest.
func (b *brand) with(t *testing.T) *brand { t.Helper(); return &brand{b.With(t), b.provider} }

// work serves in the test's own process.
func (b *brand) work() {
	a := activitiesOn(b.Store)
	if b.provider != nil {
		a.Provider = calling(b.provider.URL, b.provider.files)
	}
	b.Work(func(r worker.Registry) { Register(r, a) })
}

// startWorker serves in a process of its own, until that is killed.
func (b *brand) startWorker() (kill func()) {
	b.T.Helper()
	if b.provider != nil {
		return b.StartWorker(b.provider.arguments()...)
	}
	return b.StartWorker()
}

// short are terms whose limits are a day, so that nothing is late but what a test makes late.
func short() rules.Terms {
	t := terms()
	t.RemindBefore = 0
	return t
}

// apply opens a case as a desk does, twice, as an agent who is not sure that it went through.
func (b *brand) apply(conversation uuid.UUID, customer string, modify ...func(*promise.AfterSalesInput)) promise.AfterSalesInput {
	b.T.Helper()
	id := uuid.Must(uuid.NewV7())
	in := promise.AfterSalesInput{
		ID: promise.AfterSalesID("shop", "lumi", id), Conversation: &conversation, Channel: "mini", Customer: customer, SkillGroup: "after-sales",
		OpenedBy: "an", StartedAt: time.Now(), Terms: short(), Ladder: []promise.Rung{{AfterSeconds: 1, Notify: promise.RoleSupervisor}},
		Application: rules.Application{
			Kind: rules.Return, Reason: rules.NoReason, Source: rules.FromAgent,
			Order: rules.Order{Number: "O-" + id.String(), Paid: 100_00, Currency: "CNY", DeliveredAt: time.Now().Add(-24 * time.Hour)},
		},
	}
	for _, m := range modify {
		m(&in)
	}
	for range 2 {
		b.Insist(func(ctx context.Context, u *store.Unit) error {
			_, _, err := u.OpenAfterSales(ctx, in, store.Taking{Step: "open", Actor: "an"})
			return err
		})
	}
	return in
}

// act does something to a case as a desk does, twice.
func (b *brand) act(id string, action rules.Action, modify ...func(*rules.Act)) {
	b.T.Helper()
	act := rules.Act{ID: string(action), By: "an", Action: action, Note: "因为", Tracking: "SF1", Reference: "R1"}
	for _, m := range modify {
		m(&act)
	}
	for range 2 {
		b.Insist(func(ctx context.Context, u *store.Unit) error {
			_, _, err := u.ActOnAfterSales(ctx, id, act, people{}.GroupAgents)
			return err
		})
	}
}

// ended waits until the workflow has ended.
func (b *brand) ended(id string) (status promise.AfterSalesStatus) {
	b.T.Helper()
	b.Result(id, &status)
	return status
}

// steps are those of the case's history that begin so, sorted.
func (b *brand) steps(id string, prefixes ...string) []string {
	b.T.Helper()
	steps, err := b.Steps(b.T.Context(), id)
	if err != nil {
		b.T.Fatal(err)
	}
	slices.Sort(steps)
	return slices.DeleteFunc(steps, func(step string) bool {
		return !slices.ContainsFunc(prefixes, func(prefix string) bool { return strings.HasPrefix(step, prefix) })
	})
}

// await waits until the case is as it should be.
func (b *brand) await(id, what string, condition func(c rules.Case) bool) rules.Case {
	b.T.Helper()
	return workflowtest.Await(b.Brand, "the case to be "+what, func(ctx context.Context) (rules.Case, error) {
		row, err := b.Store.Queries().CaseGet(ctx, id)
		if err != nil {
			return rules.Case{}, err
		}
		return store.AfterSalesOf(store.CaseView(row))
	}, condition)
}

// awaitStep waits until the case is in a state and its process knows until when.
func (b *brand) awaitStep(id string, state rules.State) rules.Case {
	b.T.Helper()
	return b.await(id, string(state), func(c rules.Case) bool {
		return c.State == state && (state.Ended() || !c.Now().Due.IsZero())
	})
}
