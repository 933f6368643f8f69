package emergency

import (
	"context"
	"testing"
	"time"

	"github.com/yingda-dev/yingda/internal/promise"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/store/db"
	"github.com/yingda-dev/yingda/workers/workflows/workflowtest"
)

// end is what an emergency came to, without times.
type end struct {
	Status  promise.EmergencyStatus
	Report  promise.EmergencyReport
	History []string
	// News are the states that each desk was told of.
	News map[string][]string
	// Ended and Calm are what routers read of it.
	Ended, Calm bool
}

// end waits for it.
func (b *brand) end(in promise.EmergencyInput) (e end) {
	b.T.Helper()
	b.Result(in.ID, &e.Status)
	// How often it was looked depends on how long that took; a signal whose answer is lost is sent again, and ignored.
	e.Status.Checks, e.Status.IgnoredSignals, e.Status.HeldUntil = 0, 0, time.Time{}
	e.Report, e.History, e.News = *detailOf(b.T, b.await(in.ID, promise.EmergencyClosed)).Report, b.History(in.ID), map[string][]string{}
	e.Report.From, e.Report.Until, e.Report.PeakAt = time.Time{}, time.Time{}, time.Time{}
	for _, agent := range []string{"sup", "boss", "ben"} {
		e.News[agent] = b.news(agent)
	}
	row := workflowtest.Read(b.Brand, "the row", func(ctx context.Context) (db.Emergency, error) {
		return b.Store.Queries().EmergencyGet(ctx, in.Number)
	})
	e.Ended, e.Calm = row.EndedAt != nil, row.CalmAt != nil
	return e
}

func under(t *testing.T, fault workflowtest.Fault) (*brand, *workflowtest.Faulty) {
	t.Helper()
	f := workflowtest.Under(t, fault)
	return known(f.Brand), f
}

// TestEveryFaultLeadsToTheSameEnd breaks a part while an emergency lasts, brings it back when it is to be over, and wants what comes
// without any fault: those concerned called once at each end of it, and one report.
func TestEveryFaultLeadsToTheSameEnd(t *testing.T) {
	t.Parallel()
	workflowtest.EveryFault(t, map[string]func(*testing.T, workflowtest.Fault) end{
		"an emergency that ends when complaints are as usual again": func(t *testing.T, fault workflowtest.Fault) end {
			t.Helper()
			b, faulty := under(t, fault)
			b.complain(10*time.Minute, "after-sales", "after-sales", "after-sales")
			b.complain(50*time.Second, "pre-sales", "after-sales") // It is not calm before these are a minute old.
			in := b.opens(func(in *promise.EmergencyInput) { in.CheckEverySeconds = 4 })
			b.await(in.ID, promise.EmergencyOpen)
			faulty.Strike(in.StartedAt.Add(12 * time.Second))
			e := b.end(in)
			faulty.WantRetries(in.ID)
			return e
		},
		"an emergency that a supervisor holds, and ends": func(t *testing.T, fault workflowtest.Fault) end {
			t.Helper()
			b, faulty := under(t, fault)
			b.complain(time.Minute, "after-sales", "after-sales", "after-sales", "after-sales")
			in := b.opens(func(in *promise.EmergencyInput) { in.CheckEverySeconds = 3600 })
			b.await(in.ID, promise.EmergencyOpen)
			faulty.Strike(time.Now())
			b.Signal(in.ID, promise.SignalEmergencyExtend, promise.EmergencyExtend{By: "sup", Until: time.Now().Add(time.Hour)})
			b.Insist(func(ctx context.Context, u *store.Unit) error { return u.EmergencyEnd(ctx, u.Now, in.Number) })
			b.Signal(in.ID, promise.SignalEmergencyClose, promise.EmergencyClose{By: "sup"})
			faulty.Strike(time.Now())
			e := b.end(in)
			faulty.WantRetries(in.ID)
			return e
		},
	})
}
