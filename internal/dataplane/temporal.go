package dataplane

import (
	"github.com/yingda-dev/yingda/api/v1alpha1"
)

// TemporalArgs tell a subcommand where the Brand's promises are kept, and how that is spoken to.
func TemporalArgs(brand *v1alpha1.Brand) []string {
	args := []string{
		"--temporal-address=" + brand.Spec.Temporal.Address,
		"--temporal-namespace=" + TemporalNamespace(brand),
	}
	tls := brand.Spec.Temporal.TLS
	if tls == nil {
		return args
	}
	args = append(args, "--temporal-tls")
	for _, m := range temporalMounts(brand) {
		args = append(args, "--temporal-ca-file="+m.file(caKey), "--temporal-cert-file="+m.file(certificateKey), "--temporal-key-file="+m.file(privateKey))
	}
	if tls.ServerName != "" {
		args = append(args, "--temporal-server-name="+tls.ServerName)
	}
	return args
}

func temporalMounts(brand *v1alpha1.Brand) []mount {
	if tls := brand.Spec.Temporal.TLS; tls != nil && tls.SecretRef != nil {
		return []mount{{purpose: "temporal", secret: tls.SecretRef.Name, keys: []string{caKey, certificateKey, privateKey}}}
	}
	return nil
}
