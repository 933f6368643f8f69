package controllers_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/dataplane"
)

// workedBy is an object, and who works by its kind.
type workedBy struct {
	name   string
	object client.Object
	by     []string
}

// worked are an object of each kind that more than routers and desks work by, in the Brand of speakingBrand.
func worked() map[string]workedBy {
	all := []string{dataplane.Router, dataplane.Desk, dataplane.Workflows, dataplane.Connector}
	return map[string]workedBy{
		"Playbook":      {"shop", &v1alpha1.Playbook{}, all},
		"ServiceLevel":  {"standard", &v1alpha1.ServiceLevel{}, all[:3]},
		"SkillGroup":    {"lumi-everybody", &v1alpha1.SkillGroup{}, all},
		"ShiftSchedule": {"online", &v1alpha1.ShiftSchedule{}, all},
	}
}

// edited is an object with a new generation by which everybody goes.
func edited(object client.Object) {
	switch o := object.(type) {
	case *v1alpha1.Playbook:
		o.Spec.Texts.Welcome += "!"
	case *v1alpha1.ServiceLevel:
		o.Spec.Complaint.FollowUpWithinDays++
	case *v1alpha1.SkillGroup:
		o.Spec.DisplayName += "组"
	case *v1alpha1.ShiftSchedule:
		o.Spec.Shifts[0].Name += "-on"
	}
}

// speakingBrand serves a Brand with an official account, whose connectors answer by the Playbook.
func (w *world) speakingBrand() {
	w.t.Helper()
	w.servedBrand("lumi")
	w.create(playbook("shop"), serviceLevel("standard"), alwaysOpen("online"))
	change(w, "lumi", &v1alpha1.Brand{}, func(b *v1alpha1.Brand) { b.Spec.Defaults.PlaybookRef = &v1alpha1.PlaybookReference{Name: "shop"} })
	w.data.say("service", accepted())
	w.create(secret("service-wechat"), officialAccountNamed("service"))
	w.run("lumi-officialaccount")
	w.waitFor(&v1alpha1.Channel{}, "service", v1alpha1.ConditionReady, v1alpha1.ReasonReady)
	for _, one := range worked() {
		w.waitFor(one.object, one.name, v1alpha1.ConditionReady, v1alpha1.ReasonReady)
	}
}

func TestAnEditIsAcknowledgedByEverybodyWhoWorksByItsKind(t *testing.T) {
	t.Parallel()
	for kind, one := range worked() {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.speakingBrand()
			for _, component := range one.by {
				w.editedWithout(component, kind, one)
			}
			w.settled()
			before := w.writes.count()
			nudge(w, one.name, one.object)
			w.settled()
			if diff := cmp.Diff([]string(nil), w.writes.since(before), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("writes of a second look (-want +got):\n%s", diff)
			}
		})
	}
}

// editedWithout edits an object, which is not acknowledged before the replicas of a component serve the edit.
func (w *world) editedWithout(component, kind string, one workedBy) {
	w.t.Helper()
	if err := w.get(one.name, one.object); err != nil {
		w.t.Fatal(err)
	}
	w.data.lag(component, kind, one.name, one.object.GetGeneration())
	change(w, one.name, one.object, edited)
	late := w.waitFor(one.object, one.name, v1alpha1.ConditionAcknowledged, v1alpha1.ReasonAwaitingReload)
	of := " of Brand lumi"
	if kind == "SkillGroup" { // It belongs to one.
		of = ""
	}
	if want := "A replica of the " + component + of + " does not serve this generation yet"; late.Message != want {
		w.t.Errorf("message is %q, want %q", late.Message, want)
	}
	w.data.catchUp()
	w.waitFor(one.object, one.name, v1alpha1.ConditionReady, v1alpha1.ReasonReady)
}

func TestNobodyWaitsForWhoDoesNotWorkByAKindOrIsNotThere(t *testing.T) {
	t.Parallel()
	for sentence, without := range map[string]func(w *world){
		"workflows that are scaled to nothing": func(w *world) {
			pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "lumi-workflows-0"}}
			if err := w.client.Delete(w.t.Context(), pod, client.GracePeriodSeconds(0)); err != nil {
				w.t.Fatal(err)
			}
		},
		"workflows that are not ready":   func(w *world) { w.setReady("lumi-workflows-0", corev1.ConditionFalse) },
		"connectors of a version before": func(w *world) { w.data.silence() },
		"connectors of mini-programs": func(w *world) {
			w.servedChannel("mini", "lumi")
			w.remove(&v1alpha1.Channel{}, "service")
			w.gone(&v1alpha1.Channel{}, "service")
		},
	} {
		t.Run(sentence, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.speakingBrand()
			without(w)
			for _, one := range worked() {
				change(w, one.name, one.object, edited)
				w.waitFor(one.object, one.name, v1alpha1.ConditionReady, v1alpha1.ReasonReady)
			}
		})
	}
}
