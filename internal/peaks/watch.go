package peaks

import (
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	"k8s.io/apimachinery/pkg/api/equality"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/ack"
	"github.com/yingda-dev/yingda/internal/keda"
)

// Kinds are those that peaks come from.
func Kinds() []client.Object {
	return []client.Object{&v1alpha1.SkillGroup{}, &v1alpha1.ShiftSchedule{}, &v1alpha1.HolidayCalendar{}}
}

// Declared lets through the changes of Kinds that may change peaks.
func Declared() builder.Predicates {
	return builder.WithPredicates(predicate.GenerationChangedPredicate{})
}

// Unmeasured lets through all changes but what autoscalers write into the status of their objects, each all 15 seconds: a pass
// for each would ask all replicas for nothing.
func Unmeasured() predicate.Predicate {
	declared := ack.DeclarationChanged()
	return predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
		switch before := e.ObjectOld.(type) {
		case *autoscalingv2.HorizontalPodAutoscaler:
			// Of this kind the server counts no generations.
			after, ok := e.ObjectNew.(*autoscalingv2.HorizontalPodAutoscaler)
			return !ok || !equality.Semantic.DeepEqual(before.Spec, after.Spec) || declared.Update(e)
		case *keda.ScaledObject:
			return declared.Update(e)
		default:
			return true
		}
	}}
}
