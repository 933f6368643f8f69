// Package servicelevel computes when the promises of a ServiceLevel fall due.
//
// It holds no clock and starts nothing: workflows and the router ask it for times and keep them. Every function takes an
// empty spec and answers with the defaults that the resource documents, so that a Brand without a ServiceLevel makes
// the same promises as one with an empty ServiceLevel.
package servicelevel

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/util/validation/field"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/domain/duration"
)

// The defaults and bounds of the resource's schema.
const (
	defaultEscalation   = time.Hour
	defaultFollowUpDays = 3
	defaultAnswerWithin = time.Hour

	minRung, maxRung                 = time.Second, 720 * time.Hour
	minAnswerWithin, maxAnswerWithin = time.Minute, 24 * time.Hour
	maxFollowUpDays                  = 30
	maxRungs                         = 5
	day                              = 24 * time.Hour
)

// Rung is one step of a complaint's ladder.
type Rung struct {
	// After is the time since the complaint started.
	After time.Duration
	// Notify is the role that is called.
	Notify yingdav1.AgentRole
}

// Ladder is the escalation of a complaint, each rung later than the one before. An empty ladder is the default one: the
// supervisors after an hour.
func Ladder(spec yingdav1.ComplaintSpec) ([]Rung, error) {
	ladder, errs := ladder(spec, field.NewPath("spec", "complaint"))
	if err := errs.ToAggregate(); err != nil {
		return nil, fmt.Errorf("reading the complaint ladder: %w", err)
	}
	return ladder, nil
}

func ladder(spec yingdav1.ComplaintSpec, path *field.Path) ([]Rung, field.ErrorList) {
	if len(spec.Ladder) == 0 {
		return []Rung{{After: defaultEscalation, Notify: yingdav1.RoleSupervisor}}, nil
	}
	path = path.Child("ladder")
	if len(spec.Ladder) > maxRungs {
		return nil, field.ErrorList{field.TooMany(path, len(spec.Ladder), maxRungs)}
	}
	var errs field.ErrorList
	rungs := make([]Rung, 0, len(spec.Ladder))
	for i, r := range spec.Ladder {
		at := path.Index(i)
		after, err := between(r.After, minRung, maxRung)
		switch {
		case err != nil:
			errs = append(errs, field.Invalid(at.Child("after"), r.After, err.Error()))
		case len(rungs) > 0 && after <= rungs[len(rungs)-1].After:
			errs = append(errs, field.Invalid(at.Child("after"), r.After,
				"must be longer than the rung before: it counts from the start of the complaint"))
		}
		if r.Notify != yingdav1.RoleSupervisor && r.Notify != yingdav1.RoleAdmin {
			errs = append(errs, field.NotSupported(at.Child("notify"), r.Notify,
				[]yingdav1.AgentRole{yingdav1.RoleSupervisor, yingdav1.RoleAdmin}))
		}
		rungs = append(rungs, Rung{After: after, Notify: r.Notify})
	}
	return rungs, errs
}

// FollowUpDue is until when the customer of a resolved complaint is asked again: days of 24 hours, so that the answer does
// not depend on a time zone.
func FollowUpDue(resolved time.Time, spec yingdav1.ComplaintSpec) time.Time {
	return resolved.Add(time.Duration(FollowUpDays(spec)) * day)
}

// FollowUpDays is within how many days that is.
func FollowUpDays(spec yingdav1.ComplaintSpec) int32 {
	if days := spec.FollowUpWithinDays; days >= 1 && days <= maxFollowUpDays {
		return days
	}
	return defaultFollowUpDays
}

// FollowUpRemindSeconds is how many seconds before that somebody is reminded of it: as of the calls to who was not content.
func FollowUpRemindSeconds(spec yingdav1.FollowUpSpec) int64 {
	followUp, _ := CompileFollowUp(spec)
	return int64(followUp.RemindBefore / time.Second)
}

// OffHoursDue is until when who wrote while the group was closed is answered, given the opening that follows.
func OffHoursDue(opening time.Time, spec yingdav1.OffHoursSpec) time.Time {
	return opening.Add(AnswerWithin(spec))
}

// Validate checks what the functions above read. The schema checks the same; this serves who has an object that passed
// another version of it.
func Validate(spec yingdav1.ServiceLevelSpec) field.ErrorList {
	path := field.NewPath("spec")
	complaint := path.Child("complaint")
	_, errs := ladder(spec.Complaint, complaint)
	if days := spec.Complaint.FollowUpWithinDays; days != 0 && (days < 1 || days > maxFollowUpDays) {
		errs = append(errs, field.Invalid(complaint.Child("followUpWithinDays"), days, "must be from 1 to 30"))
	}
	if within := spec.OffHours.AnswerWithin; within != "" {
		if _, err := between(within, minAnswerWithin, maxAnswerWithin); err != nil {
			errs = append(errs, field.Invalid(path.Child("offHours", "answerWithin"), within, err.Error()))
		}
	}
	_, clocks := CompileClocks(spec)
	// Where a day begins makes none of them wrong.
	_, afterSales := CompileAfterSales(spec.AfterSales, time.UTC)
	_, promise := CompilePromise(spec.Promise)
	_, followUp := CompileFollowUp(spec.FollowUp)
	_, shipping := CompileShipping(spec.Shipping)
	_, quality := CompileQuality(spec.Quality)
	_, emergency := CompileEmergency(spec)
	_, objectives := CompileObjectives(spec.Objectives)
	return slices.Concat(errs, clocks, afterSales, promise, followUp, shipping, validateCompensation(spec.Complaint.Compensation), quality, emergency, objectives)
}

// between reads a duration inside bounds.
func between(text string, shortest, longest time.Duration) (time.Duration, error) {
	d, err := duration.Parse(text)
	if err != nil {
		return 0, err
	}
	if d < shortest || d > longest {
		return 0, errors.New("must be at least " + short(shortest) + " and at most " + short(longest))
	}
	return d, nil
}

// short writes a bound as the resource's documentation does: 720h, not 720h0m0s.
func short(d time.Duration) string {
	switch {
	case d%time.Hour == 0:
		return fmt.Sprintf("%dh", d/time.Hour)
	case d%time.Minute == 0:
		return fmt.Sprintf("%dm", d/time.Minute)
	default:
		return fmt.Sprintf("%ds", d/time.Second)
	}
}
