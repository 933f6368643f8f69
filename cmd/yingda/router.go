package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/yingda-dev/yingda/internal/bus"
	"github.com/yingda-dev/yingda/internal/catalog"
	"github.com/yingda-dev/yingda/internal/configz"
	"github.com/yingda-dev/yingda/internal/formlink"
	"github.com/yingda-dev/yingda/internal/outbox"
	"github.com/yingda-dev/yingda/internal/reach"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/temporal"
	"github.com/yingda-dev/yingda/workers/router"
)

func newRouterCommand() *cobra.Command {
	var s settings
	var hook router.Webhook
	cmd := &cobra.Command{
		Use:   "router",
		Short: "Run the conversation engine of a brand",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return s.run(cmd, "router", func(ctx context.Context, p *process) error { return startRouter(ctx, p, hook) })
		},
	}
	s.bind(cmd)
	s.temporal.bind(cmd)
	s.keys.bind(cmd)
	cmd.Flags().StringSliceVar(&hook.AllowedHosts, "allowed-webhook-hosts", nil, "hosts, with a port if it is not 443, of the webhook that is told when those on call are called; none refuses any")
	cmd.Flags().StringVar(&hook.KeyFile, "webhook-key-file", "", "file with the key that signs what the webhook is told; it is read anew for each call")
	cmd.Flags().StringVar(&hook.CAFile, "webhook-ca-file", "", "file with the authorities that signed the webhook's certificate; empty for the system's; it is read anew for each call")
	return cmd
}

func startRouter(ctx context.Context, p *process, hook router.Webhook) error {
	view := catalog.New(p.namespace, p.brand, p.logger)
	database, err := p.openStore(ctx, store.PlanOnce)
	if err != nil {
		return err
	}
	p.health.Ready = database.Ping
	own, err := p.openKeys(ctx, database)
	if err != nil {
		database.Close()
		return err
	}
	formKey, err := formlink.LoadKey(ctx, database.Queries())
	if err != nil {
		database.Close()
		return fmt.Errorf("starting the router: %w", err)
	}
	workflows, err := p.dialTemporal(own)
	if err != nil {
		database.Close()
		return err
	}
	// The relay's order within a key needs a producer that nobody else writes through.
	relayProducer, deadLetters := bus.NewProducer(p.kafka.cluster()), bus.NewProducer(p.kafka.cluster())
	relay := outbox.New(outbox.Config{
		Store: database, Publisher: relayProducer, Workflows: workflows, TaskQueue: temporal.TaskQueue,
		Source: "/" + p.namespace + "/" + p.brand + "/outbox", Logger: p.logger, Metrics: p.registry, Now: time.Now,
	})
	engine := router.New(router.Config{
		Cluster: p.kafka.cluster(), Names: p.names(), Store: database, Producer: deadLetters, Catalog: view,
		Relay: relay, Now: time.Now, Logger: p.logger, Metrics: router.NewMetrics(p.registry),
		BusMetrics: bus.NewMetrics(p.registry), FormKey: formKey, Webhook: hook,
	})
	services := p.watchServices(ctx, map[configz.Dependency]reach.Probe{
		configz.Kafka: p.kafka.cluster().Reach, configz.Postgres: database.Ping, configz.Temporal: temporal.Reach(workflows),
	})
	p.health.Report = func() configz.Report {
		// In this order, so that what is reported of a Channel was looked at after its generation was in force.
		generations := view.Snapshot().Generations()
		return configz.Report{
			Objects: generations, Channels: engine.Departing(), Queues: engine.Queues(), Workloads: engine.Workloads(), Calls: engine.Calls(),
			Objectives: engine.Objectives(), Reached: services.Reached(),
		}
	}
	if err := p.watchCatalog(ctx, view); err != nil {
		database.Close()
		return err
	}
	p.group.Go(func() error {
		// Routing and relaying share the database; whichever fails, the process starts anew.
		work, ctx := errgroup.WithContext(ctx)
		work.Go(func() error { return relay.Run(ctx) })
		work.Go(func() error { return engine.Run(ctx) })
		err := work.Wait()
		err = errors.Join(err, relayProducer.Close(), deadLetters.Close())
		workflows.Close()
		database.Close()
		return err
	})
	return nil
}
