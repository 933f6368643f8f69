package controllers_test

import (
	"strings"
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/yingda-dev/yingda/api/v1alpha1"
)

func TestAdmissionOfWhatIsOwedToCustomers(t *testing.T) {
	a := newAdmission(t)
	for name, tt := range map[string]struct {
		object client.Object
		want   string
	}{
		"a promise with everything":             {promising(v1alpha1.PromiseSpec{RemindBefore: "24h", LateText: "抱歉,晚了。", Ladder: lateRungs("1s", "720h")}), ""},
		"a promise reminded of at once":         {promising(v1alpha1.PromiseSpec{RemindBefore: "0s"}), "remindBefore must be at least 1s and at most 24h"},
		"a promise reminded of without a unit":  {promising(v1alpha1.PromiseSpec{RemindBefore: "30"}), "write remindBefore in hours, minutes and seconds, for example 30m"},
		"a promise with a long text":            {promising(v1alpha1.PromiseSpec{LateText: strings.Repeat("歉", 301)}), "spec.promise.lateText"},
		"a promise whose ladder stands still":   {promising(v1alpha1.PromiseSpec{Ladder: lateRungs("60m", "1h")}), "it counts from when the promise was due"},
		"a promise with a rung at once":         {promising(v1alpha1.PromiseSpec{Ladder: lateRungs("0s")}), "after must be at least 1s and at most 720h"},
		"a promise with a rung without a unit":  {promising(v1alpha1.PromiseSpec{Ladder: lateRungs("1")}), "write after in hours, minutes and seconds, for example 1h"},
		"a follow-up with everything":           {followingUp(v1alpha1.FollowUpSpec{BadRatingWithin: "720h", SurveyWithin: "1s", RemindBefore: "1s", Ladder: lateRungs("1h")}), ""},
		"a call-back after a month":             {followingUp(v1alpha1.FollowUpSpec{BadRatingWithin: "721h"}), "badRatingWithin must be at least 1s and at most 720h"},
		"a call-back without a unit":            {followingUp(v1alpha1.FollowUpSpec{BadRatingWithin: "24"}), "write badRatingWithin in hours, minutes and seconds, for example 24h"},
		"a phone survey after a month":          {followingUp(v1alpha1.FollowUpSpec{SurveyWithin: "721h"}), "surveyWithin must be at least 1s and at most 720h"},
		"a phone survey without a unit":         {followingUp(v1alpha1.FollowUpSpec{SurveyWithin: "72"}), "write surveyWithin in hours, minutes and seconds, for example 72h"},
		"a call reminded of a week before":      {followingUp(v1alpha1.FollowUpSpec{RemindBefore: "168h"}), "remindBefore must be at least 1s and at most 24h"},
		"a call reminded of without a unit":     {followingUp(v1alpha1.FollowUpSpec{RemindBefore: "2"}), "write remindBefore in hours, minutes and seconds, for example 2h"},
		"a follow-up whose ladder stands still": {followingUp(v1alpha1.FollowUpSpec{Ladder: lateRungs("60m", "1h")}), "it counts from when the call was due"},
		"a compensation with everything": {compensating(v1alpha1.CompensationSpec{
			Kinds:  []v1alpha1.CompensationKind{v1alpha1.CompensationGift, v1alpha1.CompensationRefund},
			Limits: []v1alpha1.CompensationLimit{{Role: v1alpha1.RoleAgent, UpTo: 0}, {Role: v1alpha1.RoleAdmin, UpTo: 10000000}},
		}), ""},
		"a compensation without limits":       {compensating(v1alpha1.CompensationSpec{}), "spec.complaint.compensation.limits"},
		"a compensation of what there is not": {compensating(v1alpha1.CompensationSpec{Kinds: []v1alpha1.CompensationKind{"Yacht"}, Limits: []v1alpha1.CompensationLimit{{Role: v1alpha1.RoleAgent}}}), "Unsupported value"},
		"a compensation with a role twice":    {compensating(v1alpha1.CompensationSpec{Limits: []v1alpha1.CompensationLimit{{Role: v1alpha1.RoleAgent}, {Role: v1alpha1.RoleAgent}}}), "Duplicate value"},
		"a compensation above all bounds":     {compensating(v1alpha1.CompensationSpec{Limits: []v1alpha1.CompensationLimit{{Role: v1alpha1.RoleAgent, UpTo: 10000001}}}), "upTo"},
	} {
		t.Run(name, func(t *testing.T) {
			a := &admission{t: t, client: a.client, namespace: a.namespace}
			tt.object.SetNamespace(a.namespace)
			a.check(a.client.Create(t.Context(), tt.object, client.DryRunAll), tt.want)
		})
	}
}

func promising(spec v1alpha1.PromiseSpec) *v1alpha1.ServiceLevel {
	level := serviceLevel("standard")
	level.Spec.Promise = spec
	return level
}

func followingUp(spec v1alpha1.FollowUpSpec) *v1alpha1.ServiceLevel {
	level := serviceLevel("standard")
	level.Spec.FollowUp = spec
	return level
}

func compensating(spec v1alpha1.CompensationSpec) *v1alpha1.ServiceLevel {
	level := serviceLevel("standard")
	level.Spec.Complaint.Compensation = &spec
	return level
}

func lateRungs(after ...string) (rungs []v1alpha1.LateRung) {
	for _, a := range after {
		rungs = append(rungs, v1alpha1.LateRung{After: a, Notify: v1alpha1.RoleSupervisor})
	}
	return rungs
}
