package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/yingda-dev/yingda/internal/bus"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/telemetry"
	"github.com/yingda-dev/yingda/internal/temporal"
)

// teardownTimeout is less than the deadline of the teardown's Job, which leaves no time to say what is left.
const teardownTimeout = 100 * time.Second

func newTeardownCommand() *cobra.Command {
	var s settings
	var terminationLog string
	cmd := &cobra.Command{
		Use:   "teardown",
		Short: "Remove the topics, the tables and the Temporal namespace of a brand, for good",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			logger := telemetry.NewLogger(os.Stderr, s.logLevel, "teardown").With("brand", s.brand)
			ctx, cancel := context.WithTimeout(cmd.Context(), teardownTimeout)
			defer cancel()
			return newTrials(s.teardownSteps(logger)).run(ctx, logger, terminationLog)
		},
	}
	s.bind(cmd)
	s.temporal.bind(cmd)
	cmd.Flags().StringVar(&terminationLog, "termination-log", terminationLogFile, "file that is told what failed")
	return cmd
}

func (s *settings) teardownSteps(logger *slog.Logger) []step {
	return []step{
		onKafka(func(ctx context.Context) error { return bus.DeleteTopics(ctx, s.kafka.cluster(), s.names()) }),
		onPostgres(stepPatience, func(ctx context.Context) error {
			url, err := connectionString(s.postgresURLFile)
			if err != nil {
				return fmt.Errorf("%w: %w", errHopeless, err)
			}
			return store.Drop(ctx, url, s.owner())
		}),
		onTemporal(func(ctx context.Context) error {
			return temporal.DeleteNamespace(ctx, s.temporalOwner(logger))
		}),
	}
}
