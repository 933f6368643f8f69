package controllers_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"

	"github.com/yingda-dev/yingda/api/v1alpha1"
)

func TestConditionsAreCountedWhenScraped(t *testing.T) {
	w := newWorld(t)
	w.servedBrand("lumi")
	w.create(secret("first-wechat"), channel("first", "lumi"), channel("second", "lumi"), blocking(), alwaysOpen("online"),
		serviceLevel("standard"), agent("xiaomei", "lumi", nil))
	w.createCalendar(calendar(w.namespace))
	resolved := func(kind, status, reason string) string {
		return strings.Join([]string{kind, w.namespace, status, reason, v1alpha1.ConditionReferencesResolved}, " ")
	}
	valid := func(kind, status, reason string) string {
		return strings.Join([]string{kind, w.namespace, status, reason, v1alpha1.ConditionValid}, " ")
	}
	w.counts(map[string]float64{
		resolved("Brand", "True", "Resolved"): 1, resolved("Channel", "True", "Resolved"): 1, resolved("Channel", "False", "NotFound"): 1,
		resolved("SkillGroup", "True", "Resolved"): 1, resolved("Agent", "True", "Resolved"): 1, valid("Playbook", "False", "Invalid"): 1,
		resolved("ShiftSchedule", "True", "Resolved"): 1, valid("ShiftSchedule", "True", "Valid"): 1, valid("ServiceLevel", "True", "Valid"): 1,
		"HolidayCalendar  True Valid " + v1alpha1.ConditionValid: 1, // the cluster's
	})
	change(w, "first-wechat", &corev1.Secret{}, func(s *corev1.Secret) { s.Labels = nil })
	w.remove(&v1alpha1.Playbook{}, "blocking")
	w.counts(map[string]float64{
		resolved("Brand", "True", "Resolved"): 1, resolved("Channel", "False", "NotLabelled"): 1, resolved("Channel", "False", "NotFound"): 1,
		resolved("SkillGroup", "True", "Resolved"): 1, resolved("Agent", "True", "Resolved"): 1,
		resolved("ShiftSchedule", "True", "Resolved"): 1, valid("ShiftSchedule", "True", "Valid"): 1, valid("ServiceLevel", "True", "Valid"): 1,
		"HolidayCalendar  True Valid " + v1alpha1.ConditionValid: 1, // the cluster's
	})
}

// counts waits until a scrape says of the conditions that objects have by themselves what is wanted.
func (w *world) counts(want map[string]float64) {
	w.t.Helper()
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(w.metrics)
	w.eventually(func() error {
		families, err := registry.Gather()
		if err != nil {
			return err
		}
		got := map[string]float64{}
		for _, family := range families {
			for _, m := range family.GetMetric() {
				var labels []string
				for _, label := range m.GetLabel() { // sorted: kind, namespace, reason, status, type
					labels = append(labels, label.GetValue())
				}
				kind, namespace, reason, status, of := labels[0], labels[1], labels[2], labels[3], labels[4]
				if of == v1alpha1.ConditionReferencesResolved || of == v1alpha1.ConditionValid {
					got[strings.Join([]string{kind, namespace, status, reason, of}, " ")] = m.GetGauge().GetValue()
				}
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			return fmt.Errorf("conditions (-want +got):\n%s", diff)
		}
		return nil
	})
}
