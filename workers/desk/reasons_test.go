package desk

import (
	"encoding/json"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/yingda-dev/yingda/internal/domain/history"
	"github.com/yingda-dev/yingda/internal/promise"
)

// description is what a test reads of the description of the API.
type description struct {
	// Paths have operations by method.
	Paths      map[string]map[string]describedOperation `json:"paths"`
	Components struct {
		Schemas map[string]struct {
			Properties map[string]struct {
				Enum []any `json:"enum"`
			} `json:"properties"`
		} `json:"schemas"`
	} `json:"components"`
}

type describedOperation struct {
	OperationID string `json:"operationId"`
	Responses   map[string]struct {
		Content map[string]struct {
			Schema struct {
				Ref string `json:"$ref"`
			} `json:"schema"`
		} `json:"content"`
	} `json:"responses"`
}

func (d *desk) describesItself() description {
	response := httptest.NewRecorder()
	d.Handler().ServeHTTP(response, httptest.NewRequestWithContext(d.t.Context(), http.MethodGet, "/openapi.json", http.NoBody))
	var api description
	if err := json.Unmarshal(response.Body.Bytes(), &api); err != nil {
		d.t.Fatal(err)
	}
	return api
}

// describes holds an answer against the description of the API: who reads there how an operation may refuse is told nothing else. All
// tests of this package that send requests ask for it.
func (d *desk) describes(method, asked string, status int, body []byte) {
	d.t.Helper()
	if status < http.StatusBadRequest || status >= http.StatusInternalServerError || status == statusGone {
		return
	}
	api := d.described()
	operation, ok := api.operation(method, asked)
	if !ok {
		return // Nothing of the API's, or nothing of huma's.
	}
	response, ok := operation.Responses[strconv.Itoa(status)]
	if !ok {
		d.t.Errorf("%s: %d is not described: %s", operation.OperationID, status, body)
		return
	}
	var said struct {
		Type string `json:"type"`
	}
	if err := json.Unmarshal(body, &said); err != nil {
		d.t.Errorf("%s: %d: %v", operation.OperationID, status, err)
		return
	}
	if said.Type == "" {
		said.Type = "about:blank"
	}
	schema := path.Base(response.Content["application/problem+json"].Schema.Ref)
	if types := api.Components.Schemas[schema].Properties["type"].Enum; !slices.Contains(types, any(said.Type)) {
		d.t.Errorf("%s: %d: the type %s is not in the schema %s", operation.OperationID, status, said.Type, schema)
	}
}

// operation is that of a path; of two the one that has fewer parameters.
func (api description) operation(method, asked string) (found describedOperation, ok bool) {
	parameter := regexp.MustCompile(`\{\w+\}`)
	fewest := math.MaxInt
	for pattern, operations := range api.Paths {
		operation, has := operations[strings.ToLower(method)]
		parameters := strings.Count(pattern, "{")
		if has && parameters < fewest && regexp.MustCompile("^"+parameter.ReplaceAllString(pattern, "[^/]+")+"$").MatchString(asked) {
			found, fewest, ok = operation, parameters, true
		}
	}
	return found, ok
}

// Who writes a refusal with a reason of its own has to name it in reasons, from where the description has it.
func TestEveryReasonIsDescribed(t *testing.T) {
	known := reasons()
	written := regexp.MustCompile(`(?:refusal|problem)\(http\.Status\w+, "(\w+)"|notPossible\("(\w+)"|(?:refuse|lacks)\("(\w+)"|\bReason: +"(\w+)"`)
	count := 0
	for _, pattern := range []string{"*.go", "../../internal/domain/aftersales/*.go", "../../internal/domain/compensation/*.go", "../../internal/domain/quality/review.go", "../../internal/domain/task/*.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("no files %s: %v", pattern, err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			content, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, found := range written.FindAllStringSubmatch(string(content), -1) {
				count++
				if reason := strings.Join(found[1:], ""); !slices.Contains(known, reason) {
					t.Errorf("%s: the reason %s is not in reasons", file, reason)
				}
			}
		}
	}
	if count < 100 {
		t.Errorf("only %d reasons were found: are they written otherwise now?", count)
	}
}

func TestThePageHasAWordForEveryAction(t *testing.T) {
	content, err := os.ReadFile("web/js/cases.js")
	if err != nil {
		t.Fatal(err)
	}
	_, words, _ := strings.Cut(string(content), "const actions = {")
	words, _, _ = strings.Cut(words, "};")
	named := texts(history.Own())
	for _, kind := range promise.CaseKinds() {
		how, ok := actionsOf(kind)
		if !ok && kind != promise.CaseReview { // What is judged has routes of its own.
			t.Fatalf("nobody works on %s", kind)
		}
		named = append(named, how.actions...)
	}
	for _, action := range named {
		if !regexp.MustCompile(`\b` + action + `: '`).MatchString(words) {
			t.Errorf("the page has no word for %s", action)
		}
	}
}
