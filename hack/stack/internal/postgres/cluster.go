package postgres

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/yingda-dev/yingda/hack/stack/internal/lock"
)

// fallbackRoot holds clusters whose own directory the server's user cannot reach.
const fallbackRoot = "/var/lib/yingda"

// maxSocketPath is what the kernel allows for a unix socket's path, less the socket's own name.
const maxSocketPath = 107 - len("/.s.PGSQL.65535")

// cluster is the files of one server: data/pgdata (or what that links to) belongs to the server; everything beside it to
// whoever runs the stack.
type cluster struct {
	account  *account
	data     string // The directory that was asked for.
	files    string // Where the server's files really are.
	binaries string
}

func (c *cluster) link() string         { return filepath.Join(c.data, "pgdata") }
func (c *cluster) passwordFile() string { return filepath.Join(c.data, "superuser.password") }

// socketDir is empty when the path is too long for a unix socket.
func (c *cluster) socketDir() string {
	if len(c.files) > maxSocketPath {
		return ""
	}
	return c.files
}

// openCluster finds or makes the cluster of the data directory, and holds its lock.
func openCluster(ctx context.Context, options Options) (_ *cluster, held *os.File, err error) {
	data, err := filepath.Abs(options.Data)
	if err != nil {
		return nil, nil, fmt.Errorf("resolving the data directory: %w", err)
	}
	if err := os.MkdirAll(data, 0o711); err != nil {
		return nil, nil, fmt.Errorf("making the data directory: %w", err)
	}
	held, err = lock.Take(ctx, filepath.Join(data, ".lock"))
	if err != nil {
		return nil, nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, held.Close())
		}
	}()
	c := &cluster{data: data}
	if c.account, err = accountForServer(); err != nil {
		return nil, nil, err
	}
	if err := c.place(options.Note); err != nil {
		return nil, nil, err
	}
	version, err := dataVersionOf(c.files)
	if err != nil {
		return nil, nil, err
	}
	if c.binaries, err = locate(version); err != nil {
		return nil, nil, err
	}
	if version == "" {
		if err := c.make(ctx, options.InitdbCache); err != nil {
			return nil, nil, err
		}
	}
	return c, held, c.removeStalePid()
}

// place decides where the server's files live, and leaves a link in the data directory when that is elsewhere.
func (c *cluster) place(note func(string)) error {
	target, err := os.Readlink(c.link())
	if err == nil {
		c.files = target
		return nil
	}
	c.files = c.link()
	if c.account.canEnter(c.data) {
		return nil
	}
	sum := sha256.Sum256([]byte(c.data))
	c.files = filepath.Join(fallbackRoot, hex.EncodeToString(sum[:8]))
	if err := os.MkdirAll(fallbackRoot, 0o711); err != nil {
		return fmt.Errorf("making a directory that user %s can reach: %w", serverUser, err)
	}
	// Files without a link to them are of a data directory that was deleted, and their password with it.
	if err := os.RemoveAll(c.files); err != nil {
		return fmt.Errorf("removing the files of a deleted data directory: %w", err)
	}
	if err := os.Symlink(c.files, c.link()); err != nil {
		return fmt.Errorf("linking to the server's files: %w", err)
	}
	note(fmt.Sprintf("user %s cannot reach %s: the database's files are in %s", serverUser, c.data, c.files))
	return nil
}

// make runs initdb beside the final place and renames, so that a crash leaves no half cluster.
func (c *cluster) make(ctx context.Context, cache string) error {
	fresh := c.files + ".new"
	if err := os.RemoveAll(fresh); err != nil {
		return fmt.Errorf("removing an unfinished cluster: %w", err)
	}
	password := rand.Text()
	var err error
	if cache == "" {
		err = c.initdb(fresh, password)
	} else {
		password, err = c.initdbCached(ctx, fresh, cache)
	}
	if err != nil {
		return err
	}
	// The password first: a cluster without one could never be entered.
	if err := writeSecret(c.passwordFile(), password); err != nil {
		return err
	}
	if err := os.Rename(fresh, c.files); err != nil {
		return fmt.Errorf("moving the new cluster to its place: %w", err)
	}
	return nil
}

func (c *cluster) initdb(dir, password string) error {
	secret, err := os.CreateTemp(filepath.Dir(dir), "initdb-*")
	if err != nil {
		return fmt.Errorf("making initdb's password file: %w", err)
	}
	defer os.Remove(secret.Name())
	_, err = secret.WriteString(password)
	if err := errors.Join(err, secret.Close(), c.account.own(secret.Name())); err != nil {
		return fmt.Errorf("writing initdb's password file: %w", err)
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		return fmt.Errorf("making the cluster's directory: %w", err)
	}
	if err := c.account.own(dir); err != nil {
		return err
	}
	command := c.account.command(filepath.Join(c.binaries, "initdb"), "--pgdata", dir, "--username", superuser,
		"--pwfile", secret.Name(), "--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C.UTF-8")
	output, err := command.CombinedOutput()
	if err != nil {
		return fmt.Errorf("running initdb: %w: %s", err, strings.TrimSpace(string(output)))
	}
	return appendHostRule(filepath.Join(dir, "pg_hba.conf"))
}

// appendHostRule lets clients in from wherever the listen address can be reached (pods have addresses of their own), by
// password only. What they can reach is decided by the address the server listens on.
func appendHostRule(path string) error {
	file, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return fmt.Errorf("opening the access rules: %w", err)
	}
	_, err = file.WriteString("\nhost all all all scram-sha-256\n")
	if err := errors.Join(err, file.Sync(), file.Close()); err != nil {
		return fmt.Errorf("writing the access rules: %w", err)
	}
	return nil
}

// removeStalePid removes the pid file of a server that crashed. We hold the lock that every process of a server started by us
// holds too, so none of those lives; one started by hand would sit in the cluster's directory, and is left alone.
func (c *cluster) removeStalePid() error {
	path := filepath.Join(c.files, "postmaster.pid")
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading the server's pid file: %w", err)
	}
	pid, _, _ := strings.Cut(string(content), "\n")
	if working, err := os.Readlink(filepath.Join("/proc", pid, "cwd")); err == nil && working == c.files {
		return fmt.Errorf("opening %s: process %s serves it already, and was not started by this program", c.files, pid)
	}
	if err := os.Remove(path); err != nil {
		return fmt.Errorf("removing a stale pid file: %w", err)
	}
	return nil
}

func writeSecret(path, secret string) error {
	temporary := path + ".new"
	file, err := os.OpenFile(temporary, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("making a secret file: %w", err)
	}
	_, err = file.WriteString(secret)
	if err := errors.Join(err, file.Sync(), file.Close()); err != nil {
		return fmt.Errorf("writing a secret file: %w", err)
	}
	if err := os.Rename(temporary, path); err != nil {
		return fmt.Errorf("placing a secret file: %w", err)
	}
	return nil
}
