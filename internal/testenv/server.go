package testenv

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const (
	startTimeout = 60 * time.Second
	stopTimeout  = 20 * time.Second
)

// Server is one process of bin/stack and its data. Address, and the data, stay the same over Kill, Stop and Restart.
// Its methods may be called from one goroutine at a time.
type Server struct {
	program string
	dir     string
	// arguments make the command line; the address is empty for a free one.
	arguments func(address string) []string
	address   string
	url       string // Postgres only.

	process *process // nil while the server is down.
}

// process is one life of a server.
type process struct {
	command *exec.Cmd
	// lifeline is the pipe whose end makes the server delete its data and go.
	lifeline io.Closer
	exited   chan struct{}
	err      error // How it ended, valid after exited.
}

// StartKafka starts a broker of its own for the caller, who must Close it.
func StartKafka(ctx context.Context) (*Server, error) {
	return startServer(ctx, "kafka", func(s *Server, address string) []string {
		return []string{"kafka", "--listen", orFree(address), "--data", filepath.Join(s.dir, "data")}
	})
}

// StartTemporal starts a Temporal server of its own for the caller, who must Close it. It has no web UI.
func StartTemporal(ctx context.Context) (*Server, error) {
	return startServer(ctx, "temporal", func(s *Server, address string) []string {
		return []string{"temporal", "--listen", orFree(address), "--data", filepath.Join(s.dir, "temporal.db")}
	})
}

// StartPostgres starts a PostgreSQL of its own for the caller, who must Close it. It does not sync to the disk: its data
// survive Kill, but not the machine.
func StartPostgres(ctx context.Context) (*Server, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return nil, fmt.Errorf("starting postgres: %w", err)
	}
	server, err := startServer(ctx, "postgres", func(s *Server, address string) []string {
		ip, port, _ := strings.Cut(orFree(address), ":")
		return []string{
			"postgres", "--listen", ip, "--port", port, "--data", filepath.Join(s.dir, "data"),
			"--disposable", "--initdb-cache", filepath.Join(cache, "yingda", "initdb"),
		}
	})
	if err != nil {
		return nil, err
	}
	url, err := os.ReadFile(filepath.Join(server.dir, "data", "superuser.url"))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("starting postgres: %w", err), server.Close())
	}
	server.url = string(url)
	return server, nil
}

func orFree(address string) string {
	if address == "" {
		return "127.0.0.1:0"
	}
	return address
}

func startServer(ctx context.Context, name string, arguments func(*Server, string) []string) (*Server, error) {
	program, err := program(ctx)
	if err != nil {
		return nil, fmt.Errorf("starting %s: %w", name, err)
	}
	dir, err := os.MkdirTemp("", "yingda-test-"+name+"-")
	if err != nil {
		return nil, fmt.Errorf("starting %s: %w", name, err)
	}
	s := &Server{program: program, dir: dir}
	s.arguments = func(address string) []string {
		return append(arguments(s, address), "--until-stdin-closes", dir)
	}
	// As root, PostgreSQL runs as a user of its own, who must get to its data.
	err = os.Chmod(dir, 0o711)
	if err == nil {
		err = s.Restart(ctx)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("starting %s: %w", name, err), os.RemoveAll(dir))
	}
	return s, nil
}

// Address is host:port of the server.
func (s *Server) Address() string { return s.address }

// URL is the superuser's URL of a PostgreSQL server.
func (s *Server) URL() string { return s.url }

// Kill ends the server as a crash would, with SIGKILL, and waits until it is gone. Its data stay.
func (s *Server) Kill() error { return s.end(syscall.SIGKILL) }

// Stop ends the server in good order. Its data stay.
func (s *Server) Stop() error { return s.end(syscall.SIGTERM) }

func (s *Server) end(signal syscall.Signal) error {
	if s.process == nil {
		return nil
	}
	p := s.process
	if err := p.command.Process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("ending a server: %w", err)
	}
	if err := p.wait(); err != nil {
		return err
	}
	s.process = nil
	// Only now: the end of the pipe is what makes a living server delete its data.
	if err := p.lifeline.Close(); err != nil {
		return fmt.Errorf("ending a server: %w", err)
	}
	if signal == syscall.SIGTERM && p.err != nil {
		return fmt.Errorf("stopping a server: %w: %s", p.err, s.logTail())
	}
	return nil
}

// Close ends the server and deletes its data.
func (s *Server) Close() error {
	if s.process == nil {
		return os.RemoveAll(s.dir)
	}
	p := s.process
	s.process = nil
	return errors.Join(p.lifeline.Close(), p.wait(), os.RemoveAll(s.dir))
}

func (p *process) wait() error {
	timer := time.NewTimer(stopTimeout)
	defer timer.Stop()
	select {
	case <-p.exited:
		return nil
	case <-timer.C:
		return errors.Join(errors.New("waiting for a server to end: it did not"), p.command.Process.Kill())
	}
}

// Restart starts the server on the address and data it had, after stopping it when it runs, and returns when it serves.
func (s *Server) Restart(ctx context.Context) error {
	if err := s.Stop(); err != nil {
		return err
	}
	log, err := os.OpenFile(s.logFile(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("opening the server's log: %w", err)
	}
	defer log.Close()
	// The server ends with its pipe or by name of a signal, never with a context: it outlives the call.
	command := exec.Command(s.program, s.arguments(s.address)...)
	command.Stderr = log
	// Ctrl-C in a terminal is for the tests; the server ends with them.
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	stdin, lifeline, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("making the server's pipe: %w", err)
	}
	defer stdin.Close()
	command.Stdin = stdin
	stdout, err := command.StdoutPipe()
	if err != nil {
		return errors.Join(fmt.Errorf("making the server's pipe: %w", err), lifeline.Close())
	}
	if err := command.Start(); err != nil {
		return errors.Join(fmt.Errorf("starting the server: %w", err), lifeline.Close())
	}
	p := &process{command: command, lifeline: lifeline, exited: make(chan struct{})}
	ready := p.follow(stdout)

	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	select {
	case address, ok := <-ready:
		if ok {
			s.process, s.address = p, address
			return nil
		}
		err = errors.New("it ended before it was ready")
	case <-ctx.Done():
		err = ctx.Err()
	}
	err = fmt.Errorf("waiting for the server: %w: %s", err, s.logTail())
	return errors.Join(err, lifeline.Close(), p.wait())
}

// follow reads the server's one line, `ready <name>=<address> ...`, and waits for its end. The channel gives the address, or
// is closed without one.
func (p *process) follow(stdout io.Reader) <-chan string {
	ready := make(chan string, 1)
	go func() {
		defer close(p.exited)
		lines := bufio.NewScanner(stdout)
		if lines.Scan() {
			if fields := strings.Fields(lines.Text()); len(fields) > 1 && fields[0] == "ready" {
				_, address, _ := strings.Cut(fields[1], "=")
				ready <- address
			}
		}
		close(ready)
		p.err = p.command.Wait()
	}()
	return ready
}

func (s *Server) logFile() string { return filepath.Join(s.dir, "server.log") }

// logTail is the end of what the server said, for a failed test's message.
func (s *Server) logTail() string {
	const most = 2000
	content, err := os.ReadFile(s.logFile())
	if err != nil {
		return "(no log)"
	}
	return strings.TrimSpace(string(content[max(0, len(content)-most):]))
}
