package controllers_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/ack"
	"github.com/yingda-dev/yingda/internal/configz"
	"github.com/yingda-dev/yingda/internal/dataplane"
)

// dataPlane answers for the pods that a test has made: they serve what the API server holds, unless a test holds a
// generation back.
type dataPlane struct {
	client client.Client

	mu        sync.Mutex
	overrides map[string]int64
	// behind are those of one component.
	behind map[string]map[string]int64
	// silent says that connectors tell of Channels and Playbooks alone, as they once did.
	silent   bool
	channels map[string]configz.Channel
	signedIn []string
	// onDuty is nil while no desk can say who is.
	onDuty []string
	// queues is nil while no router can say who waits.
	queues map[string]configz.Queue
	// workloads are what the router says that groups have to do.
	workloads map[string]configz.Workload
	// objectives are what the router says that customers got; nil while no router can say.
	objectives map[string]configz.Measured
	// calls are what the router says that came of calls for help.
	calls map[string]configz.Call
	// onTheWay is how many messages each Channel that is being deleted has yet to send.
	onTheWay int64
	// spooled says that messages of customers wait in the spool.
	spooled bool
	// reached is what every replica says of its services.
	reached map[configz.Dependency]bool
	// failing is what every setup says that keeps it.
	failing string
	// doing is what every setup says that it is at.
	doing string
	// asked is how often anybody was asked, looks how often a Brand asked its routers what they reach.
	asked, looks int
}

var _ ack.Asker = (*dataPlane)(nil)

func (d *dataPlane) Ask(ctx context.Context, target ack.Target) ([]ack.Answer, error) {
	var pods corev1.PodList
	selector := client.MatchingLabels(dataplane.Selector(target.Brand, target.Component, target.Pool))
	if err := d.client.List(ctx, &pods, client.InNamespace(target.Namespace), selector); err != nil {
		return nil, fmt.Errorf("listing pods: %w", err)
	}
	var answers []ack.Answer
	for i := range pods.Items {
		if !ack.Ready(&pods.Items[i]) && !target.Unready {
			continue
		}
		report, err := d.report(ctx, target)
		if err != nil {
			return nil, err
		}
		answers = append(answers, ack.Answer{Report: report})
	}
	return answers, nil
}

func (d *dataPlane) report(ctx context.Context, target ack.Target) (configz.Report, error) {
	report, departing := configz.Report{Objects: map[string]int64{}}, map[string]configz.Channel{}
	for kind, list := range map[string]client.ObjectList{
		"Brand": &v1alpha1.BrandList{}, "Channel": &v1alpha1.ChannelList{}, "SkillGroup": &v1alpha1.SkillGroupList{},
		"ShiftSchedule": &v1alpha1.ShiftScheduleList{}, "Agent": &v1alpha1.AgentList{}, "Playbook": &v1alpha1.PlaybookList{},
		"ServiceLevel": &v1alpha1.ServiceLevelList{}, "HolidayCalendar": &v1alpha1.HolidayCalendarList{},
	} {
		objects, err := listed(ctx, d.client, list, target.Namespace)
		if err != nil {
			return report, err
		}
		for _, obj := range objects {
			report.Objects[configz.ObjectKey(kind, obj.GetName())] = obj.GetGeneration()
			if kind == "Channel" && obj.GetDeletionTimestamp() != nil {
				departing[obj.GetName()] = d.departing()
			}
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.asked++
	if target.Unready && target.Component == dataplane.Router {
		d.looks++
	}
	maps.Copy(report.Objects, d.overrides)
	maps.Copy(report.Objects, d.behind[target.Component])
	report.Reached = maps.Clone(d.reached)
	if target.Component == dataplane.Setup {
		report.Failing, report.Doing = d.failing, d.doing
	}
	if target.Pool != "" {
		d.connect(target.Pool, &report)
	}
	if target.Component == dataplane.Router {
		report.Channels, report.Workloads, report.Queues = departing, maps.Clone(d.workloads), maps.Clone(d.queues)
		report.Calls, report.Objectives = maps.Clone(d.calls), maps.Clone(d.objectives)
	}
	if target.Component == dataplane.Desk {
		report.SignedInAgents = slices.Clone(d.signedIn)
		report.OnDutyAgents = slices.Clone(d.onDuty)
	}
	return report, nil
}

// connect makes a report one of the connectors of a pool: those of official accounts tell of what their bot speaks by.
func (d *dataPlane) connect(pool string, report *configz.Report) {
	report.Channels = maps.Clone(d.channels)
	told := []string{"Channel"}
	switch {
	case pool != dataplane.Pool(v1alpha1.ChannelTypeOfficialAccount):
	case d.silent:
		told = append(told, "Playbook")
	default:
		report.Kinds = []string{"Brand", "Channel", "HolidayCalendar", "Playbook", "ShiftSchedule", "SkillGroup"}
		told = report.Kinds
	}
	maps.DeleteFunc(report.Objects, func(key string, _ int64) bool {
		kind, _, _ := strings.Cut(key, "/")
		return !slices.Contains(told, kind)
	})
}

func (d *dataPlane) asks() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.asked
}

func (d *dataPlane) lookedAtBrands() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.looks
}

func (d *dataPlane) departing() configz.Channel {
	d.mu.Lock()
	defer d.mu.Unlock()
	report := configz.Channel{OnTheWay: new(d.onTheWay)}
	if !d.spooled {
		report.UnreadSeconds = new(0.1)
	}
	return report
}

// spool lets customers' messages wait in the spool, or not.
func (d *dataPlane) spool(waits bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.spooled = waits
}

// owe lets Channels that are being deleted have messages on their way.
func (d *dataPlane) owe(messages int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.onTheWay = messages
}

// reach lets every replica reach a service, or not.
func (d *dataPlane) reach(service configz.Dependency, reached bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.reached = map[configz.Dependency]bool{configz.Kafka: true, configz.Postgres: true, configz.Temporal: true, service: reached}
}

// fail lets setups that run say what keeps them.
func (d *dataPlane) fail(words string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.failing = words
}

// do lets setups that run say what they are at, and that nothing keeps them.
func (d *dataPlane) do(words string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.failing, d.doing = "", words
}

// answer lets that have come of a group's call for help.
func (d *dataPlane) answer(group string, call configz.Call) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.calls = map[string]configz.Call{group: call}
}

// duty lets exactly these agents be on duty.
func (d *dataPlane) duty(agents ...string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.onDuty = append([]string{}, agents...)
}

// wait lets customers wait for exactly these groups.
func (d *dataPlane) wait(queues map[string]configz.Queue) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.queues = queues
}

// work lets a group have that to do.
func (d *dataPlane) work(group string, work configz.Workload) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.workloads = map[string]configz.Workload{group: work}
}

// measure lets customers have got exactly that of a ServiceLevel's objectives.
func (d *dataPlane) measure(level string, measured configz.Measured) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.objectives = map[string]configz.Measured{level: measured}
}

func (d *dataPlane) hold(kind, name string, generation int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.overrides[configz.ObjectKey(kind, name)] = generation
}

// lag holds an object back at the replicas of one component.
func (d *dataPlane) lag(component, kind, name string, generation int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.behind = map[string]map[string]int64{component: {configz.ObjectKey(kind, name): generation}}
}

// catchUp ends what lags.
func (d *dataPlane) catchUp() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.behind = nil
}

// silence makes connectors that let the bot speak those of a version that tells of less.
func (d *dataPlane) silence() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.silent = true
}

func (d *dataPlane) release(kind, name string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.overrides, configz.ObjectKey(kind, name))
}

func (d *dataPlane) say(channel string, report configz.Channel) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.channels[channel] = report
}
