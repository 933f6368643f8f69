package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// ensurePostgres installs the machine's PostgreSQL where it is missing; the cluster looks after its own packages.
// RUNLEVEL=1 keeps the package from starting a server of its own.
func (l *local) ensurePostgres(ctx context.Context) error {
	if _, err := exec.LookPath("postgres"); err == nil {
		return nil
	}
	if found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/postgres"); len(found) > 0 {
		return nil
	}
	if _, err := exec.LookPath("apt-get"); err != nil || os.Geteuid() != 0 {
		return errors.New("PostgreSQL is missing: install the package postgresql, then run make up again")
	}
	l.step("Installing the Debian package postgresql")
	for _, args := range [][]string{{"update"}, {"install", "--yes", "--no-install-recommends", "postgresql"}} {
		cmd := exec.CommandContext(ctx, "apt-get", args...)
		cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive", "RUNLEVEL=1")
		if output, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("installing postgresql: %w: install it by hand, then run make up again\n%s", err, output)
		}
	}
	return nil
}
