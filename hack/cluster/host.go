package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// searchPath is the PATH of everything that we start: the daemons of Debian
// packages lie in the sbin directories, which a user's PATH may lack.
const searchPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// requirement is a Debian package and a program or file that proves it.
type requirement struct {
	pkg   string
	paths []string
}

func requirements() []requirement {
	return []requirement{
		{"containerd", searchIn(containerdName)},
		{"runc", searchIn("runc")},
		{"containernetworking-plugins", []string{"/usr/lib/cni/bridge", "/opt/cni/bin/bridge"}},
		{"iptables", searchIn("iptables-save")},
		{"conntrack", searchIn("conntrack")},
		{"iproute2", searchIn("ip")},
	}
}

// find returns where the requirement is met.
func (r requirement) find() (string, bool) {
	for _, path := range r.paths {
		if info, err := os.Stat(path); err == nil && !info.IsDir() {
			return path, true
		}
	}
	return "", false
}

func missingPackages() []string {
	var missing []string
	for _, r := range requirements() {
		if _, ok := r.find(); !ok {
			missing = append(missing, r.pkg)
		}
	}
	return missing
}

// programs are the parts of the Debian packages whose place we must know.
type programs struct{ containerd, cniPlugins string }

// ensurePackages installs what is missing, where that is possible.
func (c *cluster) ensurePackages() (programs, error) {
	if missing := missingPackages(); len(missing) > 0 {
		list := strings.Join(missing, " ")
		apt := filepath.Join("/usr/bin", "apt-get")
		if _, err := os.Stat(apt); err != nil {
			return programs{}, fmt.Errorf("please install %s (the Debian package names)", list)
		}
		c.step("installing the Debian packages %s", list)
		install := append([]string{"install", "--yes", "--no-install-recommends"}, missing...)
		for _, args := range [][]string{{"update"}, install} {
			if _, err := run(apt, args...); err != nil {
				return programs{}, fmt.Errorf("please install %s by hand: %w", list, err)
			}
		}
	}
	var found programs
	for _, r := range requirements() {
		path, ok := r.find()
		switch {
		case !ok:
			return programs{}, fmt.Errorf("the Debian package %s is installed, but none of %s is there", r.pkg, strings.Join(r.paths, ", "))
		case r.pkg == containerdName:
			found.containerd = path
		case r.pkg == "containernetworking-plugins":
			found.cniPlugins = filepath.Dir(path)
		}
	}
	return found, nil
}

// run runs a program to its end and returns its output; its error holds the
// last line of what the program said.
func run(name string, args ...string) ([]byte, error) {
	if !strings.Contains(name, "/") {
		if path, ok := (requirement{paths: searchIn(name)}).find(); ok {
			name = path
		}
	}
	cmd := exec.Command(name, args...) //nolint:noctx // short programs of the system
	// RUNLEVEL=1 keeps apt-get from starting the services of what it installs: we start a containerd of our own.
	cmd.Env = append(os.Environ(), "PATH="+searchPath, "DEBIAN_FRONTEND=noninteractive", "RUNLEVEL=1")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	output, err := cmd.Output()
	if err != nil {
		lines := strings.Split(strings.TrimSpace(stderr.String()), "\n")
		return nil, fmt.Errorf("running %s: %w: %s", filepath.Base(name), err, lines[len(lines)-1])
	}
	return output, nil
}

func searchIn(program string) []string {
	var paths []string
	for dir := range strings.SplitSeq(searchPath, ":") {
		paths = append(paths, filepath.Join(dir, program))
	}
	return paths
}

// hostRecord says what a cluster has changed on the machine. It is written
// before the first change and removed after the last one is undone: its
// presence means that `down` has work to do.
type hostRecord struct {
	BootID  string            `json:"bootID"`
	Sysctls map[string]string `json:"sysctls"`
}

// changedSysctls are what the kubelet, kube-proxy and the CNI plugins set.
func changedSysctls() []string {
	return []string{
		"net/ipv4/ip_forward", "net/ipv4/conf/all/route_localnet", "net/bridge/bridge-nf-call-iptables",
		"net/ipv4/vs/conntrack", "vm/overcommit_memory", "vm/panic_on_oom", "kernel/panic", "kernel/panic_on_oops",
		"kernel/keys/root_maxkeys", "kernel/keys/root_maxbytes", "net/ipv4/conf/all/arp_ignore", "net/ipv4/conf/all/arp_announce",
	}
}

// recordHost remembers the machine's settings of before the cluster; a record
// of an earlier boot is worthless, because the settings went with that boot.
func (c *cluster) recordHost() error {
	boot, err := bootID()
	if err != nil {
		return err
	}
	if old, err := c.readHostRecord(); err == nil && old.BootID == boot {
		return nil
	}
	record := hostRecord{BootID: boot, Sysctls: map[string]string{}}
	for _, name := range changedSysctls() {
		if value, err := os.ReadFile(filepath.Join("/proc/sys", name)); err == nil {
			record.Sysctls[name] = strings.TrimSpace(string(value))
		}
	}
	text, err := json.MarshalIndent(record, "", "  ")
	if err != nil {
		return fmt.Errorf("encoding the host record: %w", err)
	}
	if err := os.WriteFile(c.layout.hostRecord(), text, 0o644); err != nil {
		return fmt.Errorf("writing the host record: %w", err)
	}
	return nil
}

func (c *cluster) readHostRecord() (hostRecord, error) {
	var record hostRecord
	text, err := os.ReadFile(c.layout.hostRecord())
	if err != nil {
		return record, fmt.Errorf("reading the host record: %w", err)
	}
	if err := json.Unmarshal(text, &record); err != nil {
		return record, fmt.Errorf("parsing the host record: %w", err)
	}
	return record, nil
}

// restoreSysctls sets the machine's settings back, unless it was booted since.
func restoreSysctls(record hostRecord) error {
	if boot, err := bootID(); err != nil || boot != record.BootID {
		return err
	}
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(record.Sysctls)) {
		path := filepath.Join("/proc/sys", name)
		if value, err := os.ReadFile(path); err != nil || strings.TrimSpace(string(value)) == record.Sysctls[name] {
			continue
		}
		if err := os.WriteFile(path, []byte(record.Sysctls[name]), 0o644); err != nil {
			errs = append(errs, fmt.Errorf("setting %s back: %w", name, err))
		}
	}
	return errors.Join(errs...)
}

// removeFixedPaths clears the few places outside the run directory that the
// kubelet, containerd and the CNI library use whatever they are told. Only
// what is ours goes, and directories only when they are empty then.
func (c *cluster) removeFixedPaths() error {
	var errs []error
	remove := func(path string) {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, fmt.Errorf("removing a leftover: %w", err))
		}
	}
	results, err := filepath.Glob("/var/lib/cni/results/*")
	errs = append(errs, err)
	for _, path := range results {
		// A result names the pod's network namespace, which lies in our directory.
		if text, err := os.ReadFile(path); err == nil && bytes.Contains(text, []byte(c.layout.dir+"/")) {
			remove(path)
		}
	}
	logLinks, err := filepath.Glob("/var/log/containers/*.log")
	errs = append(errs, err)
	for _, path := range logLinks {
		if target, err := os.Readlink(path); err == nil && strings.HasPrefix(target, c.layout.dir+"/") {
			remove(path)
		}
	}
	const devicePlugins = "/var/lib/kubelet/device-plugins"
	if others, err := filepath.Glob("/var/lib/kubelet/*"); err == nil && slices.Equal(others, []string{devicePlugins}) {
		remove(devicePlugins + "/kubelet.sock")
		remove(devicePlugins + "/kubelet_internal_checkpoint")
	}
	for _, dir := range []string{
		"/var/lib/cni/results", "/var/lib/cni/cache", "/var/lib/cni", "/var/log/containers",
		devicePlugins, "/var/lib/kubelet", "/run/containerd/s", "/run/containerd/fifo", "/run/containerd",
	} {
		if err := os.Remove(dir); err != nil && !errors.Is(err, fs.ErrNotExist) &&
			!errors.Is(err, unix.ENOTEMPTY) && !errors.Is(err, unix.EBUSY) {
			errs = append(errs, fmt.Errorf("removing an empty directory: %w", err))
		}
	}
	return errors.Join(errs...)
}
