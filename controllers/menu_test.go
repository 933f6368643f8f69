package controllers_test

import (
	"fmt"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/conditions"
)

// answeringTaps gives a Playbook a rule for a key of a menu.
func answeringTaps(p *v1alpha1.Playbook, key string) {
	p.Spec.Rules = []v1alpha1.PlaybookRule{{
		Name: "tap", Match: v1alpha1.PlaybookMatch{MenuKeys: []string{key}}, Reply: &v1alpha1.BotReply{Text: "开票入口:"},
	}}
}

func TestAKeyOfTheMenuThatNoRuleKnowsIsSaid(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.servedBrand("lumi")
	lumi, service, shop := &v1alpha1.Brand{}, &v1alpha1.Channel{}, playbook("shop")
	answeringTaps(shop, "OTHER")
	w.create(shop)
	change(w, "lumi", lumi, func(b *v1alpha1.Brand) { b.Spec.Defaults.PlaybookRef = &v1alpha1.PlaybookReference{Name: "shop"} })
	w.data.say("service", accepted())
	declared := officialAccount(func(s *v1alpha1.OfficialAccountSpec) {
		s.Menu = &v1alpha1.Menu{Buttons: []v1alpha1.MenuButton{{Name: "发票", MenuAction: tapped("INVOICE")}}}
	})
	declared.Name = "service"
	w.create(secret("service-wechat"), declared)
	w.waitFor(service, "service", v1alpha1.ConditionMenuAnswered, v1alpha1.ReasonUnknownKeys)

	// The Playbook is served by the connectors of official accounts, too: it waits for the first.
	w.waitFor(shop, "shop", v1alpha1.ConditionAcknowledged, v1alpha1.ReasonAwaitingReplicas)
	w.run("lumi-officialaccount")
	w.waitFor(shop, "shop", v1alpha1.ConditionAcknowledged, v1alpha1.ReasonAcknowledged)
	w.waitFor(service, "service", v1alpha1.ConditionReady, v1alpha1.ReasonReady)

	waits := func(want string) {
		t.Helper()
		w.eventually(func() error {
			if err := w.get("service", service); err != nil {
				return err
			}
			ready, _ := conditions.Find(service.Status.Conditions, v1alpha1.ConditionReady)
			if ready.Status != metav1.ConditionTrue || strings.Contains(service.Status.WaitsFor, "MenuAnswered") != (want != "") || !strings.Contains(ready.Message, want) {
				return fmt.Errorf("it waits for %q, Ready is %+v; want %q", service.Status.WaitsFor, ready, want)
			}
			return nil
		})
	}
	waits("MenuAnswered (UnknownKeys)")
	change(w, "shop", shop, func(p *v1alpha1.Playbook) { answeringTaps(p, "INVOICE") })
	w.waitFor(service, "service", v1alpha1.ConditionMenuAnswered, v1alpha1.ReasonAnswered)
	waits("")
	w.eventually(func() error {
		if events := w.events(v1alpha1.ReasonAnswered); len(events) != 1 {
			return fmt.Errorf("events that it is answered: %q", events)
		}
		return nil
	})
	if events := w.events(v1alpha1.ReasonUnknownKeys); len(events) != 1 {
		t.Errorf("events that a key is not known: %q", events)
	}
}
