package apply

import (
	"crypto/sha256"
	"sync"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// mostCompared bounds what is remembered: objects that go are not taken out one by one.
const mostCompared = 1 << 16

// compared remembers of each live object the version that was last found to hold what is rendered, and a digest of that. Most
// passes change nothing, and to compare every field again of both was a fifth of what the operator computed. It is safe for
// concurrent use.
type compared struct {
	mu   sync.Mutex
	same map[types.UID]comparison
}

type comparison struct {
	version  string
	rendered [sha256.Size]byte
}

func of(live client.Object, rendered []byte) comparison {
	return comparison{version: live.GetResourceVersion(), rendered: sha256.Sum256(rendered)}
}

// known says whether this version of the object is known to hold what is rendered.
func (c *compared) known(live client.Object, rendered []byte) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	last, there := c.same[live.GetUID()]
	return there && last == of(live, rendered)
}

// note remembers that it does.
func (c *compared) note(live client.Object, rendered []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.same == nil || len(c.same) >= mostCompared {
		c.same = map[types.UID]comparison{}
	}
	c.same[live.GetUID()] = of(live, rendered)
}
