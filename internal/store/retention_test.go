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
	"github.com/yingda-dev/yingda/internal/store/db"
)

// past is a conversation that ended, with a picture that the customer sent in it.
func past(t *testing.T, s *store.Store, customer string, closedAt time.Time) uuid.UUID {
	t.Helper()
	id := queued(t, s, "after-sales", customer, closedAt.Add(-time.Hour), 0)
	file := uuid.Must(uuid.NewV7())
	if err := s.Queries().EnsurePartitions(t.Context(), closedAt); err != nil {
		t.Fatal(err)
	}
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
			VALUES (gen_random_uuid(), $1, 'shop', $2, 'inbound', 'customer', jsonb_build_object('media', jsonb_build_object('id', $3::uuid)), $4, $4)`,
			[]any{id, customer, file, closedAt},
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

// sentIn is the file that the customer sent in a conversation.
func sentIn(t *testing.T, s *store.Store, conversation uuid.UUID) (file string) {
	t.Helper()
	if err := s.Pool().QueryRow(t.Context(), `SELECT content -> 'media' ->> 'id' FROM message WHERE conversation_id = $1`, conversation).Scan(&file); err != nil {
		t.Fatal(err)
	}
	return file
}

// keepsFile keeps a file that nothing refers to.
func keepsFile(t *testing.T, s *store.Store, at time.Time) (file string) {
	t.Helper()
	file = uuid.NewString()
	if _, err := s.Pool().Exec(t.Context(), `INSERT INTO media (id, channel, state, data, created_at) VALUES ($1, 'shop', 'stored', 'x', $2)`, file, at); err != nil {
		t.Fatal(err)
	}
	return file
}

// opensAfterSales opens an after-sales case with that evidence, which has ended unless closedAt is nil.
func opensAfterSales(t *testing.T, s *store.Store, conversation *uuid.UUID, closedAt *time.Time, evidence string) {
	t.Helper()
	err := s.Do(t.Context(), scope(), func(ctx context.Context, u *store.Unit) error {
		_, _, err := u.OpenCase(ctx, store.Case{
			ID: "after-sales/1", Kind: promise.CaseAfterSales, State: "review", Conversation: conversation, Channel: "shop", Customer: "o", OpenedAt: u.Now, ClosedAt: closedAt,
			Detail: json.RawMessage(`{"application":{"evidence":` + evidence + `}}`),
		}, store.Taking{Step: "apply"})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// erases lets go of what ended before; those files are left.
func erases(t *testing.T, s *store.Store, before time.Time, want ...string) {
	t.Helper()
	if err := s.Erase(t.Context(), before); err != nil {
		t.Fatal(err)
	}
	var left []string
	if err := s.Pool().QueryRow(t.Context(), `SELECT array_agg(id::text) FROM media`).Scan(&left); err != nil {
		t.Fatal(err)
	}
	slices.Sort(left)
	slices.Sort(want)
	if diff := cmp.Diff(want, left, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("files that are left of what ended before %s (-want +got):\n%s", before, diff)
	}
}

func fromMessage(file string) string {
	return `{"message":"` + uuid.NewString() + `","media":"` + file + `"}`
}

func TestEvidenceStaysAsLongAsTheConversationOfItsCase(t *testing.T) {
	s := open(t)
	before := scope().Now.AddDate(-1, 0, 0)
	closedAt := before.Add(time.Hour)
	old, young := past(t, s, "o", before.Add(-time.Hour)), past(t, s, "o", closedAt)
	past(t, s, "o-other", before.Add(-time.Hour))
	// With a form, customers hand something in after their conversation ended, too.
	shown, other, form := sentIn(t, s, old), sentIn(t, s, young), keepsFile(t, s, scope().Now)
	opensAfterSales(t, s, &young, &closedAt, `[`+fromMessage(shown)+`,{"media":"`+form+`"},{"message":"`+uuid.NewString()+`"}]`)
	erases(t, s, before, shown, other, form)
	erases(t, s, closedAt.Add(time.Hour))
}

func TestEvidenceOfAProvidersCaseStaysUntilTheCaseGoes(t *testing.T) {
	s := open(t)
	before := scope().Now.AddDate(-1, 0, 0)
	shown, form := sentIn(t, s, past(t, s, "o", before.Add(-time.Hour))), keepsFile(t, s, scope().Now)
	opensAfterSales(t, s, nil, nil, `[`+fromMessage(shown)+`,{"media":"`+form+`"}]`)
	erases(t, s, before, shown, form)
	closedAt := before.Add(time.Hour)
	if _, err := s.Pool().Exec(t.Context(), `UPDATE service_case SET closed_at = $1`, closedAt); err != nil {
		t.Fatal(err)
	}
	erases(t, s, before, shown, form)
	erases(t, s, closedAt.Add(time.Hour))
}

func TestFilesThatNothingRefersToAreErasedWhenTheyAreOld(t *testing.T) {
	s := open(t)
	before := scope().Now.AddDate(-1, 0, 0)
	keepsFile(t, s, before.Add(-time.Hour))
	young := keepsFile(t, s, before.Add(time.Hour))
	owed := past(t, s, "o", before.Add(-time.Hour))
	opensAfterSales(t, s, &owed, nil, `[]`)
	erases(t, s, before, sentIn(t, s, owed), young)
}

func TestAFileThatIsSentAgainStaysAsLongAsAnyConversationThatHoldsIt(t *testing.T) {
	s := open(t)
	before := scope().Now.AddDate(-1, 0, 0)
	old, young := past(t, s, "o-old", before.Add(-time.Hour)), past(t, s, "o-young", before.Add(time.Hour))
	other, picture := sentIn(t, s, young), uuid.New()
	if _, err := s.Queries().UploadAdd(t.Context(), db.UploadAddParams{ID: picture, Owner: "agent/mei", ContentType: "image/png", Data: []byte("x"), At: before.AddDate(0, -2, 0), MostBytes: 1}); err != nil {
		t.Fatal(err)
	}
	for _, sent := range []struct {
		in uuid.UUID
		at time.Time
	}{{old, before.AddDate(0, -1, 0)}, {young, before.Add(time.Hour)}} {
		if _, err := s.Queries().UploadBind(t.Context(), "shop", sent.at, picture, "agent/mei"); err != nil {
			t.Fatal(err)
		}
		_, err := s.Pool().Exec(t.Context(), `UPDATE message SET content = jsonb_build_object('media', jsonb_build_object('id', $2::uuid)) WHERE conversation_id = $1`, sent.in, picture)
		if err != nil {
			t.Fatal(err)
		}
	}
	erases(t, s, before, picture.String(), other)
	erases(t, s, before.Add(2*time.Hour))
}
