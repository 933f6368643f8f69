package dataplane

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"

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
			for i := range tt.channels {
				pool, want := PoolOf(&tt.channels[i]), AnswersAtOnce(tt.channels[i].Spec.Type)
				if got := PoolAnswersAtOnce(pool); got != want {
					t.Errorf("by its name the pool %s answers at once: %v, want %v", pool, got, want)
				}
			}
		})
	}
}

func TestTheLongestNamesOfDedicatedChannelsFitAService(t *testing.T) {
	for channelType, most := range map[v1alpha1.ChannelType]int{v1alpha1.ChannelTypeMiniProgram: 50, v1alpha1.ChannelTypeOfficialAccount: 46} {
		for _, brand := range []int{1, 40} {
			channel := &v1alpha1.Channel{}
			channel.Spec.Type, channel.Spec.Isolation = channelType, v1alpha1.IsolationDedicated
			channel.Name = strings.Repeat("c", most-brand)
			name := WorkloadName(strings.Repeat("b", brand), PoolOf(channel))
			if problems := validation.IsDNS1035Label(name); len(problems) > 0 {
				t.Errorf("%s, a Brand of %d letters: %s: %q", channelType, brand, name, problems)
			}
			if problems := validation.IsValidLabelValue(PoolOf(channel)); len(problems) > 0 {
				t.Errorf("%s, a Brand of %d letters: the label %s: %q", channelType, brand, PoolOf(channel), problems)
			}
			if problems := validation.IsDNS1035Label(name + "c"); len(problems) == 0 {
				t.Errorf("%s, a Brand of %d letters: one more would fit", channelType, brand)
			}
		}
	}
}
