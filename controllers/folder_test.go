package controllers_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/yingda-dev/yingda/api/v1alpha1"
)

func TestABrandsFolderBecomesReadyAndThenNothingIsWritten(t *testing.T) {
	w := newWorld(t)
	// In the order in which nothing resolves at first.
	w.create(
		agent("xiaomei", "lumi", map[string]string{"team": "after-sales"}),
		channel("shop", "lumi", func(c *v1alpha1.Channel) {
			c.Spec.PlaybookRef = &v1alpha1.PlaybookReference{Name: "shop"}
			c.Spec.Routing = []v1alpha1.RoutingRule{{
				Name: "refunds", When: v1alpha1.RoutingMatch{Keywords: []string{"退款"}},
				SkillGroupRef: v1alpha1.SkillGroupReference{Name: "after-sales"},
			}}
		}),
		skillGroup("after-sales", "lumi"), skillGroup("lumi-everybody", "lumi"),
		brand("lumi", func(b *v1alpha1.Brand) {
			b.Spec.Defaults.PlaybookRef = &v1alpha1.PlaybookReference{Name: "shop"}
			b.Spec.Defaults.ScheduleRef = &v1alpha1.ShiftScheduleReference{Name: "online"}
		}),
		naming(alwaysOpen("online"), w.namespace), playbook("shop"), serviceLevel("standard"),
		secret("lumi-postgres"), secret("shop-wechat"),
	)
	w.createCalendar(calendar(w.namespace, day("2026-10-01", v1alpha1.CalendarDayOff)))
	w.data.say("shop", accepted())
	w.finishSetup("lumi")
	w.run("lumi-router", "lumi-workflows", "lumi-desk", "lumi-miniprogram")
	all := map[string]client.Object{
		"lumi": &v1alpha1.Brand{}, "shop": &v1alpha1.Channel{}, "after-sales": &v1alpha1.SkillGroup{}, "xiaomei": &v1alpha1.Agent{},
		"online": &v1alpha1.ShiftSchedule{}, "standard": &v1alpha1.ServiceLevel{}, w.namespace: &v1alpha1.HolidayCalendar{},
	}
	for name, obj := range all {
		w.waitFor(obj, name, v1alpha1.ConditionReady, v1alpha1.ReasonReady)
	}
	w.waitFor(&v1alpha1.Playbook{}, "shop", v1alpha1.ConditionReady, v1alpha1.ReasonReady)
	w.settled()

	t.Run("a second look at everything writes nothing", func(t *testing.T) {
		before := w.writes.count()
		// A label that nobody cares for makes every controller look again.
		for name, obj := range all {
			nudge(w, name, obj)
		}
		nudge(w, "shop", &v1alpha1.Playbook{})
		w.settled()
		if diff := cmp.Diff([]string(nil), w.writes.since(before), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("writes (-want +got):\n%s", diff)
		}
	})
	t.Run("a restart writes nothing", func(t *testing.T) {
		w.halt()
		before := w.writes.count()
		w.start()
		w.settled()
		if diff := cmp.Diff([]string(nil), w.writes.since(before), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("writes (-want +got):\n%s", diff)
		}
	})
	t.Run("the status says where to go", func(t *testing.T) {
		shop, lumi, online := &v1alpha1.Channel{}, &v1alpha1.Brand{}, &v1alpha1.ShiftSchedule{}
		if err := errors.Join(w.get("shop", shop), w.get("lumi", lumi), w.get("online", online)); err != nil {
			t.Fatal(err)
		}
		if url := shop.Status.WebhookURL; !strings.HasPrefix(url, "http://127.0.0.1:3") || !strings.HasSuffix(url, "/"+w.namespace+"/shop") {
			t.Errorf("webhookURL is %q", url)
		}
		if !strings.HasPrefix(lumi.Status.DeskURL, "http://127.0.0.1:3") {
			t.Errorf("deskURL is %q", lumi.Status.DeskURL)
		}
		if diff := cmp.Diff(&v1alpha1.ConnectorStatus{Name: "lumi-miniprogram", ReplicasStatus: v1alpha1.ReplicasStatus{WantedReplicas: 1, ReadyReplicas: 1, Reason: "as many as always run"}}, shop.Status.Connector); diff != "" {
			t.Errorf("connector (-want +got):\n%s", diff)
		}
		if online.Status.Open != metav1.ConditionTrue || online.Status.CurrentShift != "all-day" {
			t.Errorf("schedule status is %+v", online.Status)
		}
	})
	t.Run("what somebody else changes is put back", func(*testing.T) {
		change(w, "lumi-router", &appsv1.Deployment{}, func(d *appsv1.Deployment) {
			d.Spec.Template.Spec.Containers[0].Image = "elsewhere:latest"
		})
		w.eventually(func() error {
			d := &appsv1.Deployment{}
			if err := w.get("lumi-router", d); err != nil {
				return err
			}
			if image := d.Spec.Template.Spec.Containers[0].Image; image != "yingda:test" {
				return fmt.Errorf("image is %s", image)
			}
			return nil
		})
	})
}
