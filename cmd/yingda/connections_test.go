package main

import (
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"

	"github.com/yingda-dev/yingda/internal/bus"
	"github.com/yingda-dev/yingda/internal/tlsfiles"
)

func TestFlagsSayHowTheServicesAreSpokenTo(t *testing.T) {
	dir := t.TempDir()
	ca := filepath.Join(dir, "ca.crt")
	if err := os.WriteFile(ca, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		arguments []string
		kafka     bus.Cluster
		temporal  *tlsfiles.Files
	}{
		"in plain text":               {nil, bus.Cluster{}, nil},
		"by the system's authorities": {[]string{"--kafka-tls", "--temporal-tls"}, bus.Cluster{TLS: &tlsfiles.Files{}}, &tlsfiles.Files{}},
		"by files, which mean TLS":    {[]string{"--kafka-ca-file=a", "--temporal-ca-file=" + ca}, bus.Cluster{TLS: &tlsfiles.Files{CA: "a"}}, &tlsfiles.Files{CA: ca}},
		"by a file that is not there": {[]string{"--kafka-cert-file=a", "--temporal-cert-file=" + ca + "x"}, bus.Cluster{TLS: &tlsfiles.Files{Certificate: "a"}}, &tlsfiles.Files{}},
		"by a name of Temporal's":     {[]string{"--temporal-server-name=a"}, bus.Cluster{}, &tlsfiles.Files{ServerName: "a"}},
		"by a password": {
			[]string{"--kafka-sasl-mechanism=PLAIN", "--kafka-sasl-username-file=u", "--kafka-sasl-password-file=p"},
			bus.Cluster{SASL: &bus.SASL{Mechanism: bus.MechanismPlain, UsernameFile: "u", PasswordFile: "p"}},
			nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			var s settings
			cmd := &cobra.Command{}
			s.bind(cmd)
			s.temporal.bind(cmd)
			if err := cmd.ParseFlags(tt.arguments); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.kafka, s.kafka.cluster()); diff != "" {
				t.Errorf("Kafka (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.temporal, s.temporal.options(slog.New(slog.DiscardHandler)).TLS); diff != "" {
				t.Errorf("Temporal (-want +got):\n%s", diff)
			}
		})
	}
}
