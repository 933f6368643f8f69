// Package peaks finds the schedules by whose peaks a Brand's workloads are scaled: those of its skill groups.
//
// It reads through the cache alone and writes nothing. What the schedules come to is up to internal/domain/scaling; one that is
// missing or not valid has no peaks here, and says so in its own status.
package peaks

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/domain/scaling"
	"github.com/yingda-dev/yingda/internal/refs"
)

// Plan plans for a workload of the Brand at t. Schedules are read only where peaks change anything.
func Plan(ctx context.Context, reader client.Reader, brand *v1alpha1.Brand, spec scaling.Spec, t time.Time) (scaling.Plan, error) {
	if !spec.LiftedForPeaks() {
		return scaling.Make(spec, nil, t), nil
	}
	sources, err := sourcesOf(ctx, reader, brand)
	return scaling.Make(spec, sources, t), err
}

// sourcesOf are the schedules of the Brand's skill groups, by name.
func sourcesOf(ctx context.Context, reader client.Reader, brand *v1alpha1.Brand) ([]scaling.Source, error) {
	var groups v1alpha1.SkillGroupList
	// They are only looked at.
	err := reader.List(ctx, &groups, client.InNamespace(brand.Namespace), client.MatchingFields{refs.ByBrand: brand.Name}, client.UnsafeDisableDeepCopy)
	if err != nil {
		return nil, fmt.Errorf("listing the SkillGroups of Brand %s: %w", brand.Name, err)
	}
	names := map[string]bool{}
	for i := range groups.Items {
		if ref := groups.Items[i].Spec.ScheduleRef; ref != nil {
			names[ref.Name] = true
		} else if ref := brand.Spec.Defaults.ScheduleRef; ref != nil {
			names[ref.Name] = true
		}
	}
	var sources []scaling.Source
	for _, name := range slices.Sorted(maps.Keys(names)) {
		source, usable, err := read(ctx, reader, types.NamespacedName{Namespace: brand.Namespace, Name: name})
		if err != nil {
			return nil, err
		}
		if usable {
			sources = append(sources, source)
		}
	}
	return sources, nil
}

func read(ctx context.Context, reader client.Reader, key types.NamespacedName) (source scaling.Source, usable bool, err error) {
	found := &v1alpha1.ShiftSchedule{}
	exists, err := refs.Look(ctx, reader, key, found)
	if err != nil || !exists {
		return source, false, err
	}
	compiled, usable, err := refs.Compiled(ctx, reader, found)
	return scaling.NewSource(found.Name, compiled), usable, err
}

// Brands are those whose peaks a changed object of Kinds may change, by namespace and name; more than do.
func Brands(ctx context.Context, reader client.Reader, changed client.Object) ([]v1alpha1.Brand, error) {
	namespaces := map[string]bool{changed.GetNamespace(): true}
	if _, calendar := changed.(*v1alpha1.HolidayCalendar); calendar {
		namespaces = map[string]bool{}
		var schedules v1alpha1.ShiftScheduleList
		if err := reader.List(ctx, &schedules, client.MatchingFields{refs.ByCalendar: changed.GetName()}, client.UnsafeDisableDeepCopy); err != nil {
			return nil, fmt.Errorf("listing the ShiftSchedules of HolidayCalendar %s: %w", changed.GetName(), err)
		}
		for i := range schedules.Items {
			namespaces[schedules.Items[i].Namespace] = true
		}
	}
	var found []v1alpha1.Brand
	for _, namespace := range slices.Sorted(maps.Keys(namespaces)) {
		var brands v1alpha1.BrandList
		if err := reader.List(ctx, &brands, client.InNamespace(namespace), client.UnsafeDisableDeepCopy); err != nil {
			return nil, fmt.Errorf("listing the Brands of namespace %s: %w", namespace, err)
		}
		found = append(found, brands.Items...)
	}
	if group, of := changed.(*v1alpha1.SkillGroup); of {
		found = slices.DeleteFunc(found, func(b v1alpha1.Brand) bool { return b.Name != group.Spec.BrandRef.Name })
	}
	return found, nil
}
