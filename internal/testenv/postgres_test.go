package testenv_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/yingda-dev/yingda/internal/testenv"
)

// migrate stands for a product's migrations: tables, and what the connector may do with them.
func migrate(ctx context.Context, url string) error {
	connection, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	_, err = connection.Exec(ctx, `CREATE TABLE customers (name text); CREATE TABLE secrets (name text);
		GRANT SELECT, INSERT ON customers TO `+testenv.ConnectorRole)
	return errors.Join(err, connection.Close(ctx))
}

func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	connection, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		// A server that the test has killed leaves nothing to close.
		_ = connection.Close(context.WithoutCancel(t.Context()))
	})
	return connection
}

func countCustomers(t *testing.T, connection *pgx.Conn) (rows int) {
	t.Helper()
	if err := connection.QueryRow(t.Context(), "SELECT count(*) FROM customers").Scan(&rows); err != nil {
		t.Fatal(err)
	}
	return rows
}

func execute(t *testing.T, connection *pgx.Conn, statement string) {
	t.Helper()
	if _, err := connection.Exec(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
}

func TestPostgresKeepsCommittedRowsOverACrash(t *testing.T) {
	server := testenv.NewServer(t, testenv.StartPostgres)
	before := connect(t, server.URL())
	execute(t, before, "CREATE TABLE customers (name text)")
	execute(t, before, "INSERT INTO customers VALUES ('one')")
	kill(t, server)
	restart(t, server)
	if got := countCustomers(t, connect(t, server.URL())); got != 1 {
		t.Errorf("rows after the crash: got %d, want 1", got)
	}
}

func TestEachTestHasAMigratedDatabaseOfItsOwn(t *testing.T) {
	first, second := connect(t, testenv.Database(t, migrate)), connect(t, testenv.Database(t, migrate))
	execute(t, first, "INSERT INTO customers VALUES ('one')")
	if got := countCustomers(t, first); got != 1 {
		t.Errorf("rows in the first database: got %d, want 1", got)
	}
	if got := countCustomers(t, second); got != 0 {
		t.Errorf("rows in the second database: got %d, want 0", got)
	}
}

func TestTheConnectorRoleHasWhatTheMigrationsGrant(t *testing.T) {
	connector := connect(t, testenv.ConnectorURL(t, testenv.Database(t, migrate)))
	execute(t, connector, "INSERT INTO customers VALUES ('one')")
	if _, err := connector.Exec(t.Context(), "SELECT FROM secrets"); err == nil || !strings.Contains(err.Error(), "permission denied") {
		t.Errorf("reading a table that was not granted: got %v, want permission denied", err)
	}
}

func TestTheOwnerIsNoSuperuser(t *testing.T) {
	owner := connect(t, testenv.Database(t, nil))
	var isSuperuser string
	if err := owner.QueryRow(t.Context(), "SHOW is_superuser").Scan(&isSuperuser); err != nil {
		t.Fatal(err)
	}
	if isSuperuser != "off" {
		t.Errorf("is_superuser: got %s, want off", isSuperuser)
	}
}

func BenchmarkDatabase(b *testing.B) {
	testenv.Database(b, migrate)
	for b.Loop() {
		testenv.Database(b, migrate)
	}
}
