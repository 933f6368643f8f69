package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:scope=Cluster,shortName=hc,categories=yingda
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Days",type=integer,JSONPath=`.status.days`
// +kubebuilder:printcolumn:name="First",type=string,JSONPath=`.status.firstDate`
// +kubebuilder:printcolumn:name="Last",type=string,JSONPath=`.status.lastDate`
// +kubebuilder:printcolumn:name="Stale",type=string,JSONPath=`.status.conditions[?(@.type=="CalendarStale")].status`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`

// HolidayCalendar says which dates are unlike others: days off, make-up workdays (调休) and sales peaks. It belongs to the
// cluster and to no Brand; the ShiftSchedules of every namespace may refer to it.
type HolidayCalendar struct {
	metav1.TypeMeta `json:",inline"`
	// metadata of the object.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec is what is declared. All of it may be changed at any time, and is in force within a second.
	// +required
	Spec HolidayCalendarSpec `json:"spec"`
	// status is what the operator reports.
	// +optional
	Status HolidayCalendarStatus `json:"status,omitempty"`
}

// HolidayCalendarSpec declares a HolidayCalendar.
type HolidayCalendarSpec struct {
	// days that are unlike others, at most 2000, each date once. The date is that of the schedule which refers to the
	// calendar, in its time zone. Default: none.
	// +optional
	// +listType=map
	// +listMapKey=date
	// +kubebuilder:validation:MaxItems=2000
	Days []CalendarDay `json:"days,omitempty"`
}

// CalendarDayKind says what kind of day it is.
// +kubebuilder:validation:Enum=DayOff;Workday;Peak
type CalendarDayKind string

// The kinds of days. A plain Off would be false to the YAML of kubectl.
const (
	// CalendarDayOff is a public holiday.
	CalendarDayOff CalendarDayKind = "DayOff"
	// CalendarDayWorkday is a day, mostly of a weekend, that is worked to make up for a day off.
	CalendarDayWorkday CalendarDayKind = "Workday"
	// CalendarDayPeak is a day on which many customers are expected.
	CalendarDayPeak CalendarDayKind = "Peak"
)

// CalendarDay is a date that is unlike others.
// +kubebuilder:validation:XValidation:rule="!has(self.follows) || self.kind == 'Workday'",message="set follows only where kind is Workday"
type CalendarDay struct {
	// date is the day, YYYY-MM-DD.
	// +required
	// +kubebuilder:validation:MaxLength=10
	// +kubebuilder:validation:XValidation:rule="self.matches('^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$')",message="write date as YYYY-MM-DD, for example 2026-10-01"
	Date string `json:"date"`

	// kind says what kind of day it is. DayOff is a public holiday: each schedule's onHoliday says what it means there. Workday is
	// a make-up workday: the shifts of the weekday start that it stands in for. Peak is a sales peak: the shifts of its own
	// weekday start, also where an earlier calendar of the schedule gives the day off.
	// +required
	Kind CalendarDayKind `json:"kind"`

	// name of the day, for example 国庆节, at most 63 characters. Default: none.
	// +optional
	// +kubebuilder:validation:MaxLength=63
	Name string `json:"name,omitempty"`

	// follows is the weekday whose shifts start on a Workday: the one that it stands in for. Default Mon. Only for kind Workday.
	// +optional
	Follows Weekday `json:"follows,omitempty"`
}

// HolidayCalendarStatus reports on a HolidayCalendar.
type HolidayCalendarStatus struct {
	// conditions are Ready, derived from Valid and Acknowledged, and beside it CalendarStale: True from 1 December (UTC) for as
	// long as no day of the coming year is listed, or of the current one.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=16
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	// observedGeneration is the generation that the conditions speak of.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// days is the number of days in the calendar; none while it is not valid.
	// +optional
	Days int32 `json:"days,omitempty"`
	// firstDate is the first of the days, YYYY-MM-DD.
	// +optional
	// +kubebuilder:validation:MaxLength=10
	FirstDate string `json:"firstDate,omitempty"`
	// lastDate is the last of the days, YYYY-MM-DD.
	// +optional
	// +kubebuilder:validation:MaxLength=10
	LastDate string `json:"lastDate,omitempty"`
}

// +kubebuilder:object:root=true

// HolidayCalendarList is a list of HolidayCalendars.
type HolidayCalendarList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []HolidayCalendar `json:"items"`
}
