package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/yingda-dev/yingda/api/v1alpha1"
)

// workers is how many requests the bare client, and the load of the product, have under way.
const workers = 32

// each does something to all objects, workers at a time.
func each(ctx context.Context, objects []client.Object, do func(context.Context, client.Object) error) error {
	group, ctx := errgroup.WithContext(ctx)
	var next atomic.Int64
	for range workers {
		group.Go(func() error {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(objects) || ctx.Err() != nil {
					return ctx.Err()
				}
				if err := do(ctx, objects[i]); err != nil {
					return err
				}
			}
		})
	}
	return group.Wait()
}

func create(api client.Client) func(context.Context, client.Object) error {
	return func(ctx context.Context, obj client.Object) error {
		if err := api.Create(ctx, obj); err != nil {
			return fmt.Errorf("creating %T %s: %w", obj, obj.GetName(), err)
		}
		return nil
	}
}

func remove(api client.Client) func(context.Context, client.Object) error {
	return func(ctx context.Context, obj client.Object) error {
		if err := api.Delete(ctx, obj); err != nil && !apierrors.IsNotFound(err) {
			return fmt.Errorf("deleting %T %s: %w", obj, obj.GetName(), err)
		}
		return nil
	}
}

// floorTimes are what the bare client needs.
type floorTimes struct {
	create, patch time.Duration
	processors    map[string]float64
}

func (f floorTimes) sum() time.Duration { return f.create + f.patch }

// floor creates the objects, waits until they run, which counts as creating, and patches the status of the Channels among them
// once.
func floor(ctx context.Context, api client.Client, objects []client.Object, status v1alpha1.ChannelStatus, run func() error) (floorTimes, error) {
	content, err := json.Marshal(map[string]any{"status": status})
	if err != nil {
		return floorTimes{}, fmt.Errorf("encoding a status: %w", err)
	}
	began := time.Now()
	if err := each(ctx, objects, create(api)); err != nil {
		return floorTimes{}, err
	}
	if err := run(); err != nil {
		return floorTimes{}, err
	}
	created := time.Now()
	channels := slices.DeleteFunc(slices.Clone(objects), func(obj client.Object) bool { return !isChannel(obj) })
	err = each(ctx, channels, func(ctx context.Context, obj client.Object) error {
		return api.Status().Patch(ctx, obj, client.RawPatch(types.MergePatchType, content))
	})
	return floorTimes{create: created.Sub(began), patch: time.Since(created)}, err
}

func isChannel(obj client.Object) bool {
	_, ok := obj.(*v1alpha1.Channel)
	return ok
}

// readiness is how the Channels of a run became Ready.
type readiness struct {
	// took is the time from the first create until the last was Ready; created that until all were created.
	took, created time.Duration
	// waits are the times from the server's answer to a create until the Channel was Ready.
	waits percentiles
	// slowest tells of the hundredth that waited longest.
	slowest string
}

// product creates Channels and waits until the operator says that all are Ready.
func product(ctx context.Context, api client.WithWatch, channels []client.Object, run string, limit time.Duration) (readiness, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	seen := make(map[types.NamespacedName]sighting, len(channels))
	ended := make(chan error, 1)
	go func() { ended <- whenReady(ctx, api, run, seen, len(channels)) }()

	answered := make([]time.Time, len(channels))
	index := make(map[types.NamespacedName]int, len(channels))
	for i, c := range channels {
		index[client.ObjectKeyFromObject(c)] = i
	}
	began := time.Now()
	err := each(ctx, channels, func(ctx context.Context, obj client.Object) error {
		err := create(api)(ctx, obj)
		answered[index[client.ObjectKeyFromObject(obj)]] = time.Now()
		return err
	})
	if err != nil {
		return readiness{}, err
	}
	r := readiness{created: time.Since(began)}
	if err := <-ended; err != nil {
		return r, fmt.Errorf("waiting for Channels, of which %d of %d are Ready: %w", len(seen), len(channels), err)
	}
	var waits []time.Duration
	each := make(map[types.NamespacedName]time.Duration, len(seen))
	said := make([]time.Duration, 0, len(seen))
	for key, s := range seen {
		r.took = max(r.took, s.at.Sub(began))
		each[key] = max(0, s.at.Sub(answered[index[key]]))
		waits, said = append(waits, each[key]), append(said, s.said)
	}
	r.waits = percentilesOf(waits)
	r.slowest = slowest(each, r.waits) + fmt.Sprintf("; by the stamps of server and operator p99 %s, at most %s",
		percentilesOf(said).p99, percentilesOf(said).max)
	return r, nil
}

// sighting is when the load saw that a Channel was Ready, and how long that took by what stands in it, in whole seconds: a watch
// of the load that is behind shows in the first alone.
type sighting struct {
	at   time.Time
	said time.Duration
}

// slowest says whether a few Brands had all that waited long, whose replicas heard late of them, or all had some.
func slowest(each map[types.NamespacedName]time.Duration, of percentiles) string {
	slow, brands := 0, map[string]bool{}
	for key, took := range each {
		if took >= of.p99 {
			slow, brands[key.Namespace] = slow+1, true
		}
	}
	return fmt.Sprintf("%d waited %s to %s, of %d Brands", slow, seconds(of.p99), seconds(of.max), len(brands))
}

// whenReady follows a run's Channels until so many were seen to be Ready. A busy server ends watches that it cannot serve in
// time; another one begins with how things are then.
func whenReady(ctx context.Context, api client.WithWatch, run string, seen map[types.NamespacedName]sighting, want int) error {
	for len(seen) < want {
		events, err := api.Watch(ctx, &v1alpha1.ChannelList{}, client.MatchingLabels{labelRun: run})
		if err != nil {
			return fmt.Errorf("watching the Channels: %w", err)
		}
		noteReady(events, seen, want)
		events.Stop()
	}
	return nil
}

func noteReady(events watch.Interface, seen map[types.NamespacedName]sighting, want int) {
	for event := range events.ResultChan() {
		c, ok := event.Object.(*v1alpha1.Channel)
		if !ok || !isReady(c.Generation, c.Status.Conditions) {
			continue
		}
		key := client.ObjectKeyFromObject(c)
		if _, known := seen[key]; !known {
			ready := meta.FindStatusCondition(c.Status.Conditions, v1alpha1.ConditionReady)
			seen[key] = sighting{at: time.Now(), said: ready.LastTransitionTime.Sub(c.CreationTimestamp.Time)}
		}
		if len(seen) == want {
			return
		}
	}
}

func isReady(generation int64, conditions []metav1.Condition) bool {
	found := meta.FindStatusCondition(conditions, v1alpha1.ConditionReady)
	return found != nil && found.Status == metav1.ConditionTrue && found.ObservedGeneration == generation
}
