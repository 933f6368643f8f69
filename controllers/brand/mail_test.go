package brand

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/ack"
	"github.com/yingda-dev/yingda/internal/conditions"
	"github.com/yingda-dev/yingda/internal/configz"
)

func TestWhatTheMailServerMadeOfTheLastMail(t *testing.T) {
	tried := func(ago time.Duration, outcome configz.MailOutcome) ack.Answer {
		return ack.Answer{Report: configz.Report{Mail: &configz.Mail{At: noon().Add(-ago), Outcome: outcome, Code: 550}}}
	}
	before := conditions.False(v1alpha1.ConditionMailReached, v1alpha1.ReasonMailUntrusted, "as it was")
	for name, tc := range map[string]struct {
		before   conditions.Condition
		replicas []ack.Answer
		status   metav1.ConditionStatus
		reason   string
	}{
		"nobody has tried":                    {conditions.Condition{}, []ack.Answer{{}}, metav1.ConditionUnknown, "NothingMailed"},
		"nobody has since the replicas began": {before, []ack.Answer{{}}, metav1.ConditionFalse, "MailUntrusted"},
		"a replica that cannot be asked":      {before, []ack.Answer{{Err: errors.New("away"), Report: tried(0, configz.MailTaken).Report}}, metav1.ConditionFalse, "MailUntrusted"},
		"it was taken":                        {before, []ack.Answer{tried(0, configz.MailTaken)}, metav1.ConditionTrue, "MailTaken"},
		"it was taken by the one who is last": {before, []ack.Answer{tried(time.Hour, configz.MailRefused), tried(0, configz.MailTaken)}, metav1.ConditionTrue, "MailTaken"},
		"it was refused by the one who is":    {before, []ack.Answer{tried(0, configz.MailRefused), tried(time.Hour, configz.MailTaken)}, metav1.ConditionFalse, "MailRefused"},
		"it is wanted later":                  {before, []ack.Answer{tried(0, configz.MailDeferred)}, metav1.ConditionFalse, "MailDeferred"},
		"the server is away":                  {before, []ack.Answer{tried(0, configz.MailUnreachable)}, metav1.ConditionFalse, "MailUnreachable"},
		"the server is not known":             {before, []ack.Answer{tried(0, configz.MailUntrusted)}, metav1.ConditionFalse, "MailUntrusted"},
		"no password is in the Secret":        {conditions.Condition{}, []ack.Answer{tried(0, configz.MailNoCredentials)}, metav1.ConditionFalse, "MailNoCredentials"},
		"nobody knows whether it is": {
			conditions.False(v1alpha1.ConditionMailReached, v1alpha1.ReasonMailNoCredentials, "as it was"), []ack.Answer{{Err: errors.New("away")}}, metav1.ConditionFalse, "MailNoCredentials",
		},
		"it is, now": {
			conditions.False(v1alpha1.ConditionMailReached, v1alpha1.ReasonMailNoCredentials, "as it was"), []ack.Answer{{}}, metav1.ConditionUnknown, "NothingMailed",
		},
		"the server does not know the account": {before, []ack.Answer{tried(0, configz.MailNotSignedIn)}, metav1.ConditionFalse, "MailNotSignedIn"},
	} {
		t.Run(name, func(t *testing.T) {
			got := judgeMail(tc.before, tc.replicas)
			if got.Type != v1alpha1.ConditionMailReached || got.Status != tc.status || got.Reason != tc.reason {
				t.Errorf("got %+v, want %s %s", got, tc.status, tc.reason)
			}
			if cut := conditions.Bound(got.Message); cut != got.Message || strings.Contains(got.Message, "%!") {
				t.Errorf("the message is %q", got.Message)
			}
		})
	}
}

func TestOnlyABrandWithAMailServerSaysWhatThatDoes(t *testing.T) {
	types := func(s *scene) (found []string) {
		for _, c := range decide(s, setupJob, noon()).findings {
			if c.Type == v1alpha1.ConditionMailReached {
				found = append(found, string(c.Status))
			}
		}
		return found
	}
	if diff := cmp.Diff([]string(nil), types(sceneOf())); diff != "" {
		t.Errorf("without (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"Unknown"}, types(sceneOf(func(s *scene) { s.brand.Spec.Mail = &v1alpha1.BrandMail{} }))); diff != "" {
		t.Errorf("with (-want +got):\n%s", diff)
	}
}
