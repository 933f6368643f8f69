package store_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/yingda-dev/yingda/internal/domain/history"
	"github.com/yingda-dev/yingda/internal/promise"
	"github.com/yingda-dev/yingda/internal/store"
)

func TestAStepOfACaseIsTakenOnce(t *testing.T) {
	s := open(t)
	conversation := queued(t, s, "after-sales", "o-1", scope().Now, 0)
	due := scope().Now.Add(time.Hour)
	const id = "after-sales/lumi/lumi/1"
	opening := func(ctx context.Context, u *store.Unit) (store.Case, bool, error) {
		return u.OpenCase(ctx, store.Case{
			ID: id, Kind: promise.CaseAfterSales, State: "applied", Conversation: &conversation, Channel: "shop", Customer: "o-1",
			OpenedAt: u.Now, Due: &due,
		}, store.Taking{Step: "apply", Actor: "customer"})
	}
	approving := func(ctx context.Context, u *store.Unit) (store.Case, bool, error) {
		return u.ChangeCase(ctx, id, store.Taking{Step: "review", Actor: "xiaomei", Tell: []string{"laozhang"}}, func(c *store.Case) error {
			c.State, c.Owner, c.Due = "approved", "xiaomei", nil
			return nil
		})
	}
	refusing := func(ctx context.Context, u *store.Unit) (store.Case, bool, error) {
		return u.ChangeCase(ctx, id, store.Taking{Step: "refuse"}, func(*store.Case) error { return errors.ErrUnsupported })
	}
	for _, step := range []struct {
		name      string
		take      func(context.Context, *store.Unit) (store.Case, bool, error)
		fresh     bool
		err       error
		wantState string
	}{
		{"it is opened", opening, true, nil, "applied"},
		{"opened again it stays as it is", opening, false, nil, "applied"},
		{"it is approved", approving, true, nil, "approved"},
		{"approved again nothing changes", approving, false, nil, "approved"},
		{"opened once more it stays approved", opening, false, nil, "approved"},
		{"a change that is refused leaves no trace", refusing, false, errors.ErrUnsupported, "approved"},
	} {
		t.Run(step.name, func(t *testing.T) {
			var now store.Case
			var fresh bool
			err := s.Do(t.Context(), scope(), func(ctx context.Context, u *store.Unit) error {
				var err error
				now, fresh, err = step.take(ctx, u)
				return err
			})
			if !errors.Is(err, step.err) || fresh != step.fresh || now.State != step.wantState {
				t.Errorf("state %q, fresh %t, error %v; want %q, %t, %v", now.State, fresh, err, step.wantState, step.fresh, step.err)
			}
		})
	}
	events, err := s.Queries().CaseEvents(t.Context(), id, 10)
	if err != nil {
		t.Fatal(err)
	}
	var took []string
	for _, e := range events {
		took = append(took, e.Step+" by "+e.Actor+": "+e.State)
	}
	if diff := cmp.Diff([]string{"apply by customer: applied", "review by xiaomei: approved"}, took); diff != "" {
		t.Errorf("history (-want +got):\n%s", diff)
	}
	if newest, err := s.Queries().CaseEvents(t.Context(), id, 1); err != nil || len(newest) != 1 || newest[0].Step != "review" {
		t.Errorf("the newest event is %+v, error %v", newest, err)
	}
}

func TestACaseThatDoesNotExistIsNotChanged(t *testing.T) {
	s := open(t)
	err := s.Do(t.Context(), scope(), func(ctx context.Context, u *store.Unit) error {
		_, _, err := u.ChangeCase(ctx, "nothing", store.Taking{Step: "review"}, func(*store.Case) error { return nil })
		return err
	})
	if !errors.Is(err, pgx.ErrNoRows) {
		t.Errorf("error %v, want pgx.ErrNoRows", err)
	}
}

func TestTheNewsOfACaseSayWhatHappened(t *testing.T) {
	s := open(t)
	const id = "promise/lumi/lumi/1"
	for _, change := range []store.Taking{
		{Step: "remind", Action: history.Remind},
		{Step: "breach", Action: history.Breach},
		{Step: "act/desk/1", Action: "postpone", Actor: "laozhang"},
		{Step: "breach/1", Action: history.Breach},
		{Step: "escalate/1/1", Said: func() (history.Action, string) { return history.Escalate, "" }},
	} {
		err := s.Do(t.Context(), scope(), func(ctx context.Context, u *store.Unit) error {
			_, _, err := u.OpenCase(ctx, store.Case{ID: id, Kind: promise.CasePromise, State: "open", Owner: "xiaomei", OpenedAt: u.Now},
				store.Taking{Step: "open", Action: history.Open, Actor: "xiaomei"})
			if err != nil {
				return err
			}
			_, _, err = u.NoteCase(ctx, id, change)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	frames, err := s.Queries().FramesAfter(t.Context(), "xiaomei", 0, 10)
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	for _, frame := range frames {
		var news store.CaseNews
		if err := json.Unmarshal(frame.Payload, &news); err != nil {
			t.Fatal(err)
		}
		told = append(told, fmt.Sprintf("%d %s: %s by %q", news.Revision, news.Owner, news.Action, news.Actor))
	}
	want := []string{
		`1 xiaomei: open by "xiaomei"`, `2 xiaomei: remind by ""`, `3 xiaomei: breach by ""`, `4 xiaomei: postpone by "laozhang"`, `5 xiaomei: breach by ""`,
		`6 xiaomei: escalate by ""`,
	}
	if diff := cmp.Diff(want, told); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
}
