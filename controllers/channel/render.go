package channel

import (
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/runtime"
	rbacv1ac "k8s.io/client-go/applyconfigurations/rbac/v1"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/dataplane"
)

// poolObjects is all that a pool is made of, apart by the moment at which it may be applied.
type poolObjects struct {
	// always holds identity, rights, Service and budget.
	always []runtime.ApplyConfiguration
	// serving holds the Deployment.
	serving []runtime.ApplyConfiguration
}

func renderPool(seen *poolScene, channelType v1alpha1.ChannelType, settings dataplane.Settings) poolObjects {
	w := poolWorkload(seen, channelType, settings)
	return poolObjects{
		always:  []runtime.ApplyConfiguration{w.ServiceAccount(), w.Role(secretRules(seen.credentials)...), w.RoleBinding(), w.Service(), w.Budget()},
		serving: []runtime.ApplyConfiguration{w.Deployment()},
	}
}

func poolWorkload(seen *poolScene, channelType v1alpha1.ChannelType, settings dataplane.Settings) dataplane.Workload {
	allowed := slices.Clone(settings.AllowedAPIBaseURLs)
	slices.Sort(allowed)
	return dataplane.Workload{
		Brand: seen.brand, Settings: settings, Component: dataplane.Connector, Pool: dataplane.Pool(channelType),
		Replicas:    replicas(seen.channels),
		Login:       dataplane.ConnectorLogin(seen.brand),
		Connections: dataplane.Connections(seen.login()),
		Args: []string{
			"--pool=" + dataplane.Pool(channelType),
			"--type=" + string(channelType),
			"--webhook-address=:" + strconv.Itoa(dataplane.PortHTTP),
			"--allowed-api-base-urls=" + strings.Join(slices.Compact(allowed), ","),
		},
		ServesHTTP: true, CallsAPIServer: true,
	}
}

// replicas is the largest number that a Channel of the pool asks for.
func replicas(channels []v1alpha1.Channel) int32 {
	most := int32(1)
	for i := range channels {
		most = max(most, channels[i].Spec.Scaling.MinReplicas)
	}
	return most
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
