//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/yingda-dev/yingda/api/v1alpha1"
)

const (
	namespace         = "lumi"
	operatorNamespace = "yingda-system"
	operatorName      = "yingda-operator"
	// settleLimit is how long every replica may take to serve a change and the operator to say so.
	settleLimit = 30 * time.Second
)

// kube is the cluster's API.
type kube struct{ client.Client }

func newKube(kubeconfig string) (kube, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return kube{}, fmt.Errorf("reading the kubeconfig: %w", err)
	}
	log.SetLogger(logr.Discard())
	// The client's own limit would hold up a test that looks often.
	config.QPS = -1
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{corev1.AddToScheme, appsv1.AddToScheme, eventsv1.AddToScheme, v1alpha1.AddToScheme} {
		if err := add(scheme); err != nil {
			return kube{}, fmt.Errorf("building the scheme: %w", err)
		}
	}
	c, err := client.New(config, client.Options{Scheme: scheme})
	if err != nil {
		return kube{}, fmt.Errorf("making the client: %w", err)
	}
	return kube{c}, nil
}

// get reads an object of the sample.
func (k kube) get(t testing.TB, name string, into client.Object) {
	t.Helper()
	if err := k.Get(t.Context(), client.ObjectKey{Namespace: namespace, Name: name}, into); err != nil {
		t.Fatalf("getting %T %s: %v", into, name, err)
	}
}

// change edits an object until the test ends, and waits until the whole data plane serves the edit.
func change[T client.Object](t testing.TB, k kube, name string, object T, edit func(T)) {
	t.Helper()
	k.get(t, name, object)
	before := object.DeepCopyObject().(client.Object)
	base := object.DeepCopyObject().(client.Object)
	edit(object)
	must(t, k.Patch(t.Context(), object, client.MergeFrom(base)))
	cleanly(t, func(ctx context.Context) error { return k.restore(ctx, before) })
	k.settled(t, object)
}

// restore makes an object what it was, but for what others wrote into its metadata and status.
func (k kube) restore(ctx context.Context, before client.Object) error {
	now := before.DeepCopyObject().(client.Object)
	if err := k.Get(ctx, client.ObjectKeyFromObject(before), now); err != nil {
		return fmt.Errorf("getting what is to be restored: %w", err)
	}
	before.SetResourceVersion(now.GetResourceVersion())
	before.SetGeneration(now.GetGeneration())
	before.SetManagedFields(now.GetManagedFields())
	if err := k.Patch(ctx, before, client.MergeFrom(now)); err != nil {
		return fmt.Errorf("restoring %s: %w", before.GetName(), err)
	}
	_, isSecret := before.(*corev1.Secret)
	if isSecret {
		return nil
	}
	// The next test starts from what was before, not from what is on its way out.
	if seen, ok := watch(ctx, settleLimit, k.conditions(before), isReady); !ok {
		return fmt.Errorf("%s is not Ready after its restoration: %s", before.GetName(), seen)
	}
	return nil
}

// standing is what an object's status says of it.
type standing struct {
	Name               string             `json:"name"`
	Generation         int64              `json:"generation"`
	ObservedGeneration int64              `json:"observedGeneration"`
	Conditions         []metav1.Condition `json:"conditions"`
}

func isReady(s standing) bool {
	for _, c := range s.Conditions {
		if c.Type == v1alpha1.ConditionReady {
			return c.Status == metav1.ConditionTrue && s.ObservedGeneration == s.Generation
		}
	}
	return false
}

// isAcknowledged says whether all who work by the object were seen to serve its current generation.
func isAcknowledged(s standing) bool {
	return s.ObservedGeneration == s.Generation && slices.ContainsFunc(s.Conditions, func(c metav1.Condition) bool {
		return c.Type == v1alpha1.ConditionAcknowledged && c.Status == metav1.ConditionTrue && c.ObservedGeneration == s.Generation
	})
}

// standings reads the status of any of our objects.
func standings(u *unstructured.Unstructured) (standing, error) {
	s := standing{Name: u.GetKind() + "/" + u.GetName(), Generation: u.GetGeneration()}
	status, _, err := unstructured.NestedMap(u.Object, "status")
	if err != nil {
		return s, fmt.Errorf("reading a status: %w", err)
	}
	text, err := json.Marshal(status)
	if err != nil {
		return s, fmt.Errorf("reading a status: %w", err)
	}
	return s, json.Unmarshal(text, &s)
}

func (k kube) conditions(object client.Object) func(context.Context) (standing, error) {
	key := client.ObjectKeyFromObject(object)
	gvk, err := k.GroupVersionKindFor(object)
	return func(ctx context.Context) (standing, error) {
		if err != nil {
			return standing{}, err
		}
		u := &unstructured.Unstructured{}
		u.SetGroupVersionKind(gvk)
		if err := k.Get(ctx, key, u); err != nil {
			return standing{}, fmt.Errorf("getting %s: %w", key.Name, err)
		}
		return standings(u)
	}
}

// settled waits until the object is Ready in its current generation: every replica serves it.
func (k kube) settled(t testing.TB, object client.Object) {
	t.Helper()
	await(t, fmt.Sprintf("%T %s is Ready in its new generation", object, object.GetName()), settleLimit, k.conditions(object), isReady)
}

// all returns where every object of the brand stands.
func (k kube) all(ctx context.Context) ([]standing, error) {
	var found []standing
	for _, kind := range declaredKinds() {
		list := &unstructured.UnstructuredList{}
		list.SetGroupVersionKind(kind.GroupVersion().WithKind(kind.Kind + "List"))
		if err := k.List(ctx, list, client.InNamespace(namespace)); err != nil {
			return nil, fmt.Errorf("listing %s: %w", kind.Kind, err)
		}
		if len(list.Items) == 0 {
			return nil, fmt.Errorf("there is no %s in namespace %s", kind.Kind, namespace)
		}
		for i := range list.Items {
			s, err := standings(&list.Items[i])
			if err != nil {
				return nil, err
			}
			found = append(found, s)
		}
	}
	return found, nil
}

// allReady waits until every object of the brand is Ready in its current generation.
func (k kube) allReady(t *testing.T, limit time.Duration) {
	t.Helper()
	await(t, "every object is Ready in its current generation", limit, k.all, func(all []standing) bool {
		return !slices.ContainsFunc(all, func(one standing) bool { return !isReady(one) })
	})
}

// declaredKinds are ours that a brand's folder holds.
func declaredKinds() []schema.GroupVersionKind {
	var kinds []schema.GroupVersionKind
	for _, kind := range []string{"Brand", "Channel", "SkillGroup", "ShiftSchedule", "Agent", "Playbook", "ServiceLevel"} {
		kinds = append(kinds, v1alpha1.GroupVersion().WithKind(kind))
	}
	return kinds
}

// madeKinds are those of what is made for a Brand: by the operator, and by Kubernetes from that.
func madeKinds() []schema.GroupVersionKind {
	var kinds []schema.GroupVersionKind
	for group, names := range map[schema.GroupVersion][]string{
		corev1.SchemeGroupVersion:                           {"Service", "ServiceAccount", "Pod"},
		appsv1.SchemeGroupVersion:                           {"Deployment", "ReplicaSet"},
		{Group: "batch", Version: "v1"}:                     {"Job"},
		{Group: "rbac.authorization.k8s.io", Version: "v1"}: {"Role", "RoleBinding"},
		{Group: "policy", Version: "v1"}:                    {"PodDisruptionBudget"},
		{Group: "networking.k8s.io", Version: "v1"}:         {"NetworkPolicy", "Ingress"},
		{Group: "autoscaling", Version: "v2"}:               {"HorizontalPodAutoscaler"},
	} {
		for _, name := range names {
			kinds = append(kinds, group.WithKind(name))
		}
	}
	return kinds
}

// made names what there is in the cluster of what is made for a Brand.
func (k kube) made(ctx context.Context, brand string) ([]string, error) {
	return k.find(ctx, madeKinds(), func(object *metav1.PartialObjectMetadata) bool { return isMadeFor(object, brand) })
}

// remains names what there is of a brand in the cluster: its namespace, which is called like it, what is in that, and what was made for it
// anywhere.
func (k kube) remains(ctx context.Context, brand string) ([]string, error) {
	kinds := slices.Concat(declaredKinds(), madeKinds(), []schema.GroupVersionKind{
		corev1.SchemeGroupVersion.WithKind("Namespace"), corev1.SchemeGroupVersion.WithKind("Secret"), corev1.SchemeGroupVersion.WithKind("ConfigMap"),
	})
	return k.find(ctx, kinds, func(object *metav1.PartialObjectMetadata) bool {
		return object.Namespace == brand || object.Kind == "Namespace" && object.Name == brand || isMadeFor(object, brand)
	})
}

func isMadeFor(object *metav1.PartialObjectMetadata, brand string) bool {
	return object.Labels["app.kubernetes.io/name"] == "yingda" && object.Labels["app.kubernetes.io/instance"] == brand
}

// find names the objects of some kinds that are looked for, whatever their namespace.
func (k kube) find(ctx context.Context, kinds []schema.GroupVersionKind, wanted func(*metav1.PartialObjectMetadata) bool) ([]string, error) {
	names := []string{}
	for _, kind := range kinds {
		list := &metav1.PartialObjectMetadataList{}
		list.SetGroupVersionKind(kind.GroupVersion().WithKind(kind.Kind + "List"))
		if err := k.List(ctx, list); err != nil {
			return nil, fmt.Errorf("listing %s: %w", kind.Kind, err)
		}
		for i := range list.Items {
			object := &list.Items[i]
			if wanted(object) {
				names = append(names, kind.Kind+" "+object.Namespace+"/"+object.Name)
			}
		}
	}
	return names, nil
}

// pods returns the brand's pods that are meant to live, and how often their containers were started again.
func (k kube) pods(ctx context.Context) ([]corev1.Pod, error) {
	list := &corev1.PodList{}
	if err := k.List(ctx, list, client.InNamespace(namespace), client.MatchingLabels{"app.kubernetes.io/name": "yingda"}); err != nil {
		return nil, fmt.Errorf("listing pods: %w", err)
	}
	var pods []corev1.Pod
	for i := range list.Items {
		if list.Items[i].Spec.RestartPolicy == corev1.RestartPolicyAlways && list.Items[i].DeletionTimestamp == nil {
			pods = append(pods, list.Items[i])
		}
	}
	return pods, nil
}

// fresh replaces every pod, so that the kubelet does not hold an earlier test's crashes against them.
func (k kube) fresh(t *testing.T) {
	t.Helper()
	before, err := k.pods(t.Context())
	must(t, err)
	for i := range before {
		must(t, client.IgnoreNotFound(k.Delete(t.Context(), &before[i])))
	}
	await(t, "as many new pods as are wanted are Ready", drainLimit, func(ctx context.Context) (lacking int, err error) {
		now, err := k.pods(ctx)
		if err != nil {
			return 0, err
		}
		wanted, err := k.replicas(ctx)
		return wanted - len(slices.DeleteFunc(now, func(p corev1.Pod) bool {
			return !podReady(p) || slices.ContainsFunc(before, func(old corev1.Pod) bool { return old.UID == p.UID })
		})), err
	}, func(lacking int) bool { return lacking == 0 })
	k.allReady(t, drainLimit)
}

// replicas is how many pods the Deployments want.
func (k kube) replicas(ctx context.Context) (int, error) {
	list := &appsv1.DeploymentList{}
	if err := k.List(ctx, list, client.InNamespace(namespace)); err != nil {
		return 0, fmt.Errorf("listing Deployments: %w", err)
	}
	wanted := 0
	for i := range list.Items {
		wanted += int(*list.Items[i].Spec.Replicas)
	}
	return wanted, nil
}

// rolling names the Deployments that still have pods of before, and the pods that are on their way out.
func (k kube) rolling(ctx context.Context) ([]string, error) {
	deployments, pods := &appsv1.DeploymentList{}, &corev1.PodList{}
	for _, list := range []client.ObjectList{deployments, pods} {
		if err := k.List(ctx, list, client.InNamespace(namespace)); err != nil {
			return nil, fmt.Errorf("listing what rolls: %w", err)
		}
	}
	names := []string{}
	for i := range deployments.Items {
		d := &deployments.Items[i]
		if d.Status.ObservedGeneration < d.Generation || d.Status.UpdatedReplicas < *d.Spec.Replicas || d.Status.Replicas > d.Status.UpdatedReplicas {
			names = append(names, d.Name)
		}
	}
	for i := range pods.Items {
		if pods.Items[i].DeletionTimestamp != nil {
			names = append(names, pods.Items[i].Name)
		}
	}
	return names, nil
}

// unready names the pods that are not Ready.
func (k kube) unready(ctx context.Context) ([]string, error) {
	pods, err := k.pods(ctx)
	unready := []string{}
	for i := range pods {
		if !podReady(pods[i]) {
			unready = append(unready, pods[i].Name)
		}
	}
	return unready, err
}

func podReady(p corev1.Pod) bool {
	return slices.ContainsFunc(p.Status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
	})
}

// starts maps each pod to how often its containers were started again.
func (k kube) starts(t testing.TB) map[string]int32 {
	t.Helper()
	pods, err := k.pods(t.Context())
	must(t, err)
	starts := map[string]int32{}
	for i := range pods {
		starts[pods[i].Name] = 0
		for _, c := range pods[i].Status.ContainerStatuses {
			starts[pods[i].Name] += c.RestartCount
		}
	}
	return starts
}

// nothingRestarts fails the test when a pod was started or replaced between now and the test's end.
func (k kube) nothingRestarts(t *testing.T) func() {
	t.Helper()
	before := k.starts(t)
	return func() {
		t.Helper()
		if after := k.starts(t); !maps.Equal(before, after) {
			t.Errorf("pods and restarts were %v and are %v", before, after)
		}
	}
}

// loadedSecret waits until every connector of mini-programs serves a version of a Channel's Secret.
func (k kube) loadedSecret(ctx context.Context, channel string, secret *corev1.Secret) error {
	type report struct {
		Channels map[string]struct {
			SecretVersion string `json:"secretVersion"`
		} `json:"channels"`
	}
	seen, ok := watch(ctx, settleLimit, func(ctx context.Context) (map[string]string, error) {
		pods, err := k.pods(ctx)
		versions := map[string]string{}
		for i := range pods {
			if pods[i].Labels["app.kubernetes.io/component"] != "connector" || !strings.Contains(pods[i].Name, "-miniprogram-") {
				continue
			}
			var r report
			if err := call(ctx, http.MethodGet, "http://"+pods[i].Status.PodIP+":8081/configz", "", nil, &r); err != nil {
				return nil, err
			}
			versions[pods[i].Name] = r.Channels[channel].SecretVersion
		}
		return versions, err
	}, func(versions map[string]string) bool {
		for _, v := range versions {
			if v != secret.ResourceVersion {
				return false
			}
		}
		return len(versions) > 0
	})
	if !ok {
		return fmt.Errorf("the connectors do not serve version %s of Secret %s: %s", secret.ResourceVersion, secret.Name, seen)
	}
	return nil
}
