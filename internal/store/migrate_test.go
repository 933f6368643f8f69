package store_test

import (
	"context"
	"database/sql"
	"os"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	_ "github.com/jackc/pgx/v5/stdlib" // The driver of the migrations of before.
	"github.com/pressly/goose/v3"

	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/testenv"
)

// connect opens a session of somebody else.
func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
	return conn
}

func exec(t *testing.T, conn *pgx.Conn, statements ...string) {
	t.Helper()
	for _, statement := range statements {
		if _, err := conn.Exec(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

// cutShort leaves an index of conversations as a setup does that ends while it makes it: somebody is at the table, so that the
// making waits, and is ended.
func cutShort(t *testing.T, url, index, columns string) {
	t.Helper()
	writer, maker := connect(t, url), connect(t, url)
	exec(t, maker, "DROP INDEX IF EXISTS "+index, "SET statement_timeout = '100ms'")
	exec(t, writer, "BEGIN", "LOCK TABLE conversation IN ROW EXCLUSIVE MODE")
	if _, err := maker.Exec(t.Context(), "CREATE INDEX CONCURRENTLY "+index+" ON conversation "+columns); err == nil {
		t.Fatal("the making of the index was not cut short")
	}
	exec(t, writer, "ROLLBACK")
	if isValid(t, maker, index) {
		t.Fatal("the index is valid")
	}
}

func isValid(t *testing.T, conn *pgx.Conn, index string) (valid bool) {
	t.Helper()
	if err := conn.QueryRow(t.Context(), "SELECT indisvalid FROM pg_index WHERE indexrelid = $1::regclass", index).Scan(&valid); err != nil {
		t.Fatal(err)
	}
	return valid
}

// upTo migrates as a version did whose last migration that was.
func upTo(t *testing.T, url string, version int64) {
	t.Helper()
	database, err := sql.Open("pgx", url)
	if err != nil {
		t.Fatal(err)
	}
	defer database.Close()
	provider, err := goose.NewProvider(goose.DialectPostgres, database, os.DirFS("migrations"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := provider.UpTo(t.Context(), version); err != nil {
		t.Fatal(err)
	}
}

func TestAMigrationLetsNobodyWaitBehindIt(t *testing.T) {
	url := testenv.Database(t, nil)
	upTo(t, url, 8)
	reader, desk := connect(t, url), connect(t, url)
	exec(t, reader, "BEGIN", "SELECT count(*) FROM conversation") // A dump, for example.
	failed := make(chan error, 1)
	started := time.Now()
	go func() { failed <- store.Migrate(t.Context(), url, "") }()
	// The migration waits for the reader, and the desk behind the migration.
	exec(t, desk, "SET statement_timeout = '10s'")
	for {
		exec(t, desk, "SELECT count(*) FROM conversation")
		select {
		case err := <-failed:
			if !store.IsLocked(err) {
				t.Fatalf("migrating fails of %v, want it to say that somebody holds the table", err)
			}
			if took := time.Since(started); took > 10*time.Second {
				t.Errorf("it took %s to say so", took)
			}
			exec(t, reader, "COMMIT")
			if err := store.Migrate(t.Context(), url, ""); err != nil {
				t.Fatalf("migrating once the table is free: %v", err)
			}
			return
		default:
		}
	}
}

func TestAnIndexWaitsForWhoeverIsAtTheTable(t *testing.T) {
	url := testenv.Database(t, nil)
	upTo(t, url, 7)
	writer := connect(t, url)
	exec(t, writer, "BEGIN", "LOCK TABLE conversation IN ROW EXCLUSIVE MODE")
	migrated := make(chan error, 1)
	go func() { migrated <- store.Migrate(t.Context(), url, "") }()
	watcher := connect(t, url)
	opened, err := store.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close()
	for patience := time.Now().Add(30 * time.Second); ; {
		var waited bool
		err := watcher.QueryRow(t.Context(), "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE query LIKE '%INDEX CONCURRENTLY%' AND pid <> pg_backend_pid() AND now() - query_start > interval '3s')").Scan(&waited)
		if err != nil {
			t.Fatal(err)
		}
		if waited {
			break
		}
		if time.Now().After(patience) {
			t.Fatal("no index is made")
		}
		select {
		case err := <-migrated:
			t.Fatalf("the index did not wait: %v", err)
		case <-time.After(50 * time.Millisecond):
		}
	}
	const want = "the index conversation_unanswered of conversation (waiting for writers before build)"
	if said, err := opened.Building(t.Context()); err != nil || said != want {
		t.Errorf("it says %q, want %q (%v)", said, want, err)
	}
	exec(t, writer, "ROLLBACK")
	if err := <-migrated; err != nil {
		t.Fatal(err)
	}
	if said, err := opened.Building(t.Context()); err != nil || said != "" {
		t.Errorf("once all are made it says %q (%v)", said, err)
	}
}

func TestAnIndexWhoseMakingWasCutShortIsNotTakenForMade(t *testing.T) {
	const index, columns = "conversation_taken", "(skill_group, assigned_at) WHERE assigned_at IS NOT NULL"
	for sentence, before := range map[string]func(t *testing.T, url string){
		"by the migration that goes on": func(t *testing.T, url string) {
			t.Helper()
			upTo(t, url, 7)
		},
		"nor where an earlier version did": func(t *testing.T, url string) {
			t.Helper()
			upTo(t, url, 8)
		},
		"nor where nothing is left to migrate": func(t *testing.T, url string) {
			t.Helper()
			if err := migrate(t.Context(), url); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(sentence, func(t *testing.T) {
			url := testenv.Database(t, nil)
			before(t, url)
			cutShort(t, url, index, columns)
			if err := migrate(t.Context(), url); err != nil {
				t.Fatal(err)
			}
			if !isValid(t, connect(t, url), index) {
				t.Error("the index is of no use to anybody")
			}
		})
	}
}
