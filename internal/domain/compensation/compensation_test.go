package compensation

import (
	"errors"
	"math"
	"testing"
	"testing/quick"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
)

// lumi lets agents offer 20 yuan and supervisors 200.
func lumi() *yingdav1.CompensationSpec {
	return &yingdav1.CompensationSpec{
		Kinds:  []yingdav1.CompensationKind{yingdav1.CompensationCoupon, yingdav1.CompensationRefund},
		Limits: []yingdav1.CompensationLimit{{Role: yingdav1.RoleAgent, UpTo: 2000}, {Role: yingdav1.RoleSupervisor, UpTo: 20000}},
	}
}

func reasonOf(err error) string {
	if refused, ok := errors.AsType[*RefusedError](err); ok {
		return refused.Reason
	}
	return ""
}

func TestOffer(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		spec          *yingdav1.CompensationSpec
		role          yingdav1.AgentRole
		kind          yingdav1.CompensationKind
		before, worth int64
		alone         bool
		want          string
	}{
		"an agent offers up to the limit alone":                 {lumi(), yingdav1.RoleAgent, yingdav1.CompensationCoupon, 0, 2000, true, ""},
		"above it waits for approval":                           {lumi(), yingdav1.RoleAgent, yingdav1.CompensationCoupon, 0, 2001, false, ""},
		"a second offer counts with the first":                  {lumi(), yingdav1.RoleAgent, yingdav1.CompensationCoupon, 1500, 501, false, ""},
		"a supervisor offers more":                              {lumi(), yingdav1.RoleSupervisor, yingdav1.CompensationRefund, 0, 20000, true, ""},
		"who is not listed offers nothing alone":                {lumi(), yingdav1.RoleAdmin, yingdav1.CompensationRefund, 0, 1, false, ""},
		"above all limits it is refused":                        {lumi(), yingdav1.RoleSupervisor, yingdav1.CompensationRefund, 1, 20000, false, "AboveAllLimits"},
		"what no sum holds is refused, too":                     {lumi(), yingdav1.RoleAgent, yingdav1.CompensationCoupon, 2000, math.MaxInt64, false, "AboveAllLimits"},
		"what is not offered is refused":                        {lumi(), yingdav1.RoleAgent, yingdav1.CompensationGift, 0, 1, false, "KindNotOffered"},
		"without a list everything may be offered":              {&yingdav1.CompensationSpec{Limits: lumi().Limits}, yingdav1.RoleAgent, yingdav1.CompensationGift, 0, 1, true, ""},
		"what is worth nothing is none":                         {lumi(), yingdav1.RoleAgent, yingdav1.CompensationCoupon, 0, 0, false, "NoWorth"},
		"a brand that offers nothing has nobody offer anything": {nil, yingdav1.RoleAdmin, yingdav1.CompensationCoupon, 0, 1, false, "NoCompensation"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			alone, err := Offer(tc.spec, tc.role, tc.kind, tc.before, tc.worth)
			if alone != tc.alone || reasonOf(err) != tc.want {
				t.Errorf("alone %t, %v; want %t, %q", alone, err, tc.alone, tc.want)
			}
		})
	}
}

func TestDecide(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		role          yingdav1.AgentRole
		by            string
		before, worth int64
		want          string
	}{
		"a supervisor approves within their limit": {yingdav1.RoleSupervisor, "sup", 5000, 15000, ""},
		"and not above":                         {yingdav1.RoleSupervisor, "sup", 5001, 15000, "AboveLimit"},
		"nobody approves what they offered":     {yingdav1.RoleSupervisor, "an", 0, 1, "OwnOffer"},
		"an agent does not approve for another": {yingdav1.RoleAgent, "bo", 0, 2001, "AboveLimit"},
		"nor what no sum holds":                 {yingdav1.RoleSupervisor, "sup", 1, math.MaxInt64, "AboveLimit"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if err := Decide(lumi(), tc.role, tc.by, "an", tc.before, tc.worth); reasonOf(err) != tc.want {
				t.Errorf("Decide: %v, want %q", err, tc.want)
			}
		})
	}
}

// TestNoRoleAloneExceedsItsLimit holds that offers that are made alone never add up to more than the role's limit.
func TestNoRoleAloneExceedsItsLimit(t *testing.T) {
	t.Parallel()
	err := quick.Check(func(worths []uint16) bool {
		var given int64
		for _, worth := range worths {
			if alone, err := Offer(lumi(), yingdav1.RoleAgent, yingdav1.CompensationCoupon, given, int64(worth)); err == nil && alone {
				given += int64(worth)
			}
		}
		return given <= 2000
	}, nil)
	if err != nil {
		t.Error(err)
	}
}
