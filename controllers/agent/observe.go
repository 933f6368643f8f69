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
	agent *v1alpha1.Agent
	// brand is the Agent's; nil when it does not exist.
	brand *v1alpha1.Brand
	// secret is the metadata of the trial token's Secret; nil when it does not exist.
	secret *metav1.PartialObjectMetadata
	// serving are the answers of the ready replicas; desk are those of the desk alone.
	serving []ack.Group
	desk    []ack.Answer
	// refused is why the API server did not take the token's Secret.
	refused error
}

func (r *Reconciler) observe(ctx context.Context, key types.NamespacedName) (*scene, error) {
	seen := &scene{agent: &v1alpha1.Agent{}}
	exists, err := refs.Get(ctx, r.client, key, seen.agent)
	if err != nil || !exists {
		return nil, err
	}
	brand := types.NamespacedName{Namespace: key.Namespace, Name: seen.agent.Spec.BrandRef.Name}
	found := &v1alpha1.Brand{}
	if exists, err = refs.Look(ctx, r.client, brand, found); err != nil {
		return nil, err
	}
	if exists {
		seen.brand = found
	}
	if seen.secret, err = refs.Secret(ctx, r.client, types.NamespacedName{Namespace: key.Namespace, Name: secretName(key.Name)}); err != nil {
		return nil, err
	}
	if err := r.observeReplicas(ctx, seen); err != nil {
		return nil, fmt.Errorf("observing Agent %s: %w", key.Name, err)
	}
	return seen, nil
}

// servers are the components that work by an Agent.
func servers() []string { return []string{dataplane.Router, dataplane.Desk, dataplane.Workflows} }

func (r *Reconciler) observeReplicas(ctx context.Context, seen *scene) error {
	var err error
	seen.serving, err = ack.Serving(ctx, r.asker, seen.agent.Namespace, seen.agent.Spec.BrandRef.Name, ack.Needed(servers()...)...)
	for _, group := range seen.serving {
		if group.Name == dataplane.Desk {
			seen.desk = group.Answers
		}
	}
	return err
}
