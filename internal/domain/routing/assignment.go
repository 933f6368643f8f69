package routing

import (
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/util/validation/field"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/domain/duration"
)

// Assignment is a SkillGroup's spec.assignment in a form to work with.
type Assignment struct {
	Strategy yingdav1.AssignmentStrategy
	// StickyFor and ReassignAfter are zero where the group has none.
	StickyFor, RelaxSkillsAfter, ReassignAfter time.Duration
}

// relaxSkillsAfter is the schema's default.
const relaxSkillsAfter = time.Minute

// CompileAssignment reads spec.assignment; of a spec without the schema's defaults it takes these. It refuses what the schema
// refuses.
func CompileAssignment(spec yingdav1.SkillGroupAssignment) (Assignment, field.ErrorList) {
	r := reader{path: field.NewPath("spec", "assignment")}
	return Assignment{
		Strategy:         r.strategy(spec.Strategy),
		StickyFor:        r.duration("stickyFor", spec.StickyFor, 0, time.Minute, 720*time.Hour),
		RelaxSkillsAfter: r.duration("relaxSkillsAfter", spec.RelaxSkillsAfter, relaxSkillsAfter, time.Second, 24*time.Hour),
		ReassignAfter:    r.duration("reassignAfter", spec.ReassignAfter, 0, 10*time.Second, 24*time.Hour),
	}, r.wrong
}

// reader collects what is wrong with a spec that it reads.
type reader struct {
	path  *field.Path
	wrong field.ErrorList
}

func (r *reader) strategy(given yingdav1.AssignmentStrategy) yingdav1.AssignmentStrategy {
	known := []yingdav1.AssignmentStrategy{
		yingdav1.StrategyLeastBusy, yingdav1.StrategyLongestIdle, yingdav1.StrategyRoundRobin, yingdav1.StrategySkilled,
	}
	switch {
	case given == "":
		return yingdav1.StrategyLeastBusy
	case !slices.Contains(known, given):
		r.wrong = append(r.wrong, field.NotSupported(r.path.Child("strategy"), given, known))
	}
	return given
}

func (r *reader) duration(name, text string, otherwise, least, most time.Duration) time.Duration {
	if text == "" {
		return otherwise
	}
	d, err := duration.Parse(text)
	if err == nil && (d < least || d > most) {
		err = fmt.Errorf("must be at least %s and at most %s", least, most)
	}
	if err != nil {
		r.wrong = append(r.wrong, field.Invalid(r.path.Child(name), text, err.Error()))
	}
	return d
}

// Rank says whether an agent has all the skills that are wanted and, if so, how far beyond them they are: the lowest that
// will do comes first, so that those who can do more stay free for who needs them. Wanting nothing, all are equal.
func Rank(skills []yingdav1.AgentSkill, wants []yingdav1.WantedSkill) (rank int32, can bool) {
	for i := range wants {
		level := levelOf(skills, wants[i].Skill)
		least := max(wants[i].MinLevel, 1)
		if level < least {
			return 0, false
		}
		rank += level - least
	}
	return rank, true
}

// levelOf is 0 for a skill that the agent has not.
func levelOf(skills []yingdav1.AgentSkill, name string) int32 {
	for i := range skills {
		if skills[i].Name == name {
			return max(skills[i].Level, 1)
		}
	}
	return 0
}

// Weight is how much of an agent's capacity a conversation on a Channel of the type takes. One that weighs more than an agent
// has takes all of it: that is how a call, beside which nothing else can be done, is to be said.
func Weight(kind yingdav1.ChannelType) int32 {
	const chat = 1
	switch kind {
	case yingdav1.ChannelTypeMiniProgram, yingdav1.ChannelTypeOfficialAccount:
		return chat
	default:
		// What is left of a Channel that is gone.
		return chat
	}
}
