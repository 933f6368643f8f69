//go:build e2e

package e2e

import (
	"log/slog"
	"testing"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/dataplane"
)

// temporal is the brand's namespace of the Temporal service, as the temporal program sees it.
func (s *stack) temporal(t *testing.T) client.Client {
	t.Helper()
	brand := &v1alpha1.Brand{}
	s.kube.get(t, brandName, brand)
	c, err := client.NewLazyClient(client.Options{
		HostPort: brand.Spec.Temporal.Address, Namespace: dataplane.TemporalNamespace(brand), Logger: log.NewStructuredLogger(slog.New(slog.DiscardHandler)),
	})
	must(t, err)
	t.Cleanup(c.Close)
	return c
}
