package dataplane

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	batchv1ac "k8s.io/client-go/applyconfigurations/batch/v1"

	"github.com/yingda-dev/yingda/api/v1alpha1"
)

// setupDeadlineSeconds ends a setup that hangs, after a day: it gives up by itself what it cannot do, within a minute, and what it
// goes on with, as the indexes of a large database, must not be cut off.
const setupDeadlineSeconds = 24 * 60 * 60

// Logins are the Secrets by which a Brand's pods connect: with the logins to its database, nil where one does not exist.
type Logins struct {
	Owner *metav1.PartialObjectMetadata
	// Connector is nil, too, when the Brand has no login for connectors.
	Connector *metav1.PartialObjectMetadata
	// Securing secure the connections to Kafka and Temporal.
	Securing Securing
}

// SetupWorkload is the setup of a Brand: what must be done before anything of it runs.
func SetupWorkload(brand *v1alpha1.Brand, logins Logins, settings Settings) Workload {
	return Workload{
		Brand: brand, Settings: settings, Component: Setup,
		Login:          OwnerLogin(brand),
		ConnectorLogin: OwnConnectorLogin(brand),
		Connections:    Connections(logins.Owner, logins.Connector),
		Securing:       logins.Securing,
		Args: append(slices.Concat(TemporalArgs(brand), ConnectorLoginArgs(brand), TopicArgs(brand)),
			"--pools="+strings.Join(Pools(), ","),
		),
	}
}

// TopicArgs tell whoever makes topics of the Brand how.
func TopicArgs(brand *v1alpha1.Brand) []string {
	topics := brand.Spec.Kafka.Topics
	return []string{
		"--partitions=" + strconv.Itoa(int(topics.Partitions)),
		"--replication-factor=" + strconv.Itoa(int(topics.ReplicationFactor)),
		"--retention-days=" + strconv.Itoa(int(topics.RetentionDays)),
	}
}

// SetupJob is the Job that runs a Brand's setup. It is named by the hash of what it does: a Job cannot be changed, and
// another image or connection must be set up anew. Whoever wants to roll pods waits for the Job of this very name.
func SetupJob(brand *v1alpha1.Brand, logins Logins, settings Settings) (*batchv1ac.JobApplyConfiguration, error) {
	setup := SetupWorkload(brand, logins, settings)
	job := setup.Job("", setupDeadlineSeconds)
	spec, err := json.Marshal(job.Spec)
	if err != nil {
		return nil, fmt.Errorf("encoding the setup Job: %w", err)
	}
	sum := sha256.Sum256(spec)
	return job.WithName(setup.Name() + "-" + hex.EncodeToString(sum[:4])), nil
}

// Finished is the condition by which a Job ended that way; nil when it did not.
func Finished(job *batchv1.Job, how batchv1.JobConditionType) *batchv1.JobCondition {
	for i := range job.Status.Conditions {
		if c := &job.Status.Conditions[i]; c.Type == how && c.Status == corev1.ConditionTrue {
			return c
		}
	}
	return nil
}
