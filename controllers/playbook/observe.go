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

// components are those of which some replicas work by Playbooks. Workflows look for what customers ask and the bot does not know; of the
// connectors those of official accounts do, which answer at once.
func components() []string {
	return []string{dataplane.Router, dataplane.Desk, dataplane.Workflows, dataplane.Connector}
}

// servers are who works by the Playbook in a Brand.
func servers(playbook string, brand *v1alpha1.Brand, channels []v1alpha1.Channel) []ack.Server {
	return slices.Concat(ack.Needed(dataplane.Router, dataplane.Desk), ack.NeededPools(poolsAnswering(playbook, brand, channels)...), ack.Beside(dataplane.Workflows))
}

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
	of := func(brand *v1alpha1.Brand) []ack.Server {
		if brand.Spec.Desk.FormsURL == "" && meets(key.Name, brand, channels.Items) {
			seen.formless = append(seen.formless, brand.Name)
		}
		return servers(key.Name, brand, channels.Items)
	}
	if seen.brands, err = ack.Brands(ctx, r.Client, r.Asker, key.Namespace, of); err != nil {
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
	return dataplane.PoolsAtOnceOf(brand.Name, channels, func(channel *v1alpha1.Channel) bool {
		ref := cmp.Or(channel.Spec.PlaybookRef, brand.Spec.Defaults.PlaybookRef)
		return ref != nil && ref.Name == playbook
	})
}
