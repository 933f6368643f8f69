package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
	internalapi "k8s.io/cri-api/pkg/apis"
	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"
	criclient "k8s.io/cri-client/pkg"
)

const (
	criTimeout = 30 * time.Second
	// podGrace is what containers get to end by themselves on the way down.
	podGrace = 10 * time.Second
)

func (l layout) runtime(ctx context.Context) (internalapi.RuntimeService, error) {
	service, err := criclient.NewRemoteRuntimeService(ctx, l.criEndpoint(), criTimeout, nil, false)
	if err != nil {
		return nil, fmt.Errorf("connecting to containerd: %w", err)
	}
	return service, nil
}

// stopPods ends every container with its grace period, then every sandbox with
// its network. They stay on record, as after a reboot, and start again by `up`.
func (c *cluster) stopPods(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 4*podGrace)
	defer cancel()
	service, err := c.layout.runtime(ctx)
	if err != nil {
		return err
	}
	running := &runtimeapi.ContainerStateValue{State: runtimeapi.ContainerState_CONTAINER_RUNNING}
	containers, err := service.ListContainers(ctx, &runtimeapi.ContainerFilter{State: running})
	if err != nil {
		return fmt.Errorf("listing containers: %w", err)
	}
	ready := &runtimeapi.PodSandboxStateValue{State: runtimeapi.PodSandboxState_SANDBOX_READY}
	sandboxes, err := service.ListPodSandbox(ctx, &runtimeapi.PodSandboxFilter{State: ready})
	if err != nil {
		return fmt.Errorf("listing pods: %w", err)
	}
	err = inParallel(containers, func(container *runtimeapi.Container) error {
		return service.StopContainer(ctx, container.GetId(), int64(podGrace.Seconds()))
	})
	return errors.Join(err, inParallel(sandboxes, func(sandbox *runtimeapi.PodSandbox) error {
		return service.StopPodSandbox(ctx, sandbox.GetId())
	}))
}

func inParallel[T any](items []T, do func(T) error) error {
	errs := make([]error, len(items))
	var wg sync.WaitGroup
	for i, item := range items {
		wg.Go(func() { errs[i] = do(item) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// resetRuntime removes what a killed container runtime leaves behind:
// containers, their mounts and cgroups, and the state that would lie on a tmpfs
// elsewhere. It is what a reboot does. containerd, its shims and the kubelet
// must not run.
func (c *cluster) resetRuntime(ctx context.Context) error {
	ids := c.layout.containerIDs()
	errs := []error{c.killContainers(ctx, ids), c.unmountAll(), removeCgroups(ids), c.layout.removeShimSockets(ids)}
	for _, path := range []string{
		c.layout.containerd("state"), c.layout.containerd("runc"), c.layout.socket(), c.layout.socket() + ".ttrpc", c.layout.ipam(),
	} {
		if err := os.RemoveAll(path); err != nil {
			errs = append(errs, fmt.Errorf("removing runtime state: %w", err))
		}
	}
	return errors.Join(errs...)
}

// endStrays ends the processes that carry our mark.
func (c *cluster) endStrays(ctx context.Context) error {
	return inParallel(c.layout.strays(), func(stray processRecord) error {
		return stray.end(ctx, time.Second)
	})
}

// killContainers ends what still runs in the containers' cgroups: processes
// whose shim was killed.
func (c *cluster) killContainers(ctx context.Context, containerIDs []string) error {
	return waitFor(ctx, 10*time.Second, func(context.Context) error {
		pids := cgroupProcesses(containerIDs)
		for _, pid := range pids {
			// A process may end by itself between the listing and the signal.
			if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
				return fatalError{fmt.Errorf("killing container process %d: %w", pid, err)}
			}
		}
		if len(pids) > 0 {
			return fmt.Errorf("%d container processes still run", len(pids))
		}
		return nil
	})
}

// criCgroup is where containerd puts the containers of the kubelet. Another
// runtime of the machine may use it too: only the containers in it are ours
// that our own runtime knows.
const criCgroup = "k8s.io"

// containerIDs returns the containers that the runtime's state on disk tells of.
func (l layout) containerIDs() []string {
	var ids []string
	for _, dir := range []string{"runc/k8s.io", "state/io.containerd.runtime.v2.task/k8s.io"} {
		entries, err := os.ReadDir(l.containerd(dir))
		if err != nil {
			continue // nothing has ever run
		}
		for _, entry := range entries {
			ids = append(ids, entry.Name())
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// removeShimSockets removes the sockets of killed shims, which lie outside the
// run directory whatever containerd is told.
func (l layout) removeShimSockets(containerIDs []string) error {
	var errs []error
	for _, id := range containerIDs {
		address, err := os.ReadFile(l.containerd("state/io.containerd.runtime.v2.task/k8s.io/" + id + "/address"))
		if err != nil {
			continue // a container shares the shim of its pod
		}
		if err := os.Remove(strings.TrimPrefix(string(address), "unix://")); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, fmt.Errorf("removing the socket of a shim: %w", err))
		}
	}
	return errors.Join(errs...)
}

// cgroupDirs returns the cgroups of the containers in every hierarchy that is
// mounted, the deepest first.
func cgroupDirs(containerIDs []string) []string {
	var dirs []string
	for _, mount := range mounts() {
		if mount.fsType != "cgroup" && mount.fsType != "cgroup2" {
			continue
		}
		for _, id := range containerIDs {
			// Cgroups vanish while we walk: what cannot be read is gone.
			_ = filepath.WalkDir(filepath.Join(mount.point, criCgroup, id), func(path string, entry fs.DirEntry, err error) error {
				if err == nil && entry.IsDir() {
					dirs = append(dirs, path)
				}
				return nil
			})
		}
	}
	slices.Reverse(dirs)
	return dirs
}

func cgroupProcesses(containerIDs []string) []int {
	var pids []int
	for _, dir := range cgroupDirs(containerIDs) {
		text, err := os.ReadFile(filepath.Join(dir, "cgroup.procs"))
		if err != nil {
			continue
		}
		for field := range strings.FieldsSeq(string(text)) {
			if pid, err := strconv.Atoi(field); err == nil && pid > 0 {
				pids = append(pids, pid)
			}
		}
	}
	slices.Sort(pids)
	return slices.Compact(pids)
}

func removeCgroups(containerIDs []string) error {
	var errs []error
	for _, dir := range cgroupDirs(containerIDs) {
		if err := unix.Rmdir(dir); err != nil && !errors.Is(err, unix.ENOENT) {
			errs = append(errs, fmt.Errorf("removing the cgroup %s: %w", dir, err))
		}
	}
	for _, mount := range mounts() {
		if mount.fsType == "cgroup" || mount.fsType == "cgroup2" {
			// Fails, as it should, where another runtime has containers in it.
			_ = unix.Rmdir(filepath.Join(mount.point, criCgroup))
		}
	}
	return errors.Join(errs...)
}

type mount struct{ point, fsType string }

// parseMounts reads the text of /proc/self/mountinfo.
func parseMounts(text string) []mount {
	var all []mount
	// Blanks in a path are written as octal escapes; we refuse them in ours.
	for line := range strings.Lines(text) {
		before, after, ok := strings.Cut(line, " - ")
		left, right := strings.Fields(before), strings.Fields(after)
		const pointField = 4
		if ok && len(left) > pointField && len(right) > 0 {
			all = append(all, mount{point: left[pointField], fsType: right[0]})
		}
	}
	return all
}

func mounts() []mount {
	text, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil
	}
	return parseMounts(string(text))
}

// unmountAll unmounts everything below the state directory, the latest first.
func (c *cluster) unmountAll() error {
	var errs []error
	all := mounts()
	slices.Reverse(all)
	for _, mount := range all {
		if !strings.HasPrefix(mount.point, c.layout.state()+"/") {
			continue
		}
		// EINVAL: it went with a mount that covered it.
		if err := unix.Unmount(mount.point, unix.MNT_DETACH); err != nil && !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.ENOENT) {
			errs = append(errs, fmt.Errorf("unmounting %s: %w", mount.point, err))
		}
	}
	return errors.Join(errs...)
}

// snapshotter returns the snapshotter that works on the run directory's file
// system: overlayfs cannot be stacked on itself (a checkout inside a container).
func (l layout) snapshotter() (string, error) {
	var stat unix.Statfs_t
	if err := unix.Statfs(l.state(), &stat); err != nil {
		return "", fmt.Errorf("looking at the file system of the run directory: %w", err)
	}
	if stat.Type == unix.OVERLAYFS_SUPER_MAGIC {
		return "native", nil
	}
	return "overlayfs", nil
}
