package servicelevel

import (
	"time"

	"k8s.io/apimachinery/pkg/util/validation/field"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
)

// The defaults and bounds of what is owed to customers, as in the resource's schema.
const (
	defaultPromiseReminder  = 30 * time.Minute
	defaultBadRatingWithin  = 24 * time.Hour
	defaultSurveyWithin     = 72 * time.Hour
	defaultFollowUpReminder = 2 * time.Hour

	minWithin, maxWithin = time.Second, 720 * time.Hour
	maxLateText          = 300
)

// Keeping is how something is kept that is owed to a customer until some time.
type Keeping struct {
	// RemindBefore is how long before it is due somebody is reminded.
	RemindBefore time.Duration
	// Ladder is climbed once it is late, each rung that long after it was due.
	Ladder []Rung
}

// FollowUp is how soon customers are called.
type FollowUp struct {
	Keeping

	BadRatingWithin, SurveyWithin time.Duration
}

// CompilePromise reads how promises are kept. It refuses what the schema refuses.
func CompilePromise(spec yingdav1.PromiseSpec) (Keeping, field.ErrorList) {
	r := reader{path: field.NewPath("spec", "promise")}
	keeping := Keeping{
		RemindBefore: r.clock("remindBefore", spec.RemindBefore, defaultPromiseReminder),
		Ladder:       r.lateLadder(spec.Ladder),
	}
	r.lateText(spec.LateText)
	return keeping, r.wrong
}

// CompileFollowUp reads how soon customers are called. It refuses what the schema refuses.
func CompileFollowUp(spec yingdav1.FollowUpSpec) (FollowUp, field.ErrorList) {
	r := reader{path: field.NewPath("spec", "followUp")}
	return FollowUp{
		Keeping: Keeping{
			RemindBefore: r.clock("remindBefore", spec.RemindBefore, defaultFollowUpReminder),
			Ladder:       r.lateLadder(spec.Ladder),
		},
		BadRatingWithin: r.within("badRatingWithin", spec.BadRatingWithin, defaultBadRatingWithin),
		SurveyWithin:    r.within("surveyWithin", spec.SurveyWithin, defaultSurveyWithin),
	}, r.wrong
}

// AnswerWithin is how long after the opening who wrote while the group was closed is answered. A value that Validate refuses
// counts as the default: a promise of some kind is kept rather than none.
func AnswerWithin(spec yingdav1.OffHoursSpec) time.Duration {
	within, err := between(spec.AnswerWithin, minAnswerWithin, maxAnswerWithin)
	if err != nil {
		return defaultAnswerWithin
	}
	return within
}

func (r *reader) within(name, text string, otherwise time.Duration) time.Duration {
	return r.duration(name, text, otherwise, minWithin, maxWithin)
}

func (r *reader) lateText(text string) {
	if len([]rune(text)) > maxLateText {
		r.wrong = append(r.wrong, field.TooLongCharacters(r.path.Child("lateText"), text, maxLateText))
	}
}

func (r *reader) lateLadder(spec []yingdav1.LateRung) []Rung {
	path := r.path.Child("ladder")
	if len(spec) > maxRungs {
		r.wrong = append(r.wrong, field.TooMany(path, len(spec), maxRungs))
		return nil
	}
	var rungs []Rung
	for i, rung := range spec {
		at := path.Index(i)
		after, err := between(rung.After, minRung, maxRung)
		switch {
		case err != nil:
			r.wrong = append(r.wrong, field.Invalid(at.Child("after"), rung.After, err.Error()))
		case len(rungs) > 0 && after <= rungs[len(rungs)-1].After:
			r.wrong = append(r.wrong, field.Invalid(at.Child("after"), rung.After, "must be longer than the rung before: it counts from when it was due"))
		}
		if rung.Notify != yingdav1.RoleSupervisor && rung.Notify != yingdav1.RoleAdmin {
			r.wrong = append(r.wrong, field.NotSupported(at.Child("notify"), rung.Notify, []yingdav1.AgentRole{yingdav1.RoleSupervisor, yingdav1.RoleAdmin}))
		}
		rungs = append(rungs, Rung{After: after, Notify: rung.Notify})
	}
	return rungs
}

// validateCompensation checks what the schema checks of what may be offered.
func validateCompensation(spec *yingdav1.CompensationSpec) field.ErrorList {
	if spec == nil {
		return nil
	}
	path := field.NewPath("spec", "complaint", "compensation", "limits")
	if len(spec.Limits) == 0 {
		return field.ErrorList{field.Required(path, "say which role offers how much by itself")}
	}
	var wrong field.ErrorList
	for i, limit := range spec.Limits {
		if limit.UpTo < 0 {
			wrong = append(wrong, field.Invalid(path.Index(i).Child("upTo"), limit.UpTo, "must be at least 0"))
		}
	}
	return wrong
}
