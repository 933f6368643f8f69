package agent

import (
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/ack"
	"github.com/yingda-dev/yingda/internal/conditions"
	"github.com/yingda-dev/yingda/internal/refs"
)

// tokenAction is what to do about the trial token.
type tokenAction int

const (
	// tokenKeep leaves the token that is there.
	tokenKeep tokenAction = iota
	// tokenMake makes the token that is missing.
	tokenMake
	// tokenReplace deletes a token whose hash was lost, since nobody could sign in with it.
	tokenReplace
	// tokenForeign leaves a Secret that is not the Agent's.
	tokenForeign
)

// verdict is what a pass makes of the scene.
type verdict struct {
	// findings in the order of the status, Ready first.
	findings []conditions.Condition
	token    tokenAction
	// hash of the token in force, empty when there is none.
	hash string
	// signedIn says that the person has signed in at least once.
	signedIn bool
	// pending says that asking the replicas again may change a finding.
	pending bool
}

func decide(seen *scene) verdict {
	acknowledged := ack.Judge("Agent", seen.agent.Name, seen.agent.Generation, seen.serving...)
	decided := verdict{pending: ack.Pending(acknowledged), signedIn: signedIn(seen)}
	decided.token, decided.hash = decideToken(seen)
	findings := []conditions.Condition{refs.Finding(problems(seen, decided.token)), ack.Blame(acknowledged, seen.brand)}
	ready := conditions.Summary(findings...)
	decided.findings = append(append([]conditions.Condition{ready}, findings...), signedInOnce(seen))
	return decided
}

func decideToken(seen *scene) (tokenAction, string) {
	if seen.secret == nil {
		return tokenMake, ""
	}
	if !metav1.IsControlledBy(seen.secret, seen.agent) {
		return tokenForeign, ""
	}
	if hash := seen.secret.Annotations[annotationHash]; len(hash) == hashLength {
		return tokenKeep, hash
	}
	return tokenReplace, ""
}

func problems(seen *scene, token tokenAction) []refs.Problem {
	var found []refs.Problem
	if seen.brand == nil {
		found = append(found, refs.NotFound("Brand", seen.agent.Spec.BrandRef.Name))
	}
	if token == tokenForeign {
		found = append(found, refs.Problem{
			Reason:  v1alpha1.ReasonInvalid,
			Message: "Secret " + secretName(seen.agent.Name) + " is not this Agent's; delete it, and a trial token is made",
		})
	}
	if seen.refused != nil {
		found = append(found, refs.Problem{
			Reason:  v1alpha1.ReasonTokenNotMade,
			Message: "Secret " + secretName(seen.agent.Name) + " with the trial token cannot be made" + because(seen.refused),
		})
	}
	return found
}

// because names the API server's reason and not its words, which may hold what changes with every try.
func because(err error) string {
	if reason := apierrors.ReasonForError(err); reason != metav1.StatusReasonUnknown {
		return ": the API server says " + string(reason)
	}
	return ""
}

// signedIn is remembered: the desk's replicas forget who signed in when they restart.
func signedIn(seen *scene) bool {
	before, known := conditions.Find(seen.agent.Status.Conditions, v1alpha1.ConditionSignedInOnce)
	if known && before.Status == metav1.ConditionTrue {
		return true
	}
	for _, answer := range seen.desk {
		if answer.Err == nil && slices.Contains(answer.Report.SignedInAgents, seen.agent.Name) {
			return true
		}
	}
	return false
}

func signedInOnce(seen *scene) conditions.Condition {
	if signedIn(seen) {
		return conditions.True(v1alpha1.ConditionSignedInOnce, v1alpha1.ReasonSignedIn, "The person has signed in")
	}
	return conditions.False(v1alpha1.ConditionSignedInOnce, v1alpha1.ReasonNotYetSignedIn, "The person has not signed in yet")
}
