package peaks

import (
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/yingda-dev/yingda/internal/keda"
)

func TestWhatAutoscalersMeasureWakesNobody(t *testing.T) {
	hpa := func(edit func(*autoscalingv2.HorizontalPodAutoscaler)) client.Object {
		object := &autoscalingv2.HorizontalPodAutoscaler{Spec: autoscalingv2.HorizontalPodAutoscalerSpec{MinReplicas: new(int32(1)), MaxReplicas: 3}}
		edit(object)
		return object
	}
	nothing := func(*autoscalingv2.HorizontalPodAutoscaler) {}
	for name, tt := range map[string]struct {
		before, after client.Object
		want          bool
	}{
		"the status of a HorizontalPodAutoscaler": {hpa(nothing), hpa(func(h *autoscalingv2.HorizontalPodAutoscaler) { h.Status.CurrentReplicas = 2 }), false},
		"somebody's other least number":           {hpa(nothing), hpa(func(h *autoscalingv2.HorizontalPodAutoscaler) { h.Spec.MinReplicas = new(int32(2)) }), true},
		"other labels":                            {hpa(nothing), hpa(func(h *autoscalingv2.HorizontalPodAutoscaler) { h.Labels = map[string]string{"a": "b"} }), true},
		"the status of a ScaledObject":            {&keda.ScaledObject{}, &keda.ScaledObject{ObjectMeta: metav1.ObjectMeta{ResourceVersion: "2"}}, false},
		"a ScaledObject that somebody changed":    {&keda.ScaledObject{}, &keda.ScaledObject{ObjectMeta: metav1.ObjectMeta{Generation: 2}}, true},
		"the status of a Deployment":              {&appsv1.Deployment{}, &appsv1.Deployment{Status: appsv1.DeploymentStatus{ReadyReplicas: 1}}, true},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Unmeasured().Update(event.UpdateEvent{ObjectOld: tt.before, ObjectNew: tt.after}); got != tt.want {
				t.Errorf("it wakes: %v, want %v", got, tt.want)
			}
		})
	}
}
