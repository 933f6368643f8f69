package catalog

import (
	"errors"
	"maps"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/configz"
	"github.com/yingda-dev/yingda/internal/dataplane"
	"github.com/yingda-dev/yingda/internal/domain/bot"
	"github.com/yingda-dev/yingda/internal/domain/queue"
	"github.com/yingda-dev/yingda/internal/domain/quota"
	"github.com/yingda-dev/yingda/internal/domain/routing"
	"github.com/yingda-dev/yingda/internal/domain/schedule"
	"github.com/yingda-dev/yingda/internal/domain/servicelevel"
	"github.com/yingda-dev/yingda/internal/domain/survey"
	"github.com/yingda-dev/yingda/internal/store"
)

// objects are the resources of a namespace, and the cluster's calendars.
type objects struct {
	calendars []yingdav1.HolidayCalendar
	brands    []yingdav1.Brand
	channels  []yingdav1.Channel
	groups    []yingdav1.SkillGroup
	schedules []yingdav1.ShiftSchedule
	agents    []yingdav1.Agent
	playbooks []yingdav1.Playbook
	levels    []yingdav1.ServiceLevel
}

// compiled is the last good form of an object.
type compiled[T any] struct {
	// uid tells an object from one of the same name that was deleted: both began with generation 1.
	uid        types.UID
	generation int64
	value      T
}

// builder turns objects into Snapshots. It remembers the last good form of what has to be compiled.
type builder struct {
	brand     string
	calendars map[string]compiled[*schedule.Calendar]
	schedules map[string]compiled[timetable]
	playbooks map[string]compiled[playbook]
	levels    map[string]compiled[level]
	groups    map[string]compiled[skillGroup]
}

// timetable is a schedule without its calendars, and their names.
type timetable struct {
	schedule  *schedule.Schedule
	calendars []string
}

type skillGroup struct {
	object     *yingdav1.SkillGroup
	assignment routing.Assignment
	queue      queue.Rules
}

// level is a ServiceLevel with its clocks, which conversations are judged, and what is wanted of all; nil for none.
type level struct {
	spec      yingdav1.ServiceLevelSpec
	clocks    servicelevel.Clocks
	quality   *servicelevel.Quality
	emergency servicelevel.Emergency
	wanted    *servicelevel.Objectives
}

type playbook struct {
	bot    *bot.Playbook
	intake []yingdav1.IntakeField
	survey *survey.Survey
	canned []yingdav1.CannedReply
}

func newBuilder(brand string) builder { return builder{brand: brand} }

func (b *builder) build(o objects) *Snapshot {
	s := &Snapshot{
		channels: map[string]*Channel{}, groups: map[string]*Group{}, agents: map[string]*yingdav1.Agent{},
		groupsOfAgent: map[string][]string{}, generations: map[string]int64{},
	}
	for i := range o.brands {
		if o.brands[i].Name == b.brand {
			s.Brand = &o.brands[i]
			s.generations[configz.ObjectKey("Brand", b.brand)] = s.Brand.Generation
		}
	}
	b.compile(o)
	b.report(s)
	agents := b.addAgents(s, o.agents)
	b.addChannels(s, o.channels)
	if s.Brand != nil && s.Brand.Spec.Defaults.ServiceLevelRef != nil {
		s.level = b.levels[s.Brand.Spec.Defaults.ServiceLevelRef.Name].value.spec
	}
	b.addGroups(s, agents)
	b.addQuality(s)
	b.addObjectives(s)
	b.addDefaults(s)
	s.callForHelp(o.groups)
	return s
}

// compile replaces the forms of changed objects and forgets deleted ones.
func (b *builder) compile(o objects) {
	calendars, schedules, playbooks, levels, groups := b.calendars, b.schedules, b.playbooks, b.levels, b.groups
	b.calendars = map[string]compiled[*schedule.Calendar]{}
	b.schedules = map[string]compiled[timetable]{}
	b.playbooks = map[string]compiled[playbook]{}
	b.levels = map[string]compiled[level]{}
	b.groups = map[string]compiled[skillGroup]{}
	for i := range o.calendars {
		object := &o.calendars[i]
		keep(b.calendars, calendars, object, func() (*schedule.Calendar, error) {
			return schedule.CompileCalendar(object.Spec)
		})
	}
	for i := range o.schedules {
		object := &o.schedules[i]
		keep(b.schedules, schedules, object, func() (timetable, error) {
			form, err := schedule.Compile(object.Spec)
			return timetable{form, schedule.CalendarNames(object.Spec)}, err
		})
	}
	for i := range o.playbooks {
		object := &o.playbooks[i]
		keep(b.playbooks, playbooks, object, func() (playbook, error) {
			form, err := bot.Compile(object.Spec)
			asked, wrong := survey.Compile(object.Spec.Survey)
			return playbook{form, intakeFields(object.Spec.Intake), asked, object.Spec.CannedReplies}, errors.Join(err, wrong)
		})
	}
	for i := range o.levels {
		object := &o.levels[i]
		keep(b.levels, levels, object, func() (level, error) {
			clocks, _ := servicelevel.CompileClocks(object.Spec)
			judged, _ := servicelevel.CompileQuality(object.Spec.Quality)
			emergency, _ := servicelevel.CompileEmergency(object.Spec)
			wanted, _ := servicelevel.CompileObjectives(object.Spec.Objectives)
			return level{object.Spec, clocks, judged, emergency, wanted}, servicelevel.Validate(object.Spec).ToAggregate()
		})
	}
	for i := range o.groups {
		object := &o.groups[i]
		keep(b.groups, groups, object, func() (skillGroup, error) {
			_, err := routing.Members(object.Spec.AgentSelector, nil)
			assignment, wrong := routing.CompileAssignment(object.Spec.Assignment)
			rules, broken := queue.Compile(object.Spec)
			return skillGroup{object, assignment, rules}, errors.Join(err, wrong.ToAggregate(), broken)
		})
	}
}

func intakeFields(spec *yingdav1.IntakeSpec) []yingdav1.IntakeField {
	if spec == nil {
		return nil
	}
	return spec.Fields
}

// keep puts the object's newest good form into next: the one it has, if that is of this generation or the new one is bad.
func keep[T any](next, last map[string]compiled[T], object client.Object, compile func() (T, error)) {
	before, known := last[object.GetName()]
	known = known && before.uid == object.GetUID()
	// An object that no API server holds has no generation, and any may be another one.
	if known && before.generation == object.GetGeneration() && before.generation != 0 {
		next[object.GetName()] = before
		return
	}
	value, err := compile()
	switch {
	case err == nil:
		next[object.GetName()] = compiled[T]{object.GetUID(), object.GetGeneration(), value}
	case known:
		next[object.GetName()] = before
	}
}

func (b *builder) report(s *Snapshot) {
	for name, c := range b.calendars {
		s.generations[configz.ObjectKey("HolidayCalendar", name)] = c.generation
	}
	for name, c := range b.schedules {
		if _, complete := b.hours(c.value); complete {
			s.generations[configz.ObjectKey("ShiftSchedule", name)] = c.generation
		}
	}
	for name, c := range b.playbooks {
		s.generations[configz.ObjectKey("Playbook", name)] = c.generation
	}
	for name, c := range b.levels {
		s.generations[configz.ObjectKey("ServiceLevel", name)] = c.generation
	}
}

// addAgents returns the brand's Agents.
func (b *builder) addAgents(s *Snapshot, all []yingdav1.Agent) []yingdav1.Agent {
	var agents []yingdav1.Agent
	for i := range all {
		if all[i].Spec.BrandRef.Name == b.brand && all[i].DeletionTimestamp == nil {
			agents = append(agents, all[i])
			s.agents[all[i].Name] = &all[i]
			s.generations[configz.ObjectKey("Agent", all[i].Name)] = all[i].Generation
		}
	}
	return agents
}

// addGroups adds the groups in the order of their names, so that agents' groups come out sorted.
func (b *builder) addGroups(s *Snapshot, agents []yingdav1.Agent) {
	wants, weights, reminders := demands(s.channels)
	for _, name := range slices.Sorted(maps.Keys(b.groups)) {
		object := b.groups[name].value.object
		if object.Spec.BrandRef.Name != b.brand {
			continue
		}
		members, err := routing.Members(object.Spec.AgentSelector, agents)
		if err != nil {
			// It was compiled.
			continue
		}
		hours, inForce := b.scheduleOf(s, object)
		group := &Group{SkillGroup: object, Schedule: hours, Queue: b.groups[name].value.queue, Assignment: store.Assignment{
			Assignment: b.groups[name].value.assignment, Group: name, Wants: wants, Weights: weights, Reminders: reminders,
		}}
		for _, member := range members {
			spec := s.agents[member].Spec
			group.Assignment.Seats = append(group.Assignment.Seats, store.Seat{Agent: member, Capacity: spec.Capacity, Skills: spec.Skills})
			s.groupsOfAgent[member] = append(s.groupsOfAgent[member], name)
		}
		s.groups[name] = group
		if inForce {
			s.generations[configz.ObjectKey("SkillGroup", name)] = object.Generation
		}
	}
}

// demands are what the brand's conversations ask of agents: skills by how they were routed, room and a timely answer by their
// Channel.
func demands(channels map[string]*Channel) (wants map[store.Route][]yingdav1.WantedSkill, weights map[string]int32, reminders map[string]time.Duration) {
	wants, weights, reminders = map[store.Route][]yingdav1.WantedSkill{}, map[string]int32{}, map[string]time.Duration{}
	for name, channel := range channels {
		weights[name], reminders[name] = routing.Weight(channel.Spec.Type), channel.Clocks.Reply.WarnAfter
		for _, rule := range channel.Spec.Routing {
			if len(rule.Wants) > 0 {
				wants[store.Route{Channel: name, Rule: rule.Name}] = rule.Wants
			}
		}
	}
	return wants, weights, reminders
}

// addDefaults adds what the Brand's own defaults stand for.
func (b *builder) addDefaults(s *Snapshot) {
	s.Emergency, _ = servicelevel.CompileEmergency(yingdav1.ServiceLevelSpec{}) // Nothing could be wrong with it.
	if s.Brand == nil {
		return
	}
	defaults := s.Brand.Spec.Defaults
	if ref := defaults.ServiceLevelRef; ref != nil {
		if l, ok := b.levels[ref.Name]; ok {
			s.Emergency = l.value.emergency
		}
	}
	if ref := defaults.ScheduleRef; ref != nil {
		if found, ok := b.schedules[ref.Name]; ok {
			s.Schedule, _ = b.hours(found.value)
		}
	}
}

// callForHelp notes which groups call for help now. Their forms are of when they were declared, and their status is newer.
func (s *Snapshot) callForHelp(groups []yingdav1.SkillGroup) {
	for i := range groups {
		if group, known := s.groups[groups[i].Name]; known {
			group.Call = callOf(&groups[i])
		}
	}
}

// scheduleOf returns the group's schedule, nil for none, and whether that is what it declares: one that it refers to may be
// missing, or never have been one.
func (b *builder) scheduleOf(s *Snapshot, group *yingdav1.SkillGroup) (*schedule.Schedule, bool) {
	ref := group.Spec.ScheduleRef
	if ref == nil && s.Brand != nil {
		ref = s.Brand.Spec.Defaults.ScheduleRef
	}
	if ref == nil {
		return nil, true
	}
	found, known := b.schedules[ref.Name]
	if !known {
		return nil, false
	}
	hours, _ := b.hours(found.value)
	return hours, true
}

// hours is a schedule with its calendars, and whether all of them are there. It goes by what there is: a holiday that nobody
// told of is a day like any other.
func (b *builder) hours(t timetable) (form *schedule.Schedule, complete bool) {
	var calendars []*schedule.Calendar
	for _, name := range t.calendars {
		if found, known := b.calendars[name]; known {
			calendars = append(calendars, found.value)
		}
	}
	return t.schedule.With(calendars...), len(calendars) == len(t.calendars)
}

// Bare returns a Channel without a Playbook or ServiceLevel: for what comes from a Channel that is gone.
func Bare(c *yingdav1.Channel) *Channel {
	silent, _ := bot.Compile(yingdav1.PlaybookSpec{}) // Neither an empty Playbook nor an empty ServiceLevel has anything that could be wrong.
	clocks, _ := servicelevel.CompileClocks(yingdav1.ServiceLevelSpec{})
	return &Channel{Channel: c, Pool: dataplane.PoolOf(c), Playbook: silent, Clocks: clocks, Quota: quotaOf(c)}
}

// quotaOf is what the platform lets a Channel say.
func quotaOf(c *yingdav1.Channel) quota.Rules {
	if account := c.Spec.OfficialAccount; account != nil {
		return quota.Rules{UserMessages: account.MessagesPerContact}
	}
	return quota.Rules{}
}

func (b *builder) addChannels(s *Snapshot, channels []yingdav1.Channel) {
	for i := range channels {
		object := &channels[i]
		if object.Spec.BrandRef.Name != b.brand {
			continue
		}
		channel := Bare(object)
		if p, ok := b.playbooks[b.playbookName(s, object)]; ok {
			channel.PlaybookName = b.playbookName(s, object)
			channel.Playbook, channel.Intake, channel.Survey, channel.CannedReplies = p.value.bot, p.value.intake, p.value.survey, p.value.canned
		}
		if l, ok := b.levels[b.levelName(s, object)]; ok {
			channel.ServiceLevel, channel.Clocks = l.value.spec, l.value.clocks
		}
		s.channels[object.Name] = channel
		s.generations[configz.ObjectKey("Channel", object.Name)] = object.Generation
	}
}

func (b *builder) playbookName(s *Snapshot, c *yingdav1.Channel) string {
	switch {
	case c.Spec.PlaybookRef != nil:
		return c.Spec.PlaybookRef.Name
	case s.Brand != nil && s.Brand.Spec.Defaults.PlaybookRef != nil:
		return s.Brand.Spec.Defaults.PlaybookRef.Name
	default:
		return ""
	}
}

func (b *builder) levelName(s *Snapshot, c *yingdav1.Channel) string {
	switch {
	case c.Spec.ServiceLevelRef != nil:
		return c.Spec.ServiceLevelRef.Name
	case s.Brand != nil && s.Brand.Spec.Defaults.ServiceLevelRef != nil:
		return s.Brand.Spec.Defaults.ServiceLevelRef.Name
	default:
		return ""
	}
}
