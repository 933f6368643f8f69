package controllers_test

import (
	"fmt"
	"testing"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/conditions"
)

func TestOfTwoChannelsWithOneAccountTheLaterIsBlamed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	appID := uniqueAppID()
	same := func(c *v1alpha1.Channel) { c.Spec.MiniProgram.AppID = appID }
	w.create(secret("lumi-postgres"), brand("lumi"), secret("first-wechat"), secret("second-wechat"))
	w.create(channel("first", "lumi", same), channel("second", "lumi", same))
	w.waitFor(&v1alpha1.Channel{}, "second", v1alpha1.ConditionReferencesResolved, v1alpha1.ReasonDuplicateAccount)
	w.waitFor(&v1alpha1.Channel{}, "first", v1alpha1.ConditionReferencesResolved, v1alpha1.ReasonResolved)
	w.remove(&v1alpha1.Channel{}, "first")
	w.waitFor(&v1alpha1.Channel{}, "second", v1alpha1.ConditionReferencesResolved, v1alpha1.ReasonResolved)
}

func TestAnAccountIsFreeOnceEveryReplicaConfirmsThatItsChannelIsDeleted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.servedBrand("lumi")
	w.servedChannel("first", "lumi")
	first, second := &v1alpha1.Channel{}, &v1alpha1.Channel{}
	if err := w.get("first", first); err != nil {
		t.Fatal(err)
	}
	w.create(secret("second-wechat"), channel("second", "lumi", func(c *v1alpha1.Channel) {
		c.Spec.MiniProgram.AppID = first.Spec.MiniProgram.AppID
	}))
	w.waitFor(second, "second", v1alpha1.ConditionReferencesResolved, v1alpha1.ReasonDuplicateAccount)
	// It is on its way out, but a replica still answers for it.
	w.data.owe(1)
	w.data.hold("Channel", "first", first.Generation)
	w.remove(first, "first")
	w.waitFor(first, "first", v1alpha1.ConditionReady, v1alpha1.ReasonDraining)
	nudge(w, "second", second)
	w.eventually(func() error {
		if err := w.get("second", second); err != nil {
			return err
		}
		blamed, _ := conditions.Find(second.Status.Conditions, v1alpha1.ConditionReferencesResolved)
		if want := "Channel first has this appID until every replica has confirmed that it is being deleted"; blamed.Message != want {
			return fmt.Errorf("message is %q, want %q", blamed.Message, want)
		}
		return nil
	})
	// It takes nothing more, and goes once it has drained.
	w.data.release("Channel", "first")
	w.waitFor(second, "second", v1alpha1.ConditionReferencesResolved, v1alpha1.ReasonResolved)
	if err := w.get("first", first); err != nil {
		t.Errorf("the Channel of before is gone, though a message is on its way: %v", err)
	}
	w.data.owe(0)
	w.gone(first, "first")
}
