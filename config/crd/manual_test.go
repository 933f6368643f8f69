package crd_test

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
)

// What kubectl explain shows is the users' manual, so that it has to say what the schemas demand: each bound, each default, what a
// field means that is left out, and what cannot be changed.
func TestTheManualSaysWhatTheSchemasDemand(t *testing.T) {
	for kind, spec := range specs(t) {
		t.Run(kind, func(t *testing.T) {
			manual := oneLine(spec.Description)
			if !strings.Contains(manual, "may be changed at any time") {
				t.Error("spec does not say that it may be changed at any time")
			}
			for _, f := range below(field{path: "spec", says: manual, schema: spec}) {
				for _, demand := range f.unsaid() {
					t.Errorf("%s does not say %s: %q", f.path, demand, f.says)
				}
				for _, path := range f.fixed() {
					name := path[strings.LastIndex(path, ".")+1:]
					if !says(manual, name) {
						t.Errorf("spec does not say that %s cannot be changed", path)
					}
				}
			}
		})
	}
}

// specs are the schemas of what people write, by kind.
func specs(t *testing.T) map[string]*apiextensionsv1.JSONSchemaProps {
	t.Helper()
	read := envtest.CRDInstallOptions{Paths: []string{"bases"}}
	if err := envtest.ReadCRDFiles(&read); err != nil || len(read.CRDs) == 0 {
		t.Fatalf("no CRDs: %v", err)
	}
	all := map[string]*apiextensionsv1.JSONSchemaProps{}
	for _, crd := range read.CRDs {
		spec := crd.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["spec"]
		all[crd.Spec.Names.Kind] = &spec
	}
	return all
}

// field is a field of a kind, or the items of a list, and what the manual says of it.
type field struct {
	path   string
	says   string
	schema *apiextensionsv1.JSONSchemaProps
	// parent is the object that the field is of; nil of items and of the spec itself, which nobody leaves out.
	parent *apiextensionsv1.JSONSchemaProps
}

func (f field) name() string { return f.path[strings.LastIndex(f.path, ".")+1:] }

// below lists a field and all that it consists of.
func below(f field) []field {
	all := []field{f}
	if f.name() == "agentSelector" {
		return all // what it consists of is Kubernetes' own, with Kubernetes' words
	}
	for _, name := range slices.Sorted(maps.Keys(f.schema.Properties)) {
		property := f.schema.Properties[name]
		all = append(all, below(field{f.path + "." + name, oneLine(property.Description), &property, f.schema})...)
	}
	if f.schema.Items != nil && f.schema.Items.Schema != nil {
		// Items have no words of their own, or those of their type, which other lists have too: what bounds them is said of the list.
		all = append(all, below(field{path: f.path + "[]", says: f.says, schema: f.schema.Items.Schema})...)
	}
	return all
}

// oneLine is a text without the ends of its lines, which part words that belong together.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// unsaid lists what the manual lacks of a field.
func (f field) unsaid() []string {
	var missing []string
	for _, bound := range slices.Concat(f.numbers(), f.durations()) {
		if !says(f.says, bound) {
			missing = append(missing, "the bound "+bound)
		}
	}
	_, byDefault, _ := strings.Cut(f.says, "Default")
	for _, value := range f.defaults() {
		if !says(byDefault, value) {
			missing = append(missing, "the default "+value)
		}
	}
	if f.mayBeLeftOut() && !strings.Contains(f.says, "Default") {
		missing = append(missing, "what it means to leave it out (Default)")
	}
	if slices.Contains(f.parentFixed(), f.path) && !strings.Contains(f.says, "Cannot be changed") {
		missing = append(missing, "Cannot be changed")
	}
	return missing
}

// numbers are the bounds of a number, of the length of a list and of a text.
func (f field) numbers() []string {
	var all []string
	for _, bound := range []*float64{f.schema.Minimum, f.schema.Maximum} {
		if bound != nil {
			all = append(all, strconv.FormatFloat(*bound, 'f', -1, 64))
		}
	}
	for _, bound := range []*int64{f.schema.MinItems, f.schema.MaxItems} {
		if bound != nil {
			all = append(all, strconv.FormatInt(*bound, 10))
		}
	}
	if length := f.schema.MaxLength; length != nil && len(f.durations()) == 0 && !f.endsByItself() {
		all = append(all, strconv.FormatInt(*length, 10))
	}
	return all
}

// durations are the bounds of a duration. How many characters it is written in is nobody's concern.
func (f field) durations() []string {
	var all []string
	for _, rule := range f.schema.XValidations {
		if f.schema.Type != "string" || !strings.Contains(rule.Rule, "duration(self)") {
			continue
		}
		for _, bound := range regexp.MustCompile(`duration\('([0-9a-z]+)'\)`).FindAllStringSubmatch(rule.Rule, -1) {
			all = append(all, bound[1])
		}
	}
	return all
}

// endsByItself says whether the form of a text, which the manual shows, leaves no room for more of it, as that of a date.
func (f field) endsByItself() bool {
	form := regexp.MustCompile(`^self\.matches\('(\^.*\$)'\)$`)
	return slices.ContainsFunc(f.schema.XValidations, func(rule apiextensionsv1.ValidationRule) bool {
		match := form.FindStringSubmatch(rule.Rule)
		return match != nil && !strings.ContainsAny(match[1], "*+") && !strings.Contains(match[1], ",}")
	})
}

// sentence is the length from which a default is a text for customers, of which the manual says what it is about.
const sentence = 30

// defaults are what stands in a field that is left out, one by one of a list.
func (f field) defaults() []string {
	var value any
	if f.schema.Default == nil || json.Unmarshal(f.schema.Default.Raw, &value) != nil {
		return nil
	}
	return slices.DeleteFunc(leaves(value), func(leaf string) bool { return len([]rune(leaf)) > sentence })
}

func leaves(value any) []string {
	var all []string
	switch v := value.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			all = append(all, leaves(v[name])...)
		}
	case []any:
		for _, item := range v {
			all = append(all, leaves(item)...)
		}
	case string:
		all = append(all, v)
	case float64:
		all = append(all, strconv.FormatFloat(v, 'f', -1, 64))
	}
	return all
}

// mayBeLeftOut says whether who leaves the field out has to be told what that means. A default of {} means what the fields below
// say; and a rule of the parent that asks whether the field is there has words of its own for that.
func (f field) mayBeLeftOut() bool {
	if f.parent == nil || slices.Contains(f.parent.Required, f.name()) || f.schema.Default != nil && string(f.schema.Default.Raw) == "{}" {
		return false
	}
	return !slices.ContainsFunc(f.parent.XValidations, func(rule apiextensionsv1.ValidationRule) bool {
		return strings.Contains(rule.Rule, "has(self."+f.name()+")")
	})
}

// fixed are the paths of the fields that a rule of this one keeps as they were: itself, or some below it.
func (f field) fixed() []string {
	var all []string
	for _, rule := range f.schema.XValidations {
		if rule.Rule == "self == oldSelf" {
			all = append(all, f.path)
		}
		for _, of := range regexp.MustCompile(`oldSelf\.(\w+)`).FindAllStringSubmatch(rule.Rule, -1) {
			all = append(all, f.path+"."+strings.Trim(of[1], "_"))
		}
	}
	return all
}

// parentFixed are the fields that are kept as they were by a rule of this one or of its parent.
func (f field) parentFixed() []string {
	all := f.fixed()
	if f.parent != nil {
		all = append(all, field{path: strings.TrimSuffix(f.path, "."+f.name()), schema: f.parent}.fixed()...)
	}
	return all
}

// says looks for a word or a number that stands in a text by itself, in whatever case, also of several: the manual says supervisors of
// the role Supervisor.
func says(text, word string) bool {
	end := `($|[^0-9A-Za-z])`
	if last := word[len(word)-1]; last >= 'a' && last <= 'z' {
		end = "s?" + end
	}
	return regexp.MustCompile(`(?i)(^|[^0-9A-Za-z])` + regexp.QuoteMeta(word) + end).MatchString(text)
}
