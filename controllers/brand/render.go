package brand

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/runtime"
	batchv1ac "k8s.io/client-go/applyconfigurations/batch/v1"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/dataplane"
)

// setupDeadlineSeconds ends a setup that hangs, for example because its image cannot be pulled.
const setupDeadlineSeconds = 300

// rendered is all that a Brand's controller makes, apart by the moment at which it may be applied.
type rendered struct {
	// always holds identities, rights, the desk's Service and the budgets.
	always []runtime.ApplyConfiguration
	// setup is the Job.
	setup *batchv1ac.JobApplyConfiguration
	// serving holds the Deployments.
	serving []runtime.ApplyConfiguration
}

func render(brand *v1alpha1.Brand, secrets logins, settings dataplane.Settings) (rendered, error) {
	var out rendered
	for _, w := range workloads(brand, secrets, settings) {
		out.always = append(out.always, w.ServiceAccount(), w.Role(), w.RoleBinding(), w.Budget())
		if w.ServesHTTP {
			out.always = append(out.always, w.Service())
		}
		out.serving = append(out.serving, w.Deployment())
	}
	setup := setupWorkload(brand, secrets, settings)
	out.always = append(out.always, setup.ServiceAccount())
	var err error
	out.setup, err = renderSetup(setup)
	return out, err
}

func workloads(brand *v1alpha1.Brand, secrets logins, settings dataplane.Settings) []dataplane.Workload {
	base := dataplane.Workload{
		Brand: brand, Settings: settings, Replicas: 1, CallsAPIServer: true,
		Login:       dataplane.OwnerLogin(brand),
		Connections: dataplane.Connections(secrets.owner),
	}
	router, workflows, desk := base, base, base
	router.Component = dataplane.Router
	router.Replicas = brand.Spec.Router.Replicas
	router.Args = dataplane.TemporalArgs(brand)
	workflows.Component = dataplane.Workflows
	workflows.Args = dataplane.TemporalArgs(brand)
	desk.Component = dataplane.Desk
	desk.Replicas = brand.Spec.Desk.Replicas
	desk.ServesHTTP = true
	desk.Args = []string{"--address=:" + strconv.Itoa(dataplane.PortHTTP)}
	return []dataplane.Workload{router, workflows, desk}
}

func setupWorkload(brand *v1alpha1.Brand, secrets logins, settings dataplane.Settings) dataplane.Workload {
	topics := brand.Spec.Kafka.Topics
	return dataplane.Workload{
		Brand: brand, Settings: settings, Component: dataplane.Setup,
		Login:          dataplane.OwnerLogin(brand),
		ConnectorLogin: dataplane.OwnConnectorLogin(brand),
		Connections:    dataplane.Connections(secrets.owner, secrets.connector),
		Args: append(append(dataplane.TemporalArgs(brand), dataplane.ConnectorLoginArgs(brand)...),
			"--partitions="+strconv.Itoa(int(topics.Partitions)),
			"--replication-factor="+strconv.Itoa(int(topics.ReplicationFactor)),
			"--retention-days="+strconv.Itoa(int(topics.RetentionDays)),
			"--pools="+strings.Join(dataplane.Pools(), ","),
		),
	}
}

// renderSetup names the Job by the hash of what it does: a Job cannot be changed, and another image or connection must be
// set up anew.
func renderSetup(setup dataplane.Workload) (*batchv1ac.JobApplyConfiguration, error) {
	job := setup.Job("", setupDeadlineSeconds)
	spec, err := json.Marshal(job.Spec)
	if err != nil {
		return nil, fmt.Errorf("encoding the setup Job: %w", err)
	}
	sum := sha256.Sum256(spec)
	return job.WithName(setup.Name() + "-" + hex.EncodeToString(sum[:4])), nil
}
