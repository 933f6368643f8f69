package agent

import (
	"context"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/ack"
	"github.com/yingda-dev/yingda/internal/dataplane"
	"github.com/yingda-dev/yingda/internal/refs"
)

// scene is all that a pass looks at.
type scene struct {
	agent       *v1alpha1.Agent
	brandExists bool
	// secret is the metadata of the trial token's Secret; nil when it does not exist.
	secret *metav1.PartialObjectMetadata
	// router and desk are the answers of the ready replicas.
	router, desk []ack.Answer
}

func (r *Reconciler) observe(ctx context.Context, key types.NamespacedName) (*scene, error) {
	seen := &scene{agent: &v1alpha1.Agent{}}
	exists, err := refs.Get(ctx, r.client, key, seen.agent)
	if err != nil || !exists {
		return nil, err
	}
	brand := types.NamespacedName{Namespace: key.Namespace, Name: seen.agent.Spec.BrandRef.Name}
	if seen.brandExists, err = refs.Get(ctx, r.client, brand, &v1alpha1.Brand{}); err != nil {
		return nil, err
	}
	if seen.secret, err = refs.Secret(ctx, r.client, types.NamespacedName{Namespace: key.Namespace, Name: secretName(key.Name)}); err != nil {
		return nil, err
	}
	if err := r.observeReplicas(ctx, seen); err != nil {
		return nil, fmt.Errorf("observing Agent %s: %w", key.Name, err)
	}
	return seen, nil
}

func (r *Reconciler) observeReplicas(ctx context.Context, seen *scene) error {
	target := ack.Target{Namespace: seen.agent.Namespace, Brand: seen.agent.Spec.BrandRef.Name, Component: dataplane.Router}
	var err error
	if seen.router, err = r.asker.Ask(ctx, target); err != nil {
		return fmt.Errorf("asking the router: %w", err)
	}
	target.Component = dataplane.Desk
	if seen.desk, err = r.asker.Ask(ctx, target); err != nil {
		return fmt.Errorf("asking the desk: %w", err)
	}
	return nil
}
