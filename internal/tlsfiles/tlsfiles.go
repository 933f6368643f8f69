// Package tlsfiles makes the TLS configuration of a client from mounted files, and says what to do about a connection
// that TLS refused.
//
// It connects to nothing. Invariants: nothing is trusted that was not named (no file means the system's authorities,
// never none at all), and no error holds what is in a file.
package tlsfiles

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
)

// Files are where the parts of a client's TLS configuration are. The zero value trusts the system's authorities.
type Files struct {
	// CA are the authorities to trust, in PEM; empty for the system's.
	CA string
	// Certificate and Key are the client's own, in PEM; empty for a client without.
	Certificate, Key string
	// ServerName is the name that the server's certificate must hold; empty for the host that is dialled.
	ServerName string
}

// Config reads the files. A client certificate is read again for every connection, the authorities are those of now.
func (f Files) Config() (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: f.ServerName}
	if f.CA != "" {
		content, err := os.ReadFile(f.CA)
		if err != nil {
			return nil, fmt.Errorf("reading the authorities to trust: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(content) {
			return nil, fmt.Errorf("reading the authorities to trust: %s holds no certificate in PEM", f.CA)
		}
	}
	if f.Certificate == "" && f.Key == "" {
		return config, nil
	}
	if f.Certificate == "" || f.Key == "" {
		return nil, errors.New("reading the client certificate: a certificate and its key belong together, tls.crt and tls.key; one of them is missing")
	}
	// Now, too: a server that asks for no certificate would never tell that there is none.
	if _, err := f.clientCertificate(nil); err != nil {
		return nil, err
	}
	config.GetClientCertificate = f.clientCertificate
	return config, nil
}

func (f Files) clientCertificate(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
	certificate, err := tls.LoadX509KeyPair(f.Certificate, f.Key)
	if err != nil {
		return nil, fmt.Errorf("reading the client certificate: %w", err)
	}
	return &certificate, nil
}
