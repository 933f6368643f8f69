package catalog

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	utilnet "k8s.io/apimachinery/pkg/util/net"
	"k8s.io/client-go/rest"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
)

const (
	probeInterval = time.Second
	probeTimeout  = time.Second
)

// server is the API server as the catalog meets it. Informers and probes share one pool of connections, so that to come
// back leaves none behind.
type server struct {
	config *rest.Config
	// direct is the config for requests to the paths of our group.
	direct    *rest.Config
	transport http.RoundTripper
	scheme    *runtime.Scheme
	namespace string
	probe     *rest.RESTClient
}

func newServer(config *rest.Config, scheme *runtime.Scheme, namespace string) (*server, error) {
	config = rest.CopyConfig(config)
	base, err := rest.HTTPClientFor(config)
	if err != nil {
		return nil, fmt.Errorf("making a client of the API server: %w", err)
	}
	group := yingdav1.GroupVersion()
	direct := rest.CopyConfig(config)
	direct.APIPath, direct.GroupVersion = "/apis", &group
	direct.NegotiatedSerializer = serializer.NewCodecFactory(scheme).WithoutConversion()
	probe, err := rest.RESTClientForConfigAndClient(direct, base)
	if err != nil {
		return nil, fmt.Errorf("making a client of the API server: %w", err)
	}
	return &server{config: config, direct: direct, transport: base.Transport, scheme: scheme, namespace: namespace, probe: probe}, nil
}

// informers returns new ones, which call lost when a request of theirs finds the server away.
func (s *server) informers(ctx context.Context, lost context.CancelCauseFunc) (cache.Cache, error) {
	informers, err := cache.New(s.config, cache.Options{
		HTTPClient:        &http.Client{Transport: &observer{next: s.transport, lost: lost}},
		Scheme:            s.scheme,
		DefaultNamespaces: map[string]cache.Config{s.namespace: {}},
		DefaultTransform:  cache.TransformStripManagedFields(),
		DefaultWatchErrorHandler: func(handled context.Context, r *toolscache.Reflector, err error) {
			// That the server is away is said once, not by each informer.
			if ctx.Err() == nil {
				toolscache.DefaultWatchErrorHandler(handled, r, err)
			}
		},
	})
	if err != nil {
		return nil, fmt.Errorf("making the informers: %w", err)
	}
	return informers, nil
}

// await returns true once the server answers, and false when ctx ends. It lets a moment pass before each try: a server
// that answers probes and nothing else must not be hammered.
func (s *server) await(ctx context.Context, logger *slog.Logger) bool {
	ticker := time.NewTicker(probeInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return false
		case <-ticker.C:
		}
		err := s.try(ctx)
		if err == nil {
			return true
		}
		logger.Debug("The API server does not answer yet", "error", err)
		// A connection that went silent would keep the next probe from a server that is back.
		utilnet.CloseIdleConnectionsFor(s.transport)
	}
}

// try reads what the informers are going to read: /readyz may be kept from us, and may say no for reasons of no concern.
func (s *server) try(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	err := s.probe.Get().Namespace(s.namespace).Resource("brands").Param("limit", "1").MaxRetries(0).Do(ctx).Error()
	if err != nil {
		return fmt.Errorf("probing the API server: %w", err)
	}
	return nil
}

// observer sees requests that find no server. The informers' own handler of errors does not: a refused watch is tried
// again below it, after pauses that grow to a minute.
type observer struct {
	next http.RoundTripper
	lost context.CancelCauseFunc
}

// RoundTrip is what http.Client calls.
func (o *observer) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := o.next.RoundTrip(request)
	switch {
	case request.Context().Err() != nil: // The request was called off; that says nothing of the server.
	case err != nil:
		o.lost(fmt.Errorf("calling the API server: %w", err))
	case response.StatusCode == http.StatusBadGateway, response.StatusCode == http.StatusServiceUnavailable:
		o.lost(fmt.Errorf("calling the API server: status %d", response.StatusCode))
	}
	return response, err
}
