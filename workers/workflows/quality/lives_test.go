package quality

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"go.temporal.io/sdk/client"

	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/promise"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/store/db"
	"github.com/yingda-dev/yingda/workers/workflows/workflowtest"
)

// end is what a day came to.
type end struct {
	Result promise.QualitySampleResult
	// Given is how many judgements each reviewer has, Told how often each reviewer's desk was told of one.
	Given, Told map[string]int
	// Judged is how many conversations are judged.
	Judged int
}

func (b *brand) end(workflow string) end {
	b.T.Helper()
	e := end{Given: map[string]int{}, Told: map[string]int{}}
	b.Result(workflow, &e.Result)
	rows := workflowtest.Read(b.Brand, "the judgements", b.given)
	judged := map[uuid.UUID]bool{}
	for _, row := range rows {
		judged[row.QualityReview.ConversationID] = true
		e.Given[row.ServiceCase.Owner]++
	}
	e.Judged = len(judged)
	for _, reviewer := range []string{"sup", "other", "boss"} {
		e.Told[reviewer] = len(workflowtest.News[store.Case](b.Brand, reviewer, message.FrameCase))
	}
	return e
}

func (b *brand) given(ctx context.Context) ([]db.QualityReviewsRow, error) {
	return b.Store.Queries().QualityReviews(ctx, false, "", "", 10_000)
}

// holds keeps a conversation from being given until it is let go.
func (b *brand) holds(conversation uuid.UUID) (letGo func()) {
	b.T.Helper()
	hold, err := b.Store.Pool().Begin(b.T.Context())
	if err != nil {
		b.T.Fatal(err)
	}
	if _, err := hold.Exec(b.T.Context(), "SELECT FROM conversation WHERE id = $1 FOR UPDATE", conversation); err != nil {
		b.T.Fatal(err)
	}
	// Postgres may have been killed, and have let go itself.
	return func() { _ = hold.Rollback(context.WithoutCancel(b.T.Context())) }
}

// TestEveryFaultLeadsToTheSameEnd breaks a part while a day is given out, all of it but one, and wants what comes without any fault.
func TestEveryFaultLeadsToTheSameEnd(t *testing.T) {
	t.Parallel()
	workflowtest.EveryFault(t, map[string]func(*testing.T, workflowtest.Fault) end{
		"a day that is cut before its last conversation": func(t *testing.T, fault workflowtest.Fault) end {
			t.Helper()
			faulty := workflowtest.Under(t, fault)
			b := known(faulty.Brand)
			const conversations = 2*perStep + 20
			last, lastPlace := uuid.Nil, ""
			for i := range conversations {
				id := b.ends(fmt.Sprintf("agent-%d", i%3), yesterday(t))
				if place := placeOf(t, id); place > lastPlace {
					last, lastPlace = id, place
				}
			}
			letGo := b.holds(last)
			if err := b.schedules().Ensure(t.Context(), settings()); err != nil {
				t.Fatal(err)
			}
			handle := b.Client.ScheduleClient().GetHandle(t.Context(), sampleSchedule)
			if err := handle.Trigger(t.Context(), client.ScheduleTriggerOptions{}); err != nil {
				t.Fatal(err)
			}
			workflowtest.Await(b.Brand, "all but one to be given", b.given, func(rows []db.QualityReviewsRow) bool { return len(rows) == conversations-1 })
			started := b.started(handle)
			faulty.Strike(time.Now())
			letGo()
			e := b.end(started)
			faulty.WantRetries(started)
			return e
		},
	})
}
