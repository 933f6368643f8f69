package skillgroup

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/equality"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/conditions"
	"github.com/yingda-dev/yingda/internal/domain/routing"
)

// want are the skills that a Channel's routing rule wants of a group.
type want struct {
	channel, rule string
	skills        []v1alpha1.WantedSkill
}

// wantsOf are what the Channels want of the group, in the order of their names.
func wantsOf(group string, channels []v1alpha1.Channel) []want {
	var wants []want
	for i := range channels {
		channel := &channels[i]
		for _, rule := range wanting(channel) {
			if rule.SkillGroupRef.Name == group && channel.DeletionTimestamp == nil {
				wants = append(wants, want{channel.Name, rule.Name, rule.Wants})
			}
		}
	}
	slices.SortStableFunc(wants, func(a, b want) int { return cmp.Compare(a.channel, b.channel) })
	return wants
}

// skillsCovered says whether somebody of the group has what conversations want.
func skillsCovered(strategy v1alpha1.AssignmentStrategy, wants []want, agents []v1alpha1.Agent) conditions.Condition {
	const condition = v1alpha1.ConditionSkillsCovered
	if len(wants) == 0 {
		return conditions.True(condition, v1alpha1.ReasonCovered, "No routing rule wants skills of this group")
	}
	if strategy != v1alpha1.StrategySkilled {
		return conditions.False(condition, v1alpha1.ReasonSkillsIgnored,
			fmt.Sprintf("The strategy does not look at the skills that %s wants; set spec.assignment.strategy to Skilled", wants[0]))
	}
	for _, w := range wants {
		can := func(agent v1alpha1.Agent) bool { _, can := routing.Rank(agent.Spec.Skills, w.skills); return can }
		if !slices.ContainsFunc(agents, can) {
			return conditions.False(condition, v1alpha1.ReasonSkillsMissing,
				fmt.Sprintf("No agent of the group has what %s wants (%s); anybody serves such conversations", w, w.list()))
		}
	}
	return conditions.True(condition, v1alpha1.ReasonCovered, "For everything that routing rules want the group has an agent with the skills")
}

func (w want) String() string { return "rule " + w.rule + " of Channel " + w.channel }

func (w want) list() string {
	texts := make([]string, len(w.skills))
	for i, skill := range w.skills {
		texts[i] = fmt.Sprintf("%s at level %d or more", skill.Skill, max(skill.MinLevel, 1))
	}
	return strings.Join(texts, ", ")
}

// wanting are the Channel's rules that want skills.
func wanting(object client.Object) (rules []v1alpha1.RoutingRule) {
	channel, ok := object.(*v1alpha1.Channel)
	if !ok {
		return nil
	}
	for _, rule := range channel.Spec.Routing {
		if len(rule.Wants) > 0 {
			rules = append(rules, rule)
		}
	}
	return rules
}

// wantsChanged lets through Channels whose rules want other skills than before, or want them of another group.
func wantsChanged() predicate.Predicate {
	return predicate.Funcs{
		CreateFunc:  func(e event.CreateEvent) bool { return wanting(e.Object) != nil },
		DeleteFunc:  func(e event.DeleteEvent) bool { return wanting(e.Object) != nil },
		GenericFunc: func(event.GenericEvent) bool { return false },
		UpdateFunc: func(e event.UpdateEvent) bool {
			before, after := wanting(e.ObjectOld), wanting(e.ObjectNew)
			leaves := e.ObjectOld.GetDeletionTimestamp() == nil && e.ObjectNew.GetDeletionTimestamp() != nil
			return leaves && after != nil || !equality.Semantic.DeepEqual(before, after)
		},
	}
}
