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

// ProviderKeyArgs tell desks where the key is by which the Brand's provider signs.
func ProviderKeyArgs(brand *v1alpha1.Brand) []string {
	var args []string
	for _, m := range providerKeyMounts(brand) {
		args = append(args, "--provider-key-file="+m.file(webhookKey))
	}
	return args
}

// providerKeyMounts are those of who is called by the provider and does not call it.
func providerKeyMounts(brand *v1alpha1.Brand) []mount {
	if brand.Spec.Provider == nil {
		return nil
	}
	return []mount{{purpose: "provider", secret: brand.Spec.Provider.SecretRef.Name, keys: []string{webhookKey}}}
}

func providerMounts(brand *v1alpha1.Brand) []mount {
	mounts := providerKeyMounts(brand)
	if brand.Spec.Provider == nil {
		return mounts
	}
	if ref := brand.Spec.Provider.CASecretRef; ref != nil {
		mounts = append(mounts, mount{purpose: "provider-ca", secret: ref.Name, keys: []string{caKey}})
	}
	return mounts
}
