package brand

import (
	"context"
	"fmt"
	"sort"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/ack"
	"github.com/yingda-dev/yingda/internal/conditions"
	"github.com/yingda-dev/yingda/internal/dataplane"
	"github.com/yingda-dev/yingda/internal/refs"
)

// scene is all that a pass looks at.
type scene struct {
	brand *v1alpha1.Brand
	dataplane.Logins
	// rivals are the Brands that have a connection in common with this one; taken says what another one keeps.
	rivals []v1alpha1.Brand
	taken  []refs.Problem
	// dangling are the defaults that do not resolve, and what keeps the webhook from being called. Nothing waits for them.
	dangling []refs.Problem
	// inTheWay are the objects of somebody else that the pass found in the place of its own.
	inTheWay []string
	// channels are the names of the Channels that keep a Brand which is being deleted, sorted.
	channels []string
	// jobs are the setup Jobs by name.
	jobs map[string]*batchv1.Job
	// done says of which setup Jobs the work is done.
	done map[string]bool
	// failures are the last words of the failed pods of setup Jobs, by Job.
	failures map[string]string
	// failing is what keeps a setup that goes on trying, in its own words; empty while nothing does, or nobody says.
	failing string
	// doing is what a setup is at that takes long, in its own words.
	doing string
	// deployments by component.
	deployments map[string]*appsv1.Deployment
	// scales of the workloads; unscaled says that the cluster refused what the pass made of them.
	scales   scales
	unscaled bool
	desk     *corev1.Service
	// exposed is nil for a desk without an exposure.
	exposed *conditions.Condition
	// answers of the ready replicas by component.
	answers map[string][]ack.Answer
	// asked is how many running replicas there are to ask.
	asked int
	// reached is what all running replicas say of the services that they work with, those of the shared pools included.
	reached []replicaReach
}

func (r *Reconciler) observe(ctx context.Context, key types.NamespacedName) (*scene, error) {
	seen := &scene{brand: &v1alpha1.Brand{}}
	exists, err := refs.Get(ctx, r.client, key, seen.brand)
	if err != nil || !exists {
		return nil, err
	}
	for _, look := range []func(context.Context, *scene) error{
		r.observeClaims, r.observeReferences, r.observeChannels, r.observeJobs, r.observeWorkloads, r.observeScales, r.observeDependencies,
	} {
		if err := look(ctx, seen); err != nil {
			return nil, fmt.Errorf("observing Brand %s: %w", key.Name, err)
		}
	}
	return seen, nil
}

func (r *Reconciler) observeReferences(ctx context.Context, seen *scene) error {
	var err error
	seen.Owner, err = refs.Secret(ctx, r.client, seen.key(dataplane.OwnerLogin(seen.brand)))
	if err != nil {
		return err
	}
	if name := dataplane.OwnConnectorLogin(seen.brand); name != "" {
		if seen.Connector, err = refs.Secret(ctx, r.client, seen.key(name)); err != nil {
			return err
		}
	}
	if seen.Securing, err = refs.Secrets(ctx, r.client, seen.brand.Namespace, dataplane.SecuringSecrets(seen.brand)...); err != nil {
		return err
	}
	if err := r.observeCalls(ctx, seen); err != nil {
		return err
	}
	for _, reference := range defaultReferences(seen.brand.Spec.Defaults) {
		exists, err := refs.Get(ctx, r.client, seen.key(reference.name), reference.object)
		if err != nil {
			return err
		}
		if !exists {
			seen.dangling = append(seen.dangling, refs.NotFound(reference.kind, reference.name))
		} else if group, ok := reference.object.(*v1alpha1.SkillGroup); ok && group.Spec.BrandRef.Name != seen.brand.Name {
			seen.dangling = append(seen.dangling, refs.OfAnotherBrand(group, seen.brand.Name))
		}
	}
	return nil
}

func (r *Reconciler) observeCalls(ctx context.Context, seen *scene) error {
	for _, check := range []func(*v1alpha1.Brand, []string) *refs.Problem{refs.CheckWebhook, refs.CheckProvider, refs.CheckMail} {
		if problem := check(seen.brand, r.settings.AllowedWebhookHosts); problem != nil {
			seen.dangling = append(seen.dangling, *problem)
		}
	}
	for _, name := range dataplane.CallSecrets(seen.brand) {
		secret, err := refs.Secret(ctx, r.client, seen.key(name))
		if err != nil {
			return err
		}
		if problem := refs.CheckCredentials(name, secret); problem != nil {
			seen.dangling = append(seen.dangling, *problem)
		}
	}
	return nil
}

type reference struct {
	kind, name string
	object     client.Object
}

func defaultReferences(defaults v1alpha1.BrandDefaults) []reference {
	var references []reference
	if ref := defaults.SkillGroupRef; ref != nil {
		references = append(references, reference{"SkillGroup", ref.Name, &v1alpha1.SkillGroup{}})
	}
	if ref := defaults.PlaybookRef; ref != nil {
		references = append(references, reference{"Playbook", ref.Name, &v1alpha1.Playbook{}})
	}
	if ref := defaults.ServiceLevelRef; ref != nil {
		references = append(references, reference{"ServiceLevel", ref.Name, &v1alpha1.ServiceLevel{}})
	}
	if ref := defaults.ScheduleRef; ref != nil {
		references = append(references, reference{"ShiftSchedule", ref.Name, &v1alpha1.ShiftSchedule{}})
	}
	return references
}

func (r *Reconciler) observeChannels(ctx context.Context, seen *scene) error {
	if seen.brand.DeletionTimestamp == nil {
		return nil
	}
	var channels v1alpha1.ChannelList
	err := r.client.List(ctx, &channels, client.InNamespace(seen.brand.Namespace), client.MatchingFields{refs.ByBrand: seen.brand.Name})
	if err != nil {
		return fmt.Errorf("listing Channels: %w", err)
	}
	for i := range channels.Items {
		seen.channels = append(seen.channels, channels.Items[i].Name)
	}
	sort.Strings(seen.channels)
	return nil
}

func (r *Reconciler) observeJobs(ctx context.Context, seen *scene) error {
	labels := client.MatchingLabels(dataplane.Selector(seen.brand.Name, dataplane.Setup, ""))
	var jobs batchv1.JobList
	if err := r.client.List(ctx, &jobs, client.InNamespace(seen.brand.Namespace), labels); err != nil {
		return fmt.Errorf("listing setup Jobs: %w", err)
	}
	seen.jobs = map[string]*batchv1.Job{}
	for i := range jobs.Items {
		seen.jobs[jobs.Items[i].Name] = &jobs.Items[i]
	}
	seen.done, seen.failures = map[string]bool{}, map[string]string{}
	for name, job := range seen.jobs {
		pods, err := refs.PodsOfJob(ctx, r.client, job)
		if err != nil {
			return err
		}
		seen.done[name] = refs.JobDone(job, pods)
		for i := range pods {
			if words := lastWords(&pods[i]); words != "" {
				seen.failures[name] = words
			}
			if !seen.ended(job) {
				seen.failing = max(seen.failing, keptFromStarting(&pods[i]))
			}
		}
	}
	return r.observeSetup(ctx, seen)
}

// observeSetup asks the setup that runs, if one does: its last words would come with the end of its patience alone.
func (r *Reconciler) observeSetup(ctx context.Context, seen *scene) error {
	for _, job := range seen.jobs {
		if seen.ended(job) {
			continue
		}
		answers, err := r.asker.Ask(ctx, ack.Target{Namespace: seen.brand.Namespace, Brand: seen.brand.Name, Component: dataplane.Setup})
		if err != nil {
			return fmt.Errorf("asking the setup: %w", err)
		}
		for _, answer := range answers {
			seen.failing = max(seen.failing, readable(answer.Report.Failing))
			seen.doing = max(seen.doing, answer.Report.Doing)
		}
		return nil
	}
	return nil
}

func (r *Reconciler) observeWorkloads(ctx context.Context, seen *scene) error {
	seen.deployments = map[string]*appsv1.Deployment{}
	for _, component := range components() {
		deployment := &appsv1.Deployment{}
		exists, err := refs.Get(ctx, r.client, seen.key(dataplane.WorkloadName(seen.brand.Name, component)), deployment)
		if err != nil {
			return err
		}
		if exists {
			seen.deployments[component] = deployment
		}
	}
	service := &corev1.Service{}
	exists, err := refs.Get(ctx, r.client, seen.key(dataplane.WorkloadName(seen.brand.Name, dataplane.Desk)), service)
	if err != nil {
		return err
	}
	if exists {
		seen.desk = service
	}
	if route := deskRoute(seen.brand, r.settings); route != nil {
		exposed, err := refs.Exposed(ctx, r.client, *route)
		if err != nil {
			return err
		}
		seen.exposed = &exposed
	}
	seen.answers = map[string][]ack.Answer{}
	for _, component := range components() {
		answers, err := r.asker.Ask(ctx, ack.Target{Namespace: seen.brand.Namespace, Brand: seen.brand.Name, Component: component})
		if err != nil {
			return fmt.Errorf("asking the %s: %w", component, err)
		}
		seen.answers[component] = answers
	}
	return nil
}

func (s *scene) key(name string) types.NamespacedName {
	return types.NamespacedName{Namespace: s.brand.Namespace, Name: name}
}

// components are those that run all the time.
func components() []string {
	return []string{dataplane.Router, dataplane.Workflows, dataplane.Desk}
}
