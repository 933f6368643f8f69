package servicelevel

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
)

func late(after string, notify yingdav1.AgentRole) yingdav1.LateRung {
	return yingdav1.LateRung{After: after, Notify: notify}
}

func TestCompilePromise(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		spec    yingdav1.PromiseSpec
		want    Keeping
		wantErr string
	}{
		"without a word somebody is reminded half an hour before": {want: Keeping{RemindBefore: 30 * time.Minute}},
		"rungs count from when it was due": {
			spec: yingdav1.PromiseSpec{RemindBefore: "5m", Ladder: []yingdav1.LateRung{late("1h", yingdav1.RoleSupervisor), late("4h", yingdav1.RoleAdmin)}},
			want: Keeping{5 * time.Minute, []Rung{{time.Hour, yingdav1.RoleSupervisor}, {4 * time.Hour, yingdav1.RoleAdmin}}},
		},
		"a reminder a week before is refused": {
			spec: yingdav1.PromiseSpec{RemindBefore: "168h"}, wantErr: "spec.promise.remindBefore: Invalid value: \"168h\": must be at least 1s and at most 24h",
		},
		"a rung that is not later is refused": {
			spec:    yingdav1.PromiseSpec{Ladder: []yingdav1.LateRung{late("1h", yingdav1.RoleAdmin), late("60m", yingdav1.RoleAdmin)}},
			wantErr: "spec.promise.ladder[1].after: Invalid value: \"60m\": must be longer than the rung before",
		},
		"agents are not called by a ladder": {
			spec: yingdav1.PromiseSpec{Ladder: []yingdav1.LateRung{late("1h", yingdav1.RoleAgent)}}, wantErr: "spec.promise.ladder[0].notify: Unsupported value",
		},
		"a ladder of six rungs is refused": {
			spec: yingdav1.PromiseSpec{Ladder: make([]yingdav1.LateRung, 6)}, wantErr: "must have at most 5 items",
		},
		"a text longer than a message is refused": {
			spec: yingdav1.PromiseSpec{LateText: strings.Repeat("歉", 301)}, wantErr: "spec.promise.lateText",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, wrong := CompilePromise(tc.spec)
			checkError(t, wrong.ToAggregate(), tc.wantErr)
			if diff := cmp.Diff(tc.want, got); tc.wantErr == "" && diff != "" {
				t.Errorf("keeping (-want +got):\n%s", diff)
			}
			checkError(t, Validate(yingdav1.ServiceLevelSpec{Promise: tc.spec}).ToAggregate(), tc.wantErr)
		})
	}
}

func TestCompileFollowUp(t *testing.T) {
	t.Parallel()
	defaults := FollowUp{Keeping{RemindBefore: 2 * time.Hour}, 24 * time.Hour, 72 * time.Hour}
	for name, tc := range map[string]struct {
		spec    yingdav1.FollowUpSpec
		want    FollowUp
		wantErr string
	}{
		"without a word a bad rating is called back within a day": {want: defaults},
		"what is declared counts": {
			spec: yingdav1.FollowUpSpec{BadRatingWithin: "720h", SurveyWithin: "1s", RemindBefore: "1m", Ladder: []yingdav1.LateRung{late("1h", yingdav1.RoleAdmin)}},
			want: FollowUp{Keeping{time.Minute, []Rung{{time.Hour, yingdav1.RoleAdmin}}}, 720 * time.Hour, time.Second},
		},
		"a call after more than a month is refused": {
			spec: yingdav1.FollowUpSpec{BadRatingWithin: "721h"}, wantErr: "spec.followUp.badRatingWithin: Invalid value: \"721h\": must be at least 1s and at most 720h",
		},
		"what is no duration is named": {spec: yingdav1.FollowUpSpec{SurveyWithin: "soon"}, wantErr: "spec.followUp.surveyWithin"},
		"a rung of no length is refused": {
			spec: yingdav1.FollowUpSpec{Ladder: []yingdav1.LateRung{late("0s", yingdav1.RoleAdmin)}}, wantErr: "spec.followUp.ladder[0].after",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, wrong := CompileFollowUp(tc.spec)
			checkError(t, wrong.ToAggregate(), tc.wantErr)
			if diff := cmp.Diff(tc.want, got); tc.wantErr == "" && diff != "" {
				t.Errorf("follow-up (-want +got):\n%s", diff)
			}
			checkError(t, Validate(yingdav1.ServiceLevelSpec{FollowUp: tc.spec}).ToAggregate(), tc.wantErr)
		})
	}
}

func TestCompensationIsValidated(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		spec    *yingdav1.CompensationSpec
		wantErr string
	}{
		"nothing may be offered":         {},
		"a limit by role is valid":       {spec: &yingdav1.CompensationSpec{Limits: []yingdav1.CompensationLimit{{Role: yingdav1.RoleAgent, UpTo: 2000}}}},
		"without limits it says nothing": {spec: &yingdav1.CompensationSpec{}, wantErr: "spec.complaint.compensation.limits: Required value"},
		"a limit below zero is none":     {spec: &yingdav1.CompensationSpec{Limits: []yingdav1.CompensationLimit{{Role: yingdav1.RoleAgent, UpTo: -1}}}, wantErr: "limits[0].upTo"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			checkError(t, Validate(yingdav1.ServiceLevelSpec{Complaint: yingdav1.ComplaintSpec{Compensation: tc.spec}}).ToAggregate(), tc.wantErr)
		})
	}
}
