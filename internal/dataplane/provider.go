package dataplane

import (
	"slices"

	"github.com/yingda-dev/yingda/api/v1alpha1"
)

// WorkflowsArgs tell workflows whether they may call the Brand's provider and its mail server, where keys and credentials are, and whom to
// trust.
func WorkflowsArgs(brand *v1alpha1.Brand, settings Settings) []string {
	if brand.Spec.Provider == nil && brand.Spec.Mail == nil {
		return nil
	}
	return slices.Concat(allowedHosts(settings), providerArgs(brand), mailArgs(brand))
}

func providerArgs(brand *v1alpha1.Brand) []string {
	var args []string
	for _, m := range providerMounts(brand) {
		switch m.keys[0] {
		case webhookKey:
			args = append(args, "--provider-key-file="+m.file(webhookKey))
		case caKey:
			args = append(args, "--provider-ca-file="+m.file(caKey))
		}
	}
	return args
}

// DeskArgs tell desks whether they may ask the Brand's provider, by which key either signs, and whom to trust.
func DeskArgs(brand *v1alpha1.Brand, settings Settings) []string {
	if brand.Spec.Provider == nil {
		return nil
	}
	return slices.Concat(allowedHosts(settings), providerArgs(brand))
}

func providerMounts(brand *v1alpha1.Brand) []mount {
	if brand.Spec.Provider == nil {
		return nil
	}
	mounts := []mount{{purpose: "provider", secret: brand.Spec.Provider.SecretRef.Name, keys: []string{webhookKey}}}
	if ref := brand.Spec.Provider.CASecretRef; ref != nil {
		mounts = append(mounts, mount{purpose: "provider-ca", secret: ref.Name, keys: []string{caKey}})
	}
	return mounts
}
