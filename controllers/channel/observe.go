package channel

import (
	"context"
	"fmt"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/conditions"
	"github.com/yingda-dev/yingda/internal/dataplane"
	"github.com/yingda-dev/yingda/internal/domain/bot"
	"github.com/yingda-dev/yingda/internal/refs"
)

// scene is all that a pass over a Channel looks at.
type scene struct {
	channel *v1alpha1.Channel
	// brand is the Channel's; nil when it does not exist.
	brand *v1alpha1.Brand
	// secret is nil when the credentials do not exist.
	secret *metav1.PartialObjectMetadata
	// groups are the skill groups that routing names and that exist, by name.
	groups map[string]*v1alpha1.SkillGroup
	// playbookExists and serviceLevelExists speak of what the Channel itself names.
	playbookExists, serviceLevelExists bool
	// playbook is the one that answers the Channel's customers, if the Channel's menu asks it for anything; nil where there is none.
	playbook *v1alpha1.Playbook
	// sameAccount are the other Channels of the cluster with the account.
	sameAccount []v1alpha1.Channel
	// deployment and service are the pool's; nil when they do not exist.
	deployment *appsv1.Deployment
	service    *corev1.Service
	// autoscaler is nil for a pool without a HorizontalPodAutoscaler of the operator's.
	autoscaler *autoscalingv2.HorizontalPodAutoscaler
	// unnamed says that the pool's Role does not name the Channel's Secret yet, so that no connector can have read it.
	unnamed bool
	// met is what keeps the pool from being brought about; looked says whether that is known, or of no account without a Brand.
	met    obstacle
	looked bool
	// exposed is nil for a Channel without an exposure.
	exposed *conditions.Condition
	answers
}

func (r *Reconciler) observe(ctx context.Context, key types.NamespacedName) (*scene, error) {
	seen := &scene{channel: &v1alpha1.Channel{}}
	exists, err := refs.Get(ctx, r.client, key, seen.channel)
	if err != nil || !exists {
		return nil, err
	}
	for _, look := range []func(context.Context, *scene) error{
		r.observeReferences, r.observeGroups, r.observeAccount, r.observePool, r.observeReplicas,
	} {
		if err := look(ctx, seen); err != nil {
			return nil, fmt.Errorf("observing Channel %s: %w", key.Name, err)
		}
	}
	return seen, nil
}

func (r *Reconciler) observeReferences(ctx context.Context, seen *scene) error {
	spec := seen.channel.Spec
	brand := &v1alpha1.Brand{}
	exists, err := refs.Get(ctx, r.client, seen.key(spec.BrandRef.Name), brand)
	if err != nil {
		return err
	}
	if exists {
		seen.brand = brand
	}
	if account := spec.WeChat(); account != nil {
		if seen.secret, err = refs.Secret(ctx, r.client, seen.key(account.CredentialsSecretRef.Name)); err != nil {
			return err
		}
	}
	if spec.PlaybookRef != nil {
		if seen.playbookExists, err = refs.Look(ctx, r.client, seen.key(spec.PlaybookRef.Name), &v1alpha1.Playbook{}); err != nil {
			return err
		}
	}
	if name := playbookOf(seen.channel, seen.brand); name != "" && asksBot(seen.channel) {
		playbook := &v1alpha1.Playbook{}
		if exists, err = refs.Look(ctx, r.client, seen.key(name), playbook); err != nil {
			return err
		}
		if exists {
			seen.playbook = playbook
		}
	}
	if spec.ServiceLevelRef != nil {
		if seen.serviceLevelExists, err = refs.Look(ctx, r.client, seen.key(spec.ServiceLevelRef.Name), &v1alpha1.ServiceLevel{}); err != nil {
			return err
		}
	}
	return nil
}

// playbookOf is the name of the Playbook that answers a Channel's customers, "" without one.
func playbookOf(channel *v1alpha1.Channel, brand *v1alpha1.Brand) string {
	switch {
	case channel.Spec.PlaybookRef != nil:
		return channel.Spec.PlaybookRef.Name
	case brand != nil && brand.Spec.Defaults.PlaybookRef != nil:
		return brand.Spec.Defaults.PlaybookRef.Name
	default:
		return ""
	}
}

// asksBot says whether the Channel's menu has keys.
func asksBot(channel *v1alpha1.Channel) bool {
	return channel.Spec.OfficialAccount != nil && bot.HasKeys(channel.Spec.OfficialAccount.Menu)
}

func (r *Reconciler) observeGroups(ctx context.Context, seen *scene) error {
	seen.groups = map[string]*v1alpha1.SkillGroup{}
	for _, rule := range seen.channel.Spec.Routing {
		group := &v1alpha1.SkillGroup{}
		exists, err := refs.Look(ctx, r.client, seen.key(rule.SkillGroupRef.Name), group)
		if err != nil {
			return err
		}
		if exists {
			seen.groups[group.Name] = group
		}
	}
	return nil
}

func (r *Reconciler) observeAccount(ctx context.Context, seen *scene) error {
	var err error
	seen.sameAccount, err = refs.AccountHolders(ctx, r.client, seen.channel)
	return err
}

func (r *Reconciler) observePool(ctx context.Context, seen *scene) error {
	name := seen.key(dataplane.WorkloadName(seen.channel.Spec.BrandRef.Name, dataplane.PoolOf(seen.channel)))
	deployment, service, autoscaler := &appsv1.Deployment{}, &corev1.Service{}, &autoscalingv2.HorizontalPodAutoscaler{}
	exists, err := refs.Look(ctx, r.client, name, deployment)
	if err != nil {
		return err
	}
	if exists {
		seen.deployment = deployment
	}
	exists, err = refs.Look(ctx, r.client, name, service)
	if err != nil {
		return err
	}
	if exists {
		seen.service = service
	}
	exists, err = refs.Look(ctx, r.client, name, autoscaler)
	if err != nil {
		return err
	}
	if exists {
		seen.autoscaler = autoscaler
	}
	role := &rbacv1.Role{}
	if exists, err = refs.Look(ctx, r.client, name, role); err != nil {
		return err
	}
	seen.met, seen.looked = r.obstacles.of(poolKeyOf(seen.channel))
	seen.looked = seen.looked || seen.brand == nil
	seen.unnamed = exists && seen.secret != nil && !names(role, seen.secret.Name)
	if seen.brand == nil {
		return nil
	}
	if route := webhookRoute(r.workload(seen), seen.channel); route != nil {
		exposed, err := refs.Exposed(ctx, r.client, *route)
		if err != nil {
			return err
		}
		seen.exposed = &exposed
	}
	return nil
}

// names says whether a Role is for a Secret.
func names(role *rbacv1.Role, secret string) bool {
	return slices.ContainsFunc(role.Rules, func(rule rbacv1.PolicyRule) bool { return slices.Contains(rule.ResourceNames, secret) })
}

func (r *Reconciler) workload(seen *scene) dataplane.Workload {
	return dataplane.Workload{
		Brand: seen.brand, Settings: r.settings, Component: dataplane.Connector, Pool: dataplane.PoolOf(seen.channel),
	}
}

// foreignRoute names the object of somebody else, if there is one, in the place of the Channel's route. What the cache lacks the
// server is asked for, so it is looked for only once there is something to be said.
func (r *Reconciler) foreignRoute(ctx context.Context, seen *scene) ([]string, error) {
	if seen.brand == nil {
		return nil, nil
	}
	route := webhookRoute(r.workload(seen), seen.channel)
	if route == nil || !route.CanBeMade() {
		return nil, nil
	}
	return r.apply.InTheWay(ctx, seen.brand, route.Object())
}

func (r *Reconciler) observeReplicas(ctx context.Context, seen *scene) error {
	var err error
	seen.answers, err = ask(ctx, r.asker, poolKeyOf(seen.channel))
	return err
}

func (s *scene) key(name string) types.NamespacedName {
	return types.NamespacedName{Namespace: s.channel.Namespace, Name: name}
}
