// Package broker serves the Kafka protocol for development: kfake, one node, durable in a directory. It is not a Kafka for
// anything that matters beyond this machine: no replication, and all data is read into memory at start.
//
// Invariants: a produce that was acknowledged is on the disk (every batch is synced), a directory has one server at a time,
// and it listens on exactly the address it was given, which is also what it advertises.
package broker

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/yingda-dev/yingda/hack/stack/internal/lock"
)

// Options say where the broker listens and keeps its data.
type Options struct {
	Listen     netip.AddrPort
	Data       string
	Partitions int
	Security
}

// Run serves until ctx ends, and calls ready once clients can connect.
func Run(ctx context.Context, options Options, ready func()) error {
	if err := os.MkdirAll(options.Data, 0o750); err != nil {
		return fmt.Errorf("making the data directory: %w", err)
	}
	held, err := lock.Take(ctx, filepath.Join(options.Data, ".lock"))
	if err != nil {
		return err
	}
	cluster, err := start(ctx, options)
	if err != nil {
		return errors.Join(err, held.Close())
	}
	ready()
	<-ctx.Done()
	cluster.Close()
	if err := held.Close(); err != nil {
		return fmt.Errorf("unlocking the data directory: %w", err)
	}
	return nil
}

func start(ctx context.Context, options Options) (*kfake.Cluster, error) {
	secured, err := options.apply()
	if err != nil {
		return nil, err
	}
	cluster, err := kfake.NewCluster(append(secured,
		kfake.NumBrokers(1),
		kfake.ClusterID("yingda-local"),
		kfake.DefaultNumPartitions(options.Partitions),
		kfake.DataDir(filepath.Join(options.Data, "log")),
		kfake.SyncWrites(),
		kfake.WithLogger(kfake.BasicLogger(os.Stderr, kfake.LogLevelError)),
		// kfake asks for 127.0.0.1 and a port; the address is ours to decide, and it advertises what it got.
		kfake.ListenFn(func(network, _ string) (net.Listener, error) {
			var config net.ListenConfig
			return config.Listen(ctx, network, options.Listen.String())
		}),
	)...)
	if err != nil {
		return nil, fmt.Errorf("starting the broker on %s: %w", options.Listen, err)
	}
	return cluster, nil
}
