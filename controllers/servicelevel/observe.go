package servicelevel

import (
	"context"
	"fmt"
	"slices"

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

// components are those that work by ServiceLevels. Workflows draw the conversations that are judged, and call emergencies.
func components() []string { return []string{dataplane.Router, dataplane.Desk, dataplane.Workflows} }

// servers are who works by them in each Brand.
func servers(*v1alpha1.Brand) []ack.Server {
	return slices.Concat(ack.Needed(dataplane.Router, dataplane.Desk), ack.Beside(dataplane.Workflows))
}

func (r *Reconciler) observe(ctx context.Context, key types.NamespacedName) (*scene, error) {
	seen := &scene{level: &v1alpha1.ServiceLevel{}}
	exists, err := refs.Get(ctx, r.Client, key, seen.level)
	if err != nil || !exists {
		return nil, err
	}
	if seen.brands, err = ack.Brands(ctx, r.Client, r.Asker, key.Namespace, servers); err != nil {
		return nil, fmt.Errorf("observing ServiceLevel %s: %w", key.Name, err)
	}
	return seen, nil
}
