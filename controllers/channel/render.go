package channel

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/runtime"
	rbacv1ac "k8s.io/client-go/applyconfigurations/rbac/v1"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/dataplane"
	"github.com/yingda-dev/yingda/internal/domain/scaling"
)

// poolObjects is all that a pool is made of, apart by the moment at which it may be applied.
type poolObjects struct {
	// always holds identity, rights, Service and, if any, budget.
	always []runtime.ApplyConfiguration
	// serving holds the Deployment.
	serving []runtime.ApplyConfiguration
	// scaling holds what scales it. A cluster may refuse it, which must keep nobody from being served.
	scaling []runtime.ApplyConfiguration
	// routes hold the HTTPRoutes and Ingresses by the name of their Channel. A cluster may refuse them, which must keep nobody
	// from being served.
	routes map[string]runtime.ApplyConfiguration
}

func (o poolObjects) all() []runtime.ApplyConfiguration {
	return slices.Concat(o.always, o.serving, o.scaling, slices.Collect(maps.Values(o.routes)))
}

func renderPool(seen *poolScene, pool string, settings dataplane.Settings) poolObjects {
	w := poolWorkload(seen, pool, settings)
	always := []runtime.ApplyConfiguration{w.ServiceAccount(), w.Role(secretRules(seen.credentials)...), w.RoleBinding(), w.Service()}
	always = append(always, w.Budget()...)
	if settings.NetworkPolicies.Enabled {
		always = append(always, w.NetworkPolicy())
	}
	routes := map[string]runtime.ApplyConfiguration{}
	for i := range seen.channels {
		if route := webhookRoute(w, &seen.channels[i]); route != nil && route.CanBeMade() {
			routes[seen.channels[i].Name] = route.Object()
		}
	}
	return poolObjects{always: always, serving: []runtime.ApplyConfiguration{w.Deployment()}, scaling: w.Autoscaler(), routes: routes}
}

// routeName is the name of the HTTPRoute or Ingress of a Channel.
func routeName(channel *v1alpha1.Channel) string { return channel.Name + "-webhook" }

// webhookRoute leads the platform in; nil for a Channel without an exposure, and for one that takes no calls any more.
func webhookRoute(pool dataplane.Workload, channel *v1alpha1.Channel) *dataplane.Route {
	if channel.Spec.Exposure == nil || channel.DeletionTimestamp != nil {
		return nil
	}
	return &dataplane.Route{Name: routeName(channel), Workload: pool, Exposure: *channel.Spec.Exposure, Path: webhookPath(channel)}
}

// poolWorkload is the pool of Channels of which there is one at least.
func poolWorkload(seen *poolScene, pool string, settings dataplane.Settings) dataplane.Workload {
	allowed := slices.Clone(settings.AllowedAPIBaseURLs)
	slices.Sort(allowed)
	return dataplane.Workload{
		Brand: seen.brand, Settings: settings, Component: dataplane.Connector, Pool: pool,
		Plan: seen.plan, Running: seen.deployment != nil,
		Login:       dataplane.ConnectorLogin(seen.brand),
		Connections: dataplane.Connections(seen.login()),
		Securing:    seen.logins.Securing,
		Args: append([]string{
			"--pool=" + pool,
			"--type=" + string(seen.channels[0].Spec.Type),
			"--webhook-address=:" + strconv.Itoa(dataplane.PortHTTP),
			"--allowed-api-base-urls=" + strings.Join(slices.Compact(allowed), ","),
		}, topicArgs(seen)...),
		ServesHTTP: true, CallsAPIServer: true, AnswersAtOnce: dataplane.AnswersAtOnce(seen.channels[0].Spec.Type),
	}
}

// topicArgs have the connectors of a Dedicated Channel make their topic; those of a shared pool find it made by setup.
func topicArgs(seen *poolScene) []string {
	if seen.channels[0].Spec.Isolation != v1alpha1.IsolationDedicated {
		return nil
	}
	return append([]string{"--create-topic"}, dataplane.TopicArgs(seen.brand)...)
}

// scale takes the largest of each number that a Channel of the pool asks for. More connectors than their topic has partitions
// are not in vain: all of them answer webhooks.
func scale(channels []v1alpha1.Channel) scaling.Spec {
	all := scaling.Fixed(1)
	for i := range channels {
		asked := &channels[i].Spec.Scaling
		all = all.And(scaling.Of(asked.MinReplicas, &asked.PeakScaling))
	}
	return all
}

// secretRules let the pool read and follow exactly these Secrets. No name gives no rule: a rule without resourceNames is
// one for every Secret of the namespace.
func secretRules(names []string) []*rbacv1ac.PolicyRuleApplyConfiguration {
	if len(names) == 0 {
		return nil
	}
	return []*rbacv1ac.PolicyRuleApplyConfiguration{rbacv1ac.PolicyRule().
		WithAPIGroups("").
		WithResources("secrets").
		WithResourceNames(names...).
		WithVerbs("get", "list", "watch")}
}
