package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// endGrace is how long a server that was told to stop may take.
const endGrace = 20 * time.Second

// servers are a Postgres and a Temporal that nobody else uses.
type servers struct {
	folder string
	// temporal is the frontend's host:port.
	temporal string
	// postgres is the connection string of a superuser.
	postgres string
	running  []*exec.Cmd
}

// startServers starts both over an empty folder. Both sync to the disk.
func startServers(ctx context.Context, o options) (*servers, error) {
	folder, err := os.MkdirTemp("", "benchcases")
	if err != nil {
		return nil, fmt.Errorf("making a folder: %w", err)
	}
	s := &servers{folder: folder}
	// Postgres runs as a user of its own, who has to pass through.
	if err := os.Chmod(folder, 0o755); err != nil {
		return nil, errors.Join(fmt.Errorf("opening the folder: %w", err), s.end())
	}
	ready, err := s.start(ctx, o.stack, "postgres", "--port", "0", "--data", filepath.Join(folder, "postgres"))
	if err != nil {
		return nil, errors.Join(err, s.end())
	}
	url, err := os.ReadFile(ready["url-file"])
	if err != nil {
		return nil, errors.Join(fmt.Errorf("reading the URL of Postgres: %w", err), s.end())
	}
	s.postgres = strings.TrimSpace(string(url))
	args := []string{"temporal", "--listen", "127.0.0.1:0", "--data", filepath.Join(folder, "temporal.db")}
	if o.persisted == "postgres" {
		args = append(args, "--postgres-url-file", ready["url-file"])
	}
	if ready, err = s.start(ctx, o.stack, args...); err != nil {
		return nil, errors.Join(err, s.end())
	}
	s.temporal = ready["temporal"]
	return s, nil
}

// start runs one server and returns what it says once it is ready.
func (s *servers) start(ctx context.Context, program string, args ...string) (map[string]string, error) {
	log, err := os.Create(filepath.Join(s.folder, args[0]+".log"))
	if err != nil {
		return nil, fmt.Errorf("making a log: %w", err)
	}
	cmd := exec.Command(program, args...)
	cmd.Stderr = log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("listening to %s: %w", args[0], err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting %s %s: %w", program, args[0], err)
	}
	s.running = append(s.running, cmd)
	said := make(chan map[string]string, 1)
	go func() {
		defer close(said)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if words := strings.Fields(lines.Text()); len(words) > 0 && words[0] == "ready" {
				said <- pairs(words[1:])
			}
		}
	}()
	select {
	case ready, ok := <-said:
		if !ok {
			return nil, fmt.Errorf("%s ended before it was ready; see %s", args[0], log.Name())
		}
		return ready, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func pairs(words []string) map[string]string {
	out := map[string]string{}
	for _, word := range words {
		key, value, _ := strings.Cut(word, "=")
		out[key] = value
	}
	return out
}

// end stops the servers, the last first, and removes what they kept.
func (s *servers) end() error {
	var errs []error
	for _, server := range slices.Backward(s.running) {
		process := server.Process
		errs = append(errs, process.Signal(syscall.SIGTERM))
		killer := time.AfterFunc(endGrace, func() { _ = process.Kill() })
		// How a server ends that was told to is its own affair.
		_ = server.Wait()
		killer.Stop()
	}
	return errors.Join(append(errs, os.RemoveAll(s.folder))...)
}
