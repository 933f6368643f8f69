package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// stopGrace is how long a component may take to end by itself.
const stopGrace = 10 * time.Second

// downOptions are the choices of `cluster down`.
type downOptions struct {
	// purge removes the data too.
	purge bool
}

// down stops everything and removes every trace outside the run directory. It
// goes on after a failed step, because each step is worth taking by itself, and
// keeps the host record until all have succeeded.
func (c *cluster) down(ctx context.Context, options downOptions) error {
	owner, bridged, err := bridgeOwner()
	if err != nil {
		return err
	}
	if _, err := os.Stat(c.layout.state()); errors.Is(err, fs.ErrNotExist) && owner != c.layout.dir {
		c.step("there is no local cluster in %s", c.layout.dir)
		return nil
	}
	release, err := c.acquire()
	if err != nil {
		return err
	}
	defer release()

	record, recordErr := c.readHostRecord()
	// The devices, chains and cgroups of the machine are ours to remove when
	// the bridge says so, or when there is none and we have changed the machine.
	ours := bridged && owner == c.layout.dir || !bridged && recordErr == nil

	errs := []error{c.stopProcesses(ctx)}
	if ours {
		errs = append(errs, c.resetRuntime(ctx), removeNetwork(), c.removeFixedPaths(), restoreSysctls(record))
	} else {
		errs = append(errs, c.unmountAll())
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	if err := os.Remove(c.layout.hostRecord()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("removing the host record: %w", err)
	}
	if options.purge {
		if err := c.purge(); err != nil {
			return err
		}
		c.step("the local cluster is down, its data removed")
		return nil
	}
	c.step("the local cluster is down; its data stays in %s", c.layout.dir)
	return nil
}

// stopProcesses ends the kubelet, then the pods (which it would start again),
// then the rest, in the reverse of the order in which they start.
func (c *cluster) stopProcesses(ctx context.Context) error {
	var errs []error
	if err := c.stop(ctx, kubeletName); err != nil {
		errs = append(errs, err)
	}
	if readRecord(c.layout.pidFile(containerdName)).alive() {
		if err := c.stopPods(ctx); err != nil {
			// Not fatal: what is left is killed below.
			c.step("some pods did not stop by themselves: %v", err)
		} else {
			c.step("pods stopped")
		}
	}
	for _, name := range slices.Backward(componentNames()) {
		if err := c.stop(ctx, name); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(append(errs, c.endStrays(ctx))...)
}

// stop ends one component, if it runs, and removes its pid file.
func (c *cluster) stop(ctx context.Context, name string) error {
	return c.stopWithin(ctx, name, stopGrace)
}

func (c *cluster) stopWithin(ctx context.Context, name string, grace time.Duration) error {
	path := c.layout.pidFile(name)
	if record := readRecord(path); record.alive() {
		if err := record.end(ctx, grace); err != nil {
			return fmt.Errorf("stopping %s: %w", name, err)
		}
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("removing a pid file: %w", err)
	}
	return nil
}

// stopComponent stops one component; the next `up` or startComponent starts it.
// Without grace it is killed.
func (c *cluster) stopComponent(ctx context.Context, name string, grace time.Duration) error {
	release, err := c.acquire()
	if err != nil {
		return err
	}
	defer release()
	if err := c.stopWithin(ctx, name, grace); err != nil {
		return err
	}
	c.step("%s stopped", name)
	return nil
}

// purge removes the cluster's data. The run directory is shared with others:
// only what is the cluster's goes.
func (c *cluster) purge() error {
	paths := []string{c.layout.state(), c.layout.etcdData(), c.layout.kubeconfig()}
	for _, name := range componentNames() {
		paths = append(paths, c.layout.log(name), c.layout.log(name)+".old")
	}
	var errs []error
	for _, path := range paths {
		if err := os.RemoveAll(path); err != nil {
			errs = append(errs, fmt.Errorf("removing data: %w", err))
		}
	}
	for _, dir := range []string{"data", "logs", "pids", ""} {
		// Fails, as it should, where others keep something there.
		_ = os.Remove(filepath.Join(c.layout.dir, dir))
	}
	return errors.Join(errs...)
}
