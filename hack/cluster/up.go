package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// logTail is how many lines of a failing component's log `up` shows.
const logTail = 20

// up brings the cluster to where everything runs and the node is Ready, from
// nothing, from a half-started or crashed cluster, or from a rebooted machine.
func (c *cluster) up(ctx context.Context) error {
	release, err := c.acquire()
	if err != nil {
		return err
	}
	defer release()

	if err := c.refuseOthers(); err != nil {
		return err
	}
	components, err := c.prepare()
	if err != nil {
		return err
	}
	if err := c.ensureNetwork(); err != nil {
		return err
	}
	began := c.now()
	started, err := c.startAll(ctx, components)
	if err != nil {
		return err
	}
	if err := c.waitNode(ctx, started.kubeletSince); err != nil {
		return c.withLog(kubeletName, err)
	}
	if started.runtimeReset {
		c.waitPods(ctx, began)
	}
	c.step("node %s is ready: export KUBECONFIG=%s", nodeName, c.layout.kubeconfig())
	return nil
}

// refuseOthers fails when the machine's one place for a cluster is taken.
func (c *cluster) refuseOthers() error {
	owner, exists, err := bridgeOwner()
	if err != nil {
		return err
	}
	if exists && owner == "" {
		return fmt.Errorf("the network device %s exists and is not of a local cluster: remove it (ip link delete %s)", hostBridge, hostBridge)
	}
	if exists && owner != c.layout.dir {
		return fmt.Errorf("this machine runs the local cluster of %s already; stop it first: cluster down --dir %s", owner, owner)
	}
	if _, err := c.readHostRecord(); exists || err == nil {
		return nil
	}
	if len(missingPackages()) > 0 {
		return nil // without iptables there is no other kube-proxy
	}
	foreign, err := foreignKubernetes()
	if err == nil && foreign {
		err = errors.New("this machine runs another Kubernetes (iptables has KUBE-SERVICES): point KUBECONFIG at it, or stop it")
	}
	return err
}

// prepare writes everything that the components read, and returns them.
func (c *cluster) prepare() ([]component, error) {
	found, err := c.ensurePackages()
	if err != nil {
		return nil, err
	}
	if err := c.recordHost(); err != nil {
		return nil, err
	}
	if err := makeLinks(c.layout.state("bin")); err != nil {
		return nil, err
	}
	if err := ensurePKI(c.layout.state("pki"), c.now()); err != nil {
		return nil, err
	}
	if err := c.writeConfig(found.cniPlugins); err != nil {
		return nil, err
	}
	// The data directory is shared with servers that run as other users.
	if err := os.MkdirAll(filepath.Dir(c.layout.etcdData()), 0o755); err != nil {
		return nil, fmt.Errorf("making the data directory: %w", err)
	}
	components := c.layout.components(found.containerd)
	for i := range components {
		if components[i], err = components[i].sealed(); err != nil {
			return nil, err
		}
	}
	return components, nil
}

func (c *cluster) writeConfig(cniPlugins string) error {
	snapshotter, err := c.layout.snapshotter()
	if err != nil {
		return err
	}
	files, err := renderConfig(c.layout.settings(cniPlugins, snapshotter))
	if err != nil {
		return err
	}
	for name, text := range files {
		path := c.layout.config(name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return fmt.Errorf("making the configuration directory: %w", err)
		}
		// kube-proxy ends when its file is written, be it with the same text.
		if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, text) {
			continue
		}
		if err := os.WriteFile(path, text, 0o644); err != nil {
			return fmt.Errorf("writing the configuration %s: %w", name, err)
		}
	}
	for _, user := range []string{kubeControllerManager, kubeScheduler, kubeletName, kubeProxy} {
		if err := writeKubeconfig(c.layout.state("pki"), user, c.layout.config(user+".kubeconfig")); err != nil {
			return err
		}
	}
	return writeKubeconfig(c.layout.state("pki"), "admin", c.layout.kubeconfig())
}

// startReport says what the API server's memory of the node must be measured by.
type startReport struct {
	// kubeletSince is when this run started the kubelet, if it did.
	kubeletSince time.Time
	// runtimeReset says that no container of before lives on.
	runtimeReset bool
}

// startAll starts what does not run as it should, and waits for each group in turn.
func (c *cluster) startAll(ctx context.Context, components []component) (startReport, error) {
	var report startReport
	var err error
	if report.runtimeReset, err = c.healRuntime(ctx); err != nil {
		return report, err
	}
	for _, group := range [][]string{
		{containerdName, etcd},
		{kubeAPIServer},
		{kubeControllerManager, kubeScheduler, kubeletName, kubeProxy},
	} {
		began := c.now()
		started, err := c.startGroup(ctx, components, group)
		if err != nil {
			return report, err
		}
		if slices.Contains(started, kubeletName) {
			report.kubeletSince = began
		}
		if slices.Contains(group, containerdName) {
			if err := c.ensurePauseImage(ctx); err != nil {
				return report, err
			}
		}
		if len(started) > 0 {
			c.step("%s ready", strings.Join(started, ", "))
		}
	}
	return report, nil
}

// startGroup starts components that do not need each other, and waits for them.
func (c *cluster) startGroup(ctx context.Context, components []component, group []string) (started []string, err error) {
	for _, comp := range components {
		if !slices.Contains(group, comp.name) {
			continue
		}
		launched, err := c.ensureRunning(ctx, comp)
		if err != nil {
			return nil, err
		}
		if launched {
			started = append(started, comp.name)
		}
	}
	return started, c.waitReady(ctx, group)
}

// healRuntime clears what a crash or a reboot left of the container runtime.
// Shims that still live are the pods that survived a killed containerd: then
// containerd takes them over again, and nothing may be touched.
func (c *cluster) healRuntime(ctx context.Context) (reset bool, err error) {
	if readRecord(c.layout.pidFile(containerdName)).alive() || c.layout.hasShims() {
		return false, nil
	}
	if err := c.stop(ctx, kubeletName); err != nil {
		return false, err
	}
	return true, c.resetRuntime(ctx)
}

// ensureRunning starts the component unless it runs already as it is described.
func (c *cluster) ensureRunning(ctx context.Context, comp component) (launched bool, err error) {
	record := readRecord(c.layout.pidFile(comp.name))
	if record.alive() && record.Config == comp.digest {
		return false, record.thaw()
	}
	if record.alive() {
		c.step("%s has a new configuration: restarting it", comp.name)
		if err := c.stop(ctx, comp.name); err != nil {
			return false, err
		}
	}
	for _, address := range comp.listens {
		if err := freeAddress(address); err != nil {
			return false, fmt.Errorf("starting %s: %w", comp.name, err)
		}
	}
	return true, c.launch(comp)
}

func (c *cluster) waitReady(ctx context.Context, names []string) error {
	for _, name := range names {
		record := readRecord(c.layout.pidFile(name))
		err := waitFor(ctx, readyTimeout, func(ctx context.Context) error {
			err := c.probe(ctx, name)
			if err != nil && !record.alive() {
				return fatalError{errors.New("it has ended")}
			}
			return err
		})
		if err != nil {
			return c.withLog(name, fmt.Errorf("starting %s: %w", name, err))
		}
	}
	return nil
}

// withLog shows the end of the component's log and returns the error.
func (c *cluster) withLog(name string, err error) error {
	path := c.layout.log(name)
	if text, readErr := os.ReadFile(path); readErr == nil {
		lines := bytes.Split(bytes.TrimSpace(text), []byte("\n"))
		c.printf("the last lines of %s:\n", path)
		for _, line := range lines[max(0, len(lines)-logTail):] {
			c.printf("  %s\n", line)
		}
	}
	return err
}

// startComponent starts one component again after stopComponent.
func (c *cluster) startComponent(ctx context.Context, name string) error {
	release, err := c.acquire()
	if err != nil {
		return err
	}
	defer release()
	if err := c.refuseOthers(); err != nil {
		return err
	}
	components, err := c.prepare()
	if err != nil {
		return err
	}
	for _, comp := range components {
		if comp.name != name {
			continue
		}
		if _, err := c.ensureRunning(ctx, comp); err != nil {
			return err
		}
	}
	if err := c.waitReady(ctx, []string{name}); err != nil {
		return err
	}
	c.step("%s ready", name)
	return nil
}
