package postgres

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"

	"github.com/jackc/pgx/v5"
)

// ConnectorSuffix names the restricted role of a database: its owner's name and this.
const ConnectorSuffix = "_connector"

// Ensure makes a database, its owner role and its connector role where they are missing, and leaves a URL of each in dir:
// <database>.url and <database>_connector.url, mode 0600. Passwords that are there are kept, and set again in the server, so
// the files are the truth. The connector role can connect and nothing more: what it may touch, the schema's migrations grant.
func Ensure(ctx context.Context, superuserURL, database, dir string) (err error) {
	server, err := url.Parse(superuserURL)
	if err != nil {
		return errors.New("reading the superuser's URL: it is not a URL") // Its own error would quote the password.
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("making the directory of URLs: %w", err)
	}
	connection, err := pgx.Connect(ctx, superuserURL)
	if err != nil {
		return fmt.Errorf("connecting as the superuser: %w", err)
	}
	defer func() { err = errors.Join(err, connection.Close(ctx)) }()

	for _, role := range []string{database, database + ConnectorSuffix} {
		path := filepath.Join(dir, role+".url")
		password, err := passwordIn(path)
		if err != nil {
			return err
		}
		if err := ensureRole(ctx, connection, role, password); err != nil {
			return err
		}
		if err := writeSecret(path, databaseURL(server.Host, role, password, database)); err != nil {
			return err
		}
	}
	return ensureDatabase(ctx, connection, database)
}

// passwordIn reads the password of a URL file, or makes a new one when there is no file yet.
func passwordIn(path string) (string, error) {
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return rand.Text(), nil
	}
	if err != nil {
		return "", fmt.Errorf("reading a role's URL: %w", err)
	}
	address, err := url.Parse(string(content))
	if err != nil {
		return "", fmt.Errorf("reading %s: it holds no URL", path)
	}
	password, ok := address.User.Password()
	if !ok {
		return "", fmt.Errorf("reading %s: its URL has no password", path)
	}
	return password, nil
}

func ensureRole(ctx context.Context, connection *pgx.Conn, role, password string) error {
	var exists bool
	if err := connection.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)", role).Scan(&exists); err != nil {
		return fmt.Errorf("looking for role %s: %w", role, err)
	}
	verb := "CREATE"
	if exists {
		verb = "ALTER"
	}
	// Utility statements take no parameters: let the server quote.
	var statement string
	if err := connection.QueryRow(ctx, "SELECT format($1 || ' ROLE %I LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD %L', $2::text, $3::text)",
		verb, role, password).Scan(&statement); err != nil {
		return fmt.Errorf("describing role %s: %w", role, err)
	}
	if _, err := connection.Exec(ctx, statement); err != nil {
		return fmt.Errorf("making role %s: %w", role, err)
	}
	return nil
}

func ensureDatabase(ctx context.Context, connection *pgx.Conn, database string) error {
	var exists bool
	if err := connection.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", database).Scan(&exists); err != nil {
		return fmt.Errorf("looking for database %s: %w", database, err)
	}
	name := pgx.Identifier{database}.Sanitize()
	connector := pgx.Identifier{database + ConnectorSuffix}.Sanitize()
	var statements []string
	if !exists {
		statements = append(statements, "CREATE DATABASE "+name+" OWNER "+name)
	}
	// Other brands' roles on the same server have no business here.
	statements = append(statements,
		"ALTER DATABASE "+name+" OWNER TO "+name,
		"REVOKE ALL ON DATABASE "+name+" FROM PUBLIC",
		"GRANT CONNECT ON DATABASE "+name+" TO "+connector)
	for _, statement := range statements {
		if _, err := connection.Exec(ctx, statement); err != nil {
			return fmt.Errorf("making database %s: %w", database, err)
		}
	}
	return nil
}
