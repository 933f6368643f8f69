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
	// terminationLogFile is where the kubelet looks for the last words of a container.
	terminationLogFile = "/dev/termination-log"
)

// errHopeless marks what no repetition can mend, as do some errors of the packages that do the work.
var errHopeless = errors.New("not tried again")

func hopeless(err error) bool {
	for _, final := range []error{errHopeless, bus.ErrPartitions, store.ErrClaimed, temporal.ErrClaimed} {
		if errors.Is(err, final) {
			return true
		}
	}
	return false
}

// setupFlags are how setup was started.
type setupFlags struct {
	settings
	topics           topicFlags
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
			logger := telemetry.NewLogger(os.Stderr, s.logLevel, "setup").With("brand", s.brand)
			err := takeSteps(cmd.Context(), logger, s.steps(logger))
			leaveReason(logger, s.terminationLog, err)
			return err
		},
	}
	s.bind(cmd)
	s.temporal.bind(cmd)
	flags := cmd.Flags()
	s.topics.bind(cmd)
	flags.StringSliceVar(&s.pools, "pools", nil, "connector pools, each of which gets an outbound topic")
	flags.StringVar(&s.connectorURLFile, "connector-url-file", "", "file with the connectors' own Postgres connection string, whose user is granted what connectors need; empty: they use the owner's")
	flags.StringVar(&s.terminationLog, "termination-log", terminationLogFile, "file that is told what failed")
	return cmd
}

// topicFlags say how topics are made.
type topicFlags struct{ partitions, replicationFactor, retentionDays int }

func (t *topicFlags) bind(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.IntVar(&t.partitions, "partitions", 12, "partitions of each topic")
	flags.IntVar(&t.replicationFactor, "replication-factor", 3, "replicas of each topic")
	flags.IntVar(&t.retentionDays, "retention-days", 7, "days for which Kafka keeps messages")
}

func (t *topicFlags) topology() bus.Topology {
	return bus.Topology{Partitions: t.partitions, ReplicationFactor: t.replicationFactor, Retention: time.Duration(t.retentionDays) * 24 * time.Hour}
}

// setupStep is one of the things that a brand stands on.
type setupStep struct {
	name string
	take func(ctx context.Context) error
}

func (s *setupFlags) steps(logger *slog.Logger) []setupStep {
	return []setupStep{
		{"Kafka topics", s.ensureTopics},
		{"Postgres schema", s.ensureSchema},
		{"Temporal namespace", func(ctx context.Context) error { return s.ensureNamespace(ctx, logger) }},
	}
}

// takeSteps takes all steps at once, each until it succeeds or a minute is over, and tells of every one that failed.
func takeSteps(ctx context.Context, logger *slog.Logger, steps []setupStep) error {
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
			logger.Info("Done", "what", name)
			return nil
		}
		if hopeless(err) {
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
	return bus.EnsureTopics(ctx, s.kafka.cluster(), s.names().Topics(s.pools), s.topics.topology())
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
	if err := opened.Claim(ctx, s.owner()); err != nil {
		return err
	}
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
	return temporal.EnsureNamespace(ctx, s.temporalOwner(logger), temporal.Retention)
}

// leaveReason leaves what failed where the kubelet looks for it; the operator shows it on the Brand. On one line, because
// the last line is what is shown.
func leaveReason(logger *slog.Logger, file string, failure error) {
	if failure == nil {
		return
	}
	reason := strings.Join(strings.Fields(strings.ReplaceAll(failure.Error(), "\n", "; ")), " ")
	if err := os.WriteFile(file, []byte(reason+"\n"), 0o600); err != nil {
		logger.Warn("Cannot write the termination message", "error", err)
	}
}
