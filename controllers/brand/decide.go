package brand

import (
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/ack"
	"github.com/yingda-dev/yingda/internal/conditions"
	"github.com/yingda-dev/yingda/internal/dataplane"
	"github.com/yingda-dev/yingda/internal/refs"
)

// verdict is what a pass makes of the scene.
type verdict struct {
	// findings in the order of the status, Ready first.
	findings []conditions.Condition
	// provisioning says what to do about the setup Job.
	provisioning provisioning
	// serve says that the Deployments may be brought up to date. While it is false those that run are left alone.
	serve bool
	// release says that the Brand is being deleted and nothing needs it any more.
	release bool
	// tearDown says that the same holds, and that the Brand's data must be removed first.
	tearDown bool
	// pending says that asking the replicas again may change a finding.
	pending bool
}

func decide(seen *scene, jobName string, now time.Time) verdict {
	if seen.brand.DeletionTimestamp != nil && len(seen.channels) == 0 {
		remove := seen.brand.Spec.DeletionPolicy == v1alpha1.DeletionPolicyDelete && controllerutil.ContainsFinalizer(seen.brand, Finalizer)
		return verdict{release: !remove, tearDown: remove}
	}
	setup := decideProvisioning(seen, jobName, now)
	derived, beside := findings(seen, setup.finding)
	ready := conditions.Summary(derived...)
	if seen.brand.DeletionTimestamp != nil {
		ready = conditions.False(v1alpha1.ConditionReady, v1alpha1.ReasonDeletionBlocked,
			"The Brand goes once no Channel refers to it; delete "+strings.Join(seen.channels, ", ")+" first")
	}
	return verdict{
		findings:     slices.Concat([]conditions.Condition{ready}, derived, beside),
		provisioning: setup,
		serve:        setup.finding.Reason == v1alpha1.ReasonProvisioned,
		pending:      slices.ContainsFunc(derived, ack.Pending),
	}
}

// findings are those from which Ready is derived, and those beside it.
func findings(seen *scene, provisioned conditions.Condition) (derived, beside []conditions.Condition) {
	derived = []conditions.Condition{
		refs.Finding(problems(seen)),
		provisioned,
		available(seen, v1alpha1.ConditionRouterAvailable, dataplane.Router),
		available(seen, v1alpha1.ConditionWorkflowsAvailable, dataplane.Workflows),
		available(seen, v1alpha1.ConditionDeskAvailable, dataplane.Desk),
		ack.Judge("Brand", seen.brand.Name, seen.brand.Generation,
			ack.Group{Name: "router", Answers: seen.answers[dataplane.Router]},
			ack.Group{Name: "desk", Answers: seen.answers[dataplane.Desk]},
			ack.Group{Name: "workflows", Answers: seen.answers[dataplane.Workflows]}),
	}
	beside = []conditions.Condition{judgeDependencies(seen.reached)}
	if seen.exposed != nil {
		beside = append(beside, *seen.exposed)
	}
	if seen.brand.Spec.Mail != nil {
		before, _ := conditions.Find(seen.brand.Status.Conditions, v1alpha1.ConditionMailReached)
		beside = append(beside, judgeMail(before, seen.answers[dataplane.Workflows]))
	}
	return derived, beside
}

// loginProblems say what keeps pods from being given their connections, by the name of the Secret, the database owner's first.
func loginProblems(seen *scene) (names []string, found []refs.Problem) {
	check := func(name string, secret *metav1.PartialObjectMetadata) {
		if problem := refs.CheckCredentials(name, secret); problem != nil && !slices.Contains(names, name) {
			names, found = append(names, name), append(found, *problem)
		}
	}
	check(dataplane.OwnerLogin(seen.brand), seen.Owner)
	if name := dataplane.OwnConnectorLogin(seen.brand); name != "" {
		check(name, seen.Connector)
	}
	for _, name := range dataplane.SecuringSecrets(seen.brand) {
		check(name, seen.Securing[name])
	}
	return names, found
}

func problems(seen *scene) []refs.Problem {
	_, found := loginProblems(seen)
	return slices.Concat(seen.taken, found, seen.dangling, refs.NamesTaken(seen.inTheWay))
}

func available(seen *scene, condition, component string) conditions.Condition {
	if d := seen.deployments[component]; d != nil && d.Status.ReadyReplicas > 0 {
		return conditions.True(condition, v1alpha1.ReasonAvailable, "A replica of the "+component+" is ready")
	}
	return conditions.False(condition, v1alpha1.ReasonNoReadyReplica, "No replica of the "+component+" is ready")
}
