package controllers

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/ack"
	"github.com/yingda-dev/yingda/internal/apply"
	"github.com/yingda-dev/yingda/internal/dataplane"
	"github.com/yingda-dev/yingda/internal/keda"
)

// Scheme knows all kinds that the operator reads or writes.
func Scheme() (*runtime.Scheme, error) {
	scheme := runtime.NewScheme()
	if err := clientgoscheme.AddToScheme(scheme); err != nil {
		return nil, fmt.Errorf("registering the kinds of Kubernetes: %w", err)
	}
	if err := gatewayv1.Install(scheme); err != nil {
		return nil, fmt.Errorf("registering the kinds of the Gateway API: %w", err)
	}
	if err := keda.AddToScheme(scheme); err != nil {
		return nil, fmt.Errorf("registering the kinds of KEDA: %w", err)
	}
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		return nil, fmt.Errorf("registering the kinds of Yingda: %w", err)
	}
	return scheme, nil
}

// CacheOptions keep the cache to what the operator looks at: its own kinds, what it made itself, the pods of the data
// plane without their specs, and of Secrets the metadata alone; of managed fields the operator's own.
func CacheOptions(namespaces []string, settings dataplane.Settings) cache.Options {
	ours := labels.SelectorFromSet(labels.Set{dataplane.LabelManagedBy: dataplane.ManagedBy})
	options := cache.Options{DefaultTransform: apply.Keep, ByObject: map[client.Object]cache.ByObject{
		&corev1.Pod{}: {
			Label:     labels.SelectorFromSet(labels.Set{dataplane.LabelName: dataplane.Name, dataplane.LabelManagedBy: dataplane.ManagedBy}),
			Transform: ack.KeepOfPod,
		},
		&corev1.Secret{}: {Transform: keepOfSecret},
	}}
	for _, object := range dataplane.Kinds(settings) {
		options.ByObject[object] = cache.ByObject{Label: ours}
	}
	if len(namespaces) > 0 {
		options.DefaultNamespaces = map[string]cache.Config{}
		for _, namespace := range namespaces {
			options.DefaultNamespaces[namespace] = cache.Config{}
		}
	}
	return options
}

// Deadlines of the leader's lease: a killed operator is followed by another one within Takeover.
//
// Who stands by looks at the lease every 1 to 2.2 retry periods (client-go's jitter). So it may see the last renewal 2.2 s
// late, counts the lease's duration from there, and looks again 2.2 s after that: 16.4 s, and something for the requests.
const (
	LeaseDuration = 12 * time.Second
	RenewDeadline = 8 * time.Second
	RetryPeriod   = time.Second
	Takeover      = 17 * time.Second
)

// keepOfSecret drops what the last kubectl apply wrote into the annotations: the contents. A Secret that is no metadata is
// refused: a typed read by mistake must fail, not bring contents into the operator's memory.
func keepOfSecret(obj any) (any, error) {
	secret, ok := obj.(*metav1.PartialObjectMetadata)
	if !ok {
		return nil, fmt.Errorf("a Secret came as %T; only metadata may enter the cache", obj)
	}
	secret.ManagedFields = nil
	delete(secret.Annotations, corev1.LastAppliedConfigAnnotation)
	return secret, nil
}

// CacheSynced is ready once the cache has seen the cluster.
func CacheSynced(c cache.Cache) healthz.Checker {
	return func(req *http.Request) error {
		ctx, cancel := context.WithTimeout(req.Context(), time.Second)
		defer cancel()
		if !c.WaitForCacheSync(ctx) {
			return errors.New("the cache has not seen the cluster yet")
		}
		return nil
	}
}
