package skillgroup

import (
	"time"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/ack"
	"github.com/yingda-dev/yingda/internal/conditions"
	"github.com/yingda-dev/yingda/internal/domain/roster"
	"github.com/yingda-dev/yingda/internal/domain/routing"
	"github.com/yingda-dev/yingda/internal/refs"
)

// verdict is what a pass makes of the scene.
type verdict struct {
	// findings in the order of the status, Ready first.
	findings []conditions.Condition
	// seats that are wanted and taken.
	seats v1alpha1.SkillGroupSeatsStatus
	// forecast is what the day ahead will bring.
	forecast *v1alpha1.SkillGroupForecast
	// queue is who waits; nil when nobody can say.
	queue *v1alpha1.SkillGroupQueueStatus
	// wake is when to ask the replicas again; zero while there is none.
	wake time.Duration
	// pending says that asking the replicas again may change a finding.
	pending bool
}

func decide(seen *scene, now time.Time) verdict {
	acknowledged := ack.JudgeAlike("SkillGroup", seen.group.Name, seen.alike, seen.serving...)
	if seen.scheduleProblem != nil && ack.Pending(acknowledged) {
		// Replicas report the generation once the schedule can be used; its change wakes the controller.
		acknowledged = conditions.False(v1alpha1.ConditionAcknowledged, v1alpha1.ReasonAwaitingReferences,
			"Without its ShiftSchedule the group is served around the clock, not as declared")
	}
	findings := []conditions.Condition{refs.Finding(problems(seen)), ack.Blame(acknowledged, seen.brand)}
	decided := verdict{
		seats: seats(seen, now), forecast: forecastOf(seen), queue: waiting(seen.group.Name, seen.router), pending: ack.Pending(acknowledged),
	}
	if len(seen.desk)+len(seen.router) > 0 {
		decided.wake = askInterval
	}
	short := roster.Shortfalls(seen.group.Spec.Seats, decided.forecast, seen.plan, now)
	decided.findings = append(append([]conditions.Condition{conditions.Summary(findings...)}, findings...),
		staffed(decided.seats, called(decided.seats, onCall(seen.agents), now), short, seen.plan),
		skillsCovered(seen.group.Spec.Assignment.Strategy, seen.wants, seen.agents), healthy(seen.rules, decided.queue, now))
	if seen.brand != nil && seen.brand.Spec.OnCall != nil {
		decided.findings = append(decided.findings, onCallReached(seen.brand.Name, seen.group.Name, seen.router))
	}
	return decided
}

// seats says what is wanted and taken. What a schedule wants that is not there, nobody can say.
func seats(seen *scene, now time.Time) v1alpha1.SkillGroupSeatsStatus {
	spec := seen.group.Spec
	var scheduled *demand
	unknown := ""
	switch {
	case seen.scheduleProblem != nil:
		unknown = "What the schedule wants is not known: " + seen.scheduleProblem.Message
	case seen.schedule != nil:
		if scheduled = demandOf(seen.schedule); scheduled == nil {
			unknown = "What the schedule wants is not known: ShiftSchedule " + seen.schedule.Name + " does not say it yet"
		}
	case seen.brand == nil && spec.ScheduleRef == nil:
		unknown = "Which schedule the group follows is not known: Brand " + spec.BrandRef.Name + " does not exist in this namespace"
	}
	out := v1alpha1.SkillGroupSeatsStatus{Reason: unknown}
	if unknown == "" {
		out = decideSeats(spec.Seats, scheduled, recommend(seen, scheduled, now))
	}
	out.OnDuty = onDuty(seen.desk, names(seen.agents))
	out.ShortSince = shortSince(&out, seen.group.Status.Seats, now)
	return out
}

func problems(seen *scene) []refs.Problem {
	spec := seen.group.Spec
	var found []refs.Problem
	if seen.brand == nil {
		found = append(found, refs.NotFound("Brand", spec.BrandRef.Name))
	}
	if seen.scheduleProblem != nil {
		found = append(found, *seen.scheduleProblem)
	}
	if seen.lacking != nil {
		found = append(found, *seen.lacking)
	}
	if _, wrong := routing.CompileAssignment(spec.Assignment); len(wrong) > 0 {
		found = append(found, refs.Problem{Reason: v1alpha1.ReasonInvalid, Message: "assignment cannot be used: " + wrong.ToAggregate().Error()})
	}
	if overflow := spec.Queue.Overflow; overflow != nil {
		switch {
		case seen.overflow == nil:
			found = append(found, refs.NotFound("SkillGroup", overflow.ToRef.Name))
		case seen.overflow.Spec.BrandRef != spec.BrandRef:
			found = append(found, refs.OfAnotherBrand(seen.overflow, spec.BrandRef.Name))
		}
	}
	if seen.queueErr != nil {
		found = append(found, refs.Problem{Reason: v1alpha1.ReasonInvalid, Message: "queue cannot be used: " + seen.queueErr.Error()})
	}
	if seen.selectorErr != nil {
		found = append(found, refs.Problem{Reason: v1alpha1.ReasonInvalid, Message: "agentSelector cannot be used: " + seen.selectorErr.Error()})
	}
	return found
}
