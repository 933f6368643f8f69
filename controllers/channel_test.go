package controllers_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/configz"
)

func TestAChannelIsReadyOnlyOnceEveryReplicaServesItsGeneration(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.servedBrand("lumi")
	w.servedChannel("shop", "lumi")
	shop := &v1alpha1.Channel{}

	w.data.hold("Channel", "shop", 1)
	change(w, "shop", shop, func(c *v1alpha1.Channel) { c.Spec.DisplayName = "露米商城" })
	w.waitFor(shop, "shop", v1alpha1.ConditionReady, v1alpha1.ReasonAwaitingReload)
	w.data.release("Channel", "shop")
	w.waitFor(shop, "shop", v1alpha1.ConditionReady, v1alpha1.ReasonReady)

	w.data.say("shop", configz.Channel{Credentials: configz.CredentialsRejected, Message: "40001 invalid credential", WebhookCalled: true})
	nudge(w, "shop", shop)
	rejected := w.waitFor(shop, "shop", v1alpha1.ConditionCredentialsValid, v1alpha1.ReasonRejected)
	if want := "The platform refused the credentials: 40001 invalid credential"; rejected.Message != want {
		t.Errorf("message is %q, want %q", rejected.Message, want)
	}
	w.waitFor(shop, "shop", v1alpha1.ConditionReady, v1alpha1.ReasonRejected)
	w.waitFor(shop, "shop", v1alpha1.ConditionWebhookVerified, v1alpha1.ReasonVerified)
	// A restarted replica has forgotten who called.
	w.data.say("shop", accepted())
	nudge2(w, shop)
	w.waitFor(shop, "shop", v1alpha1.ConditionReady, v1alpha1.ReasonReady)
	w.waitFor(shop, "shop", v1alpha1.ConditionWebhookVerified, v1alpha1.ReasonVerified)
}

func TestAnEditThatReplicasLoadInAMomentIsOneStatus(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.servedBrand("lumi")
	w.servedChannel("shop", "lumi")
	w.settled()
	shop := &v1alpha1.Channel{}

	w.data.hold("Channel", "shop", 1)
	writes, asked := w.writes.count(), w.data.asks()
	change(w, "shop", shop, func(c *v1alpha1.Channel) { c.Spec.DisplayName = "露米商城" })
	w.eventually(func() error {
		if w.data.asks() == asked {
			return errors.New("nobody was asked for the edit")
		}
		return nil
	})
	w.data.release("Channel", "shop")
	w.eventually(func() error {
		if err := w.client.Get(t.Context(), client.ObjectKeyFromObject(shop), shop); err != nil {
			return err
		}
		if shop.Status.ObservedGeneration != shop.Generation {
			return fmt.Errorf("the status is of generation %d, want %d", shop.Status.ObservedGeneration, shop.Generation)
		}
		return nil
	})
	w.settled()
	want := []string{"PATCH /apis/yingda.dev/v1alpha1/namespaces/" + w.namespace + "/channels/shop/status"}
	if diff := cmp.Diff(want, w.writes.since(writes)); diff != "" {
		t.Errorf("writes (-want +got):\n%s", diff)
	}
}

// nudge2 makes the controller of a Channel look again.
func nudge2(w *world, shop *v1alpha1.Channel) {
	w.t.Helper()
	change(w, shop.Name, shop, func(c *v1alpha1.Channel) { c.Labels = map[string]string{"nudged": "again"} })
}

func TestAnAddressThatIsNotAllowedIsACondition(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.create(channel("shop", "lumi", func(c *v1alpha1.Channel) { c.Spec.MiniProgram.APIBaseURL = "https://evil.example" }),
		secret("shop-wechat"), brand("lumi"))
	w.waitFor(&v1alpha1.Channel{}, "shop", v1alpha1.ConditionReferencesResolved, v1alpha1.ReasonAddressNotAllowed)
}
