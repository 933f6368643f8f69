package controllers

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/manager"

	"github.com/yingda-dev/yingda/api/v1alpha1"
)

// scrapePatience is how long a scrape waits for the cache of one kind, which may still be filling.
const scrapePatience = time.Second

// reported are the kinds whose conditions are counted. A new kind adds its line.
func reported() []reportedKind {
	return []reportedKind{
		kindOf("Brand", &v1alpha1.BrandList{}, func(o *v1alpha1.Brand) []metav1.Condition { return o.Status.Conditions }),
		kindOf("Channel", &v1alpha1.ChannelList{}, func(o *v1alpha1.Channel) []metav1.Condition { return o.Status.Conditions }),
		kindOf("SkillGroup", &v1alpha1.SkillGroupList{}, func(o *v1alpha1.SkillGroup) []metav1.Condition { return o.Status.Conditions }),
		kindOf("ShiftSchedule", &v1alpha1.ShiftScheduleList{}, func(o *v1alpha1.ShiftSchedule) []metav1.Condition { return o.Status.Conditions }),
		kindOf("HolidayCalendar", &v1alpha1.HolidayCalendarList{}, func(o *v1alpha1.HolidayCalendar) []metav1.Condition { return o.Status.Conditions }),
		kindOf("Agent", &v1alpha1.AgentList{}, func(o *v1alpha1.Agent) []metav1.Condition { return o.Status.Conditions }),
		kindOf("Playbook", &v1alpha1.PlaybookList{}, func(o *v1alpha1.Playbook) []metav1.Condition { return o.Status.Conditions }),
		kindOf("ServiceLevel", &v1alpha1.ServiceLevelList{}, func(o *v1alpha1.ServiceLevel) []metav1.Condition { return o.Status.Conditions }),
	}
}

type reportedKind struct {
	name       string
	list       client.ObjectList
	conditions func(runtime.Object) []metav1.Condition
}

func kindOf[T client.Object](name string, list client.ObjectList, conditions func(T) []metav1.Condition) reportedKind {
	return reportedKind{name: name, list: list, conditions: func(obj runtime.Object) []metav1.Condition {
		if typed, ok := obj.(T); ok {
			return conditions(typed)
		}
		return nil
	}}
}

// ConditionMetrics counts objects by their conditions. It looks into the cache whenever it is scraped, so that nothing has to
// keep a gauge in step with objects that come and go; and only in the replica that leads, so that a sum over replicas is true.
//
// Reasons are a fixed vocabulary and names of objects no label, so that the number of series grows with namespaces alone.
type ConditionMetrics struct {
	reader client.Reader
	desc   *prometheus.Desc
	// count is nil while this replica does not lead.
	count atomic.Pointer[func(chan<- prometheus.Metric)]
}

var (
	_ prometheus.Collector           = (*ConditionMetrics)(nil)
	_ manager.Runnable               = (*ConditionMetrics)(nil)
	_ manager.LeaderElectionRunnable = (*ConditionMetrics)(nil)
)

// NewConditionMetrics makes a ConditionMetrics that reads from a cache. It is to be registered, and added to the manager.
func NewConditionMetrics(reader client.Reader) *ConditionMetrics {
	return &ConditionMetrics{reader: reader, desc: prometheus.NewDesc("yingda_conditions",
		"Objects by what their conditions say.", []string{"kind", "namespace", "type", "status", "reason"}, nil)}
}

// NeedLeaderElection says that Start waits until this replica leads.
func (m *ConditionMetrics) NeedLeaderElection() bool { return true }

// Start counts until the context ends.
func (m *ConditionMetrics) Start(ctx context.Context) error {
	count := func(out chan<- prometheus.Metric) {
		for _, kind := range reported() {
			if err := m.countKind(ctx, kind, out); err != nil {
				// The other kinds, and the other metrics, are still worth a scrape.
				log.FromContext(ctx).Error(err, "Counting conditions failed", "kind", kind.name)
			}
		}
	}
	m.count.Store(&count)
	<-ctx.Done()
	m.count.Store(nil)
	return nil
}

// Describe is part of prometheus.Collector.
func (m *ConditionMetrics) Describe(out chan<- *prometheus.Desc) { out <- m.desc }

// Collect is part of prometheus.Collector.
func (m *ConditionMetrics) Collect(out chan<- prometheus.Metric) {
	if count := m.count.Load(); count != nil {
		(*count)(out)
	}
}

// series are the values of a metric's labels beside its kind.
type series struct{ namespace, conditionType, status, reason string }

func (m *ConditionMetrics) countKind(ctx context.Context, kind reportedKind, out chan<- prometheus.Metric) error {
	ctx, cancel := context.WithTimeout(ctx, scrapePatience)
	defer cancel()
	list, ok := kind.list.DeepCopyObject().(client.ObjectList)
	if !ok {
		return fmt.Errorf("listing: %T is no list", kind.list)
	}
	// Nothing is changed here, and a copy of all objects at every scrape is a copy too many.
	if err := m.reader.List(ctx, list, client.UnsafeDisableDeepCopy); err != nil {
		return fmt.Errorf("listing: %w", err)
	}
	counts := map[series]int{}
	err := meta.EachListItem(list, func(item runtime.Object) error {
		object, err := meta.Accessor(item)
		if err != nil {
			return fmt.Errorf("reading an item: %w", err)
		}
		for _, c := range kind.conditions(item) {
			counts[series{object.GetNamespace(), c.Type, string(c.Status), c.Reason}]++
		}
		return nil
	})
	for s, n := range counts {
		out <- prometheus.MustNewConstMetric(m.desc, prometheus.GaugeValue, float64(n), kind.name, s.namespace, s.conditionType, s.status, s.reason)
	}
	return err
}
