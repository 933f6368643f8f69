package catalog

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
)

// Catalog follows one brand's resources.
type Catalog struct {
	namespace, brand string
	logger           *slog.Logger
	// speechOnly leaves out what the bot does not speak by.
	speechOnly bool

	snapshot atomic.Pointer[Snapshot]
	// following is false while the snapshot may be older than what the API server would say.
	following atomic.Bool
	// dirty has room for one: many changes at once are one rebuild.
	dirty   chan struct{}
	changed []func(*Snapshot)
	builder builder
	// calendars as they were last seen in full.
	calendars []yingdav1.HolidayCalendar
}

// New returns a Catalog of the named brand. Subscribe, then Run.
func New(namespace, brand string, logger *slog.Logger) *Catalog {
	c := &Catalog{namespace: namespace, brand: brand, logger: logger, dirty: make(chan struct{}, 1), builder: newBuilder(brand)}
	c.snapshot.Store(c.builder.build(objects{}))
	return c
}

// NewForSpeech returns a Catalog that knows what decides what the bot says, and nothing of Agents and ServiceLevels: for
// connectors, which the outside reaches.
func NewForSpeech(namespace, brand string, logger *slog.Logger) *Catalog {
	c := New(namespace, brand, logger)
	c.speechOnly = true
	return c
}

// Subscribe has f called with each new snapshot, one call after the other. Call it before Run.
func (c *Catalog) Subscribe(f func(*Snapshot)) { c.changed = append(c.changed, f) }

// Snapshot returns the newest view; before Run has synced it is empty.
func (c *Catalog) Snapshot() *Snapshot { return c.snapshot.Load() }

// Following says whether the newest view is what the API server says. It is false before the first one, and while the server is
// seen to be away: what is missing then may be there.
func (c *Catalog) Following() bool { return c.following.Load() }

// Run follows the API server until ctx ends and calls synced once the first full view is in force. An API server that
// is away at the start is waited for; later it may come and go, and the last view stays in force meanwhile.
//
// Informers left to themselves come back up to a minute after the server does: their pauses grow. Therefore they are given
// up when the server is seen to be away, and new ones are made as soon as it answers.
func (c *Catalog) Run(ctx context.Context, config *rest.Config, synced func()) error {
	scheme := runtime.NewScheme()
	if err := yingdav1.AddToScheme(scheme); err != nil {
		return fmt.Errorf("registering the kinds: %w", err)
	}
	s, err := newServer(config, scheme, c.namespace)
	if err != nil {
		return err
	}
	away := false
	inForce := func() {
		if away {
			away = false
			c.logger.Info("Follows the API server again")
		}
		synced()
	}
	synced = sync.OnceFunc(synced)
	for {
		err := c.follow(ctx, s, inForce)
		if ctx.Err() != nil {
			return nil //nolint:nilerr // Being told to stop is no failure.
		}
		if !away {
			away = true
			c.logger.Warn("Cannot follow the API server; the last state stays in force", "error", err)
		}
		if !s.await(ctx, c.logger) {
			return nil
		}
	}
}

// follow keeps the snapshot up to date until the server is seen to be away, and calls inForce at its first full view.
func (c *Catalog) follow(ctx context.Context, s *server, inForce func()) error {
	ctx, cut := context.WithCancelCause(ctx)
	var runner sync.WaitGroup
	defer runner.Wait()
	defer cut(nil)
	defer c.following.Store(false)
	informers, err := s.informers(ctx, cut)
	if err != nil {
		return err
	}
	for _, kind := range c.kinds() {
		informer, err := informers.GetInformer(ctx, kind, cache.BlockUntilSynced(false))
		if err != nil {
			return fmt.Errorf("making an informer: %w", err)
		}
		if _, err := informer.AddEventHandler(c.marker()); err != nil {
			return fmt.Errorf("listening to an informer: %w", err)
		}
	}
	calendars, err := s.calendars(c.marker(), cut)
	if err != nil {
		return err
	}
	stopped := make(chan error, 1)
	runner.Go(func() { stopped <- informers.Start(ctx) })
	runner.Go(func() { calendars.informer.RunWithContext(ctx) })
	if !informers.WaitForCacheSync(ctx) {
		return ended(ctx, <-stopped)
	}
	err = calendars.await(ctx)
	if ctx.Err() != nil {
		return ended(ctx, <-stopped)
	}
	if err != nil {
		c.logger.Warn("Cannot read the HolidayCalendars of the cluster; schedules are served by those seen before", "error", err)
		runner.Go(func() {
			select {
			case <-calendars.complete.Done():
				c.logger.Info("Reads the HolidayCalendars of the cluster")
				c.mark()
			case <-ctx.Done():
			}
		})
	}
	if err := c.rebuild(ctx, informers, calendars); err != nil {
		return err
	}
	c.following.Store(true)
	inForce()
	for {
		select {
		case <-c.dirty:
			if err := c.rebuild(ctx, informers, calendars); err != nil {
				return err
			}
		case err := <-stopped:
			return ended(ctx, err)
		}
	}
}

// ended says why informers ended: with an error of their own, or because the server was seen to be away.
func ended(ctx context.Context, err error) error {
	if err != nil {
		return fmt.Errorf("running the informers: %w", err)
	}
	return context.Cause(ctx)
}

// kinds are what the data plane reads of its namespace, by name.
func (c *Catalog) kinds() map[string]client.Object {
	kinds := map[string]client.Object{
		"Brand": &yingdav1.Brand{}, "Channel": &yingdav1.Channel{}, "SkillGroup": &yingdav1.SkillGroup{},
		"ShiftSchedule": &yingdav1.ShiftSchedule{}, "Playbook": &yingdav1.Playbook{},
	}
	if !c.speechOnly {
		kinds["Agent"], kinds["ServiceLevel"] = &yingdav1.Agent{}, &yingdav1.ServiceLevel{}
	}
	return kinds
}

// Kinds are the names of those of which the snapshots' Generations tell, sorted.
func (c *Catalog) Kinds() []string {
	kinds := append(slices.Collect(maps.Keys(c.kinds())), "HolidayCalendar")
	slices.Sort(kinds)
	return kinds
}

// mark asks for a rebuild.
func (c *Catalog) mark() {
	select {
	case c.dirty <- struct{}{}:
	default:
	}
}

func (c *Catalog) marker() toolscache.ResourceEventHandler {
	return toolscache.ResourceEventHandlerFuncs{
		AddFunc: func(any) { c.mark() },
		UpdateFunc: func(before, after any) {
			// The operator writes status often; only what people declare matters here, the token's hash, and calls for help.
			if changes(before, after) {
				c.mark()
			}
		},
		DeleteFunc: func(any) { c.mark() },
	}
}

func changes(before, after any) bool {
	a, okA := before.(client.Object)
	b, okB := after.(client.Object)
	// Another UID is another object of the name, of which only the newer was seen; both began with generation 1.
	if !okA || !okB || a.GetGeneration() != b.GetGeneration() || a.GetUID() != b.GetUID() {
		return true
	}
	if a.GetResourceVersion() == b.GetResourceVersion() {
		return false
	}
	// Labels and the trial token's hash change without a new generation; both belong to Agents.
	if _, isAgent := after.(*yingdav1.Agent); isAgent {
		return true
	}
	was, wasGroup := before.(*yingdav1.SkillGroup)
	is, isGroup := after.(*yingdav1.SkillGroup)
	return wasGroup && isGroup && !sameCall(callOf(was), callOf(is))
}

// callOf is the operator's call of those who are on call for a group; nil while there is none.
func callOf(group *yingdav1.SkillGroup) *Call {
	if !slices.ContainsFunc(group.Status.Conditions, func(c metav1.Condition) bool {
		return c.Type == yingdav1.ConditionStaffed && c.Reason == yingdav1.ReasonOnCallCalled
	}) {
		return nil
	}
	call := &Call{Forecast: group.Status.Forecast}
	if seats := group.Status.Seats; seats != nil {
		call.Wanted, call.OnDuty = valueOf(seats.Wanted), valueOf(seats.OnDuty)
		if seats.ShortSince != nil {
			call.Since = seats.ShortSince.UTC()
		}
	}
	return call
}

func valueOf(n *int32) int32 {
	if n == nil {
		return 0
	}
	return *n
}

func sameCall(a, b *Call) bool {
	return a == b || a != nil && b != nil && a.Since.Equal(b.Since)
}

func (c *Catalog) rebuild(ctx context.Context, reader client.Reader, calendars *calendars) error {
	var o objects
	var brands yingdav1.BrandList
	var channels yingdav1.ChannelList
	var groups yingdav1.SkillGroupList
	var schedules yingdav1.ShiftScheduleList
	var agents yingdav1.AgentList
	var playbooks yingdav1.PlaybookList
	var levels yingdav1.ServiceLevelList
	lists := []client.ObjectList{&brands, &channels, &groups, &schedules, &playbooks}
	if !c.speechOnly {
		// To ask the informers for a kind makes one.
		lists = append(lists, &agents, &levels)
	}
	for _, list := range lists {
		if err := reader.List(ctx, list, client.InNamespace(c.namespace)); err != nil {
			return fmt.Errorf("reading the informers: %w", err)
		}
	}
	o.brands, o.channels, o.groups, o.schedules = brands.Items, channels.Items, groups.Items, schedules.Items
	o.agents, o.playbooks, o.levels = agents.Items, playbooks.Items, levels.Items
	if all, complete := calendars.list(); complete {
		c.calendars = all
	}
	o.calendars = c.calendars
	c.publish(c.builder.build(o))
	return nil
}

func (c *Catalog) publish(next *Snapshot) {
	c.snapshot.Store(next)
	for _, f := range c.changed {
		f(next)
	}
}
