package complaint

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/yingda-dev/yingda/internal/promise"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/store/db"
	"github.com/yingda-dev/yingda/workers/workflows/workflowtest"
)

// end is what a complaint came to, without times.
type end struct {
	Status  promise.ComplaintStatus
	Row     db.Complaint
	Offers  []promise.Compensation
	Said    []string
	History []string
}

// end waits for it.
func (b *brand) end(in promise.ComplaintInput) end {
	b.T.Helper()
	row := b.await(in.ID, "followed up", func(c db.Complaint) bool { return c.State == "followed_up" })
	e := end{Said: b.Said(in.Conversation)}
	// The acknowledgement, which Said has, and an offer, which Offers has, come beside the ladder: before a rung or after it.
	e.History = slices.DeleteFunc(b.History(in.ID), func(step string) bool {
		return strings.HasPrefix(step, "acknowledge ") || strings.HasPrefix(step, "act/offer ")
	})
	b.Result(in.ID, &e.Status)
	e.Row = db.Complaint{
		State: row.State, Rung: row.Rung, EscalatedTo: row.EscalatedTo, ResolvedBy: row.ResolvedBy, Resolution: row.Resolution, FollowUpOverdue: row.FollowUpOverdue,
	}
	e.Offers = b.offers(in.ID)
	// A signal whose answer is lost is sent again, and ignored.
	e.Status.FollowUpDue, e.Status.IgnoredSignals = time.Time{}, 0
	return e
}

func (b *brand) offers(id string) []promise.Compensation {
	b.T.Helper()
	row := workflowtest.Read(b.Brand, "the case", func(ctx context.Context) (db.ServiceCase, error) { return b.Store.Queries().CaseGet(ctx, id) })
	detail, err := store.ComplaintDetailOf(store.CaseView(row))
	if err != nil {
		b.T.Fatal(err)
	}
	return detail.Compensations
}

// changes has somebody change what was offered, as a desk does.
func (b *brand) changes(id, step, by string, change func(detail *promise.ComplaintDetail)) {
	b.T.Helper()
	b.Insist(func(ctx context.Context, u *store.Unit) error {
		_, _, err := u.ChangeCase(ctx, id, store.Taking{Step: step, Actor: by}, func(c *store.Case) error {
			detail, err := store.ComplaintDetailOf(*c)
			if err != nil {
				return err
			}
			change(&detail)
			return c.SetDetail(detail)
		})
		return err
	})
}

func under(t *testing.T, fault workflowtest.Fault) (*brand, *workflowtest.Faulty) {
	t.Helper()
	f := workflowtest.Under(t, fault)
	return &brand{f.Brand}, f
}

func TestEveryFaultLeadsToTheSameEnd(t *testing.T) {
	t.Parallel()
	workflowtest.EveryFault(t, map[string]func(*testing.T, workflowtest.Fault) end{
		"a complaint that climbs each rung while an offer waits for approval": func(t *testing.T, fault workflowtest.Fault) end {
			t.Helper()
			b, faulty := under(t, fault)
			in := b.complain(b.converse(), promise.Rung{AfterSeconds: 1, Notify: "Supervisor"}, promise.Rung{AfterSeconds: 4, Notify: "Admin"},
				promise.Rung{AfterSeconds: 5, Notify: "Supervisor"})
			b.await(in.ID, "escalated", func(c db.Complaint) bool { return c.Rung >= 1 })
			b.changes(in.ID, "act/offer", "an", func(detail *promise.ComplaintDetail) {
				detail.Compensations = []promise.Compensation{{ID: "offer", Kind: "Gift", Worth: 50_00, State: promise.CompensationWaiting, By: "an"}}
			})
			faulty.Strike(in.StartedAt.Add(4 * time.Second))
			b.await(in.ID, "escalated to the end", func(c db.Complaint) bool { return c.Rung == 3 })
			b.changes(in.ID, "act/approve", "boss", func(detail *promise.ComplaintDetail) {
				detail.Compensations[0].State, detail.Compensations[0].DecidedBy = promise.CompensationApproved, "boss"
			})
			b.Signal(in.ID, promise.SignalResolve, promise.Resolve{By: "an", Resolution: "refunded"})
			b.await(in.ID, "resolved", func(c db.Complaint) bool { return c.State == "resolved" })
			faulty.Strike(time.Now())
			b.Signal(in.ID, promise.SignalFollowedUp, promise.FollowedUp{By: "an"})
			e := b.end(in)
			faulty.WantRetries(in.ID)
			return e
		},
		"a complaint whose customer is asked again too late": func(t *testing.T, fault workflowtest.Fault) end {
			t.Helper()
			b, faulty := under(t, fault)
			conversation := b.converse()
			in := promise.ComplaintInput{
				ID: promise.ComplaintID("shop", "lumi", conversation), Conversation: conversation, Channel: "mini", Customer: "customer",
				SkillGroup: "after-sales", Ladder: []promise.Rung{{AfterSeconds: 3600, Notify: "Supervisor"}}, Acknowledgement: "收到", StartedAt: time.Now(),
			}
			b.starts(in)
			b.await(in.ID, "acknowledged", func(c db.Complaint) bool { return c.AcknowledgedAt != nil })
			faulty.Strike(time.Now())
			b.Signal(in.ID, promise.SignalResolve, promise.Resolve{By: "an", Resolution: "refunded"})
			b.await(in.ID, "overdue", func(c db.Complaint) bool { return c.FollowUpOverdue })
			faulty.Strike(time.Now())
			b.Signal(in.ID, promise.SignalFollowedUp, promise.FollowedUp{By: "an"})
			e := b.end(in)
			faulty.WantRetries(in.ID)
			return e
		},
	})
}
