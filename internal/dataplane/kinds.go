package dataplane

import (
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
)

// Kinds are all that is made for Brands and their pools: what controllers watch, the cache holds, and pruning looks through, what
// runs before the rights that it runs with.
func Kinds(settings Settings) []client.Object {
	return slices.Concat(Autoscalers(settings), []client.Object{
		&appsv1.Deployment{}, &batchv1.Job{}, &corev1.Service{}, &policyv1.PodDisruptionBudget{}, &networkingv1.NetworkPolicy{},
		&rbacv1.RoleBinding{}, &rbacv1.Role{}, &corev1.ServiceAccount{},
	}, Routes(settings))
}

// Routes are the kinds of routes that the cluster has.
func Routes(settings Settings) []client.Object {
	if settings.GatewayAPI {
		return []client.Object{&networkingv1.Ingress{}, &gatewayv1.HTTPRoute{}}
	}
	return []client.Object{&networkingv1.Ingress{}}
}
