package workflowserver

import (
	"context"
	"fmt"
	"net"
	"net/url"

	"github.com/jackc/pgx/v5"
	"go.temporal.io/server/common/config"
	_ "go.temporal.io/server/common/persistence/sql/sqlplugin/postgresql" // The plugin named below.
	sqltool "go.temporal.io/server/tools/sql"
)

const (
	postgresPlugin = "postgres12_pgx"
	// postgresShards are those of a small cluster; the number can never change for a database. A shard writes one thing at a time,
	// so that there have to be about as many as connections.
	postgresShards = 16
)

// preparePostgres makes the two databases of Temporal on a PostgreSQL server where they are missing, and describes them. Their
// schema is that of Temporal's own tool.
func preparePostgres(ctx context.Context, superuserURL string) (history, visibility *config.SQL, err error) {
	if history, err = ensurePostgres(ctx, superuserURL, "temporal"); err != nil {
		return nil, nil, err
	}
	if visibility, err = ensurePostgres(ctx, superuserURL, "visibility"); err != nil {
		return nil, nil, err
	}
	return history, visibility, nil
}

// ensurePostgres makes the database temporal_<schema> with that schema.
func ensurePostgres(ctx context.Context, superuserURL, schema string) (*config.SQL, error) {
	server, err := url.Parse(superuserURL)
	if err != nil || server.Hostname() == "" {
		// The error would quote the password.
		return nil, fmt.Errorf("reading the URL of PostgreSQL: write it as postgres://user:password@host:port/database")
	}
	connection, err := pgx.Connect(ctx, superuserURL)
	if err != nil {
		return nil, fmt.Errorf("connecting to PostgreSQL: %w", err)
	}
	defer func() { _ = connection.Close(context.WithoutCancel(ctx)) }()
	database := "temporal_" + schema
	var exists bool
	if err := connection.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", database).Scan(&exists); err != nil {
		return nil, fmt.Errorf("looking for the database %s: %w", database, err)
	}
	password, _ := server.User.Password()
	store := &config.SQL{
		PluginName: postgresPlugin, DatabaseName: database, User: server.User.Username(), Password: password,
		ConnectProtocol: "tcp", ConnectAddr: net.JoinHostPort(server.Hostname(), server.Port()), MaxConns: 20, MaxIdleConns: 20,
	}
	if exists {
		return store, nil
	}
	if _, err := connection.Exec(ctx, "CREATE DATABASE "+pgx.Identifier{database}.Sanitize()); err != nil {
		return nil, fmt.Errorf("making the database %s: %w", database, err)
	}
	tool := []string{
		"temporal-sql-tool", "--plugin", postgresPlugin, "--endpoint", server.Hostname(), "--port", server.Port(),
		"--user", store.User, "--password", store.Password, "--database", database,
	}
	for _, step := range [][]string{
		{"setup-schema", "--version", "0.0"},
		{"update-schema", "--schema-name", "postgresql/v12/" + schema},
	} {
		if err := sqltool.RunTool(append(tool, step...)); err != nil {
			return nil, fmt.Errorf("making the schema of %s: %w", database, err)
		}
	}
	return store, nil
}
