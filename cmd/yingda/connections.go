package main

import (
	"errors"
	"io/fs"
	"log/slog"
	"os"

	"github.com/spf13/cobra"

	"github.com/yingda-dev/yingda/internal/bus"
	"github.com/yingda-dev/yingda/internal/keys"
	"github.com/yingda-dev/yingda/internal/temporal"
	"github.com/yingda-dev/yingda/internal/tlsfiles"
)

// kafkaFlags say where the brokers are and how they are spoken to.
type kafkaFlags struct {
	brokers []string
	secured bool
	files   tlsfiles.Files
	sasl    bus.SASL
}

func (f *kafkaFlags) bind(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringSliceVar(&f.brokers, "kafka-brokers", nil, "Kafka brokers as host:port")
	flags.BoolVar(&f.secured, "kafka-tls", false, "speak TLS to the brokers; each of the files below implies it")
	flags.StringVar(&f.files.CA, "kafka-ca-file", "", "authorities of the brokers' certificates; empty for the system's")
	flags.StringVar(&f.files.Certificate, "kafka-cert-file", "", "client certificate for the brokers; empty for none")
	flags.StringVar(&f.files.Key, "kafka-key-file", "", "key of that certificate")
	flags.StringVar(&f.sasl.Mechanism, "kafka-sasl-mechanism", "", "how to sign in: PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512; empty for not at all")
	flags.StringVar(&f.sasl.UsernameFile, "kafka-sasl-username-file", "", "file with the name of Kafka's user")
	flags.StringVar(&f.sasl.PasswordFile, "kafka-sasl-password-file", "", "file with the password of that user")
	cmd.MarkFlagsRequiredTogether("kafka-sasl-mechanism", "kafka-sasl-username-file", "kafka-sasl-password-file")
}

func (f *kafkaFlags) cluster() bus.Cluster {
	cluster := bus.Cluster{Brokers: f.brokers}
	if f.secured || f.files != (tlsfiles.Files{}) {
		cluster.TLS = &f.files
	}
	if f.sasl.Mechanism != "" {
		cluster.SASL = &f.sasl
	}
	return cluster
}

// temporalFlags say where Temporal is and how it is spoken to.
type temporalFlags struct {
	address, namespace string
	secured            bool
	files              tlsfiles.Files
}

func (f *temporalFlags) bind(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.address, "temporal-address", "", "Temporal frontend as host:port")
	flags.StringVar(&f.namespace, "temporal-namespace", "", "Temporal namespace")
	flags.BoolVar(&f.secured, "temporal-tls", false, "speak TLS to Temporal; each of the files below implies it")
	flags.StringVar(&f.files.CA, "temporal-ca-file", "", "authorities of the frontend's certificate; the system's where there is no such file")
	flags.StringVar(&f.files.Certificate, "temporal-cert-file", "", "client certificate for Temporal; none where there is no such file")
	flags.StringVar(&f.files.Key, "temporal-key-file", "", "key of that certificate")
	flags.StringVar(&f.files.ServerName, "temporal-server-name", "", "name that the frontend's certificate holds; empty for the host of the address")
}

func (f *temporalFlags) options(logger *slog.Logger) temporal.Options {
	options := temporal.Options{Address: f.address, Namespace: f.namespace, Logger: logger}
	if f.secured || f.files != (tlsfiles.Files{}) {
		options.TLS = &tlsfiles.Files{
			CA: present(f.files.CA), Certificate: present(f.files.Certificate), Key: present(f.files.Key), ServerName: f.files.ServerName,
		}
	}
	return options
}

// keysFlags say by what key the brand's own keys are wrapped.
type keysFlags struct{ wrapping keys.Wrapping }

func (f *keysFlags) bind(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.wrapping.KeyFile, "encryption-key-file", "", "file with the key that wraps the brand's own keys, 32 bytes in base64; empty for none")
	flags.StringVar(&f.wrapping.PreviousKeyFile, "previous-encryption-key-file", "", "file with the key that may still wrap them; there need not be such a file")
}

// present is empty for a file that does not exist: the one Secret of Temporal need not hold every key.
func present(path string) string {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return ""
	}
	return path
}
