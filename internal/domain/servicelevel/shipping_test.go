package servicelevel

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
)

func TestCompileShipping(t *testing.T) {
	t.Parallel()
	defaults := Shipping{
		Keeping:       Keeping{2 * time.Hour, []Rung{{30 * time.Minute, yingdav1.RoleSupervisor}, {4 * time.Hour, yingdav1.RoleAdmin}}},
		Within:        48 * time.Hour,
		ChangesWithin: 2 * time.Hour,
	}
	for name, tc := range map[string]struct {
		spec    yingdav1.ShippingSpec
		want    Shipping
		wantErr string
	}{
		"without a word an order is sent within two days and changed within two hours": {want: defaults},
		"what is declared counts": {
			spec: yingdav1.ShippingSpec{
				Within: "24h", ChangesWithin: "10m", LateText: strings.Repeat("歉", 300), RemindBefore: "1m", Ladder: []yingdav1.LateRung{late("1h", yingdav1.RoleAdmin)},
			},
			want: Shipping{Keeping{time.Minute, []Rung{{time.Hour, yingdav1.RoleAdmin}}}, 24 * time.Hour, 10 * time.Minute},
		},
		"a month and more for an order":         {spec: yingdav1.ShippingSpec{Within: "721h"}, wantErr: "spec.shipping.within: Invalid value: \"721h\": must be at least 1s and at most 720h"},
		"no time for an order is refused":       {spec: yingdav1.ShippingSpec{Within: "0s"}, wantErr: "spec.shipping.within"},
		"a novel for an excuse is refused":      {spec: yingdav1.ShippingSpec{LateText: strings.Repeat("歉", 301)}, wantErr: "spec.shipping.lateText"},
		"a month and more is refused":           {spec: yingdav1.ShippingSpec{ChangesWithin: "721h"}, wantErr: "spec.shipping.changesWithin: Invalid value: \"721h\": must be at least 1s and at most 720h"},
		"no time for a change is refused":       {spec: yingdav1.ShippingSpec{ChangesWithin: "0s"}, wantErr: "spec.shipping.changesWithin"},
		"a reminder two days before is refused": {spec: yingdav1.ShippingSpec{RemindBefore: "48h"}, wantErr: "spec.shipping.remindBefore"},
		"agents are not called by a ladder":     {spec: yingdav1.ShippingSpec{Ladder: []yingdav1.LateRung{late("1h", yingdav1.RoleAgent)}}, wantErr: "spec.shipping.ladder[0].notify"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, wrong := CompileShipping(tc.spec)
			checkError(t, wrong.ToAggregate(), tc.wantErr)
			if diff := cmp.Diff(tc.want, got); tc.wantErr == "" && diff != "" {
				t.Errorf("shipping (-want +got):\n%s", diff)
			}
			checkError(t, Validate(yingdav1.ServiceLevelSpec{Shipping: tc.spec}).ToAggregate(), tc.wantErr)
		})
	}
}
