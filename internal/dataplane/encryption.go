package dataplane

import (
	"github.com/yingda-dev/yingda/api/v1alpha1"
)

// The keys of the Secret that wraps the Brand's own keys: by what they are wrapped, and by what they may still be.
const (
	encryptionKey         = "key"
	previousEncryptionKey = "previousKey"
)

// encryptionArgs tell a subcommand that works by the Brand's own keys what wraps them.
func encryptionArgs(brand *v1alpha1.Brand) []string {
	var args []string
	for _, m := range encryptionMounts(brand) {
		args = append(args, "--encryption-key-file="+m.file(encryptionKey), "--previous-encryption-key-file="+m.file(previousEncryptionKey))
	}
	return args
}

func encryptionMounts(brand *v1alpha1.Brand) []mount {
	if brand.Spec.Privacy == nil || brand.Spec.Privacy.EncryptionKeySecretRef == nil {
		return nil
	}
	return []mount{{
		purpose: "encryption", secret: brand.Spec.Privacy.EncryptionKeySecretRef.Name,
		keys: []string{encryptionKey, previousEncryptionKey},
	}}
}

// encrypts says whether the workload works by the Brand's own keys. Connectors, which the outside reaches, never see them.
func (w Workload) encrypts() bool {
	switch w.Component {
	case Setup, Router, Workflows, Desk:
		return true
	default:
		return false
	}
}
