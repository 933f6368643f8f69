package refs

import (
	"context"

	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/conditions"
	"github.com/yingda-dev/yingda/internal/dataplane"
)

// Exposed is the condition of the same name, by what Gateways or the Ingress controller say of a route.
func Exposed(ctx context.Context, reader client.Reader, route dataplane.Route) (conditions.Condition, error) {
	key := types.NamespacedName{Namespace: route.Workload.Brand.Namespace, Name: route.Name}
	httpRoute, ingress := &gatewayv1.HTTPRoute{}, &networkingv1.Ingress{}
	switch {
	case !route.ByGateway():
		exists, err := Get(ctx, reader, key, ingress)
		if err != nil || !exists {
			return notMade("Ingress"), err
		}
		return judgeIngress(ingress), nil
	case !route.CanBeMade():
		return conditions.False(v1alpha1.ConditionExposed, v1alpha1.ReasonGatewayAPIMissing,
			"The cluster has no Gateway API: install it, and the operator finds it within two minutes, or use ingressClassName"), nil
	default:
		exists, err := Get(ctx, reader, key, httpRoute)
		if err != nil || !exists {
			return notMade("HTTPRoute"), err
		}
		return judgeRoute(httpRoute), nil
	}
}

func notMade(kind string) conditions.Condition {
	return conditions.False(v1alpha1.ConditionExposed, v1alpha1.ReasonAwaitingController, "The "+kind+" is not made yet; where the cluster refuses it, an event says why")
}

// judgeRoute is the condition Exposed by what the Gateways say of the route.
func judgeRoute(route *gatewayv1.HTTPRoute) conditions.Condition {
	for i := range route.Spec.ParentRefs {
		finding, taken := judgeParent(route, &route.Spec.ParentRefs[i])
		if !taken {
			return finding
		}
	}
	return conditions.True(v1alpha1.ConditionExposed, v1alpha1.ReasonExposed, "Every Gateway has accepted the route")
}

// judgeParent says whether a Gateway has taken the route as it is now, and what keeps it from that.
func judgeParent(route *gatewayv1.HTTPRoute, ref *gatewayv1.ParentReference) (finding conditions.Condition, taken bool) {
	gateway := string(ref.Name)
	for i := range route.Status.Parents {
		parent := &route.Status.Parents[i]
		if !sameParent(route.Namespace, &parent.ParentRef, ref) {
			continue
		}
		for _, wanted := range []gatewayv1.RouteConditionType{gatewayv1.RouteConditionAccepted, gatewayv1.RouteConditionResolvedRefs} {
			c := meta.FindStatusCondition(parent.Conditions, string(wanted))
			if c == nil || c.ObservedGeneration != route.Generation {
				continue
			}
			if c.Status == metav1.ConditionFalse {
				return conditions.False(v1alpha1.ConditionExposed, v1alpha1.ReasonNotAccepted,
					"Gateway "+gateway+" does not accept the route ("+c.Reason+"): "+c.Message), false
			}
			taken = taken || wanted == gatewayv1.RouteConditionAccepted && c.Status == metav1.ConditionTrue
		}
	}
	if taken {
		return conditions.Condition{}, true
	}
	return conditions.Unknown(v1alpha1.ConditionExposed, v1alpha1.ReasonAwaitingController,
		"Gateway "+gateway+" has not said anything of the route as it is now; does it exist, and does its listener admit routes of this namespace?"), false
}

// sameParent says whether two references from a namespace mean the same listener.
func sameParent(from string, a, b *gatewayv1.ParentReference) bool {
	namespaceOf := func(r *gatewayv1.ParentReference) string {
		if r.Namespace == nil {
			return from
		}
		return string(*r.Namespace)
	}
	sectionOf := func(r *gatewayv1.ParentReference) string {
		if r.SectionName == nil {
			return ""
		}
		return string(*r.SectionName)
	}
	return a.Name == b.Name && namespaceOf(a) == namespaceOf(b) && sectionOf(a) == sectionOf(b)
}

// judgeIngress is the condition Exposed by what the Ingress controller says.
func judgeIngress(ingress *networkingv1.Ingress) conditions.Condition {
	if len(ingress.Status.LoadBalancer.Ingress) == 0 {
		return conditions.Unknown(v1alpha1.ConditionExposed, v1alpha1.ReasonAwaitingController,
			"No Ingress controller has reported an address; does its class exist?")
	}
	return conditions.True(v1alpha1.ConditionExposed, v1alpha1.ReasonExposed, "The Ingress controller has reported an address")
}
