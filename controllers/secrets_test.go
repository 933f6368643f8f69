package controllers_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/refs"
)

// secretReads records in what form the operator asks for Secrets.
type secretReads struct {
	mu    sync.Mutex
	forms map[string]int
}

func (r *secretReads) wrap(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(req *http.Request) (*http.Response, error) {
		if req.Method == http.MethodGet && strings.Contains(req.URL.Path, "/secrets") {
			r.mu.Lock()
			r.forms[req.Header.Get("Accept")]++
			r.mu.Unlock()
		}
		return next.RoundTrip(req)
	})
}

func TestTheOperatorAsksForNoContentsOfSecrets(t *testing.T) {
	t.Parallel()
	reads := &secretReads{forms: map[string]int{}}
	w := newWorld(t, func(w *world) { w.observe = reads.wrap })
	w.servedBrand("lumi")
	w.servedChannel("shop", "lumi")
	w.create(agent("xiaomei", "lumi", nil))
	w.token("xiaomei")
	change(w, "shop-wechat", &corev1.Secret{}, func(s *corev1.Secret) { s.StringData = map[string]string{"token": "another"} })
	w.remove(&corev1.Secret{}, "xiaomei-trial-token")
	w.token("xiaomei")
	w.settled()
	reads.mu.Lock()
	defer reads.mu.Unlock()
	if len(reads.forms) == 0 {
		t.Error("the operator reads no Secrets at all")
	}
	for accept, times := range reads.forms {
		// Servers answer with the first form that they know.
		if first, _, _ := strings.Cut(accept, ","); !strings.Contains(first, "as=PartialObjectMetadata") {
			t.Errorf("%d requests accept %q, want metadata alone", times, accept)
		}
	}
}

func TestTheCacheHoldsNoContentsOfSecrets(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const applied = `{"stringData":{"appSecret":"hunter2"}}`
	credentials := secret("shop-wechat")
	credentials.Annotations = map[string]string{corev1.LastAppliedConfigAnnotation: applied, "team": "shop"}
	w.create(credentials)
	key := types.NamespacedName{Namespace: w.namespace, Name: "shop-wechat"}
	kept := refs.SecretMetadata()
	w.eventually(func() error { return w.cached.Get(t.Context(), key, kept) })
	if kept.Labels[v1alpha1.CredentialsLabel] != "true" || kept.Annotations["team"] != "shop" {
		t.Errorf("the cache lost what is needed: %+v", kept.ObjectMeta)
	}
	if _, holds := kept.Annotations[corev1.LastAppliedConfigAnnotation]; holds || kept.ManagedFields != nil {
		t.Errorf("the cache holds what kubectl apply wrote down: %+v", kept.ObjectMeta)
	}
	// By mistake.
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	whole := &corev1.Secret{}
	if err := w.cached.Get(ctx, key, whole); err == nil || len(whole.Data) > 0 {
		t.Errorf("a whole Secret came out of the cache: %v", err)
	}
}
