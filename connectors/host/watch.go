package host

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/yingda-dev/yingda/api/v1alpha1"
)

// watcher keeps the table in step with the API server: one reflector for the namespace's Channels, one by name for each
// Secret that they refer to, for the Role grants no more than these names. An error of a watch changes nothing: only what
// is seen to be gone is dropped.
type watcher struct {
	client    client.WithWatch
	namespace string
	table     *table
	clock     func() time.Time
	logger    *slog.Logger
	reached   *steadyLog

	mu       sync.Mutex
	channels bool            // Listed once.
	tried    map[string]bool // Secrets that were listed once, or that the server would not show.
	secrets  map[string]context.CancelFunc
	running  sync.WaitGroup
}

func newWatcher(c client.WithWatch, namespace string, t *table, logger *slog.Logger) *watcher {
	return &watcher{
		client: c, namespace: namespace, table: t, clock: t.services.Clock, logger: logger, reached: newSteadyLog(logger, "follow the API server"),
		tried: map[string]bool{}, secrets: map[string]context.CancelFunc{},
	}
}

// run watches until ctx ends.
func (w *watcher) run(ctx context.Context) {
	defer w.running.Wait()
	channels := lister{
		client: w.client, namespace: w.namespace,
		newList: func() client.ObjectList { return &v1alpha1.ChannelList{} }, failed: func() {}, outcome: w.outcomes("channels", ""),
	}
	follow(ctx, channels, &v1alpha1.Channel{}, &channelStore{watcher: w, ctx: ctx})
}

// synced says whether all there is to serve was seen. A Secret that the Role does not grant yet holds nobody up.
func (w *watcher) synced() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.channels {
		return false
	}
	for _, name := range w.table.secretNames() {
		if !w.tried[name] {
			return false
		}
	}
	return true
}

// adjust watches the Secrets that Channels name now, and no others.
func (w *watcher) adjust(ctx context.Context) {
	wanted := w.table.secretNames()
	w.mu.Lock()
	defer w.mu.Unlock()
	for name, stop := range w.secrets {
		if !slices.Contains(wanted, name) {
			stop()
			delete(w.secrets, name)
			delete(w.tried, name)
			w.table.forgetSecret(name)
		}
	}
	for _, name := range wanted {
		if _, ok := w.secrets[name]; ok {
			continue
		}
		secretCtx, stop := context.WithCancel(ctx)
		w.secrets[name] = stop
		w.running.Go(func() { w.watchSecret(secretCtx, name) })
	}
}

func (w *watcher) watchSecret(ctx context.Context, name string) {
	secret := lister{
		client: w.client, namespace: w.namespace, name: name,
		newList: func() client.ObjectList { return &corev1.SecretList{} }, failed: func() { w.markTried(name) },
		outcome: w.outcomes("secrets", name),
	}
	follow(ctx, secret, &corev1.Secret{}, &secretStore{watcher: w, name: name, ctx: ctx})
}

func (w *watcher) markTried(name string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.tried[name] = true
}

func (w *watcher) markListed() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.channels = true
}

// follow runs a reflector until ctx ends. Its pauses stay short: the Role that shows a new Channel's Secret may follow the
// Channel by a moment, and a replica is expected to serve it in a second; an edit of the time when the API server was away
// is expected in force within a few seconds of its return.
func follow(ctx context.Context, from lister, object client.Object, store cache.ReflectorStore) {
	const shortest, longest, steps = 200 * time.Millisecond, 2 * time.Second, 10
	reflector := cache.NewReflectorWithOptions(from.listWatch(), object, store, cache.ReflectorOptions{
		Name:    fmt.Sprintf("connector-%T-%s", object, from.name),
		Backoff: &wait.Backoff{Duration: shortest, Cap: longest, Steps: steps, Factor: 2, Jitter: 0.2},
	})
	// A reflector would log each try, through its context; the lister says what is worth it.
	reflector.RunWithContext(klog.NewContext(ctx, logr.Discard()))
}

// lister lists and watches one kind in the namespace, or one object of it by name.
type lister struct {
	client    client.WithWatch
	namespace string
	name      string
	newList   func() client.ObjectList
	failed    func()
	// outcome is told how each call ended.
	outcome func(context.Context, error)
}

// listThenWatch keeps reflectors from streaming the list: what is watched here is small.
type listThenWatch struct{}

// IsWatchListSemanticsUnSupported is what reflectors look for.
func (listThenWatch) IsWatchListSemanticsUnSupported() bool { return true }

func (l lister) listWatch() cache.ListerWatcher {
	return cache.ToListWatcherWithWatchListSemantics(&cache.ListWatch{ListWithContextFunc: l.list, WatchFuncWithContext: l.watch}, listThenWatch{})
}

func (l lister) options(raw metav1.ListOptions) []client.ListOption {
	options := []client.ListOption{client.InNamespace(l.namespace)}
	if l.name != "" {
		options = append(options, client.MatchingFieldsSelector{Selector: fields.OneTermEqualSelector(metav1.ObjectNameField, l.name)})
	}
	return append(options, &client.ListOptions{Raw: &raw})
}

func (l lister) list(ctx context.Context, raw metav1.ListOptions) (runtime.Object, error) {
	list := l.newList()
	err := l.client.List(ctx, list, l.options(raw)...)
	l.outcome(ctx, err)
	if err != nil {
		l.failed()
		return nil, fmt.Errorf("listing: %w", err)
	}
	return list, nil
}

func (l lister) watch(ctx context.Context, raw metav1.ListOptions) (watch.Interface, error) {
	w, err := l.client.Watch(ctx, l.newList(), l.options(raw)...)
	l.outcome(ctx, err)
	if err != nil {
		return nil, fmt.Errorf("watching: %w", err)
	}
	return w, nil
}

// channelStore hands what a reflector sees to the table.
type channelStore struct {
	watcher *watcher
	ctx     context.Context //nolint:containedctx // The life of the watches of Secrets that Channels begin.
}

func (s *channelStore) Add(object any) error { return s.Update(object) }

func (s *channelStore) Update(object any) error {
	if channel, ok := object.(*v1alpha1.Channel); ok {
		s.watcher.table.setChannel(channel)
		s.watcher.adjust(s.ctx)
	}
	return nil
}

func (s *channelStore) Delete(object any) error {
	if channel, ok := object.(*v1alpha1.Channel); ok {
		s.watcher.table.removeChannel(channel.Name)
		s.watcher.adjust(s.ctx)
	}
	return nil
}

func (s *channelStore) Replace(objects []any, _ string) error {
	channels := make([]*v1alpha1.Channel, 0, len(objects))
	for _, object := range objects {
		if channel, ok := object.(*v1alpha1.Channel); ok {
			channels = append(channels, channel)
		}
	}
	s.watcher.table.setChannels(channels)
	s.watcher.adjust(s.ctx)
	s.watcher.markListed()
	return nil
}

func (*channelStore) Resync() error { return nil }

// secretStore hands one Secret to the table. Events of other Secrets are ignored, should a server send them.
type secretStore struct {
	watcher *watcher
	name    string
	ctx     context.Context //nolint:containedctx // Ended when no Channel names the Secret any more; what comes later is stale.
}

func (s *secretStore) set(secret *corev1.Secret) {
	if s.ctx.Err() == nil {
		s.watcher.table.setSecret(s.name, secret)
	}
}

func (s *secretStore) Add(object any) error { return s.Update(object) }

func (s *secretStore) Update(object any) error {
	if secret, ok := object.(*corev1.Secret); ok && secret.Name == s.name {
		s.set(secret)
	}
	return nil
}

func (s *secretStore) Delete(object any) error {
	if secret, ok := object.(*corev1.Secret); ok && secret.Name == s.name {
		s.set(nil)
	}
	return nil
}

func (s *secretStore) Replace(objects []any, _ string) error {
	var found *corev1.Secret
	for _, object := range objects {
		if secret, ok := object.(*corev1.Secret); ok && secret.Name == s.name {
			found = secret
		}
	}
	s.set(found)
	s.watcher.markTried(s.name)
	return nil
}

func (*secretStore) Resync() error { return nil }
