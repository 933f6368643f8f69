package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const patience = 10 * time.Second

func newProcesses(t *testing.T) processes {
	t.Helper()
	dir := t.TempDir()
	return processes{pids: filepath.Join(dir, "pids"), logs: filepath.Join(dir, "logs")}
}

// shell starts a shell command as a daemon which does not outlive the test.
func shell(t *testing.T, p processes, name, command string) {
	t.Helper()
	if err := p.start(name, "/bin/sh", "-c", command); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.kill(name); err != nil {
			t.Error(err)
		}
	})
}

// awaitLog waits until the process has said something.
func awaitLog(t *testing.T, p processes, name, text string) {
	t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	ticker := time.NewTicker(pollInterval)
	defer ticker.Stop()
	for !strings.Contains(p.tail(name), text) {
		select {
		case <-ticker.C:
		case <-deadline.C:
			t.Fatalf("it did not say %q, but: %s", text, p.tail(name))
		}
	}
}

func TestProcessIsStartedOnceAndEndsInGoodOrder(t *testing.T) {
	p := newProcesses(t)
	command := `trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.05; done`
	shell(t, p, "server", command)
	awaitLog(t, p, "server", "up")
	pid := p.pid("server")
	shell(t, p, "server", command)
	if again := p.pid("server"); pid == 0 || again != pid {
		t.Errorf("pid %d after the second start, %d after the first", again, pid)
	}
	if err := p.end("server"); err != nil {
		t.Fatal(err)
	}
	if p.running("server") {
		t.Error("it still runs")
	}
	awaitLog(t, p, "server", "bye")
}

func TestKilledProcessIsNotAsked(t *testing.T) {
	p := newProcesses(t)
	shell(t, p, "server", `trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.05; done`)
	awaitLog(t, p, "server", "up")
	if err := p.kill("server"); err != nil {
		t.Fatal(err)
	}
	if p.running("server") {
		t.Error("it still runs")
	}
	if got := p.tail("server"); strings.Contains(got, "bye") {
		t.Errorf("it said %q", got)
	}
	if _, err := os.Stat(p.pidFile("server")); !os.IsNotExist(err) {
		t.Errorf("its record is still there: %v", err)
	}
}

func TestProcessThatEndedByItselfIsStartedAgain(t *testing.T) {
	p := newProcesses(t)
	shell(t, p, "server", "echo first; sleep 0.3")
	awaitLog(t, p, "server", "first")
	deadline := time.Now().Add(patience)
	for p.running("server") && time.Now().Before(deadline) {
		awaitLog(t, p, "server", "first")
	}
	shell(t, p, "server", "echo second; sleep 0.3")
	awaitLog(t, p, "server", "second")
}

func TestNumberThatAnotherProcessGotMeanwhileIsLeftAlone(t *testing.T) {
	p := newProcesses(t)
	// This very process has the number, and began at another time than the record says.
	records := map[string]string{
		"another start":   fmt.Sprintf("%d 1\n", os.Getpid()),
		"no start":        fmt.Sprintf("%d\n", os.Getpid()),
		"no number":       "server 1\n",
		"an empty record": "",
		"nobody's number": "4194305 1\n",
	}
	for name, record := range records {
		t.Run(name, func(t *testing.T) {
			if err := os.MkdirAll(p.pids, 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(p.pidFile("server"), []byte(record), 0o600); err != nil {
				t.Fatal(err)
			}
			if p.running("server") {
				t.Error("it is taken for ours")
			}
			// Were it taken for ours, these would end the test.
			if err := p.end("server"); err != nil {
				t.Error(err)
			}
			if err := p.kill("server"); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestStartTimeIsReadBehindAnyName(t *testing.T) {
	p := newProcesses(t)
	program := filepath.Join(t.TempDir(), "a) R (b 1 2")
	shellBinary, err := os.ReadFile("/bin/sh")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(program, shellBinary, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := p.start("server", program, "-c", "echo up; while :; do sleep 0.05; done"); err != nil {
		t.Fatal(err)
	}
	awaitLog(t, p, "server", "up")
	if !p.running("server") {
		t.Error("it is not found again")
	}
	if err := p.kill("server"); err != nil {
		t.Error(err)
	}
}

func TestProgramThatIsMissingIsAnError(t *testing.T) {
	p := newProcesses(t)
	if err := p.start("server", filepath.Join(t.TempDir(), "missing")); err == nil {
		t.Error("no error")
	}
	if p.running("server") {
		t.Error("it runs")
	}
}
