package skillgroup

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/conditions"
)

func TestSkillsCovered(t *testing.T) {
	wants := func(group string, levels ...int32) (c v1alpha1.Channel) {
		c.Name = "shop"
		rule := v1alpha1.RoutingRule{Name: "hard", SkillGroupRef: v1alpha1.SkillGroupReference{Name: group}}
		for i, level := range levels {
			rule.Wants = append(rule.Wants, v1alpha1.WantedSkill{Skill: []string{"refund", "lang-en"}[i], MinLevel: level})
		}
		c.Spec.Routing = []v1alpha1.RoutingRule{rule}
		return c
	}
	can := func(skills ...v1alpha1.AgentSkill) (a v1alpha1.Agent) { a.Spec.Skills = skills; return a }
	refund, english := v1alpha1.AgentSkill{Name: "refund", Level: 3}, v1alpha1.AgentSkill{Name: "lang-en", Level: 1}
	missing := func(list string) conditions.Condition {
		return conditions.False("SkillsCovered", "SkillsMissing", "No agent of the group has what rule hard of Channel shop wants ("+list+"); anybody serves such conversations")
	}
	covered := conditions.True("SkillsCovered", "Covered", "For everything that routing rules want the group has an agent with the skills")
	nothing := conditions.True("SkillsCovered", "Covered", "No routing rule wants skills of this group")
	for name, tt := range map[string]struct {
		channel  v1alpha1.Channel
		strategy v1alpha1.AssignmentStrategy
		agents   []v1alpha1.Agent
		want     conditions.Condition
	}{
		"nothing is wanted":             {wants("sales"), v1alpha1.StrategySkilled, nil, nothing},
		"it is wanted of another group": {wants("other", 3), v1alpha1.StrategySkilled, nil, nothing},
		"somebody can":                  {wants("sales", 3, 1), v1alpha1.StrategySkilled, []v1alpha1.Agent{can(), can(english, refund)}, covered},
		"nobody can well enough":        {wants("sales", 4), v1alpha1.StrategySkilled, []v1alpha1.Agent{can(refund)}, missing("refund at level 4 or more")},
		"only two together can":         {wants("sales", 1, 1), v1alpha1.StrategySkilled, []v1alpha1.Agent{can(refund), can(english)}, missing("refund at level 1 or more, lang-en at level 1 or more")},
		"the group does not look at skills": {
			wants("sales", 1), v1alpha1.StrategyLeastBusy,
			[]v1alpha1.Agent{can(refund)},
			conditions.False("SkillsCovered", "SkillsIgnored", "The strategy does not look at the skills that rule hard of Channel shop wants; set spec.assignment.strategy to Skilled"),
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := skillsCovered(tt.strategy, wantsOf("sales", []v1alpha1.Channel{tt.channel}), tt.agents)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("condition (-want +got):\n%s", diff)
			}
		})
	}
}
