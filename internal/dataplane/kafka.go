package dataplane

import (
	"github.com/yingda-dev/yingda/api/v1alpha1"
)

// The keys of Secrets with certificates, as cert-manager and kubectl write them, and of Secrets with users.
const (
	caKey          = "ca.crt"
	certificateKey = "tls.crt"
	privateKey     = "tls.key"
	usernameKey    = "username"
	passwordKey    = "password"
)

func kafkaAuthorities(ref *v1alpha1.CredentialsReference) mount {
	return mount{purpose: "kafka-ca", secret: ref.Name, keys: []string{caKey}}
}

func kafkaClient(ref *v1alpha1.CredentialsReference) mount {
	return mount{purpose: "kafka-client", secret: ref.Name, keys: []string{certificateKey, privateKey}}
}

func kafkaUser(sasl *v1alpha1.KafkaSASL) mount {
	return mount{purpose: "kafka-user", secret: sasl.SecretRef.Name, keys: []string{usernameKey, passwordKey}}
}

func kafkaMounts(brand *v1alpha1.Brand) []mount {
	var mounts []mount
	if tls := brand.Spec.Kafka.TLS; tls != nil {
		if tls.CASecretRef != nil {
			mounts = append(mounts, kafkaAuthorities(tls.CASecretRef))
		}
		if tls.ClientSecretRef != nil {
			mounts = append(mounts, kafkaClient(tls.ClientSecretRef))
		}
	}
	if sasl := brand.Spec.Kafka.SASL; sasl != nil {
		mounts = append(mounts, kafkaUser(sasl))
	}
	return mounts
}

// kafkaArgs tell a subcommand how the brokers are spoken to.
func (w Workload) kafkaArgs() []string {
	if !w.speaksKafka() {
		return nil
	}
	var args []string
	if tls := w.Brand.Spec.Kafka.TLS; tls != nil {
		args = append(args, "--kafka-tls")
		if tls.CASecretRef != nil {
			args = append(args, "--kafka-ca-file="+kafkaAuthorities(tls.CASecretRef).file(caKey))
		}
		if tls.ClientSecretRef != nil {
			own := kafkaClient(tls.ClientSecretRef)
			args = append(args, "--kafka-cert-file="+own.file(certificateKey), "--kafka-key-file="+own.file(privateKey))
		}
	}
	if sasl := w.Brand.Spec.Kafka.SASL; sasl != nil {
		user := kafkaUser(sasl)
		args = append(args, "--kafka-sasl-mechanism="+string(sasl.Mechanism),
			"--kafka-sasl-username-file="+user.file(usernameKey), "--kafka-sasl-password-file="+user.file(passwordKey))
	}
	return args
}
