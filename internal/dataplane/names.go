// Package dataplane says what the workloads of a Brand are called, how they are labelled, and what every pod of the data
// plane has in common: security context, probes, resources, arguments and the mounted connection.
//
// Controllers render from it, so that the Brand's and the Channel's controllers agree without importing each other. The
// package is pure: equal input gives equal output. It reads no clock, no environment and no cluster.
package dataplane

import (
	"slices"
	"strings"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/configz"
)

// Labels of everything that the operator makes.
const (
	LabelName      = "app.kubernetes.io/name"
	LabelComponent = "app.kubernetes.io/component"
	LabelInstance  = "app.kubernetes.io/instance"
	LabelManagedBy = "app.kubernetes.io/managed-by"
	// LabelBrand names the Brand that an object belongs to.
	LabelBrand = "yingda.dev/brand"
	// LabelPool names the connector pool that an object belongs to.
	LabelPool = "yingda.dev/pool"
	// LabelTrialToken marks, with the value "true", the Secret with an Agent's trial token.
	LabelTrialToken = "yingda.dev/trial-token"

	// Name is the value of LabelName.
	Name = "yingda"
	// ManagedBy is the value of LabelManagedBy.
	ManagedBy = "yingda-operator"
)

// Components: the values of LabelComponent, and the subcommands of the binary.
const (
	Router    = "router"
	Workflows = "workflows"
	Desk      = "desk"
	Connector = "connector"
	Setup     = "setup"
	Teardown  = "teardown"
)

// Ports of every pod of the data plane.
const (
	PortHTTP       = 8080
	PortHealth     = configz.HealthPort
	PortNameHTTP   = "http"
	PortNameHealth = "health"
)

// Labels are the labels of an object of a Brand.
func Labels(brand, component, pool string) map[string]string {
	labels := Selector(brand, component, pool)
	labels[LabelManagedBy] = ManagedBy
	labels[LabelBrand] = brand
	return labels
}

// Selector chooses the pods of one workload. Deployments cannot change it, so it holds only what never changes.
func Selector(brand, component, pool string) map[string]string {
	selector := map[string]string{LabelName: Name, LabelInstance: brand, LabelComponent: component}
	if pool != "" {
		selector[LabelPool] = pool
	}
	return selector
}

// WorkloadName is the name of a Brand's Deployment, Service, ServiceAccount and budget for a component or a pool.
func WorkloadName(brand, componentOrPool string) string { return brand + "-" + componentOrPool }

// Pool is the name of the pool that the Shared Channels of a type have.
func Pool(channelType v1alpha1.ChannelType) string {
	switch channelType {
	case v1alpha1.ChannelTypeMiniProgram:
		return "miniprogram"
	case v1alpha1.ChannelTypeOfficialAccount:
		return "officialaccount"
	default:
		return ""
	}
}

// PoolOf is the name of the pool that serves a Channel: its type's, or its own when it is Dedicated.
func PoolOf(channel *v1alpha1.Channel) string {
	pool := Pool(channel.Spec.Type)
	if channel.Spec.Isolation == v1alpha1.IsolationDedicated {
		pool += "-" + channel.Name
	}
	return pool
}

// ChannelTypes are all types of Channels, in a fixed order.
func ChannelTypes() []v1alpha1.ChannelType {
	return []v1alpha1.ChannelType{v1alpha1.ChannelTypeMiniProgram, v1alpha1.ChannelTypeOfficialAccount}
}

// AnswersAtOnce says whether the platform of a type takes words to the customer in the answer to its call. Connectors of such
// a type read by what the bot speaks.
func AnswersAtOnce(channelType v1alpha1.ChannelType) bool {
	return channelType == v1alpha1.ChannelTypeOfficialAccount
}

// PoolAnswersAtOnce says so of the type that a pool is for, by the pool's name.
func PoolAnswersAtOnce(pool string) bool {
	shared, _, _ := strings.Cut(pool, "-")
	return slices.ContainsFunc(ChannelTypes(), func(t v1alpha1.ChannelType) bool { return AnswersAtOnce(t) && Pool(t) == shared })
}

// PoolsAtOnce are the pools of a Brand whose connectors let the bot speak in their answers to the platform, sorted.
func PoolsAtOnce(brand string, channels []v1alpha1.Channel) []string {
	return PoolsAtOnceOf(brand, channels, func(*v1alpha1.Channel) bool { return true })
}

// PoolsAtOnceOf are those of the Channels that are chosen.
func PoolsAtOnceOf(brand string, channels []v1alpha1.Channel, chosen func(*v1alpha1.Channel) bool) []string {
	var pools []string
	for i := range channels {
		channel := &channels[i]
		if AnswersAtOnce(channel.Spec.Type) && channel.Spec.BrandRef.Name == brand && channel.DeletionTimestamp == nil && chosen(channel) {
			pools = append(pools, PoolOf(channel))
		}
	}
	slices.Sort(pools)
	return slices.Compact(pools)
}

// Pools are the names of all shared pools that a Brand may have. Their topics are made with the Brand, not with the first
// Channel: a Channel is then served a provisioning earlier, and an empty topic costs nothing worth naming. The topic of a
// Dedicated Channel is made by its own connectors, so that a new Channel does not set up the whole Brand again.
func Pools() []string {
	types := ChannelTypes()
	pools := make([]string, 0, len(types))
	for _, t := range types {
		pools = append(pools, Pool(t))
	}
	return pools
}

// TemporalNamespace is the Brand's namespace on the Temporal service.
func TemporalNamespace(brand *v1alpha1.Brand) string {
	if brand.Spec.Temporal.Namespace != "" {
		return brand.Spec.Temporal.Namespace
	}
	return brand.Namespace + "-" + brand.Name
}
