package channel

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWhatAPoolMeetsIsNewsOnce(t *testing.T) {
	o, key, other := newObstacles(), PoolKey{Namespace: "lumi", Brand: "lumi", Pool: "miniprogram"}, PoolKey{Namespace: "lumi", Brand: "lumi", Pool: "officialaccount"}
	for _, step := range []struct {
		what string
		met  obstacle
		news bool
	}{
		{"nothing, as before", obstacle{}, false},
		{"a Service", obstacle{refused: []string{"Service a (Invalid)"}}, true},
		{"the same", obstacle{refused: []string{"Service a (Invalid)"}}, false},
		{"another reason", obstacle{refused: []string{"Service a (Forbidden)"}}, true},
		{"one more", obstacle{refused: []string{"Service a (Forbidden)", "Role a (Forbidden)"}}, true},
		{"one of somebody else besides", obstacle{[]string{"Deployment a"}, []string{"Service a (Forbidden)", "Role a (Forbidden)"}}, true},
		{"that one alone", obstacle{inTheWay: []string{"Deployment a"}}, true},
		{"nothing any more", obstacle{}, true},
		{"nothing still", obstacle{}, false},
	} {
		if news := o.note(key, step.met); news != step.news {
			t.Errorf("%s: news is %t, want %t", step.what, news, step.news)
		}
		got, looked := o.of(key)
		if diff := cmp.Diff(step.met, got, cmp.AllowUnexported(obstacle{})); diff != "" || !looked {
			t.Errorf("%s: looked at: %t, met (-want +got):\n%s", step.what, looked, diff)
		}
		if _, looked := o.of(other); looked {
			t.Errorf("%s: another pool was looked at", step.what)
		}
	}
	o.forget(key)
	if len(o.pools) > 0 {
		t.Errorf("a pool is kept that is no more: %v", o.pools)
	}
}
