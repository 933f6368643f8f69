package apply

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/yaml"
)

// live is a Service as the server holds it: with defaults, an address and a node port that nobody asked for.
func live(fields string) *corev1.Service {
	return &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{
			Name: "desk", Labels: map[string]string{"a": "1", "theirs": "x"},
			ManagedFields: []metav1.ManagedFieldsEntry{
				{Manager: "somebody", Operation: metav1.ManagedFieldsOperationApply, FieldsV1: metav1.NewFieldsV1(`{"f:metadata":{"f:labels":{"f:theirs":{}}}}`)},
				{Manager: "yingda/test", Operation: metav1.ManagedFieldsOperationApply, FieldsV1: metav1.NewFieldsV1(fields)},
				{Manager: "yingda/test", Operation: metav1.ManagedFieldsOperationApply, Subresource: "status", FieldsV1: metav1.NewFieldsV1(`{"f:status":{"f:other":{}}}`)},
			},
		},
		Spec: corev1.ServiceSpec{
			Type: corev1.ServiceTypeNodePort, ClusterIP: "10.96.0.7", Selector: map[string]string{"app": "desk"},
			Ports: []corev1.ServicePort{
				{Name: "other", Protocol: corev1.ProtocolTCP, Port: 1, TargetPort: intstr.FromInt32(1)},
				{Name: "http", Protocol: corev1.ProtocolTCP, Port: 8080, TargetPort: intstr.FromString("http"), NodePort: 30001},
			},
		},
	}
}

func TestUpToDate(t *testing.T) {
	const owned = `{"f:metadata":{"f:labels":{".":{},"f:a":{}}},"f:spec":{"f:type":{},"f:selector":{},
		"f:ports":{"k:{\"port\":8080,\"protocol\":\"TCP\"}":{".":{},"f:name":{},"f:port":{},"f:targetPort":{}}}}}`
	for name, tt := range map[string]struct {
		fields  string
		desired string
		want    bool
	}{
		"the same is up to date, whatever the server and others added": {
			fields:  owned,
			desired: `{metadata: {name: desk, labels: {a: "1"}}, spec: {type: NodePort, selector: {app: desk}, ports: [{name: http, port: 8080, targetPort: http}]}}`,
			want:    true,
		},
		"another value is not": {
			fields:  owned,
			desired: `{metadata: {name: desk, labels: {a: "2"}}, spec: {type: NodePort, selector: {app: desk}, ports: [{name: http, port: 8080, targetPort: http}]}}`,
		},
		"one more field is not": {
			fields:  owned,
			desired: `{metadata: {name: desk, labels: {a: "1", b: "2"}}, spec: {type: NodePort, selector: {app: desk}, ports: [{name: http, port: 8080, targetPort: http}]}}`,
		},
		"one field less is not, since it is still owned": {
			fields:  owned,
			desired: `{metadata: {name: desk}, spec: {type: NodePort, selector: {app: desk}, ports: [{name: http, port: 8080, targetPort: http}]}}`,
		},
		"another element of a list is not": {
			fields:  owned,
			desired: `{metadata: {name: desk, labels: {a: "1"}}, spec: {type: NodePort, selector: {app: desk}, ports: [{name: http, port: 80, targetPort: http}]}}`,
		},
		"one element more is not": {
			fields:  owned,
			desired: `{metadata: {name: desk, labels: {a: "1"}}, spec: {type: NodePort, selector: {app: desk}, ports: [{name: http, port: 8080, targetPort: http}, {name: x, port: 9, targetPort: 9}]}}`,
		},
		"an owned element that is not desired any more is not": {
			fields: `{"f:spec":{"f:ports":{"k:{\"port\":8080,\"protocol\":\"TCP\"}":{".":{},"f:name":{}},"k:{\"port\":1,\"protocol\":\"TCP\"}":{".":{},"f:name":{}}}}}`,

			desired: `{spec: {ports: [{name: http, port: 8080}]}}`,
		},
		"equal values that somebody else owns are up to date: should they go, a later pass writes them": {
			fields:  `{}`,
			desired: `{metadata: {name: desk, labels: {a: "1"}}}`,
			want:    true,
		},
		"empty lists and maps are as good as none": {
			fields:  `{"f:metadata":{"f:annotations":{}}}`,
			desired: `{metadata: {name: desk, annotations: {}}, spec: {externalIPs: []}}`,
			want:    true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			var desired map[string]any
			if err := yaml.Unmarshal([]byte(tt.desired), &desired); err != nil {
				t.Fatal(err)
			}
			desired, err := toMap(desired)
			if err != nil {
				t.Fatal(err)
			}
			got, err := upToDate(desired, live(tt.fields), "yingda/test", "")
			if err != nil {
				t.Fatal(err)
			}
			if got != tt.want {
				t.Errorf("up to date is %v, want %v", got, tt.want)
			}
		})
	}
}

func TestAManagerThatOwnsNothingIsNotUpToDate(t *testing.T) {
	desired := map[string]any{"metadata": map[string]any{"labels": map[string]any{"a": "1"}}}
	got, err := upToDate(desired, live(`{}`), "yingda/other", "")
	if err != nil || got {
		t.Errorf("up to date is %v (%v), want false", got, err)
	}
}

// TestAListThatIsOwnedAsAWholeHoldsNoMore is about what no element of the owned set speaks of: were one element too many
// left alone, a port that nobody needs any more would stay open.
func TestAListThatIsOwnedAsAWholeHoldsNoMore(t *testing.T) {
	tcp, kafka, other := corev1.ProtocolTCP, intstr.FromInt32(9092), intstr.FromInt32(9093)
	allowed := func(pod map[string]string, ports ...networkingv1.NetworkPolicyPort) *networkingv1.NetworkPolicy {
		return &networkingv1.NetworkPolicy{
			ObjectMeta: metav1.ObjectMeta{Name: "router", ManagedFields: []metav1.ManagedFieldsEntry{{
				Manager: "yingda/test", Operation: metav1.ManagedFieldsOperationApply,
				FieldsV1: metav1.NewFieldsV1(`{"f:spec":{"f:podSelector":{},"f:egress":{}}}`),
			}}},
			Spec: networkingv1.NetworkPolicySpec{
				PodSelector: metav1.LabelSelector{MatchLabels: pod},
				Egress:      []networkingv1.NetworkPolicyEgressRule{{Ports: ports}},
			},
		}
	}
	const desired = `{metadata: {name: router}, spec: {podSelector: {matchLabels: {app: router}}, egress: [{ports: [{port: 9092}]}]}}`
	router := map[string]string{"app": "router"}
	for name, tt := range map[string]struct {
		live *networkingv1.NetworkPolicy
		want bool
	}{
		"the same is up to date, with the protocol that the server added": {allowed(router, networkingv1.NetworkPolicyPort{Port: &kafka, Protocol: &tcp}), true},
		"a port too many is not": {
			allowed(router, networkingv1.NetworkPolicyPort{Port: &kafka, Protocol: &tcp}, networkingv1.NetworkPolicyPort{Port: &other, Protocol: &tcp}), false,
		},
		"a label too many is not": {
			allowed(map[string]string{"app": "router", "old": "x"}, networkingv1.NetworkPolicyPort{Port: &kafka, Protocol: &tcp}), false,
		},
	} {
		t.Run(name, func(t *testing.T) {
			var want map[string]any
			if err := yaml.Unmarshal([]byte(desired), &want); err != nil {
				t.Fatal(err)
			}
			want, err := toMap(want)
			if err != nil {
				t.Fatal(err)
			}
			got, err := upToDate(want, tt.live, "yingda/test", "")
			if err != nil {
				t.Fatal(err)
			}
			if got != tt.want {
				t.Errorf("up to date is %v, want %v", got, tt.want)
			}
		})
	}
}
