//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/domain/oncall"
)

const (
	providerName = "e2e-provider"
	providerKey  = "the key of this test's provider"
	// providerThinks is how long an order takes, so that crashes find some under way.
	providerThinks = 300 * time.Millisecond
	// forgetsEvery is of how many orders the provider does one and hangs up before it says so.
	forgetsEvery = 3
)

// provider pays and claims for the brand, each key once, however often it is told.
type provider struct {
	outsider

	mu sync.Mutex
	// orders are the bodies that were done, by key; calls counts all.
	orders map[string]string
	calls  int
	// wrong is what should never have come.
	wrong []string
}

// openProvider has the Brand declare one until the test ends.
func openProvider(t *testing.T, s *stack) *provider {
	t.Helper()
	p := &provider{orders: map[string]string{}}
	p.outsider = openOutsider(t, s, p)
	s.creates(t, providerName, map[string][]byte{"key": []byte(providerKey), "ca.crt": p.authority})
	change(t, s.kube, brandName, &v1alpha1.Brand{}, func(brand *v1alpha1.Brand) {
		ref := v1alpha1.CredentialsReference{Name: providerName}
		brand.Spec.Provider = &v1alpha1.BrandProvider{URL: p.url + "/orders", SecretRef: ref, CASecretRef: &ref}
	})
	// Pods of before know no key of it, or that of a run before; the last of them answer while they are on their way out.
	await(t, "only pods of the Brand as it is now are left", drainLimit, s.kube.rolling, func(names []string) bool { return len(names) == 0 })
	await(t, "the desk takes what the provider signs", drainLimit, func(ctx context.Context) (string, error) {
		return fmt.Sprint(p.tells(ctx, s.agent, "cases/none/actions", map[string]any{})), nil
	}, func(answer string) bool {
		return strings.Contains(answer, "status 4") && !strings.Contains(answer, "status 401")
	})
	return p
}

func (p *provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	key := r.Header.Get(oncall.HeaderIdempotencyKey)
	if err != nil || r.Method != http.MethodPost || key == "" || !oncall.Verify([]byte(providerKey), body, r.Header.Get(oncall.HeaderSignature), time.Now()) {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	passing(r.Context(), providerThinks)
	if p.do(key, string(body)) {
		panic(http.ErrAbortHandler)
	}
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprintf(w, `{"state": "done", "reference": "R%d"}`, len(key))
}

// do does what is told under a key, once, and says whether the provider forgets to say so.
func (p *provider) do(key, body string) (forgets bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls++
	if done, again := p.orders[key]; again {
		if done != body {
			p.wrong = append(p.wrong, "another order under the key "+key)
		}
		return false
	}
	p.orders[key] = body
	return len(p.orders)%forgetsEvery == 0
}

// did counts what was done for a case, by operation and attempt: its keys are <case>/<operation>/<attempt>.
func (p *provider) did(id string) map[string]int {
	p.mu.Lock()
	defer p.mu.Unlock()
	did := map[string]int{}
	for key := range maps.Keys(p.orders) {
		if what, its := strings.CutPrefix(key, id+"/"); its {
			did[what]++
		}
	}
	return did
}

// called returns how often it was called until now, and what should never have come.
func (p *provider) called() (int, []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.calls, p.wrong
}

// tells lets the desk know what the brand's own system does.
func (p *provider) tells(ctx context.Context, d desk, path string, what map[string]any) error {
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	body, err := json.Marshal(what)
	if err != nil {
		return fmt.Errorf("encoding a request: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, d.url+"/api/provider/"+path, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("making a request: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set(oncall.HeaderSignature, oncall.Sign([]byte(providerKey), body, time.Now()))
	_, err = answered(req)
	return err
}
