package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"regexp"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3/lock"
)

// lockTimeout is how long a migration waits for a table: as long as it does, all who come after it wait behind it, and what
// holds the table may take an hour.
const lockTimeout = "1s"

// concurrently finds statements that stand in nobody's way, and so may wait for as long as it takes for whoever is at the table.
// They name an index.
var concurrently = regexp.MustCompile(`(?i)\b(CREATE|CREATE UNIQUE|DROP|REINDEX) INDEX CONCURRENTLY (?:IF (?:NOT )?EXISTS )?"?(\w+)`)

// careful makes the connections of migrations, which run while routers and desks do.
type careful struct{ driver.Connector }

// Connect is what database/sql calls.
func (c careful) Connect(ctx context.Context) (driver.Conn, error) {
	opened, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err //nolint:wrapcheck // database/sql looks at what it is.
	}
	conn, ok := opened.(*stdlib.Conn)
	if !ok {
		return nil, fmt.Errorf("opening a connection for migrations: it is a %T", opened)
	}
	return carefulConn{conn}, nil
}

type carefulConn struct{ *stdlib.Conn }

// ExecContext runs a statement of a migration. An index whose making was cut short stays, is of no use to anybody, and is taken for
// made by IF NOT EXISTS: it is removed before it is made.
func (c carefulConn) ExecContext(ctx context.Context, statement string, args []driver.NamedValue) (driver.Result, error) {
	found := concurrently.FindStringSubmatch(statement)
	if found == nil {
		return c.Conn.ExecContext(ctx, statement, args)
	}
	pg := c.Conn.Conn()
	if _, err := pg.Exec(ctx, "SET lock_timeout = 0"); err != nil {
		return nil, fmt.Errorf("letting an index wait: %w", err)
	}
	defer func() { _, _ = pg.Exec(ctx, "SET lock_timeout = '"+lockTimeout+"'") }() // It fails with the connection alone.
	if strings.HasPrefix(strings.ToUpper(found[1]), "CREATE") {
		if err := dropInvalid(ctx, pg, found[2]); err != nil {
			return nil, err
		}
	}
	return c.Conn.ExecContext(ctx, statement, args)
}

func dropInvalid(ctx context.Context, pg *pgx.Conn, index string) error {
	var invalid bool
	err := pg.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_index WHERE indexrelid = to_regclass($1) AND NOT indisvalid)", index).Scan(&invalid)
	if err != nil {
		return fmt.Errorf("looking for an index whose making was cut short: %w", err)
	}
	if !invalid {
		return nil
	}
	if _, err := pg.Exec(ctx, "DROP INDEX CONCURRENTLY "+pgx.Identifier{index}.Sanitize()); err != nil {
		return fmt.Errorf("removing an index whose making was cut short: %w", err)
	}
	return nil
}

// invalidIndexes are those that were not made to their end and that nobody is making.
const invalidIndexes = `SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
	WHERE NOT i.indisvalid AND c.relkind = 'i' AND c.relnamespace = current_schema()::regnamespace
	  AND NOT EXISTS (SELECT FROM pg_stat_progress_create_index p WHERE p.index_relid = i.indexrelid) ORDER BY c.relname`

// mend makes anew what an earlier version took for made. What the making anew leaves when it is cut short, Postgres names
// <index>_ccnew or <index>_ccold.
func mend(ctx context.Context, sqlDB *sql.DB) (err error) {
	if broken, err := names(ctx, sqlDB, invalidIndexes); err != nil || len(broken) == 0 {
		return err
	}
	locker, err := lock.NewPostgresSessionLocker()
	if err != nil {
		return fmt.Errorf("making the migration lock: %w", err)
	}
	conn, err := sqlDB.Conn(ctx)
	if err != nil {
		return fmt.Errorf("opening a connection: %w", err)
	}
	defer func() { _ = conn.Close() }()
	if err := locker.SessionLock(ctx, conn); err != nil {
		return fmt.Errorf("waiting for another migration: %w", err)
	}
	defer func() { _ = locker.SessionUnlock(context.WithoutCancel(ctx), conn) }() // The lock ends with the connection.
	broken, err := names(ctx, conn, invalidIndexes)
	for _, index := range broken {
		remedy := "REINDEX INDEX CONCURRENTLY "
		if strings.Contains(index, "_ccnew") || strings.Contains(index, "_ccold") {
			remedy = "DROP INDEX CONCURRENTLY "
		}
		if _, err := conn.ExecContext(ctx, remedy+pgx.Identifier{index}.Sanitize()); err != nil {
			return fmt.Errorf("making the index %s anew: %w", index, err)
		}
	}
	return err
}

func names(ctx context.Context, from interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}, query string,
) (found []string, err error) {
	rows, err := from.QueryContext(ctx, query)
	if err != nil {
		return nil, fmt.Errorf("looking for indexes whose making was cut short: %w", err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, fmt.Errorf("looking for indexes whose making was cut short: %w", err)
		}
		found = append(found, name)
	}
	return found, rows.Err()
}
