package host_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/yingda-dev/yingda/connectors/host"
	"github.com/yingda-dev/yingda/internal/message"
)

// gate lets an API server be away, or keep Secrets to itself.
type gate struct {
	away, forbidden atomic.Bool
	refusals        atomic.Int64
}

func (g *gate) check(list client.ObjectList) error {
	if g.away.Load() {
		return errors.New("connection refused")
	}
	if _, ok := list.(*corev1.SecretList); ok && g.forbidden.Load() {
		g.refusals.Add(1)
		return apierrors.NewForbidden(schema.GroupResource{Resource: "secrets"}, "shop-wechat", errors.New("the Role does not name it yet"))
	}
	return nil
}

// through returns a client that meets the gate before the API server.
func (g *gate) through(kube client.WithWatch) client.WithWatch {
	return interceptor.NewClient(kube, interceptor.Funcs{
		List: func(ctx context.Context, c client.WithWatch, list client.ObjectList, options ...client.ListOption) error {
			if err := g.check(list); err != nil {
				return err
			}
			return c.List(ctx, list, options...)
		},
		Watch: func(ctx context.Context, c client.WithWatch, list client.ObjectList, options ...client.ListOption) (watch.Interface, error) {
			if err := g.check(list); err != nil {
				return nil, err
			}
			opened, err := c.Watch(ctx, list, options...)
			if err != nil {
				return nil, err
			}
			return watch.Filter(opened, func(e watch.Event) (watch.Event, bool) { return e, !g.away.Load() }), nil
		},
	})
}

func TestSecretThatTheRoleGrantsLateIsServedSoonAndHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var g gate
	g.forbidden.Store(true)
	r := w.Replica(func(o *host.Options) { o.Kubernetes = g.through(o.Kubernetes) })
	shop := w.app("shop")
	w.Create(shop.secret(), shop.channel())
	w.Eventually("the Channel is known", func() bool { return len(r.Host.Report().Channels) == 1 })
	w.Eventually("the replica is ready without it", func() bool { return r.Host.Ready(t.Context()) == nil })
	if got := r.Host.Report().Objects; len(got) != 0 {
		t.Errorf("served: %v, want nothing", got)
	}
	// By then pauses are as long as they get.
	w.Eventually("it was tried for a while", func() bool { return g.refusals.Load() >= 6 })
	granted := time.Now()
	g.forbidden.Store(false)
	w.Eventually("it is served", func() bool { return r.Host.Report().Objects["Channel/shop"] == 1 })
	if took := time.Since(granted); took > 4*time.Second {
		t.Errorf("served after %s, want a few seconds", took)
	}
	if logs := r.Logs.String(); strings.Count(logs, "does not grant the resource yet") != 1 || strings.Contains(logs, `"ERROR"`) {
		t.Errorf("logs = %s, want one line of a Role that does not grant it yet, and no error", logs)
	}
}

func TestWithTheAPIServerAwayEverythingGoesOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var g gate
	r := w.Replica(func(o *host.Options) { o.Kubernetes = g.through(o.Kubernetes) })
	shop := w.app("shop")
	shop.serve(r)
	g.away.Store(true)
	shop.meet("customer1")
	w.Report(w.Say("shop", "customer1", "goes on"), message.DeliveryDelivered)
	if err := r.Host.Ready(t.Context()); err != nil {
		t.Errorf("not ready: %v", err)
	}
	if got := r.Host.Report().Objects["Channel/shop"]; got != 1 {
		t.Errorf("generation %d is in force, want 1", got)
	}
}

func TestMessagesToADeletedChannelEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := uuid.New()
	_, err := w.Owner.Pool().Exec(t.Context(), `INSERT INTO delivery (message_id, pool, channel, external_id, state, outbound, updated_at, reported)
		VALUES ($1, $2, 'gone', 'customer1', 'queued', '{}', now() - interval '11 minutes', true)`, id, w.Pool)
	if err != nil {
		t.Fatal(err)
	}
	w.Replica()
	if report := w.Report(id, message.DeliveryFailed); report.Reason != "ChannelGone" {
		t.Errorf("report = %+v", report)
	}
}
