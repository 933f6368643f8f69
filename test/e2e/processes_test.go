//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// runProgram runs a program and keeps what it says for the error.
func runProgram(ctx context.Context, dir, program string, args ...string) error {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = dir
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("running %s %s: %w\n%s", filepath.Base(program), strings.Join(args, " "), err, &said)
	}
	return nil
}

// victims are the pods whose processes may be ended. Kubernetes itself can only ask a process to stop; a crash has to come
// from the host, which sees every container's processes.
type victims struct {
	// uids of our own pods: a process is theirs when it has their volumes, which lie in a folder of that name.
	uids []string
}

func findVictims(t *testing.T, k kube) victims {
	t.Helper()
	pods, err := k.pods(t.Context())
	must(t, err)
	var v victims
	for i := range pods {
		v.uids = append(v.uids, string(pods[i].UID))
	}
	if len(v.uids) == 0 {
		t.Fatalf("namespace %s has no pods", namespace)
	}
	return v
}

// kill ends the processes of a component with SIGKILL and returns how many there were.
func (v victims) kill(component string) (int, error) {
	pids, err := v.processes(component)
	if err != nil {
		return 0, err
	}
	killed := 0
	for _, pid := range pids {
		switch err := syscall.Kill(pid, syscall.SIGKILL); err {
		case nil:
			killed++
		case syscall.ESRCH:
		default:
			return killed, fmt.Errorf("killing the %s: %w", component, err)
		}
	}
	return killed, nil
}

// processes finds a component's processes on this host.
func (v victims) processes(component string) ([]int, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, fmt.Errorf("listing processes: %w", err)
	}
	var pids []int
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil || !v.owns(pid, component) {
			continue
		}
		pids = append(pids, pid)
	}
	return pids, nil
}

// owns says whether a process is the given component of our namespace, in one of our pods.
func (v victims) owns(pid int, component string) bool {
	dir := filepath.Join("/proc", strconv.Itoa(pid))
	// What has ended meanwhile is no victim.
	cmdline, err := os.ReadFile(filepath.Join(dir, "cmdline"))
	if err != nil {
		return false
	}
	args := strings.Split(string(bytes.TrimRight(cmdline, "\x00")), "\x00")
	if len(args) < 2 || args[0] != "/yingda" || args[1] != component || !slices.Contains(args, "--namespace="+namespace) {
		return false
	}
	mounts, err := os.ReadFile(filepath.Join(dir, "mountinfo"))
	if err != nil {
		return false
	}
	return slices.ContainsFunc(v.uids, func(uid string) bool { return strings.Contains(string(mounts), "/pods/"+uid+"/") })
}
