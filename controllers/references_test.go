package controllers_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/yingda-dev/yingda/api/v1alpha1"
)

func TestReferencesHealAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.servedBrand("lumi")
	w.data.say("shop", accepted())
	w.create(channel("shop", "lumi", func(c *v1alpha1.Channel) {
		c.Spec.PlaybookRef = &v1alpha1.PlaybookReference{Name: "shop"}
		c.Spec.ServiceLevelRef = &v1alpha1.ServiceLevelReference{Name: "standard"}
		c.Spec.MiniProgram.APIBaseURL = "http://10.97.0.1:8090"
	}))
	w.run("lumi-miniprogram")
	shop := &v1alpha1.Channel{}
	missing := w.waitFor(shop, "shop", v1alpha1.ConditionReferencesResolved, v1alpha1.ReasonNotFound)
	for _, want := range []string{"Secret shop-wechat", "Playbook shop", "ServiceLevel standard"} {
		if !strings.Contains(missing.Message, want) {
			t.Errorf("message %q does not name %s", missing.Message, want)
		}
	}
	credentials := unlabelledSecret("shop-wechat")
	w.create(playbook("shop"), serviceLevel("standard"), credentials)
	w.waitFor(shop, "shop", v1alpha1.ConditionReferencesResolved, v1alpha1.ReasonNotLabelled)
	role := &rbacv1.Role{}
	if err := w.get("lumi-miniprogram", role); err != nil {
		t.Fatal(err)
	}
	if len(secretRules(role)) != 0 {
		t.Errorf("the pool may read a Secret without the label: %+v", role.Rules)
	}
	change(w, "shop-wechat", credentials, func(s *corev1.Secret) { s.Labels = map[string]string{v1alpha1.CredentialsLabel: "true"} })
	w.waitFor(shop, "shop", v1alpha1.ConditionReady, v1alpha1.ReasonReady)
	w.eventually(func() error {
		if err := w.get("lumi-miniprogram", role); err != nil {
			return err
		}
		if diff := cmp.Diff([]string{"shop-wechat"}, secretRules(role)); diff != "" {
			return fmt.Errorf("Secrets that the pool may read (-want +got):\n%s", diff)
		}
		return nil
	})
}

func secretRules(role *rbacv1.Role) []string {
	var names []string
	for _, rule := range role.Rules {
		for _, kind := range rule.Resources {
			if kind == "secrets" {
				names = append(names, rule.ResourceNames...)
			}
		}
	}
	return names
}

func TestWhatABrandKeepsFromStartingNamesTheBrandAndHealsWithIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.data.say("shop", accepted())
	w.create(secret("shop-wechat"), skillGroup("lumi-everybody", "lumi"), agent("xiaomei", "lumi", nil), channel("shop", "lumi"), brand("lumi"))
	kept := map[string]client.Object{"shop": &v1alpha1.Channel{}, "lumi-everybody": &v1alpha1.SkillGroup{}, "xiaomei": &v1alpha1.Agent{}}
	for name, obj := range kept {
		found := w.waitFor(obj, name, v1alpha1.ConditionReady, v1alpha1.ReasonBrandNotReady)
		if want := "Brand lumi is not ready (NotFound)"; !strings.Contains(found.Message, want) {
			t.Errorf("%s says %q, want %q", name, found.Message, want)
		}
	}
	w.create(secret("lumi-postgres"))
	w.finishSetup("lumi")
	w.run("lumi-router", "lumi-workflows", "lumi-desk", "lumi-miniprogram")
	for name, obj := range kept {
		w.waitFor(obj, name, v1alpha1.ConditionReady, v1alpha1.ReasonReady)
	}
}

func TestKindsWithoutABrandSayThatTheyWaitForOne(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.create(playbook("shop"), serviceLevel("standard"), alwaysOpen("online"))
	w.waitFor(&v1alpha1.Playbook{}, "shop", v1alpha1.ConditionAcknowledged, v1alpha1.ReasonAwaitingReferences)
	w.waitFor(&v1alpha1.ServiceLevel{}, "standard", v1alpha1.ConditionAcknowledged, v1alpha1.ReasonAwaitingReferences)
	w.waitFor(&v1alpha1.ShiftSchedule{}, "online", v1alpha1.ConditionAcknowledged, v1alpha1.ReasonAwaitingReferences)
	w.servedBrand("lumi")
	w.waitFor(&v1alpha1.Playbook{}, "shop", v1alpha1.ConditionReady, v1alpha1.ReasonReady)
	w.waitFor(&v1alpha1.ServiceLevel{}, "standard", v1alpha1.ConditionReady, v1alpha1.ReasonReady)
	w.waitFor(&v1alpha1.ShiftSchedule{}, "online", v1alpha1.ConditionReady, v1alpha1.ReasonReady)
}
