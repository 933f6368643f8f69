package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/yingda-dev/yingda/internal/dataplane"
)

// isolated is what Channels with pools of their own cost.
type isolated struct {
	// missing says why they could not be measured; everything else is empty then.
	missing string
	size    int
	// bare is the floor of the Channels alone; floor that of all objects which the operator makes, too; running that of these
	// with their pods, until all of them run.
	bare, floor, running floorTimes
	objects              int
	ready                readiness
	during               stats
	before               uint64
	processors           map[string]float64
}

func (i isolated) ratio() float64 { return i.floor.sum().Seconds() / i.ready.took.Seconds() }

func (i isolated) ratioRunning() float64 { return i.running.sum().Seconds() / i.ready.took.Seconds() }

// isolated measures Channels with pools of their own.
func (b *bench) isolated(ctx context.Context) (isolated, error) {
	d := isolated{size: b.dedicated}
	b.runs++
	run := fmt.Sprintf("run-%d", b.runs)
	var secrets, channels []client.Object
	for i := range d.size {
		namespace, name := namespaceName(i%b.brands), fmt.Sprintf("own-%05d", i)
		c, err := dedicated(channel(namespace, name, run, b.number()))
		if err != nil {
			return d, err
		}
		secrets, channels = append(secrets, secret(namespace, credentialsOf(name))), append(channels, c)
	}
	probe, _ := channels[0].DeepCopyObject().(client.Object)
	if err := b.api.Create(ctx, probe, client.DryRunAll, client.FieldValidation("Strict")); err != nil {
		if strings.Contains(err.Error(), `unknown field "spec.isolation"`) {
			return isolated{missing: "Channels have no spec.isolation"}, nil
		}
		return d, fmt.Errorf("trying a Dedicated Channel: %w", err)
	}
	if err := b.isolatedFloors(ctx, &d, run); err != nil {
		return d, err
	}
	before, err := b.atRest(ctx, quiet)
	if err != nil {
		return d, err
	}
	d.before = before.Heap
	if err := each(ctx, secrets, create(b.api)); err != nil {
		return d, err
	}
	if before, err = b.atRest(ctx, quiet); err != nil {
		return d, err
	}
	used := processorSeconds()
	if d.ready, err = product(ctx, b.api, channels, run, b.limit); err != nil {
		return d, err
	}
	d.processors = spent(used, processorSeconds())
	after, err := b.atRest(ctx, settled)
	if err != nil {
		return d, err
	}
	d.during = after.since(before)
	return d, b.removeAll(ctx, append(channels, secrets...), run)
}

// isolatedFloors creates the Channels alone, then with copies of all that a pool is made of, then with the pods of these.
func (b *bench) isolatedFloors(ctx context.Context, d *isolated, run string) error {
	var err error
	if d.bare, err = b.floor(ctx, d.size, run+"-bare"); err != nil {
		return err
	}
	pattern, err := b.poolObjects(ctx)
	if err != nil {
		return err
	}
	d.objects = len(pattern) + 1
	if err := b.stopOperator(); err != nil {
		return err
	}
	if d.floor, err = b.poolFloor(ctx, d.size, run+"-objects", pattern, 0); err != nil {
		return err
	}
	if d.running, err = b.poolFloor(ctx, d.size, run+"-pods", pattern, 1); err != nil {
		return err
	}
	return b.startOperator()
}

// poolFloor creates Channels with copies of all that a pool is made of, waits for their pods to run, and patches the status of
// the Channels.
func (b *bench) poolFloor(ctx context.Context, size int, run string, pattern []client.Object, replicas int32) (floorTimes, error) {
	var objects []client.Object
	for i := range size {
		namespace, name := floorNamespaceName(i%b.brands), fmt.Sprintf("%s-%05d", run, i)
		objects = append(objects, channel(namespace, name, run, b.number()))
		for _, object := range pattern {
			objects = append(objects, copyFor(object, namespace, name, replicas))
		}
	}
	used := processorSeconds()
	times, err := floor(ctx, b.api, objects, b.status, func() error { return b.whenRunning(ctx, int(replicas)*size) })
	if err != nil {
		return times, err
	}
	times.processors = spent(used, processorSeconds())
	return times, b.removeAll(ctx, objects, run)
}

// whenRunning waits until so many pods of the floor's Deployments are ready.
func (b *bench) whenRunning(ctx context.Context, want int) error {
	if want == 0 {
		return nil
	}
	return await(ctx, "the floor's pods to run", b.limit, func() (bool, error) {
		var deployments appsv1.DeploymentList
		if err := b.api.List(ctx, &deployments, client.HasLabels{labelFloor}); err != nil {
			return false, fmt.Errorf("listing the floor's Deployments: %w", err)
		}
		running := 0
		for i := range deployments.Items {
			running += int(deployments.Items[i].Status.ReadyReplicas)
		}
		return running == want, nil
	})
}

// poolObjects are those of a pool that runs.
func (b *bench) poolObjects(ctx context.Context) ([]client.Object, error) {
	var objects []client.Object
	for _, list := range []client.ObjectList{
		&corev1.ServiceAccountList{}, &rbacv1.RoleList{}, &rbacv1.RoleBindingList{}, &corev1.ServiceList{},
		&policyv1.PodDisruptionBudgetList{}, &networkingv1.NetworkPolicyList{}, &appsv1.DeploymentList{},
	} {
		err := b.api.List(ctx, list, client.InNamespace(namespaceName(0)), client.HasLabels{dataplane.LabelPool})
		if err != nil {
			return nil, fmt.Errorf("listing what a pool is made of: %w", err)
		}
		err = meta.EachListItem(list, func(item runtime.Object) error {
			if obj, ok := item.(client.Object); ok {
				objects = append(objects, obj)
			}
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("reading what a pool is made of: %w", err)
		}
	}
	return slices.Clip(objects), nil
}

// labelFloor marks the copies of a pool's objects.
const labelFloor = "yingda.dev/bench-floor"

// copyFor is an object of the pool as a bare client would make it.
func copyFor(object client.Object, namespace, name string, replicas int32) client.Object {
	c, _ := object.DeepCopyObject().(client.Object)
	labels := c.GetLabels()
	delete(labels, dataplane.LabelManagedBy) // The operator must not meet it when it is back.
	labels[labelFloor] = name
	own := metav1.ObjectMeta{Namespace: namespace, Name: name, Labels: labels}
	switch o := c.(type) {
	case *corev1.ServiceAccount:
		o.ObjectMeta = own
	case *rbacv1.Role:
		o.ObjectMeta = own
	case *rbacv1.RoleBinding:
		o.ObjectMeta = own
	case *corev1.Service:
		o.ObjectMeta, o.Spec.ClusterIP, o.Spec.ClusterIPs = own, "", nil
	case *policyv1.PodDisruptionBudget:
		o.ObjectMeta = own
	case *networkingv1.NetworkPolicy:
		o.ObjectMeta = own
	case *appsv1.Deployment:
		o.ObjectMeta, o.Spec.Replicas = own, &replicas
		o.Spec.Selector = &metav1.LabelSelector{MatchLabels: map[string]string{labelFloor: name}}
		o.Spec.Template.Labels = map[string]string{labelFloor: name}
		o.Spec.Template.Spec.ServiceAccountName = name
	}
	return c
}
