package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/connectors/host"
	"github.com/yingda-dev/yingda/connectors/registry"
	"github.com/yingda-dev/yingda/internal/bus"
	"github.com/yingda-dev/yingda/internal/catalog"
	"github.com/yingda-dev/yingda/internal/dataplane"
	"github.com/yingda-dev/yingda/internal/store"
)

// connectorDrainDelay follows the pod's preStop pause: what was on its way to the pod has come by then.
const connectorDrainDelay = time.Second

// connectorFlags are the flags of a connector beside the common ones.
type connectorFlags struct {
	pool            string
	channelType     string
	webhookAddress  string
	allowedBaseURLs []string
	createTopic     bool
	topics          topicFlags
}

func newConnectorCommand() *cobra.Command {
	var s settings
	var f connectorFlags
	cmd := &cobra.Command{
		Use:   "connector",
		Short: "Run a pool of Channels of one type",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return s.run(cmd, "connector", func(ctx context.Context, p *process) error { return startConnector(ctx, p, f) })
		},
	}
	s.bind(cmd)
	flags := cmd.Flags()
	flags.StringVar(&f.pool, "pool", "", "name of the pool, part of its topic's and group's names")
	flags.StringVar(&f.channelType, "type", "", "spec.type of the Channels to serve")
	flags.StringVar(&f.webhookAddress, "webhook-address", ":8080", "address that takes the platforms' calls of /<namespace>/<channel>")
	flags.StringSliceVar(&f.allowedBaseURLs, "allowed-api-base-urls", []string{v1alpha1.DefaultWeChatAPIBaseURL}, "platform addresses that Channels may name in apiBaseURL")
	flags.BoolVar(&f.createTopic, "create-topic", false, "make the pool's outbound topic, which is nobody else's to make")
	f.topics.bind(cmd)
	for _, name := range []string{"pool", "type"} {
		_ = cmd.MarkFlagRequired(name) // It fails for a flag that is not defined; these are, some lines above.
	}
	return cmd
}

func startConnector(ctx context.Context, p *process, f connectorFlags) error {
	kind, err := registry.Find(v1alpha1.ChannelType(f.channelType))
	if err != nil {
		return err
	}
	kubernetes, err := connectorClient()
	if err != nil {
		return err
	}
	url, err := connectionString(p.postgresURLFile)
	if err != nil {
		return err
	}
	// While Postgres is away a connector keeps messages in Kafka, so it does not wait for it.
	database, err := store.OpenLazily(ctx, url)
	if err != nil {
		return err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", f.webhookAddress)
	if err != nil {
		database.Close()
		return fmt.Errorf("listening for webhooks: %w", err)
	}
	instance := os.Getenv("POD_NAME")
	if instance == "" {
		instance = "connector"
	}
	cluster := p.kafka.cluster()
	// What platforms wait for must not share batches with what can wait.
	producer, background, backlog := bus.NewProducer(cluster), bus.NewProducer(cluster), bus.NewProducer(cluster)
	var view *catalog.Catalog
	if dataplane.AnswersAtOnce(kind.Name()) {
		view = catalog.NewForSpeech(p.namespace, p.brand, p.logger)
	}
	pool := host.New(host.Options{
		Names: p.names(), Pool: f.pool, Type: kind, Instance: instance, Cluster: cluster, Producer: producer, Background: background,
		Backlog: backlog, Store: database, Kubernetes: kubernetes, AllowedBaseURLs: f.allowedBaseURLs, Catalog: view, Listener: listener,
		Registry: p.registry, Logger: p.logger, Clock: time.Now, DrainDelay: connectorDrainDelay,
	})
	p.health.Ready, p.health.Alive, p.health.Report = pool.Ready, pool.Alive, pool.Report
	if f.createTopic {
		p.group.Go(func() error {
			err := persist(ctx, ctx, p.logger, onKafka(func(ctx context.Context) error {
				return bus.EnsureTopics(ctx, cluster, []string{p.names().Outbound(f.pool)}, f.topics.topology())
			}), func(error) {})
			if ctx.Err() != nil {
				return nil //nolint:nilerr // Being told to stop is no failure.
			}
			return err
		})
	}
	if view != nil {
		config, err := kubeConfig()
		if err != nil {
			return err
		}
		// Nobody waits for it: until it knows the Channels, routers say what there is to say.
		p.group.Go(func() error { return view.Run(ctx, config, func() {}) })
	}
	p.group.Go(func() error {
		err := pool.Run(ctx)
		err = errors.Join(err, producer.Close(), background.Close(), backlog.Close())
		database.Close()
		return err
	})
	return nil
}

// connectorClient reads Channels and Secrets.
func connectorClient() (client.WithWatch, error) {
	config, err := kubeConfig()
	if err != nil {
		return nil, err
	}
	scheme := runtime.NewScheme()
	if err := errors.Join(corev1.AddToScheme(scheme), v1alpha1.AddToScheme(scheme)); err != nil {
		return nil, fmt.Errorf("registering the kinds: %w", err)
	}
	kubernetes, err := client.NewWithWatch(config, client.Options{Scheme: scheme})
	if err != nil {
		return nil, fmt.Errorf("making the Kubernetes client: %w", err)
	}
	return kubernetes, nil
}
