package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/netip"
	"net/url"
	"os"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-logr/logr"
	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/controller-runtime/pkg/webhook"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/controllers"
	"github.com/yingda-dev/yingda/controllers/admission"
	"github.com/yingda-dev/yingda/internal/ack"
	"github.com/yingda-dev/yingda/internal/dataplane"
	"github.com/yingda-dev/yingda/internal/telemetry"
)

// leaderElectionID names the lease that the operator's replicas compete for.
const leaderElectionID = "yingda-operator"

// operatorFlags are how the operator was started.
type operatorFlags struct {
	settings        dataplane.Settings
	imagePullPolicy string
	exposure        string
	healthAddress   string
	metricsAddress  string
	pprofAddress    string
	webhookPort     int
	webhookCertDir  string
	calendars       string
	leaderElect     bool
	leaseNamespace  string
	namespaces      []string
	egress          []string
	memoryLimit     int64
	logLevel        slog.Level
}

func newOperatorCommand() *cobra.Command {
	var o operatorFlags
	cmd := &cobra.Command{
		Use:   "operator",
		Short: "Run brands as their resources declare",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.check(); err != nil {
				return err
			}
			if o.memoryLimit > 0 && os.Getenv("GOMEMLIMIT") == "" {
				// The other tenth is for what is not Go's heap. Without a limit the heap may grow to twice of what lives in it,
				// and the kernel ends the process where a collection would have done.
				debug.SetMemoryLimit(o.memoryLimit / 10 * 9)
			}
			return o.run(cmd.Context())
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.settings.Image, "image", "", "image of the data plane")
	flags.StringVar(&o.imagePullPolicy, "image-pull-policy", string(corev1.PullIfNotPresent), "pull policy of that image: Always, IfNotPresent or Never")
	flags.StringVar(&o.healthAddress, "health-address", ":8081", "address of /healthz and /readyz")
	flags.StringVar(&o.metricsAddress, "metrics-address", ":8082", "address of /metrics; 0 for none")
	flags.StringVar(&o.pprofAddress, "pprof-address", "", "address of /debug/pprof/, which shows memory to whoever reaches it; empty for none")
	flags.IntVar(&o.webhookPort, "webhook-port", 0, "port at which the API server asks before it takes an object; 0 for none")
	flags.StringVar(&o.webhookCertDir, "webhook-cert-dir", "", "directory with tls.crt and tls.key of that port; they are loaded anew when they change")
	flags.StringVar(&o.calendars, "calendars", "", "directory with HolidayCalendars, a YAML file each, to bring to the cluster where nobody has changed them; empty for none")
	flags.BoolVar(&o.leaderElect, "leader-elect", false, "let one of several replicas work at a time")
	flags.StringVar(&o.leaseNamespace, "leader-election-namespace", "", "namespace of the leader's lease; empty for the pod's own")
	flags.StringSliceVar(&o.namespaces, "watch-namespaces", nil, "namespaces to serve; none for all")
	flags.StringSliceVar(&o.settings.AllowedAPIBaseURLs, "allowed-api-base-urls", []string{v1alpha1.DefaultWeChatAPIBaseURL}, "addresses at which Channels may call their platforms")
	flags.StringSliceVar(&o.settings.AllowedWebhookHosts, "allowed-webhook-hosts", nil, "hosts, with a port if it is not 443, that Brands may name in onCall.webhook.url, provider.url and mail.host; none refuses any")
	flags.StringVar(&o.settings.TemporalUIOrigin, "temporal-ui-origin", "", "origin of Temporal's web UI, such as https://temporal.example, whose page may have desks decode payloads for admins; empty for none")
	flags.StringVar(&o.exposure, "exposure", string(corev1.ServiceTypeClusterIP), "how webhooks and desks are reached: ClusterIP or NodePort")
	flags.StringVar(&o.settings.NodePortHost, "node-port-host", "127.0.0.1", "host by which node ports are reached")
	flags.StringVar(&o.settings.PriorityClassName, "priority-class-name", "", "priority class of the data plane's pods; empty for the cluster's default")
	flags.BoolVar(&o.settings.NetworkPolicies.Enabled, "network-policies", false, "give the data plane NetworkPolicies that deny all but what it needs")
	flags.StringArrayVar(&o.egress, "egress", nil, "addresses that the data plane may call, as destination=CIDR:port, for example kafka=10.0.0.0/8:9092; destinations are "+destinationList()+"; one that is not named may have any address")
	flags.StringSliceVar(&o.settings.NetworkPolicies.IngressFromNamespaces, "ingress-from-namespaces", nil, "namespaces that may call webhooks and desks; none for everybody")
	flags.StringVar(&o.settings.OTLPEndpoint, "otlp-endpoint", "", "endpoint that receives the traces of the operator and of the data plane; empty for none")
	flags.Int64Var(&o.memoryLimit, "memory-limit", 0, "bytes that the container may use: Go's heap is kept below nine tenths of them; 0 for no limit but GOMEMLIMIT")
	flags.TextVar(&o.logLevel, "log-level", slog.LevelInfo, "lowest level that is logged: debug, info, warn or error")
	return cmd
}

// check finds mistakes of the command line before anything starts.
func (o *operatorFlags) check() error {
	if o.settings.Image == "" {
		return fmt.Errorf("reading the flags: set --image to the image of the data plane")
	}
	o.settings.ImagePullPolicy = corev1.PullPolicy(o.imagePullPolicy)
	if !slices.Contains([]corev1.PullPolicy{corev1.PullAlways, corev1.PullIfNotPresent, corev1.PullNever}, o.settings.ImagePullPolicy) {
		return fmt.Errorf("reading the flags: --image-pull-policy is Always, IfNotPresent or Never, not %q", o.imagePullPolicy)
	}
	if origin := o.settings.TemporalUIOrigin; origin != "" {
		// Browsers send an origin in just this form; another one would be let in by no desk.
		parsed, err := url.Parse(origin)
		if err != nil || parsed.Scheme != "https" && parsed.Scheme != "http" || parsed.Host == "" || origin != parsed.Scheme+"://"+parsed.Host {
			return fmt.Errorf("reading the flags: --temporal-ui-origin is https://host with a port if it is not 443, not %q", origin)
		}
	}
	o.settings.ServiceType = corev1.ServiceType(o.exposure)
	if !slices.Contains([]corev1.ServiceType{corev1.ServiceTypeClusterIP, corev1.ServiceTypeNodePort}, o.settings.ServiceType) {
		return fmt.Errorf("reading the flags: --exposure is ClusterIP or NodePort, not %q", o.exposure)
	}
	if o.webhookPort < 0 || o.webhookPort > 65535 {
		return fmt.Errorf("reading the flags: --webhook-port is a port or 0, not %d", o.webhookPort)
	}
	if o.webhookPort > 0 && o.webhookCertDir == "" {
		return fmt.Errorf("reading the flags: --webhook-port needs --webhook-cert-dir")
	}
	return o.readEgress()
}

// readEgress reads destination=CIDR:port.
func (o *operatorFlags) readEgress() error {
	policies := &o.settings.NetworkPolicies
	for _, text := range o.egress {
		destination, address, _ := strings.Cut(text, "=")
		colon := strings.LastIndex(address, ":")
		prefix, prefixErr := netip.ParsePrefix(address[:max(colon, 0)])
		port, portErr := strconv.ParseUint(address[colon+1:], 10, 16)
		to := dataplane.Destination(destination)
		if !slices.Contains(dataplane.Destinations(), to) || prefixErr != nil || portErr != nil || port == 0 {
			return fmt.Errorf("reading the flags: --egress is destination=CIDR:port with one of the destinations %s, not %q", destinationList(), text)
		}
		if policies.Egress == nil {
			policies.Egress = map[dataplane.Destination][]dataplane.Target{}
		}
		policies.Egress[to] = append(policies.Egress[to], dataplane.Target{CIDR: prefix.Masked().String(), Port: int32(port)})
	}
	return nil
}

func destinationList() string {
	var names []string
	for _, destination := range dataplane.Destinations() {
		names = append(names, string(destination))
	}
	return strings.Join(names, ", ")
}

func (o *operatorFlags) run(ctx context.Context) error {
	lines := telemetry.NewLogger(os.Stderr, o.logLevel, "operator")
	logger := logr.FromSlogHandler(lines.Handler())
	ctrl.SetLogger(logger)
	klog.SetLogger(logger)

	stopTracing, err := telemetry.StartTracing(ctx, "operator", "", o.settings.OTLPEndpoint)
	if err != nil {
		return fmt.Errorf("starting traces: %w", err)
	}
	defer stopTracing()

	config, err := ctrl.GetConfig()
	if err != nil {
		return fmt.Errorf("finding the API server: %w", err)
	}
	await := serverWait{logger: lines, healthAddress: o.healthAddress, patience: serverPatience}
	if err := await.run(ctx, config); err != nil {
		if ctx.Err() != nil {
			return nil // Being told to stop is no failure.
		}
		return err
	}
	optional, err := newOptionalKinds(config)
	if err != nil {
		return err
	}
	found, err := optional.look()
	if err != nil {
		return err
	}
	o.settings.GatewayAPI, o.settings.KEDA = found.gatewayAPI, found.keda
	// Whoever stops for other kinds is started again by the kubelet, and finds them.
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	mgr, err := o.newManager(config, logger)
	if err != nil {
		return err
	}
	err = controllers.Setup(ctx, mgr, controllers.Options{
		Asker:     ack.NewPods(mgr.GetClient(), time.Now),
		Settings:  o.settings,
		Calendars: o.calendars,
		Random:    rand.Reader,
		Now:       time.Now,
	})
	if err != nil {
		return fmt.Errorf("setting up the controllers: %w", err)
	}
	if err := mgr.Add(optional.watch(found, stop, lines)); err != nil {
		return fmt.Errorf("adding the look for other kinds: %w", err)
	}
	if err := o.answerWebhooks(mgr); err != nil {
		return err
	}
	if err := countConditions(mgr); err != nil {
		return err
	}
	if err := mgr.AddHealthzCheck("ping", healthz.Ping); err != nil {
		return fmt.Errorf("adding the health check: %w", err)
	}
	if err := mgr.AddReadyzCheck("cache", controllers.CacheSynced(mgr.GetCache())); err != nil {
		return fmt.Errorf("adding the readiness check: %w", err)
	}
	if err := mgr.Start(ctx); err != nil {
		return fmt.Errorf("running the operator: %w", err)
	}
	return nil
}

// answerWebhooks serves admission, in every replica: the API server asks whichever it reaches.
func (o *operatorFlags) answerWebhooks(mgr ctrl.Manager) error {
	if o.webhookPort == 0 {
		return nil
	}
	server := mgr.GetWebhookServer()
	admission.Register(admission.Options{Server: server, Scheme: mgr.GetScheme(), Reader: mgr.GetClient(), Settings: o.settings})
	if err := mgr.AddReadyzCheck("webhook", server.StartedChecker()); err != nil {
		return fmt.Errorf("adding the readiness check of the webhooks: %w", err)
	}
	return nil
}

// countConditions adds the conditions of all objects to the metrics.
func countConditions(mgr ctrl.Manager) error {
	conditions := controllers.NewConditionMetrics(mgr.GetClient())
	if err := metrics.Registry.Register(conditions); err != nil {
		return fmt.Errorf("registering the metrics of conditions: %w", err)
	}
	if err := mgr.Add(conditions); err != nil {
		return fmt.Errorf("adding the metrics of conditions: %w", err)
	}
	return nil
}

func (o *operatorFlags) newManager(config *rest.Config, logger logr.Logger) (ctrl.Manager, error) {
	scheme, err := controllers.Scheme()
	if err != nil {
		return nil, err
	}
	config.UserAgent = "yingda-operator"
	// The server's priority and fairness limits clients better than they can themselves.
	config.QPS = -1
	lease, renew, retry := controllers.LeaseDuration, controllers.RenewDeadline, controllers.RetryPeriod
	mgr, err := ctrl.NewManager(config, ctrl.Options{
		Scheme:                 scheme,
		Logger:                 logger,
		Cache:                  controllers.CacheOptions(o.namespaces, o.settings),
		Client:                 client.Options{FieldValidation: "Strict"},
		Metrics:                metricsserver.Options{BindAddress: o.metricsAddress},
		HealthProbeBindAddress: o.healthAddress,
		PprofBindAddress:       o.pprofAddress,
		// Made in any case; it is served only once somebody asks the manager for it.
		WebhookServer:           webhook.NewServer(webhook.Options{Port: o.webhookPort, CertDir: o.webhookCertDir}),
		LeaderElection:          o.leaderElect,
		LeaderElectionID:        leaderElectionID,
		LeaderElectionNamespace: o.leaseNamespace,
		LeaseDuration:           &lease,
		RenewDeadline:           &renew,
		RetryPeriod:             &retry,
		// Whoever stops gives the lease back, so that an update of the operator waits for nothing.
		LeaderElectionReleaseOnCancel: true,
	})
	if err != nil {
		return nil, fmt.Errorf("making the manager: %w", err)
	}
	return mgr, nil
}
