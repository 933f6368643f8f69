package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/spf13/cobra"

	"github.com/yingda-dev/yingda/internal/bus"
	"github.com/yingda-dev/yingda/internal/keys"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/telemetry"
	"github.com/yingda-dev/yingda/internal/temporal"
)

// databaseTimeout is within what time a database answers.
const databaseTimeout = 5 * time.Second

// migrationTimeout is how long the indexes of a large database may take, within the setup Job's deadline: one that is cut off begins
// anew. afterMigration is for what comes then.
const migrationTimeout, afterMigration = 23 * time.Hour, time.Minute

// terminationLogFile is where the kubelet looks for the last words of a container.
const terminationLogFile = "/dev/termination-log"

// setupFlags are how setup was started.
type setupFlags struct {
	settings
	topics           topicFlags
	pools            []string
	connectorURLFile string
	terminationLog   string
	// schema is how far the database is.
	schema progress
}

func newSetupCommand() *cobra.Command {
	var s setupFlags
	cmd := &cobra.Command{
		Use:   "setup",
		Short: "Make the topics, the schema, the keys and the Temporal namespace of a brand",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			logger := telemetry.NewLogger(os.Stderr, s.logLevel, "setup").With("brand", s.brand)
			trying := newTrials(s.steps(logger))
			trying.doing = s.schema.doing
			stopTelling := trying.tell(cmd.Context(), logger, s.healthAddress)
			defer stopTelling()
			return trying.run(cmd.Context(), logger, s.terminationLog)
		},
	}
	s.bind(cmd)
	s.temporal.bind(cmd)
	s.keys.bind(cmd)
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

func (s *setupFlags) steps(logger *slog.Logger) []step {
	return []step{
		onKafka(s.ensureTopics),
		onPostgres(migrationTimeout, func(ctx context.Context) error { return s.ensureSchema(ctx, logger) }),
		onTemporal(func(ctx context.Context) error {
			return temporal.EnsureNamespace(ctx, s.temporalOwner(logger), temporal.Retention)
		}),
	}
}

func (s *setupFlags) ensureTopics(ctx context.Context) error {
	return bus.EnsureTopics(ctx, s.kafka.cluster(), s.names().Topics(s.pools), s.topics.topology())
}

func (s *setupFlags) ensureSchema(ctx context.Context, logger *slog.Logger) error {
	url, err := connectionString(s.postgresURLFile)
	if err != nil {
		return err
	}
	role, err := s.connectorRole()
	if err != nil {
		return err
	}
	opened, err := openSoon(ctx, url)
	if err != nil {
		return err
	}
	defer opened.Close()
	stopFollowing := s.schema.follow(ctx, logger, opened.Building)
	err = store.Migrate(ctx, url, role)
	stopFollowing()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, afterMigration)
	defer cancel()
	if err := opened.Claim(ctx, s.owner()); err != nil {
		return err
	}
	if err := keys.Ensure(ctx, opened, s.keys.wrapping); err != nil {
		return err
	}
	if err := declareWorker(ctx, opened); err != nil {
		return err
	}
	if err := opened.Queries().EnsurePartitions(ctx, time.Now()); err != nil {
		return fmt.Errorf("making the partitions of the coming months: %w", err)
	}
	return nil
}

// declareWorker makes the workflow worker of this binary the one that gets the cases once it runs.
func declareWorker(ctx context.Context, opened *store.Store) error {
	build, err := build()
	if err != nil {
		return err
	}
	if err := opened.Queries().WorkerBuildDeclare(ctx, build); err != nil {
		return fmt.Errorf("declaring the version of the workflow worker: %w", err)
	}
	return nil
}

// openSoon connects to a database that answers: of one that does not somebody should hear long before a migration would end.
func openSoon(ctx context.Context, url string) (*store.Store, error) {
	ctx, cancel := context.WithTimeout(ctx, databaseTimeout)
	defer cancel()
	return store.Open(ctx, url)
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
