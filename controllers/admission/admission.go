// Package admission refuses at once, when an object is written, what its schema cannot see: what another object has already,
// what the operator was started with, and what takes more than a formula to check.
//
// It decides nothing of its own: it asks the same functions as the reconcilers, which say in a condition whatever was not
// caught here. That happens: two objects may be written at the same moment, and a cluster may run without webhooks. So what
// cannot be looked up is let in with a warning, and so are references to what is not there yet, since the order in which a
// folder is applied is free.
//
// Only what a write changes is judged: who edits a label, or lets an object go, is never stopped by what was wrong before.
// Every replica of the operator answers, the leader or not, from its cache.
package admission

import (
	"context"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/webhook"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/dataplane"
)

// Where the API server asks about each kind.
const (
	PathBrand           = "/validate-brand"
	PathChannel         = "/validate-channel"
	PathSkillGroup      = "/validate-skillgroup"
	PathShiftSchedule   = "/validate-shiftschedule"
	PathHolidayCalendar = "/validate-holidaycalendar"
	PathPlaybook        = "/validate-playbook"
	PathServiceLevel    = "/validate-servicelevel"
)

// Options are what admission works with.
type Options struct {
	Server webhook.Server
	Scheme *runtime.Scheme
	// Reader reads from a cache with the indexes of internal/refs.
	Reader   client.Reader
	Settings dataplane.Settings
}

// Register has the server answer for all kinds.
func Register(o Options) {
	of := others{reader: o.Reader, settings: o.Settings}
	answer(o, PathBrand, "Brand", of.brand)
	answer(o, PathChannel, "Channel", of.channel)
	answer(o, PathSkillGroup, "SkillGroup", alone(skillGroup))
	answer(o, PathShiftSchedule, "ShiftSchedule", alone(shiftSchedule))
	answer(o, PathHolidayCalendar, "HolidayCalendar", alone(holidayCalendar))
	o.Server.Register(PathPlaybook, admission.WithValidator(o.Scheme, &validator[*v1alpha1.Playbook]{kind: "Playbook", judge: alone(playbook), doubt: shadowed}))
	answer(o, PathServiceLevel, "ServiceLevel", alone(serviceLevel))
}

func answer[T client.Object](o Options, path, kind string, judge judge[T]) {
	o.Server.Register(path, admission.WithValidator(o.Scheme, &validator[T]{kind: kind, judge: judge}))
}

// judge lists what is wrong with an object; before is nil for a new one. The error says that something could not be looked
// up.
type judge[T client.Object] func(ctx context.Context, before, object T) (field.ErrorList, error)

// alone judges an object by itself.
func alone[T client.Object](mistakes func(T) field.ErrorList) judge[T] {
	return func(_ context.Context, _, object T) (field.ErrorList, error) { return mistakes(object), nil }
}

// validator answers for one kind.
type validator[T client.Object] struct {
	kind  string
	judge judge[T]
	// doubt lists what is allowed and probably not meant; nil doubts nothing.
	doubt func(T) []string
}

// ValidateCreate judges all of a new object.
func (v *validator[T]) ValidateCreate(ctx context.Context, object T) (admission.Warnings, error) {
	var none T
	return v.validate(ctx, none, object)
}

// ValidateUpdate judges an object whose spec changes: the API server counts the generation only then.
func (v *validator[T]) ValidateUpdate(ctx context.Context, before, object T) (admission.Warnings, error) {
	if object.GetDeletionTimestamp() != nil || object.GetGeneration() == before.GetGeneration() {
		return nil, nil
	}
	return v.validate(ctx, before, object)
}

// ValidateDelete lets everything go: the finalizers know better.
func (v *validator[T]) ValidateDelete(context.Context, T) (admission.Warnings, error) {
	return nil, nil
}

func (v *validator[T]) validate(ctx context.Context, before, object T) (warnings admission.Warnings, err error) {
	mistakes, unknown := v.judge(ctx, before, object)
	if unknown != nil {
		log.FromContext(ctx).Error(unknown, "Judging an object without its like", "kind", v.kind)
		warnings = append(warnings, "the operator could not look for what another "+v.kind+" has already: see the condition ReferencesResolved")
	}
	if v.doubt != nil {
		warnings = append(warnings, v.doubt(object)...)
	}
	if len(mistakes) > 0 {
		return warnings, apierrors.NewInvalid(v1alpha1.GroupVersion().WithKind(v.kind).GroupKind(), object.GetName(), mistakes)
	}
	return warnings, nil
}
