package workflowserver

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"go.temporal.io/server/common/authorization"
	"go.temporal.io/server/common/cluster"
	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/dynamicconfig"
	"go.temporal.io/server/common/log"
	"go.temporal.io/server/common/membership/static"
	"go.temporal.io/server/common/primitives"
	"go.temporal.io/server/temporal"

	"github.com/yingda-dev/yingda/hack/stack/internal/listen"
)

const (
	historyStore    = "history"
	visibilityStore = "visibility"

	clusterName = "active"
	// clusterID is written into the database once and must never change for it.
	clusterID = "6d4f5b1e-6b0c-4a55-9c39-6a5e1f0f9d21"
)

// persistence is where the server keeps what it knows.
func persistence(ctx context.Context, options *Options) (config.Persistence, error) {
	described := config.Persistence{DefaultStore: historyStore, VisibilityStore: visibilityStore}
	var history, visibility *config.SQL
	var err error
	if options.PostgresURL == "" {
		described.NumHistoryShards = 1 // SQLite knows no more.
		history, err = prepare(options.File)
		visibility = history
	} else {
		described.NumHistoryShards = postgresShards
		history, visibility, err = preparePostgres(ctx, options.PostgresURL)
	}
	if err != nil {
		return described, err
	}
	described.DataStores = map[string]config.DataStore{historyStore: {SQL: history}, visibilityStore: {SQL: visibility}}
	return described, nil
}

// configure describes a whole Temporal cluster in this process. Membership is static, so nothing gossips and no membership
// port opens; metrics and pprof stay off for the same reason.
func configure(ctx context.Context, frontend netip.AddrPort, persistence config.Persistence) ([]temporal.ServerOption, error) {
	services := map[string]config.Service{}
	hosts := map[primitives.ServiceName]static.Hosts{}
	for _, name := range []primitives.ServiceName{
		primitives.FrontendService, primitives.HistoryService, primitives.MatchingService, primitives.WorkerService,
	} {
		address := frontend
		if name != primitives.FrontendService {
			internal, err := listen.FreePort(ctx, netip.AddrFrom4([4]byte{127, 0, 0, 1}))
			if err != nil {
				return nil, fmt.Errorf("finding a port for Temporal's %s service: %w", name, err)
			}
			address = internal
		}
		services[string(name)] = config.Service{RPC: config.RPC{GRPCPort: int(address.Port()), BindOnIP: address.Addr().String()}}
		hosts[name] = static.SingleLocalHost(address.String())
	}
	conf := &config.Config{
		Services:    services,
		Persistence: persistence,
		ClusterMetadata: &cluster.Config{
			FailoverVersionIncrement: 10,
			MasterClusterName:        clusterName,
			CurrentClusterName:       clusterName,
			ClusterInformation: map[string]cluster.ClusterInformation{clusterName: {
				Enabled: true, InitialFailoverVersion: 1, RPCAddress: frontend.String(), ClusterID: clusterID,
			}},
		},
		DCRedirectionPolicy: config.DCRedirectionPolicy{Policy: "noop"},
		PublicClient:        config.PublicClient{HostPort: frontend.String()},
	}
	conf.Global.Membership.MaxJoinDuration = 30 * time.Second
	conf.Global.Membership.BroadcastAddress = frontend.Addr().String()
	conf.Archival.History.State = "disabled"
	conf.Archival.Visibility.State = "disabled"
	conf.NamespaceDefaults.Archival.History.State = "disabled"
	conf.NamespaceDefaults.Archival.Visibility.State = "disabled"

	return []temporal.ServerOption{
		temporal.WithConfig(conf),
		temporal.ForServices(temporal.DefaultServices),
		temporal.WithStaticHosts(hosts),
		temporal.WithLogger(log.NewZapLogger(log.BuildZapLogger(log.Config{Level: "error", Format: "json"}))),
		temporal.WithAuthorizer(authorization.NewNoopAuthorizer()),
		temporal.WithClaimMapper(func(*config.Config) authorization.ClaimMapper { return authorization.NewNoopClaimMapper() }),
		temporal.WithDynamicConfigClient(dynamicconfig.StaticClient{
			// Tests and tools poll the lists; the default of 10 calls a second is for clusters that many share.
			dynamicconfig.FrontendMaxNamespaceVisibilityRPSPerInstance.Key(): 100,
			// Registering a namespace counts here, at one a second by default: test suites register many.
			dynamicconfig.FrontendMaxNamespaceNamespaceReplicationInducingAPIsRPSPerInstance.Key(): 100,
			// A namespace that was just made can be used soon, not up to two seconds later, and once more after its search attributes.
			dynamicconfig.NamespaceCacheRefreshInterval.Key(): 500 * time.Millisecond,
			// The default cache of 128,000 is sized for servers with gigabytes to spare. Ours holds the 10,000 open cases that the
			// benchmark asks for, with room: where they do not fit, every deadline reads its workflow from the database again.
			dynamicconfig.HistoryCacheHostLevelMaxSize.Key(): 16384,
		}),
	}, nil
}
