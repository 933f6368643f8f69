package mailer

import (
	"context"
	"errors"
	"io"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/google/go-cmp/cmp"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/testenv"
)

// at is when all mails are sent.
func at() time.Time { return time.Date(2026, 11, 23, 4, 0, 0, 0, time.UTC) }

func file(t *testing.T, content string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// towards is a client of a server, which trusts an authority.
func towards(t *testing.T, m *testenv.MailServer, ca string, edits ...func(*Server)) *Server {
	t.Helper()
	s := &Server{
		Declared: v1alpha1.BrandMail{
			Host: m.Host, Port: m.Port, Security: v1alpha1.MailStartTLS, From: "service@lumi.example", CASecretRef: &v1alpha1.CredentialsReference{Name: "ca"},
		},
		Name:  "鹿米",
		Files: Files{UsernameFile: file(t, testenv.MailUsername+"\n"), PasswordFile: file(t, testenv.MailPassword), CAFile: ca},
		Now:   at,
	}
	for _, edit := range edits {
		edit(s)
	}
	return s
}

func letter() Mail {
	return Mail{ID: "0123@lumi.example", To: "zhang@mail.example", Subject: "您的售后申请有新进展", Text: "退款100.00元将在11月23日前原路退回。\n"}
}

func TestACustomerReadsWhatWasWritten(t *testing.T) {
	authority := testenv.NewAuthority(t)
	for name, implicit := range map[string]bool{"a connection that is secured when asked": false, "one that is secured from its start": true} {
		t.Run(name, func(t *testing.T) {
			m := testenv.NewMailServer(t, testenv.MailServerOptions{Authority: authority, Implicit: implicit})
			s := towards(t, m, authority.CAFile, func(s *Server) {
				if implicit {
					s.Declared.Security = v1alpha1.MailTLS
				}
			})
			for range 2 { // Sent again, as after a crash, it is the same mail.
				if err := s.Send(t.Context(), letter()); err != nil {
					t.Fatal(err)
				}
			}
			letters := m.Letters()
			if len(letters) != 2 || letters[0].Content != letters[1].Content {
				t.Fatalf("the server has %q", letters)
			}
			got := letters[0]
			if got.From != "service@lumi.example" || got.To != "zhang@mail.example" {
				t.Errorf("from %s to %s", got.From, got.To)
			}
			read, err := mail.ReadMessage(strings.NewReader(got.Content))
			if err != nil {
				t.Fatal(err)
			}
			decoded := func(header string) string {
				text, err := new(mime.WordDecoder).DecodeHeader(read.Header.Get(header))
				if err != nil {
					t.Error(err)
				}
				return text
			}
			headers := map[string]string{}
			for _, header := range []string{"Message-Id", "Subject", "From", "To", "Auto-Submitted", "Date", "Content-Type"} {
				headers[header] = decoded(header)
			}
			want := map[string]string{
				"Message-Id": "<0123@lumi.example>", "Subject": "您的售后申请有新进展", "From": "鹿米 <service@lumi.example>", "To": "<zhang@mail.example>",
				"Auto-Submitted": "auto-generated", "Date": "Mon, 23 Nov 2026 04:00:00 +0000", "Content-Type": "text/plain; charset=UTF-8",
			}
			if diff := cmp.Diff(want, headers); diff != "" {
				t.Errorf("headers (-want +got):\n%s", diff)
			}
			body, err := io.ReadAll(quotedprintable.NewReader(read.Body))
			if err != nil || strings.ReplaceAll(string(body), "\r\n", "\n") != letter().Text {
				t.Errorf("the text is %q, err %v", body, err)
			}
		})
	}
}

func TestWhyAMailIsNotTaken(t *testing.T) {
	authority, stranger := testenv.NewAuthority(t), testenv.NewAuthority(t)
	refused := &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "zhang@mail.example is unknown here"}
	later := &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 7, 1}, Message: "greylisted"}
	for name, tc := range map[string]struct {
		server testenv.MailServerOptions
		answer func(*testenv.MailServer)
		edit   func(*Server)
		mail   func(*Mail)
		want   Error
	}{
		"a recipient who is not known":    {answer: func(m *testenv.MailServer) { m.Answer(func(string) error { return refused }, nil) }, want: Error{Refused, 550}},
		"a recipient for later":           {answer: func(m *testenv.MailServer) { m.Answer(func(string) error { return later }, nil) }, want: Error{Deferred, 451}},
		"a mail that is refused":          {answer: func(m *testenv.MailServer) { m.Answer(nil, func() error { return refused }) }, want: Error{Refused, 550}},
		"a mail for later":                {answer: func(m *testenv.MailServer) { m.Answer(nil, func() error { return later }) }, want: Error{Deferred, 451}},
		"a password that is wrong":        {edit: func(s *Server) { s.Files.PasswordFile = file(t, "wrong") }, want: Error{NotSignedIn, 535}},
		"a password that is missing":      {edit: func(s *Server) { s.Files.PasswordFile = file(t, "\n") }, want: Error{NoCredentials, 0}},
		"an authority that nobody trusts": {edit: func(s *Server) { s.Files.CAFile = stranger.CAFile }, want: Error{Untrusted, 0}},
		"no authority of our own":         {edit: func(s *Server) { s.Files.CAFile, s.Declared.CASecretRef = "", nil }, want: Error{Untrusted, 0}},
		"a server that secures nothing":   {server: testenv.MailServerOptions{Plain: true}, want: Error{Untrusted, 0}},
		"a server that is not secured from the start": {
			server: testenv.MailServerOptions{Plain: true}, edit: func(s *Server) { s.Declared.Security = v1alpha1.MailTLS }, want: Error{Untrusted, 0},
		},
		"a server that is not there":   {edit: func(s *Server) { s.Declared.Port = 1 }, want: Error{Unreachable, 0}},
		"an address with a header":     {mail: func(m *Mail) { m.To += "\r\nBcc: all@mail.example" }, want: Error{Refused, 0}},
		"the address of another alias": {mail: func(m *Mail) { m.To = "Zhang <zhang@mail.example>" }, want: Error{Refused, 0}},
	} {
		t.Run(name, func(t *testing.T) {
			tc.server.Authority = authority
			m := testenv.NewMailServer(t, tc.server)
			if tc.answer != nil {
				tc.answer(m)
			}
			s, mail := towards(t, m, authority.CAFile), letter()
			if tc.edit != nil {
				tc.edit(s)
			}
			if tc.mail != nil {
				tc.mail(&mail)
			}
			err := s.Send(t.Context(), mail)
			var got *Error
			if !errors.As(err, &got) || *got != tc.want {
				t.Fatalf("err = %v, want %v", err, &tc.want)
			}
			if strings.Contains(err.Error(), "zhang") {
				t.Errorf("the error tells of the customer: %v", err)
			}
			if got.Permanent() != (tc.want.Outcome == Refused) {
				t.Errorf("permanent: %t", got.Permanent())
			}
			if letters := m.Letters(); len(letters) != 0 {
				t.Errorf("the server has %q", letters)
			}
			if _, plain := m.SignIns(); plain != 0 {
				t.Error("the password was said in plain text")
			}
		})
	}
}

func TestAMailThatTheServerTookIsSentThoughItHangsUpThen(t *testing.T) {
	authority := testenv.NewAuthority(t)
	m := testenv.NewMailServer(t, testenv.MailServerOptions{Authority: authority, HangsUp: true})
	if err := towards(t, m, authority.CAFile).Send(t.Context(), letter()); err != nil {
		t.Errorf("it would be sent again: %v", err)
	}
	if letters := m.Letters(); len(letters) != 1 {
		t.Errorf("the server has %d mails", len(letters))
	}
}

func TestAServerThatTurnsAwayWhoConnectsHasNothingAgainstTheCredentials(t *testing.T) {
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		if conn, err := listener.Accept(); err == nil {
			_, _ = io.WriteString(conn, "554 mail.test does not talk to you\r\n")
			_, _ = io.Copy(io.Discard, conn)
			_ = conn.Close()
		}
	}()
	t.Cleanup(func() { _ = listener.Close() })
	s := towards(t, &testenv.MailServer{Host: "localhost", Port: int32(listener.Addr().(*net.TCPAddr).Port)}, testenv.NewAuthority(t).CAFile) //nolint:forcetypeassert // It is TCP.
	var got *Error
	if err := s.Send(t.Context(), letter()); !errors.As(err, &got) || got.Outcome != Deferred || got.Code != 554 {
		t.Errorf("err = %+v, want %s 554", err, Deferred)
	}
}

// TestAServerThatHangs answers nothing, or stops after its greeting or the mail.
func TestAServerThatHangs(t *testing.T) {
	for name, says := range map[string]string{"from the start": "", "after its greeting": "220 mail.test ESMTP\r\n"} {
		t.Run(name, func(t *testing.T) {
			listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			hung := make(chan net.Conn, 1)
			go func() {
				if conn, err := listener.Accept(); err == nil {
					_, _ = io.WriteString(conn, says)
					hung <- conn
				}
				close(hung)
			}()
			t.Cleanup(func() {
				_ = listener.Close()
				for conn := range hung {
					_ = conn.Close()
				}
			})
			ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
			defer cancel()
			s := towards(t, &testenv.MailServer{Host: "localhost", Port: int32(listener.Addr().(*net.TCPAddr).Port)}, testenv.NewAuthority(t).CAFile) //nolint:forcetypeassert // It is TCP.
			began := time.Now()
			var got *Error
			if err := s.Send(ctx, letter()); !errors.As(err, &got) || got.Outcome != Unreachable {
				t.Errorf("err = %v, want %s", err, Unreachable)
			}
			if took := time.Since(began); took > 10*time.Second {
				t.Errorf("it took %s", took)
			}
		})
	}
}
