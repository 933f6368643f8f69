package apply

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// upToDate says whether applying desired under the manager would change nothing: the live object holds every desired
// value, and the manager owns nothing that is not desired any more (which an apply would remove).
func upToDate(desired map[string]any, live client.Object, manager, subresource string) (bool, error) {
	owned, err := ownedFields(live, manager, subresource)
	if err != nil || owned == nil {
		return false, err
	}
	current, err := runtime.DefaultUnstructuredConverter.ToUnstructured(live)
	if err != nil {
		return false, fmt.Errorf("reading the live object: %w", err)
	}
	return covers(current, desired) && within(owned, desired, current), nil
}

// ownedFields returns the field set of the manager, nil when it owns nothing.
func ownedFields(live client.Object, manager, subresource string) (map[string]any, error) {
	for _, entry := range live.GetManagedFields() {
		if entry.Manager != manager || entry.Operation != metav1.ManagedFieldsOperationApply || entry.Subresource != subresource || entry.FieldsV1 == nil {
			continue
		}
		var fields map[string]any
		if err := json.Unmarshal(entry.FieldsV1.GetRawBytes(), &fields); err != nil {
			return nil, fmt.Errorf("reading managed fields: %w", err)
		}
		return fields, nil
	}
	return nil, nil
}

// covers says whether live holds everything that desired holds. Values which the server added do not count, and neither
// does their order in lists whose elements have a name.
func covers(live, desired any) bool {
	switch want := desired.(type) {
	case map[string]any:
		have, ok := live.(map[string]any)
		if !ok {
			return live == nil && len(want) == 0
		}
		for key, value := range want {
			if key == "apiVersion" || key == "kind" {
				if _, typed := have[key]; !typed {
					continue // objects from a typed cache do not carry their kind
				}
			}
			if !covers(have[key], value) {
				return false
			}
		}
		return true
	case []any:
		have, ok := live.([]any)
		if !ok {
			return live == nil && len(want) == 0
		}
		return coversList(have, want)
	case nil:
		return live == nil
	default:
		if live == nil {
			return isZero(want)
		}
		return live == want
	}
}

func coversList(live, desired []any) bool {
	for i, want := range desired {
		key, name, named := elementKey(want)
		if !named {
			if len(live) != len(desired) || !covers(live[i], want) {
				return false
			}
			continue
		}
		found := false
		for _, have := range live {
			// A name may come twice: a port with TCP and with UDP.
			if m, ok := have.(map[string]any); ok && m[key] == name && covers(have, want) {
				found = true
				break
			}
		}
		if !found {
			return false
		}
	}
	return true
}

// elementKey returns the field that identifies an element of a list in the kinds which the operator writes.
func elementKey(element any) (key string, value any, ok bool) {
	m, isMap := element.(map[string]any)
	if !isMap {
		return "", nil, false
	}
	for _, key := range []string{"uid", "mountPath", "type", "name", "containerPort", "port"} {
		if value, there := m[key]; there {
			return key, value, true
		}
	}
	return "", nil, false
}

func isZero(value any) bool {
	switch v := value.(type) {
	case string:
		return v == ""
	case bool:
		return !v
	case int64:
		return v == 0
	case float64:
		return v == 0
	}
	return false
}

// within says whether everything owned is still desired. The owned set has the form of managedFields: "f:name" for a
// field, `k:{"name":"x"}` for an element of a keyed list, `v:"x"` for an element of a set.
func within(owned map[string]any, desired, live any) bool {
	for path, below := range owned {
		kind, rest, _ := strings.Cut(path, ":")
		switch kind {
		case "f":
			if !fieldWithin(rest, below, desired, live) {
				return false
			}
		case "k":
			if !elementWithin(rest, below, desired, live) {
				return false
			}
		case "v":
			if !valueWithin(rest, desired) {
				return false
			}
		}
	}
	return true
}

func fieldWithin(name string, below, desired, live any) bool {
	m, ok := desired.(map[string]any)
	if !ok {
		return false
	}
	value, ok := m[name]
	have, _ := live.(map[string]any)
	return ok && descend(name, below, value, have[name])
}

func elementWithin(keys string, below, desired, live any) bool {
	var want map[string]any
	if err := utiljson.Unmarshal([]byte(keys), &want); err != nil {
		return false
	}
	element, ok := elementOf(desired, want)
	if !ok {
		return false
	}
	have, _ := elementOf(live, want)
	return descend("", withoutKeys(below, want), element, have)
}

// elementOf finds the element of a keyed list.
func elementOf(list any, keys map[string]any) (element map[string]any, ok bool) {
	elements, _ := list.([]any)
	for _, one := range elements {
		element, isMap := one.(map[string]any)
		if !isMap {
			continue
		}
		matches := true
		for key, value := range keys {
			// A key that was left to its default (the protocol of a port) is owned, but not in what we render.
			if have, there := element[key]; there && have != value {
				matches = false
			}
		}
		if matches {
			return element, true
		}
	}
	return nil, false
}

func withoutKeys(below any, keys map[string]any) any {
	fields, ok := below.(map[string]any)
	if !ok {
		return below
	}
	rest := make(map[string]any, len(fields))
	for path, value := range fields {
		if _, isKey := keys[strings.TrimPrefix(path, "f:")]; !isKey {
			rest[path] = value
		}
	}
	return rest
}

func valueWithin(encoded string, desired any) bool {
	var want any
	if err := utiljson.Unmarshal([]byte(encoded), &want); err != nil {
		return false
	}
	list, ok := desired.([]any)
	if !ok {
		return false
	}
	return slices.Contains(list, want)
}

// descend goes on into a field with parts. An empty set is a leaf: a single value, or a list or a map that is owned as a
// whole, of whose elements the set says nothing.
func descend(field string, below, desired, live any) bool {
	fields, ok := below.(map[string]any)
	if !ok || len(fields) == 0 {
		return noMore(field, desired, live)
	}
	return within(fields, desired, live)
}

// noMore says whether the live value of the field, which is owned as a whole, has no element that is not desired: the
// ports of a NetworkPolicy's rule, the parents of an HTTPRoute. Fields that the server adds to elements do not count;
// among labels it adds none.
func noMore(field string, desired, live any) bool {
	switch want := desired.(type) {
	case map[string]any:
		have, _ := live.(map[string]any)
		if (field == "matchLabels" || field == "selector") && len(have) > len(want) {
			return false
		}
		for key, value := range want {
			if !noMore(key, value, have[key]) {
				return false
			}
		}
	case []any:
		have, _ := live.([]any)
		if len(have) > len(want) {
			return false
		}
		for i := range have {
			if !noMore("", want[i], have[i]) {
				return false
			}
		}
	}
	return true
}
