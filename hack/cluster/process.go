package main

import (
	"context"
	"encoding/json"
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

// ownerVariable marks every process that this program starts with the run
// directory it belongs to, so that one whose pid file was lost is found again.
const ownerVariable = "YINGDA_CLUSTER_DIR"

// maxLogSize is how large a log may be before a start moves it aside.
const maxLogSize = 32 << 20

// processRecord is what a pid file holds. The start time (in clock ticks since
// boot) and the boot tell a process from a later one with the same number.
type processRecord struct {
	PID       int    `json:"pid"`
	StartTime uint64 `json:"startTime"`
	BootID    string `json:"bootID"`
	// Config is the digest of the command line and files it was started with.
	Config string `json:"config"`
}

// procStat is what we need of /proc/PID/stat.
type procStat struct {
	command   string
	state     byte
	startTime uint64
}

// parseStat reads the text of /proc/PID/stat. The second field is the command
// in parentheses and may itself hold blanks and parentheses.
func parseStat(text string) (procStat, error) {
	before, rest, ok := cutLast(text, ")")
	_, command, _ := strings.Cut(before, "(")
	fields := strings.Fields(rest)
	const startTimeField = 19 // field 22 of proc(5), counted after the command
	if !ok || len(fields) <= startTimeField {
		return procStat{}, fmt.Errorf("parsing process status %q", text)
	}
	start, err := strconv.ParseUint(fields[startTimeField], 10, 64)
	if err != nil {
		return procStat{}, fmt.Errorf("parsing process start time: %w", err)
	}
	return procStat{command: command, state: fields[0][0], startTime: start}, nil
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

func readStat(pid int) (procStat, error) {
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return procStat{}, fmt.Errorf("reading process status: %w", err)
	}
	return parseStat(string(text))
}

func bootID() (string, error) {
	id, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return "", fmt.Errorf("reading the boot id: %w", err)
	}
	return strings.TrimSpace(string(id)), nil
}

// recordOf describes the running process pid.
func recordOf(pid int, config string) (processRecord, error) {
	stat, err := readStat(pid)
	if err != nil {
		return processRecord{}, err
	}
	boot, err := bootID()
	if err != nil {
		return processRecord{}, err
	}
	return processRecord{PID: pid, StartTime: stat.startTime, BootID: boot, Config: config}, nil
}

// alive says whether the very process of the record still runs.
func (r processRecord) alive() bool {
	if r.PID <= 0 {
		return false
	}
	stat, err := readStat(r.PID)
	if err != nil || stat.startTime != r.StartTime || stat.state == 'Z' || stat.state == 'X' {
		return false
	}
	boot, err := bootID()
	return err == nil && boot == r.BootID
}

// signal sends a signal to the very process of the record. FindProcess holds a
// pidfd: once alive has confirmed the identity the number cannot be reused.
func (r processRecord) signal(sig syscall.Signal) error {
	p, err := os.FindProcess(r.PID)
	if err != nil {
		return fmt.Errorf("finding process %d: %w", r.PID, err)
	}
	defer func() { _ = p.Release() }()
	if !r.alive() {
		return nil
	}
	if err := p.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("sending %s to process %d: %w", sig, r.PID, err)
	}
	return nil
}

// end asks the process to stop, and after the grace period makes it; without
// a grace period it makes it at once.
func (r processRecord) end(ctx context.Context, grace time.Duration) error {
	gone := func(context.Context) error {
		if r.alive() {
			return fmt.Errorf("process %d still runs", r.PID)
		}
		return nil
	}
	if grace > 0 {
		// A process that a fault test has frozen must run to see its SIGTERM.
		for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGCONT} {
			if err := r.signal(sig); err != nil {
				return err
			}
		}
		if waitFor(ctx, grace, gone) == nil {
			return nil
		}
	}
	if err := r.signal(syscall.SIGKILL); err != nil {
		return err
	}
	return waitFor(ctx, 10*time.Second, gone)
}

// thaw lets a process run on that a fault test has frozen.
func (r processRecord) thaw() error {
	if stat, err := readStat(r.PID); err == nil && stat.state == 'T' {
		return r.signal(syscall.SIGCONT)
	}
	return nil
}

// readRecord returns the zero record where there is no pid file or it was cut
// short by a crash: both mean that nothing is known to run.
func readRecord(path string) processRecord {
	var r processRecord
	text, err := os.ReadFile(path)
	if err != nil || json.Unmarshal(text, &r) != nil {
		return processRecord{}
	}
	return r
}

func writeRecord(path string, r processRecord) error {
	text, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("encoding a pid file: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("making the pid directory: %w", err)
	}
	if err := os.WriteFile(path, append(text, '\n'), 0o644); err != nil {
		return fmt.Errorf("writing a pid file: %w", err)
	}
	return nil
}

// launch starts a component in a session of its own and writes its pid file.
func (c *cluster) launch(comp component) error {
	logPath := c.layout.log(comp.name)
	if err := os.MkdirAll(filepath.Dir(logPath), 0o755); err != nil {
		return fmt.Errorf("making the log directory: %w", err)
	}
	if info, err := os.Stat(logPath); err == nil && info.Size() > maxLogSize {
		if err := os.Rename(logPath, logPath+".old"); err != nil {
			return fmt.Errorf("moving a large log aside: %w", err)
		}
	}
	log, err := os.OpenFile(logPath, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("opening the log: %w", err)
	}
	defer func() { _ = log.Close() }()

	cmd := exec.Command(comp.path, comp.args...) //nolint:noctx // the process must outlive this command
	cmd.Dir = c.layout.state()
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	// Nothing is inherited: a proxy variable of the user's shell would send
	// the components' own traffic off the machine.
	cmd.Env = []string{"PATH=" + searchPath, "HOME=/root", ownerVariable + "=" + c.layout.dir}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("starting %s: %w", comp.name, err)
	}
	record, err := recordOf(cmd.Process.Pid, comp.digest)
	if err != nil {
		return errors.Join(err, cmd.Process.Kill())
	}
	if err := writeRecord(c.layout.pidFile(comp.name), record); err != nil {
		return errors.Join(err, cmd.Process.Kill())
	}
	return cmd.Process.Release()
}

// strays finds processes that carry our mark, whatever became of their pid
// files: components, and the shims that containerd leaves behind.
func (l layout) strays() []processRecord {
	entries, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return nil
	}
	mark := ownerVariable + "=" + l.dir
	var found []processRecord
	for _, entry := range entries {
		environ, err := os.ReadFile(filepath.Join(entry, "environ"))
		if err != nil || !hasVariable(string(environ), mark) {
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(entry))
		if err != nil || pid == os.Getpid() {
			continue
		}
		if record, err := recordOf(pid, ""); err == nil && record.alive() {
			found = append(found, record)
		}
	}
	return found
}

// hasShims says whether a pod still runs: each has one containerd shim.
func (l layout) hasShims() bool {
	for _, stray := range l.strays() {
		// The kernel cuts the name after 15 characters.
		if stat, err := readStat(stray.PID); err == nil && stat.command == "containerd-shim" {
			return true
		}
	}
	return false
}

func hasVariable(environ, mark string) bool {
	for variable := range strings.SplitSeq(environ, "\x00") {
		if variable == mark {
			return true
		}
	}
	return false
}

// pollInterval is short because every step of a start waits for the one before.
const pollInterval = 50 * time.Millisecond

// waitFor asks again until the check succeeds, and returns its last error when
// the time is up.
func waitFor(ctx context.Context, timeout time.Duration, check func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for {
		err := check(ctx)
		var fatal fatalError
		if err == nil || errors.As(err, &fatal) {
			return err
		}
		select {
		case <-ctx.Done():
			if errors.Is(ctx.Err(), context.Canceled) {
				return fmt.Errorf("interrupted: %w", err)
			}
			return fmt.Errorf("waited %s: %w", timeout, err)
		case <-tick.C:
		}
	}
}

// fatalError ends a wait early: waiting longer cannot help.
type fatalError struct{ error }

func (e fatalError) Unwrap() error { return e.error }
