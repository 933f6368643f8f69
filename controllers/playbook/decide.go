package playbook

import (
	"fmt"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/ack"
	"github.com/yingda-dev/yingda/internal/conditions"
	"github.com/yingda-dev/yingda/internal/domain/bot"
)

// verdict is what a pass makes of the scene.
type verdict struct {
	// findings in the order of the status, Ready first.
	findings []conditions.Condition
	// rules and faqEntries are those in force: of the generation before while this one is invalid.
	rules, faqEntries int32
	// pending says that asking the replicas again may change a finding.
	pending bool
}

func decide(seen *scene) verdict {
	playbook := seen.playbook
	checked := valid(playbook.Spec)
	rules, entries := int32(len(playbook.Spec.Rules)), int32(len(playbook.Spec.FAQ)) //nolint:gosec // the schema allows 256 and 512
	acknowledged := ack.JudgeBrands("Playbook", playbook.Name, playbook.Generation, seen.brands)
	if checked.Status != metav1.ConditionTrue {
		var before bool
		rules, entries = 0, 0
		if acknowledged, before = ack.NotServed("Playbook", playbook.Name, seen.brands); before {
			rules, entries = playbook.Status.Rules, playbook.Status.FAQEntries
		}
	}
	findings := []conditions.Condition{checked, acknowledged}
	return verdict{
		findings:   append([]conditions.Condition{conditions.Summary(findings...)}, append(findings, reachable(playbook.Spec), form(seen))...),
		rules:      rules,
		faqEntries: entries,
		pending:    ack.Pending(acknowledged),
	}
}

func reachable(spec v1alpha1.PlaybookSpec) conditions.Condition {
	if shadowed := bot.Shadowed(spec); len(shadowed) > 0 {
		return conditions.False(v1alpha1.ConditionRulesReachable, v1alpha1.ReasonShadowed, strings.Join(shadowed, "; "))
	}
	return conditions.True(v1alpha1.ConditionRulesReachable, v1alpha1.ReasonReachable, "Customers can get to all rules and to all of the FAQ")
}

// form says whether customers reach the form to which the Playbook leads them.
func form(seen *scene) conditions.Condition {
	leads := bot.Forms(seen.playbook.Spec)
	switch {
	case len(leads) == 0:
		return conditions.True(v1alpha1.ConditionFormReachable, v1alpha1.ReasonNotUsed, "Nothing leads customers to their form for after-sales")
	case len(seen.formless) > 0:
		return conditions.False(v1alpha1.ConditionFormReachable, v1alpha1.ReasonNoFormsURL, fmt.Sprintf(
			"Brand %s has no address for customers' forms: set its spec.desk.formsURL to the https address at which they reach the desk's /forms/. Until then whom a rule or the FAQ would lead there is given to a human, and {{.AfterSalesForm}} is empty in texts. It is in %s",
			strings.Join(seen.formless, ", "), strings.Join(leads, ", ")))
	default:
		return conditions.True(v1alpha1.ConditionFormReachable, v1alpha1.ReasonReachable, "Customers reach the form to which the Playbook leads them")
	}
}

func valid(spec v1alpha1.PlaybookSpec) conditions.Condition {
	if mistakes := bot.Validate(spec); len(mistakes) > 0 {
		return conditions.False(v1alpha1.ConditionValid, v1alpha1.ReasonInvalid, mistakes.ToAggregate().Error())
	}
	return conditions.True(v1alpha1.ConditionValid, v1alpha1.ReasonValid, "All texts and rules can be used")
}
