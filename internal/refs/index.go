package refs

import (
	"context"
	"fmt"
	"slices"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/dataplane"
	"github.com/yingda-dev/yingda/internal/domain/schedule"
)

// Fields by which the cache is asked.
const (
	// ByBrand finds Channels, SkillGroups and Agents by their Brand.
	ByBrand = "spec.brandRef.name"
	// BySecret finds Channels and Brands by the Secrets that they refer to, and Brands by those of the
	// database that they still work in.
	BySecret = "spec.secretRef.name"
	// ByAccount finds Channels by the account on their platform.
	ByAccount = "spec.account"
	// ByTemporal finds Brands by the Temporal namespaces that they declare and work in.
	ByTemporal = "spec.temporal"
	// ByCalendar finds ShiftSchedules by the HolidayCalendars that they refer to.
	ByCalendar = "spec.calendarRefs.name"
	// ByOverflow finds SkillGroups by the SkillGroup that their queue overflows to.
	ByOverflow = "spec.queue.overflow.toRef.name"
)

// Index makes the cache ready for the fields above. It is called once, before the cache starts.
func Index(ctx context.Context, indexer client.FieldIndexer) error {
	for _, index := range []struct {
		object client.Object
		field  string
		values client.IndexerFunc
	}{
		{&v1alpha1.Channel{}, ByBrand, brandOf},
		{&v1alpha1.SkillGroup{}, ByBrand, brandOf},
		{&v1alpha1.Agent{}, ByBrand, brandOf},
		{&v1alpha1.Channel{}, BySecret, secretsOf},
		{&v1alpha1.Brand{}, BySecret, secretsOf},
		{&v1alpha1.Channel{}, ByAccount, accountOf},
		{&v1alpha1.Brand{}, ByTemporal, temporalOf},
		{&v1alpha1.ShiftSchedule{}, ByCalendar, calendarsOf},
		{&v1alpha1.SkillGroup{}, ByOverflow, overflowOf},
	} {
		if err := indexer.IndexField(ctx, index.object, index.field, index.values); err != nil {
			return fmt.Errorf("indexing %s: %w", index.field, err)
		}
	}
	return nil
}

func brandOf(obj client.Object) []string {
	switch o := obj.(type) {
	case *v1alpha1.Channel:
		return []string{o.Spec.BrandRef.Name}
	case *v1alpha1.SkillGroup:
		return []string{o.Spec.BrandRef.Name}
	case *v1alpha1.Agent:
		return []string{o.Spec.BrandRef.Name}
	}
	return nil
}

func secretsOf(obj client.Object) []string {
	switch o := obj.(type) {
	case *v1alpha1.Brand:
		return slices.Concat(databaseClaims(o), dataplane.SecuringSecrets(o), dataplane.CallSecrets(o))
	case *v1alpha1.Channel:
		if account := o.Spec.WeChat(); account != nil {
			return []string{account.CredentialsSecretRef.Name}
		}
	}
	return nil
}

func accountOf(obj client.Object) []string {
	if channel, ok := obj.(*v1alpha1.Channel); ok && channel.Spec.WeChat() != nil {
		return []string{channel.Spec.WeChat().AppID}
	}
	return nil
}

func temporalOf(obj client.Object) []string {
	if brand, ok := obj.(*v1alpha1.Brand); ok {
		return temporalClaims(brand)
	}
	return nil
}

func overflowOf(obj client.Object) []string {
	if group, ok := obj.(*v1alpha1.SkillGroup); ok && group.Spec.Queue.Overflow != nil {
		return []string{group.Spec.Queue.Overflow.ToRef.Name}
	}
	return nil
}

func calendarsOf(obj client.Object) []string {
	if user, ok := obj.(*v1alpha1.ShiftSchedule); ok {
		return schedule.CalendarNames(user.Spec)
	}
	return nil
}
