package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// need is something that the machine must have, and the Debian packages that bring it.
type need struct {
	packages []string
	met      func() bool
}

func needsPostgres() need {
	return need{[]string{"postgresql"}, func() bool {
		found, err := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
		return err == nil && len(found) > 0 || inPath("postgres")
	}}
}

// needsCompiler is a C compiler, and the headers that the package gcc only recommends.
func needsCompiler() need {
	return need{[]string{"gcc", "libc6-dev"}, func() bool { return os.Getenv("CC") != "" || inPath("gcc") }}
}

func inPath(program string) bool {
	_, err := exec.LookPath(program)
	return err == nil
}

// ensure installs what the machine lacks; the cluster looks after its own packages.
func (l *local) ensure(ctx context.Context, needs ...need) error {
	var missing []string
	for _, n := range needs {
		if !n.met() {
			missing = append(missing, n.packages...)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	list := strings.Join(missing, " ")
	if !inPath("apt-get") || os.Geteuid() != 0 {
		return fmt.Errorf("please install %s (the Debian package names), or run this as root", list)
	}
	l.step("Installing the Debian packages %s", list)
	for _, args := range [][]string{{"update"}, append([]string{"install", "--yes", "--no-install-recommends"}, missing...)} {
		cmd := exec.CommandContext(ctx, "apt-get", args...)
		// RUNLEVEL=1 keeps a package from starting a server of its own.
		cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive", "RUNLEVEL=1")
		if output, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("installing %s: %w: install them by hand, then try again\n%s", list, err, output)
		}
	}
	for _, n := range needs {
		if !n.met() {
			return errors.New("the packages " + list + " are installed, and something is still missing: " + strings.Join(n.packages, " "))
		}
	}
	return nil
}
