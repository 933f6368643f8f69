package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// sleeper starts a child that lives until the test ends.
func sleeper(t *testing.T) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "sleep", "300")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return cmd
}

func TestParseStat(t *testing.T) {
	cases := map[string]struct {
		text string
		want procStat
		ok   bool
	}{
		"a plain command": {
			"42 (etcd) S 1 42 42 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 9 0 123456 1 2", procStat{"etcd", 'S', 123456}, true,
		},
		"a command with blanks and parentheses": {
			"42 (a) b (c) T 1 42 42 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 9 0 99 1 2", procStat{"a) b (c", 'T', 99}, true,
		},
		"a text cut short":            {"42 (etcd) S 1 42", procStat{}, false},
		"a text without a command":    {"42 etcd S", procStat{}, false},
		"a start time that is a word": {"42 (etcd) S 1 42 42 0 -1 1 1 2 3 4 5 6 7 8 20 0 9 0 soon 1", procStat{}, false},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := parseStat(test.text)
			if (err == nil) != test.ok {
				t.Fatalf("parseStat() error = %v", err)
			}
			if diff := cmp.Diff(test.want, got, cmp.AllowUnexported(procStat{})); diff != "" {
				t.Errorf("status differs (-want +got):\n%s", diff)
			}
		})
	}
}

func TestPidFileSurvivesARoundTrip(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pids", "etcd.pid")
	want := processRecord{PID: 7, StartTime: 8, BootID: "b", Config: "c"}
	if err := writeRecord(path, want); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, readRecord(path)); diff != "" {
		t.Errorf("record differs (-want +got):\n%s", diff)
	}
}

func TestADamagedPidFileMeansThatNothingRuns(t *testing.T) {
	path := filepath.Join(t.TempDir(), "etcd.pid")
	if err := os.WriteFile(path, []byte(`{"pid": 1`), 0o600); err != nil {
		t.Fatal(err)
	}
	if readRecord(path).alive() || readRecord(path+".absent").alive() {
		t.Error("a damaged or absent pid file names a live process")
	}
}

func TestARecycledPIDIsNeverSignalled(t *testing.T) {
	child := sleeper(t)
	record, err := recordOf(child.Process.Pid, "")
	if err != nil {
		t.Fatal(err)
	}
	cases := map[string]func(*processRecord){
		"another start time": func(r *processRecord) { r.StartTime++ },
		"another boot":       func(r *processRecord) { r.BootID = "another" },
	}
	for name, change := range cases {
		t.Run(name, func(t *testing.T) {
			recycled := record
			change(&recycled)
			if recycled.alive() {
				t.Fatal("taken for the same process")
			}
			if err := recycled.end(t.Context(), time.Second); err != nil {
				t.Fatal(err)
			}
			if !record.alive() {
				t.Fatal("the process of the same number was ended")
			}
		})
	}
}

func TestEndingAFrozenProcess(t *testing.T) {
	child := sleeper(t)
	record, err := recordOf(child.Process.Pid, "")
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	if err := record.end(t.Context(), 10*time.Second); err != nil {
		t.Fatal(err)
	}
	if err := child.Wait(); err == nil {
		t.Error("the process ended by itself")
	}
}

func TestMarkInTheEnvironment(t *testing.T) {
	const mark = ownerVariable + "=/a/.run"
	cases := map[string]struct {
		environ string
		want    bool
	}{
		"our mark":                  {"PATH=/bin\x00" + mark + "\x00", true},
		"the mark of another":       {mark + "2\x00", false},
		"a variable that ends so":   {"X" + mark + "\x00", false},
		"an environment without it": {"PATH=/bin\x00", false},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			if got := hasVariable(test.environ, mark); got != test.want {
				t.Errorf("hasVariable() = %t, want %t", got, test.want)
			}
		})
	}
}
