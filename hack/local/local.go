package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// postgresRoot is where hack/stack keeps databases whose checkout the server's user cannot enter.
const postgresRoot = "/var/lib/yingda"

// cluster is how kubectl and Helm reach one.
type cluster struct {
	// kubectl is the program.
	kubectl string
	// kubeconfig is the file; empty for what the environment says.
	kubeconfig string
}

// local is one checkout's installation.
type local struct {
	root, run string
	cluster   cluster
	processes processes
	began     time.Time
}

func newLocal(root string) *local {
	run := filepath.Join(root, ".run")
	return &local{
		root: root, run: run, began: time.Now(),
		cluster:   cluster{kubectl: filepath.Join(root, "bin", "k8s", "kubectl"), kubeconfig: filepath.Join(run, "kubeconfig")},
		processes: processes{pids: filepath.Join(run, "pids"), logs: filepath.Join(run, "logs")},
	}
}

func (l *local) bin(name string) string    { return filepath.Join(l.root, "bin", name) }
func (l *local) data(name string) string   { return filepath.Join(l.run, "data", name) }
func (l *local) source(name string) string { return filepath.Join(l.root, name) }
func (l *local) envFile() string           { return filepath.Join(l.run, "env") }
func (l *local) step(f string, args ...any) {
	fmt.Printf("[%6.1f s] "+f+"\n", append([]any{time.Since(l.began).Seconds()}, args...)...)
}

// command prepares a program with the KUBECONFIG of the cluster.
func (l *local) command(ctx context.Context, program string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = l.root
	cmd.Env = os.Environ()
	if l.cluster.kubeconfig != "" {
		cmd.Env = append(cmd.Env, "KUBECONFIG="+l.cluster.kubeconfig)
	}
	return cmd
}

// show runs a program whose progress people want to see.
func (l *local) show(ctx context.Context, program string, args ...string) error {
	cmd := l.command(ctx, program, args...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("running %s %s: %w", filepath.Base(program), args[0], err)
	}
	return nil
}

// output runs a program and returns what it printed; when it fails, the error holds what it said.
func (l *local) output(ctx context.Context, program string, args ...string) (string, error) {
	return l.feed(ctx, "", program, args...)
}

// feed is output with text on the program's standard input.
func (l *local) feed(ctx context.Context, text, program string, args ...string) (string, error) {
	var stdout, stderr bytes.Buffer
	cmd := l.command(ctx, program, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(text), &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("running %s %s: %w\n%s", filepath.Base(program), args[0], err, stderr.String())
	}
	return strings.TrimSpace(stdout.String()), nil
}

func (l *local) kubectl(ctx context.Context, args ...string) (string, error) {
	return l.output(ctx, l.cluster.kubectl, args...)
}

// downOptions are the choices of down.
type downOptions struct {
	// purge removes the data too.
	purge bool
}

// down stops everything that up started, pods first.
func (l *local) down(ctx context.Context, options downOptions) error {
	args := []string{"down", "--dir", l.run}
	if options.purge {
		args = append(args, "--purge")
	}
	var errs []error
	if _, err := os.Stat(l.bin("cluster")); err == nil {
		errs = append(errs, l.show(ctx, l.bin("cluster"), args...))
	}
	for _, s := range slices.Backward(l.servers(kfake)) {
		errs = append(errs, l.processes.end(s.name))
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	l.step("Everything that make up started is stopped")
	elsewhere := l.databaseElsewhere()
	if !options.purge {
		if elsewhere != "" {
			l.step("The database's files stay in %s: make purge removes them too", elsewhere)
		}
		return nil
	}
	return l.purge(elsewhere)
}

// purge removes the data; elsewhere is where the database's files are when they are not with the rest.
func (l *local) purge(elsewhere string) error {
	if elsewhere != "" {
		// The server's files first: the link to them is all that tells where they are.
		if err := errors.Join(os.RemoveAll(elsewhere), os.RemoveAll(elsewhere+".new")); err != nil {
			return fmt.Errorf("removing the database's files: %w", err)
		}
		// Fails, as it should, where another checkout keeps its database there.
		_ = os.Remove(filepath.Dir(elsewhere))
		l.step("The database's files in %s are removed", elsewhere)
	}
	for _, path := range []string{l.data(""), l.kafkaFile(), l.envFile()} {
		if err := os.RemoveAll(path); err != nil {
			return fmt.Errorf("removing the data: %w", err)
		}
	}
	l.step("The data are removed")
	return nil
}

// databaseElsewhere is where hack/stack put the database's files when the server's user could not enter the checkout (its
// README has the rule), empty when they are in the data folder. A link to anywhere else is not of its making, and is never
// followed.
func (l *local) databaseElsewhere() string {
	target, err := os.Readlink(l.data("postgres/pgdata"))
	if err != nil || filepath.Dir(target) != postgresRoot {
		return ""
	}
	return target
}
