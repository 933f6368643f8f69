package dataplane

import "github.com/yingda-dev/yingda/api/v1alpha1"

// ProviderArgs tell workflows whether they may call the Brand's provider, where the key is, and whom to trust.
func ProviderArgs(brand *v1alpha1.Brand, settings Settings) []string {
	if brand.Spec.Provider == nil {
		return nil
	}
	args := allowedHosts(settings)
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

func providerMounts(brand *v1alpha1.Brand) []mount {
	provider := brand.Spec.Provider
	if provider == nil {
		return nil
	}
	mounts := []mount{{purpose: "provider", secret: provider.SecretRef.Name, keys: []string{webhookKey}}}
	if ref := provider.CASecretRef; ref != nil {
		mounts = append(mounts, mount{purpose: "provider-ca", secret: ref.Name, keys: []string{caKey}})
	}
	return mounts
}
