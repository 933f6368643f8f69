package main

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// newTestLocal is an installation in a folder of its own, whose programs are shell scripts.
func newTestLocal(t *testing.T, programs map[string]string) *local {
	t.Helper()
	l := newLocal(t.TempDir())
	for name, script := range programs {
		path := l.bin(name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll(l.run, 0o755); err != nil {
		t.Fatal(err)
	}
	return l
}

func TestStartTime(t *testing.T) {
	const rest = " 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4711 20 21"
	for name, tt := range map[string]struct {
		stat, want string
		ended      bool
	}{
		"of a plain process":                      {stat: "7 (stack) S" + rest, want: "4711"},
		"of a process whose name looks like more": {stat: "7 (a) Z 1 2) S" + rest, want: "4711"},
		"a zombie has ended":                      {stat: "7 (stack) Z" + rest, ended: true},
		"what is cut short is no running process": {stat: "7 (stack) S 1 2", ended: true},
		"what is empty is no running process":     {stat: "", ended: true},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := startTime(tt.stat)
			if got != tt.want || (err != nil) != tt.ended {
				t.Errorf("got %q, %v; want %q, ended: %t", got, err, tt.want, tt.ended)
			}
		})
	}
}

func TestAProcessIsKnownByNumberStartAndBoot(t *testing.T) {
	self := os.Getpid()
	id, err := identity(self)
	if err != nil {
		t.Fatal(err)
	}
	started, boot, _ := strings.Cut(id, " ")
	for name, tt := range map[string]struct {
		record string
		want   int
	}{
		"the very process":                            {strconv.Itoa(self) + " " + id, self},
		"a process of an earlier boot":                {strconv.Itoa(self) + " " + started + " another-boot", 0},
		"an earlier process of the same number":       {strconv.Itoa(self) + " 1 " + boot, 0},
		"a file of a version that did not know boots": {strconv.Itoa(self) + " " + started, 0},
		"a file that was cut short":                   {"", 0},
	} {
		t.Run(name, func(t *testing.T) {
			p := processes{pids: t.TempDir()}
			if err := os.WriteFile(p.pidFile("kafka"), []byte(tt.record+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			if got := p.pid("kafka"); got != tt.want {
				t.Errorf("got process %d, want %d", got, tt.want)
			}
		})
	}
}

func TestASwitchOfBrokersIsRememberedUntilTheBrandIsSetUpAgain(t *testing.T) {
	// kubectl fails as long as a file says so, and otherwise notes what it was asked.
	l := newTestLocal(t, map[string]string{"k8s/kubectl": `[ ! -e broken ] && echo "$@" >>asked`})
	l.processes = processes{pids: t.TempDir(), logs: t.TempDir()}
	asked := func() int {
		text, err := os.ReadFile(filepath.Join(l.root, "asked"))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
		return strings.Count(string(text), "delete jobs")
	}
	broken := filepath.Join(l.root, "broken")
	for _, step := range []struct {
		does   string
		broker string
		// interrupted says that up did not come as far as the brand, failing that kubectl failed.
		interrupted, failing bool
		wantDeleted          int
	}{
		{does: "the first broker", broker: kfake},
		{does: "the same broker", broker: kfake},
		{does: "a switch that is interrupted", broker: apache, interrupted: true},
		{does: "a switch whose kubectl fails", broker: apache, failing: true},
		{does: "the switch, finished", broker: apache, wantDeleted: 1},
		{does: "nothing new", broker: apache, wantDeleted: 1},
		{does: "an interrupted switch back", broker: kfake, interrupted: true, wantDeleted: 1},
		{does: "a change of mind", broker: apache, wantDeleted: 2},
	} {
		if err := l.switchKafka(step.broker); err != nil {
			t.Fatal(step.does, err)
		}
		if got := l.lastKafka().kafka; got != step.broker {
			t.Errorf("%s: the broker is %q, want %q", step.does, got, step.broker)
		}
		if step.interrupted {
			continue
		}
		if step.failing {
			if err := os.WriteFile(broken, nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if err := l.settleKafka(t.Context()); (err != nil) != step.failing {
			t.Errorf("%s: settling: %v", step.does, err)
		}
		if step.failing {
			if err := os.Remove(broken); err != nil {
				t.Fatal(err)
			}
		}
		if got := asked(); got != step.wantDeleted {
			t.Errorf("%s: setup Jobs were deleted %d times, want %d", step.does, got, step.wantDeleted)
		}
	}
}

func TestTheBrokerIsKfakeWhereApacheKafkaCannotRun(t *testing.T) {
	for name, tt := range map[string]struct{ check, wanted, want string }{
		"kfake is asked for":        {"exit 1", kfake, kfake},
		"all is there":              {"exit 0", apache, apache},
		"the stack says what lacks": {"echo 'stack: java is missing' >&2; exit 1", apache, kfake},
	} {
		t.Run(name, func(t *testing.T) {
			l := newTestLocal(t, map[string]string{"stack": tt.check})
			got, err := l.chooseKafka(t.Context(), tt.wanted)
			if err != nil || got != tt.want {
				t.Errorf("got %q, %v; want %q", got, err, tt.want)
			}
		})
	}
	if _, err := newTestLocal(t, nil).chooseKafka(t.Context(), "rabbit"); err == nil {
		t.Error("a broker that does not exist was accepted")
	}
}

func TestThePurgeFollowsTheLinkThatTheStackMadeAndNoOther(t *testing.T) {
	for name, tt := range map[string]struct{ target, want string }{
		"the stack's":           {"/var/lib/yingda/0123456789abcdef", "/var/lib/yingda/0123456789abcdef"},
		"somebody's own":        {"/home/somebody/pgdata", ""},
		"one out of the folder": {"/var/lib/yingda/../important", ""},
		"the folder of all":     {"/var/lib/yingda", ""},
	} {
		t.Run(name, func(t *testing.T) {
			l := newTestLocal(t, nil)
			if err := os.MkdirAll(l.data("postgres"), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink(tt.target, l.data("postgres/pgdata")); err != nil {
				t.Fatal(err)
			}
			if got := l.databaseElsewhere(); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
