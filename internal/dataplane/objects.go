package dataplane

import (
	"net"
	"strconv"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
	appsv1ac "k8s.io/client-go/applyconfigurations/apps/v1"
	batchv1ac "k8s.io/client-go/applyconfigurations/batch/v1"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	metav1ac "k8s.io/client-go/applyconfigurations/meta/v1"
	policyv1ac "k8s.io/client-go/applyconfigurations/policy/v1"
	rbacv1ac "k8s.io/client-go/applyconfigurations/rbac/v1"

	"github.com/yingda-dev/yingda/api/v1alpha1"
)

// Owner is the reference by which a Brand controls what is made for it.
func Owner(brand *v1alpha1.Brand) *metav1ac.OwnerReferenceApplyConfiguration {
	return metav1ac.OwnerReference().
		WithAPIVersion(v1alpha1.GroupVersion().String()).
		WithKind("Brand").
		WithName(brand.Name).
		WithUID(brand.UID).
		WithController(true).
		WithBlockOwnerDeletion(true)
}

// Deployment runs the workload. An update starts a new replica before it stops an old one, so that no webhook and no
// agent meets a closed door. The number of replicas is left out where an autoscaler has it; it starts from the floor.
func (w Workload) Deployment() *appsv1ac.DeploymentApplyConfiguration {
	pod := w.podSpec().WithTopologySpreadConstraints(w.spread())
	w.server(&pod.Containers[0])
	spec := appsv1ac.DeploymentSpec()
	if !w.Plan.Autoscaled() || !w.Running {
		spec.WithReplicas(w.Plan.Floor)
	}
	return appsv1ac.Deployment(w.Name(), w.Brand.Namespace).
		WithLabels(w.Labels()).
		WithAnnotations(w.annotations()).
		WithOwnerReferences(Owner(w.Brand)).
		WithSpec(spec.
			WithRevisionHistoryLimit(2).
			WithSelector(metav1ac.LabelSelector().WithMatchLabels(w.Selector())).
			WithStrategy(appsv1ac.DeploymentStrategy().
				WithType(appsv1.RollingUpdateDeploymentStrategyType).
				WithRollingUpdate(appsv1ac.RollingUpdateDeployment().
					WithMaxUnavailable(intstr.FromInt32(0)).
					WithMaxSurge(intstr.FromInt32(1)))).
			WithTemplate(w.template(pod)))
}

// Job runs the workload once. It does not retry by itself: its failure carries the reason, and the controller decides
// when to try again.
func (w Workload) Job(name string, deadlineSeconds int64) *batchv1ac.JobApplyConfiguration {
	return batchv1ac.Job(name, w.Brand.Namespace).
		WithLabels(w.Labels()).
		WithOwnerReferences(Owner(w.Brand)).
		WithSpec(batchv1ac.JobSpec().
			WithBackoffLimit(0).
			WithActiveDeadlineSeconds(deadlineSeconds).
			WithTemplate(w.template(w.podSpec().WithRestartPolicy(corev1.RestartPolicyNever))))
}

func (w Workload) template(pod *corev1ac.PodSpecApplyConfiguration) *corev1ac.PodTemplateSpecApplyConfiguration {
	return corev1ac.PodTemplateSpec().
		WithLabels(w.Labels()).
		WithAnnotations(map[string]string{AnnotationConnections: w.connections()}).
		WithSpec(pod)
}

// ServiceAccount is the identity of the workload.
func (w Workload) ServiceAccount() *corev1ac.ServiceAccountApplyConfiguration {
	return corev1ac.ServiceAccount(w.Name(), w.Brand.Namespace).
		WithLabels(w.Labels()).
		WithOwnerReferences(Owner(w.Brand)).
		WithAutomountServiceAccountToken(false)
}

// Role holds the workload's rights: to read the resources that its component works by, and the rules given.
func (w Workload) Role(rules ...*rbacv1ac.PolicyRuleApplyConfiguration) *rbacv1ac.RoleApplyConfiguration {
	return rbacv1ac.Role(w.Name(), w.Brand.Namespace).
		WithLabels(w.Labels()).
		WithOwnerReferences(Owner(w.Brand)).
		WithRules(append([]*rbacv1ac.PolicyRuleApplyConfiguration{w.readRule()}, rules...)...)
}

// readRule lets the workload follow resources of its namespace: connectors, which the outside reaches, the Channels alone, or
// with them by what the bot speaks, the others what internal/catalog reads. None may write any of them.
func (w Workload) readRule() *rbacv1ac.PolicyRuleApplyConfiguration {
	resources := []string{"agents", "brands", "channels", "playbooks", "servicelevels", "shiftschedules", "skillgroups"}
	switch {
	case w.Component == Connector && w.AnswersAtOnce:
		resources = []string{"brands", "channels", "playbooks", "shiftschedules", "skillgroups"}
	case w.Component == Connector:
		resources = []string{"channels"}
	}
	return rbacv1ac.PolicyRule().
		WithAPIGroups(v1alpha1.GroupName).
		WithResources(resources...).
		WithVerbs("get", "list", "watch")
}

// RoleBinding gives the Role to the ServiceAccount.
func (w Workload) RoleBinding() *rbacv1ac.RoleBindingApplyConfiguration {
	return rbacv1ac.RoleBinding(w.Name(), w.Brand.Namespace).
		WithLabels(w.Labels()).
		WithOwnerReferences(Owner(w.Brand)).
		WithRoleRef(rbacv1ac.RoleRef().WithAPIGroup(rbacv1.GroupName).WithKind("Role").WithName(w.Name())).
		WithSubjects(rbacv1ac.Subject().WithKind(rbacv1.ServiceAccountKind).WithName(w.Name()).WithNamespace(w.Brand.Namespace))
}

// Budget lets a drain of nodes take one replica at a time; none where there is never more than one, of which it would protect
// nothing. It goes by the most that there may be, so that it does not come and go with peaks.
func (w Workload) Budget() []runtime.ApplyConfiguration {
	if w.Plan.Most() <= 1 {
		return nil
	}
	return []runtime.ApplyConfiguration{policyv1ac.PodDisruptionBudget(w.Name(), w.Brand.Namespace).
		WithLabels(w.Labels()).
		WithOwnerReferences(Owner(w.Brand)).
		WithSpec(policyv1ac.PodDisruptionBudgetSpec().
			WithMaxUnavailable(intstr.FromInt32(1)).
			WithSelector(metav1ac.LabelSelector().WithMatchLabels(w.Selector())))}
}

// Service leads to the workload's PortHTTP.
func (w Workload) Service() *corev1ac.ServiceApplyConfiguration {
	return corev1ac.Service(w.Name(), w.Brand.Namespace).
		WithLabels(w.Labels()).
		WithOwnerReferences(Owner(w.Brand)).
		WithSpec(corev1ac.ServiceSpec().
			WithType(w.Settings.ServiceType).
			WithSelector(w.Selector()).
			WithPorts(corev1ac.ServicePort().
				WithName(PortNameHTTP).
				WithProtocol(corev1.ProtocolTCP).
				WithPort(PortHTTP).
				WithTargetPort(intstr.FromString(PortNameHTTP)).
				WithAppProtocol("http")))
}

// URL is where a Service is reached, empty while it is not known.
func URL(settings Settings, service *corev1.Service) string {
	if service == nil {
		return ""
	}
	if settings.ServiceType != corev1.ServiceTypeNodePort {
		return "http://" + net.JoinHostPort(service.Name+"."+service.Namespace+".svc", strconv.Itoa(PortHTTP))
	}
	for _, p := range service.Spec.Ports {
		if p.Name == PortNameHTTP && p.NodePort != 0 {
			return "http://" + net.JoinHostPort(settings.NodePortHost, strconv.Itoa(int(p.NodePort)))
		}
	}
	return ""
}
