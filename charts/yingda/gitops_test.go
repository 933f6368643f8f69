package chart_test

import (
	"regexp"
	"strings"
	"testing"
)

// TestTheHealthChecksSpeakOfReasonsThatThereAre fails where Argo CD or Flux would wait for a word that no condition says.
func TestTheHealthChecksSpeakOfReasonsThatThereAre(t *testing.T) {
	text, vocabulary := read(t, "../../docs/gitops.md"), read(t, "../../api/v1alpha1/conditions.go")
	var reasons []string
	for _, said := range regexp.MustCompile(`\b([A-Z]\w+) = true`).FindAllStringSubmatch(text, -1) {
		reasons = append(reasons, said[1])
	}
	for _, list := range regexp.MustCompile(`c\.reason in \[([^\]]*)\]`).FindAllStringSubmatch(text, -1) {
		for reason := range strings.SplitSeq(list[1], ", ") {
			reasons = append(reasons, strings.Trim(reason, "'"))
		}
	}
	if len(reasons) < 8 {
		t.Fatalf("the health checks name only %v", reasons)
	}
	for _, reason := range reasons {
		if !strings.Contains(vocabulary, `= "`+reason+`"`) {
			t.Errorf("no condition has the reason %s", reason)
		}
	}
}
