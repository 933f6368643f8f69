// Package catalog is a brand's resources as the data plane sees them: compiled, cross-referenced and always at hand.
//
// A Catalog follows the API server through informers limited to one namespace, and one of the cluster's HolidayCalendars,
// and hands out immutable Snapshots. It writes nothing, and it goes on with the last state while the API server is away.
// What cannot be compiled (a schedule that is no schedule) is left as it was when it last could be, and its generation is
// not reported as served.
//
// A SkillGroup whose ShiftSchedule is missing, or never was one, is served around the clock: closed, its customers would
// wait for an opening that never comes. It is not served as declared, so that its generation is not reported either. Likewise
// a ShiftSchedule is served by what there is of its HolidayCalendars, and reported once all are there. Where calendars may not
// be read all else is served: whoever may not know of holidays has none.
package catalog

import (
	"cmp"
	"maps"
	"slices"
	"time"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/domain/bot"
	"github.com/yingda-dev/yingda/internal/domain/queue"
	"github.com/yingda-dev/yingda/internal/domain/quota"
	"github.com/yingda-dev/yingda/internal/domain/routing"
	"github.com/yingda-dev/yingda/internal/domain/schedule"
	"github.com/yingda-dev/yingda/internal/domain/servicelevel"
	"github.com/yingda-dev/yingda/internal/domain/survey"
	"github.com/yingda-dev/yingda/internal/store"
)

// Snapshot is one consistent view of a brand's resources. It never changes; ask the Catalog for a new one per piece of work.
type Snapshot struct {
	// Brand is nil until it was seen.
	Brand *yingdav1.Brand
	// Schedule is that of who names none; nil without one.
	Schedule *schedule.Schedule
	// Emergency says when complaints are too many; the defaults where the brand declares nothing.
	Emergency servicelevel.Emergency

	// level is what the Brand's default ServiceLevel says; the defaults without one.
	level         yingdav1.ServiceLevelSpec
	channels      map[string]*Channel
	groups        map[string]*Group
	agents        map[string]*yingdav1.Agent
	groupsOfAgent map[string][]string
	quality       *Quality
	objectives    []Objectives
	generations   map[string]int64
}

// Channel is a Channel with what its references stand for.
type Channel struct {
	*yingdav1.Channel
	// Pool is the name of the connector pool that serves it.
	Pool string
	// Playbook is never nil: without one the bot says nothing and everything goes to a human.
	Playbook *bot.Playbook
	// Intake is what customers are asked for when they are given to a human; nil asks for nothing.
	Intake []yingdav1.IntakeField
	// Survey is how customers are asked how they were served; nil asks nobody.
	Survey *survey.Survey
	// CannedReplies of the Playbook.
	CannedReplies []yingdav1.CannedReply
	// ServiceLevel holds the defaults where the brand declares none.
	ServiceLevel yingdav1.ServiceLevelSpec
	// Quota is what the platform lets us say after each contact.
	Quota quota.Rules
	// Clocks are the promises among them that run in seconds and minutes.
	Clocks servicelevel.Clocks
	// PlaybookName is empty without one.
	PlaybookName string
}

// DisplayName is the Channel's name as customers know it.
func (c *Channel) DisplayName() string { return cmp.Or(c.Spec.DisplayName, c.Name) }

// Group is a SkillGroup with what its references stand for.
type Group struct {
	*yingdav1.SkillGroup
	// Schedule is nil for a group that is always open, and for one whose schedule is not there.
	Schedule *schedule.Schedule
	// Assignment says which of the group's agents get its conversations.
	Assignment store.Assignment
	// Queue is what it declares of its queue.
	Queue queue.Rules
	// Call is not nil while the group has lacked agents for so long that those on call are called.
	Call *Call
}

// Call is a group's call for those on call.
type Call struct {
	// Since is when the group began to lack agents; it tells one call from the next.
	Since time.Time
	// Wanted and OnDuty are how many agents there should be and were when the call began.
	Wanted, OnDuty int32
	// Forecast is that of the day ahead; nil while there is none.
	Forecast *yingdav1.SkillGroupForecast
}

// Open says whether the group serves at a time.
func (g *Group) Open(at time.Time) bool { return g.Schedule == nil || g.Schedule.At(at).Open }

// Opening is when the group opens for who wrote to it since then, and found it closed; false when it does not within a year.
// Where the schedule, as it is now, was open then, it is the next moment at which the group serves.
func (g *Group) Opening(since, now time.Time) (at time.Time, known bool) {
	switch {
	case g == nil || g.Schedule == nil:
		return now, true
	case g.Open(since):
		return g.Schedule.NextOpening(now)
	default:
		return g.Schedule.NextOpening(since)
	}
}

// Due is when the group has been open for that long since then; nil when it never will have. One that is not known never closes.
func (g *Group) Due(since time.Time, d time.Duration) *time.Time {
	if g == nil || g.Schedule == nil {
		due := since.Add(d)
		return &due
	}
	due, ok := g.Schedule.AddBusinessTime(since, d)
	if !ok {
		return nil
	}
	due = due.UTC()
	return &due
}

// Passed is for how long the group was open from one moment to another. One that is not known never closes.
func (g *Group) Passed(from, until time.Time) time.Duration {
	if g == nil || g.Schedule == nil {
		return max(0, until.Sub(from))
	}
	return g.Schedule.BusinessTime(from, until)
}

// Priority is how many points a conversation with the topic has in the group's queue, of a customer of the tier.
func (g *Group) Priority(topic, tier string) int32 {
	return routing.Priority(g.Spec.Priorities, topic, tier)
}

// Channel returns the Channel of that name.
func (s *Snapshot) Channel(name string) (*Channel, bool) {
	c, ok := s.channels[name]
	return c, ok
}

// Lacks says that the brand has no Channel of that name. Nobody can say so before the Brand was seen.
func (s *Snapshot) Lacks(channel string) bool {
	_, known := s.channels[channel]
	return s.Brand != nil && !known
}

// ServiceLevel is what the Brand promises whose customers are on no Channel of it.
func (s *Snapshot) ServiceLevel() yingdav1.ServiceLevelSpec { return s.level }

// Clocks are the promises that run in seconds and minutes to the customers of a Channel; the defaults for one that is gone.
func (s *Snapshot) Clocks(channel string) servicelevel.Clocks {
	if c, ok := s.channels[channel]; ok {
		return c.Clocks
	}
	clocks, _ := servicelevel.CompileClocks(yingdav1.ServiceLevelSpec{}) // Nothing could be wrong with it.
	return clocks
}

// Departing returns the names of the Channels that are being deleted, sorted.
func (s *Snapshot) Departing() []string {
	var names []string
	for name, channel := range s.channels {
		if channel.DeletionTimestamp != nil {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// Group returns the SkillGroup of that name.
func (s *Snapshot) Group(name string) (*Group, bool) {
	g, ok := s.groups[name]
	return g, ok
}

// Groups returns all SkillGroups in order of their names.
func (s *Snapshot) Groups() []*Group {
	return slices.SortedFunc(maps.Values(s.groups), func(a, b *Group) int { return cmp.Compare(a.Name, b.Name) })
}

// Tiers are the sorts of customers that the priorities of the SkillGroups speak of, sorted.
func (s *Snapshot) Tiers() []string {
	var tiers []string
	for _, group := range s.groups {
		for i := range group.Spec.Priorities {
			tiers = append(tiers, group.Spec.Priorities[i].When.Tiers...)
		}
	}
	slices.Sort(tiers)
	return slices.Compact(tiers)
}

// DefaultGroup is the group of conversations that no routing rule claims; empty when the brand names none.
func (s *Snapshot) DefaultGroup() string {
	if s.Brand == nil || s.Brand.Spec.Defaults.SkillGroupRef == nil {
		return ""
	}
	return s.Brand.Spec.Defaults.SkillGroupRef.Name
}

// Agent returns the Agent of that name.
func (s *Snapshot) Agent(name string) (*yingdav1.Agent, bool) {
	a, ok := s.agents[name]
	return a, ok
}

// Agents returns all Agents in order of their names.
func (s *Snapshot) Agents() []*yingdav1.Agent {
	return slices.SortedFunc(maps.Values(s.agents), func(a, b *yingdav1.Agent) int { return cmp.Compare(a.Name, b.Name) })
}

// OnCall returns the names of the Agents of a group who are called when it lacks agents, sorted; "" is of all groups.
func (s *Snapshot) OnCall(group string) []string {
	var names []string
	for _, a := range s.Agents() {
		if a.Spec.OnCall == yingdav1.OnCallWhenShort && (group == "" || slices.Contains(s.GroupsOf(a.Name), group)) {
			names = append(names, a.Name)
		}
	}
	return names
}

// GroupsOf returns the names of the groups that an Agent belongs to, sorted.
func (s *Snapshot) GroupsOf(agent string) []string { return s.groupsOfAgent[agent] }

// WithRole returns the names of the Agents of a role, sorted.
func (s *Snapshot) WithRole(role yingdav1.AgentRole) []string {
	var names []string
	for _, a := range s.Agents() {
		if a.Spec.Role == role {
			names = append(names, a.Name)
		}
	}
	return names
}

// GroupAgents returns the names of the Agents who are given a group's conversations; none of a group that there is not.
func (s *Snapshot) GroupAgents(name string) []string {
	group, known := s.Group(name)
	if !known {
		return nil
	}
	agents := make([]string, len(group.Assignment.Seats))
	for i, seat := range group.Assignment.Seats {
		agents[i] = seat.Agent
	}
	return agents
}

// Supervisors are who is told of a customer of a group whom nobody serves: the supervisors among its agents, where none is all of
// them, and where there are none the admins. Sorted.
func (s *Snapshot) Supervisors(group string) []string {
	all := s.WithRole(yingdav1.RoleSupervisor)
	own := slices.DeleteFunc(slices.Clone(all), func(agent string) bool { return !slices.Contains(s.GroupsOf(agent), group) })
	switch {
	case len(own) > 0:
		return own
	case len(all) > 0:
		return all
	default:
		return s.WithRole(yingdav1.RoleAdmin)
	}
}

// Generations returns the generation in force of each object, by configz.ObjectKey.
func (s *Snapshot) Generations() map[string]int64 { return s.generations }
