package controllers_test

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
)

// The tables of this package say what is refused. Here it is held that they leave no rule out: each formula, bound of a number and
// list of values in the schemas has an attempt that the API server refuses at this very field for this very reason. Rules of
// one wording are common, so that the words alone would prove nothing.
func TestEveryRuleOfTheSchemasRefusesAnAttempt(t *testing.T) {
	a := newAdmission(t)
	var refusals []refusal
	for _, attempts := range []map[string]attempt{
		afterSalesAttempts(), agentAttempts(), brandAttempts(), calendarAttempts(), channelAttempts(), exposureAttempts(), mailAttempts(),
		numberAttempts(t), objectivesAttempts(), officialAccountAttempts(), playbookAttempts(), serviceLevelAttempts(),
		shiftScheduleAttempts(), shippingAttempts(), skillGroupAttempts(), taskAttempts(),
	} {
		for _, tt := range attempts {
			if tt.want != "" {
				refusals = append(refusals, refusalsOf(a.create(t, tt.object))...)
			}
		}
	}
	for _, tt := range alterations() {
		if tt.want != "" {
			refusals = append(refusals, refusalsOf(a.alter(t, tt))...)
		}
	}
	rules := schemaRules(t)
	if len(rules) == 0 {
		t.Fatal("the schemas have no rules")
	}
	for _, r := range rules {
		if !slices.ContainsFunc(refusals, r.refuses) {
			t.Errorf("%s: nothing is refused at %q with %q", r.kind, r.field, r.words)
		}
	}
}

// rule is what the schema of a kind demands of a field, and the words with which its refusal ends. In a list the field of each item is
// the same, with [] for its place.
type rule struct{ kind, field, words string }

func (r rule) refuses(done refusal) bool {
	return done.kind == r.kind && done.field == r.field && strings.HasSuffix(done.message, r.words)
}

// refusal is one of the reasons for which the API server refused an object.
type refusal struct{ kind, field, message string }

func refusalsOf(err error) []refusal {
	var status apierrors.APIStatus
	if !errors.As(err, &status) || status.Status().Details == nil {
		return nil
	}
	details, place := status.Status().Details, regexp.MustCompile(`\[[^]]*\]`)
	var all []refusal
	for _, cause := range details.Causes {
		field := place.ReplaceAllString(cause.Field, "[]")
		if field == wholeObject {
			field = ""
		}
		message := cause.Message
		if cause.Type == metav1.CauseTypeFieldValueNotSupported {
			message = unsupported
		}
		all = append(all, refusal{details.Kind, field, message})
	}
	return all
}

const (
	// wholeObject is the field that the API server names where a rule speaks of none.
	wholeObject = "<nil>"
	unsupported = "Unsupported value"
)

// schemaRules are those of all kinds on what people write.
func schemaRules(t *testing.T) []rule {
	t.Helper()
	read := envtest.CRDInstallOptions{Paths: []string{filepath.Join("..", "config", "crd", "bases")}}
	if err := envtest.ReadCRDFiles(&read); err != nil || len(read.CRDs) == 0 {
		t.Fatalf("no CRDs: %v", err)
	}
	var all []rule
	for _, crd := range read.CRDs {
		kind, schema := crd.Spec.Names.Kind, crd.Spec.Versions[0].Schema.OpenAPIV3Schema
		all = append(all, formulas(kind, "", schema)...)
		spec := schema.Properties["spec"]
		all = append(all, rulesBelow(kind, "spec", &spec)...)
	}
	return all
}

func rulesBelow(kind, field string, schema *apiextensionsv1.JSONSchemaProps) []rule {
	all := formulas(kind, field, schema)
	if schema.Minimum != nil {
		all = append(all, rule{kind, field, fmt.Sprintf("should be greater than or equal to %.0f", *schema.Minimum)})
	}
	if schema.Maximum != nil {
		all = append(all, rule{kind, field, fmt.Sprintf("should be less than or equal to %.0f", *schema.Maximum)})
	}
	if len(schema.Enum) > 0 {
		all = append(all, rule{kind, field, unsupported})
	}
	for _, name := range slices.Sorted(maps.Keys(schema.Properties)) {
		property := schema.Properties[name]
		all = append(all, rulesBelow(kind, field+"."+name, &property)...)
	}
	if schema.Items != nil && schema.Items.Schema != nil {
		all = append(all, rulesBelow(kind, field+"[]", schema.Items.Schema)...)
	}
	return all
}

// formulas are the CEL rules of a schema.
func formulas(kind, field string, schema *apiextensionsv1.JSONSchemaProps) []rule {
	var all []rule
	for _, validation := range schema.XValidations {
		all = append(all, rule{kind, strings.TrimPrefix(field+validation.FieldPath, "."), validation.Message})
	}
	return all
}
