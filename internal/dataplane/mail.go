package dataplane

import "github.com/yingda-dev/yingda/api/v1alpha1"

// The keys of the Secret by which the Brand's mail server is signed in to.
const (
	mailUsernameKey = "username"
	mailPasswordKey = "password"
)

func mailArgs(brand *v1alpha1.Brand) []string {
	var args []string
	for _, m := range mailMounts(brand) {
		switch m.keys[0] {
		case mailUsernameKey:
			args = append(args, "--mail-username-file="+m.file(mailUsernameKey), "--mail-password-file="+m.file(mailPasswordKey))
		case caKey:
			args = append(args, "--mail-ca-file="+m.file(caKey))
		}
	}
	return args
}

func mailMounts(brand *v1alpha1.Brand) []mount {
	if brand.Spec.Mail == nil {
		return nil
	}
	mounts := []mount{{purpose: "mail", secret: brand.Spec.Mail.SecretRef.Name, keys: []string{mailUsernameKey, mailPasswordKey}}}
	if ref := brand.Spec.Mail.CASecretRef; ref != nil {
		mounts = append(mounts, mount{purpose: "mail-ca", secret: ref.Name, keys: []string{caKey}})
	}
	return mounts
}
