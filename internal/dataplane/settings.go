package dataplane

import (
	corev1 "k8s.io/api/core/v1"
)

// Settings are what the operator was started with; they are the same for all Brands.
type Settings struct {
	// Image of the data plane.
	Image           string
	ImagePullPolicy corev1.PullPolicy
	// AllowedAPIBaseURLs are the addresses at which Channels may call their platforms.
	AllowedAPIBaseURLs []string
	// AllowedWebhookHosts are the hosts, with a port if it is not 443, that Brands may have called: when those on call are,
	// as providers, and to hand in mail.
	AllowedWebhookHosts []string
	// TemporalUIOrigin is that of Temporal's web UI, whose page may have desks decode payloads for admins; empty for none.
	TemporalUIOrigin string
	// ServiceType is that of webhooks and desks: ClusterIP leaves the way in to the platform team, NodePort opens a port on every
	// node.
	ServiceType corev1.ServiceType
	// NodePortHost is the host by which people and platforms reach node ports.
	NodePortHost string
	// GatewayAPI says whether the cluster has HTTPRoutes.
	GatewayAPI bool
	// KEDA says whether the cluster has ScaledObjects.
	KEDA bool
	// PriorityClassName of the data plane's pods; empty for the cluster's default.
	PriorityClassName string
	NetworkPolicies   NetworkPolicies
	// OTLPEndpoint is host:port of what receives the data plane's traces; empty turns them off.
	OTLPEndpoint string
}
