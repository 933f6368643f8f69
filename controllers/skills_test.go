package controllers_test

import (
	"testing"

	"github.com/yingda-dev/yingda/api/v1alpha1"
)

func TestAGroupSaysWhetherItHasTheSkillsThatAreWanted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.servedBrand("lumi")
	declared := assigned(v1alpha1.SkillGroupAssignment{Strategy: v1alpha1.StrategySkilled})
	w.create(declared, agent("xiaomei", "lumi", map[string]string{"team": "after-sales"}))
	group := &v1alpha1.SkillGroup{}
	says := func(reason, message string) {
		t.Helper()
		if found := w.waitFor(group, "after-sales", v1alpha1.ConditionSkillsCovered, reason); found.Message != message {
			t.Errorf("message is %q, want %q", found.Message, message)
		}
	}
	says(v1alpha1.ReasonCovered, "No routing rule wants skills of this group")

	w.create(channel("shop", "lumi", wants("refund", 2)))
	says(v1alpha1.ReasonSkillsMissing, "No agent of the group has what rule refund-words of Channel shop wants (refund at level 2 or more); anybody serves such conversations")
	w.waitFor(group, "after-sales", v1alpha1.ConditionReady, v1alpha1.ReasonReady)

	change(w, "xiaomei", &v1alpha1.Agent{}, func(a *v1alpha1.Agent) { a.Spec.Skills = []v1alpha1.AgentSkill{{Name: "refund", Level: 2}} })
	says(v1alpha1.ReasonCovered, "For everything that routing rules want the group has an agent with the skills")

	change(w, "after-sales", group, func(g *v1alpha1.SkillGroup) { g.Spec.Assignment.Strategy = v1alpha1.StrategyLeastBusy })
	says(v1alpha1.ReasonSkillsIgnored, "The strategy does not look at the skills that rule refund-words of Channel shop wants; set spec.assignment.strategy to Skilled")
}
