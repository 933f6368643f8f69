package broker

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/twmb/franz-go/pkg/kfake"
)

// Security says what the broker asks of its clients; the zero value asks nothing.
type Security struct {
	// CertFile and KeyFile are the broker's certificate and its key, in PEM; without them it does not speak TLS.
	CertFile, KeyFile string
	// ClientCAFile are the authorities of clients' certificates; with it clients must have one.
	ClientCAFile string
	// Mechanism is PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512, by which clients sign in as the one user; without it nobody does.
	Mechanism, Username string
	// PasswordFile holds the user's password.
	PasswordFile string
}

// apply is the security as kfake takes it.
func (s Security) apply() ([]kfake.Opt, error) {
	var opts []kfake.Opt
	if s.CertFile != "" {
		config, err := s.tls()
		if err != nil {
			return nil, err
		}
		opts = append(opts, kfake.TLS(config))
	}
	if s.Mechanism != "" {
		password, err := os.ReadFile(s.PasswordFile)
		if err != nil {
			return nil, fmt.Errorf("reading the user's password: %w", err)
		}
		opts = append(opts, kfake.EnableSASL(), kfake.Superuser(s.Mechanism, s.Username, strings.TrimRight(string(password), "\r\n")))
	}
	return opts, nil
}

func (s Security) tls() (*tls.Config, error) {
	certificate, err := tls.LoadX509KeyPair(s.CertFile, s.KeyFile)
	if err != nil {
		return nil, fmt.Errorf("reading the broker's certificate: %w", err)
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{certificate}}
	if s.ClientCAFile == "" {
		return config, nil
	}
	authorities, err := os.ReadFile(s.ClientCAFile)
	if err != nil {
		return nil, fmt.Errorf("reading the authorities of clients: %w", err)
	}
	config.ClientAuth, config.ClientCAs = tls.RequireAndVerifyClientCert, x509.NewCertPool()
	if !config.ClientCAs.AppendCertsFromPEM(authorities) {
		return nil, errors.New("reading the authorities of clients: no certificate in " + s.ClientCAFile)
	}
	return config, nil
}
