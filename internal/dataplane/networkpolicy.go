package dataplane

import (
	"net"
	"net/url"
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	metav1ac "k8s.io/client-go/applyconfigurations/meta/v1"
	networkingv1ac "k8s.io/client-go/applyconfigurations/networking/v1"
)

// Destination is what pods of the data plane call.
type Destination string

// The destinations.
const (
	ToDNS       Destination = "dns"
	ToAPIServer Destination = "apiServer"
	ToKafka     Destination = "kafka"
	ToTemporal  Destination = "temporal"
	ToPostgres  Destination = "postgres"
	ToPlatforms Destination = "platforms"
	ToWebhooks  Destination = "webhooks"
	ToTelemetry Destination = "telemetry"
)

// Destinations are all of them, in a fixed order.
func Destinations() []Destination {
	return []Destination{ToDNS, ToAPIServer, ToKafka, ToTemporal, ToPostgres, ToPlatforms, ToWebhooks, ToTelemetry}
}

// Target is a port of a range of addresses.
type Target struct {
	CIDR string
	Port int32
}

// NetworkPolicies say what NetworkPolicies the data plane gets.
type NetworkPolicies struct {
	Enabled bool
	// Egress names the addresses of a destination. Without an entry its ports are derived (from the Brand's addresses, from the
	// allowed platforms, from the webhook; 5432 for Postgres, 443 and 6443 for the API server), and any address may be called.
	Egress map[Destination][]Target
	// IngressFromNamespaces are the namespaces that may call webhooks and desks; none means that all may, and the outside too.
	IngressFromNamespaces []string
}

// NetworkPolicy denies the workload's pods everything but what it needs. Its health port stays open to the cluster: the
// operator asks there for the configuration in force, and Prometheus for metrics.
func (w Workload) NetworkPolicy() *networkingv1ac.NetworkPolicyApplyConfiguration {
	spec := networkingv1ac.NetworkPolicySpec().
		WithPodSelector(metav1ac.LabelSelector().WithMatchLabels(w.Selector())).
		WithPolicyTypes(networkingv1.PolicyTypeIngress, networkingv1.PolicyTypeEgress).
		WithEgress(w.egress()...)
	if w.Component != Teardown {
		// What keeps a teardown it says with its last words alone.
		spec.WithIngress(networkingv1ac.NetworkPolicyIngressRule().
			WithFrom(networkingv1ac.NetworkPolicyPeer().WithNamespaceSelector(metav1ac.LabelSelector())).
			WithPorts(policyPort(corev1.ProtocolTCP, PortHealth)))
	}
	if w.ServesHTTP {
		spec.WithIngress(w.ingressHTTP())
	}
	return networkingv1ac.NetworkPolicy(w.Name(), w.Brand.Namespace).
		WithLabels(w.Labels()).
		WithOwnerReferences(Owner(w.Brand)).
		WithSpec(spec)
}

func (w Workload) ingressHTTP() *networkingv1ac.NetworkPolicyIngressRuleApplyConfiguration {
	rule := networkingv1ac.NetworkPolicyIngressRule().WithPorts(policyPort(corev1.ProtocolTCP, PortHTTP))
	for _, namespace := range w.Settings.NetworkPolicies.IngressFromNamespaces {
		rule.WithFrom(networkingv1ac.NetworkPolicyPeer().WithNamespaceSelector(
			metav1ac.LabelSelector().WithMatchLabels(map[string]string{corev1.LabelMetadataName: namespace})))
	}
	return rule
}

// egress has a rule for each destination that the component calls.
func (w Workload) egress() []*networkingv1ac.NetworkPolicyEgressRuleApplyConfiguration {
	var rules []*networkingv1ac.NetworkPolicyEgressRuleApplyConfiguration
	for _, destination := range Destinations() {
		if !w.calls(destination) {
			continue
		}
		targets, named := w.Settings.NetworkPolicies.Egress[destination]
		if !named {
			targets = anywhere(w.ports(destination))
		}
		rules = append(rules, egressRules(destination, targets)...)
	}
	return rules
}

func (w Workload) calls(destination Destination) bool {
	switch destination {
	case ToAPIServer:
		return w.CallsAPIServer
	case ToTemporal:
		return w.Component == Router || w.Component == Workflows || w.Component == Setup || w.Component == Teardown
	case ToKafka:
		return w.Component != Workflows
	case ToPlatforms:
		return w.Component == Connector
	case ToWebhooks:
		return len(w.called()) > 0
	case ToTelemetry:
		return w.Settings.OTLPEndpoint != ""
	default:
		return true
	}
}

// ports of a destination as far as they are known.
func (w Workload) ports(destination Destination) []int32 {
	const (
		dns           = 53
		https, http   = 443, 80
		apiServerPort = 6443
		postgres      = 5432
	)
	var addresses []string
	switch destination {
	case ToDNS:
		return []int32{dns}
	case ToAPIServer:
		return []int32{https, apiServerPort}
	case ToPostgres:
		return []int32{postgres}
	case ToKafka:
		addresses = w.Brand.Spec.Kafka.BootstrapServers
	case ToTemporal:
		addresses = []string{w.Brand.Spec.Temporal.Address}
	case ToWebhooks:
		addresses = w.called()
	case ToTelemetry:
		addresses = []string{w.Settings.OTLPEndpoint}
	case ToPlatforms:
		for _, base := range w.Settings.AllowedAPIBaseURLs {
			parsed, err := url.Parse(base)
			switch {
			case err != nil:
			case parsed.Port() != "":
				addresses = append(addresses, parsed.Host)
			case parsed.Scheme == "http":
				addresses = append(addresses, net.JoinHostPort(parsed.Hostname(), strconv.Itoa(http)))
			default:
				addresses = append(addresses, net.JoinHostPort(parsed.Hostname(), strconv.Itoa(https)))
			}
		}
	}
	return portsOf(addresses)
}

func portsOf(addresses []string) []int32 {
	var ports []int32
	for _, address := range addresses {
		_, text, err := net.SplitHostPort(address)
		if err != nil {
			continue
		}
		if port, err := strconv.ParseUint(text, 10, 16); err == nil {
			ports = append(ports, int32(port))
		}
	}
	slices.Sort(ports)
	return slices.Compact(ports)
}

func anywhere(ports []int32) []Target {
	targets := make([]Target, 0, len(ports))
	for _, port := range ports {
		targets = append(targets, Target{Port: port})
	}
	return targets
}

// egressRules are one rule for each range of addresses, with all its ports.
func egressRules(destination Destination, targets []Target) []*networkingv1ac.NetworkPolicyEgressRuleApplyConfiguration {
	var ranges []string
	rules := map[string]*networkingv1ac.NetworkPolicyEgressRuleApplyConfiguration{}
	for _, target := range targets {
		rule, known := rules[target.CIDR]
		if !known {
			rule = networkingv1ac.NetworkPolicyEgressRule()
			if target.CIDR != "" {
				rule.WithTo(networkingv1ac.NetworkPolicyPeer().WithIPBlock(networkingv1ac.IPBlock().WithCIDR(target.CIDR)))
			}
			rules[target.CIDR] = rule
			ranges = append(ranges, target.CIDR)
		}
		if destination == ToDNS {
			rule.WithPorts(policyPort(corev1.ProtocolUDP, target.Port))
		}
		rule.WithPorts(policyPort(corev1.ProtocolTCP, target.Port))
	}
	ordered := make([]*networkingv1ac.NetworkPolicyEgressRuleApplyConfiguration, 0, len(ranges))
	for _, cidr := range ranges {
		ordered = append(ordered, rules[cidr])
	}
	return ordered
}

func policyPort(protocol corev1.Protocol, port int32) *networkingv1ac.NetworkPolicyPortApplyConfiguration {
	return networkingv1ac.NetworkPolicyPort().WithProtocol(protocol).WithPort(intstr.FromInt32(port))
}
