package dataplane

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/yingda-dev/yingda/api/v1alpha1"
)

func TestPoolsWhoseBotSpeaksAreThoseOfTheBrandsOfficialAccounts(t *testing.T) {
	channel := func(name string, edits ...func(*v1alpha1.Channel)) v1alpha1.Channel {
		c := v1alpha1.Channel{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: v1alpha1.ChannelSpec{
			BrandRef: v1alpha1.BrandReference{Name: "lumi"}, Type: v1alpha1.ChannelTypeOfficialAccount,
		}}
		for _, edit := range edits {
			edit(&c)
		}
		return c
	}
	dedicated := func(c *v1alpha1.Channel) { c.Spec.Isolation = v1alpha1.IsolationDedicated }
	for name, tt := range map[string]struct {
		channels []v1alpha1.Channel
		want     []string
	}{
		"no Channel":                            {nil, nil},
		"two of one pool":                       {[]v1alpha1.Channel{channel("service"), channel("club")}, []string{"officialaccount"}},
		"one with a pool of its own":            {[]v1alpha1.Channel{channel("vip", dedicated), channel("service")}, []string{"officialaccount", "officialaccount-vip"}},
		"a mini-program has no bot that speaks": {[]v1alpha1.Channel{channel("shop", func(c *v1alpha1.Channel) { c.Spec.Type = v1alpha1.ChannelTypeMiniProgram })}, nil},
		"one of another Brand":                  {[]v1alpha1.Channel{channel("moon", func(c *v1alpha1.Channel) { c.Spec.BrandRef.Name = "moon" })}, nil},
		"one that is being deleted":             {[]v1alpha1.Channel{channel("old", func(c *v1alpha1.Channel) { c.DeletionTimestamp = &metav1.Time{} })}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, PoolsAtOnce("lumi", tt.channels)); diff != "" {
				t.Errorf("pools (-want +got):\n%s", diff)
			}
		})
	}
}
