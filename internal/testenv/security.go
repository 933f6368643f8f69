package testenv

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// KafkaSecurity says what a broker asks of its clients; the zero value asks nothing.
type KafkaSecurity struct {
	// Certificate is the broker's; the zero value is for plain text.
	Certificate Certificate
	// ClientCAFile are the authorities of clients' certificates; with it clients must have one.
	ClientCAFile string
	// Mechanism is PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512, by which clients sign in as the one user; without it nobody does.
	Mechanism, Username, PasswordFile string
}

// StartSecuredKafka returns what starts a broker of its own for the caller: NewServer(t, testenv.StartSecuredKafka(...)).
func StartSecuredKafka(security KafkaSecurity) func(context.Context) (*Server, error) {
	var more []string
	if file := security.Certificate.CertFile; file != "" {
		more = append(more, "--tls-cert-file", file, "--tls-key-file", security.Certificate.KeyFile)
	}
	if file := security.ClientCAFile; file != "" {
		more = append(more, "--tls-client-ca-file", file)
	}
	if security.Mechanism != "" {
		more = append(more, "--sasl-mechanism", security.Mechanism, "--sasl-username", security.Username, "--sasl-password-file", security.PasswordFile)
	}
	return func(ctx context.Context) (*Server, error) {
		return startServer(ctx, "kafka", func(s *Server, address string) []string {
			return append([]string{"kafka", "--listen", orFree(address), "--data", filepath.Join(s.dir, "data")}, more...)
		})
	}
}

// Certificate are the files of a certificate and its key, in PEM.
type Certificate struct {
	CertFile, KeyFile string
}

// Authority signs the certificates of a test.
type Authority struct {
	// CAFile is its own certificate, in PEM.
	CAFile string

	t           testing.TB
	dir         string
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

// NewAuthority makes an authority that lives as long as the test.
func NewAuthority(t testing.TB) *Authority {
	t.Helper()
	a := &Authority{t: t, dir: t.TempDir()}
	template := &x509.Certificate{IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	a.certificate, a.key = a.sign("authority", template)
	a.CAFile = a.write("ca.crt", "CERTIFICATE", a.certificate.Raw)
	return a
}

// Issue makes a certificate for servers on 127.0.0.1 and for clients; edits change it before it is signed.
func (a *Authority) Issue(name string, edits ...func(*x509.Certificate)) Certificate {
	a.t.Helper()
	template := &x509.Certificate{
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	for _, edit := range edits {
		edit(template)
	}
	certificate, key := a.sign(name, template)
	encoded, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		a.t.Fatal(err)
	}
	return Certificate{
		CertFile: a.write(name+".crt", "CERTIFICATE", certificate.Raw),
		KeyFile:  a.write(name+".key", "EC PRIVATE KEY", encoded),
	}
}

// sign signs a certificate that holds for an hour unless it says otherwise; the first signs itself.
func (a *Authority) sign(name string, template *x509.Certificate) (*x509.Certificate, *ecdsa.PrivateKey) {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		a.t.Fatal(err)
	}
	template.SerialNumber, template.Subject = serial, pkix.Name{CommonName: name}
	if template.NotAfter.IsZero() {
		template.NotBefore, template.NotAfter = time.Now().Add(-time.Minute), time.Now().Add(time.Hour)
	}
	parent, signer := a.certificate, a.key
	if parent == nil {
		parent, signer = template, key
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		a.t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(raw)
	if err != nil {
		a.t.Fatal(err)
	}
	return certificate, key
}

func (a *Authority) write(name, kind string, der []byte) string {
	a.t.Helper()
	path := filepath.Join(a.dir, name)
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		a.t.Fatal(err)
	}
	return path
}
