package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	toolscache "k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/controllers"
	"github.com/yingda-dev/yingda/internal/catalog"
	"github.com/yingda-dev/yingda/internal/configz"
	"github.com/yingda-dev/yingda/internal/dataplane"
)

const (
	// podAddresses is how many of the addresses that kwok gives to pods are listened on: more than any run has pods.
	podAddresses = 4096
	// podPatience is how long a question waits for the loader to hear of the pod that it is for.
	podPatience = time.Second
)

// loader answers /configz in the place of all pods of the data plane, each on the pod's own address. What a pod of a Brand
// serves is what a Catalog of the Brand has loaded; one Catalog stands for all of its pods. Connectors say of every Channel
// that the platform accepted its credentials.
type loader struct {
	config *rest.Config

	mu       sync.Mutex
	pods     map[string]*corev1.Pod
	catalogs map[types.NamespacedName]*catalog.Catalog
	running  sync.WaitGroup
}

func runLoader(ctx context.Context, kubeconfig string) error {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return fmt.Errorf("reading the kubeconfig: %w", err)
	}
	config.QPS = -1
	l := &loader{config: config, pods: map[string]*corev1.Pod{}, catalogs: map[types.NamespacedName]*catalog.Catalog{}}
	defer l.running.Wait()
	if err := l.listen(ctx); err != nil {
		return err
	}
	informers, err := l.follow(ctx)
	if err != nil {
		return err
	}
	if err := serveLoad(ctx, http.NotFoundHandler()); err != nil {
		return err
	}
	if err := informers.Start(ctx); err != nil {
		return fmt.Errorf("running the informers: %w", err)
	}
	return nil
}

// listen is there before the first pod: an operator does not ask again soon where nobody answered.
func (l *loader) listen(ctx context.Context) error {
	server := &http.Server{Handler: http.HandlerFunc(l.answer), ReadHeaderTimeout: time.Minute}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	network := netip.MustParsePrefix(podCIDR).Addr().As4()
	first := binary.BigEndian.Uint32(network[:])
	for i := range uint32(podAddresses) {
		var address [4]byte
		binary.BigEndian.PutUint32(address[:], first+1+i)
		listener, err := net.Listen("tcp", net.JoinHostPort(netip.AddrFrom4(address).String(), strconv.Itoa(configz.HealthPort)))
		if err != nil {
			return fmt.Errorf("listening in the place of a pod: %w", err)
		}
		go func() { _ = server.Serve(listener) }()
	}
	return nil
}

// follow keeps the pods up to date and runs a Catalog for each Brand.
func (l *loader) follow(ctx context.Context) (cache.Cache, error) {
	scheme, err := controllers.Scheme()
	if err != nil {
		return nil, err
	}
	options := controllers.CacheOptions(nil, settings())
	options.Scheme = scheme
	informers, err := cache.New(l.config, options)
	if err != nil {
		return nil, fmt.Errorf("making the informers: %w", err)
	}
	for _, followed := range []struct {
		kind    client.Object
		changed func(obj any)
	}{
		{&corev1.Pod{}, l.seePod},
		{&v1alpha1.Brand{}, func(obj any) { l.seeBrand(ctx, obj) }},
	} {
		informer, err := informers.GetInformer(ctx, followed.kind, cache.BlockUntilSynced(false))
		if err != nil {
			return nil, fmt.Errorf("making an informer: %w", err)
		}
		handler := toolscache.ResourceEventHandlerFuncs{AddFunc: followed.changed, UpdateFunc: func(_, after any) { followed.changed(after) }}
		if _, err := informer.AddEventHandler(handler); err != nil {
			return nil, fmt.Errorf("listening to an informer: %w", err)
		}
	}
	return informers, nil
}

// seePod keeps the last pod that an address was given to.
func (l *loader) seePod(obj any) {
	pod, ok := obj.(*corev1.Pod)
	if !ok || pod.Status.PodIP == "" || pod.DeletionTimestamp != nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pods[pod.Status.PodIP] = pod
}

func (l *loader) seeBrand(ctx context.Context, obj any) {
	brand, ok := obj.(*v1alpha1.Brand)
	if !ok {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	key := client.ObjectKeyFromObject(brand)
	if l.catalogs[key] != nil {
		return
	}
	c := catalog.New(brand.Namespace, brand.Name, slog.New(slog.DiscardHandler))
	l.catalogs[key] = c
	l.running.Go(func() { _ = c.Run(ctx, l.config, func() {}) }) // It fails only where its kinds are unknown.
}

// answer is for the pod whose address was called.
func (l *loader) answer(w http.ResponseWriter, r *http.Request) {
	report, err := l.report(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	configz.Handler(func() configz.Report { return report }).ServeHTTP(w, r)
}

func (l *loader) report(r *http.Request) (configz.Report, error) {
	local, _ := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	host, _, err := net.SplitHostPort(local.String())
	if err != nil {
		return configz.Report{}, fmt.Errorf("reading the address: %w", err)
	}
	var pod *corev1.Pod
	var served *catalog.Catalog
	err = await(r.Context(), "the pod", podPatience, func() (bool, error) {
		l.mu.Lock()
		defer l.mu.Unlock()
		if pod = l.pods[host]; pod == nil {
			return false, nil
		}
		served = l.catalogs[types.NamespacedName{Namespace: pod.Namespace, Name: pod.Labels[dataplane.LabelBrand]}]
		return served != nil, nil
	})
	if err != nil {
		return configz.Report{}, err
	}
	snapshot := served.Snapshot()
	switch pod.Labels[dataplane.LabelComponent] {
	case dataplane.Connector:
		return connectorReport(snapshot, pod.Labels[dataplane.LabelPool]), nil
	case dataplane.Router:
		return routerReport(snapshot), nil
	}
	return configz.Report{Objects: snapshot.Generations()}, nil
}

// connectorReport is what a connector says: it knows the Channels of its pool alone, and all of them are in order.
func connectorReport(snapshot *catalog.Snapshot, pool string) configz.Report {
	report := configz.Report{Objects: map[string]int64{}, Channels: map[string]configz.Channel{}}
	for key, generation := range snapshot.Generations() {
		name, isChannel := strings.CutPrefix(key, configz.ObjectKey("Channel", ""))
		if c, ok := snapshot.Channel(name); isChannel && ok && c.Pool == pool {
			report.Objects[key] = generation
			report.Channels[name] = configz.Channel{Credentials: configz.CredentialsAccepted}
		}
	}
	return report
}

// routerReport is what a router says: of the Channels that are being deleted no message is on its way.
func routerReport(snapshot *catalog.Snapshot) configz.Report {
	report := configz.Report{Objects: snapshot.Generations(), Channels: map[string]configz.Channel{}}
	for _, name := range snapshot.Departing() {
		report.Channels[name] = configz.Channel{UnreadSeconds: new(0.0), OnTheWay: new(int64(0))}
	}
	return report
}
