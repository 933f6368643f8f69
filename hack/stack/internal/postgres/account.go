package postgres

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// serverUser is whom the server runs as when this process is root: neither initdb nor postgres starts as root.
const serverUser = "postgres"

// account is whom the server's programs run as; nil means as ourselves.
type account struct{ uid, gid int }

func accountForServer() (*account, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	entry, err := user.Lookup(serverUser)
	if err != nil {
		return nil, fmt.Errorf("looking up the user that PostgreSQL runs as: %w (the package postgresql makes it)", err)
	}
	uid, err := strconv.Atoi(entry.Uid)
	if err != nil {
		return nil, fmt.Errorf("reading the id of user %s: %w", serverUser, err)
	}
	gid, err := strconv.Atoi(entry.Gid)
	if err != nil {
		return nil, fmt.Errorf("reading the group of user %s: %w", serverUser, err)
	}
	return &account{uid: uid, gid: gid}, nil
}

// command prepares a program to run as the account, in a directory that every account may enter.
func (a *account) command(path string, args ...string) *exec.Cmd {
	command := exec.Command(path, args...)
	command.Dir = "/"
	command.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "TZ=UTC")
	if a != nil {
		//nolint:gosec // G115: ids of the account database fit.
		command.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(a.uid), Gid: uint32(a.gid)}}
	}
	return command
}

// own gives a file or directory to the account.
func (a *account) own(path string) error {
	if a == nil {
		return nil
	}
	if err := os.Lchown(path, a.uid, a.gid); err != nil {
		return fmt.Errorf("giving %s to user %s: %w", path, serverUser, err)
	}
	return nil
}

func (a *account) ownAll(root string) error {
	if a == nil {
		return nil
	}
	return filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
		return errors.Join(err, a.own(path))
	})
}

// canEnter reports whether the account may reach what is in dir: a checkout below a home directory of mode 0700 is out of
// reach for it. It asks the kernel, by trying as that account.
func (a *account) canEnter(dir string) bool {
	return a == nil || a.command("/usr/bin/env", "test", "-x", dir).Run() == nil
}
