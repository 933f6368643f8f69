package main

import (
	"time"

	"github.com/yingda-dev/yingda/internal/catalog"
	"github.com/yingda-dev/yingda/internal/configz"
	"github.com/yingda-dev/yingda/internal/keys"
	"github.com/yingda-dev/yingda/internal/store"
)

// keyRotation replaces the brand's own keys as the Brand has it.
func (p *process) keyRotation(database *store.Store, view *catalog.Catalog) *keys.Rotation {
	return &keys.Rotation{
		Store: database, Wrapping: p.keys.wrapping, Policy: func() keys.Policy { return keyPolicy(view.Snapshot()) }, Now: time.Now, Logger: p.logger,
	}
}

// keyPolicy replaces none while the Brand is not known.
func keyPolicy(of *catalog.Snapshot) (policy keys.Policy) {
	if of.Brand == nil || of.Brand.Spec.Privacy == nil {
		return policy
	}
	privacy := of.Brand.Spec.Privacy
	if privacy.KeyRotationDays != nil {
		policy.Every = time.Duration(*privacy.KeyRotationDays) * 24 * time.Hour
	}
	if privacy.RotateKeysAfter != nil {
		policy.After = privacy.RotateKeysAfter.Time
	}
	return policy
}

func keysReport(state keys.State) *configz.Keys {
	return &configz.Keys{Count: state.Keys, MadeAt: state.MadeAt, NextMadeAt: state.NextMadeAt}
}
