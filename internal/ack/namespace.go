package ack

import (
	"context"
	"fmt"
	"slices"
	"sort"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/conditions"
	"github.com/yingda-dev/yingda/internal/configz"
	"github.com/yingda-dev/yingda/internal/dataplane"
)

// Brands asks who works by an object in each Brand of a namespace, in the order of their names. It is for the kinds which belong to
// no Brand.
func Brands(ctx context.Context, reader client.Reader, asker Asker, namespace string, servers func(*v1alpha1.Brand) []Server) ([][]Group, error) {
	var brands v1alpha1.BrandList
	if err := reader.List(ctx, &brands, client.InNamespace(namespace)); err != nil {
		return nil, fmt.Errorf("listing Brands: %w", err)
	}
	sort.Slice(brands.Items, func(i, j int) bool { return brands.Items[i].Name < brands.Items[j].Name })
	all := make([][]Group, 0, len(brands.Items))
	for i := range brands.Items {
		name := brands.Items[i].Name
		groups, err := Serving(ctx, asker, namespace, name, servers(&brands.Items[i])...)
		if err != nil {
			return nil, err
		}
		for k := range groups {
			groups[k].Name += " of Brand " + name
		}
		all = append(all, groups)
	}
	return all, nil
}

// JudgeBrands says whether the Brands of a namespace serve an object. A Brand of which nothing runs that objects wait for serves
// nobody and so does not count, unless none runs.
func JudgeBrands(kind, name string, generation int64, brands [][]Group) conditions.Condition {
	if len(brands) == 0 {
		return conditions.False(v1alpha1.ConditionAcknowledged, v1alpha1.ReasonAwaitingReferences, "There is no Brand in this namespace")
	}
	var running []Group
	for _, groups := range brands {
		if slices.ContainsFunc(groups, func(g Group) bool { return !g.Beside && len(g.Answers) > 0 }) {
			running = append(running, groups...)
		}
	}
	if len(running) == 0 {
		running = slices.Concat(brands...)
	}
	return Judge(kind, name, generation, running...)
}

// NotServed is the finding about an object that is invalid: no replica will load it, so that asking again changes nothing.
// A generation of before that was valid may still be in force.
func NotServed(kind, name string, brands [][]Group) (finding conditions.Condition, before bool) {
	message := "Not served: invalid"
	for _, group := range slices.Concat(brands...) {
		for _, answer := range group.Answers {
			before = before || answer.Err == nil && answer.Report.Objects[configz.ObjectKey(kind, name)] != 0
		}
	}
	if before {
		message += "; the last valid generation stays in force"
	}
	return conditions.False(v1alpha1.ConditionAcknowledged, v1alpha1.ReasonInvalid, message), before
}

// MapNamespace wakes every object of a kind in the namespace of what changed.
func MapNamespace(reader client.Reader, newList func() client.ObjectList) handler.MapFunc {
	return func(ctx context.Context, changed client.Object) []reconcile.Request {
		return requests(ctx, reader, newList(), client.InNamespace(changed.GetNamespace()))
	}
}

// MapIndexed wakes the objects of a kind, of all namespaces, that the cache knows by the name of what changed.
func MapIndexed(reader client.Reader, newList func() client.ObjectList, index string) handler.MapFunc {
	return func(ctx context.Context, changed client.Object) []reconcile.Request {
		return requests(ctx, reader, newList(), client.MatchingFields{index: changed.GetName()})
	}
}

// MapBrand wakes the objects of a kind that belong to the Brand that brandOf finds; index is the field by which the cache
// knows them.
func MapBrand(reader client.Reader, newList func() client.ObjectList, index string, brandOf func(client.Object) string) handler.MapFunc {
	return func(ctx context.Context, changed client.Object) []reconcile.Request {
		brand := brandOf(changed)
		if brand == "" {
			return nil
		}
		return requests(ctx, reader, newList(), client.InNamespace(changed.GetNamespace()), client.MatchingFields{index: brand})
	}
}

// BrandLabel is the Brand that an object of the data plane belongs to.
func BrandLabel(obj client.Object) string { return obj.GetLabels()[dataplane.LabelBrand] }

// WatchReplicas lets through the changes of who must be asked among the components; of connectors, of those that let the bot speak in
// their answers: the others work by Channels alone.
func WatchReplicas(components ...string) builder.Predicates {
	bystander := predicate.NewPredicateFuncs(func(pod client.Object) bool {
		pool := pod.GetLabels()[dataplane.LabelPool]
		return pool != "" && !dataplane.PoolAnswersAtOnce(pool)
	})
	return builder.WithPredicates(ReplicaChanged(), HasLabel(dataplane.LabelComponent, components...), predicate.Not(bystander))
}

// Replica is the kind to watch with WatchReplicas.
func Replica() client.Object { return &corev1.Pod{} }

func requests(ctx context.Context, reader client.Reader, list client.ObjectList, options ...client.ListOption) []reconcile.Request {
	if err := reader.List(ctx, list, append(options, client.UnsafeDisableDeepCopy)...); err != nil { // They are only looked at.
		log.FromContext(ctx).Error(err, "Listing objects for a change failed")
		return nil
	}
	var found []reconcile.Request
	err := meta.EachListItem(list, func(item runtime.Object) error {
		if obj, ok := item.(client.Object); ok {
			found = append(found, reconcile.Request{NamespacedName: types.NamespacedName{Namespace: obj.GetNamespace(), Name: obj.GetName()}})
		}
		return nil
	})
	if err != nil {
		log.FromContext(ctx).Error(err, "Reading a list for a change failed")
	}
	return found
}
