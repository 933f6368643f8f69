package v1alpha1

// EmergencySpec says when complaints are so many that it is an emergency: everybody's desk shows it, supervisors, admins and those
// on call are told, and the bot says texts.banner of the Playbook first to every customer, until complaints are as usual again. It is read of
// the Brand's default ServiceLevel (spec.defaults.serviceLevelRef) alone. What is usual is the mean of the same hour on days of the
// same kind (working days, days off, peaks) of the last 28 days; a brand of which nothing is known of five days raises no alarm.
type EmergencySpec struct {
	// detection is Enabled or Disabled. Disabled opens none; one that lasts goes on. Default Enabled.
	// +optional
	// +kubebuilder:default=Enabled
	// +kubebuilder:validation:Enum=Enabled;Disabled
	Detection EmergencyDetection `json:"detection,omitempty"`

	// minComplaints is how many complaints 15 minutes, or an hour, must hold at least, of the brand or of one SkillGroup.
	// Default 5; at least 2, at most 10000.
	// +optional
	// +kubebuilder:default=5
	// +kubebuilder:validation:Minimum=2
	// +kubebuilder:validation:Maximum=10000
	MinComplaints int32 `json:"minComplaints,omitempty"`

	// timesUsual is how many times the usual they must be at least. They must also be more than chance explains: fewer than one of
	// 10000 such hours would hold as many. Raise it for a brand whose complaints vary a lot from hour to hour. Default 3; at
	// least 2, at most 100.
	// +optional
	// +kubebuilder:default=3
	// +kubebuilder:validation:Minimum=2
	// +kubebuilder:validation:Maximum=100
	TimesUsual int32 `json:"timesUsual,omitempty"`

	// calmFor is for how long complaints must have been fewer than twice the usual before the emergency ends. An emergency that has
	// started keeps what it was then. Default 30m; at least 1m, at most 24h.
	// +optional
	// +kubebuilder:default="30m"
	// +kubebuilder:validation:MaxLength=16
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]{1,3}h|[0-9]{1,5}m|[0-9]{1,7}s)+$')",message="write calmFor in hours, minutes and seconds, for example 30m"
	// +kubebuilder:validation:XValidation:rule="!self.matches('^([0-9]{1,3}h|[0-9]{1,5}m|[0-9]{1,7}s)+$') || duration(self) >= duration('1m') && duration(self) <= duration('24h')",message="calmFor must be at least 1m and at most 24h"
	CalmFor string `json:"calmFor,omitempty"`
}

// EmergencyDetection says whether bursts of complaints are looked for.
type EmergencyDetection string

const (
	// EmergencyDetectionEnabled opens an emergency when complaints are far above the usual.
	EmergencyDetectionEnabled EmergencyDetection = "Enabled"
	// EmergencyDetectionDisabled opens none.
	EmergencyDetectionDisabled EmergencyDetection = "Disabled"
)
