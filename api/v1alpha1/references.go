package v1alpha1

// Names of Kubernetes objects are DNS labels or subdomains; the bounds below keep the cost of CEL rules finite.

// BrandReference names a Brand in the same namespace.
type BrandReference struct {
	// name of the Brand, at most 63 characters.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Name string `json:"name"`
}

// SkillGroupReference names a SkillGroup in the same namespace.
type SkillGroupReference struct {
	// name of the SkillGroup, at most 63 characters.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Name string `json:"name"`
}

// PlaybookReference names a Playbook in the same namespace.
type PlaybookReference struct {
	// name of the Playbook, at most 63 characters.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Name string `json:"name"`
}

// ServiceLevelReference names a ServiceLevel in the same namespace.
type ServiceLevelReference struct {
	// name of the ServiceLevel, at most 63 characters.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Name string `json:"name"`
}

// ShiftScheduleReference names a ShiftSchedule in the same namespace.
type ShiftScheduleReference struct {
	// name of the ShiftSchedule, at most 63 characters.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Name string `json:"name"`
}

// HolidayCalendarReference names a HolidayCalendar of the cluster.
type HolidayCalendarReference struct {
	// name of the HolidayCalendar, at most 63 characters.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Name string `json:"name"`
}

// CredentialsLabel marks the Secrets that resources may refer to. A Secret without it (value "true") is treated as if
// it did not exist, so that an author of resources cannot point one at any secret of the namespace.
const CredentialsLabel = "yingda.dev/credentials"

// CredentialsReference names a Secret in the same namespace which carries the label yingda.dev/credentials: "true".
type CredentialsReference struct {
	// name of the Secret, at most 253 characters.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name"`
}
