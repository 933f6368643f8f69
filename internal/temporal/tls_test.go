package temporal_test

import (
	"context"
	"crypto/x509"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.temporal.io/sdk/client"

	"github.com/yingda-dev/yingda/internal/temporal"
	"github.com/yingda-dev/yingda/internal/testenv"
	"github.com/yingda-dev/yingda/internal/tlsfiles"
)

// secured is a Temporal frontend behind a listener that speaks TLS and demands a client certificate.
type secured struct {
	t         *testing.T
	authority *testenv.Authority
	options   temporal.Options
}

func newSecured(t *testing.T, server func(*x509.Certificate)) *secured {
	t.Helper()
	s := &secured{t: t, authority: testenv.NewAuthority(t)}
	own := s.authority.Issue("lumi")
	s.options = temporal.Options{
		Address: testenv.EndTLS(t, testenv.Temporal(t), s.authority.Issue("frontend", server), s.authority.CAFile), Namespace: testenv.Unique("brand"), Logger: slog.New(slog.DiscardHandler),
		TLS: &tlsfiles.Files{CA: s.authority.CAFile, Certificate: own.CertFile, Key: own.KeyFile},
	}
	return s
}

func (s *secured) ensure() error {
	ctx, cancel := context.WithTimeout(s.t.Context(), 5*time.Second)
	defer cancel()
	return temporal.EnsureNamespace(ctx, s.options, temporal.Retention)
}

func (s *secured) call() error {
	c, err := temporal.Dial(s.options)
	if err != nil {
		return err
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(s.t.Context(), 5*time.Second)
	defer cancel()
	_, err = c.CheckHealth(ctx, &client.CheckHealthRequest{})
	return err
}

func TestTemporalBehindTLSTakesAClientWithItsCertificate(t *testing.T) {
	for name, tt := range map[string]struct {
		server func(*x509.Certificate)
		edit   func(*temporal.Options)
	}{
		"by the host of the address": {func(*x509.Certificate) {}, func(*temporal.Options) {}},
		"by a name of its own": {
			func(c *x509.Certificate) { c.IPAddresses, c.DNSNames = nil, []string{"frontend.temporal"} },
			func(o *temporal.Options) { o.TLS.ServerName = "frontend.temporal" },
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSecured(t, tt.server)
			tt.edit(&s.options)
			if err := errors.Join(s.ensure(), s.call()); err != nil {
				t.Error(err)
			}
			// Of one that was just made, Temporal says that it is not there.
			waitUntil(t, "the namespace to go", func() error { return temporal.DeleteNamespace(t.Context(), s.options) })
		})
	}
}

func TestTemporalBehindTLSThatRefusesSaysWhatToDo(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		edit func(*secured)
		want string
	}{
		"an authority that nobody named": {func(s *secured) { s.options.TLS.CA = "" }, "ca.crt of the Secret that spec.temporal.tls names"},
		"another authority":              {func(s *secured) { s.options.TLS.CA = testenv.NewAuthority(s.t).CAFile }, "ca.crt of the Secret that spec.temporal.tls names"},
		"another name":                   {func(s *secured) { s.options.TLS.ServerName = "frontend.temporal" }, "give the server a certificate that holds its name"},
		"a client without a certificate": {func(s *secured) { s.options.TLS.Certificate, s.options.TLS.Key = "", "" }, "the server wants a client certificate"},
		"a client with a stranger's certificate": {func(s *secured) {
			strange := testenv.NewAuthority(s.t).Issue("stranger")
			s.options.TLS.Certificate, s.options.TLS.Key = strange.CertFile, strange.KeyFile
		}, "an authority of the server's signed"},
		"a certificate without its key": {func(s *secured) { s.options.TLS.Key = "" }, "a certificate and its key belong together"},
		"a file that is no certificate": {func(s *secured) {
			s.options.TLS.CA = filepath.Join(s.t.TempDir(), "ca.crt")
			if err := os.WriteFile(s.options.TLS.CA, []byte("none"), 0o600); err != nil {
				s.t.Fatal(err)
			}
		}, "holds no certificate in PEM"},
		"a frontend without TLS": {func(s *secured) { s.options.Address = testenv.Temporal(s.t) }, "or remove spec.temporal.tls"},
		"a client without TLS":   {func(s *secured) { s.options.TLS = nil }, "set spec.temporal.tls"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSecured(t, func(*x509.Certificate) {})
			tt.edit(s)
			err := s.ensure()
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("refused with %v, want %q", err, tt.want)
			}
		})
	}
}
