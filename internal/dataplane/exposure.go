package dataplane

import (
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/runtime"
	networkingv1ac "k8s.io/client-go/applyconfigurations/networking/v1"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
	gatewayv1ac "sigs.k8s.io/gateway-api/applyconfiguration/apis/v1"

	"github.com/yingda-dev/yingda/api/v1alpha1"
)

// Route leads a host and a path from outside to a workload's Service.
type Route struct {
	// Name of the HTTPRoute or Ingress.
	Name     string
	Workload Workload
	Exposure v1alpha1.ExposureSpec
	// Path, with all below it.
	Path string
}

// ByGateway says whether the route is an HTTPRoute; otherwise it is an Ingress.
func (r Route) ByGateway() bool { return len(r.Exposure.ParentRefs) > 0 }

// CanBeMade says whether the cluster has routes of this kind.
func (r Route) CanBeMade() bool { return r.Workload.Settings.GatewayAPI || !r.ByGateway() }

// Object is the HTTPRoute or the Ingress.
func (r Route) Object() runtime.ApplyConfiguration {
	if r.ByGateway() {
		return r.httpRoute()
	}
	return r.ingress()
}

func (r Route) httpRoute() *gatewayv1ac.HTTPRouteApplyConfiguration {
	parents := make([]*gatewayv1ac.ParentReferenceApplyConfiguration, 0, len(r.Exposure.ParentRefs))
	for _, ref := range r.Exposure.ParentRefs {
		// Group and kind are what the server would fill in: left out, an unchanged route would look changed.
		parent := gatewayv1ac.ParentReference().WithGroup(gatewayv1.GroupName).WithKind("Gateway").WithName(gatewayv1.ObjectName(ref.Name))
		if ref.Namespace != "" {
			parent.WithNamespace(gatewayv1.Namespace(ref.Namespace))
		}
		if ref.SectionName != "" {
			parent.WithSectionName(gatewayv1.SectionName(ref.SectionName))
		}
		parents = append(parents, parent)
	}
	return gatewayv1ac.HTTPRoute(r.Name, r.Workload.Brand.Namespace).
		WithLabels(r.Workload.Labels()).
		WithOwnerReferences(Owner(r.Workload.Brand)).
		WithSpec(gatewayv1ac.HTTPRouteSpec().
			WithParentRefs(parents...).
			WithHostnames(gatewayv1.Hostname(r.Exposure.Host)).
			WithRules(gatewayv1ac.HTTPRouteRule().
				WithMatches(gatewayv1ac.HTTPRouteMatch().WithPath(gatewayv1ac.HTTPPathMatch().
					WithType(gatewayv1.PathMatchPathPrefix).WithValue(r.Path))).
				WithBackendRefs(gatewayv1ac.HTTPBackendRef().
					WithGroup("").WithKind("Service").WithWeight(1).
					WithName(gatewayv1.ObjectName(r.Workload.Name())).
					WithPort(PortHTTP))))
}

func (r Route) ingress() *networkingv1ac.IngressApplyConfiguration {
	spec := networkingv1ac.IngressSpec().
		WithIngressClassName(r.Exposure.IngressClassName).
		WithRules(networkingv1ac.IngressRule().
			WithHost(r.Exposure.Host).
			WithHTTP(networkingv1ac.HTTPIngressRuleValue().WithPaths(networkingv1ac.HTTPIngressPath().
				WithPath(r.Path).
				WithPathType(networkingv1.PathTypePrefix).
				WithBackend(networkingv1ac.IngressBackend().WithService(networkingv1ac.IngressServiceBackend().
					WithName(r.Workload.Name()).
					WithPort(networkingv1ac.ServiceBackendPort().WithNumber(PortHTTP)))))))
	if r.Exposure.TLSSecretName != "" {
		spec.WithTLS(networkingv1ac.IngressTLS().WithHosts(r.Exposure.Host).WithSecretName(r.Exposure.TLSSecretName))
	}
	return networkingv1ac.Ingress(r.Name, r.Workload.Brand.Namespace).
		WithLabels(r.Workload.Labels()).
		WithOwnerReferences(Owner(r.Workload.Brand)).
		WithSpec(spec)
}

// ExposedURL is where an exposure leads in, without a path.
func ExposedURL(exposure *v1alpha1.ExposureSpec) string { return "https://" + exposure.Host }
