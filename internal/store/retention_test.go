package store_test

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/uuid"

	"github.com/yingda-dev/yingda/internal/promise"
	"github.com/yingda-dev/yingda/internal/store"
)

// past is a conversation that ended, with a picture that the customer sent in it.
func past(t *testing.T, s *store.Store, customer string, closedAt time.Time) uuid.UUID {
	t.Helper()
	id := queued(t, s, "after-sales", customer, closedAt.Add(-time.Hour), 0)
	file := uuid.Must(uuid.NewV7())
	for _, statement := range []struct {
		sql  string
		args []any
	}{
		{`UPDATE conversation SET state = 'closed', closed_at = $2 WHERE id = $1`, []any{id, closedAt}},
		{`INSERT INTO contact (channel, external_id, customer_id, first_seen, last_seen)
			SELECT channel, external_id, customer_id, $2, $2 FROM conversation WHERE id = $1 ON CONFLICT DO NOTHING`, []any{id, closedAt}},
		{`INSERT INTO person (union_id, customer_id) SELECT external_id, customer_id FROM conversation WHERE id = $1 ON CONFLICT DO NOTHING`, []any{id}},
		{`INSERT INTO media (id, channel, state, data, created_at) VALUES ($1, 'shop', 'stored', 'x', $2)`, []any{file, closedAt}},
		{
			`INSERT INTO message (id, conversation_id, channel, external_id, direction, sender, content, sent_at, received_at)
			VALUES (gen_random_uuid(), $1, 'shop', $2, 'inbound', 'customer', jsonb_build_object('media', jsonb_build_object('id', $3::uuid)), now(), now())`,
			[]any{id, customer, file},
		},
	} {
		if _, err := s.Pool().Exec(t.Context(), statement.sql, statement.args...); err != nil {
			t.Fatal(err)
		}
	}
	return id
}

func TestWhatIsOlderThanTheBrandKeepsItIsErased(t *testing.T) {
	s := open(t)
	before := scope().Now.AddDate(-1, 0, 0)
	past(t, s, "o-old", before.Add(-time.Hour))
	past(t, s, "o-young", before.Add(time.Hour))
	owed := past(t, s, "o-owed", before.Add(-time.Hour))
	err := s.Do(t.Context(), scope(), func(ctx context.Context, u *store.Unit) error {
		_, _, err := u.OpenCase(ctx, store.Case{
			ID: "promise/1", Kind: promise.CasePromise, State: "open", Conversation: &owed, OpenedAt: u.Now,
		}, store.Taking{Step: "promise"})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for id, closedAt := range map[string]time.Time{
		"afterSales/old": before.Add(-time.Hour), "afterSales/young": before.Add(time.Hour), "complaint/old": before.Add(-time.Hour), "complaint/young": before.Add(time.Hour),
		"shipping/old": before.Add(-time.Hour), "shipping/young": before.Add(time.Hour),
	} {
		name, _, _ := strings.Cut(id, "/")
		kind := promise.CaseKind(name)
		err := s.Do(t.Context(), scope(), func(ctx context.Context, u *store.Unit) error {
			_, _, err := u.OpenCase(ctx, store.Case{
				ID: id, Kind: kind, State: "done", OpenedAt: closedAt, ClosedAt: &closedAt,
			}, store.Taking{Step: "open"})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Erase(t.Context(), before); err != nil {
		t.Fatal(err)
	}
	for table, column := range map[string]string{"conversation": "external_id", "message": "external_id", "contact": "external_id", "person": "union_id"} {
		var left []string
		if err := s.Pool().QueryRow(t.Context(), `SELECT array_agg(`+column+` ORDER BY `+column+`) FROM `+table).Scan(&left); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"o-owed", "o-young"}, left); diff != "" {
			t.Errorf("whose rows are left in %s (-want +got):\n%s", table, diff)
		}
	}
	var cases []string
	if err := s.Pool().QueryRow(t.Context(), `SELECT array_agg(id ORDER BY id) FROM service_case`).Scan(&cases); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"afterSales/young", "complaint/young", "promise/1", "shipping/young"}, cases); diff != "" {
		t.Errorf("cases that are left (-want +got):\n%s", diff)
	}
	var files int
	if err := s.Pool().QueryRow(t.Context(), `SELECT count(*) FROM media`).Scan(&files); err != nil || files != 2 {
		t.Errorf("%d files are left (%v), want 2", files, err)
	}
}

func TestEvidenceStaysAsLongAsTheConversationOfItsCase(t *testing.T) {
	s := open(t)
	before := scope().Now.AddDate(-1, 0, 0)
	closedAt := before.Add(time.Hour)
	old, young := past(t, s, "o", before.Add(-time.Hour)), past(t, s, "o", closedAt)
	past(t, s, "o-other", before.Add(-time.Hour))
	sentIn := func(conversation uuid.UUID) (file string) {
		if err := s.Pool().QueryRow(t.Context(), `SELECT content -> 'media' ->> 'id' FROM message WHERE conversation_id = $1`, conversation).Scan(&file); err != nil {
			t.Fatal(err)
		}
		return file
	}
	shown, other, form := sentIn(old), sentIn(young), uuid.NewString()
	if _, err := s.Pool().Exec(t.Context(), `INSERT INTO media (id, channel, state, data, created_at) VALUES ($1, 'shop', 'stored', 'x', $2)`, form, closedAt); err != nil {
		t.Fatal(err)
	}
	err := s.Do(t.Context(), scope(), func(ctx context.Context, u *store.Unit) error {
		_, _, err := u.OpenCase(ctx, store.Case{
			ID: "after-sales/1", Kind: promise.CaseAfterSales, State: "done", Conversation: &young, Channel: "shop", Customer: "o", OpenedAt: closedAt, ClosedAt: &closedAt,
			Detail: json.RawMessage(`{"application":{"evidence":[{"media":"` + shown + `"},{"media":"` + form + `"},{"message":"` + uuid.NewString() + `"}]}}`),
		}, store.Taking{Step: "apply"})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, erased := range []struct {
		before time.Time
		left   []string
	}{{before, []string{shown, other, form}}, {closedAt.Add(time.Hour), nil}} {
		if err := s.Erase(t.Context(), erased.before); err != nil {
			t.Fatal(err)
		}
		var left []string
		if err := s.Pool().QueryRow(t.Context(), `SELECT array_agg(id::text) FROM media`).Scan(&left); err != nil {
			t.Fatal(err)
		}
		slices.Sort(left)
		slices.Sort(erased.left)
		if diff := cmp.Diff(erased.left, left, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("files that are left of what ended after %s (-want +got):\n%s", erased.before, diff)
		}
	}
}
