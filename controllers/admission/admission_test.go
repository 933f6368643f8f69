package admission

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/dataplane"
)

// Through an API server, with a cache, this is tested in package controllers.

// blind is a cache that has not seen the cluster yet.
type blind struct{ client.Reader }

func (blind) List(context.Context, client.ObjectList, ...client.ListOption) error {
	return errors.New("the cache has not seen the cluster yet")
}

func TestWhatCannotBeLookedUpIsLetInWithAWarning(t *testing.T) {
	of := others{reader: blind{}, settings: dataplane.Settings{AllowedAPIBaseURLs: []string{v1alpha1.DefaultWeChatAPIBaseURL}}}
	channel := &v1alpha1.Channel{Spec: v1alpha1.ChannelSpec{MiniProgram: &v1alpha1.MiniProgramSpec{WeChatAccount: v1alpha1.WeChatAccount{
		AppID: "wx0123456789abcdef", APIBaseURL: v1alpha1.DefaultWeChatAPIBaseURL,
	}}}}
	warnings, err := (&validator[*v1alpha1.Channel]{kind: "Channel", judge: of.channel}).ValidateCreate(t.Context(), channel)
	want := admission.Warnings{"the operator could not look for what another Channel has already: see the condition ReferencesResolved"}
	if diff := cmp.Diff(want, warnings); diff != "" || err != nil {
		t.Errorf("a Channel: %v, warnings (-want +got):\n%s", err, diff)
	}
	warnings, err = (&validator[*v1alpha1.Brand]{kind: "Brand", judge: of.brand}).ValidateCreate(t.Context(), &v1alpha1.Brand{})
	if len(warnings) != 1 || err != nil {
		t.Errorf("a Brand: %v, warnings %q", err, warnings)
	}
	channel.Spec.MiniProgram.APIBaseURL = "https://evil.example"
	if _, err = (&validator[*v1alpha1.Channel]{kind: "Channel", judge: of.channel}).ValidateCreate(t.Context(), channel); err == nil {
		t.Error("what is known to be wrong is let in as well")
	}
}

func TestWhatIsProbablyNotMeantIsLetInWithAWarning(t *testing.T) {
	v := &validator[*v1alpha1.Playbook]{kind: "Playbook", judge: alone(playbook), doubt: shadowed}
	reply := &v1alpha1.BotReply{Text: "开票入口:"}
	p := &v1alpha1.Playbook{Spec: v1alpha1.PlaybookSpec{Rules: []v1alpha1.PlaybookRule{
		{Name: "invoice", Match: v1alpha1.PlaybookMatch{Keywords: []string{"票"}}, Reply: reply},
		{Name: "tickets", Match: v1alpha1.PlaybookMatch{Keywords: []string{"门票"}}, Reply: reply},
	}}}
	warnings, err := v.ValidateCreate(t.Context(), p)
	want := admission.Warnings{"rule tickets never matches: every text with one of its keywords is for rule invoice before it; put it first, or remove it"}
	if diff := cmp.Diff(want, warnings); diff != "" || err != nil {
		t.Errorf("a Playbook: %v, warnings (-want +got):\n%s", err, diff)
	}
}

// A schema of this version lets no such ServiceLevel through; one of another version may.
func TestAServiceLevelThatCannotBeKept(t *testing.T) {
	v := &validator[*v1alpha1.ServiceLevel]{kind: "ServiceLevel", judge: alone(serviceLevel)}
	level := &v1alpha1.ServiceLevel{ObjectMeta: metav1.ObjectMeta{Name: "standard", Generation: 2}}
	level.Spec.OffHours.AnswerWithin = "soon"
	_, err := v.ValidateCreate(t.Context(), level)
	want := `ServiceLevel.yingda.dev "standard" is invalid: spec.offHours.answerWithin: Invalid value: "soon": write whole hours, minutes and seconds, for example 1h30m`
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	before := level.DeepCopy()
	if _, err := v.ValidateUpdate(t.Context(), before, level); err != nil {
		t.Errorf("nothing of its spec changes, but: %v", err)
	}
	before.Generation = 1
	if _, err := v.ValidateUpdate(t.Context(), before, level); err == nil {
		t.Error("its spec changes and is let in")
	}
	level.DeletionTimestamp = &metav1.Time{}
	if _, err := v.ValidateUpdate(t.Context(), before, level); err != nil {
		t.Errorf("it goes, but: %v", err)
	}
}
