package testenv

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// The credentials that a MailServer takes.
const (
	MailUsername = "worker"
	MailPassword = "its password"
)

// MailServer is an SMTP server that keeps what it takes.
type MailServer struct {
	// Host and Port are where it listens.
	Host string
	Port int32

	mu       sync.Mutex
	letters  []Letter
	signedIn int
	plain    int
	rcpt     func(to string) error
	data     func() error
	hangsUp  bool
}

// Letter is a mail as a MailServer took it.
type Letter struct {
	From, To string
	Content  string
}

// MailServerOptions say how a MailServer speaks.
type MailServerOptions struct {
	// Authority signs the server's certificate. Implicit secures connections from their start.
	Authority *Authority
	Implicit  bool
	// Plain offers no TLS and lets everybody sign in without it.
	Plain bool
	// HangsUp closes a connection as soon as a mail was taken on it.
	HangsUp bool
}

// NewMailServer starts one for a test.
func NewMailServer(t testing.TB, o MailServerOptions) *MailServer {
	t.Helper()
	own := o.Authority.Issue("localhost", func(c *x509.Certificate) { c.DNSNames = []string{"localhost"} })
	certificate, err := tls.LoadX509KeyPair(own.CertFile, own.KeyFile)
	if err != nil {
		t.Fatal(err)
	}
	m := &MailServer{hangsUp: o.HangsUp}
	server := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) { return &mailSession{server: m, conn: c}, nil }))
	server.Domain, server.AllowInsecureAuth = "mail.test", o.Plain
	server.ReadTimeout, server.WriteTimeout = time.Minute, time.Minute
	server.ErrorLog = silent{}
	if !o.Plain && !o.Implicit {
		server.TLSConfig = &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
	}
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m.Host, m.Port = "localhost", int32(listener.Addr().(*net.TCPAddr).Port) //nolint:forcetypeassert // It is TCP.
	if o.Implicit {
		listener = tls.NewListener(listener, &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12})
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	t.Cleanup(func() {
		_ = server.Close()
		// A server that is closed before it has begun to listen does not know of its listener.
		_ = listener.Close()
		if err := <-served; err != nil && !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
	})
	return m
}

// Answer has the server answer recipients, and mails once they were said, with errors; nil takes them.
func (m *MailServer) Answer(rcpt func(to string) error, data func() error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.rcpt, m.data = rcpt, data
}

// Letters are what was taken.
func (m *MailServer) Letters() []Letter {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]Letter(nil), m.letters...)
}

// SignIns is how often somebody signed in, and how often in plain text.
func (m *MailServer) SignIns() (all, inPlainText int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.signedIn, m.plain
}

type mailSession struct {
	server *MailServer
	conn   *smtp.Conn
	letter Letter
	known  bool
}

var _ smtp.AuthSession = (*mailSession)(nil)

func (s *mailSession) AuthMechanisms() []string { return []string{sasl.Plain} }

func (s *mailSession) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, username, password string) error {
		s.server.mu.Lock()
		defer s.server.mu.Unlock()
		s.server.signedIn++
		if _, secured := s.conn.TLSConnectionState(); !secured {
			s.server.plain++
		}
		if username != MailUsername || password != MailPassword {
			return smtp.ErrAuthFailed
		}
		s.known = true
		return nil
	}), nil
}

func (s *mailSession) Mail(from string, _ *smtp.MailOptions) error {
	if !s.known {
		return smtp.ErrAuthRequired
	}
	s.letter.From = from
	return nil
}

func (s *mailSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.letter.To = to
	s.server.mu.Lock()
	answer := s.server.rcpt
	s.server.mu.Unlock()
	if answer == nil {
		return nil
	}
	return answer(to)
}

func (s *mailSession) Data(r io.Reader) error {
	content, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	s.server.mu.Lock()
	answer := s.server.data
	s.server.mu.Unlock()
	if answer != nil {
		if err := answer(); err != nil {
			return err
		}
	}
	s.letter.Content = string(content)
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	s.server.letters = append(s.server.letters, s.letter)
	return nil
}

func (s *mailSession) Reset() {
	if s.server.hangsUp && s.letter.Content != "" {
		_ = s.conn.Conn().Close() // As a server may that has been told to go away.
	}
	s.letter = Letter{}
}

func (*mailSession) Logout() error { return nil }

type silent struct{}

func (silent) Printf(string, ...any) {}

func (silent) Println(...any) {}
