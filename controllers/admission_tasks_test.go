package controllers_test

import (
	"strings"
	"testing"

	"github.com/yingda-dev/yingda/api/v1alpha1"
)

func TestAdmissionOfTasks(t *testing.T) { newAdmission(t).tries(taskAttempts()) }

// taskAttempts tries what a ServiceLevel says of promises, of calls, and of what is offered to who complained.
func taskAttempts() map[string]attempt {
	level := func(edit func(*v1alpha1.ServiceLevelSpec)) *v1alpha1.ServiceLevel {
		level := serviceLevel("standard")
		edit(&level.Spec)
		return level
	}
	saying := func(text string) *v1alpha1.ServiceLevel {
		return level(func(s *v1alpha1.ServiceLevelSpec) { s.Promise.LateText = text })
	}
	offering := func(kind v1alpha1.CompensationKind, limits ...v1alpha1.CompensationLimit) *v1alpha1.ServiceLevel {
		return level(func(s *v1alpha1.ServiceLevelSpec) {
			s.Complaint.Compensation = &v1alpha1.CompensationSpec{Kinds: []v1alpha1.CompensationKind{kind}, Limits: limits}
		})
	}
	agents := v1alpha1.CompensationLimit{Role: v1alpha1.RoleAgent, UpTo: 20_00}
	tests := map[string]attempt{
		"the longest excuse":               {saying(strings.Repeat("歉", 300)), ""},
		"an excuse that is a novel":        {saying(strings.Repeat("歉", 301)), "may not be more than 300"},
		"a coupon by agents":               {offering(v1alpha1.CompensationCoupon, agents), ""},
		"a kind of gift that there is not": {offering("Apology", agents), "Unsupported value"},
		"a gift by nobody":                 {offering(v1alpha1.CompensationGift), "spec.complaint.compensation.limits"},
		"a gift by who there is not":       {offering(v1alpha1.CompensationGift, v1alpha1.CompensationLimit{Role: "Owner"}), "Unsupported value"},
		"two limits of one role":           {offering(v1alpha1.CompensationGift, agents, agents), "Duplicate value"},
	}
	for name, field := range map[string]struct {
		field, longest, beyond string
		set                    func(*v1alpha1.ServiceLevelSpec, string)
	}{
		"a reminder of a promise":    {"remindBefore", "24h", "25h", func(s *v1alpha1.ServiceLevelSpec, d string) { s.Promise.RemindBefore = d }},
		"a reminder of a call":       {"remindBefore", "24h", "25h", func(s *v1alpha1.ServiceLevelSpec, d string) { s.FollowUp.RemindBefore = d }},
		"a call after a poor rating": {"badRatingWithin", "720h", "721h", func(s *v1alpha1.ServiceLevelSpec, d string) { s.FollowUp.BadRatingWithin = d }},
		"a call for a survey":        {"surveyWithin", "720h", "721h", func(s *v1alpha1.ServiceLevelSpec, d string) { s.FollowUp.SurveyWithin = d }},
	} {
		bounds := field.field + " must be at least 1s and at most " + field.longest
		for duration, want := range map[string]string{
			"1s": "", field.longest: "", "0s": bounds, field.beyond: bounds, "1d": "write " + field.field + " in hours, minutes and seconds",
		} {
			tests[name+" by "+duration] = attempt{level(func(s *v1alpha1.ServiceLevelSpec) { field.set(s, duration) }), want}
		}
	}
	for name, ladder := range map[string]struct {
		due string
		set func(*v1alpha1.ServiceLevelSpec, []v1alpha1.LateRung)
	}{
		"a promise": {"the promise was due", func(s *v1alpha1.ServiceLevelSpec, rungs []v1alpha1.LateRung) { s.Promise.Ladder = rungs }},
		"a call":    {"the call was due", func(s *v1alpha1.ServiceLevelSpec, rungs []v1alpha1.LateRung) { s.FollowUp.Ladder = rungs }},
	} {
		for rungs, tt := range ladders(ladder.due) {
			tests[name+" with a ladder "+rungs] = attempt{level(func(s *v1alpha1.ServiceLevelSpec) { ladder.set(s, tt.rungs) }), tt.want}
		}
	}
	return tests
}

// climbed is a ladder to try, and the message of its refusal; empty means that it is accepted.
type climbed struct {
	rungs []v1alpha1.LateRung
	want  string
}

func ladders(due string) map[string]climbed {
	rungs := func(after ...string) []v1alpha1.LateRung {
		var all []v1alpha1.LateRung
		for _, a := range after {
			all = append(all, v1alpha1.LateRung{After: a, Notify: v1alpha1.RoleAdmin})
		}
		return all
	}
	calling := func(role v1alpha1.AgentRole) []v1alpha1.LateRung {
		return []v1alpha1.LateRung{{After: "1h", Notify: role}}
	}
	return map[string]climbed{
		"of five rungs":          {rungs("1s", "2m", "3m", "4m", "720h"), ""},
		"of six rungs":           {rungs("1m", "2m", "3m", "4m", "5m", "6m"), "must have at most 5 items"},
		"that stands still":      {rungs("60m", "1h"), "each rung's after must be longer than the one before: it counts from when " + due},
		"of a rung at once":      {rungs("0s"), "after must be at least 1s and at most 720h"},
		"of a rung at some time": {rungs("soon"), "write after in hours, minutes and seconds"},
		"that calls agents":      {calling(v1alpha1.RoleAgent), "a ladder calls Supervisor or Admin"},
		"that calls nobody":      {calling("Owner"), "Unsupported value"},
	}
}
