package chart_test

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/go-cmp/cmp"
	lua "github.com/yuin/gopher-lua"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/conditions"
)

// The words in which Argo CD and Flux say how an object does.
const (
	healthy     = "Healthy"
	progressing = "Progressing"
	degraded    = "Degraded"

	current    = "Current"
	inProgress = "InProgress"
	failed     = "Failed"
)

// healthCase is an object as tools that wait for it may meet it.
type healthCase struct {
	// observed is status.observedGeneration of an object of generation 2; none is one without a status.
	observed  int64
	condition metav1.Condition
	deleted   bool
	argo      string
	flux      string
}

func ready(status metav1.ConditionStatus, reason string) metav1.Condition {
	return metav1.Condition{Type: v1alpha1.ConditionReady, Status: status, Reason: reason, Message: "Acknowledged: it is as it is"}
}

func healthCases() map[string]healthCase {
	rejected, passing := ready(metav1.ConditionFalse, v1alpha1.ReasonRejected), ready(metav1.ConditionFalse, v1alpha1.ReasonAwaitingReplicas)
	isReady := ready(metav1.ConditionTrue, v1alpha1.ReasonReady)
	return map[string]healthCase{
		"what is in force is healthy":                           {observed: 2, condition: isReady, argo: healthy, flux: current},
		"what passes by itself is waited for":                   {observed: 2, condition: passing, argo: progressing, flux: inProgress},
		"what the Brand's setup keeps is waited for":            {observed: 2, condition: ready(metav1.ConditionFalse, v1alpha1.ReasonBrandNotReady), argo: progressing, flux: inProgress},
		"what waits for a person is not":                        {observed: 2, condition: rejected, argo: degraded, flux: failed},
		"what nobody could look at is waited for":               {observed: 2, condition: ready(metav1.ConditionUnknown, v1alpha1.ReasonNotReported), argo: progressing, flux: inProgress},
		"what has no status yet is waited for":                  {argo: progressing, flux: inProgress},
		"an edit of what is in force is waited for":             {observed: 1, condition: isReady, argo: progressing, flux: inProgress},
		"an edit of what waits for a person may have mended it": {observed: 1, condition: rejected, argo: progressing, flux: inProgress},
		"what drains before it goes is waited for":              {observed: 2, condition: ready(metav1.ConditionFalse, v1alpha1.ReasonDraining), deleted: true, argo: progressing, flux: inProgress},
	}
}

// object is one of a kind, as the API server has it.
func (h healthCase) object(t *testing.T, kind string) map[string]any {
	t.Helper()
	object := map[string]any{
		"apiVersion": v1alpha1.GroupVersion().String(), "kind": kind,
		"metadata": map[string]any{"name": "one", "generation": int64(2)},
	}
	if h.deleted {
		object["metadata"].(map[string]any)["deletionTimestamp"] = "2026-11-23T08:00:00Z"
	}
	if h.observed == 0 {
		return object
	}
	condition, err := runtime.DefaultUnstructuredConverter.ToUnstructured(&h.condition)
	if err != nil {
		t.Fatal(err)
	}
	other := map[string]any{"type": v1alpha1.ConditionReferencesResolved, "status": "True", "reason": v1alpha1.ReasonResolved, "message": ""}
	object["status"] = map[string]any{"observedGeneration": h.observed, "conditions": []any{condition, other}}
	return object
}

// kinds are all of ours, each with a function that makes an empty one.
func kinds(t *testing.T) map[string]func() client.Object {
	t.Helper()
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	kinds := map[string]func() client.Object{}
	for kind := range scheme.KnownTypes(v1alpha1.GroupVersion()) {
		made, err := scheme.New(v1alpha1.GroupVersion().WithKind(kind))
		if err != nil {
			t.Fatal(err)
		}
		if object, ok := made.(client.Object); ok {
			kinds[kind] = func() client.Object { return object.DeepCopyObject().(client.Object) }
		}
	}
	if len(kinds) < 8 {
		t.Fatalf("the kinds are only %v", slices.Collect(maps.Keys(kinds)))
	}
	return kinds
}

func TestArgoCDSeesOfEachKindWhetherItIsInForce(t *testing.T) {
	script := argoHealthCheck(t)
	for kind, empty := range kinds(t) {
		for sentence, tt := range healthCases() {
			t.Run(kind+": "+sentence, func(t *testing.T) {
				object := tt.object(t, kind)
				if err := runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(object, empty(), true); err != nil {
					t.Fatalf("a %s is not like this: %v", kind, err)
				}
				got, message := argoHealth(t, script, object)
				if got != tt.argo || message == "" {
					t.Errorf("it is %s (%q), want %s", got, message, tt.argo)
				}
			})
		}
	}
}

func TestFluxSeesWhetherAnObjectIsInForce(t *testing.T) {
	for _, check := range fluxHealthChecks(t) {
		for sentence, tt := range healthCases() {
			t.Run(check.Kind+": "+sentence, func(t *testing.T) {
				if got := check.health(t, tt.object(t, check.Kind)); got != tt.flux {
					t.Errorf("it is %s, want %s", got, tt.flux)
				}
			})
		}
	}
}

// TestTheHealthChecksWaitForWhatPasses holds the page to what the operator itself takes for a matter of time: a reason that is missing
// turns an application red while a brand is set up, one too many has it wait for ever for what needs a person.
func TestTheHealthChecksWaitForWhatPasses(t *testing.T) {
	var want []string
	for _, said := range regexp.MustCompile(`Reason\w+\s+= "(\w+)"`).FindAllStringSubmatch(read(t, "../../api/v1alpha1/conditions.go"), -1) {
		if conditions.Passes(said[1]) {
			want = append(want, said[1])
		}
	}
	slices.Sort(want)
	lists := map[string][]string{"Argo CD": named(argoHealthCheck(t), `\b([A-Z]\w+) = true`)}
	for _, check := range fluxHealthChecks(t) {
		list := regexp.MustCompile(`c\.reason in \[([^\]]*)\]`).FindString(check.Failed)
		lists["Flux, "+check.Kind] = named(list, `'(\w+)'`)
	}
	for tool, got := range lists {
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("reasons for which %s waits (-want +got):\n%s", tool, diff)
		}
	}
}

// named are the words that a pattern finds, in order.
func named(text, pattern string) []string {
	var words []string
	for _, found := range regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1) {
		words = append(words, found[1])
	}
	slices.Sort(words)
	return words
}

// onThePage reads the objects in the YAML blocks of docs/gitops.md that hold a word.
func onThePage(t *testing.T, word string) []map[string]any {
	t.Helper()
	var objects []map[string]any
	for _, block := range regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(read(t, "../../docs/gitops.md"), -1) {
		for document := range strings.SplitSeq(block[1], "\n---\n") {
			if !strings.Contains(document, word) {
				continue
			}
			object := map[string]any{}
			if err := yaml.UnmarshalStrict([]byte(document), &object); err != nil {
				t.Fatal(err)
			}
			objects = append(objects, object)
		}
	}
	if len(objects) == 0 {
		t.Fatalf("docs/gitops.md shows no %s", word)
	}
	return objects
}

// argoHealthCheck is the script for our kinds in what the page merges into the ConfigMap argocd-cm.
func argoHealthCheck(t *testing.T) string {
	t.Helper()
	text, _, err := unstructured.NestedString(onThePage(t, "health.lua")[0], "data", "resource.customizations")
	if err != nil {
		t.Fatal(err)
	}
	var customizations map[string]map[string]string
	if err := yaml.UnmarshalStrict([]byte(text), &customizations); err != nil {
		t.Fatal(err)
	}
	return customizations["yingda.dev/*"]["health.lua"]
}

// argoHealth runs a health check as Argo CD does: on the same interpreter, without the libraries that reach out of it.
func argoHealth(t *testing.T, script string, object map[string]any) (status, message string) {
	t.Helper()
	state := lua.NewState(lua.Options{SkipOpenLibs: true})
	defer state.Close()
	for name, open := range map[string]lua.LGFunction{lua.BaseLibName: lua.OpenBase, lua.TabLibName: lua.OpenTable} {
		state.Push(state.NewFunction(open))
		state.Push(lua.LString(name))
		state.Call(1, 0)
	}
	state.SetGlobal("obj", luaValue(t, state, object))
	if err := state.DoString(script); err != nil {
		t.Fatal(err)
	}
	health, ok := state.Get(-1).(*lua.LTable)
	if !ok {
		t.Fatalf("it returned %v", state.Get(-1))
	}
	return health.RawGetString("status").String(), lua.LVAsString(health.RawGetString("message"))
}

func luaValue(t *testing.T, state *lua.LState, value any) lua.LValue {
	t.Helper()
	switch v := value.(type) {
	case nil:
		return lua.LNil
	case string:
		return lua.LString(v)
	case int64:
		return lua.LNumber(v)
	case []any:
		table := state.NewTable()
		for _, item := range v {
			table.Append(luaValue(t, state, item))
		}
		return table
	case map[string]any:
		table := state.NewTable()
		for key, item := range v {
			table.RawSetString(key, luaValue(t, state, item))
		}
		return table
	}
	t.Fatalf("no object has a %T", value)
	return nil
}

// fluxHealthCheck is one of a Kustomization's spec.healthCheckExprs.
type fluxHealthCheck struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Current    string `json:"current"`
	Failed     string `json:"failed"`
}

func fluxHealthChecks(t *testing.T) []fluxHealthCheck {
	t.Helper()
	var checks []fluxHealthCheck
	for _, kustomization := range onThePage(t, "healthCheckExprs") {
		listed, _, err := unstructured.NestedSlice(kustomization, "spec", "healthCheckExprs")
		if err != nil {
			t.Fatal(err)
		}
		text, err := yaml.Marshal(listed)
		if err != nil {
			t.Fatal(err)
		}
		if err := yaml.UnmarshalStrict(text, &checks); err != nil {
			t.Fatal(err)
		}
	}
	return checks
}

// health is what kustomize-controller makes of an object (fluxcd/flux2, RFC 9): nothing, while the status speaks of another generation;
// then failed is asked before current. What cannot be evaluated, such as the status of an object that has none, is asked again.
func (f fluxHealthCheck) health(t *testing.T, object map[string]any) string {
	t.Helper()
	generation, _, _ := unstructured.NestedInt64(object, "metadata", "generation")
	if observed, known, _ := unstructured.NestedInt64(object, "status", "observedGeneration"); known && observed != generation {
		return inProgress
	}
	for _, asked := range []struct{ expression, means string }{{f.Failed, failed}, {f.Current, current}} {
		env, err := cel.NewEnv()
		if err != nil {
			t.Fatal(err)
		}
		parsed, issues := env.Parse(asked.expression)
		if issues.Err() != nil {
			t.Fatal(issues.Err())
		}
		program, err := env.Program(parsed)
		if err != nil {
			t.Fatal(err)
		}
		switch value, _, err := program.Eval(object); {
		case err != nil && object["status"] == nil:
			return inProgress
		case err != nil:
			t.Fatal(err)
		case value == types.True:
			return asked.means
		}
	}
	return inProgress
}
