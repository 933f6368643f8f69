package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=ss,categories=yingda
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Open",type=string,JSONPath=`.status.open`
// +kubebuilder:printcolumn:name="Shift",type=string,JSONPath=`.status.currentShift`
// +kubebuilder:printcolumn:name="Peak",type=string,JSONPath=`.status.currentPeak`
// +kubebuilder:printcolumn:name="Seats",type=integer,JSONPath=`.status.seats`
// +kubebuilder:printcolumn:name="Next",type=string,JSONPath=`.status.nextTransition`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`

// ShiftSchedule says when skill groups are open and how many seats they want. One schedule drives the bot's off-hours
// text, routing and the clocks of the service level, so that they cannot disagree.
type ShiftSchedule struct {
	metav1.TypeMeta `json:",inline"`
	// metadata of the object.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec is what the brand declares. All of it may be changed at any time, and is in force within a second.
	// +required
	Spec ShiftScheduleSpec `json:"spec"`
	// status is what the operator reports.
	// +optional
	Status ShiftScheduleStatus `json:"status,omitempty"`
}

// Weekday is a day of the week.
// +kubebuilder:validation:Enum=Mon;Tue;Wed;Thu;Fri;Sat;Sun
type Weekday string

// The days of the week.
const (
	Monday    Weekday = "Mon"
	Tuesday   Weekday = "Tue"
	Wednesday Weekday = "Wed"
	Thursday  Weekday = "Thu"
	Friday    Weekday = "Fri"
	Saturday  Weekday = "Sat"
	Sunday    Weekday = "Sun"
)

// HolidayPolicy says what a schedule does on a day off.
// +kubebuilder:validation:Enum=Closed;LikeSunday;AsUsual
type HolidayPolicy string

// What a schedule may do on a day off.
const (
	// HolidayClosed starts no shift.
	HolidayClosed HolidayPolicy = "Closed"
	// HolidayLikeSunday starts the shifts of a Sunday.
	HolidayLikeSunday HolidayPolicy = "LikeSunday"
	// HolidayAsUsual starts the shifts of the weekday.
	HolidayAsUsual HolidayPolicy = "AsUsual"
)

// ShiftScheduleSpec declares a ShiftSchedule.
type ShiftScheduleSpec struct {
	// timeZone is the IANA time zone in which days and times are meant, at most 64 characters. Default Asia/Shanghai.
	// +optional
	// +kubebuilder:default=Asia/Shanghai
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	TimeZone string `json:"timeZone,omitempty"`

	// calendarRefs name HolidayCalendars of the cluster, at most 8; where two list a date, the later in the list wins. Default
	// none: every week is like the next.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=8
	CalendarRefs []HolidayCalendarReference `json:"calendarRefs,omitempty"`

	// onHoliday says which shifts start on a day that the calendars give off: none (Closed), those of a Sunday (LikeSunday) or
	// those of its own weekday (AsUsual). Make-up workdays follow the weekday that they stand in for, whatever is set here.
	// Default Closed.
	// +optional
	// +kubebuilder:default=Closed
	OnHoliday HolidayPolicy `json:"onHoliday,omitempty"`

	// shifts that repeat, on days of every week or by a rule, at most 32. Default: none, which is closed but for overrides.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=32
	Shifts []WeeklyShift `json:"shifts,omitempty"` //nolint:kubeapilinter // arrayofstruct does not see the required fields of the inlined Shift

	// overrides replace the shifts above on their dates, whatever the calendars say of them, at most 64; where two cover a
	// date, the later in the list wins. Default: none.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=64
	Overrides []ScheduleOverride `json:"overrides,omitempty"`
}

// WeeklyShift is a shift that repeats: on days of every week, or as a rotation by a rule.
// +kubebuilder:validation:XValidation:rule="has(self.days) != has(self.rrule)",message="set either days, for a shift of every week, or rrule with anchorDate, for a rotation"
// +kubebuilder:validation:XValidation:rule="has(self.rrule) == has(self.anchorDate)",message="set rrule and anchorDate together: the rule counts from that date"
type WeeklyShift struct {
	// days on which the shift starts every week, 1 to 7. Not with rrule.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=7
	Days []Weekday `json:"days,omitempty"`

	// rrule makes the shift a rotation: the dates on which it starts as a recurrence rule of RFC 5545, at most 256 characters, for example
	// FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TU. FREQ is DAILY, WEEKLY or MONTHLY, INTERVAL 1 to 1000; BYDAY lists weekdays, with
	// FREQ=MONTHLY also 2MO (the second Monday) or -1FR (the last Friday); BYMONTHDAY, not with FREQ=WEEKLY, lists days 1 to 31,
	// or -1 (the last) to -31; UNTIL is the last date as YYYYMMDD, or COUNT the number of dates, 1 to 1000. Weeks start on Monday.
	// Days, weeks and months are counted by the date, weekdays as the calendars make them: BYDAY=MO holds on a make-up workday that
	// follows a Monday, BYDAY=SU on a day off with onHoliday LikeSunday; on one with Closed nothing starts. 2MO is the date's own.
	// Not with days.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	// +kubebuilder:validation:XValidation:rule="self.matches('^(FREQ|INTERVAL|BYDAY|BYMONTHDAY|UNTIL|COUNT)=[0-9A-Z,+-]+(;(FREQ|INTERVAL|BYDAY|BYMONTHDAY|UNTIL|COUNT)=[0-9A-Z,+-]+)*$')",message="write rrule as NAME=VALUE parts of FREQ, INTERVAL, BYDAY, BYMONTHDAY, UNTIL and COUNT, for example FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TU"
	RRule string `json:"rrule,omitempty"`

	// anchorDate is the date from which rrule counts, YYYY-MM-DD: the first day, week or month of the rotation, and the first date
	// on which it may start. Required with rrule.
	// +optional
	// +kubebuilder:validation:MaxLength=10
	// +kubebuilder:validation:XValidation:rule="self.matches('^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$')",message="write anchorDate as YYYY-MM-DD, for example 2026-01-05"
	AnchorDate string `json:"anchorDate,omitempty"`

	Shift `json:",inline"`
}

// Shift is one span of work.
type Shift struct {
	// name of the shift, at most 63 characters.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Name string `json:"name"`

	// start is the wall-clock time at which the shift starts, HH:MM from 00:00 to 23:59.
	// +required
	// +kubebuilder:validation:MaxLength=5
	// +kubebuilder:validation:XValidation:rule="self.matches('^([01][0-9]|2[0-3]):[0-5][0-9]$')",message="write start as HH:MM from 00:00 to 23:59, for example 09:00"
	Start string `json:"start"`

	// duration is elapsed time, for example 12h, over 0s and at most 24h; a shift may run over midnight into the next day.
	// +required
	// +kubebuilder:validation:MaxLength=16
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]{1,3}h|[0-9]{1,5}m|[0-9]{1,7}s)+$')",message="write duration in hours, minutes and seconds, for example 12h"
	// +kubebuilder:validation:XValidation:rule="!self.matches('^([0-9]{1,3}h|[0-9]{1,5}m|[0-9]{1,7}s)+$') || duration(self) > duration('0s') && duration(self) <= duration('24h')",message="duration must be over 0 and at most 24h"
	Duration string `json:"duration"`

	// seats that the shift wants outside its peaks, 0 to 10000. Default 1.
	// +optional
	// +kubebuilder:default=1
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=10000
	Seats *int32 `json:"seats,omitempty"`

	// peaks inside the shift, with their own seats, at most 8. Default: none.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=8
	Peaks []Peak `json:"peaks,omitempty"`
}

// Peak is a span inside a shift which wants its own number of seats.
type Peak struct {
	// name of the peak, at most 63 characters.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Name string `json:"name"`

	// start is the wall-clock time at which the peak starts, HH:MM, while the shift is on. One earlier than the shift's start is
	// meant on the next day.
	// +required
	// +kubebuilder:validation:MaxLength=5
	// +kubebuilder:validation:XValidation:rule="self.matches('^([01][0-9]|2[0-3]):[0-5][0-9]$')",message="write start as HH:MM from 00:00 to 23:59, for example 09:00"
	Start string `json:"start"`

	// duration is elapsed time, for example 2h, over 0s and at most 24h. What lies outside the shift does not count.
	// +required
	// +kubebuilder:validation:MaxLength=16
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]{1,3}h|[0-9]{1,5}m|[0-9]{1,7}s)+$')",message="write duration in hours, minutes and seconds, for example 2h"
	// +kubebuilder:validation:XValidation:rule="!self.matches('^([0-9]{1,3}h|[0-9]{1,5}m|[0-9]{1,7}s)+$') || duration(self) > duration('0s') && duration(self) <= duration('24h')",message="duration must be over 0 and at most 24h"
	Duration string `json:"duration"`

	// seats that the peak wants, 0 to 10000.
	// +required
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=10000
	Seats int32 `json:"seats"`
}

// ScheduleOverride replaces the weekly shifts on a range of dates.
// +kubebuilder:validation:XValidation:rule="self.from <= self.to",message="from must not be after to"
type ScheduleOverride struct {
	// name of the override, at most 63 characters.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Name string `json:"name"`

	// from is the first date, YYYY-MM-DD, in the schedule's time zone.
	// +required
	// +kubebuilder:validation:MaxLength=10
	// +kubebuilder:validation:XValidation:rule="self.matches('^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$')",message="write from as YYYY-MM-DD, for example 2026-02-16"
	From string `json:"from"`

	// to is the last date, YYYY-MM-DD, itself included.
	// +required
	// +kubebuilder:validation:MaxLength=10
	// +kubebuilder:validation:XValidation:rule="self.matches('^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$')",message="write to as YYYY-MM-DD, for example 2026-02-22"
	To string `json:"to"`

	// shifts that start on each of the dates, at most 16. Default: none, which is closed.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=16
	Shifts []Shift `json:"shifts,omitempty"`
}

// ShiftScheduleStatus reports on a ShiftSchedule.
type ShiftScheduleStatus struct {
	// conditions are Ready, derived from ReferencesResolved, Valid and Acknowledged.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=16
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	// observedGeneration is the generation that the conditions speak of.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// calendars are the generations of the calendars that the conditions speak of; one that does not exist is not here.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=8
	Calendars []ObservedCalendar `json:"calendars,omitempty"`
	// open says whether a shift is on now: True or False.
	// +optional
	// +kubebuilder:validation:Enum=True;False
	Open metav1.ConditionStatus `json:"open,omitempty"`
	// currentShift is the shift that is on now.
	// +optional
	// +kubebuilder:validation:MaxLength=63
	CurrentShift string `json:"currentShift,omitempty"`
	// currentPeak is the peak that is on now.
	// +optional
	// +kubebuilder:validation:MaxLength=63
	CurrentPeak string `json:"currentPeak,omitempty"`
	// seats wanted now by each group that refers to the schedule.
	// +optional
	Seats *int32 `json:"seats,omitempty"`
	// nextTransition is when open, shift, peak or seats change next, RFC 3339 to the minute in the schedule's time zone.
	// +optional
	// +kubebuilder:validation:MaxLength=32
	NextTransition string `json:"nextTransition,omitempty"`
	// gaps are spans of today and of the 13 dates after it in which nobody is scheduled although somebody might expect it: the
	// date's usual shifts do not start, or a break lies between two shifts of one date. A break that comes at the same times on
	// several dates is listed for the first of them. At most 16, the earliest; renewed at midnight of the schedule's time zone.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=16
	Gaps []ScheduleGap `json:"gaps,omitempty"`
}

// GapReason says why nobody is scheduled.
// +kubebuilder:validation:Enum=DayOff;Workday;Override;BetweenShifts
type GapReason string

// Why nobody is scheduled in a gap.
const (
	// GapDayOff is a day that a calendar gives off.
	GapDayOff GapReason = "DayOff"
	// GapWorkday is a make-up workday that follows another weekday, whose shifts are shorter or none.
	GapWorkday GapReason = "Workday"
	// GapOverride is a date of an override whose shifts are shorter or none.
	GapOverride GapReason = "Override"
	// GapBetweenShifts is a break between two shifts of one date.
	GapBetweenShifts GapReason = "BetweenShifts"
)

// ScheduleGap is a span in which nobody is scheduled.
type ScheduleGap struct {
	// from is when it starts, RFC 3339 to the minute in the schedule's time zone.
	// +required
	// +kubebuilder:validation:MaxLength=32
	From string `json:"from"`
	// until is when it ends, RFC 3339 to the minute in the schedule's time zone.
	// +required
	// +kubebuilder:validation:MaxLength=32
	Until string `json:"until"`
	// reason says why nobody is scheduled: DayOff (a calendar gives the date off), Workday (a make-up workday follows a weekday with
	// fewer hours), Override (an override has fewer), or BetweenShifts (a break between two shifts of one date).
	// +required
	Reason GapReason `json:"reason"`
	// name of the day in its calendar, of the override, or of the shift before the break.
	// +optional
	// +kubebuilder:validation:MaxLength=63
	Name string `json:"name,omitempty"`
}

// ObservedCalendar is a HolidayCalendar as a schedule's conditions speak of it.
type ObservedCalendar struct {
	// name of the HolidayCalendar.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Name string `json:"name"`
	// observedGeneration is the calendar's generation that the conditions speak of.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
}

// +kubebuilder:object:root=true

// ShiftScheduleList is a list of ShiftSchedules.
type ShiftScheduleList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []ShiftSchedule `json:"items"`
}
