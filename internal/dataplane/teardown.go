package dataplane

import (
	batchv1ac "k8s.io/client-go/applyconfigurations/batch/v1"

	"github.com/yingda-dev/yingda/api/v1alpha1"
)

// teardownDeadlineSeconds is less than a Brand waits for its teardown.
const teardownDeadlineSeconds = 110

// TeardownWorkload removes the data of a Brand that is deleted with the policy Delete.
func TeardownWorkload(brand *v1alpha1.Brand, logins Logins, settings Settings) Workload {
	return Workload{
		Brand: brand, Settings: settings, Component: Teardown,
		Login:       OwnerLogin(brand),
		Connections: Connections(logins.Owner),
		Securing:    logins.Securing,
		Args:        TemporalArgs(brand),
	}
}

// TeardownJob is the Job that runs it.
func TeardownJob(brand *v1alpha1.Brand, logins Logins, settings Settings) *batchv1ac.JobApplyConfiguration {
	teardown := TeardownWorkload(brand, logins, settings)
	return teardown.Job(teardown.Name(), teardownDeadlineSeconds)
}
