// Package mailer hands e-mails to the Brand's mail server.
//
// It decides nothing about who is written to: see internal/domain/mail. Invariants: nothing is said to a server before the connection
// is secured, neither a word of the mail nor of the credentials; what is in the files is read anew for each mail; no error holds
// anything of customers, for what a server answers may.
package mailer

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"

	gomail "github.com/wneessen/go-mail"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/domain/mail"
	"github.com/yingda-dev/yingda/internal/tlsfiles"
)

// Timeout bounds the handing in of one mail.
const Timeout = 30 * time.Second

// Files are by what the worker signs in, and whom it trusts.
type Files struct {
	UsernameFile, PasswordFile string
	// CAFile holds the authorities to trust; empty when the Brand names none.
	CAFile string
}

// Server is the Brand's mail server.
type Server struct {
	Declared v1alpha1.BrandMail
	// Name is what customers see beside the address.
	Name  string
	Files Files
	Now   func() time.Time
}

// Mail is one mail to a customer.
type Mail struct {
	// ID is the Message-ID, without brackets.
	ID, To, Subject, Text string
}

// Outcome is what came of a mail, in one word.
type Outcome string

// The outcomes of mails.
const (
	// Taken by the server, which delivers it or writes to the sender that it cannot.
	Taken Outcome = "taken"
	// Refused for good: by its recipient's address, its sender's or what it holds.
	Refused Outcome = "refused"
	// Deferred by the server, which wants it later.
	Deferred Outcome = "deferred"
	// Unreachable is a server that does not answer, or not to its end: it may have taken the mail.
	Unreachable Outcome = "unreachable"
	// Untrusted is a server that is not known to be who it says, or offers no secured connection in which one may sign in. It was
	// told nothing.
	Untrusted Outcome = "untrusted"
	// NotSignedIn is a server that does not take the credentials.
	NotSignedIn Outcome = "notSignedIn"
	// NoCredentials are some that cannot be read: nothing was tried.
	NoCredentials Outcome = "noCredentials"
)

// Outcomes are all of them.
func Outcomes() []Outcome {
	return []Outcome{Taken, Refused, Deferred, Unreachable, Untrusted, NotSignedIn, NoCredentials}
}

// Error says why a server has not taken a mail.
type Error struct {
	Outcome Outcome
	// Code is the server's, where it gave one.
	Code int
}

func (e *Error) Error() string {
	if e.Code != 0 {
		return fmt.Sprintf("the mail was not taken: %s, code %d", e.Outcome, e.Code)
	}
	return "the mail was not taken: " + string(e.Outcome)
}

// Permanent says that no other try helps.
func (e *Error) Permanent() bool { return e.Outcome == Refused }

// HasCredentials says whether there are a username and a password to sign in by.
func (s *Server) HasCredentials() bool {
	_, _, err := s.credentials()
	return err == nil
}

func (s *Server) credentials() (username, password string, err error) {
	if username, err = read(s.Files.UsernameFile); err != nil {
		return "", "", err
	}
	password, err = read(s.Files.PasswordFile)
	return username, password, err
}

// Send hands a mail in. Its error is an *Error.
func (s *Server) Send(ctx context.Context, m Mail) error {
	letter, err := s.write(m)
	if err != nil {
		return &Error{Outcome: Refused}
	}
	username, password, err := s.credentials()
	if err != nil {
		return &Error{Outcome: NoCredentials}
	}
	trust, err := tlsfiles.Files{CA: s.Files.CAFile, ServerName: s.Declared.Host}.Config()
	if err != nil || s.Declared.CASecretRef != nil && s.Files.CAFile == "" {
		return &Error{Outcome: Untrusted}
	}
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	line := &line{trust: trust, secured: s.Declared.Security == v1alpha1.MailTLS}
	defer line.close()
	// The client knows no context once it is connected.
	defer context.AfterFunc(ctx, line.close)()
	client, err := gomail.NewClient(s.Declared.Host, gomail.WithPort(mail.Port(&s.Declared)), gomail.WithTimeout(Timeout),
		gomail.WithHELO(mail.Domain(&s.Declared)), gomail.WithTLSConfig(trust), gomail.WithTLSPolicy(line.policy()), gomail.WithDialContextFunc(line.dial),
		gomail.WithoutSMTPUTF8(), gomail.WithoutNoop(), gomail.WithUsername(username), gomail.WithPassword(password),
		// The connection is secured: the password may be said in it, which every server takes.
		gomail.WithOpportunisticSMTPAuth(gomail.SMTPAuthPlain, gomail.SMTPAuthLogin, gomail.SMTPAuthSCRAMSHA256, gomail.SMTPAuthCramMD5))
	if err != nil {
		return &Error{Outcome: Unreachable}
	}
	session, err := client.DialToSMTPClientWithContext(ctx)
	if err != nil {
		return failed(err)
	}
	// What goes wrong after the server took the mail is no matter of the mail's.
	if err := client.SendWithSMTPClient(session, letter); err != nil && !letter.IsDelivered() {
		return refusedBy(err)
	}
	// How it ends does not matter any more.
	_ = client.CloseWithSMTPClient(session)
	return nil
}

// write is a mail as it goes out: one recipient, plain text, and marked as of a machine, so that no other machine answers it.
func (s *Server) write(m Mail) (*gomail.Msg, error) {
	if err := mail.Check(m.To); err != nil {
		return nil, fmt.Errorf("the recipient: %w", err)
	}
	letter := gomail.NewMsg()
	if err := letter.FromFormat(printable(s.Name), s.Declared.From); err != nil {
		return nil, fmt.Errorf("the sender: %w", err)
	}
	if err := letter.To(m.To); err != nil {
		return nil, fmt.Errorf("the recipient: %w", err)
	}
	letter.Subject(printable(m.Subject))
	letter.SetMessageIDWithValue(m.ID)
	letter.SetDateWithValue(s.Now())
	letter.SetGenHeader("Auto-Submitted", "auto-generated")
	letter.SetBodyString(gomail.TypeTextPlain, m.Text)
	return letter, nil
}

func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, text)
}

// read is what a file of a Secret holds. White space around it is not part of it: editors leave it behind.
func read(file string) (string, error) {
	content, err := os.ReadFile(file)
	content = bytes.TrimSpace(content)
	if err == nil && len(content) == 0 {
		err = errors.New("the file is empty")
	}
	return string(content), err
}

// line is the connection of one mail, which is closed whatever happens.
type line struct {
	trust *tls.Config
	// secured says that it is from the start.
	secured bool

	mu   sync.Mutex
	conn net.Conn
}

// policy of the client, to whom a connection that is secured from the start is like any other.
func (l *line) policy() gomail.TLSPolicy {
	if l.secured {
		return gomail.NoTLS
	}
	return gomail.TLSMandatory
}

func (l *line) dial(ctx context.Context, network, address string) (conn net.Conn, err error) {
	if l.secured {
		conn, err = (&tls.Dialer{Config: l.trust}).DialContext(ctx, network, address)
	} else {
		conn, err = (&net.Dialer{}).DialContext(ctx, network, address)
	}
	if err != nil {
		return nil, err //nolint:wrapcheck // Judged by its type, and shown to nobody.
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.conn = conn
	return conn, nil
}

func (l *line) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.conn != nil {
		_ = l.conn.Close()
	}
}

// notSignedIn are the codes that say so: RFC 4954, section 6.
func notSignedIn() []int { return []int{530, 534, 535, 538} }

// failed is why no session came about.
func failed(err error) error {
	var network net.Error
	var untrusted *tls.CertificateVerificationError
	var answer *textproto.Error
	switch {
	case errors.As(err, &untrusted):
		return &Error{Outcome: Untrusted}
	case errors.As(err, &answer) && slices.Contains(notSignedIn(), answer.Code):
		return &Error{Outcome: NotSignedIn, Code: answer.Code}
	case errors.As(err, &answer):
		return &Error{Outcome: Deferred, Code: answer.Code}
	case errors.As(err, &network), errors.Is(err, io.EOF), errors.Is(err, net.ErrClosed):
		return &Error{Outcome: Unreachable}
	default:
		// TLS that does not come about, or the client has ended it: no STARTTLS, or no way to sign in.
		return &Error{Outcome: Untrusted}
	}
}

// refusedBy is why a session did not end well.
func refusedBy(err error) error {
	var refused *gomail.SendError
	switch {
	case !errors.As(err, &refused) || refused.ErrorCode() == 0:
		return &Error{Outcome: Unreachable}
	case refused.ErrorCode() >= 500:
		return &Error{Outcome: Refused, Code: refused.ErrorCode()}
	default:
		return &Error{Outcome: Deferred, Code: refused.ErrorCode()}
	}
}
