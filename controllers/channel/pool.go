package channel

import (
	"context"
	"fmt"
	"sort"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/apply"
	"github.com/yingda-dev/yingda/internal/conditions"
	"github.com/yingda-dev/yingda/internal/dataplane"
	"github.com/yingda-dev/yingda/internal/domain/scaling"
	"github.com/yingda-dev/yingda/internal/peaks"
	"github.com/yingda-dev/yingda/internal/refs"
)

// PoolKey names a pool: the Shared Channels of one Brand and type, or a Dedicated one.
type PoolKey struct {
	Namespace string
	Brand     string
	Pool      string
}

// PoolReconciler runs the connectors of pools.
type PoolReconciler struct {
	client   client.Client
	apply    *apply.Applier
	recorder events.EventRecorder
	settings dataplane.Settings
	now      func() time.Time
	// following and obstacles are of the Reconciler that reports on the Channels.
	following *following
	obstacles *obstacles
}

// NewPool makes the reconciler of the pools of Channels on which another one reports.
func NewPool(o Options, channels *Reconciler) *PoolReconciler {
	return &PoolReconciler{
		client: o.Client, apply: apply.New(o.Client, o.Live, "channel"), recorder: o.Recorder, settings: o.Settings, now: o.Now,
		following: channels.following, obstacles: channels.obstacles,
	}
}

// poolScene is all that a pass over a pool looks at.
type poolScene struct {
	brand *v1alpha1.Brand
	// channels of the pool by name, those included that drain.
	channels []v1alpha1.Channel
	logins   dataplane.Logins
	// setUp says that the setup is done without which the pool, as it would be rendered now, must not run.
	setUp bool
	// credentials are the names of the Secrets that the pool may read, sorted.
	credentials []string
	// deployment is nil while there is none.
	deployment *appsv1.Deployment
	// plan says how many replicas there must be.
	plan scaling.Plan
}

// Reconcile brings one pool in line with its Channels.
func (r *PoolReconciler) Reconcile(ctx context.Context, key PoolKey) (ctrl.Result, error) {
	seen, err := r.observe(ctx, key)
	if err != nil {
		return ctrl.Result{}, err
	}
	if seen == nil {
		// Without its Brand a pool has no connections; what there was of it goes with its owner.
		r.obstacles.forget(key)
		return ctrl.Result{}, nil
	}
	obstructed, err := r.bringAbout(ctx, key, seen)
	if len(seen.channels) == 0 {
		r.obstacles.forget(key)
	}
	if err = apply.IgnoreNamespaceEnd(err); err != nil {
		return ctrl.Result{}, err
	}
	var again time.Duration
	if obstructed {
		// The Channels say what is in the way.
		again = apply.LookAgain
	}
	return ctrl.Result{RequeueAfter: seen.plan.Wake(r.now(), again)}, nil
}

// bringAbout says whether something is in the way of which no watch tells when it is gone.
func (r *PoolReconciler) bringAbout(ctx context.Context, key PoolKey, seen *poolScene) (obstructed bool, err error) {
	var objects poolObjects
	if len(seen.channels) > 0 {
		objects = renderPool(seen, key.Pool, r.settings)
	}
	// Pods are refused without the identity that they run under.
	phases := []apply.Phase{objects.always}
	if serve(seen) {
		phases = append(phases, objects.serving)
		if seen.plan.Autoscaled() {
			if err := r.apply.LeaveReplicas(ctx, seen.deployment); err != nil {
				return false, err
			}
		}
	}
	inTheWay, err := r.apply.Objects(ctx, seen.brand, phases...)
	if r.met(key, seen, inTheWay, err) {
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("bringing about the pool of Brand %s: %w", key.Brand, err)
	}
	refused, err := r.expose(ctx, seen, objects.routes)
	if err != nil {
		return false, err
	}
	// An autoscaler of the other kind goes before one comes: of two for one workload the second would be refused.
	if err := r.prune(ctx, seen.brand, key, objects.all()); err != nil {
		return false, err
	}
	unscaled, err := r.scale(ctx, seen, objects.scaling)
	return len(inTheWay) > 0 || refused || unscaled, err
}

// scale brings about what scales the pool, once there is something to scale, and says whether the cluster refuses it; an event
// of the Brand then says why.
func (r *PoolReconciler) scale(ctx context.Context, seen *poolScene, autoscaler []runtime.ApplyConfiguration) (refused bool, err error) {
	if seen.deployment == nil {
		return false, nil
	}
	for _, object := range autoscaler {
		refusal, err := r.apply.Refusable(ctx, seen.brand, object)
		if err != nil {
			return refused, fmt.Errorf("scaling %s: %w", seen.deployment.Name, err)
		}
		if refusal != "" {
			refused = true
			r.recorder.Eventf(seen.brand, nil, corev1.EventTypeWarning, v1alpha1.ReasonNotAccepted, "Scale", "%s", conditions.Bound(refusal))
		}
	}
	return refused, nil
}

// expose brings about the Channels' routes, and says whether the cluster refuses one; its Channel is told why by an event.
func (r *PoolReconciler) expose(ctx context.Context, seen *poolScene, routes map[string]runtime.ApplyConfiguration) (refused bool, err error) {
	for i := range seen.channels {
		route, exposed := routes[seen.channels[i].Name]
		if !exposed {
			continue
		}
		refusal, err := r.apply.Refusable(ctx, seen.brand, route)
		if err != nil {
			return refused, fmt.Errorf("exposing Channel %s: %w", seen.channels[i].Name, err)
		}
		if refusal != "" {
			refused = true
			r.recorder.Eventf(&seen.channels[i], nil, corev1.EventTypeWarning, v1alpha1.ReasonNotAccepted, "Expose", "%s", conditions.Bound(refusal))
		}
	}
	return refused, nil
}

func (r *PoolReconciler) observe(ctx context.Context, key PoolKey) (*poolScene, error) {
	seen := &poolScene{brand: &v1alpha1.Brand{}}
	exists, err := refs.Get(ctx, r.client, types.NamespacedName{Namespace: key.Namespace, Name: key.Brand}, seen.brand)
	if err != nil || !exists {
		return nil, err
	}
	var channels v1alpha1.ChannelList
	// They are only looked at.
	err = r.client.List(ctx, &channels, client.InNamespace(key.Namespace), client.MatchingFields{refs.ByBrand: key.Brand}, client.UnsafeDisableDeepCopy)
	if err != nil {
		return nil, fmt.Errorf("listing the Channels of Brand %s: %w", key.Brand, err)
	}
	for i := range channels.Items {
		if dataplane.PoolOf(&channels.Items[i]) == key.Pool && !gone(&channels.Items[i]) {
			seen.channels = append(seen.channels, channels.Items[i])
		}
	}
	sort.Slice(seen.channels, func(i, j int) bool { return seen.channels[i].Name < seen.channels[j].Name })
	if err := r.observeSetup(ctx, seen); err != nil {
		return nil, err
	}
	if seen.credentials, err = r.usableSecrets(ctx, seen.channels); err != nil {
		return nil, err
	}
	return seen, r.observeScale(ctx, seen, key.Pool)
}

// observeScale looks for what is scaled, and plans how far.
func (r *PoolReconciler) observeScale(ctx context.Context, seen *poolScene, pool string) error {
	deployment := &appsv1.Deployment{}
	name := types.NamespacedName{Namespace: seen.brand.Namespace, Name: dataplane.WorkloadName(seen.brand.Name, pool)}
	exists, err := refs.Look(ctx, r.client, name, deployment)
	if err != nil {
		return err
	}
	if exists {
		seen.deployment = deployment
	}
	seen.plan, err = peaks.Plan(ctx, r.client, seen.brand, scale(seen.channels), r.now())
	return err
}

// usableSecrets are those that the Channels refer to, that exist and that carry the label.
func (r *PoolReconciler) usableSecrets(ctx context.Context, channels []v1alpha1.Channel) ([]string, error) {
	usable := map[string]bool{}
	for i := range channels {
		account := channels[i].Spec.WeChat()
		if account == nil {
			continue
		}
		name := account.CredentialsSecretRef.Name
		if _, known := usable[name]; known {
			continue
		}
		secret, err := refs.Secret(ctx, r.client, types.NamespacedName{Namespace: channels[i].Namespace, Name: name})
		if err != nil {
			return nil, err
		}
		usable[name] = refs.CheckCredentials(name, secret) == nil
	}
	var names []string
	for name, ok := range usable {
		if ok {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	return names, nil
}

// login is the Secret by which connectors connect to the Brand's database; nil when it does not exist.
func (s *poolScene) login() *metav1.PartialObjectMetadata {
	if dataplane.OwnConnectorLogin(s.brand) != "" {
		return s.logins.Connector
	}
	return s.logins.Owner
}

// observeSetup looks for the setup Job of this very image and these very logins: what the Brand's status says of setup may
// be of the ones before.
func (r *PoolReconciler) observeSetup(ctx context.Context, seen *poolScene) error {
	key := types.NamespacedName{Namespace: seen.brand.Namespace, Name: dataplane.OwnerLogin(seen.brand)}
	var err error
	if seen.logins.Owner, err = refs.Secret(ctx, r.client, key); err != nil {
		return err
	}
	if key.Name = dataplane.OwnConnectorLogin(seen.brand); key.Name != "" {
		if seen.logins.Connector, err = refs.Secret(ctx, r.client, key); err != nil {
			return err
		}
	}
	if seen.logins.Securing, err = refs.Secrets(ctx, r.client, key.Namespace, dataplane.SecuringSecrets(seen.brand)...); err != nil {
		return err
	}
	wanted, err := dataplane.SetupJob(seen.brand, seen.logins, r.settings)
	if err != nil {
		return fmt.Errorf("naming the setup of Brand %s: %w", seen.brand.Name, err)
	}
	job := &batchv1.Job{}
	key.Name = *wanted.GetName()
	exists, err := refs.Look(ctx, r.client, key, job)
	if err != nil || !exists || !metav1.IsControlledBy(job, seen.brand) {
		return err
	}
	if pods, err := refs.PodsOfJob(ctx, r.client, job); err != nil || !refs.JobDone(job, pods) {
		return err
	}
	// What is another Brand's may be set up, but not for this one.
	rivals, err := refs.BrandRivals(ctx, r.client, seen.brand)
	seen.setUp = err == nil && len(refs.BrandTaken(seen.brand, rivals)) == 0
	return err
}

// serve says whether the pool's Deployment may be brought up to date: its topics and schema must be there first. While
// they are not, one that runs is left alone.
func serve(seen *poolScene) bool {
	for _, name := range dataplane.SecuringSecrets(seen.brand) {
		if refs.CheckCredentials(name, seen.logins.Securing[name]) != nil {
			return false
		}
	}
	return seen.setUp && refs.CheckCredentials(dataplane.ConnectorLogin(seen.brand), seen.login()) == nil
}

func (r *PoolReconciler) prune(ctx context.Context, brand *v1alpha1.Brand, key PoolKey, kept []runtime.ApplyConfiguration) error {
	selector := labels.SelectorFromSet(labels.Set{
		dataplane.LabelBrand: key.Brand, dataplane.LabelPool: key.Pool, dataplane.LabelManagedBy: dataplane.ManagedBy,
	})
	return r.apply.Prune(ctx, brand, selector, kept, dataplane.Kinds(r.settings)...)
}
