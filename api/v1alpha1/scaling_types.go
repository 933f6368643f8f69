package v1alpha1

// PeakScaling adds replicas to those that always run: for the peaks of the Brand's skill groups, and for load.
//
// A peak is one that a ShiftSchedule of a skill group of the Brand declares, and its open hours on a date to which its
// HolidayCalendars give the kind Peak.
type PeakScaling struct {
	// peakReplicas is how many replicas run at least from leadTime before a peak until its end, 1 to 100. Default: half of
	// maxReplicas, rounded up; without maxReplicas as many as always run, so that peaks change nothing.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100
	PeakReplicas *int32 `json:"peakReplicas,omitempty"`

	// maxReplicas is how far an autoscaler may go beyond that while there is load, 1 to 100. Default: no autoscaler; the operator
	// itself sets the number of replicas. The autoscaler is KEDA where its ScaledObjects are installed, else a
	// HorizontalPodAutoscaler; either takes CPU usage from the cluster's metrics server, and without that goes up for peaks but
	// not down again.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100
	MaxReplicas *int32 `json:"maxReplicas,omitempty"`

	// leadTime is how long before a peak its replicas are started, at most 6h. Default 10m.
	// +optional
	// +kubebuilder:default="10m"
	// +kubebuilder:validation:MaxLength=16
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]{1,3}h|[0-9]{1,5}m|[0-9]{1,7}s)+$')",message="write leadTime in hours, minutes and seconds, for example 10m"
	// +kubebuilder:validation:XValidation:rule="!self.matches('^([0-9]{1,3}h|[0-9]{1,5}m|[0-9]{1,7}s)+$') || duration(self) <= duration('6h')",message="leadTime must be at most 6h"
	LeadTime string `json:"leadTime,omitempty"`
}

// ReplicasStatus says how many replicas a workload has, and why.
type ReplicasStatus struct {
	// wantedReplicas is how many replicas the schedule, or the load beyond it, asks for.
	// +optional
	WantedReplicas int32 `json:"wantedReplicas,omitempty"`
	// readyReplicas of the workload.
	// +optional
	ReadyReplicas int32 `json:"readyReplicas,omitempty"`
	// reason says why as many are wanted.
	// +optional
	// +kubebuilder:validation:MaxLength=256
	Reason string `json:"reason,omitempty"`
}
