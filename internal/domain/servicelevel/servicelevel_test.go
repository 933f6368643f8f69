package servicelevel

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
)

func rung(after string, notify yingdav1.AgentRole) yingdav1.EscalationRung {
	return yingdav1.EscalationRung{After: after, Notify: notify}
}

func TestLadder(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		ladder  []yingdav1.EscalationRung
		want    []Rung
		wantErr string
	}{
		"an empty ladder calls the supervisors after an hour": {
			want: []Rung{{After: time.Hour, Notify: yingdav1.RoleSupervisor}},
		},
		"rungs count from the start of the complaint": {
			ladder: []yingdav1.EscalationRung{rung("1h", yingdav1.RoleSupervisor), rung("4h", yingdav1.RoleAdmin)},
			want:   []Rung{{After: time.Hour, Notify: yingdav1.RoleSupervisor}, {After: 4 * time.Hour, Notify: yingdav1.RoleAdmin}},
		},
		"seconds are allowed": {
			ladder: []yingdav1.EscalationRung{rung("1s", yingdav1.RoleAdmin)},
			want:   []Rung{{After: time.Second, Notify: yingdav1.RoleAdmin}},
		},
		"a rung that is not later is refused": {
			ladder:  []yingdav1.EscalationRung{rung("1h", yingdav1.RoleSupervisor), rung("60m", yingdav1.RoleAdmin)},
			wantErr: "spec.complaint.ladder[1].after: Invalid value: \"60m\": must be longer than the rung before",
		},
		"a duration of another form is refused": {
			ladder:  []yingdav1.EscalationRung{rung("1.5h", yingdav1.RoleSupervisor)},
			wantErr: "spec.complaint.ladder[0].after: Invalid value: \"1.5h\": write whole hours",
		},
		"a rung after more than a month is refused": {
			ladder:  []yingdav1.EscalationRung{rung("721h", yingdav1.RoleSupervisor)},
			wantErr: "must be at least 1s and at most 720h",
		},
		"agents are not called by a ladder": {
			ladder:  []yingdav1.EscalationRung{rung("1h", yingdav1.RoleAgent)},
			wantErr: "spec.complaint.ladder[0].notify: Unsupported value",
		},
		"a ladder of six rungs is refused": {
			ladder:  make([]yingdav1.EscalationRung, 6),
			wantErr: "must have at most 5 items",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := Ladder(yingdav1.ComplaintSpec{Ladder: tc.ladder})
			checkError(t, err, tc.wantErr)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("Ladder (-want +got):\n%s", diff)
			}
		})
	}
}

func checkError(t *testing.T, err error, want string) {
	t.Helper()
	if want == "" {
		if err != nil {
			t.Errorf("unexpected error: %v", err)
		}
		return
	}
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v, want one with %q", err, want)
	}
}

func TestDue(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	for name, tc := range map[string]struct {
		got  time.Time
		want time.Duration
	}{
		"a follow-up is due within three days by default":    {FollowUpDue(start, yingdav1.ComplaintSpec{}), 72 * time.Hour},
		"a follow-up is due within the days of the spec":     {FollowUpDue(start, yingdav1.ComplaintSpec{FollowUpWithinDays: 7}), 7 * day},
		"a follow-up of nonsense days falls to the default":  {FollowUpDue(start, yingdav1.ComplaintSpec{FollowUpWithinDays: -1}), 3 * day},
		"off hours are answered within an hour by default":   {OffHoursDue(start, yingdav1.OffHoursSpec{}), time.Hour},
		"off hours are answered within the time of the spec": {OffHoursDue(start, yingdav1.OffHoursSpec{AnswerWithin: "90m"}), 90 * time.Minute},
		"off hours that cannot be read fall to the default":  {OffHoursDue(start, yingdav1.OffHoursSpec{AnswerWithin: "soon"}), time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := tc.got.Sub(start); got != tc.want {
				t.Errorf("due after %v, want %v", got, tc.want)
			}
		})
	}
}

func TestValidate(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		spec    yingdav1.ServiceLevelSpec
		wantErr string
	}{
		"an empty spec is valid": {},
		"a full spec is valid": {spec: yingdav1.ServiceLevelSpec{
			Complaint: yingdav1.ComplaintSpec{Ladder: []yingdav1.EscalationRung{rung("2s", yingdav1.RoleSupervisor)}, FollowUpWithinDays: 30},
			OffHours:  yingdav1.OffHoursSpec{AnswerWithin: "24h"},
		}},
		"a broken rung is named": {
			spec:    yingdav1.ServiceLevelSpec{Complaint: yingdav1.ComplaintSpec{Ladder: []yingdav1.EscalationRung{rung("", yingdav1.RoleAdmin)}}},
			wantErr: "spec.complaint.ladder[0].after",
		},
		"too many days are refused": {
			spec:    yingdav1.ServiceLevelSpec{Complaint: yingdav1.ComplaintSpec{FollowUpWithinDays: 31}},
			wantErr: "spec.complaint.followUpWithinDays",
		},
		"an answer after seconds is refused": {
			spec:    yingdav1.ServiceLevelSpec{OffHours: yingdav1.OffHoursSpec{AnswerWithin: "59s"}},
			wantErr: "spec.offHours.answerWithin: Invalid value: \"59s\": must be at least 1m and at most 24h",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var err error
			if errs := Validate(tc.spec); len(errs) > 0 {
				err = errs.ToAggregate()
			}
			checkError(t, err, tc.wantErr)
		})
	}
}
