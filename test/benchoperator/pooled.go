package main

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/yingda-dev/yingda/api/v1alpha1"
)

// setup is how long the Brands take from nothing.
type setup struct {
	// brands is until all Brands are Ready; pools until the first Channel of each is.
	brands, pools time.Duration
}

// prepare makes the Brands, and a first Channel in each, so that pools run.
func (b *bench) prepare(ctx context.Context) (setup, error) {
	var s setup
	if err := each(ctx, namespaces(b.brands), create(b.api)); err != nil {
		return s, err
	}
	var folders, secrets, seeds []client.Object
	for i := range b.brands {
		folders = append(folders, brandFolder(i)...)
		secrets = append(secrets, secret(namespaceName(i), credentialsOf(seed)))
		seeds = append(seeds, channel(namespaceName(i), seed, seed, b.number()))
	}
	began := time.Now()
	if err := each(ctx, folders, create(b.api)); err != nil {
		return s, err
	}
	err := await(ctx, "the Brands to be Ready", b.limit, func() (bool, error) {
		var brands v1alpha1.BrandList
		if err := b.api.List(ctx, &brands); err != nil {
			return false, fmt.Errorf("listing Brands: %w", err)
		}
		for i := range brands.Items {
			if !isReady(brands.Items[i].Generation, brands.Items[i].Status.Conditions) {
				return false, nil
			}
		}
		return len(brands.Items) == b.brands, nil
	})
	if err != nil {
		return s, err
	}
	s.brands = time.Since(began)
	if err := each(ctx, secrets, create(b.api)); err != nil {
		return s, err
	}
	ready, err := product(ctx, b.api, seeds, seed, b.limit)
	if err != nil {
		return s, err
	}
	s.pools = ready.took
	first := &v1alpha1.Channel{}
	if err := b.api.Get(ctx, client.ObjectKeyFromObject(seeds[0]), first); err != nil {
		return s, fmt.Errorf("reading a Ready Channel: %w", err)
	}
	b.status = first.Status
	return s, nil
}

// number is for an account that no other Channel has.
func (b *bench) number() int {
	b.accounts++
	return b.accounts
}

// pooled is what N Channels in pools cost.
type pooled struct {
	size  int
	floor floorTimes
	ready readiness
	// during holds what the operator did until it came to rest, after its heap then; before was its heap before.
	during      stats
	before      uint64
	processors  map[string]float64
	one, all    stats
	restart     stats
	restartTook time.Duration
}

func (p pooled) String() string {
	writes, events := p.during.writes()
	bound, _ := p.during.waited(allQueues)
	restarted, _ := p.restart.writes()
	return fmt.Sprintf("%d Channels: floor %s (create %s, patch %s), product %s (created %s, each p50 %s p99 %s; %s), ratio %.2f, writes %.2f, events %.2f and reads %.2f a Channel, %.2f passes and %.1f ms of the operator's processor time a Channel, heap %.1f KB a Channel, waited p99 <= %.2g s (over 1 s: %s)\n"+
		"  writes: %s\n  reads: %s\n  reconciles: %s\n  processor seconds: floor %s; product %s\n  edit of one group: writes %s; reconciles %s\n  edit of all groups: writes %s; reconciles %s\n  restart: %d writes, at rest after %s, reconciles %s",
		p.size, seconds(p.floor.sum()), seconds(p.floor.create), seconds(p.floor.patch), seconds(p.ready.took), seconds(p.ready.created), seconds(p.ready.waits.p50), seconds(p.ready.waits.p99), p.ready.slowest,
		p.ratio(), float64(writes)/float64(p.size), float64(events)/float64(p.size), float64(p.during.reads())/float64(p.size), p.passesEach(), p.processorEach(), p.heapEach(), bound, p.during.describeWaits(),
		describeRequests(p.during.Writes), describeRequests(p.during.Reads), describeReconciles(p.during.Reconciles), describeProcessors(p.floor.processors), describeProcessors(p.processors),
		describeRequests(p.one.Writes), describeReconciles(p.one.Reconciles), describeRequests(p.all.Writes), describeReconciles(p.all.Reconciles),
		restarted, seconds(p.restartTook), describeReconciles(p.restart.Reconciles))
}

func (p pooled) ratio() float64 { return p.floor.sum().Seconds() / p.ready.took.Seconds() }

// passesEach is how often the operator looked at each Channel until it came to rest.
func (p pooled) passesEach() float64 { return p.during.Reconciles["channel"] / float64(p.size) }

// processorEach is the operator's processor time until all were Ready, in ms for each Channel.
func (p pooled) processorEach() float64 { return 1000 * p.processors[roleOperator] / float64(p.size) }

// heapEach is in KB for each Channel, with all that comes with one: its Secret, what waits in queues.
func (p pooled) heapEach() float64 {
	return (float64(p.during.Heap) - float64(p.before)) / float64(p.size) / 1024
}

// pooled measures so many Channels, spread over the Brands, whose pools run.
func (b *bench) pooled(ctx context.Context, size int) (pooled, error) {
	p := pooled{size: size}
	b.runs++
	run := fmt.Sprintf("run-%d", b.runs)
	var err error
	if p.floor, err = b.floor(ctx, size, run); err != nil {
		return p, err
	}
	var secrets, channels []client.Object
	for i := range size {
		namespace, name := namespaceName(i%b.brands), fmt.Sprintf("shop-%05d", i)
		secrets = append(secrets, secret(namespace, credentialsOf(name)))
		channels = append(channels, channel(namespace, name, run, b.number()))
	}
	before, err := b.atRest(ctx, quiet)
	if err != nil {
		return p, err
	}
	p.before = before.Heap
	if err := each(ctx, secrets, create(b.api)); err != nil {
		return p, err
	}
	if before, err = b.atRest(ctx, quiet); err != nil {
		return p, err
	}
	used := processorSeconds()
	stop := b.profile(ctx, run, time.Duration(max(1, size/150))*time.Second)
	if p.ready, err = product(ctx, b.api, channels, run, b.limit); err != nil {
		return p, err
	}
	p.processors = spent(used, processorSeconds())
	if err := stop(); err != nil {
		return p, err
	}
	after, err := b.atRest(ctx, settled)
	if err != nil {
		return p, err
	}
	p.during = after.since(before)
	if b.profiles != "" {
		if err := b.save(ctx, run+".operator.heap", "/debug/pprof/heap"); err != nil {
			return p, err
		}
	}
	if err := b.edits(ctx, &p); err != nil {
		return p, err
	}
	if err := b.restart(ctx, &p); err != nil {
		return p, err
	}
	return p, b.removeAll(ctx, append(channels, secrets...), run)
}

// floor is measured while no operator runs, in namespaces that nobody follows.
func (b *bench) floor(ctx context.Context, size int, run string) (floorTimes, error) {
	if err := b.stopOperator(); err != nil {
		return floorTimes{}, err
	}
	var objects []client.Object
	for i := range size {
		objects = append(objects, channel(floorNamespaceName(i%b.brands), fmt.Sprintf("shop-%05d", i), run, b.number()))
	}
	used := processorSeconds()
	times, err := floor(ctx, b.api, objects, b.status, func() error { return nil })
	if err != nil {
		return times, err
	}
	times.processors = spent(used, processorSeconds())
	if err := b.removeAll(ctx, objects, run); err != nil {
		return times, err
	}
	return times, b.startOperator()
}

// removeAll deletes the objects and waits until the run's Channels are gone.
func (b *bench) removeAll(ctx context.Context, objects []client.Object, run string) error {
	if err := each(ctx, objects, remove(b.api)); err != nil {
		return err
	}
	return await(ctx, "the Channels to be gone", b.limit, func() (bool, error) {
		var left v1alpha1.ChannelList
		if err := b.api.List(ctx, &left, client.MatchingLabels{labelRun: run}, client.Limit(1)); err != nil {
			return false, fmt.Errorf("listing Channels: %w", err)
		}
		return len(left.Items) == 0, nil
	})
}

// edits changes the group that all Channels of a Brand use: of one Brand, then of all at once.
func (b *bench) edits(ctx context.Context, p *pooled) error {
	for _, edit := range []struct {
		brands int
		into   *stats
	}{{1, &p.one}, {b.brands, &p.all}} {
		before, err := b.stats(ctx)
		if err != nil {
			return err
		}
		var groups []client.Object
		for i := range edit.brands {
			group := &v1alpha1.SkillGroup{}
			group.Namespace, group.Name = namespaceName(i), everybody
			groups = append(groups, group)
		}
		err = each(ctx, groups, func(ctx context.Context, obj client.Object) error {
			name := fmt.Sprintf(`{"spec":{"displayName":"edited %d"}}`, b.number())
			return b.api.Patch(ctx, obj, client.RawPatch(types.MergePatchType, []byte(name)))
		})
		if err != nil {
			return fmt.Errorf("editing groups: %w", err)
		}
		after, err := b.atRest(ctx, quiet)
		if err != nil {
			return err
		}
		*edit.into = after.since(before)
	}
	return nil
}

// restart starts the operator anew, with everything Ready.
func (b *bench) restart(ctx context.Context, p *pooled) error {
	if err := b.stopOperator(); err != nil {
		return err
	}
	began := time.Now()
	if err := b.startOperator(); err != nil {
		return err
	}
	err := await(ctx, "the operator to have seen everything", b.limit, func() (bool, error) {
		s, err := b.stats(ctx)
		return s.Reconciles["channel"] >= float64(p.size) && s.Depth == 0, err
	})
	if err != nil {
		return err
	}
	p.restartTook = time.Since(began)
	select {
	case <-time.After(aftermath):
	case <-ctx.Done():
		return ctx.Err()
	}
	p.restart, err = b.stats(ctx)
	return err
}
