package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"go.temporal.io/sdk/worker"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/bus"
	"github.com/yingda-dev/yingda/internal/catalog"
	"github.com/yingda-dev/yingda/internal/configz"
	"github.com/yingda-dev/yingda/internal/reach"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/temporal"
	"github.com/yingda-dev/yingda/workers/workflows/aftersales"
	"github.com/yingda-dev/yingda/workers/workflows/complaint"
	"github.com/yingda-dev/yingda/workers/workflows/emergency"
	"github.com/yingda-dev/yingda/workers/workflows/mail"
	"github.com/yingda-dev/yingda/workers/workflows/quality"
	"github.com/yingda-dev/yingda/workers/workflows/task"
)

func newWorkflowsCommand() *cobra.Command {
	var s settings
	var calls callFlags
	cmd := &cobra.Command{
		Use:   "workflows",
		Short: "Keep a brand's promises of hours and days",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return s.run(cmd, "workflows", func(ctx context.Context, p *process) error { return startWorkflows(ctx, p, calls) })
		},
	}
	s.bind(cmd)
	s.temporal.bind(cmd)
	s.keys.bind(cmd)
	calls.bindProvider(cmd)
	calls.bindMail(cmd)
	return cmd
}

func startWorkflows(ctx context.Context, p *process, calls callFlags) error {
	build, err := build()
	if err != nil {
		return err
	}
	view := catalog.New(p.namespace, p.brand, p.logger)
	changed := changes(view)
	database, err := p.openStore(ctx)
	if err != nil {
		return err
	}
	// Without the catalog nobody would be told of an escalation, and the activity would have succeeded.
	if err := p.watchCatalog(ctx, view); err != nil {
		database.Close()
		return err
	}
	own, err := p.openKeys(ctx, database)
	if err != nil {
		database.Close()
		return err
	}
	client, err := p.dialTemporal(own)
	if err != nil {
		database.Close()
		return err
	}
	services := p.watchServices(ctx, map[configz.Dependency]reach.Probe{configz.Postgres: database.Ping, configz.Temporal: temporal.Reach(client)})
	activities := &complaint.Activities{
		Store: database, Directory: directory{view, p.names()},
		Events: p.names().Events(), Source: "/" + p.namespace + "/" + p.brand + "/workflows", Now: time.Now,
		Logger: p.logger, Metrics: complaint.NewMetrics(p.registry),
	}
	tasks, emergencies := taskActivities(p, database, directory{view, p.names()}), emergencyActivities(p, database, directory{view, p.names()})
	cases := afterSalesActivities(p, database, directory{view, p.names()}, calls)
	mails := mailActivities(p, database, directory{view, p.names()}, calls)
	p.health.Report = func() configz.Report {
		return configz.Report{Objects: view.Snapshot().Generations(), Keys: keysReport(own.State()), Mail: mails.Last(), Reached: services.Reached()}
	}
	lookingBack := p.quality(database, view)
	running := temporal.NewWorker(client, p.logger, func(registry worker.Registry) {
		complaint.Register(registry, activities)
		task.Register(registry, tasks)
		aftersales.Register(registry, cases)
		mail.Register(registry, mails)
		emergency.Register(registry, emergencies)
		quality.Register(registry, lookingBack)
	}).As(temporal.Version{Build: build, Declared: declaredWorker(database)})
	p.health.Ready = func(ctx context.Context) error {
		return errors.Join(database.Ping(ctx), running.Ready(ctx))
	}
	p.group.Go(func() error { p.keyRotation(database, view).Run(ctx); return nil })
	p.group.Go(func() error { return p.qualitySchedules(client.ScheduleClient(), view, changed).Run(ctx) })
	p.group.Go(func() error {
		defer database.Close()
		defer client.Close()
		return running.Run(ctx)
	})
	return nil
}

// declaredWorker asks which build was set up last.
func declaredWorker(database *store.Store) func(context.Context) (string, int64, error) {
	return func(ctx context.Context) (build string, turn int64, err error) {
		declared, err := database.Queries().WorkerBuildDeclared(ctx)
		if err != nil {
			return "", 0, fmt.Errorf("reading which version of the worker was set up: %w", err)
		}
		return declared.Build, declared.Turn, nil
	}
}

// directory answers workflows from the catalog.
type directory struct {
	view  *catalog.Catalog
	names bus.Names
}

func (d directory) Agents(role string) []string {
	return d.view.Snapshot().WithRole(yingdav1.AgentRole(role))
}

func (d directory) GroupAgents(name string) []string { return d.view.Snapshot().GroupAgents(name) }

func (d directory) OutboundTopic(channel string) (string, bool) {
	c, known := d.view.Snapshot().Channel(channel)
	if !known {
		return "", false
	}
	return d.names.Outbound(c.Pool), true
}
