package routing

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
)

func TestCompileAssignment(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		spec    yingdav1.SkillGroupAssignment
		want    Assignment
		wantErr string
	}{
		"nothing declared is the schema's default": {
			want: Assignment{Strategy: yingdav1.StrategyLeastBusy, RelaxSkillsAfter: time.Minute},
		},
		"everything declared": {
			spec: yingdav1.SkillGroupAssignment{Strategy: yingdav1.StrategySkilled, StickyFor: "24h", RelaxSkillsAfter: "90s", ReassignAfter: "5m"},
			want: Assignment{Strategy: yingdav1.StrategySkilled, StickyFor: 24 * time.Hour, RelaxSkillsAfter: 90 * time.Second, ReassignAfter: 5 * time.Minute},
		},
		"a strategy that does not exist": {
			spec:    yingdav1.SkillGroupAssignment{Strategy: "Cheapest"},
			wantErr: `spec.assignment.strategy: Unsupported value: "Cheapest"`,
		},
		"a duration of another form": {
			spec:    yingdav1.SkillGroupAssignment{StickyFor: "1d"},
			wantErr: `spec.assignment.stickyFor: Invalid value: "1d": write whole hours`,
		},
		"a duration beyond the bounds": {
			spec:    yingdav1.SkillGroupAssignment{ReassignAfter: "9s"},
			wantErr: `spec.assignment.reassignAfter: Invalid value: "9s": must be at least 10s and at most 24h0m0s`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, wrong := CompileAssignment(tc.spec)
			if tc.wantErr != "" {
				if err := wrong.ToAggregate(); err == nil || !strings.Contains(err.Error(), tc.wantErr) {
					t.Fatalf("err = %v, want %s", err, tc.wantErr)
				}
				return
			}
			if diff := cmp.Diff(tc.want, got); diff != "" || len(wrong) > 0 {
				t.Errorf("%v (-want +got):\n%s", wrong, diff)
			}
		})
	}
}

func TestRank(t *testing.T) {
	t.Parallel()
	skills := []yingdav1.AgentSkill{{Name: "refund", Level: 3}, {Name: "lang-en"}}
	for name, tc := range map[string]struct {
		wants []yingdav1.WantedSkill
		rank  int32
		can   bool
	}{
		"who wants nothing gets anybody":         {nil, 0, true},
		"exactly the level":                      {[]yingdav1.WantedSkill{{Skill: "refund", MinLevel: 3}}, 0, true},
		"more than the level comes later":        {[]yingdav1.WantedSkill{{Skill: "refund", MinLevel: 1}}, 2, true},
		"less than the level":                    {[]yingdav1.WantedSkill{{Skill: "refund", MinLevel: 4}}, 0, false},
		"a skill without levels is of the first": {[]yingdav1.WantedSkill{{Skill: "lang-en"}}, 0, true},
		"all of several":                         {[]yingdav1.WantedSkill{{Skill: "lang-en"}, {Skill: "refund", MinLevel: 2}}, 1, true},
		"one of two is not enough":               {[]yingdav1.WantedSkill{{Skill: "refund"}, {Skill: "lang-de"}}, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if rank, can := Rank(skills, tc.wants); rank != tc.rank || can != tc.can {
				t.Errorf("rank %d, can %t; want %d, %t", rank, can, tc.rank, tc.can)
			}
		})
	}
}

func TestAChatWeighsOneAlsoWhenItsChannelIsGone(t *testing.T) {
	t.Parallel()
	for _, kind := range []yingdav1.ChannelType{yingdav1.ChannelTypeMiniProgram, yingdav1.ChannelTypeOfficialAccount, ""} {
		if got := Weight(kind); got != 1 {
			t.Errorf("a conversation on a Channel of type %q weighs %d", kind, got)
		}
	}
}
