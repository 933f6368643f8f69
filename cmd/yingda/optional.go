package main

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/yingda-dev/yingda/internal/keda"
)

// lookForKinds is how often the operator looks whether the cluster has kinds that it had not, or has them no more.
const lookForKinds = time.Minute

// optionalKinds asks the cluster for kinds that the operator works with where they are installed.
type optionalKinds struct {
	asker interface {
		ServerResourcesForGroupVersion(groupVersion string) (*metav1.APIResourceList, error)
	}
	interval time.Duration
}

// foundKinds says which of them there are.
type foundKinds struct {
	// gatewayAPI says whether the cluster has HTTPRoutes, keda whether it has ScaledObjects.
	gatewayAPI, keda bool
}

func newOptionalKinds(config *rest.Config) (*optionalKinds, error) {
	asker, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("making a client of the API server: %w", err)
	}
	return &optionalKinds{asker: asker, interval: lookForKinds}, nil
}

func (o *optionalKinds) look() (found foundKinds, err error) {
	group := schema.GroupVersion{Group: gatewayv1.GroupName, Version: gatewayv1.GroupVersion.Version}
	if found.gatewayAPI, err = o.has(group, "HTTPRoute"); err != nil {
		return found, err
	}
	found.keda, err = o.has(keda.GroupVersion(), "ScaledObject", "TriggerAuthentication")
	return found, err
}

func (o *optionalKinds) has(group schema.GroupVersion, kinds ...string) (bool, error) {
	resources, err := o.asker.ServerResourcesForGroupVersion(group.String())
	switch {
	case apierrors.IsNotFound(err):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("looking for the kinds of %s: %w", group, err)
	}
	return !slices.ContainsFunc(kinds, func(kind string) bool {
		return !slices.ContainsFunc(resources.APIResources, func(r metav1.APIResource) bool { return r.Kind == kind })
	}), nil
}

// watch stops the operator once there are other kinds than at its start: what is watched and cached cannot be changed while it
// runs, and another start takes a second. In every replica, since any may lead next.
func (o *optionalKinds) watch(started foundKinds, stop context.CancelFunc, logger *slog.Logger) manager.Runnable {
	return everywhere(func(ctx context.Context) error {
		ticker := time.NewTicker(o.interval)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return nil
			case <-ticker.C:
			}
			now, err := o.look()
			if err == nil && now != started {
				logger.InfoContext(ctx, "Stopping to start again with the kinds that the cluster has now", "gatewayAPI", now.gatewayAPI, "keda", now.keda)
				stop()
				return nil
			}
		}
	})
}

// everywhere runs in every replica, not in the leader alone.
type everywhere func(context.Context) error

// Start implements manager.Runnable.
func (f everywhere) Start(ctx context.Context) error { return f(ctx) }

// NeedLeaderElection implements manager.LeaderElectionRunnable.
func (everywhere) NeedLeaderElection() bool { return false }
