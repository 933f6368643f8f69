package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/spf13/cobra"

	"github.com/yingda-dev/yingda/internal/bus"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/telemetry"
	"github.com/yingda-dev/yingda/internal/temporal"
)

const (
	setupPatience = time.Minute
	setupAttempt  = 20 * time.Second
	setupRetry    = time.Second
)

// setupFlags are how setup was started.
type setupFlags struct {
	settings
	topology         bus.Topology
	retentionDays    int
	pools            []string
	connectorURLFile string
	terminationLog   string
}

func newSetupCommand() *cobra.Command {
	var s setupFlags
	cmd := &cobra.Command{
		Use:   "setup",
		Short: "Make the topics, the schema and the Temporal namespace of a brand",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s.topology.Retention = time.Duration(s.retentionDays) * 24 * time.Hour
			logger := telemetry.NewLogger(os.Stderr, s.logLevel, "setup").With("brand", s.brand)
			err := s.run(cmd.Context(), logger)
			s.leaveReason(logger, err)
			return err
		},
	}
	s.bind(cmd)
	s.bindTemporal(cmd)
	flags := cmd.Flags()
	flags.IntVar(&s.topology.Partitions, "partitions", 12, "partitions of each topic")
	flags.IntVar(&s.topology.ReplicationFactor, "replication-factor", 3, "replicas of each topic")
	flags.IntVar(&s.retentionDays, "retention-days", 7, "days for which Kafka keeps messages")
	flags.StringSliceVar(&s.pools, "pools", nil, "connector pools, each of which gets an outbound topic")
	flags.StringVar(&s.connectorURLFile, "connector-url-file", "", "file with the connectors' own Postgres connection string, whose user is granted what connectors need; empty: they use the owner's")
	flags.StringVar(&s.terminationLog, "termination-log", "/dev/termination-log", "file that is told what failed")
	return cmd
}

// run takes all steps at once, each until it succeeds or a minute is over, and tells of every one that failed.
func (s *setupFlags) run(ctx context.Context, logger *slog.Logger) error {
	steps := []struct {
		name string
		take func(ctx context.Context) error
	}{
		{"Kafka topics", s.ensureTopics},
		{"Postgres schema", s.ensureSchema},
		{"Temporal namespace", func(ctx context.Context) error { return s.ensureNamespace(ctx, logger) }},
	}
	ctx, cancel := context.WithTimeout(ctx, setupPatience)
	defer cancel()
	failures := make([]error, len(steps))
	var running sync.WaitGroup
	for i, step := range steps {
		running.Go(func() { failures[i] = persist(ctx, logger, step.name, step.take) })
	}
	running.Wait()
	return errors.Join(failures...)
}

// persist repeats a step until it succeeds, can never succeed, or ctx ends; then it returns the step's own last error.
func persist(ctx context.Context, logger *slog.Logger, name string, step func(ctx context.Context) error) (last error) {
	for {
		attemptCtx, cancel := context.WithTimeout(ctx, setupAttempt)
		err := step(attemptCtx)
		cancel()
		if err == nil {
			logger.Info("In place", "what", name)
			return nil
		}
		if errors.Is(err, bus.ErrPartitions) {
			return err
		}
		// An attempt that the end of patience cut off knows less than the one before.
		if last == nil || ctx.Err() == nil {
			last = err
		}
		logger.Warn("Waiting", "what", name, "error", err)
		select {
		case <-ctx.Done():
			return last
		case <-time.After(setupRetry):
		}
	}
}

func (s *setupFlags) ensureTopics(ctx context.Context) error {
	return bus.EnsureTopics(ctx, s.kafkaBrokers, s.names().Topics(s.pools), s.topology)
}

func (s *setupFlags) ensureSchema(ctx context.Context) error {
	url, err := connectionString(s.postgresURLFile)
	if err != nil {
		return err
	}
	role, err := s.connectorRole()
	if err != nil {
		return err
	}
	if err := store.Migrate(ctx, url, role); err != nil {
		return err
	}
	opened, err := store.Open(ctx, url)
	if err != nil {
		return err
	}
	defer opened.Close()
	if err := opened.Queries().EnsurePartitions(ctx, time.Now()); err != nil {
		return fmt.Errorf("making the partitions of the coming months: %w", err)
	}
	return nil
}

// connectorRole is the user by which connectors connect; empty when they have none of their own.
func (s *setupFlags) connectorRole() (string, error) {
	if s.connectorURLFile == "" {
		return "", nil
	}
	url, err := connectionString(s.connectorURLFile)
	if err != nil {
		return "", fmt.Errorf("looking for the connectors' login: %w", err)
	}
	config, err := pgx.ParseConfig(url)
	if err != nil {
		// pgx's own error would quote the connection string.
		return "", errors.New("the connectors' Postgres connection string cannot be read: write postgres://user:password@host:port/database")
	}
	return config.User, nil
}

func (s *setupFlags) ensureNamespace(ctx context.Context, logger *slog.Logger) error {
	return temporal.EnsureNamespace(ctx, temporal.Options{
		Address: s.temporalAddress, Namespace: s.temporalNamespace, Logger: logger,
	}, temporal.Retention)
}

// leaveReason leaves what failed where the kubelet looks for it; the operator shows it on the Brand. On one line, because
// the last line is what is shown.
func (s *setupFlags) leaveReason(logger *slog.Logger, failure error) {
	if failure == nil {
		return
	}
	reason := strings.Join(strings.Fields(strings.ReplaceAll(failure.Error(), "\n", "; ")), " ")
	if err := os.WriteFile(s.terminationLog, []byte(reason+"\n"), 0o600); err != nil {
		logger.Warn("Cannot write the termination message", "error", err)
	}
}
