package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/yingda-dev/yingda/api/v1alpha1"
)

const (
	// quiet is how long the operator must have written nothing to be at rest; settled is that after Channels came, of which a
	// pool's Role may name the last eight seconds later.
	quiet   = 3 * time.Second
	settled = 10 * time.Second
	// aftermath is how long the writes after a restart are counted.
	aftermath = 10 * time.Second
	// manyRounds is up to how many Channels a measurement is repeated: long ones even out what else the machine does.
	manyRounds = 1000
)

// bench is one run.
type bench struct {
	options
	cluster  *cluster
	api      client.WithWatch
	loader   *child
	operator *child
	// address is where the operator answers the load.
	address string
	// status is that of a Ready Channel, which the floor writes.
	status v1alpha1.ChannelStatus
	// runs and accounts are how many there were.
	runs, accounts int
}

func run(ctx context.Context, o options) (err error) {
	if err := os.MkdirAll(o.logs, 0o755); err != nil {
		return fmt.Errorf("making the folder for logs: %w", err)
	}
	c, err := startCluster(ctx, o)
	if err != nil {
		return err
	}
	b := &bench{options: o, cluster: c}
	defer func() { err = errors.Join(err, b.close()) }()
	if b.api, err = newClient(c.config); err != nil {
		return err
	}
	if b.loader, _, err = startRole(roleLoader, c.kubeconfig, o.logs); err != nil {
		return err
	}
	if err := b.startOperator(); err != nil {
		return err
	}
	r, err := b.measure(ctx)
	if err != nil {
		return err
	}
	return r.write(o)
}

func (b *bench) close() error {
	var errs []error
	for _, c := range []*child{b.operator, b.loader} {
		if c != nil {
			errs = append(errs, c.end())
		}
	}
	return errors.Join(append(errs, b.cluster.stop())...)
}

func (b *bench) measure(ctx context.Context) (*report, error) {
	r := &report{options: b.options}
	var err error
	if r.setup, err = b.prepare(ctx); err != nil {
		return r, err
	}
	for _, size := range b.sizes {
		rounds := b.rounds
		if size > manyRounds {
			rounds = 1
		}
		var results []pooled
		for range rounds {
			result, err := b.pooled(ctx, size)
			if err != nil {
				return r, fmt.Errorf("measuring %d Channels in pools: %w", size, err)
			}
			fmt.Fprintln(os.Stderr, result)
			results = append(results, result)
		}
		r.pooled = append(r.pooled, results)
	}
	if b.dedicated > 0 {
		if r.dedicated, err = b.isolated(ctx); err != nil {
			return r, fmt.Errorf("measuring %d Dedicated Channels: %w", b.dedicated, err)
		}
	}
	return r, nil
}

func (b *bench) startOperator() error {
	var err error
	b.operator, b.address, err = startRole(roleOperator, b.cluster.kubeconfig, b.logs)
	return err
}

func (b *bench) stopOperator() error {
	err := b.operator.end()
	b.operator = nil
	return err
}

// stats asks the operator.
func (b *bench) stats(ctx context.Context) (stats, error) {
	var s stats
	err := b.ask(ctx, http.MethodGet, "/stats", func(body io.Reader) error { return json.NewDecoder(body).Decode(&s) })
	return s, err
}

func (b *bench) ask(ctx context.Context, method, path string, read func(io.Reader) error) error {
	req, err := http.NewRequestWithContext(ctx, method, "http://"+b.address+path, http.NoBody)
	if err != nil {
		return fmt.Errorf("making a request: %w", err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("asking the operator: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("asking the operator: status %d", resp.StatusCode)
	}
	if err := read(resp.Body); err != nil {
		return fmt.Errorf("reading the operator's answer: %w", err)
	}
	return nil
}

// atRest waits until the operator has written nothing for so long, and returns what it says then, with a heap of what lives.
func (b *bench) atRest(ctx context.Context, quiet time.Duration) (stats, error) {
	last, since := -1, time.Now()
	err := await(ctx, "the operator to come to rest", b.limit, func() (bool, error) {
		s, err := b.stats(ctx)
		if err != nil {
			return false, err
		}
		writes, events := s.writes()
		if writes+events != last || s.Depth > 0 && last < 0 {
			last, since = writes+events, time.Now()
		}
		return time.Since(since) >= quiet, nil
	})
	if err != nil {
		return stats{}, err
	}
	if err := b.ask(ctx, http.MethodPost, "/collect", func(io.Reader) error { return nil }); err != nil {
		return stats{}, err
	}
	return b.stats(ctx)
}

// profile keeps what the operator and the API server do for so long; done waits for it.
func (b *bench) profile(ctx context.Context, name string, length time.Duration) (done func() error) {
	if b.profiles == "" {
		return func() error { return nil }
	}
	path := "/debug/pprof/profile?seconds=" + strconv.Itoa(int(length.Seconds()))
	var group errgroup.Group
	group.Go(func() error { return b.save(ctx, name+".operator.cpu", path) })
	group.Go(func() error {
		server, err := rest.UnversionedRESTClientFor(b.unversioned())
		if err != nil {
			return fmt.Errorf("making a client for profiles: %w", err)
		}
		content, err := server.Get().RequestURI(path).DoRaw(ctx)
		if err != nil {
			return fmt.Errorf("profiling the API server: %w", err)
		}
		return os.WriteFile(filepath.Join(b.profiles, name+".server.cpu"), content, 0o644)
	})
	return group.Wait
}

func (b *bench) unversioned() *rest.Config {
	config := rest.CopyConfig(b.cluster.config)
	config.NegotiatedSerializer = scheme.Codecs.WithoutConversion()
	return config
}

func (b *bench) save(ctx context.Context, name, path string) error {
	return b.ask(ctx, http.MethodGet, path, func(body io.Reader) error {
		content, err := io.ReadAll(body)
		if err != nil {
			return fmt.Errorf("reading a profile: %w", err)
		}
		return os.WriteFile(filepath.Join(b.profiles, name), content, 0o644)
	})
}
