package desk

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/yingda-dev/yingda/internal/domain/quality"
)

// A browser runs none of a module that declares a name twice, which is what a merge of two that compile can leave behind.
func TestThePagesModulesDeclareEachNameOnce(t *testing.T) {
	paths, err := filepath.Glob("web/js/*.js")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no modules: %v", err)
	}
	declaration := regexp.MustCompile(`(?m)^(?:export )?(?:async )?(?:function|class|const|let) (\w+)`)
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		seen := map[string]bool{}
		for _, found := range declaration.FindAllStringSubmatch(string(content), -1) {
			if seen[found[1]] {
				t.Errorf("%s declares %s twice", path, found[1])
			}
			seen[found[1]] = true
		}
	}
}

func TestThePageNamesEveryStateOfAJudgement(t *testing.T) {
	content, err := os.ReadFile("web/js/cases.js")
	if err != nil {
		t.Fatal(err)
	}
	names := regexp.MustCompile(`(?m)^  review: \{.*\}`).Find(content)
	for _, state := range []quality.State{quality.Pending, quality.Scored, quality.Appealed, quality.Upheld, quality.Changed} {
		if !regexp.MustCompile(`\b` + string(state) + `: '\p{Han}+'`).Match(names) {
			t.Errorf("cases.js has no name for %s", state)
		}
	}
}
