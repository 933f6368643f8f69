// Package postgres runs the machine's own PostgreSQL in the foreground over a directory, and makes the databases and roles
// that a brand needs in it. It installs nothing, and touches no server that it did not start.
//
// Invariants: passwords are random, live in files of mode 0600, and never appear in arguments, output or errors; the server
// listens on the address given and on a unix socket in its own directory; it never outlives this process; a directory has one
// server at a time.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/yingda-dev/yingda/hack/stack/internal/child"
)

const (
	superuser    = "postgres"
	startTimeout = 60 * time.Second
	stopGrace    = 10 * time.Second
)

// Durability is whether the server syncs its files.
type Durability int

const (
	// Durable survives the loss of power.
	Durable Durability = iota
	// Disposable survives a crash of the server, but not of the machine: for tests, several times faster.
	Disposable
)

// Options say where the server listens and keeps its data.
type Options struct {
	Listen     netip.AddrPort
	Data       string
	Durability Durability
	// InitdbCache is a directory that keeps fresh clusters for copying, empty for none.
	InitdbCache string
	// Note tells the person who started the stack something worth knowing.
	Note func(string)
}

// URLFile is the file in a data directory that holds the superuser's URL.
func URLFile(data string) string { return filepath.Join(data, "superuser.url") }

// Run serves until ctx ends, and calls ready once clients can connect. See package child for the thread it must run on.
func Run(ctx context.Context, options Options, ready func()) error {
	c, held, err := openCluster(ctx, options)
	if err != nil {
		return err
	}
	return errors.Join(serve(ctx, c, held, options, ready), held.Close())
}

func serve(ctx context.Context, c *cluster, held *os.File, options Options, ready func()) error {
	password, err := os.ReadFile(c.passwordFile())
	if err != nil {
		return fmt.Errorf("reading the superuser's password: %w", err)
	}
	address := databaseURL(options.Listen.String(), superuser, string(password), "postgres")
	if err := writeSecret(URLFile(c.data), address); err != nil {
		return err
	}
	command := c.account.command(filepath.Join(c.binaries, "postgres"), c.settings(options)...)
	command.Stdout, command.Stderr = os.Stderr, os.Stderr
	// Every process of the server holds the directory's lock with us: who takes it next knows that all of them are gone.
	command.ExtraFiles = []*os.File{held}
	// Fast shutdown first; immediate, which is a crash that recovers, when clients hold it up or this process dies.
	signals := child.Signals{Stop: syscall.SIGINT, Abort: syscall.SIGQUIT, Grace: stopGrace}
	return child.Run(ctx, command, signals, func(ctx context.Context) error {
		if err := c.waitReady(ctx, address); err != nil {
			return err
		}
		ready()
		return nil
	})
}

func (c *cluster) settings(options Options) []string {
	settings := map[string]string{
		"listen_addresses":        options.Listen.Addr().String(),
		"port":                    strconv.Itoa(int(options.Listen.Port())),
		"unix_socket_directories": c.socketDir(),
		"max_connections":         "300",
		"timezone":                "UTC",
		"log_timezone":            "UTC",
		"log_min_messages":        "warning",
		"log_checkpoints":         "off",
		// Statements hold personal data: an error names the statement's fault, never the statement.
		"log_min_error_statement": "panic",
		"fsync":                   "on",
	}
	if options.Durability == Disposable {
		settings["fsync"], settings["full_page_writes"] = "off", "off"
		settings["shared_buffers"] = "64MB"
	}
	args := []string{"-D", c.files}
	for name, value := range settings {
		args = append(args, "-c", name+"="+value)
	}
	return args
}

// waitReady waits for the server's own word, the last line of its pid file, and then connects once: connecting before fills
// its log with refusals. A context that ends is no failure: the server was asked to stop.
func (c *cluster) waitReady(ctx context.Context, address string) error {
	deadline := time.NewTimer(startTimeout)
	defer deadline.Stop()
	retry := time.NewTicker(10 * time.Millisecond)
	defer retry.Stop()
	for {
		content, err := os.ReadFile(filepath.Join(c.files, "postmaster.pid"))
		if err == nil && strings.HasSuffix(strings.TrimSpace(string(content)), "ready") {
			return ping(ctx, address)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-deadline.C:
			return fmt.Errorf("waiting for PostgreSQL: it was not ready after %s", startTimeout)
		case <-retry.C:
		}
	}
}

func ping(ctx context.Context, address string) error {
	connection, err := pgx.Connect(ctx, address)
	if err != nil {
		return fmt.Errorf("connecting: %w", err)
	}
	return errors.Join(connection.Ping(ctx), connection.Close(ctx))
}

func databaseURL(host, role, password, database string) string {
	address := url.URL{
		Scheme: "postgres", User: url.UserPassword(role, password), Host: host, Path: "/" + database,
		RawQuery: "sslmode=disable",
	}
	return address.String()
}
