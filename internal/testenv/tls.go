package testenv

import (
	"crypto/tls"
	"crypto/x509"
	"os"
	"testing"
)

// EndTLS listens in front of a server that speaks no TLS, and demands of its clients a certificate that those authorities
// signed. It returns its address.
func EndTLS(t testing.TB, server string, own Certificate, clientCAFile string) (address string) {
	t.Helper()
	certificate, err := tls.LoadX509KeyPair(own.CertFile, own.KeyFile)
	if err != nil {
		t.Fatal(err)
	}
	authorities, err := os.ReadFile(clientCAFile)
	if err != nil {
		t.Fatal(err)
	}
	clients := x509.NewCertPool()
	clients.AppendCertsFromPEM(authorities)
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{
		MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{certificate}, NextProtos: []string{"h2"},
		ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: clients,
	})
	if err != nil {
		t.Fatal(err)
	}
	relay(t, listener, server)
	return listener.Addr().String()
}
