package skillgroup

import (
	"slices"
	"sync"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/yingda-dev/yingda/api/v1alpha1"
)

// maxAlike generations are remembered of a group; replicas are never that far behind.
const maxAlike = 16

// alike remembers which generations of a group differ in their seats only. How many are wanted decides nothing of how replicas serve
// customers: one that serves such a generation serves the newest, and kubectl scale takes no group out of service.
//
// It is safe for concurrent use. An operator that starts anew has to see a generation served before it knows any that is like it.
type alike struct {
	mu sync.Mutex
	of map[types.NamespacedName]epoch
}

// epoch is a spec without its seats, and the generations that have had it.
type epoch struct {
	spec        v1alpha1.SkillGroupSpec
	generations []int64
}

func newAlike() *alike { return &alike{of: map[types.NamespacedName]epoch{}} }

// generations are those that are like that of the group, itself the last.
func (a *alike) generations(group *v1alpha1.SkillGroup) []int64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	key := client.ObjectKeyFromObject(group)
	spec := *group.Spec.DeepCopy()
	spec.Seats = v1alpha1.SkillGroupSeats{}
	known := a.of[key]
	if !equality.Semantic.DeepEqual(known.spec, spec) {
		known = epoch{spec: spec}
	}
	if !slices.Contains(known.generations, group.Generation) {
		known.generations = append(known.generations, group.Generation)
		known.generations = known.generations[max(0, len(known.generations)-maxAlike):]
	}
	a.of[key] = known
	return slices.Clone(known.generations)
}

func (a *alike) forget(key types.NamespacedName) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.of, key)
}
