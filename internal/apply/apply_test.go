package apply

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
)

// slowServer has nothing, takes everything, and answers an apply once as many came as are awaited.
type slowServer struct {
	mu      sync.Mutex
	awaited int
	arrived chan struct{}
	applied []int // how many had been answered when each came
	done    int
	refused string
}

func (s *slowServer) client(t *testing.T) client.Client {
	t.Helper()
	return interceptor.NewClient(fake.NewClientBuilder().Build(), interceptor.Funcs{
		Apply: func(ctx context.Context, _ client.WithWatch, object runtime.ApplyConfiguration, _ ...client.ApplyOption) error {
			encoded, err := json.Marshal(object)
			if err != nil {
				return err
			}
			var named metav1.PartialObjectMetadata
			if err := json.Unmarshal(encoded, &named); err != nil {
				return err
			}
			return s.take(ctx, named.Name)
		},
	})
}

func (s *slowServer) take(ctx context.Context, name string) error {
	s.mu.Lock()
	s.applied = append(s.applied, s.done)
	if s.awaited--; s.awaited == 0 {
		close(s.arrived)
	}
	s.mu.Unlock()
	select {
	case <-s.arrived:
	case <-ctx.Done():
		return errors.New("the others were not sent at the same time")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.done++
	if name == s.refused {
		return apierrors.NewBadRequest("refused")
	}
	return nil
}

func TestObjectsOfAPhaseAreWrittenAtTheSameTimeAndPhasesInOrder(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	server := &slowServer{awaited: 3, arrived: make(chan struct{})}
	c := server.client(t)
	owner := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "lumi", Name: "owner", UID: "1"}}
	identity := Phase{corev1ac.ServiceAccount("a", "lumi"), corev1ac.Service("b", "lumi"), corev1ac.ConfigMap("c", "lumi")}
	inTheWay, err := New(c, c, "channel").Objects(ctx, owner, identity, Phase{corev1ac.Pod("d", "lumi")})
	if err != nil || len(inTheWay) > 0 {
		t.Fatalf("in the way is %q, error %v", inTheWay, err)
	}
	if diff := cmp.Diff([]int{0, 0, 0, 3}, server.applied); diff != "" {
		t.Errorf("how many were written when each was sent (-want +got):\n%s", diff)
	}
}

func TestOneObjectThatFailsKeepsTheNextPhaseAndNoneOfItsOwn(t *testing.T) {
	server := &slowServer{awaited: 1, arrived: make(chan struct{}), refused: "a"}
	c := server.client(t)
	owner := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "lumi", Name: "owner", UID: "1"}}
	identity := Phase{corev1ac.ServiceAccount("a", "lumi"), corev1ac.Service("b", "lumi")}
	_, err := New(c, c, "channel").Objects(t.Context(), owner, identity, Phase{corev1ac.Pod("d", "lumi")})
	if !apierrors.IsBadRequest(err) || len(server.applied) != 2 {
		t.Errorf("error %v after %d writes, want the refusal after 2", err, len(server.applied))
	}
}
