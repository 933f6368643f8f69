package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:subresource:scale:specpath=.spec.seats.asked,statuspath=.status.seats.onDuty
// +kubebuilder:resource:shortName=sg,categories=yingda
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Staffed",type=string,JSONPath=`.status.conditions[?(@.type=="Staffed")].status`
// +kubebuilder:printcolumn:name="On-Duty",type=integer,JSONPath=`.status.seats.onDuty`
// +kubebuilder:printcolumn:name="Wanted",type=integer,JSONPath=`.status.seats.wanted`
// +kubebuilder:printcolumn:name="Waiting",type=integer,JSONPath=`.status.queue.waiting`
// +kubebuilder:printcolumn:name="Oldest",type=date,JSONPath=`.status.queue.oldestWaitingSince`
// +kubebuilder:printcolumn:name="Agents",type=integer,priority=1,JSONPath=`.status.agents`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:validation:XValidation:rule="!has(self.spec.queue) || !has(self.spec.queue.overflow) || self.spec.queue.overflow.toRef.name != self.metadata.name",message="name another SkillGroup than the one that overflows",fieldPath=".spec.queue.overflow.toRef.name"

// SkillGroup is a team of agents with one queue. Who of them gets the next conversation is up to spec.assignment.
type SkillGroup struct {
	metav1.TypeMeta `json:",inline"`
	// metadata of the object.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec is what the brand declares. All of it but brandRef may be changed at any time, and is in force within a second.
	// +required
	Spec SkillGroupSpec `json:"spec"`
	// status is what the operator reports.
	// +optional
	Status SkillGroupStatus `json:"status,omitempty"`
}

// SkillGroupSpec declares a SkillGroup.
// +kubebuilder:validation:XValidation:rule="self.brandRef == oldSelf.brandRef",message="brandRef is immutable; make a new SkillGroup instead"
type SkillGroupSpec struct {
	// brandRef names the Brand that this group belongs to. Cannot be changed.
	// +required
	BrandRef BrandReference `json:"brandRef"`

	// displayName is the name that agents see, at most 64 characters. Default: the object's name.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	DisplayName string `json:"displayName,omitempty"`

	// agentSelector chooses the group's agents among the Brand's Agents by their labels. An empty selector chooses all of them.
	// +required
	AgentSelector metav1.LabelSelector `json:"agentSelector"`

	// scheduleRef names the ShiftSchedule which decides when the group is open. Default: the Brand's; without either it is always open.
	// +optional
	ScheduleRef *ShiftScheduleReference `json:"scheduleRef,omitempty"`

	// assignment says who of the group's agents gets a conversation. Only those who are on duty with room for it do.
	// +optional
	// +kubebuilder:default={}
	Assignment SkillGroupAssignment `json:"assignment,omitempty"`

	// queue says when the group's queue is too long, and what becomes of who waits then.
	// +optional
	// +kubebuilder:default={}
	Queue SkillGroupQueue `json:"queue,omitempty"`

	// priorities move conversations forward in the queue, at most 32 rules; those that match are added up. What the sum is worth
	// against the time of waiting says priorityAgeing. Default: none.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=32
	Priorities []PriorityRule `json:"priorities,omitempty"`

	// priorityAgeing is how many points of priority a conversation gains with each minute that it waits, 0 to 1000. Default 10:
	// with 200 points a conversation comes before those that have waited up to 20 minutes longer, and after the others, so that
	// nobody waits forever. 0 gives nothing for waiting: whoever has more points comes first (before anybody who has waited up to
	// three days longer for each point). A change sorts the queue anew.
	// +optional
	// +kubebuilder:default=10
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=1000
	PriorityAgeing *int32 `json:"priorityAgeing,omitempty"`

	// seats bounds how many of the group's agents are wanted on duty, and says what its customers are promised. How many are wanted
	// is up to the schedule, to whoever asks for more, and to what the customers' promise takes: the largest of the three, within
	// min and max. Whether that many are on duty is the condition Staffed.
	// +optional
	// +kubebuilder:default={}
	Seats SkillGroupSeats `json:"seats,omitempty"`
}

// AssignmentStrategy is how a group chooses among its agents.
// +kubebuilder:validation:Enum=LeastBusy;LongestIdle;RoundRobin;Skilled
type AssignmentStrategy string

// The strategies.
const (
	// StrategyLeastBusy chooses who uses the smallest share of their capacity, of equals whose turn is the longest ago.
	StrategyLeastBusy AssignmentStrategy = "LeastBusy"
	// StrategyLongestIdle chooses who has served nobody for the longest time. Who serves somebody comes after all who serve
	// nobody, in the order of RoundRobin.
	StrategyLongestIdle AssignmentStrategy = "LongestIdle"
	// StrategyRoundRobin chooses whose turn is the longest ago, in whichever of their groups that was.
	StrategyRoundRobin AssignmentStrategy = "RoundRobin"
	// StrategySkilled chooses who has the skills that the conversation wants, of these the least skilled, so that the others
	// stay free for who needs them, of equals as LeastBusy does.
	StrategySkilled AssignmentStrategy = "Skilled"
)

// SkillGroupAssignment says who gets a conversation.
type SkillGroupAssignment struct {
	// strategy chooses among the agents. Default LeastBusy.
	// LeastBusy: who uses the smallest share of their capacity; of equals, whose turn is the longest ago.
	// LongestIdle: who has served nobody for the longest time, counted from their last conversation's end or from going on duty;
	// while everybody serves somebody, whose turn is the longest ago.
	// RoundRobin: whose turn is the longest ago, however much they have to do.
	// Skilled: who has all the skills that the Channel's routing rule wants (`spec.routing[].wants`); of several the one whose
	// levels are the lowest that do, so that the best stay free for who needs them; then as LeastBusy. The other strategies
	// ignore wanted skills.
	// +optional
	// +kubebuilder:default=LeastBusy
	Strategy AssignmentStrategy `json:"strategy,omitempty"`

	// stickyFor is for how long after a conversation's end a customer who comes back goes first to the agent who served them
	// last, before the strategy chooses: if that agent is in this group, on duty, has room and has the wanted skills. Nobody
	// waits for them. At least 1m, at most 720h. Default: not at all.
	// +optional
	// +kubebuilder:validation:MaxLength=16
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]{1,3}h|[0-9]{1,5}m|[0-9]{1,7}s)+$')",message="write stickyFor in hours, minutes and seconds, for example 24h"
	// +kubebuilder:validation:XValidation:rule="!self.matches('^([0-9]{1,3}h|[0-9]{1,5}m|[0-9]{1,7}s)+$') || duration(self) >= duration('1m') && duration(self) <= duration('720h')",message="stickyFor must be at least 1m and at most 720h"
	StickyFor string `json:"stickyFor,omitempty"`

	// relaxSkillsAfter is how long a conversation waits in the queue for an agent with the wanted skills; from then on anybody
	// of the group serves it, those with the skills first. Skills that no agent of the group has at all are not waited for.
	// At least 1s, at most 24h. Default 1m. Only for the strategy Skilled.
	// +optional
	// +kubebuilder:default="1m"
	// +kubebuilder:validation:MaxLength=16
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]{1,3}h|[0-9]{1,5}m|[0-9]{1,7}s)+$')",message="write relaxSkillsAfter in hours, minutes and seconds, for example 1m"
	// +kubebuilder:validation:XValidation:rule="!self.matches('^([0-9]{1,3}h|[0-9]{1,5}m|[0-9]{1,7}s)+$') || duration(self) >= duration('1s') && duration(self) <= duration('24h')",message="relaxSkillsAfter must be at least 1s and at most 24h"
	RelaxSkillsAfter string `json:"relaxSkillsAfter,omitempty"`

	// reassignAfter is within what time an agent who was given a conversation has to say something to the customer. Who did not
	// loses it as soon as another agent of the group has room: it comes before all who wait in the queue. Until then they may
	// still answer and keep it. Nobody gets it back who has lost it, so that it does not go around for ever; while nobody else
	// is left it stays where it is. Nothing is taken away while the group is closed, nor what was given before the field was set.
	// At least 10s, at most 24h. Default: nothing is taken away.
	// +optional
	// +kubebuilder:validation:MaxLength=16
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]{1,3}h|[0-9]{1,5}m|[0-9]{1,7}s)+$')",message="write reassignAfter in hours, minutes and seconds, for example 5m"
	// +kubebuilder:validation:XValidation:rule="!self.matches('^([0-9]{1,3}h|[0-9]{1,5}m|[0-9]{1,7}s)+$') || duration(self) >= duration('10s') && duration(self) <= duration('24h')",message="reassignAfter must be at least 10s and at most 24h"
	ReassignAfter string `json:"reassignAfter,omitempty"`
}

// SkillGroupQueue says when a queue is too long, and what becomes of who waits then. Nobody is ever dropped from a queue.
type SkillGroupQueue struct {
	// alertLength is how many customers may wait before the group's agents are alerted at their desks and the condition
	// QueueHealthy is False, 1 to 10000. Default 5: the sixth alerts. Somebody who waits longer than 5 minutes alerts as well.
	// +optional
	// +kubebuilder:default=5
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=10000
	AlertLength *int32 `json:"alertLength,omitempty"`

	// maxLength is how many customers may wait before those who come later go on to the group of overflow, 1 to 100000. Default
	// 200. Where none can take them they keep waiting, and read the Playbook's text queueFull instead of queued.
	// +optional
	// +kubebuilder:default=200
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100000
	MaxLength *int32 `json:"maxLength,omitempty"`

	// overflow names the group that takes who waits too long, or comes while the queue is full. Default: nobody does.
	// +optional
	Overflow *QueueOverflow `json:"overflow,omitempty"`
}

// QueueOverflow gives waiting conversations to another group. A conversation overflows once at most, so that two groups may
// help each other out; a group that is closed or full, or has nobody on duty, takes none. Who goes keeps their time of
// waiting, and stands in the new queue where they would stand had they waited there.
type QueueOverflow struct {
	// after is how long a customer waits for an agent of this group before they go to the other one, at least 10s and at most 24h,
	// for example 3m. The time before the group's opening does not count. Default: however long, only a full queue overflows.
	// +optional
	// +kubebuilder:validation:MaxLength=16
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]{1,3}h|[0-9]{1,5}m|[0-9]{1,7}s)+$')",message="write after in hours, minutes and seconds, for example 3m or 1m30s"
	// +kubebuilder:validation:XValidation:rule="!self.matches('^([0-9]{1,3}h|[0-9]{1,5}m|[0-9]{1,7}s)+$') || duration(self) >= duration('10s') && duration(self) <= duration('24h')",message="after must be at least 10s and at most 24h"
	After string `json:"after,omitempty"`

	// toRef names another SkillGroup of the same Brand.
	// +required
	ToRef SkillGroupReference `json:"toRef"`
}

// SkillGroupSeats bounds how many of a group's agents are wanted on duty, and says what its customers are promised.
// +kubebuilder:validation:XValidation:rule="!has(self.max) || self.max >= self.min",message="max must not be less than min"
// +kubebuilder:validation:XValidation:rule="has(self.answeredWithin) || !has(self.answeredPercent) && !has(self.maxOccupancyPercent) && !has(self.shrinkagePercent)",message="answeredPercent, maxOccupancyPercent and shrinkagePercent qualify a promise: set answeredWithin as well, for example 2m, or remove them"
type SkillGroupSeats struct {
	// asked is how many seats somebody asks for beyond the schedule, 0 to 10000. Default 0. It is the field of the scale
	// subresource, set by `kubectl scale skillgroup/after-sales --replicas=5` and taken back by `--replicas=0`. Never put it into
	// Git: a tool that owns it would undo what people ask for. More than max may be asked for and is not wanted.
	// +optional
	// +kubebuilder:default=0
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=10000
	Asked *int32 `json:"asked,omitempty"`

	// min is the least number of seats that are wanted, 0 to 10000, also while the schedule is closed. Default 0.
	// +optional
	// +kubebuilder:default=0
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=10000
	Min *int32 `json:"min,omitempty"`

	// max is the largest number of seats that are wanted, whatever the schedule says, people ask for and customers take: 1 to
	// 10000, and at least min. Default: no limit.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=10000
	Max *int32 `json:"max,omitempty"`

	// answeredWithin is the time within which customers who wait for an agent should get one, for example 2m; at least 1s, at most
	// 24h. With it the operator recommends seats from the contacts that come and the time that they take, while the group is open,
	// and forecasts the day ahead. Default: none, and nothing is recommended.
	// +optional
	// +kubebuilder:validation:MaxLength=16
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]{1,3}h|[0-9]{1,5}m|[0-9]{1,7}s)+$')",message="write answeredWithin in hours, minutes and seconds, for example 2m"
	// +kubebuilder:validation:XValidation:rule="!self.matches('^([0-9]{1,3}h|[0-9]{1,5}m|[0-9]{1,7}s)+$') || duration(self) >= duration('1s') && duration(self) <= duration('24h')",message="answeredWithin must be at least 1s and at most 24h"
	AnsweredWithin string `json:"answeredWithin,omitempty"`

	// answeredPercent is how many percent of the customers should get an agent within answeredWithin, 1 to 99. Default 90.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=99
	AnsweredPercent *int32 `json:"answeredPercent,omitempty"`

	// maxOccupancyPercent is for how many percent of their time agents may be busy, 10 to 100: in a large group the promise alone
	// would leave them no breath. Default 85.
	// +optional
	// +kubebuilder:validation:Minimum=10
	// +kubebuilder:validation:Maximum=100
	MaxOccupancyPercent *int32 `json:"maxOccupancyPercent,omitempty"`

	// shrinkagePercent is how many percent of those on the roster are not at their seats: on leave, ill, in training, on a break;
	// 0 to 90. It does not change how many are wanted on duty, but how many are to be rostered for them. Default 30.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=90
	ShrinkagePercent *int32 `json:"shrinkagePercent,omitempty"`
}

// PriorityRule adds to the priority of conversations.
type PriorityRule struct {
	// name of the rule, at most 63 characters.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Name string `json:"name"`
	// when says which conversations match.
	// +required
	When PriorityMatch `json:"when"`
	// add is what is added to the priority, 1 to 1000.
	// +required
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000
	Add int32 `json:"add"`
}

// PriorityMatch matches conversations to which all of what it sets applies.
// +kubebuilder:validation:XValidation:rule="has(self.topics) || has(self.tiers)",message="set at least one of topics and tiers"
type PriorityMatch struct {
	// topics are topics that a Playbook rule handed the conversation off with, 1 to 16 of at most 63 characters. Default: any.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:items:MaxLength=63
	Topics []string `json:"topics,omitempty"`

	// tiers are what sorts of customers, 1 to 16 of them, each at most 63 lower-case letters, digits and hyphens, for example vip. Default: any.
	// A tier exists by being named here: the workbench offers those of all of the Brand's SkillGroups, and who serves a customer,
	// a supervisor or an admin gives it to them.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:items:MaxLength=63
	// +kubebuilder:validation:XValidation:rule="self.all(t, t.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$'))",message="write tiers in lower-case letters, digits and hyphens, for example vip"
	Tiers []string `json:"tiers,omitempty"`
}

// SkillGroupStatus reports on a SkillGroup.
type SkillGroupStatus struct {
	// conditions are Ready, derived from ReferencesResolved and Acknowledged; beside it Staffed, SkillsCovered and QueueHealthy, and OnCallReached where the Brand names a webhook.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=16
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	// observedGeneration is the generation that the conditions speak of.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// agents is the number of Agents that the selector chooses.
	// +optional
	Agents int32 `json:"agents,omitempty"`
	// seats says how many agents are wanted on duty now, why, and how many are.
	// +optional
	Seats *SkillGroupSeatsStatus `json:"seats,omitempty"`
	// queue says who waits for the group's agents. Absent while no replica of the router can say.
	// +optional
	Queue *SkillGroupQueueStatus `json:"queue,omitempty"`
	// forecast is what the day ahead will bring, written once an hour. Absent without spec.seats.answeredWithin, and until the
	// group has history enough.
	// +optional
	Forecast *SkillGroupForecast `json:"forecast,omitempty"`
}

// SkillGroupQueueStatus reports on the queue of a SkillGroup, at most 15 seconds old.
type SkillGroupQueueStatus struct {
	// waiting is how many customers wait for an agent. Those who wait for the group's opening do not count.
	// +required
	Waiting int32 `json:"waiting"`
	// oldestWaitingSince is since when the one who has waited longest waits. Absent when nobody does.
	// +optional
	OldestWaitingSince *metav1.Time `json:"oldestWaitingSince,omitempty"`
}

// SkillGroupForecast is what the day ahead will bring.
type SkillGroupForecast struct {
	// hours are 24, one after the other, the first the one in which it was written.
	// +required
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=24
	Hours []ForecastHour `json:"hours"`
	// meanAbsoluteError is by how many contacts an hour forecasts made this way would have been off in the group's own history, on
	// average: "3.2". Absent while there is too little of it to tell.
	// +optional
	// +kubebuilder:validation:MaxLength=16
	MeanAbsoluteError string `json:"meanAbsoluteError,omitempty"`
}

// ForecastHour is what one hour will bring.
type ForecastHour struct {
	// start of the hour.
	// +required
	Start metav1.Time `json:"start"`
	// arrivals are the contacts that will come.
	// +required
	Arrivals int32 `json:"arrivals"`
	// seats is how many agents should be on duty for them.
	// +required
	Seats int32 `json:"seats"`
	// rostered is how many have to be on the roster for that, by spec.seats.shrinkagePercent.
	// +required
	Rostered int32 `json:"rostered"`
}

// SkillGroupSeatsStatus reports on the seats of a SkillGroup.
type SkillGroupSeatsStatus struct {
	// scheduled is how many seats the group's ShiftSchedule wants now: those of the peak that is on, else of the shift, 0 while it
	// is closed. Absent without a schedule.
	// +optional
	Scheduled *int32 `json:"scheduled,omitempty"`
	// asked is how many seats somebody asks for. Absent when nobody does.
	// +optional
	Asked *int32 `json:"asked,omitempty"`
	// onDuty is how many of the group's agents are on duty, at most 15 seconds old. Absent while no replica of the desk can say.
	// +optional
	OnDuty *int32 `json:"onDuty,omitempty"`
	// recommended is how many agents should be on duty so that spec.seats.answeredWithin is kept: for the most contacts that came
	// within one hour lately, or for those forecast for the next, whichever are more. It rises at once and falls after a quarter of
	// an hour at the earliest. Absent without a promise, while the group is closed, and while nobody can say.
	// +optional
	Recommended *int32 `json:"recommended,omitempty"`
	// wanted is the largest of scheduled, asked and recommended, within spec.seats.min and max. Absent while nobody can say what
	// the schedule wants.
	// +optional
	Wanted *int32 `json:"wanted,omitempty"`
	// shortSince is since when fewer are on duty than are wanted. Absent while enough are.
	// +optional
	ShortSince *metav1.Time `json:"shortSince,omitempty"`
	// reason says why that many are wanted.
	// +optional
	// +kubebuilder:validation:MaxLength=512
	Reason string `json:"reason,omitempty"`
}

// +kubebuilder:object:root=true

// SkillGroupList is a list of SkillGroups.
type SkillGroupList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []SkillGroup `json:"items"`
}
