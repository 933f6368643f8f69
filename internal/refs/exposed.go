package refs

import (
	"context"

	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/conditions"
	"github.com/yingda-dev/yingda/internal/dataplane"
)

// Exposed is the condition of the same name, by what Gateways or the Ingress controller say of a route.
func Exposed(ctx context.Context, reader client.Reader, route dataplane.Route, gatewayAPI bool) (conditions.Condition, error) {
	key := types.NamespacedName{Namespace: route.Workload.Brand.Namespace, Name: route.Name}
	httpRoute, ingress := &gatewayv1.HTTPRoute{}, &networkingv1.Ingress{}
	switch {
	case !route.ByGateway():
		exists, err := Get(ctx, reader, key, ingress)
		if err != nil || !exists {
			return notMade("Ingress"), err
		}
		return judgeIngress(ingress), nil
	case !gatewayAPI:
		return conditions.False(v1alpha1.ConditionExposed, v1alpha1.ReasonGatewayAPIMissing,
			"The cluster had no Gateway API when the operator started: install it and restart the operator, or use ingressClassName"), nil
	default:
		exists, err := Get(ctx, reader, key, httpRoute)
		if err != nil || !exists {
			return notMade("HTTPRoute"), err
		}
		return judgeRoute(httpRoute), nil
	}
}

func notMade(kind string) conditions.Condition {
	return conditions.False(v1alpha1.ConditionExposed, v1alpha1.ReasonAwaitingController, "The "+kind+" is not made yet")
}

// judgeRoute is the condition Exposed by what the Gateways say of the route.
func judgeRoute(route *gatewayv1.HTTPRoute) conditions.Condition {
	for i := range route.Spec.ParentRefs {
		finding, taken := judgeParent(route, string(route.Spec.ParentRefs[i].Name))
		if !taken {
			return finding
		}
	}
	return conditions.True(v1alpha1.ConditionExposed, v1alpha1.ReasonExposed, "Every Gateway has accepted the route")
}

func judgeParent(route *gatewayv1.HTTPRoute, gateway string) (conditions.Condition, bool) {
	for i := range route.Status.Parents {
		parent := &route.Status.Parents[i]
		if string(parent.ParentRef.Name) != gateway {
			continue
		}
		for k := range parent.Conditions {
			c := &parent.Conditions[k]
			if c.Type != string(gatewayv1.RouteConditionAccepted) {
				continue
			}
			if c.Status == metav1.ConditionTrue {
				return conditions.Condition{}, true
			}
			return conditions.False(v1alpha1.ConditionExposed, v1alpha1.ReasonNotAccepted,
				"Gateway "+gateway+" does not accept the route ("+c.Reason+"): "+c.Message), false
		}
	}
	return conditions.Unknown(v1alpha1.ConditionExposed, v1alpha1.ReasonAwaitingController,
		"Gateway "+gateway+" has not said anything of the route; does it exist, and does its listener admit routes of this namespace?"), false
}

// judgeIngress is the condition Exposed by what the Ingress controller says.
func judgeIngress(ingress *networkingv1.Ingress) conditions.Condition {
	if len(ingress.Status.LoadBalancer.Ingress) == 0 {
		return conditions.Unknown(v1alpha1.ConditionExposed, v1alpha1.ReasonAwaitingController,
			"No Ingress controller has reported an address; does its class exist?")
	}
	return conditions.True(v1alpha1.ConditionExposed, v1alpha1.ReasonExposed, "The Ingress controller has reported an address")
}
