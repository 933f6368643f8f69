package controllers_test

import (
	"fmt"
	"testing"

	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/yingda-dev/yingda/api/v1alpha1"
)

func throughGateway(host string) *v1alpha1.ExposureSpec {
	return &v1alpha1.ExposureSpec{Host: host, ParentRefs: []v1alpha1.GatewayReference{{Name: "public", Namespace: "infra"}}}
}

func TestAnExposedChannelHasARouteAndSaysWhatTheGatewaySaysOfIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.servedBrand("lumi")
	w.data.say("shop", accepted())
	w.create(secret("shop-wechat"), channel("shop", "lumi", func(c *v1alpha1.Channel) { c.Spec.Exposure = throughGateway("hooks.lumi.example") }))
	w.run("lumi-miniprogram")
	shop, route := &v1alpha1.Channel{}, &gatewayv1.HTTPRoute{}
	w.waitFor(shop, "shop", v1alpha1.ConditionExposed, v1alpha1.ReasonAwaitingController)
	w.waitFor(shop, "shop", v1alpha1.ConditionReady, v1alpha1.ReasonReady)
	if want := "https://hooks.lumi.example/" + w.namespace + "/shop"; shop.Status.WebhookURL != want {
		t.Errorf("webhookURL is %s, want %s", shop.Status.WebhookURL, want)
	}
	say := func(status metav1.ConditionStatus, reason string) {
		t.Helper()
		w.eventually(func() error { return w.get("shop-webhook", route) })
		route.Status.Parents = []gatewayv1.RouteParentStatus{{
			ParentRef: route.Spec.ParentRefs[0], ControllerName: "example.com/gateway",
			Conditions: []metav1.Condition{{
				Type: string(gatewayv1.RouteConditionAccepted), Status: status, Reason: reason, LastTransitionTime: metav1.Now(), ObservedGeneration: route.Generation,
			}},
		}}
		if err := w.client.Status().Update(t.Context(), route); err != nil {
			t.Fatal(err)
		}
	}
	say(metav1.ConditionFalse, "NotAllowedByListeners")
	w.waitFor(shop, "shop", v1alpha1.ConditionExposed, v1alpha1.ReasonNotAccepted)
	say(metav1.ConditionTrue, "Accepted")
	w.waitFor(shop, "shop", v1alpha1.ConditionExposed, v1alpha1.ReasonExposed)

	w.settled()
	before := w.writes.count()
	nudge(w, "shop", shop)
	w.settled()
	if writes := w.writes.since(before); len(writes) > 0 {
		t.Errorf("a second look writes %q", writes)
	}

	change(w, "shop", shop, func(c *v1alpha1.Channel) { c.Spec.Exposure = nil })
	w.gone(route, "shop-webhook")
}

func TestAnExposureByIngress(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.servedBrand("lumi")
	lumi, ingress := &v1alpha1.Brand{}, &networkingv1.Ingress{}
	change(w, "lumi", lumi, func(b *v1alpha1.Brand) {
		b.Spec.Desk.Exposure = &v1alpha1.ExposureSpec{Host: "desk.lumi.example", IngressClassName: "nginx", TLSSecretName: "desk-tls"}
	})
	w.waitFor(lumi, "lumi", v1alpha1.ConditionExposed, v1alpha1.ReasonAwaitingController)
	w.eventually(func() error { return w.get("lumi-desk", ingress) })
	ingress.Status.LoadBalancer.Ingress = []networkingv1.IngressLoadBalancerIngress{{IP: "192.0.2.1"}}
	if err := w.client.Status().Update(t.Context(), ingress); err != nil {
		t.Fatal(err)
	}
	w.waitFor(lumi, "lumi", v1alpha1.ConditionExposed, v1alpha1.ReasonExposed)
	w.waitFor(lumi, "lumi", v1alpha1.ConditionReady, v1alpha1.ReasonReady)
	if lumi.Status.DeskURL != "https://desk.lumi.example" {
		t.Errorf("deskURL is %s", lumi.Status.DeskURL)
	}
}

func TestARouteThatTheClusterRefusesKeepsNothingElseFromRunning(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	refused := &v1alpha1.ExposureSpec{Host: "hooks.lumi.example", IngressClassName: "nginx", TLSSecretName: "two..dots"}
	w.create(secret("lumi-postgres"), skillGroup("lumi-everybody", "lumi"), brand("lumi", func(b *v1alpha1.Brand) { b.Spec.Desk.Exposure = refused }))
	w.finishSetup("lumi")
	w.run("lumi-router", "lumi-workflows", "lumi-desk")
	w.waitFor(&v1alpha1.Brand{}, "lumi", v1alpha1.ConditionReady, v1alpha1.ReasonReady)
	w.data.say("shop", accepted())
	w.create(secret("shop-wechat"), channel("shop", "lumi", func(c *v1alpha1.Channel) { c.Spec.Exposure = refused }))
	w.run("lumi-miniprogram")
	w.waitFor(&v1alpha1.Channel{}, "shop", v1alpha1.ConditionReady, v1alpha1.ReasonReady)
	w.eventually(func() error {
		if notes := w.events(v1alpha1.ReasonNotAccepted); len(notes) < 2 {
			return fmt.Errorf("events are %q, want one for the desk and one for the webhook", notes)
		}
		return nil
	})
}

func TestWithoutTheGatewayAPIAConditionSaysWhatToDo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.halt()
	w.settings.GatewayAPI = false
	w.start()
	w.create(secret("lumi-postgres"), brand("lumi"), secret("shop-wechat"),
		channel("shop", "lumi", func(c *v1alpha1.Channel) { c.Spec.Exposure = throughGateway("hooks.lumi.example") }))
	w.waitFor(&v1alpha1.Channel{}, "shop", v1alpha1.ConditionExposed, v1alpha1.ReasonGatewayAPIMissing)
}
