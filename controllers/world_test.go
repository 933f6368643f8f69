package controllers_test

import (
	"context"
	"fmt"
	"maps"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/conditions"
	"github.com/yingda-dev/yingda/internal/configz"
	"github.com/yingda-dev/yingda/internal/dataplane"
)

func listed(ctx context.Context, c client.Client, list client.ObjectList, namespace string) ([]client.Object, error) {
	if err := c.List(ctx, list, client.InNamespace(namespace)); err != nil {
		return nil, fmt.Errorf("listing: %w", err)
	}
	var objects []client.Object
	err := meta.EachListItem(list, func(item runtime.Object) error {
		objects = append(objects, item.(client.Object))
		return nil
	})
	return objects, err
}

// create makes objects in the world's namespace.
func (w *world) create(objects ...client.Object) {
	w.t.Helper()
	for _, obj := range objects {
		obj.SetNamespace(w.namespace)
		if err := w.client.Create(w.t.Context(), obj); err != nil {
			w.t.Fatalf("creating %T %s: %v", obj, obj.GetName(), err)
		}
	}
}

// createCalendar makes a calendar, which is the cluster's, until the test ends. The operators of all worlds report on it, so a test with
// one is not for t.Parallel: it runs before those that are.
func (w *world) createCalendar(calendar *v1alpha1.HolidayCalendar) {
	w.t.Helper()
	if err := w.client.Create(w.t.Context(), calendar); err != nil {
		w.t.Fatalf("creating HolidayCalendar %s: %v", calendar.Name, err)
	}
	w.t.Cleanup(func() {
		if err := client.IgnoreNotFound(w.client.Delete(context.Background(), calendar)); err != nil {
			w.t.Error(err)
		}
	})
}

func (w *world) get(name string, obj client.Object) error {
	return w.client.Get(w.t.Context(), types.NamespacedName{Namespace: w.namespace, Name: name}, obj)
}

// change edits an object, again when somebody else was quicker.
func change[T client.Object](w *world, name string, obj T, edit func(T)) {
	w.t.Helper()
	w.eventually(func() error {
		if err := w.get(name, obj); err != nil {
			return err
		}
		edit(obj)
		return w.client.Update(w.t.Context(), obj)
	})
}

func nudge(w *world, name string, obj client.Object) {
	w.t.Helper()
	change(w, name, obj, func(obj client.Object) {
		labels := obj.GetLabels()
		if labels == nil {
			labels = map[string]string{}
		}
		labels["nudged"] = "true"
		obj.SetLabels(labels)
	})
}

func (w *world) remove(obj client.Object, name string) {
	w.t.Helper()
	obj.SetNamespace(w.namespace)
	obj.SetName(name)
	if err := w.client.Delete(w.t.Context(), obj); err != nil {
		w.t.Fatalf("deleting %T %s: %v", obj, name, err)
	}
}

// conditionsOf returns the conditions of an object of ours.
func conditionsOf(obj client.Object) []metav1.Condition {
	switch o := obj.(type) {
	case *v1alpha1.Brand:
		return o.Status.Conditions
	case *v1alpha1.Channel:
		return o.Status.Conditions
	case *v1alpha1.SkillGroup:
		return o.Status.Conditions
	case *v1alpha1.ShiftSchedule:
		return o.Status.Conditions
	case *v1alpha1.HolidayCalendar:
		return o.Status.Conditions
	case *v1alpha1.Agent:
		return o.Status.Conditions
	case *v1alpha1.Playbook:
		return o.Status.Conditions
	case *v1alpha1.ServiceLevel:
		return o.Status.Conditions
	}
	return nil
}

// waitFor waits until a condition of an object has the reason, for the object's current generation.
func (w *world) waitFor(obj client.Object, name, conditionType, reason string) conditions.Condition {
	w.t.Helper()
	var found conditions.Condition
	w.eventually(func() error {
		if err := w.get(name, obj); err != nil {
			return err
		}
		var known bool
		found, known = conditions.Find(conditionsOf(obj), conditionType)
		current := meta.FindStatusCondition(conditionsOf(obj), conditionType)
		if !known || found.Reason != reason || current.ObservedGeneration != obj.GetGeneration() {
			return fmt.Errorf("%T %s: %s is %+v, want reason %s", obj, name, conditionType, found, reason)
		}
		return nil
	})
	return found
}

// finishSetup plays the Job controller: it waits for the Brand's setup Job and lets it end well.
func (w *world) finishSetup(brand string) {
	w.t.Helper()
	w.endJob(w.setupJob(brand), batchv1.JobSuccessCriteriaMet, batchv1.JobComplete)
}

// endJob plays the Job controller: the Job gets the conditions.
func (w *world) endJob(job *batchv1.Job, how ...batchv1.JobConditionType) {
	w.t.Helper()
	now := metav1.Now()
	job.Status.StartTime = &now
	for _, condition := range how {
		if condition == batchv1.JobComplete {
			job.Status.CompletionTime, job.Status.Succeeded = &now, 1
		}
		job.Status.Conditions = append(job.Status.Conditions, batchv1.JobCondition{
			Type: condition, Status: corev1.ConditionTrue, LastTransitionTime: now, Reason: "BackoffLimitExceeded",
		})
	}
	if err := w.client.Status().Update(w.t.Context(), job); err != nil {
		w.t.Fatal(err)
	}
}

// lastWords plays a pod of a Job that failed.
func (w *world) lastWords(job *batchv1.Job, container, words string) {
	w.t.Helper()
	pod := w.pod(job.Name+"-pod", job.Spec.Template.Labels, container)
	pod.Labels[batchv1.JobNameLabel] = job.Name
	pod.OwnerReferences = []metav1.OwnerReference{*metav1.NewControllerRef(job, batchv1.SchemeGroupVersion.WithKind("Job"))}
	w.create(pod)
	pod.Status = corev1.PodStatus{Phase: corev1.PodFailed, ContainerStatuses: []corev1.ContainerStatus{{
		Name:  container,
		State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: 1, Message: "first line\n" + words + "\n"}},
	}}}
	if err := w.client.Status().Update(w.t.Context(), pod); err != nil {
		w.t.Fatal(err)
	}
}

// failSetup plays a setup that cannot reach Kafka.
func (w *world) failSetup(brand, lastLine string) *batchv1.Job {
	w.t.Helper()
	job := w.setupJob(brand)
	w.lastWords(job, "setup", lastLine)
	w.endJob(job, batchv1.JobFailureTarget, batchv1.JobFailed)
	return job
}

func (w *world) setupJob(brand string) *batchv1.Job {
	w.t.Helper()
	var job *batchv1.Job
	w.eventually(func() error {
		var jobs batchv1.JobList
		err := w.client.List(w.t.Context(), &jobs, client.InNamespace(w.namespace), client.MatchingLabels{dataplane.LabelBrand: brand})
		if err != nil {
			return err
		}
		if len(jobs.Items) != 1 || jobs.Items[0].DeletionTimestamp != nil {
			return fmt.Errorf("%d setup Jobs, want 1", len(jobs.Items))
		}
		job = &jobs.Items[0]
		return nil
	})
	return job
}

func (w *world) pod(name string, labels map[string]string, container string) *corev1.Pod {
	own := maps.Clone(labels)
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: own},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: container, Image: "yingda:test"}}},
	}
}

// run plays the Deployment controller and the kubelet: each Deployment gets one ready pod, and says so.
func (w *world) run(names ...string) {
	w.t.Helper()
	for _, name := range names {
		deployment := &appsv1.Deployment{}
		w.eventually(func() error { return w.get(name, deployment) })
		w.runPod(name+"-0", deployment.Spec.Template.Labels)
		w.eventually(func() error {
			if err := w.get(name, deployment); err != nil {
				return err
			}
			deployment.Status.Replicas, deployment.Status.ReadyReplicas, deployment.Status.AvailableReplicas = 1, 1, 1
			return w.client.Status().Update(w.t.Context(), deployment)
		})
	}
}

// runPod plays the kubelet: the pod is ready.
func (w *world) runPod(name string, labels map[string]string) {
	w.t.Helper()
	pod := w.pod(name, labels, "main")
	w.create(pod)
	pod.Status = corev1.PodStatus{
		Phase: corev1.PodRunning, PodIP: "10.0.0.1", PodIPs: []corev1.PodIP{{IP: "10.0.0.1"}},
		Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}},
	}
	if err := w.client.Status().Update(w.t.Context(), pod); err != nil {
		w.t.Fatal(err)
	}
}

// gone waits until an object is no more.
func (w *world) gone(obj client.Object, name string) {
	w.t.Helper()
	w.eventually(func() error {
		err := w.get(name, obj)
		if apierrors.IsNotFound(err) {
			return nil
		}
		return fmt.Errorf("%T %s is still there: %w", obj, name, errOr(err))
	})
}

func errOr(err error) error {
	if err != nil {
		return err
	}
	return errStillThere
}

var errStillThere = fmt.Errorf("it was found")

// Fixtures.

func unlabelledSecret(name string) *corev1.Secret {
	return &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: name}, StringData: map[string]string{"url": "postgres://lumi@db/lumi"}}
}

func secret(name string) *corev1.Secret {
	s := unlabelledSecret(name)
	s.Labels = map[string]string{v1alpha1.CredentialsLabel: "true"}
	return s
}

func brand(name string, edits ...func(*v1alpha1.Brand)) *v1alpha1.Brand {
	b := &v1alpha1.Brand{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: v1alpha1.BrandSpec{
		DisplayName: "露米",
		Kafka:       v1alpha1.KafkaConnection{BootstrapServers: []string{"kafka.infra:9092"}},
		Temporal:    v1alpha1.TemporalConnection{Address: "temporal.infra:7233"},
		Postgres:    v1alpha1.PostgresConnection{SecretRef: v1alpha1.CredentialsReference{Name: name + "-postgres"}},
		Defaults:    v1alpha1.BrandDefaults{SkillGroupRef: &v1alpha1.SkillGroupReference{Name: name + "-everybody"}},
	}}
	for _, edit := range edits {
		edit(b)
	}
	return b
}

// ownLogin gives the Brand's connectors a login of their own.
func ownLogin(secretName string) func(*v1alpha1.Brand) {
	return func(b *v1alpha1.Brand) {
		b.Spec.Postgres.ConnectorSecretRef = &v1alpha1.CredentialsReference{Name: secretName}
	}
}

func channel(name, brandName string, edits ...func(*v1alpha1.Channel)) *v1alpha1.Channel {
	c := &v1alpha1.Channel{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: v1alpha1.ChannelSpec{
		BrandRef: v1alpha1.BrandReference{Name: brandName}, Type: v1alpha1.ChannelTypeMiniProgram,
		MiniProgram: &v1alpha1.MiniProgramSpec{WeChatAccount: v1alpha1.WeChatAccount{
			AppID: uniqueAppID(), CredentialsSecretRef: v1alpha1.CredentialsReference{Name: name + "-wechat"},
		}},
	}}
	for _, edit := range edits {
		edit(c)
	}
	return c
}

func uniqueAppID() string { return fmt.Sprintf("wx%016x", time.Now().UnixNano()) }

func skillGroup(name, brandName string) *v1alpha1.SkillGroup {
	return &v1alpha1.SkillGroup{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: v1alpha1.SkillGroupSpec{
		BrandRef:      v1alpha1.BrandReference{Name: brandName},
		AgentSelector: metav1.LabelSelector{MatchLabels: map[string]string{"team": name}},
	}}
}

func agent(name, brandName string, labels map[string]string) *v1alpha1.Agent {
	return &v1alpha1.Agent{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels}, Spec: v1alpha1.AgentSpec{
		BrandRef: v1alpha1.BrandReference{Name: brandName}, DisplayName: "小美",
	}}
}

func playbook(name string) *v1alpha1.Playbook {
	return &v1alpha1.Playbook{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: v1alpha1.PlaybookSpec{
		Texts: v1alpha1.PlaybookTexts{Welcome: "您好,这里是{{.Brand}}客服。"},
	}}
}

func calendar(name string, days ...v1alpha1.CalendarDay) *v1alpha1.HolidayCalendar {
	return &v1alpha1.HolidayCalendar{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: v1alpha1.HolidayCalendarSpec{Days: days}}
}

func day(date string, kind v1alpha1.CalendarDayKind) v1alpha1.CalendarDay {
	return v1alpha1.CalendarDay{Date: date, Kind: kind}
}

func alwaysOpen(name string) *v1alpha1.ShiftSchedule {
	return &v1alpha1.ShiftSchedule{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: v1alpha1.ShiftScheduleSpec{
		Shifts: []v1alpha1.WeeklyShift{{
			Days: []v1alpha1.Weekday{
				v1alpha1.Monday, v1alpha1.Tuesday, v1alpha1.Wednesday, v1alpha1.Thursday, v1alpha1.Friday, v1alpha1.Saturday, v1alpha1.Sunday,
			},
			Shift: v1alpha1.Shift{Name: "all-day", Start: "00:00", Duration: "24h"},
		}},
	}}
}

// naming makes a schedule refer to calendars.
func naming(schedule *v1alpha1.ShiftSchedule, calendars ...string) *v1alpha1.ShiftSchedule {
	for _, name := range calendars {
		schedule.Spec.CalendarRefs = append(schedule.Spec.CalendarRefs, v1alpha1.HolidayCalendarReference{Name: name})
	}
	return schedule
}

func serviceLevel(name string) *v1alpha1.ServiceLevel {
	return &v1alpha1.ServiceLevel{ObjectMeta: metav1.ObjectMeta{Name: name}}
}

func accepted() configz.Channel { return configz.Channel{Credentials: configz.CredentialsAccepted} }

// servedBrand makes a Brand whose data plane runs.
func (w *world) servedBrand(name string) {
	w.t.Helper()
	w.create(secret(name+"-postgres"), skillGroup(name+"-everybody", name), brand(name))
	w.finishSetup(name)
	w.run(name+"-router", name+"-workflows", name+"-desk")
	w.waitFor(&v1alpha1.Brand{}, name, v1alpha1.ConditionReady, v1alpha1.ReasonReady)
}

// servedChannel makes a Channel whose pool runs; the first of its Brand starts the pool.
func (w *world) servedChannel(name, brandName string) {
	w.t.Helper()
	w.data.say(name, accepted())
	w.create(secret(name+"-wechat"), channel(name, brandName))
	w.run(brandName + "-miniprogram")
	w.waitFor(&v1alpha1.Channel{}, name, v1alpha1.ConditionReady, v1alpha1.ReasonReady)
}
