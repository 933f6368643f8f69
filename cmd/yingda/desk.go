package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/yingda-dev/yingda/internal/catalog"
	"github.com/yingda-dev/yingda/internal/configz"
	"github.com/yingda-dev/yingda/internal/reach"
	"github.com/yingda-dev/yingda/internal/telemetry"
	"github.com/yingda-dev/yingda/internal/temporal"
	"github.com/yingda-dev/yingda/workers/desk"
)

func newDeskCommand() *cobra.Command {
	var s settings
	var address, temporalUI string
	var calls callFlags
	cmd := &cobra.Command{
		Use:   "desk",
		Short: "Serve the workbench of a brand's agents",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return s.run(cmd, "desk", func(ctx context.Context, p *process) error { return startDesk(ctx, p, address, temporalUI, calls) })
		},
	}
	s.bind(cmd)
	s.keys.bind(cmd)
	cmd.Flags().StringVar(&address, "address", ":8080", "address of the workbench: its page, API and WebSocket")
	cmd.Flags().StringVar(&temporalUI, "temporal-ui-origin", "", "origin of Temporal's web UI, whose page may have payloads decoded for admins; empty for none")
	calls.bindProvider(cmd)
	return cmd
}

func startDesk(ctx context.Context, p *process, address, temporalUI string, calls callFlags) error {
	view := catalog.New(p.namespace, p.brand, p.logger)
	database, err := p.openStore(ctx)
	if err != nil {
		return err
	}
	own, err := p.openKeys(ctx, database)
	if err != nil {
		database.Close()
		return err
	}
	workbench, err := desk.New(desk.Config{
		Cluster: p.kafka.cluster(), Names: p.names(), Store: database, Catalog: view,
		Payloads: temporal.NewCodec(own), TemporalUI: temporalUI, Provider: calls.provider, ProviderHosts: calls.allowedHosts,
		Now: time.Now, Logger: p.logger, Metrics: desk.NewMetrics(p.registry),
	})
	if err != nil {
		database.Close()
		return err
	}
	services := p.watchServices(ctx, map[configz.Dependency]reach.Probe{configz.Kafka: p.kafka.cluster().Reach, configz.Postgres: database.Ping})
	p.health.Report = func() configz.Report {
		return configz.Report{
			Objects: view.Snapshot().Generations(), SignedInAgents: workbench.SignedInAgents(), OnDutyAgents: workbench.OnDutyAgents(),
			Reached: services.Reached(),
		}
	}
	if err := p.watchCatalog(ctx, view); err != nil {
		database.Close()
		return err
	}
	p.health.Ready, p.health.Alive = workbench.Ready, workbench.Alive
	p.group.Go(func() error {
		// Sockets outlive the requests that opened them; the database is closed after both.
		work, ctx := errgroup.WithContext(ctx)
		work.Go(func() error { return workbench.Run(ctx) })
		work.Go(func() error { return telemetry.ServeHTTP(ctx, p.logger, address, workbench.Handler()) })
		err := work.Wait()
		database.Close()
		return err
	})
	return nil
}
