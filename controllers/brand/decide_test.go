package brand

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/ack"
	"github.com/yingda-dev/yingda/internal/conditions"
	"github.com/yingda-dev/yingda/internal/configz"
	"github.com/yingda-dev/yingda/internal/dataplane"
	"github.com/yingda-dev/yingda/internal/refs"
)

const setupJob = "lumi-setup-1"

func noon() time.Time { return time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC) }

// sceneOf is a Brand that works, changed by the edits.
func sceneOf(edits ...func(*scene)) *scene {
	login := refs.SecretMetadata()
	login.Labels = map[string]string{v1alpha1.CredentialsLabel: "true"}
	running := &appsv1.Deployment{Status: appsv1.DeploymentStatus{ReadyReplicas: 1}}
	serving := []ack.Answer{{Report: configz.Report{Objects: map[string]int64{"Brand/lumi": 3}}}}
	seen := &scene{
		brand: &v1alpha1.Brand{
			ObjectMeta: metav1.ObjectMeta{Namespace: "lumi", Name: "lumi", Generation: 3},
			Spec: v1alpha1.BrandSpec{
				Postgres: v1alpha1.PostgresConnection{
					SecretRef:          v1alpha1.CredentialsReference{Name: "lumi-postgres"},
					ConnectorSecretRef: &v1alpha1.CredentialsReference{Name: "lumi-connector"},
				},
			},
		},
		Logins:      dataplane.Logins{Owner: login, Connector: login.DeepCopy()},
		jobs:        map[string]*batchv1.Job{setupJob: {ObjectMeta: metav1.ObjectMeta{Name: setupJob}}},
		done:        map[string]bool{setupJob: true},
		deployments: map[string]*appsv1.Deployment{dataplane.Router: running, dataplane.Workflows: running, dataplane.Desk: running},
		answers:     map[string][]ack.Answer{dataplane.Router: serving, dataplane.Workflows: serving, dataplane.Desk: serving},
	}
	for _, edit := range edits {
		edit(seen)
	}
	return seen
}

func failedJob(at time.Time) *batchv1.Job {
	return &batchv1.Job{
		ObjectMeta: metav1.ObjectMeta{Name: setupJob},
		Status: batchv1.JobStatus{Conditions: []batchv1.JobCondition{{
			Type: batchv1.JobFailed, Status: corev1.ConditionTrue, LastTransitionTime: metav1.NewTime(at), Reason: "BackoffLimitExceeded",
		}}},
	}
}

func failedAt(at time.Time) func(*scene) {
	return func(s *scene) { s.jobs[setupJob], s.done = failedJob(at), nil }
}

func TestDecideProvisioning(t *testing.T) {
	running := func(s *scene) { s.done = nil }
	for name, tt := range map[string]struct {
		edit    func(*scene)
		reason  string
		message string
		run     bool
		retire  bool
		wake    time.Duration
		serve   bool
	}{
		"a setup that is done": {
			edit: func(*scene) {}, reason: "Provisioned", message: "Topics, database schema and Temporal namespace are in place", run: true, serve: true,
		},
		"a setup that has not started": {
			edit: func(s *scene) { s.jobs = nil }, reason: "Provisioning", message: "Topics, database schema and Temporal namespace are being set up", run: true,
		},
		"a setup that runs": {
			edit: running, reason: "Provisioning", message: "Topics, database schema and Temporal namespace are being set up", run: true, wake: 2 * time.Second,
		},
		"a setup that goes on trying": {
			edit:   func(s *scene) { running(s); s.failing = "Kafka is out of reach" },
			reason: "ProvisioningFailed", message: "Kafka is out of reach", run: true, wake: 2 * time.Second,
		},
		"a setup that is at something that takes long": {
			edit: func(s *scene) {
				running(s)
				s.doing = "the index seen_by of contact (building index: scanning table, 40 %)"
			},
			reason: "Provisioning", run: true, wake: 2 * time.Second,
			message: "Topics, database schema and Temporal namespace are being set up: the index seen_by of contact (building index: scanning table, 40 %)",
		},
		"a setup that is at it once a failure is over": {
			edit: func(s *scene) {
				running(s)
				s.doing, s.brand.Status.ObservedGeneration = "the index seen_by", 3
				s.brand.Status.Conditions = conditions.Merge(nil, 3, noon(), conditions.False(v1alpha1.ConditionProvisioned, v1alpha1.ReasonProvisioningFailed, "no broker answers"))
			},
			reason: "Provisioning", message: "Topics, database schema and Temporal namespace are being set up: the index seen_by", run: true, wake: 2 * time.Second,
		},
		"a setup that is going away": {
			edit:   func(s *scene) { running(s); s.jobs[setupJob].DeletionTimestamp = &metav1.Time{Time: noon()} },
			reason: "Provisioning", message: "Topics, database schema and Temporal namespace are being set up",
		},
		"a setup of what another Brand has": {
			edit: func(s *scene) { s.taken = []refs.Problem{{Reason: v1alpha1.ReasonDuplicateDatabase, Message: "taken"}} }, reason: "AwaitingReferences",
			message: "Setup waits until another Brand has let go of what this one declares",
		},
		"a setup without a database": {
			edit: func(s *scene) { s.Owner = nil }, reason: "AwaitingReferences", message: "Setup waits for the Secret lumi-postgres",
		},
		"a setup without the connectors' login": {
			edit: func(s *scene) { s.Connector = nil }, reason: "AwaitingReferences", message: "Setup waits for the Secret lumi-connector",
		},
		"a setup without either": {
			edit:   func(s *scene) { s.Logins = dataplane.Logins{} },
			reason: "AwaitingReferences", message: "Setup waits for the Secret lumi-postgres and the Secret lumi-connector",
		},
		"a setup of a Brand whose connectors use the owner's login": {
			edit:   func(s *scene) { s.brand.Spec.Postgres.ConnectorSecretRef, s.Connector = nil, nil },
			reason: "Provisioned", message: "Topics, database schema and Temporal namespace are in place", run: true, serve: true,
		},
		"a setup that failed just now rests": {
			edit: func(s *scene) {
				failedAt(noon().Add(-3 * time.Second))(s)
				s.failures = map[string]string{setupJob: "no broker answers"}
			},
			reason: "ProvisioningFailed", message: "no broker answers", run: true, wake: 7 * time.Second,
		},
		"a setup that has rested is retired": {
			edit: failedAt(noon().Add(-10 * time.Second)), reason: "ProvisioningFailed",
			message: "setup ended without saying why (BackoffLimitExceeded)", retire: true,
		},
		"a setup that is tried again keeps the reason of its failure": {
			edit: func(s *scene) {
				running(s)
				s.brand.Status.ObservedGeneration = 3
				s.brand.Status.Conditions = conditions.Merge(nil, 3, noon(), conditions.False(v1alpha1.ConditionProvisioned, v1alpha1.ReasonProvisioningFailed, "no broker answers"))
			},
			reason: "ProvisioningFailed", message: "no broker answers", run: true, wake: 2 * time.Second,
		},
		"a setup of another declaration does not": {
			edit: func(s *scene) {
				running(s)
				s.brand.Status.ObservedGeneration = 2
				s.brand.Status.Conditions = conditions.Merge(nil, 2, noon(), conditions.False(v1alpha1.ConditionProvisioned, v1alpha1.ReasonProvisioningFailed, "no broker answers"))
			},
			reason: "Provisioning", message: "Topics, database schema and Temporal namespace are being set up", run: true, wake: 2 * time.Second,
		},
	} {
		t.Run(name, func(t *testing.T) {
			decided := decide(sceneOf(tt.edit), setupJob, noon())
			got := decided.provisioning
			if diff := cmp.Diff([]string{tt.reason, tt.message}, []string{got.finding.Reason, got.finding.Message}); diff != "" {
				t.Errorf("condition (-want +got):\n%s", diff)
			}
			if got.run != tt.run || (got.retire != nil) != tt.retire || got.wake != tt.wake || decided.serve != tt.serve {
				t.Errorf("run %v, retire %v, wake %s, serve %v", got.run, got.retire != nil, got.wake, decided.serve)
			}
		})
	}
}

func TestDecideReady(t *testing.T) {
	going := func(s *scene) { s.brand.DeletionTimestamp = &metav1.Time{Time: noon()} }
	for name, tt := range map[string]struct {
		edit    func(*scene)
		reason  string
		message string
	}{
		"everything works":        {func(*scene) {}, "Ready", "Everything that was declared is in force"},
		"no Secret":               {func(s *scene) { s.Owner = nil }, "NotFound", "ReferencesResolved: Secret lumi-postgres does not exist in this namespace"},
		"no login for connectors": {func(s *scene) { s.Connector = nil }, "NotFound", "ReferencesResolved: Secret lumi-connector does not exist in this namespace"},
		"a login without the label": {
			func(s *scene) { s.Connector.Labels = nil },
			"NotLabelled", `ReferencesResolved: Secret lumi-connector does not carry the label yingda.dev/credentials: "true"`,
		},
		"a default that dangles": {func(s *scene) { s.dangling = []refs.Problem{refs.NotFound("Playbook", "shop")} }, "NotFound", "ReferencesResolved: Playbook shop does not exist in this namespace"},
		"what another Brand has comes before what is missing": {
			func(s *scene) {
				s.taken, s.Owner = []refs.Problem{{Reason: v1alpha1.ReasonDuplicateDatabase, Message: "Brand moon has it"}}, nil
			},
			"DuplicateDatabase", "ReferencesResolved: Brand moon has it; Secret lumi-postgres does not exist in this namespace",
		},
		"no desk": {func(s *scene) { delete(s.deployments, dataplane.Desk) }, "NoReadyReplica", "DeskAvailable: No replica of the desk is ready"},
		"workflows that are behind": {
			func(s *scene) { s.answers[dataplane.Workflows] = []ack.Answer{{}} },
			"AwaitingReload", "Acknowledged: A replica of the workflows does not serve this generation yet",
		},
		"a Deployment in the way": {
			func(s *scene) { s.inTheWay = []string{"Deployment lumi-desk"} },
			"NameTaken", "ReferencesResolved: Deployment lumi-desk belongs to somebody else; delete or rename it",
		},
		"a router that is behind": {func(s *scene) { s.brand.Generation = 4 }, "AwaitingReload", "Acknowledged: A replica of the router does not serve this generation yet"},
		"Channels keep it": {
			func(s *scene) { going(s); s.channels = []string{"outlet", "shop"} },
			"DeletionBlocked", "The Brand goes once no Channel refers to it; delete outlet, shop first",
		},
	} {
		t.Run(name, func(t *testing.T) {
			ready := decide(sceneOf(tt.edit), setupJob, noon()).findings[0]
			if diff := cmp.Diff([]string{tt.reason, tt.message}, []string{ready.Reason, ready.Message}); diff != "" {
				t.Errorf("Ready (-want +got):\n%s", diff)
			}
		})
	}
	if !decide(sceneOf(going), setupJob, noon()).release {
		t.Error("a Brand that nothing refers to is not released")
	}
}

func TestLastWordsHoldNoPassword(t *testing.T) {
	for message, want := range map[string]string{
		"first\nno broker answers\n":                             "no broker answers",
		"dial postgres://lumi:hunter2@db/lumi: refused":          "dial postgres://***@db/lumi: refused",
		"connect host=db user=lumi password=hunter2 sslmode=off": "connect host=db user=lumi password=*** sslmode=off",
	} {
		pod := &corev1.Pod{Status: corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{{
			State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: 1, Message: message}},
		}}}}
		if got := lastWords(pod); got != want {
			t.Errorf("last words of %q are %q, want %q", message, got, want)
		}
	}
}
