package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

//go:embed migrations/*.sql
var migrations embed.FS

// lockNotAvailable is the SQLSTATE of a statement that waited for a lock for as long as it may.
const lockNotAvailable = "55P03"

// IsLocked says whether somebody else holds what is to be changed: to try again, after a while, helps.
func IsLocked(err error) bool {
	var pgErr *pgconn.PgError
	return errors.As(err, &pgErr) && pgErr.Code == lockNotAvailable
}

// Migrate brings the schema at url up to this version. Several may run at once: one works, the others wait. A table that somebody
// else holds is an error for which IsLocked is true: nothing is broken, and it is to be tried again. What is done stays done.
// connectorRole, when not empty, is granted what connectors need and nothing else.
func Migrate(ctx context.Context, url, connectorRole string) error {
	sqlDB, provider, err := migrator(url)
	if err != nil {
		return err
	}
	defer sqlDB.Close()
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrating the database: %w", err)
	}
	if err := mend(ctx, sqlDB); err != nil {
		return fmt.Errorf("migrating the database: %w", err)
	}
	if connectorRole == "" {
		return nil
	}
	for _, grant := range connectorGrants(connectorRole) {
		if _, err := sqlDB.ExecContext(ctx, grant); err != nil {
			return fmt.Errorf("granting connectors their tables: %w", err)
		}
	}
	return nil
}

// Drop removes all that Migrate made, and what it holds, unless another Brand than this one, named <namespace>/<name>, has
// claimed it: then it is ErrClaimed.
func Drop(ctx context.Context, url, brand string) error {
	sqlDB, provider, err := migrator(url)
	if err != nil {
		return err
	}
	defer sqlDB.Close()
	if err := mayDrop(ctx, sqlDB, brand); err != nil {
		return err
	}
	if _, err := provider.DownTo(ctx, 0); err != nil {
		return fmt.Errorf("dropping the tables: %w", err)
	}
	if _, err := sqlDB.ExecContext(ctx, "DROP TABLE IF EXISTS "+goose.DefaultTablename); err != nil {
		return fmt.Errorf("dropping the record of migrations: %w", err)
	}
	return nil
}

// migrator is what moves the schema at url; the caller closes the connection.
func migrator(url string) (*sql.DB, *goose.Provider, error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, nil, errors.New("the Postgres connection string cannot be read: write postgres://user:password@host:port/database")
	}
	config.RuntimeParams["lock_timeout"] = lockTimeout
	sqlDB := sql.OpenDB(careful{stdlib.GetConnector(*config)})
	provider, err := newProvider(sqlDB)
	if err != nil {
		_ = sqlDB.Close() // The error of its use says more.
		return nil, nil, err
	}
	return sqlDB, provider, nil
}

func newProvider(sqlDB *sql.DB) (*goose.Provider, error) {
	dir, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, fmt.Errorf("opening the migrations: %w", err)
	}
	locker, err := lock.NewPostgresSessionLocker()
	if err != nil {
		return nil, fmt.Errorf("making the migration lock: %w", err)
	}
	provider, err := goose.NewProvider(goose.DialectPostgres, sqlDB, dir, goose.WithSessionLocker(locker))
	if err != nil {
		return nil, fmt.Errorf("reading the migrations: %w", err)
	}
	return provider, nil
}

// connectorGrants are all rights of a connector's login: deliveries, quota, spool, media, profiles, menus, the refresh guard, and
// replies at once with what decides them.
func connectorGrants(role string) []string {
	name := pgx.Identifier{role}.Sanitize()
	return []string{
		"GRANT USAGE ON SCHEMA public TO " + name,
		"GRANT SELECT, INSERT, UPDATE ON delivery, quota, media, token_refresh, menu TO " + name,
		"GRANT SELECT, UPDATE ON profile TO " + name,
		"GRANT SELECT, INSERT, DELETE ON spool TO " + name,
		// What decides whether the bot may answer at once: of conversations that there is one, of contacts where they came from, of
		// emergencies that there is one.
		"GRANT SELECT (id, channel, external_id, state, topic) ON conversation TO " + name,
		"GRANT SELECT (channel, external_id, session_from) ON contact TO " + name,
		"GRANT SELECT (number, skill_group, ended_at, calm_at) ON emergency TO " + name,
		"GRANT SELECT (consumer, channel, message_id) ON processed TO " + name,
		"GRANT SELECT, INSERT, UPDATE ON passive_reply TO " + name,
	}
}
