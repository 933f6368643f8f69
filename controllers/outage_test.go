package controllers_test

import (
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/configz"
)

func TestAnOutageOfKafkaIsShownBesideReady(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.data.reach(configz.Kafka, true)
	w.servedBrand("lumi")
	lumi := &v1alpha1.Brand{}
	w.waitFor(lumi, "lumi", v1alpha1.ConditionDependenciesReachable, v1alpha1.ReasonReached)
	w.settled()
	before := w.writes.count()

	w.data.reach(configz.Kafka, false)
	w.look("lumi")
	away := w.waitFor(lumi, "lumi", v1alpha1.ConditionDependenciesReachable, v1alpha1.ReasonKafkaAway)
	if want := "Kafka is out of reach of a replica of the desk and the router and the workflows: "; !strings.HasPrefix(away.Message, want) {
		t.Errorf("message is %q, want %q and what follows", away.Message, want)
	}
	w.waitFor(lumi, "lumi", v1alpha1.ConditionReady, v1alpha1.ReasonReady)
	w.look("lumi")
	w.settled()
	if writes := w.writes.since(before); len(writes) != 1 {
		t.Errorf("an outage that lasts took %d writes, want 1: %q", len(writes), writes)
	}

	w.data.reach(configz.Kafka, true)
	w.look("lumi")
	w.waitFor(lumi, "lumi", v1alpha1.ConditionDependenciesReachable, v1alpha1.ReasonReached)
	for _, reason := range []string{v1alpha1.ReasonKafkaAway, v1alpha1.ReasonReached} {
		w.eventually(func() error {
			if notes := w.events(reason); len(notes) != 1 {
				return fmt.Errorf("events %s are %q, want one", reason, notes)
			}
			return nil
		})
	}
}

func TestReplicasThatLostPostgresSaySoThoughNotReady(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.data.reach(configz.Postgres, true)
	w.servedBrand("lumi")
	w.data.reach(configz.Postgres, false)
	for _, name := range []string{"lumi-router-0", "lumi-workflows-0", "lumi-desk-0"} {
		w.setReady(name, corev1.ConditionFalse)
	}
	w.waitFor(&v1alpha1.Brand{}, "lumi", v1alpha1.ConditionDependenciesReachable, v1alpha1.ReasonPostgresAway)
	w.waitFor(&v1alpha1.Brand{}, "lumi", v1alpha1.ConditionReady, v1alpha1.ReasonAwaitingReplicas)
}

// look has the operator look at a Brand now, which it does from time to time by itself.
func (w *world) look(brand string) {
	w.t.Helper()
	change(w, brand, &v1alpha1.Brand{}, func(b *v1alpha1.Brand) {
		b.Annotations = map[string]string{"looked-at": w.clock.now().String()}
	})
}

func (w *world) setReady(name string, ready corev1.ConditionStatus) {
	w.t.Helper()
	pod := &corev1.Pod{}
	w.eventually(func() error {
		if err := w.get(name, pod); err != nil {
			return err
		}
		pod.Status.Conditions[0].Status = ready
		return w.client.Status().Update(w.t.Context(), pod)
	})
}
