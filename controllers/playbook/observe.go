package playbook

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/ack"
	"github.com/yingda-dev/yingda/internal/dataplane"
	"github.com/yingda-dev/yingda/internal/refs"
)

// scene is all that a pass looks at.
type scene struct {
	playbook *v1alpha1.Playbook
	// brands are the answers of those who serve it in each Brand of the namespace.
	brands [][]ack.Group
	// formless are the Brands for which it is and which have no address for customers' forms, sorted.
	formless []string
}

// servers are the components that work by the object. Of the connectors those of official accounts do, which answer at once.
func servers() []string { return []string{dataplane.Router, dataplane.Desk} }

func (r *Reconciler) observe(ctx context.Context, key types.NamespacedName) (*scene, error) {
	seen := &scene{playbook: &v1alpha1.Playbook{}}
	exists, err := refs.Get(ctx, r.Client, key, seen.playbook)
	if err != nil || !exists {
		return nil, err
	}
	var channels v1alpha1.ChannelList
	if err := r.Client.List(ctx, &channels, client.InNamespace(key.Namespace), client.UnsafeDisableDeepCopy); err != nil { // They are only looked at.
		return nil, fmt.Errorf("observing Playbook %s: listing Channels: %w", key.Name, err)
	}
	pools := func(brand *v1alpha1.Brand) []string {
		if brand.Spec.Desk.FormsURL == "" && meets(key.Name, brand, channels.Items) {
			seen.formless = append(seen.formless, brand.Name)
		}
		return poolsAnswering(key.Name, brand, channels.Items)
	}
	if seen.brands, err = ack.BrandsAnd(ctx, r.Client, r.Asker, key.Namespace, pools, servers()...); err != nil {
		return nil, fmt.Errorf("observing Playbook %s: %w", key.Name, err)
	}
	return seen, nil
}

// meets says whether customers of a Brand meet the Playbook.
func meets(playbook string, brand *v1alpha1.Brand, channels []v1alpha1.Channel) bool {
	if ref := brand.Spec.Defaults.PlaybookRef; ref != nil && ref.Name == playbook {
		return true
	}
	return slices.ContainsFunc(channels, func(c v1alpha1.Channel) bool {
		return c.Spec.BrandRef.Name == brand.Name && c.Spec.PlaybookRef != nil && c.Spec.PlaybookRef.Name == playbook && c.DeletionTimestamp == nil
	})
}

// poolsAnswering are the pools of a Brand whose connectors answer customers at once by the Playbook, sorted.
func poolsAnswering(playbook string, brand *v1alpha1.Brand, channels []v1alpha1.Channel) []string {
	var pools []string
	for i := range channels {
		channel := &channels[i]
		if channel.Spec.OfficialAccount == nil || channel.Spec.BrandRef.Name != brand.Name || channel.DeletionTimestamp != nil {
			continue
		}
		ref := cmp.Or(channel.Spec.PlaybookRef, brand.Spec.Defaults.PlaybookRef)
		if ref != nil && ref.Name == playbook {
			pools = append(pools, dataplane.PoolOf(channel))
		}
	}
	slices.Sort(pools)
	return slices.Compact(pools)
}
