package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// GroupName is the API group of all resources of the product.
const GroupName = "yingda.dev"

// GroupVersion returns the group and version that this package implements.
func GroupVersion() schema.GroupVersion {
	return schema.GroupVersion{Group: GroupName, Version: "v1alpha1"}
}

// AddToScheme registers every kind of this package.
func AddToScheme(scheme *runtime.Scheme) error {
	scheme.AddKnownTypes(GroupVersion(),
		&Brand{}, &BrandList{},
		&Channel{}, &ChannelList{},
		&SkillGroup{}, &SkillGroupList{},
		&ShiftSchedule{}, &ShiftScheduleList{},
		&HolidayCalendar{}, &HolidayCalendarList{},
		&Agent{}, &AgentList{},
		&Playbook{}, &PlaybookList{},
		&ServiceLevel{}, &ServiceLevelList{},
	)
	metav1.AddToGroupVersion(scheme, GroupVersion())
	return nil
}
