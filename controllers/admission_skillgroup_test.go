package controllers_test

import (
	"testing"

	"github.com/yingda-dev/yingda/api/v1alpha1"
)

func TestAdmissionOfSkillGroups(t *testing.T) { newAdmission(t).tries(skillGroupAttempts()) }

func skillGroupAttempts() map[string]attempt {
	return map[string]attempt{
		"a priority of a topic":                      {prior(v1alpha1.PriorityMatch{Topics: []string{"complaint"}}), ""},
		"a priority of a tier":                       {prior(v1alpha1.PriorityMatch{Tiers: []string{"vip", "gold-2"}}), ""},
		"a priority of nothing":                      {prior(v1alpha1.PriorityMatch{}), "set at least one of topics and tiers"},
		"a priority of a tier in Chinese":            {prior(v1alpha1.PriorityMatch{Tiers: []string{"贵宾"}}), "write tiers in lower-case letters, digits and hyphens"},
		"an assignment with everything":              {assigned(v1alpha1.SkillGroupAssignment{Strategy: v1alpha1.StrategySkilled, StickyFor: "24h", RelaxSkillsAfter: "1m", ReassignAfter: "5m"}), ""},
		"a strategy that does not exist":             {assigned(v1alpha1.SkillGroupAssignment{Strategy: "Cheapest"}), "Unsupported value"},
		"the longest stickyFor":                      {assigned(v1alpha1.SkillGroupAssignment{StickyFor: "720h"}), ""},
		"a stickyFor without a unit":                 {assigned(v1alpha1.SkillGroupAssignment{StickyFor: "24"}), "write stickyFor in hours, minutes and seconds, for example 24h"},
		"a stickyFor of a year":                      {assigned(v1alpha1.SkillGroupAssignment{StickyFor: "999h"}), "stickyFor must be at least 1m and at most 720h"},
		"the shortest relaxSkillsAfter":              {assigned(v1alpha1.SkillGroupAssignment{RelaxSkillsAfter: "1s"}), ""},
		"a relaxSkillsAfter without a unit":          {assigned(v1alpha1.SkillGroupAssignment{RelaxSkillsAfter: "soon"}), "write relaxSkillsAfter in hours, minutes and seconds, for example 1m"},
		"a relaxSkillsAfter of no length":            {assigned(v1alpha1.SkillGroupAssignment{RelaxSkillsAfter: "0s"}), "relaxSkillsAfter must be at least 1s and at most 24h"},
		"the shortest reassignAfter":                 {assigned(v1alpha1.SkillGroupAssignment{ReassignAfter: "10s"}), ""},
		"a reassignAfter without a unit":             {assigned(v1alpha1.SkillGroupAssignment{ReassignAfter: "5"}), "write reassignAfter in hours, minutes and seconds, for example 5m"},
		"a reassignAfter that nobody keeps":          {assigned(v1alpha1.SkillGroupAssignment{ReassignAfter: "9s"}), "reassignAfter must be at least 10s and at most 24h"},
		"a group whose agents are chosen by a label": {skillGroup("after-sales", "lumi"), ""},
		"as many seats at least as at most":          {seated(v1alpha1.SkillGroupSeats{Min: new(int32(3)), Max: new(int32(3))}), ""},
		"more seats at least than at most":           {seated(v1alpha1.SkillGroupSeats{Min: new(int32(4)), Max: new(int32(3))}), "max must not be less than min"},
		"seats at most, and none at least":           {seated(v1alpha1.SkillGroupSeats{Max: new(int32(1))}), ""},
		"seats at least, and no limit":               {seated(v1alpha1.SkillGroupSeats{Min: new(int32(10_000))}), ""},
		"no seats at most":                           {seated(v1alpha1.SkillGroupSeats{Max: new(int32(0))}), "should be greater than or equal to 1"},
		"fewer than no seats":                        {seated(v1alpha1.SkillGroupSeats{Min: new(int32(-1))}), "should be greater than or equal to 0"},
		"more asked for than at most":                {seated(v1alpha1.SkillGroupSeats{Asked: new(int32(5)), Max: new(int32(3))}), ""},
		"a queue that overflows after a wait":        {queued(v1alpha1.SkillGroupQueue{Overflow: overflow("3m", "pre-sales")}), ""},
		"a queue that overflows when it is full":     {queued(v1alpha1.SkillGroupQueue{MaxLength: new(int32(20)), Overflow: overflow("", "pre-sales")}), ""},
		"a queue that overflows into itself":         {queued(v1alpha1.SkillGroupQueue{Overflow: overflow("3m", "after-sales")}), "name another SkillGroup than the one that overflows"},
		"an overflow after no time that there is":    {queued(v1alpha1.SkillGroupQueue{Overflow: overflow("soon", "pre-sales")}), "write after in hours, minutes and seconds"},
		"the shortest wait":                          {queued(v1alpha1.SkillGroupQueue{Overflow: overflow("10s", "pre-sales")}), ""},
		"too short a wait":                           {queued(v1alpha1.SkillGroupQueue{Overflow: overflow("9s", "pre-sales")}), "after must be at least 10s and at most 24h"},
		"too long a wait":                            {queued(v1alpha1.SkillGroupQueue{Overflow: overflow("25h", "pre-sales")}), "after must be at least 10s and at most 24h"},
		"an alert at nobody":                         {queued(v1alpha1.SkillGroupQueue{AlertLength: new(int32(0))}), "should be greater than or equal to 1"},
		"a queue without room":                       {queued(v1alpha1.SkillGroupQueue{MaxLength: new(int32(0))}), "should be greater than or equal to 1"},
		"no ageing":                                  {aged(0), ""},
		"ageing beyond its bound":                    {aged(1001), "should be less than or equal to 1000"},
		"more asked for than any group has":          {seated(v1alpha1.SkillGroupSeats{Asked: new(int32(10_001))}), "should be less than or equal to 10000"},
		"customers are answered within two minutes":  {seated(v1alpha1.SkillGroupSeats{AnsweredWithin: "2m"}), ""},
		"a promise with all that it may say": {seated(v1alpha1.SkillGroupSeats{
			AnsweredWithin: "1m30s", AnsweredPercent: new(int32(99)), MaxOccupancyPercent: new(int32(100)), ShrinkagePercent: new(int32(0)),
		}), ""},
		"a promise in days":                  {seated(v1alpha1.SkillGroupSeats{AnsweredWithin: "1d"}), "write answeredWithin in hours, minutes and seconds, for example 2m"},
		"an answer before the question":      {seated(v1alpha1.SkillGroupSeats{AnsweredWithin: "0s"}), "answeredWithin must be at least 1s and at most 24h"},
		"an answer the day after":            {seated(v1alpha1.SkillGroupSeats{AnsweredWithin: "25h"}), "answeredWithin must be at least 1s and at most 24h"},
		"a percentage without a promise":     {seated(v1alpha1.SkillGroupSeats{AnsweredPercent: new(int32(90))}), "set answeredWithin as well"},
		"an occupancy without a promise":     {seated(v1alpha1.SkillGroupSeats{MaxOccupancyPercent: new(int32(85))}), "set answeredWithin as well"},
		"a shrinkage without a promise":      {seated(v1alpha1.SkillGroupSeats{ShrinkagePercent: new(int32(30))}), "set answeredWithin as well"},
		"everybody is answered in time":      {seated(v1alpha1.SkillGroupSeats{AnsweredWithin: "2m", AnsweredPercent: new(int32(100))}), "should be less than or equal to 99"},
		"nobody is answered in time":         {seated(v1alpha1.SkillGroupSeats{AnsweredWithin: "2m", AnsweredPercent: new(int32(0))}), "should be greater than or equal to 1"},
		"agents who are hardly ever busy":    {seated(v1alpha1.SkillGroupSeats{AnsweredWithin: "2m", MaxOccupancyPercent: new(int32(9))}), "should be greater than or equal to 10"},
		"agents who are more than busy":      {seated(v1alpha1.SkillGroupSeats{AnsweredWithin: "2m", MaxOccupancyPercent: new(int32(101))}), "should be less than or equal to 100"},
		"a roster of whom hardly any come":   {seated(v1alpha1.SkillGroupSeats{AnsweredWithin: "2m", ShrinkagePercent: new(int32(91))}), "should be less than or equal to 90"},
		"a roster of whom more come than be": {seated(v1alpha1.SkillGroupSeats{AnsweredWithin: "2m", ShrinkagePercent: new(int32(-1))}), "should be greater than or equal to 0"},
	}
}

func prior(when v1alpha1.PriorityMatch) *v1alpha1.SkillGroup {
	group := skillGroup("after-sales", "lumi")
	group.Spec.Priorities = []v1alpha1.PriorityRule{{Name: "rule", When: when, Add: 100}}
	return group
}

func seated(seats v1alpha1.SkillGroupSeats) *v1alpha1.SkillGroup {
	group := skillGroup("after-sales", "lumi")
	group.Spec.Seats = seats
	return group
}

func assigned(assignment v1alpha1.SkillGroupAssignment) *v1alpha1.SkillGroup {
	group := skillGroup("after-sales", "lumi")
	group.Spec.Assignment = assignment
	return group
}

func queued(queue v1alpha1.SkillGroupQueue) *v1alpha1.SkillGroup {
	group := skillGroup("after-sales", "lumi")
	group.Spec.Queue = queue
	return group
}

func overflow(after, to string) *v1alpha1.QueueOverflow {
	return &v1alpha1.QueueOverflow{After: after, ToRef: v1alpha1.SkillGroupReference{Name: to}}
}

func aged(points int32) *v1alpha1.SkillGroup {
	group := skillGroup("after-sales", "lumi")
	group.Spec.PriorityAgeing = &points
	return group
}
