// Package child runs one server program in the foreground on behalf of the stack. The child never outlives its parent:
// it is stopped with the parent's context, and the kernel signals it when the parent dies without a word.
//
// Run must be called from a goroutine locked to its thread for the life of the process, for the kernel's signal is tied to
// the thread that started the child.
package child

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"syscall"
	"time"
)

// Signals say how a program wants to be told.
type Signals struct {
	// Stop asks for a clean end; Abort follows when Stop was not enough, and is what the child gets when its parent dies.
	Stop, Abort syscall.Signal
	// Grace is the time between the two.
	Grace time.Duration
}

// Run starts the command and waits for its end. It returns nil when the child ended because ctx did. whileRunning runs
// beside the child; when it fails, the child is stopped and its error returned.
func Run(ctx context.Context, command *exec.Cmd, signals Signals, whileRunning func(context.Context) error) error {
	if command.SysProcAttr == nil {
		command.SysProcAttr = &syscall.SysProcAttr{}
	}
	command.SysProcAttr.Pdeathsig = signals.Abort
	// A group of its own, so that Ctrl-C in a terminal reaches the parent alone, which then stops the child in order.
	command.SysProcAttr.Setpgid = true
	if err := command.Start(); err != nil {
		return fmt.Errorf("starting %s: %w", command.Path, err)
	}
	exited := make(chan error, 1)
	go func() { exited <- command.Wait() }()

	beside, cancel := context.WithCancel(ctx)
	defer cancel()
	failed := make(chan error, 1)
	go func() { failed <- whileRunning(beside) }()

	select {
	case err := <-exited:
		cancel()
		<-failed
		if err == nil {
			err = errors.New("it ended with status 0")
		}
		return fmt.Errorf("running %s: it ended unasked: %w", command.Path, err)
	case err := <-failed:
		if err != nil {
			return errors.Join(err, stop(command, signals, exited))
		}
	case <-ctx.Done():
		<-failed
		return stop(command, signals, exited)
	}
	select {
	case err := <-exited:
		return fmt.Errorf("running %s: it ended unasked: %w", command.Path, err)
	case <-ctx.Done():
		return stop(command, signals, exited)
	}
}

// stop ends the child. How it answers its signal (a Java program reports 143) is no failure of ours.
func stop(command *exec.Cmd, signals Signals, exited <-chan error) error {
	for _, signal := range []syscall.Signal{signals.Stop, signals.Abort} {
		if err := command.Process.Signal(signal); err != nil {
			break // It has ended already: the channel below has its status.
		}
		timer := time.NewTimer(signals.Grace)
		select {
		case <-exited:
			timer.Stop()
			return nil
		case <-timer.C:
		}
	}
	if err := command.Process.Kill(); err == nil {
		<-exited
		return fmt.Errorf("stopping %s: it had to be killed", command.Path)
	}
	<-exited
	return nil
}
