package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// endGrace is how long a process that was told to stop may take.
const endGrace = 20 * time.Second

// child is a process that the run started. It dies with the run, however that ends.
type child struct {
	name string
	cmd  *exec.Cmd
	// done is closed when the process has ended; what it says of its end does not matter.
	done chan struct{}
}

// startChild runs a program until end.
func startChild(path string, args []string, logs string) (*child, error) {
	c, err := newChild(filepath.Base(path), path, args, logs)
	if err != nil {
		return nil, err
	}
	return c, c.start()
}

// startRole runs this program in another role, and returns the address that it serves the load on.
func startRole(role, kubeconfig, logs string) (*child, string, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, "", fmt.Errorf("finding this program: %w", err)
	}
	c, err := newChild(role, self, []string{role, kubeconfig}, logs)
	if err != nil {
		return nil, "", err
	}
	c.cmd.Stdout = nil
	lines, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, "", fmt.Errorf("listening to the %s: %w", role, err)
	}
	// A process writes what it needs to be told by into its first line, before it does anything.
	if err := c.cmd.Start(); err != nil {
		return nil, "", fmt.Errorf("starting the %s: %w", role, err)
	}
	address, err := bufio.NewReader(lines).ReadString('\n')
	go c.wait()
	if err != nil {
		return nil, "", errors.Join(fmt.Errorf("reading the address of the %s: %w", role, err), c.end())
	}
	return c, strings.TrimSpace(address), nil
}

func newChild(name, path string, args []string, logs string) (*child, error) {
	log, err := os.OpenFile(filepath.Join(logs, name+".log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return nil, fmt.Errorf("opening the log of %s: %w", name, err)
	}
	cmd := exec.Command(path, args...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return &child{name: name, cmd: cmd, done: make(chan struct{})}, nil
}

func (c *child) start() error {
	if err := c.cmd.Start(); err != nil {
		return fmt.Errorf("starting %s: %w", c.name, err)
	}
	go c.wait()
	return nil
}

func (c *child) wait() {
	_ = c.cmd.Wait()
	close(c.done)
}

// end stops the process and waits for it.
func (c *child) end() error {
	if err := c.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stopping %s: %w", c.name, err)
	}
	select {
	case <-c.done:
		return nil
	case <-time.After(endGrace):
	}
	if err := c.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("killing %s: %w", c.name, err)
	}
	<-c.done
	return nil
}
