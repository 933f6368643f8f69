package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"
)

const (
	// patience is how long a peer may take for an answer.
	patience = 20 * time.Second
	maxLine  = 4 << 20
)

// peers starts the programs of this folder with Node.js.
type peers struct {
	node, folder string
	// scratch is where they run, for some write files where they are.
	scratch string
}

// newPeers finds Node.js and installs what package-lock.json names.
func newPeers(ctx context.Context, folder, scratch string) (*peers, error) {
	node, nodeErr := exec.LookPath("node")
	npm, npmErr := exec.LookPath("npm")
	if nodeErr != nil || npmErr != nil {
		return nil, errors.New("node or npm is missing: install Node.js 18 or newer with npm (Debian: apt-get install nodejs npm)")
	}
	folder, err := filepath.Abs(folder)
	if err != nil {
		return nil, fmt.Errorf("finding %s: %w", folder, err)
	}
	install := exec.CommandContext(ctx, npm, "ci", "--ignore-scripts", "--loglevel=error")
	install.Dir, install.Stdout, install.Stderr = folder, os.Stderr, os.Stderr
	if err := install.Run(); err != nil {
		return nil, fmt.Errorf("npm ci in %s: %w", folder, err)
	}
	return &peers{node: node, folder: folder, scratch: scratch}, nil
}

// version is that of an installed package.
func (p *peers) version(name string) (string, error) {
	text, err := os.ReadFile(filepath.Join(p.folder, "node_modules", name, "package.json"))
	if err != nil {
		return "", fmt.Errorf("reading the version of %s: %w", name, err)
	}
	var manifest struct {
		Version string `json:"version"`
	}
	if err := json.Unmarshal(text, &manifest); err != nil {
		return "", fmt.Errorf("reading the version of %s: %w", name, err)
	}
	return manifest.Version, nil
}

// peer is a running program.
type peer struct {
	command *exec.Cmd
	in      io.WriteCloser
	lines   chan []byte
	stderr  tail
}

// start runs a program of this folder.
func (p *peers) start(ctx context.Context, program, name string, config any) (*peer, error) {
	arguments := []string{filepath.Join(p.folder, program), name}
	if config != nil {
		text, err := json.Marshal(config)
		if err != nil {
			return nil, fmt.Errorf("starting %s: %w", name, err)
		}
		arguments = append(arguments, string(text))
	}
	one := &peer{command: exec.CommandContext(ctx, p.node, arguments...), lines: make(chan []byte, 1024)}
	one.command.Dir, one.command.Stderr = p.scratch, &one.stderr
	in, err := one.command.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("starting %s: %w", name, err)
	}
	out, err := one.command.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("starting %s: %w", name, err)
	}
	if err := one.command.Start(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", name, err)
	}
	one.in = in
	go func() {
		defer close(one.lines)
		scanner := bufio.NewScanner(out)
		scanner.Buffer(nil, maxLine)
		for scanner.Scan() {
			one.lines <- append([]byte(nil), scanner.Bytes()...)
		}
	}()
	return one, nil
}

// stop ends the program, which ends with its stdin.
func (p *peer) stop() {
	_ = p.in.Close()
	for range p.lines {
	}
	_ = p.command.Wait()
}

// next reads a line into v.
func (p *peer) next(v any) error {
	select {
	case line, ok := <-p.lines:
		if !ok {
			return fmt.Errorf("the program has ended: %s", p.stderr.String())
		}
		if err := json.Unmarshal(line, v); err != nil {
			return fmt.Errorf("reading a line of the program: %w", err)
		}
		return nil
	case <-time.After(patience):
		return fmt.Errorf("the program said nothing for %s", patience)
	}
}

// callError is what a peer says went wrong, with the platform's code where the peer tells it.
type callError struct {
	Message string
	Code    any
}

func (e *callError) Error() string { return fmt.Sprintf("%s (%v)", e.Message, e.Code) }

// ask sends a line and decodes the answer's result into v.
func (p *peer) ask(question, v any) error {
	text, err := json.Marshal(question)
	if err != nil {
		return fmt.Errorf("asking: %w", err)
	}
	if _, err := p.in.Write(append(text, '\n')); err != nil {
		return fmt.Errorf("asking: %w: %s", err, p.stderr.String())
	}
	var answer struct {
		Result json.RawMessage `json:"result"`
		Error  string          `json:"error"`
		Code   any             `json:"code"`
	}
	if err := p.next(&answer); err != nil {
		return err
	}
	if answer.Error != "" {
		return &callError{answer.Error, answer.Code}
	}
	if v == nil {
		return nil
	}
	if err := json.Unmarshal(answer.Result, v); err != nil {
		return fmt.Errorf("reading an answer: %w", err)
	}
	return nil
}

// tail keeps the end of what a program complains of.
type tail struct {
	mu   sync.Mutex
	text []byte
}

func (t *tail) Write(p []byte) (int, error) {
	const most = 2000
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p...)
	t.text = t.text[max(0, len(t.text)-most):]
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.text)
}
