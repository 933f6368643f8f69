package servicelevel

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/types"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/ack"
	"github.com/yingda-dev/yingda/internal/dataplane"
	"github.com/yingda-dev/yingda/internal/refs"
)

// scene is all that a pass looks at.
type scene struct {
	level *v1alpha1.ServiceLevel
	// brands are the answers of those who serve it in each Brand of the namespace.
	brands [][]ack.Group
}

// servers are the components that work by the object.
func servers() []string { return []string{dataplane.Router, dataplane.Desk} }

func (r *Reconciler) observe(ctx context.Context, key types.NamespacedName) (*scene, error) {
	seen := &scene{level: &v1alpha1.ServiceLevel{}}
	exists, err := refs.Get(ctx, r.Client, key, seen.level)
	if err != nil || !exists {
		return nil, err
	}
	if seen.brands, err = ack.Brands(ctx, r.Client, r.Asker, key.Namespace, servers()...); err != nil {
		return nil, fmt.Errorf("observing ServiceLevel %s: %w", key.Name, err)
	}
	return seen, nil
}
