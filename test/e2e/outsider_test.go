//go:build e2e

package e2e

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/yingda-dev/yingda/api/v1alpha1"
)

// outsiderPort is the one that hack/local/values.yaml lets Brands have called, at the address of the stack.
const outsiderPort = "8443"

// outsider is a program of the brand's own that the product calls. It has a certificate of a private authority.
type outsider struct {
	url string
	// authority is the certificate that signed its own, in PEM.
	authority []byte
}

// openOutsider has one listen where the pods of the local cluster find it, until the test ends.
func openOutsider(t *testing.T, s *stack, handler http.Handler) outsider {
	t.Helper()
	host, _, err := net.SplitHostPort(s.env["KAFKA_BROKERS"])
	must(t, err)
	address := net.JoinHostPort(host, outsiderPort)
	certificate, authority := certified(t, host)
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", address)
	must(t, err)
	server := &httptest.Server{Listener: listener, Config: &http.Server{Handler: handler, ReadHeaderTimeout: soon}}
	server.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
	server.StartTLS()
	t.Cleanup(server.Close)
	return outsider{url: "https://" + address, authority: authority}
}

// certified makes an authority that nobody knows, and a certificate of it for the host.
func certified(t *testing.T, host string) (certificate tls.Certificate, authority []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, IPAddresses: []net.IP{net.ParseIP(host)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	must(t, err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// creates makes a Secret of credentials until the test ends.
func (s *stack) creates(t *testing.T, name string, data map[string][]byte) {
	t.Helper()
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, Labels: map[string]string{v1alpha1.CredentialsLabel: "true"}},
		Data:       data,
	}
	must(t, s.kube.Create(t.Context(), secret))
	cleanly(t, func(ctx context.Context) error { return client.IgnoreNotFound(s.kube.Delete(ctx, secret)) })
}
