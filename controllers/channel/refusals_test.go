package channel

import (
	"testing"
)

func TestRefusalsAreNewsOnce(t *testing.T) {
	r, key, other := newRefusals(), PoolKey{Namespace: "lumi", Brand: "lumi", Pool: "miniprogram"}, PoolKey{Namespace: "lumi", Brand: "lumi", Pool: "officialaccount"}
	for _, step := range []struct {
		what    string
		refused []string
		news    bool
	}{
		{"nothing, as before", nil, false},
		{"a Service", []string{"Service a (Invalid)"}, true},
		{"the same", []string{"Service a (Invalid)"}, false},
		{"another reason", []string{"Service a (Forbidden)"}, true},
		{"one more", []string{"Service a (Forbidden)", "Role a (Forbidden)"}, true},
		{"nothing any more", nil, true},
		{"nothing still", nil, false},
	} {
		if news := r.note(key, step.refused); news != step.news {
			t.Errorf("%s: news is %t, want %t", step.what, news, step.news)
		}
		if got := r.of(key); len(got) != len(step.refused) {
			t.Errorf("%s: it is said that %q is refused", step.what, got)
		}
		if got := r.of(other); len(got) > 0 {
			t.Errorf("%s: of another pool it is said that %q is refused", step.what, got)
		}
	}
	if len(r.pools) > 0 {
		t.Errorf("pools are kept of which nothing is refused: %v", r.pools)
	}
}
