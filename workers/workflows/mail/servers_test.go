package mail

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/configz"
	"github.com/yingda-dev/yingda/internal/domain/aftersales"
	"github.com/yingda-dev/yingda/internal/mailer"
	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/promise"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/testenv"
	"github.com/yingda-dev/yingda/workers/workflows/workflowtest"
)

// address is the customer's.
const address = "zhang.san@mail.example"

// brand is one brand with a mail server.
type brand struct {
	*workflowtest.Brand

	smtp       *testenv.MailServer
	activities *Activities
}

func brandOn(t *testing.T, b *workflowtest.Brand) *brand {
	t.Helper()
	authority := testenv.NewAuthority(t)
	m := testenv.NewMailServer(t, testenv.MailServerOptions{Authority: authority})
	dir := t.TempDir()
	for name, content := range map[string]string{"username": testenv.MailUsername, "password": testenv.MailPassword} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	server := &mailer.Server{
		Declared: v1alpha1.BrandMail{Host: m.Host, Port: m.Port, From: "service@lumi.example", CASecretRef: &v1alpha1.CredentialsReference{Name: "ca"}},
		Name:     "鹿米", Now: time.Now,
		Files: mailer.Files{UsernameFile: filepath.Join(dir, "username"), PasswordFile: filepath.Join(dir, "password"), CAFile: authority.CAFile},
	}
	return &brand{b, m, &Activities{
		Store: b.Store, Server: func() *mailer.Server { return server }, GroupAgents: func(string) []string { return []string{"an", "bo"} },
		Events: "events", Source: "/shop/lumi/workflows", Now: time.Now, Logger: slog.New(slog.DiscardHandler), Metrics: NewMetrics(prometheus.NewRegistry()),
	}}
}

// owed is what a case of that name has to be told of.
func (b *brand) owed(name string) promise.MailInput {
	b.T.Helper()
	conversation := b.Converse(name, 0)
	in := promise.AfterSalesInput{
		ID: "after-sales/shop/lumi/" + name, Conversation: &conversation, Channel: "mini", Customer: name, SkillGroup: "after-sales", StartedAt: time.Now(),
		Application: aftersales.Application{
			Kind: aftersales.Return, Reason: aftersales.NoReason, Source: aftersales.FromCustomer, Contact: aftersales.Contact{Email: address},
			Order: aftersales.Order{Number: "2026112201" + name, Paid: 100_00, Currency: "CNY"},
		},
	}
	b.Do(func(ctx context.Context, u *store.Unit) error {
		_, _, err := u.RecordAfterSales(ctx, in, store.Taking{Step: "open"})
		return err
	})
	return promise.MailInput{
		ID: promise.MailID(in.ID, "told/1"), Case: in.ID, Step: "told/1", SkillGroup: "after-sales",
		Subject: "您的售后申请有新进展", Text: "退货 2026****\n\n退款已到账。\n", Words: "退款已到账。",
	}
}

// undelivered are the notes that say so of a case.
func (b *brand) undelivered(id string) (notes []string) {
	b.T.Helper()
	events, err := b.Store.Queries().CaseEvents(b.T.Context(), id, 100)
	if err != nil {
		b.T.Fatal(err)
	}
	for _, e := range events {
		if strings.HasPrefix(e.Step, "unmailed/") {
			notes = append(notes, e.Note)
		}
	}
	return notes
}

func TestWhatBecomesOfAMail(t *testing.T) {
	refused := &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: address + " is unknown here"}
	later := &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 7, 1}, Message: "greylisted"}
	erased := func(b *brand) {
		if _, err := b.Store.Pool().Exec(b.T.Context(), `DELETE FROM service_case`); err != nil {
			b.T.Fatal(err)
		}
	}
	for name, tc := range map[string]struct {
		// server refuses the first tries with its errors, and all that follow with the last where always is set.
		answers []error
		always  bool
		before  func(*brand)
		cancel  bool
		tries   int
		taken   bool
		told    bool
	}{
		"it is taken":                      {tries: 1, taken: true},
		"the server wants it later, twice": {answers: []error{later, later}, tries: 3, taken: true},
		// The test suite gives an activity ten tries.
		"the server wants it later for too long": {answers: []error{later}, always: true, tries: 10, told: true},
		"the recipient is refused":               {answers: []error{refused}, tries: 1, told: true},
		"there is no mail server any more":       {before: func(b *brand) { b.activities.Server = func() *mailer.Server { return nil } }, told: true},
		"the case was erased meanwhile":          {before: erased},
		"somebody cancels it while it is tried":  {answers: []error{later}, always: true, cancel: true, tries: 6, told: true},
	} {
		t.Run(name, func(t *testing.T) {
			b := brandOn(t, workflowtest.NewStore(t))
			in := b.owed("customer")
			tries := 0
			b.smtp.Answer(func(string) error {
				tries++
				if tries <= len(tc.answers) {
					return tc.answers[tries-1]
				}
				if tc.always {
					return tc.answers[len(tc.answers)-1]
				}
				return nil
			}, nil)
			if tc.before != nil {
				tc.before(b)
			}
			var suite testsuite.WorkflowTestSuite
			suite.SetLogger(slog.New(slog.DiscardHandler))
			env := suite.NewTestWorkflowEnvironment()
			env.SetTestTimeout(workflowtest.Patience)
			Register(env, b.activities)
			if tc.cancel {
				env.RegisterDelayedCallback(env.CancelWorkflow, time.Hour)
			}
			env.ExecuteWorkflow(promise.MailWorkflow, in)
			var status promise.MailStatus
			if err := env.GetWorkflowResult(&status); err != nil {
				t.Fatal(err)
			}
			if status.Taken != tc.taken || len(b.smtp.Letters()) != map[bool]int{true: 1}[tc.taken] {
				t.Errorf("taken %t, the server has %q", status.Taken, b.smtp.Letters())
			}
			if tries != tc.tries {
				t.Errorf("it was tried %d times, want %d", tries, tc.tries)
			}
			var want []string
			if tc.told {
				want = []string{"邮件未能送达，无法通知客户，请另行联系：退款已到账。"}
			}
			if name == "the case was erased meanwhile" {
				return
			}
			if diff := cmp.Diff(want, b.undelivered(in.Case)); diff != "" {
				t.Errorf("history (-want +got):\n%s", diff)
			}
			frames := workflowtest.News[store.Case](b.Brand, "bo", message.FrameCase)
			if len(frames) != len(want) {
				t.Errorf("another agent of the group was told %d times, want %d", len(frames), len(want))
			}
			for _, frame := range frames {
				if detail := string(frame.Detail); strings.Contains(detail, address) || !strings.Contains(detail, "z***@mail.example") {
					t.Errorf("the group was told %s", detail)
				}
			}
		})
	}
}

func TestAMailOnRealServers(t *testing.T) {
	b := brandOn(t, workflowtest.NewBrand(t))
	b.Work(func(r worker.Registry) { Register(r, b.activities) })
	for name, answer := range map[string]error{"taken": nil, "refused": &smtp.SMTPError{Code: 550, Message: "unknown"}} {
		b.smtp.Answer(nil, func() error { return answer })
		in := b.owed(name)
		for range 2 { // As a relay does that crashed before it deleted its row.
			b.Do(func(ctx context.Context, u *store.Unit) error {
				return u.StartWorkflow(ctx, in.ID, promise.MailWorkflow, in)
			})
		}
		var status promise.MailStatus
		b.Eventually("the end of a mail", func() error { return b.Client.GetWorkflow(t.Context(), in.ID, "").Get(t.Context(), &status) })
		if status.Taken != (answer == nil) {
			t.Errorf("%s: taken %t", name, status.Taken)
		}
		if last := b.activities.Last(); last == nil || string(last.Outcome) != name {
			t.Errorf("%s: the operator is told of %+v", name, last)
		}
		b.StoreHistory(newest, in.ID, name)
	}
	server := b.activities.Server()
	server.Files.PasswordFile += ".missing"
	b.activities.Server = func() *mailer.Server { return server }
	if last := b.activities.Last(); last == nil || last.Outcome != configz.MailNoCredentials {
		t.Errorf("without a password the operator is told of %+v", last)
	}
	if letters := b.smtp.Letters(); len(letters) != 1 || letters[0].To != address {
		t.Errorf("the server has %q", letters)
	}
	b.AwaitListed(`YingdaKind = "mail"`, `WorkflowId = "`+promise.MailID("after-sales/shop/lumi/taken", "told/1")+`"`)
}

// TestOutcomesAreThoseThatTheOperatorKnows: each side has names of its own, for neither imports the other.
func TestOutcomesAreThoseThatTheOperatorKnows(t *testing.T) {
	known := []configz.MailOutcome{
		configz.MailTaken, configz.MailRefused, configz.MailDeferred, configz.MailUnreachable, configz.MailUntrusted, configz.MailNotSignedIn,
		configz.MailNoCredentials,
	}
	for i, outcome := range mailer.Outcomes() {
		if i >= len(known) || string(known[i]) != string(outcome) {
			t.Errorf("the operator does not know %s", outcome)
		}
	}
}
