package main

import (
	"context"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/discovery/fake"
	clienttesting "k8s.io/client-go/testing"
)

// clusterWith answers with kinds, by group and version.
func clusterWith(kinds map[string][]string) *fake.FakeDiscovery {
	answers := &fake.FakeDiscovery{Fake: &clienttesting.Fake{}}
	for group, names := range kinds {
		list := &metav1.APIResourceList{GroupVersion: group}
		for _, name := range names {
			list.APIResources = append(list.APIResources, metav1.APIResource{Kind: name})
		}
		answers.Resources = append(answers.Resources, list)
	}
	return answers
}

func TestKindsThatAClusterMayHave(t *testing.T) {
	for name, tt := range map[string]struct {
		kinds map[string][]string
		want  foundKinds
	}{
		"none":                         {nil, foundKinds{}},
		"the Gateway API":              {map[string][]string{"gateway.networking.k8s.io/v1": {"Gateway", "HTTPRoute"}}, foundKinds{gatewayAPI: true}},
		"the Gateway API without them": {map[string][]string{"gateway.networking.k8s.io/v1": {"Gateway"}}, foundKinds{}},
		"KEDA":                         {map[string][]string{"keda.sh/v1alpha1": {"ScaledObject", "ScaledJob", "TriggerAuthentication"}}, foundKinds{keda: true}},
		"a part of KEDA":               {map[string][]string{"keda.sh/v1alpha1": {"ScaledObject"}}, foundKinds{}},
	} {
		t.Run(name, func(t *testing.T) {
			found, err := (&optionalKinds{asker: clusterWith(tt.kinds)}).look()
			if err != nil || found != tt.want {
				t.Errorf("found %+v (%v), want %+v", found, err, tt.want)
			}
		})
	}
}

// changingCluster answers as another cluster from one moment on.
type changingCluster struct {
	atomic.Pointer[fake.FakeDiscovery]
}

func (c *changingCluster) ServerResourcesForGroupVersion(group string) (*metav1.APIResourceList, error) {
	return c.Load().ServerResourcesForGroupVersion(group)
}

func TestTheOperatorStartsAgainOnceKEDAIsInstalled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cluster := &changingCluster{}
		cluster.Store(clusterWith(nil))
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		kinds := &optionalKinds{asker: cluster, interval: lookForKinds}
		ended := make(chan error, 1)
		go func() {
			ended <- kinds.watch(foundKinds{}, stop, slog.New(slog.DiscardHandler)).Start(ctx)
		}()
		<-time.After(10 * lookForKinds)
		synctest.Wait()
		if ctx.Err() != nil {
			t.Fatal("it stopped though nothing changed")
		}
		cluster.Store(clusterWith(map[string][]string{"keda.sh/v1alpha1": {"ScaledObject", "TriggerAuthentication"}}))
		if err := <-ended; err != nil || ctx.Err() == nil {
			t.Errorf("it did not stop (error %v)", err)
		}
	})
}
