package ack_test

import (
	"context"
	"errors"
	"testing"

	"github.com/yingda-dev/yingda/internal/ack"
	"github.com/yingda-dev/yingda/internal/configz"
	"github.com/yingda-dev/yingda/internal/dataplane"
)

// replicas answer by component or pool.
type replicas map[string][]ack.Answer

func (r replicas) Ask(_ context.Context, target ack.Target) ([]ack.Answer, error) {
	if target.Pool != "" {
		return r[target.Pool], nil
	}
	return r[target.Component], nil
}

func TestConnectorsCountOnceTheyTellOfAKind(t *testing.T) {
	group := func(generation int64, kinds ...string) ack.Answer {
		return ack.Answer{Report: configz.Report{Objects: map[string]int64{"SkillGroup/day": generation}, Kinds: kinds}}
	}
	before := ack.Answer{Report: configz.Report{Objects: map[string]int64{"Channel/service": 1, "Playbook/shop": 2}}}
	for name, tt := range map[string]struct {
		pool   []ack.Answer
		reason string
	}{
		"a pool without a replica":                     {nil, "Acknowledged"},
		"one serves it":                                {[]ack.Answer{group(2, "Playbook", "SkillGroup")}, "Acknowledged"},
		"one is behind":                                {[]ack.Answer{group(1, "Playbook", "SkillGroup")}, "AwaitingReload"},
		"one tells of the kind and has not seen it":    {[]ack.Answer{{Report: configz.Report{Kinds: []string{"SkillGroup"}}}}, "AwaitingReload"},
		"one is of a version that does not tell of it": {[]ack.Answer{before}, "Acknowledged"},
		"one tells of other kinds":                     {[]ack.Answer{group(0, "Playbook")}, "Acknowledged"},
		"one of two is of a version of before":         {[]ack.Answer{before, group(1, "SkillGroup")}, "AwaitingReload"},
		"one does not answer":                          {[]ack.Answer{before, {Err: errors.New("refused")}}, "AwaitingReload"},
	} {
		t.Run(name, func(t *testing.T) {
			asker := replicas{dataplane.Router: {group(2)}, "officialaccount": tt.pool}
			servers := append(ack.Needed(dataplane.Router), ack.PoolsBeside("SkillGroup", "officialaccount")...)
			groups, err := ack.Serving(t.Context(), asker, "lumi", "lumi", servers...)
			if err != nil {
				t.Fatal(err)
			}
			if got := ack.Judge("SkillGroup", "day", 2, groups...); got.Reason != tt.reason {
				t.Errorf("reason %s (%s), want %s", got.Reason, got.Message, tt.reason)
			}
		})
	}
}
