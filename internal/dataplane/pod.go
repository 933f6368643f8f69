package dataplane

import (
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/intstr"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	metav1ac "k8s.io/client-go/applyconfigurations/meta/v1"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/domain/scaling"
)

// AnnotationConnections identifies the connections that a pod was started with. Its change, like that of the image, rolls
// the pods; nothing else about a Brand or its Channels does, since everything else is reloaded in place.
const AnnotationConnections = "yingda.dev/connections"

const (
	memoryLimit = "256Mi"
	// goMemoryLimit leaves the tenth of the limit that is not the Go heap.
	goMemoryLimit            = "230MiB"
	terminationGraceSeconds  = 30
	startupSeconds           = 120
	drainBeforeSignalSeconds = 2
	nonRootUser              = 65532
)

// Workload is one Deployment or Job of the data plane.
type Workload struct {
	Brand    *v1alpha1.Brand
	Settings Settings
	// Component is the subcommand of the binary.
	Component string
	// Pool is set for connectors.
	Pool string
	// Plan says how many replicas there are, and who scales them. A Job has none.
	Plan scaling.Plan
	// Running says that the Deployment is there, so that an autoscaler has its number of replicas.
	Running bool
	// Args follow the common ones.
	Args []string
	// Login names the Secret by which the pod connects to the Brand's database.
	Login string
	// ConnectorLogin names the Secret that setup mounts beside its own, to know whom it grants what connectors need; empty
	// when the Brand has no login for them.
	ConnectorLogin string
	// ServesHTTP says that others call the pod on PortHTTP; it then leaves the Service before it stops.
	ServesHTTP bool
	// Connections are the versions of the logins, in AnnotationConnections.
	Connections string
	// Securing are the Secrets whose versions follow them there.
	Securing Securing
	// CallsAPIServer says whether the pod talks to the API server.
	CallsAPIServer bool
	// AnswersAtOnce says whether a connector lets the bot speak in its answers to the platform.
	AnswersAtOnce bool
}

// Name of the workload's objects.
func (w Workload) Name() string {
	if w.Pool != "" {
		return WorkloadName(w.Brand.Name, w.Pool)
	}
	return WorkloadName(w.Brand.Name, w.Component)
}

// Labels of the workload's objects.
func (w Workload) Labels() map[string]string { return Labels(w.Brand.Name, w.Component, w.Pool) }

// Selector of the workload's pods.
func (w Workload) Selector() map[string]string { return Selector(w.Brand.Name, w.Component, w.Pool) }

// commonArgs are the arguments of every subcommand of the data plane.
func (w Workload) commonArgs() []string {
	kafka := w.Brand.Spec.Kafka
	brokers := slices.Clone(kafka.BootstrapServers)
	slices.Sort(brokers)
	args := []string{
		w.Component,
		"--namespace=" + w.Brand.Namespace,
		"--brand=" + w.Brand.Name,
		"--kafka-brokers=" + strings.Join(brokers, ","),
		"--topic-prefix=" + kafka.Topics.Prefix,
		"--postgres-url-file=" + postgresURLFile,
		"--health-address=:" + strconv.Itoa(PortHealth),
	}
	args = append(args, w.kafkaArgs()...)
	if w.encrypts() {
		args = append(args, encryptionArgs(w.Brand)...)
	}
	return args
}

// podSpec is the restricted pod that runs the workload.
func (w Workload) podSpec() *corev1ac.PodSpecApplyConfiguration {
	spec := corev1ac.PodSpec().
		WithServiceAccountName(w.Name()).
		WithAutomountServiceAccountToken(w.CallsAPIServer).
		WithEnableServiceLinks(false).
		WithTerminationGracePeriodSeconds(terminationGraceSeconds).
		WithSecurityContext(corev1ac.PodSecurityContext().
			WithRunAsNonRoot(true).
			WithRunAsUser(nonRootUser).
			WithRunAsGroup(nonRootUser).
			WithFSGroup(nonRootUser).
			WithSeccompProfile(corev1ac.SeccompProfile().WithType(corev1.SeccompProfileTypeRuntimeDefault))).
		WithContainers(w.container()).
		WithVolumes(w.volumes()...)
	if w.Settings.PriorityClassName != "" {
		spec.WithPriorityClassName(w.Settings.PriorityClassName)
	}
	return spec
}

// spread keeps replicas on different nodes where there are some.
func (w Workload) spread() *corev1ac.TopologySpreadConstraintApplyConfiguration {
	return corev1ac.TopologySpreadConstraint().
		WithMaxSkew(1).
		WithTopologyKey(corev1.LabelHostname).
		WithWhenUnsatisfiable(corev1.ScheduleAnyway).
		WithLabelSelector(metav1ac.LabelSelector().WithMatchLabels(w.Selector()))
}

func (w Workload) container() *corev1ac.ContainerApplyConfiguration {
	return corev1ac.Container().
		WithName(w.Component).
		WithImage(w.Settings.Image).
		WithImagePullPolicy(w.Settings.ImagePullPolicy).
		WithCommand("/yingda").
		WithArgs(append(w.commonArgs(), w.Args...)...).
		WithEnv(w.env()...).
		WithResources(corev1ac.ResourceRequirements().
			WithRequests(corev1.ResourceList{
				corev1.ResourceCPU:    resource.MustParse("20m"),
				corev1.ResourceMemory: resource.MustParse("64Mi"),
			}).
			// No CPU limit: throttling would cost WeChat's five seconds long before it saves anything.
			WithLimits(corev1.ResourceList{corev1.ResourceMemory: resource.MustParse(memoryLimit)})).
		WithTerminationMessagePolicy(corev1.TerminationMessageFallbackToLogsOnError).
		WithVolumeMounts(w.volumeMounts()...).
		WithSecurityContext(corev1ac.SecurityContext().
			WithAllowPrivilegeEscalation(false).
			WithReadOnlyRootFilesystem(true).
			WithCapabilities(corev1ac.Capabilities().WithDrop("ALL")))
}

// server adds what a container that stays up has: ports, probes and a drain.
func (w Workload) server(container *corev1ac.ContainerApplyConfiguration) *corev1ac.ContainerApplyConfiguration {
	if w.ServesHTTP {
		container.WithPorts(port(PortNameHTTP, PortHTTP))
		// A pod is taken out of its Service while it is told to stop: what is on its way then still finds it.
		container.WithLifecycle(corev1ac.Lifecycle().WithPreStop(corev1ac.LifecycleHandler().
			WithSleep(corev1ac.SleepAction().WithSeconds(drainBeforeSignalSeconds))))
	}
	return container.
		WithPorts(port(PortNameHealth, PortHealth)).
		WithStartupProbe(probe("/healthz").WithPeriodSeconds(1).WithFailureThreshold(startupSeconds)).
		WithLivenessProbe(probe("/healthz").WithPeriodSeconds(10).WithFailureThreshold(3)).
		WithReadinessProbe(probe("/readyz").WithPeriodSeconds(2).WithFailureThreshold(2))
}

func port(name string, number int32) *corev1ac.ContainerPortApplyConfiguration {
	return corev1ac.ContainerPort().WithName(name).WithContainerPort(number).WithProtocol(corev1.ProtocolTCP)
}

func probe(path string) *corev1ac.ProbeApplyConfiguration {
	return corev1ac.Probe().WithTimeoutSeconds(3).WithHTTPGet(corev1ac.HTTPGetAction().
		WithPath(path).WithPort(intstr.FromString(PortNameHealth)))
}

func (w Workload) env() []*corev1ac.EnvVarApplyConfiguration {
	env := []*corev1ac.EnvVarApplyConfiguration{
		corev1ac.EnvVar().WithName("POD_NAME").WithValueFrom(corev1ac.EnvVarSource().
			WithFieldRef(corev1ac.ObjectFieldSelector().WithAPIVersion("v1").WithFieldPath("metadata.name"))),
		corev1ac.EnvVar().WithName("GOMEMLIMIT").WithValue(goMemoryLimit),
	}
	if w.Settings.OTLPEndpoint != "" {
		// OpenTelemetry's own libraries read the variable too, and want a URL.
		env = append(env, corev1ac.EnvVar().WithName("OTEL_EXPORTER_OTLP_ENDPOINT").WithValue("http://"+w.Settings.OTLPEndpoint))
	}
	return env
}
