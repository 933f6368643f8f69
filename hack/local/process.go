package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	endGrace     = 15 * time.Second
	pollInterval = 50 * time.Millisecond
)

// processes starts daemons that outlive this program and finds them again by pid files: the pid, the process's start time in
// clock ticks since boot, and the boot, so that a number which another process got meanwhile is never taken for ours.
type processes struct {
	pids, logs string
}

// start runs a program in a session of its own, unless it runs already. Its output goes to its log.
func (p processes) start(name, program string, args ...string) error {
	if p.running(name) {
		return nil
	}
	for _, dir := range []string{p.pids, p.logs} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return fmt.Errorf("making %s: %w", dir, err)
		}
	}
	log, err := os.OpenFile(p.log(name), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("opening the log of %s: %w", name, err)
	}
	defer func() { _ = log.Close() }()
	cmd := exec.Command(program, args...) //nolint:noctx // It must outlive this program.
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("starting %s: %w", name, err)
	}
	id, err := identity(cmd.Process.Pid)
	if err != nil {
		return errors.Join(err, cmd.Process.Kill())
	}
	record := fmt.Sprintf("%d %s\n", cmd.Process.Pid, id)
	if err := os.WriteFile(p.pidFile(name), []byte(record), 0o644); err != nil {
		return errors.Join(fmt.Errorf("writing the pid file of %s: %w", name, err), cmd.Process.Kill())
	}
	return nil
}

func (p processes) running(name string) bool { return p.pid(name) != 0 }

// pid is the number of the very process that was started under this name, 0 when it has ended.
func (p processes) pid(name string) int {
	record, err := os.ReadFile(p.pidFile(name))
	if err != nil {
		return 0
	}
	number, id, _ := strings.Cut(strings.TrimSpace(string(record)), " ")
	pid, err := strconv.Atoi(number)
	if err != nil {
		return 0
	}
	now, err := identity(pid)
	if err != nil || now != id {
		return 0
	}
	return pid
}

// end asks a process to stop and, when it does not, makes it.
func (p processes) end(name string) error {
	pid := p.pid(name)
	if pid == 0 {
		return nil
	}
	if err := syscall.Kill(pid, syscall.SIGTERM); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("stopping %s: %w", name, err)
	}
	for deadline := time.Now().Add(endGrace); time.Now().Before(deadline); {
		if !p.running(name) {
			return os.Remove(p.pidFile(name))
		}
		time.Sleep(pollInterval)
	}
	return p.kill(name)
}

// kill ends a process as a crash would.
func (p processes) kill(name string) error {
	pid := p.pid(name)
	if pid == 0 {
		return nil
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("killing %s: %w", name, err)
	}
	for p.running(name) {
		time.Sleep(pollInterval)
	}
	return os.Remove(p.pidFile(name))
}

// tail is the end of a log, for messages about a process that did not come up.
func (p processes) tail(name string) string {
	const keep = 2000
	text, err := os.ReadFile(p.log(name))
	if err != nil {
		return ""
	}
	return string(text[max(0, len(text)-keep):])
}

func (p processes) pidFile(name string) string { return filepath.Join(p.pids, "local-"+name+".pid") }
func (p processes) log(name string) string     { return filepath.Join(p.logs, name+".log") }

// identity tells a running process from every other that ever had its number.
func identity(pid int) (string, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return "", fmt.Errorf("looking at process %d: %w", pid, err)
	}
	started, err := startTime(string(stat))
	if err != nil {
		return "", fmt.Errorf("looking at process %d: %w", pid, err)
	}
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return "", fmt.Errorf("reading the boot id: %w", err)
	}
	return started + " " + strings.TrimSpace(string(boot)), nil
}

// startTime is field 22 of /proc/PID/stat; the process's name before it may hold anything, parentheses too. A zombie has
// ended.
func startTime(stat string) (string, error) {
	fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	if len(fields) < 20 || fields[0] == "Z" {
		return "", errors.New("it has ended")
	}
	return fields[19], nil
}
