package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// The machine-wide names and numbers. Only one such cluster can live on a
// machine: they are constants, and the bridge's alias says whose it is.
const (
	nodeName    = "yingda"
	hostBridge  = "yd0"
	podBridge   = "cni0"
	cniNetwork  = "yingda"
	hostAddress = "10.97.0.1"
	serviceCIDR = "10.96.0.0/16"
	podCIDR     = "10.98.0.0/16"
	apiService  = "10.96.0.1"
	pauseImage  = "yingda-pause:local"
)

// layout knows where everything lies below the run directory.
type layout struct{ dir string }

func (l layout) state(elem ...string) string {
	return filepath.Join(append([]string{l.dir, "cluster"}, elem...)...)
}
func (l layout) pki(file string) string        { return l.state("pki", file) }
func (l layout) config(file string) string     { return l.state("config", file) }
func (l layout) bin(name string) string        { return l.state("bin", name) }
func (l layout) containerd(file string) string { return l.state("containerd", file) }
func (l layout) kubeletRoot() string           { return l.state("kubelet") }
func (l layout) podLogs() string               { return l.state("pod-logs") }
func (l layout) ipam() string                  { return l.state("ipam") }
func (l layout) hostRecord() string            { return l.state("host.json") }
func (l layout) lock() string                  { return l.state("lock") }
func (l layout) etcdData() string              { return filepath.Join(l.dir, "data", "etcd") }
func (l layout) kubeconfig() string            { return filepath.Join(l.dir, "kubeconfig") }
func (l layout) pidFile(name string) string    { return filepath.Join(l.dir, "pids", name+".pid") }
func (l layout) log(name string) string        { return filepath.Join(l.dir, "logs", name+".log") }
func (l layout) socket() string                { return l.containerd("containerd.sock") }
func (l layout) criEndpoint() string           { return "unix://" + l.socket() }

// cluster is one local cluster: its run directory, and where progress is told.
type cluster struct {
	layout layout
	out    io.Writer
	now    func() time.Time
	began  time.Time
}

func newCluster(dir string, out io.Writer) (*cluster, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("finding the run directory: %w", err)
	}
	l := layout{dir: abs}
	if len(l.socket()) > maxSocketPath {
		return nil, fmt.Errorf("the run directory %s has too long a path for containerd's socket (%d characters over): choose a shorter --dir",
			abs, len(l.socket())-maxSocketPath)
	}
	if strings.ContainsAny(abs, " \t\n\"'\\,=") {
		return nil, fmt.Errorf("the run directory %q has blanks or quotes in its path: choose another --dir", abs)
	}
	return &cluster{layout: l, out: out, now: time.Now, began: time.Now()}, nil
}

// maxSocketPath leaves room for the suffix ".ttrpc" in sockaddr_un's 108 bytes.
const maxSocketPath = 107 - len(".ttrpc")

func (c *cluster) printf(format string, args ...any) {
	fmt.Fprintf(c.out, format, args...)
}

// step tells one line of progress with the time since the command began.
func (c *cluster) step(format string, args ...any) {
	c.printf("[%5.1fs] %s\n", c.now().Sub(c.began).Seconds(), fmt.Sprintf(format, args...))
}

// acquire makes two commands on the same run directory take turns.
func (c *cluster) acquire() (release func(), err error) {
	if os.Geteuid() != 0 {
		return nil, errors.New("a local cluster needs root (network devices, mounts, cgroups): run this with sudo, or point KUBECONFIG at a cluster of your own")
	}
	if err := os.MkdirAll(c.layout.state(), 0o755); err != nil {
		return nil, fmt.Errorf("making the state directory: %w", err)
	}
	f, err := os.OpenFile(c.layout.lock(), os.O_CREATE|os.O_RDWR|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the lock: %w", err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX); err != nil {
		return nil, errors.Join(fmt.Errorf("taking the lock: %w", err), f.Close())
	}
	return func() { _ = f.Close() }, nil
}

// makeLinks makes dir/<name> point at this program for every name it answers to.
func makeLinks(dir string) error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("finding this program: %w", err)
	}
	dir, err = filepath.Abs(dir)
	if err != nil {
		return fmt.Errorf("finding %s: %w", dir, err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("making %s: %w", dir, err)
	}
	target, err := filepath.Rel(dir, self)
	if err != nil {
		return fmt.Errorf("finding the way from %s to %s: %w", dir, self, err)
	}
	for _, name := range append(multiCallNames(), kubectlName) {
		link := filepath.Join(dir, name)
		if old, err := os.Readlink(link); err == nil && old == target {
			continue
		}
		if err := os.Remove(link); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("replacing the link %s: %w", link, err)
		}
		if err := os.Symlink(target, link); err != nil {
			return fmt.Errorf("making the link %s: %w", link, err)
		}
	}
	return nil
}
