package dataplane

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation"
	autoscalingv2ac "k8s.io/client-go/applyconfigurations/autoscaling/v2"
	metav1ac "k8s.io/client-go/applyconfigurations/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/bus"
	"github.com/yingda-dev/yingda/internal/domain/scaling"
	"github.com/yingda-dev/yingda/internal/keda"
)

// The annotations of a Deployment that say how many replicas must run, and why. What is reported of a Channel is read from its
// pool's Deployment.
const (
	AnnotationFloor  = "yingda.dev/replicas-floor"
	AnnotationReason = "yingda.dev/replicas-reason"
)

const (
	// cpuPerReplica is the use beyond which load wants another replica. It is absolute, and not a share of what pods request:
	// they request little, so that ten thousand quiet Brands fit into a cluster.
	cpuPerReplica = "500m"
	// lagPerReplica is how many records may wait for each replica before another one is wanted.
	lagPerReplica = 500
	// Up at once, to twice or by four in 15 seconds; down by one replica a minute, and only to the most that was wanted within
	// five.
	upSeconds, upPercent, upPods             = 15, 100, 4
	downSeconds, downPods, downSettleSeconds = 60, 1, 300
)

// Autoscalers are the kinds of autoscalers that the cluster has.
func Autoscalers(settings Settings) []client.Object {
	if settings.KEDA {
		return []client.Object{&autoscalingv2.HorizontalPodAutoscaler{}, &keda.ScaledObject{}, &keda.TriggerAuthentication{}}
	}
	return []client.Object{&autoscalingv2.HorizontalPodAutoscaler{}}
}

// Autoscaler is what scales the workload beyond its floor, none where the operator does alone. With KEDA it is a ScaledObject
// that knows the peaks ahead, otherwise a HorizontalPodAutoscaler whose least number of replicas is the floor.
func (w Workload) Autoscaler() []runtime.ApplyConfiguration {
	switch {
	case !w.Plan.Autoscaled():
		return nil
	case w.Settings.KEDA:
		return w.kedaObjects()
	default:
		return []runtime.ApplyConfiguration{w.podAutoscaler()}
	}
}

func (w Workload) podAutoscaler() *autoscalingv2ac.HorizontalPodAutoscalerApplyConfiguration {
	return autoscalingv2ac.HorizontalPodAutoscaler(w.Name(), w.Brand.Namespace).
		WithLabels(w.Labels()).
		WithOwnerReferences(Owner(w.Brand)).
		WithSpec(autoscalingv2ac.HorizontalPodAutoscalerSpec().
			WithScaleTargetRef(autoscalingv2ac.CrossVersionObjectReference().
				WithAPIVersion(appsv1.SchemeGroupVersion.String()).WithKind("Deployment").WithName(w.Name())).
			WithMinReplicas(w.Plan.Floor).
			WithMaxReplicas(w.Plan.Max).
			WithMetrics(autoscalingv2ac.MetricSpec().
				WithType(autoscalingv2.ResourceMetricSourceType).
				WithResource(autoscalingv2ac.ResourceMetricSource().
					WithName(corev1.ResourceCPU).
					WithTarget(autoscalingv2ac.MetricTarget().
						WithType(autoscalingv2.AverageValueMetricType).
						WithAverageValue(resource.MustParse(cpuPerReplica))))).
			WithBehavior(autoscalingv2ac.HorizontalPodAutoscalerBehavior().
				WithScaleUp(autoscalingv2ac.HPAScalingRules().
					WithStabilizationWindowSeconds(0).
					WithSelectPolicy(autoscalingv2.MaxChangePolicySelect).
					WithPolicies(
						scalingPolicy(autoscalingv2.PercentScalingPolicy, upPercent, upSeconds),
						scalingPolicy(autoscalingv2.PodsScalingPolicy, upPods, upSeconds))).
				WithScaleDown(autoscalingv2ac.HPAScalingRules().
					WithStabilizationWindowSeconds(downSettleSeconds).
					WithSelectPolicy(autoscalingv2.MaxChangePolicySelect).
					WithPolicies(scalingPolicy(autoscalingv2.PodsScalingPolicy, downPods, downSeconds)))))
}

func scalingPolicy(kind autoscalingv2.HPAScalingPolicyType, value, seconds int32) *autoscalingv2ac.HPAScalingPolicyApplyConfiguration {
	return autoscalingv2ac.HPAScalingPolicy().WithType(kind).WithValue(value).WithPeriodSeconds(seconds)
}

func (w Workload) kedaObjects() []runtime.ApplyConfiguration {
	triggers := make([]keda.Trigger, 0, 2+len(w.Plan.Lifts))
	for _, cron := range w.Plan.Crons() {
		triggers = append(triggers, keda.Trigger{Type: "cron", Metadata: map[string]string{
			"timezone": "UTC", "start": cron.Start, "end": cron.End, "desiredReplicas": strconv.Itoa(int(w.Plan.Peak)),
		}})
	}
	triggers = append(triggers, keda.Trigger{
		Type: "cpu", MetricType: autoscalingv2.AverageValueMetricType, Metadata: map[string]string{"value": cpuPerReplica},
	})
	var objects []runtime.ApplyConfiguration
	if lag := w.lagTrigger(); lag != nil {
		if signIn := kafkaSignIn(w.Brand); len(signIn) > 0 {
			lag.AuthenticationRef = &keda.AuthenticationRef{Name: w.Name()}
			objects = append(objects, keda.Apply("TriggerAuthentication", w.meta(), keda.TriggerAuthenticationSpec{SecretTargetRef: signIn}))
		}
		triggers = append(triggers, *lag)
	}
	return append(objects, keda.Apply("ScaledObject", w.meta(), keda.ScaledObjectSpec{
		ScaleTargetRef:  keda.ScaleTarget{APIVersion: appsv1.SchemeGroupVersion.String(), Kind: "Deployment", Name: w.Name()},
		MinReplicaCount: new(w.Plan.Min),
		MaxReplicaCount: new(w.Plan.Max),
		Advanced: &keda.Advanced{HorizontalPodAutoscalerConfig: &keda.HorizontalPodAutoscalerConfig{
			Name: kedaAutoscalerName(w.Name()), Behavior: kedaBehavior(),
		}},
		Triggers: triggers,
	}))
}

func (w Workload) meta() *metav1ac.ObjectMetaApplyConfiguration {
	return metav1ac.ObjectMeta().WithName(w.Name()).WithNamespace(w.Brand.Namespace).WithLabels(w.Labels()).WithOwnerReferences(Owner(w.Brand))
}

// kedaAutoscalerName is empty for the name that KEDA chooses. Where that would be too long for a label KEDA refuses the ScaledObject;
// then the workload's own is taken, which fits: it is a Service's name, too.
func kedaAutoscalerName(workload string) string {
	if len("keda-hpa-"+workload) <= validation.LabelValueMaxLength {
		return ""
	}
	return workload
}

// kedaBehavior is that of podAutoscaler.
func kedaBehavior() *autoscalingv2.HorizontalPodAutoscalerBehavior {
	return &autoscalingv2.HorizontalPodAutoscalerBehavior{
		ScaleUp: &autoscalingv2.HPAScalingRules{
			StabilizationWindowSeconds: new(int32(0)), SelectPolicy: new(autoscalingv2.MaxChangePolicySelect),
			Policies: []autoscalingv2.HPAScalingPolicy{
				{Type: autoscalingv2.PercentScalingPolicy, Value: upPercent, PeriodSeconds: upSeconds},
				{Type: autoscalingv2.PodsScalingPolicy, Value: upPods, PeriodSeconds: upSeconds},
			},
		},
		ScaleDown: &autoscalingv2.HPAScalingRules{
			StabilizationWindowSeconds: new(int32(downSettleSeconds)), SelectPolicy: new(autoscalingv2.MaxChangePolicySelect),
			Policies: []autoscalingv2.HPAScalingPolicy{{Type: autoscalingv2.PodsScalingPolicy, Value: downPods, PeriodSeconds: downSeconds}},
		},
	}
}

// lagTrigger wants replicas for what waits in the topic that the workload reads as a group; nil for one that shares no topic.
func (w Workload) lagTrigger() *keda.Trigger {
	kafka := w.Brand.Spec.Kafka
	names := bus.Names{Prefix: kafka.Topics.Prefix, Namespace: w.Brand.Namespace, Brand: w.Brand.Name}
	var group, topic string
	switch w.Component {
	case Router:
		group, topic = names.RouterGroup(), names.Inbound()
	case Connector:
		group, topic = names.ConnectorGroup(w.Pool), names.Outbound(w.Pool)
	default:
		return nil
	}
	brokers := slices.Clone(kafka.BootstrapServers)
	slices.Sort(brokers)
	metadata := map[string]string{
		"bootstrapServers": strings.Join(brokers, ","), "consumerGroup": group, "topic": topic, "lagThreshold": strconv.Itoa(lagPerReplica),
	}
	if kafka.TLS != nil {
		metadata["tls"] = "enable"
	}
	if kafka.SASL != nil {
		metadata["sasl"] = kedaSASL(kafka.SASL.Mechanism)
	}
	return &keda.Trigger{Type: "kafka", Metadata: metadata}
}

// kedaSASL is KEDA's name of a mechanism.
func kedaSASL(mechanism v1alpha1.KafkaSASLMechanism) string {
	switch mechanism {
	case v1alpha1.KafkaSASLScramSHA256:
		return "scram_sha256"
	case v1alpha1.KafkaSASLScramSHA512:
		return "scram_sha512"
	default:
		return "plaintext"
	}
}

// kafkaSignIn are the keys of the Brand's Secrets by which KEDA connects to its brokers, as pods do.
func kafkaSignIn(brand *v1alpha1.Brand) []keda.SecretTarget {
	parameters := map[string]string{caKey: "ca", certificateKey: "cert", privateKey: "key", usernameKey: "username", passwordKey: "password"}
	var targets []keda.SecretTarget
	for _, m := range kafkaMounts(brand) {
		for _, key := range m.keys {
			targets = append(targets, keda.SecretTarget{Parameter: parameters[key], Name: m.secret, Key: key})
		}
	}
	return targets
}

// annotations say what the floor is; none where it never changes.
func (w Workload) annotations() map[string]string {
	if !w.Plan.LiftedForPeaks() && !w.Plan.Autoscaled() && w.Plan.Limit == 0 {
		return nil
	}
	return map[string]string{AnnotationFloor: strconv.Itoa(int(w.Plan.Floor)), AnnotationReason: w.Plan.Reason}
}

// Replicas reports on the replicas of a Deployment that the operator made; nil for none. The autoscaler is nil where there is none
// that may be idle. Nothing is said of one while no pod is ready: there is nothing to measure then.
func Replicas(deployment *appsv1.Deployment, autoscaler *autoscalingv2.HorizontalPodAutoscaler, now time.Time) *v1alpha1.ReplicasStatus {
	if deployment == nil {
		return nil
	}
	wanted, reason := int32(1), deployment.Annotations[AnnotationReason]
	if deployment.Spec.Replicas != nil {
		wanted = *deployment.Spec.Replicas
	}
	floor, err := strconv.ParseInt(deployment.Annotations[AnnotationFloor], 10, 32)
	idle, early := Idle(autoscaler, now)
	switch {
	case err != nil:
		reason = scaling.ReasonAlways
	case idle != "" && early == 0 && deployment.Status.ReadyReplicas > 0:
		reason = idleReason(idle, int32(floor), reason)
	case int32(floor) < wanted:
		reason = fmt.Sprintf("the autoscaler asks for it; the schedule for %d: %s", floor, reason)
	}
	if err == nil {
		wanted = max(wanted, int32(floor))
	}
	return &v1alpha1.ReplicasStatus{WantedReplicas: wanted, ReadyReplicas: deployment.Status.ReadyReplicas, Reason: bounded(reason)}
}

// bounded keeps a reason, in which names are, to what its field takes.
func bounded(reason string) string {
	const most = 256
	if letters := []rune(reason); len(letters) > most {
		return string(letters[:most-1]) + "…"
	}
	return reason
}
