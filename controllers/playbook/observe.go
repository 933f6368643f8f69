package playbook

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/types"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/ack"
	"github.com/yingda-dev/yingda/internal/refs"
)

// scene is all that a pass looks at.
type scene struct {
	playbook *v1alpha1.Playbook
	// routers are the answers of the namespace's routers, one group a Brand.
	routers []ack.Group
}

func (r *Reconciler) observe(ctx context.Context, key types.NamespacedName) (*scene, error) {
	seen := &scene{playbook: &v1alpha1.Playbook{}}
	exists, err := refs.Get(ctx, r.client, key, seen.playbook)
	if err != nil || !exists {
		return nil, err
	}
	if seen.routers, err = ack.Routers(ctx, r.client, r.asker, key.Namespace); err != nil {
		return nil, fmt.Errorf("observing Playbook %s: %w", key.Name, err)
	}
	return seen, nil
}
