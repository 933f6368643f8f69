package testenv

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
)

// The roles of every test database, as in a real one: the owner is no superuser, so a missing privilege shows in a test; the
// connector has what the migrations grant it, and nothing more.
const (
	OwnerRole     = "yingda_test"
	ConnectorRole = OwnerRole + "_connector"
)

// templates are the migrated databases of this process, by the name of the function that migrated each.
type templates struct {
	mu    sync.Mutex
	names map[string]string
}

//nolint:gochecknoglobals // The server they are in is the process's own: see sharedPostgres.
var migrated = templates{names: map[string]string{}}

// Database returns the owner's URL of a fresh database of this test's own, migrated, and drops it when the test ends. The
// first call with a migrate function runs it, on a template; every further database is a copy, some tens of milliseconds.
// migrate must be a plain function, not a closure or a method value, for its name stands for what it does; nil is an empty
// database. It must close its connections before it returns.
func Database(t testing.TB, migrate func(ctx context.Context, address string) error) (ownerURL string) {
	t.Helper()
	server := Postgres(t)
	template, err := migrated.get(t.Context(), server, migrate)
	if err != nil {
		t.Fatal(err)
	}
	name := strings.ReplaceAll(Unique("test"), "-", "_")
	if err := execute(t.Context(), server, "CREATE DATABASE "+name+" TEMPLATE "+template+" OWNER "+OwnerRole); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := execute(context.WithoutCancel(t.Context()), server, "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
			t.Error(err)
		}
	})
	ownerURL, err = urlFor(server, OwnerRole, name)
	if err != nil {
		t.Fatal(err)
	}
	return ownerURL
}

// ConnectorURL returns the connector role's URL of a database that Database made.
func ConnectorURL(t testing.TB, ownerURL string) string {
	t.Helper()
	connectorURL, err := urlFor(ownerURL, ConnectorRole, "")
	if err != nil {
		t.Fatal(err)
	}
	return connectorURL
}

func (all *templates) get(ctx context.Context, server string, migrate func(context.Context, string) error) (string, error) {
	key, err := nameOf(migrate)
	if err != nil {
		return "", err
	}
	all.mu.Lock()
	defer all.mu.Unlock()
	if name, ok := all.names[key]; ok {
		return name, nil
	}
	if len(all.names) == 0 {
		if err := makeRoles(ctx, server); err != nil {
			return "", err
		}
	}
	name := strings.ReplaceAll(Unique("template"), "-", "_")
	if err := makeTemplate(ctx, server, name, migrate); err != nil {
		return "", err
	}
	all.names[key] = name
	return name, nil
}

func makeTemplate(ctx context.Context, server, name string, migrate func(context.Context, string) error) error {
	// As on a real server: what other roles may do in a brand's database is granted, not inherited.
	if err := execute(ctx, server, "CREATE DATABASE "+name+" OWNER "+OwnerRole); err != nil {
		return err
	}
	if migrate != nil {
		ownerURL, err := urlFor(server, OwnerRole, name)
		if err != nil {
			return err
		}
		if err := migrate(ctx, ownerURL); err != nil {
			return fmt.Errorf("migrating the template database: %w", err)
		}
	}
	// A template with a connection cannot be copied; this also turns away a connection that migrate forgot and that comes back.
	return execute(ctx, server,
		"ALTER DATABASE "+name+" ALLOW_CONNECTIONS false",
		"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '"+name+"'")
}

func makeRoles(ctx context.Context, server string) error {
	address, err := url.Parse(server)
	if err != nil {
		return errors.New("reading the test server's URL: it is not a URL")
	}
	// One password for all: it guards a server that lives as long as one test process.
	password, _ := address.User.Password()
	return execute(ctx, server,
		"CREATE ROLE "+OwnerRole+" LOGIN PASSWORD '"+password+"'",
		"CREATE ROLE "+ConnectorRole+" LOGIN PASSWORD '"+password+"'")
}

// nameOf identifies a migrate function. Closures share their code, so the code says nothing about what one captured.
func nameOf(migrate func(context.Context, string) error) (string, error) {
	if migrate == nil {
		return "", nil
	}
	name := runtime.FuncForPC(reflect.ValueOf(migrate).Pointer()).Name()
	last := name[strings.LastIndexByte(name, '/')+1:]
	if strings.Count(last, ".") != 1 || strings.HasSuffix(last, "-fm") {
		return "", fmt.Errorf("making a template database: %s is a closure or a method; pass a plain function", last)
	}
	return name, nil
}

// execute runs statements as the superuser, each in its own transaction: CREATE DATABASE allows no other way.
func execute(ctx context.Context, server string, statements ...string) (err error) {
	connection, err := pgx.Connect(ctx, server)
	if err != nil {
		return fmt.Errorf("connecting to the test server: %w", err)
	}
	defer func() { err = errors.Join(err, connection.Close(ctx)) }()
	for _, statement := range statements {
		if _, err := connection.Exec(ctx, statement); err != nil {
			return fmt.Errorf("preparing the test database: %w", err)
		}
	}
	return nil
}

// urlFor is the URL of another role, and database when it is not empty, on the same server with the same password.
func urlFor(server, role, database string) (string, error) {
	address, err := url.Parse(server)
	if err != nil {
		return "", errors.New("reading the test server's URL: it is not a URL")
	}
	password, _ := address.User.Password()
	address.User = url.UserPassword(role, password)
	if database != "" {
		address.Path = "/" + database
	}
	return address.String(), nil
}
