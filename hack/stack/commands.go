package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/yingda-dev/yingda/hack/stack/internal/apachekafka"
	"github.com/yingda-dev/yingda/hack/stack/internal/broker"
	"github.com/yingda-dev/yingda/hack/stack/internal/listen"
	"github.com/yingda-dev/yingda/hack/stack/internal/postgres"
	"github.com/yingda-dev/yingda/hack/stack/internal/workflowserver"
)

const portHelp = "ip:port to listen on and to advertise; port 0 means a free one"

func kafkaCommand() *cobra.Command {
	var (
		life    lifetime
		address string
		options broker.Options
	)
	command := &cobra.Command{
		Use: "kafka", Short: "Serve the Kafka protocol (kfake, one durable node)", Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			var err error
			if options.Listen, err = listen.Parse(command.Context(), address); err != nil {
				return err
			}
			return life.serve(command.Context(), func(ctx context.Context) error {
				return broker.Run(ctx, options, func() { announce("kafka=%s", options.Listen) })
			})
		},
	}
	life.register(command)
	command.Flags().StringVar(&address, "listen", "127.0.0.1:9092", portHelp)
	command.Flags().StringVar(&options.Data, "data", "", "directory of the data, made when missing")
	command.Flags().IntVar(&options.Partitions, "partitions", 6, "partitions of a topic whose maker names no number")
	command.Flags().StringVar(&options.CertFile, "tls-cert-file", "", "the broker's certificate; none for plain text")
	command.Flags().StringVar(&options.KeyFile, "tls-key-file", "", "the key of that certificate")
	command.Flags().StringVar(&options.ClientCAFile, "tls-client-ca-file", "", "authorities of clients' certificates, which are then demanded")
	command.Flags().StringVar(&options.Mechanism, "sasl-mechanism", "", "PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512, by which clients must sign in; none for no sign-in")
	command.Flags().StringVar(&options.Username, "sasl-username", "", "the one user")
	command.Flags().StringVar(&options.PasswordFile, "sasl-password-file", "", "file with the user's password")
	command.MarkFlagsRequiredTogether("tls-cert-file", "tls-key-file")
	command.MarkFlagsRequiredTogether("sasl-mechanism", "sasl-username", "sasl-password-file")
	mustHave(command, "data")
	return command
}

func temporalCommand() *cobra.Command {
	var (
		life    lifetime
		address string
		ui      []string
		urlFile string
		options workflowserver.Options
	)
	command := &cobra.Command{
		Use: "temporal", Short: "Serve Temporal and its web UI over a SQLite file or PostgreSQL", Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			var err error
			if options.Listen, err = listen.Parse(command.Context(), address); err != nil {
				return err
			}
			if urlFile != "" {
				superuserURL, err := os.ReadFile(urlFile)
				if err != nil {
					return fmt.Errorf("reading the URL of PostgreSQL: %w", err)
				}
				options.PostgresURL = strings.TrimSpace(string(superuserURL))
			}
			shown := "none"
			for _, address := range ui {
				parsed, err := listen.Parse(command.Context(), address)
				if err != nil {
					return err
				}
				options.UI = append(options.UI, parsed)
			}
			if len(options.UI) > 0 {
				shown = "http://" + options.UI[0].String()
			}
			return life.serve(command.Context(), func(ctx context.Context) error {
				return workflowserver.Run(ctx, options, func() { announce("temporal=%s ui=%s", options.Listen, shown) })
			})
		},
	}
	life.register(command)
	command.Flags().StringVar(&address, "listen", "127.0.0.1:7233", portHelp)
	command.Flags().StringSliceVar(&ui, "ui", nil, "ip:port of the web UI; may be given several times, none for no UI")
	command.Flags().StringVar(&options.File, "data", "", "the SQLite file, made when missing")
	command.Flags().StringVar(&urlFile, "postgres-url-file", "", "file with the URL of a PostgreSQL server's superuser: Temporal keeps its data there then, and no more than a lock beside --data")
	mustHave(command, "data")
	return command
}

func postgresCommand() *cobra.Command {
	var (
		life       lifetime
		ip         string
		port       uint16
		disposable bool
		options    postgres.Options
	)
	command := &cobra.Command{
		Use: "postgres", Short: "Serve the machine's own PostgreSQL over a directory", Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			var err error
			if options.Listen, err = listen.Parse(command.Context(), net.JoinHostPort(ip, strconv.Itoa(int(port)))); err != nil {
				return err
			}
			if disposable {
				options.Durability = postgres.Disposable
			}
			options.Note = func(text string) { fmt.Fprintln(os.Stderr, "stack:", text) }
			return life.serve(command.Context(), func(ctx context.Context) error {
				return postgres.Run(ctx, options, func() {
					announce("postgres=%s url-file=%s", options.Listen, postgres.URLFile(options.Data))
				})
			})
		},
	}
	life.register(command)
	command.Flags().StringVar(&ip, "listen", "127.0.0.1", "ip to listen on")
	command.Flags().Uint16Var(&port, "port", 5432, "port to listen on; 0 means a free one")
	command.Flags().StringVar(&options.Data, "data", "", "directory of the data, made when missing")
	command.Flags().BoolVar(&disposable, "disposable", false, "do not sync to the disk: for tests only")
	command.Flags().StringVar(&options.InitdbCache, "initdb-cache", "", "directory that keeps fresh clusters for copying: for tests only")
	mustHave(command, "data")
	return command
}

func postgresEnsureCommand() *cobra.Command {
	var urlFile, database, out string
	command := &cobra.Command{
		Use: "postgres-ensure", Short: "Make a database with its owner and connector roles, where missing", Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			superuserURL, err := os.ReadFile(urlFile)
			if err != nil {
				return fmt.Errorf("reading the superuser's URL: %w", err)
			}
			if database == "" || strings.ContainsAny(database, "/\x00") {
				return errors.New("--database must be a plain name")
			}
			return postgres.Ensure(command.Context(), strings.TrimSpace(string(superuserURL)), database, out)
		},
	}
	command.Flags().StringVar(&urlFile, "url-file", "", "file with the superuser's URL; postgres writes superuser.url into its data directory")
	command.Flags().StringVar(&database, "database", "", "database to make, and the name of its owner role")
	command.Flags().StringVar(&out, "out", "", "directory for <database>.url and <database>_connector.url")
	mustHave(command, "url-file", "database", "out")
	return command
}

func apacheKafkaCommand() *cobra.Command {
	var (
		life    lifetime
		address string
		check   bool
		options apachekafka.Options
	)
	command := &cobra.Command{
		Use: "apache-kafka", Short: "Serve Apache Kafka itself (KRaft, one node; needs Java 17 and Maven)", Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			if check {
				return apachekafka.Check(options.Dir, options.Version)
			}
			var err error
			if options.Listen, err = listen.Parse(command.Context(), address); err != nil {
				return err
			}
			options.Controller, err = listen.FreePort(command.Context(), options.Listen.Addr())
			if err != nil {
				return err
			}
			options.Note = func(text string) { fmt.Fprintln(os.Stderr, "stack:", text) }
			return life.serve(command.Context(), func(ctx context.Context) error {
				return apachekafka.Run(ctx, options, func() { announce("kafka=%s apache=%s", options.Listen, options.Version) })
			})
		},
	}
	life.register(command)
	command.Flags().StringVar(&address, "listen", "127.0.0.1:9092", portHelp)
	command.Flags().StringVar(&options.Dir, "dir", "", "directory of the programs and the data, made when missing")
	command.Flags().BoolVar(&check, "check", false, "serve nothing: fail, and say what to install, where Apache Kafka cannot run")
	command.Flags().StringVar(&options.Version, "version", apachekafka.DefaultVersion, "version of org.apache.kafka:kafka_2.13 to run")
	mustHave(command, "dir")
	return command
}
