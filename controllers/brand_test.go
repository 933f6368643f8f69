package controllers_test

import (
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/yingda-dev/yingda/api/v1alpha1"
)

func TestCustomersWhomNoRuleClaimsNeedAGroup(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.servedBrand("lumi")
	w.servedChannel("shop", "lumi")
	lumi, shop := &v1alpha1.Brand{}, &v1alpha1.Channel{}

	w.create(skillGroup("theirs", "moon"))
	change(w, "lumi", lumi, func(b *v1alpha1.Brand) { b.Spec.Defaults.SkillGroupRef.Name = "theirs" })
	foreign := w.waitFor(lumi, "lumi", v1alpha1.ConditionReady, v1alpha1.ReasonNotFound)
	if want := "ReferencesResolved: SkillGroup theirs belongs to Brand moon, not to Brand lumi"; foreign.Message != want {
		t.Errorf("message is %q, want %q", foreign.Message, want)
	}
	change(w, "lumi", lumi, func(b *v1alpha1.Brand) { b.Spec.Defaults.SkillGroupRef = nil })
	missing := w.waitFor(shop, "shop", v1alpha1.ConditionReferencesResolved, v1alpha1.ReasonNotFound)
	if want := "set spec.defaults.skillGroupRef of Brand lumi"; !strings.Contains(missing.Message, want) {
		t.Errorf("message is %q, want %q", missing.Message, want)
	}
	change(w, "lumi", lumi, func(b *v1alpha1.Brand) {
		b.Spec.Defaults.SkillGroupRef = &v1alpha1.SkillGroupReference{Name: "lumi-everybody"}
	})
	w.waitFor(lumi, "lumi", v1alpha1.ConditionReady, v1alpha1.ReasonReady)
	w.waitFor(shop, "shop", v1alpha1.ConditionReady, v1alpha1.ReasonReady)
}

func TestABrandStaysWhileChannelsReferToIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.servedBrand("lumi")
	w.servedChannel("shop", "lumi")
	lumi := &v1alpha1.Brand{}
	w.remove(lumi, "lumi")
	blocked := w.waitFor(lumi, "lumi", v1alpha1.ConditionReady, v1alpha1.ReasonDeletionBlocked)
	if !strings.Contains(blocked.Message, "shop") {
		t.Errorf("message %q does not name the Channel", blocked.Message)
	}
	w.remove(&v1alpha1.Channel{}, "shop")
	w.gone(lumi, "lumi")
}

func TestReadyIsAnnouncedOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.servedBrand("lumi")
	w.settled()
	w.eventually(func() error {
		events, err := listed(t.Context(), w.client, &corev1.EventList{}, w.namespace)
		if err != nil {
			return err
		}
		ready := 0
		for _, e := range events {
			if event, ok := e.(*corev1.Event); ok && event.InvolvedObject.Name == "lumi" && event.Reason == v1alpha1.ReasonReady {
				ready++
			}
		}
		if ready != 1 {
			return fmt.Errorf("%d events say that the Brand is ready, want 1", ready)
		}
		return nil
	})
}

func TestAProviderThatMayNotBeCalledIsSaidAndHoldsNothingUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.servedBrand("lumi")
	lumi := &v1alpha1.Brand{}
	refused := providedAt("https://evil.example:8443/call")
	change(w, "lumi", lumi, func(b *v1alpha1.Brand) { refused(b) })
	found := w.waitFor(lumi, "lumi", v1alpha1.ConditionReferencesResolved, v1alpha1.ReasonAddressNotAllowed)
	if !strings.Contains(found.Message, "provider.url is of evil.example:8443") || !strings.Contains(found.Message, "allowedWebhookHosts") {
		t.Errorf("message %q does not say what to do", found.Message)
	}
	change(w, "lumi", lumi, func(b *v1alpha1.Brand) { b.Spec.Provider.URL = "https://pager.example/call" })
	w.waitFor(lumi, "lumi", v1alpha1.ConditionReferencesResolved, v1alpha1.ReasonNotFound)
	w.waitFor(lumi, "lumi", v1alpha1.ConditionProvisioned, v1alpha1.ReasonProvisioned)
	w.create(secret("lumi-erp"))
	w.waitFor(lumi, "lumi", v1alpha1.ConditionReferencesResolved, v1alpha1.ReasonResolved)
}

func TestAWebhookThatMayNotBeCalledIsSaidAndHoldsNothingUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.servedBrand("lumi")
	lumi := &v1alpha1.Brand{}
	refused := pagedAt("https://evil.example:8443/call", "lumi-pager")
	change(w, "lumi", lumi, func(b *v1alpha1.Brand) { refused(b) })
	found := w.waitFor(lumi, "lumi", v1alpha1.ConditionReferencesResolved, v1alpha1.ReasonAddressNotAllowed)
	if !strings.Contains(found.Message, "allowedWebhookHosts") || !strings.Contains(found.Message, "evil.example:8443") {
		t.Errorf("message %q does not say what to do", found.Message)
	}
	change(w, "lumi", lumi, func(b *v1alpha1.Brand) { b.Spec.OnCall.Webhook.URL = "https://pager.example/call" })
	w.waitFor(lumi, "lumi", v1alpha1.ConditionReferencesResolved, v1alpha1.ReasonNotFound)
	w.waitFor(lumi, "lumi", v1alpha1.ConditionProvisioned, v1alpha1.ReasonProvisioned)
	w.create(secret("lumi-pager"))
	w.waitFor(lumi, "lumi", v1alpha1.ConditionReferencesResolved, v1alpha1.ReasonResolved)
	trusted := trusting("pager-ca")
	change(w, "lumi", lumi, func(b *v1alpha1.Brand) { trusted(b) })
	w.waitFor(lumi, "lumi", v1alpha1.ConditionReferencesResolved, v1alpha1.ReasonNotFound)
	w.create(secret("pager-ca"))
	w.waitFor(lumi, "lumi", v1alpha1.ConditionReferencesResolved, v1alpha1.ReasonResolved)
}
