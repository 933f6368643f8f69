package testenv

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"os"
	"sync"
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
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	var carriers sync.WaitGroup
	t.Cleanup(func() {
		cancel()
		listener.Close()
		carriers.Wait()
	})
	carriers.Go(func() {
		for {
			outside, err := listener.Accept()
			if err != nil {
				return
			}
			carriers.Go(func() { carry(ctx, outside, server) })
		}
	})
	return listener.Addr().String()
}

// carry copies both ways until either side, or ctx, ends.
func carry(ctx context.Context, outside net.Conn, server string) {
	defer outside.Close()
	inside, err := (&net.Dialer{}).DialContext(ctx, "tcp", server)
	if err != nil {
		return
	}
	end := context.AfterFunc(ctx, func() { outside.Close(); inside.Close() })
	defer end()
	var upward sync.WaitGroup
	upward.Go(func() {
		_, _ = io.Copy(inside, outside)
		inside.Close()
	})
	_, _ = io.Copy(outside, inside)
	outside.Close()
	upward.Wait()
	inside.Close()
}
