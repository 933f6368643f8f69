package bot

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
)

func tapRule(name string, keys ...string) yingdav1.PlaybookRule {
	rule := replyRule(name, "text of "+name)
	rule.Match.MenuKeys = keys
	return rule
}

func TestATapOnTheMenuIsDecidedByItsKeyAlone(t *testing.T) {
	t.Parallel()
	complaint := handOffRule("complaint", "complaint", "投诉")
	complaint.Match.MenuKeys = []string{"COMPLAINT"}
	p := mustCompile(t, yingdav1.PlaybookSpec{Rules: []yingdav1.PlaybookRule{
		replyRule("words", "b", "INVOICE"), tapRule("invoice", "BILL", "INVOICE"), tapRule("later", "INVOICE"), complaint,
	}})
	for name, tc := range map[string]struct {
		key  string
		want Decision
	}{
		"a key is answered, by the first rule that has it": {"INVOICE", Answer{Rule: "invoice", Text: "text of invoice"}},
		"case matters":                         {"invoice", NoMatch{}},
		"a part of a key is none":              {"INVOICES", NoMatch{}},
		"a key that no rule has":               {"OTHER", NoMatch{}},
		"words are no keys":                    {"投诉", NoMatch{}},
		"a rule that hands off":                {"COMPLAINT", HandOff{Rule: "complaint", Topic: "complaint"}},
		"no key, which no rule can have, ever": {"", NoMatch{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tc.want, p.DecideTap(tc.key)); diff != "" {
				t.Errorf("DecideTap(%q) (-want +got):\n%s", tc.key, diff)
			}
		})
	}
	if diff := cmp.Diff(Decision(NoMatch{}), mustCompile(t, yingdav1.PlaybookSpec{Rules: []yingdav1.PlaybookRule{tapRule("a", "K")}}).Decide("K")); diff != "" {
		t.Errorf("a text is matched by a menu key (-want +got):\n%s", diff)
	}
}
