package controllers_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/yingda-dev/yingda/api/v1alpha1"
)

func TestAPoolGoesWithItsLastChannel(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.servedBrand("lumi")
	w.servedChannel("shop", "lumi")
	w.data.say("outlet", accepted())
	w.create(secret("outlet-wechat"), channel("outlet", "lumi", func(c *v1alpha1.Channel) { c.Spec.Scaling.MinReplicas = 3 }))
	w.waitFor(&v1alpha1.Channel{}, "outlet", v1alpha1.ConditionReady, v1alpha1.ReasonReady)
	pool := &appsv1.Deployment{}
	w.eventually(func() error {
		if err := w.get("lumi-miniprogram", pool); err != nil {
			return err
		}
		if *pool.Spec.Replicas != 3 {
			return fmt.Errorf("the pool has %d replicas, want the 3 that its second Channel asks for", *pool.Spec.Replicas)
		}
		return nil
	})
	template := pool.Spec.Template
	w.remove(&v1alpha1.Channel{}, "outlet")
	w.eventually(func() error {
		if err := w.get("lumi-miniprogram", pool); err != nil {
			return err
		}
		if *pool.Spec.Replicas != 1 {
			return fmt.Errorf("the pool still has %d replicas", *pool.Spec.Replicas)
		}
		return nil
	})
	if diff := cmp.Diff(template, pool.Spec.Template); diff != "" {
		t.Errorf("a Channel came and went, and the pods are rolled (-before +after):\n%s", diff)
	}
	w.remove(&v1alpha1.Channel{}, "shop")
	w.gone(&appsv1.Deployment{}, "lumi-miniprogram")
	w.gone(&corev1.Service{}, "lumi-miniprogram")
	w.gone(&rbacv1.Role{}, "lumi-miniprogram")
	w.gone(&corev1.ServiceAccount{}, "lumi-miniprogram")
	if err := w.get("lumi-router", &appsv1.Deployment{}); err != nil {
		t.Errorf("the Brand's own router went with the pool: %v", err)
	}
}

func TestAPoolThatTheClusterRefusesIsToldByItsChannelsAndTriedNowAndThen(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.servedBrand("lumi")
	allow := w.forbid(corev1.ResourceServices, &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: "probe"}, Spec: corev1.ServiceSpec{Ports: []corev1.ServicePort{{Port: 80}}},
	})
	w.data.say("shop", accepted())
	before, shop := w.writes.count(), &v1alpha1.Channel{}
	w.create(secret("shop-wechat"), channel("shop", "lumi"))
	refused := w.waitFor(shop, "shop", v1alpha1.ConditionReferencesResolved, v1alpha1.ReasonNotAccepted)
	if want := "the API server refuses Service lumi-miniprogram (Forbidden)"; refused.Message != want {
		t.Errorf("message is %q, want %q", refused.Message, want)
	}
	w.waitFor(shop, "shop", v1alpha1.ConditionReady, v1alpha1.ReasonNotAccepted)
	w.eventually(func() error {
		if notes := w.events(v1alpha1.ReasonNotAccepted); !slices.ContainsFunc(notes, func(note string) bool { return strings.Contains(note, "exceeded quota") }) {
			return fmt.Errorf("events are %q, want one with the API server's words", notes)
		}
		return nil
	})
	w.settled()
	// It may be tried for more than one change; what fails is tried nine times in a few seconds.
	if times := w.tried(before, "/services/lumi-miniprogram"); times > 4 {
		t.Errorf("the Service was tried %d times", times)
	}
	allow()
	change(w, "shop", shop, func(c *v1alpha1.Channel) { c.Spec.DisplayName = "Shop" })
	w.waitFor(shop, "shop", v1alpha1.ConditionReferencesResolved, v1alpha1.ReasonResolved)
	w.run("lumi-miniprogram")
	w.waitFor(shop, "shop", v1alpha1.ConditionReady, v1alpha1.ReasonReady)
}

func TestWhatBecomesOfAPoolWakesItsChannelsAndNotItsBrand(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.servedBrand("lumi")
	w.servedChannel("shop", "lumi")
	w.settled()
	before := w.data.lookedAtBrands()
	const changes = 4
	for i := range changes {
		change(w, "lumi-miniprogram", &corev1.Service{}, func(s *corev1.Service) {
			s.Annotations = map[string]string{"changed": strconv.Itoa(i)}
		})
		w.settled()
	}
	if looks := w.data.lookedAtBrands() - before; looks >= changes {
		t.Errorf("the Brand was looked at %d times for %d changes of its pool", looks, changes)
	}
}
