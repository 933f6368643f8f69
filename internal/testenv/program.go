package testenv

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// program returns the path of bin/stack, building it when it is missing or older than its sources. The first build compiles
// a Temporal server, some minutes; `make` does it before it runs tests.
func program(ctx context.Context) (string, error) {
	root, err := moduleRoot()
	if err != nil {
		return "", err
	}
	path := filepath.Join(root, "bin", "stack")
	fresh, err := upToDate(path, filepath.Join(root, "hack", "stack"))
	if err != nil || fresh {
		return path, err
	}
	return path, build(ctx, root, path)
}

// moduleRoot is the nearest directory upwards that holds this product's go.mod; tests run in their package's directory.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("looking for the module: %w", err)
	}
	for {
		content, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil && strings.HasPrefix(string(content), "module github.com/yingda-dev/yingda\n") {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("looking for the module: no go.mod of it above the working directory")
		}
		dir = parent
	}
}

// upToDate reports whether the program is there and no source of it is younger.
func upToDate(path, sources string) (bool, error) {
	built, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("looking for the stack program: %w", err)
	}
	newest := time.Time{}
	err = filepath.WalkDir(sources, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !isSource(path) {
			return err
		}
		info, err := entry.Info()
		if err == nil && info.ModTime().After(newest) {
			newest = info.ModTime()
		}
		return err
	})
	if err != nil {
		return false, fmt.Errorf("looking at the stack program's sources: %w", err)
	}
	return !newest.After(built.ModTime()), nil
}

func isSource(path string) bool {
	switch filepath.Ext(path) {
	case ".go", ".mod", ".sum", ".xml":
		return !strings.HasSuffix(path, "_test.go")
	}
	return false
}

// build builds the program under a lock: `go test ./...` runs many test processes, and one build is enough for all.
func build(ctx context.Context, root, path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("building the stack program: %w", err)
	}
	lock, err := os.OpenFile(path+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("building the stack program: %w", err)
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return fmt.Errorf("building the stack program: %w", err)
	}
	sources := filepath.Join(root, "hack", "stack")
	if fresh, err := upToDate(path, sources); err != nil || fresh {
		return err
	}
	// Built aside and renamed: a running server's program must not be written to.
	command := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags=-s -w", "-o", path+".new", ".")
	command.Dir = sources
	command.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off")
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("building the stack program: %w: %s", err, strings.TrimSpace(string(output)))
	}
	if err := os.Rename(path+".new", path); err != nil {
		return fmt.Errorf("building the stack program: %w", err)
	}
	return nil
}
