package mail

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"go.temporal.io/sdk/temporal"

	"github.com/yingda-dev/yingda/internal/configz"
	"github.com/yingda-dev/yingda/internal/domain/history"
	rules "github.com/yingda-dev/yingda/internal/domain/mail"
	"github.com/yingda-dev/yingda/internal/mailer"
	"github.com/yingda-dev/yingda/internal/promise"
	"github.com/yingda-dev/yingda/internal/store"
)

// Activities are the steps of a mail.
type Activities struct {
	Store *store.Store
	// Server is the Brand's mail server; nil while it declares none that may be called.
	Server func() *mailer.Server
	// GroupAgents are the names of all agents of a SkillGroup.
	GroupAgents func(group string) []string
	// Events is the topic of frames, Source the CloudEvents source of what is sent.
	Events string
	Source string
	Now    func() time.Time
	// Logger and Metrics tell operators what the server makes of mails.
	Logger  *slog.Logger
	Metrics *Metrics

	last atomic.Pointer[configz.Mail]
}

// table is every activity by its name.
func (a *Activities) table() map[string]any {
	return map[string]any{activitySend: a.Send, activityUndelivered: a.Undelivered}
}

// Last is what came of this replica's last try to hand a mail in, or that none can come to anything for want of credentials; nil while it
// has not tried.
func (a *Activities) Last() *configz.Mail {
	if server := a.Server(); server != nil && !server.HasCredentials() {
		return &configz.Mail{At: a.Now().UTC(), Outcome: configz.MailNoCredentials}
	}
	return a.last.Load()
}

// Send hands the mail in. It is tried again with the same Message-ID, by which servers and customers know it.
func (a *Activities) Send(ctx context.Context, in promise.MailInput) error {
	row, err := a.Store.Queries().CaseGet(ctx, in.Case)
	if err != nil {
		return gone(fmt.Errorf("reading a case: %w", err))
	}
	inside, err := store.AfterSalesOf(store.CaseView(row))
	if err != nil {
		return err
	}
	to := inside.Application.Contact.Email
	if to == "" {
		return gone(pgx.ErrNoRows)
	}
	server := a.Server()
	if server == nil {
		return temporal.NewNonRetryableApplicationError("the Brand declares no mail server any more that may be called", errorRefused, nil)
	}
	err = server.Send(ctx, mailer.Mail{ID: rules.ID(in.Case, in.Step, server.Declared.From), To: to, Subject: in.Subject, Text: in.Text})
	return a.settle(in, err)
}

// settle notes what the server made of a mail.
func (a *Activities) settle(in promise.MailInput, err error) error {
	made := &mailer.Error{Outcome: mailer.Taken}
	if err != nil && !errors.As(err, &made) {
		return fmt.Errorf("handing in a mail: %w", err)
	}
	a.Metrics.mails.WithLabelValues(string(made.Outcome)).Inc()
	if made.Outcome != mailer.NoCredentials { // That is known without a try, and over when they are there.
		a.last.Store(&configz.Mail{At: a.Now().UTC(), Outcome: configz.MailOutcome(made.Outcome), Code: int32(made.Code)}) //nolint:gosec // SMTP's codes have three digits.
	}
	if err == nil {
		return nil
	}
	a.Logger.Warn("The mail server did not take a mail", "outcome", string(made.Outcome), "code", made.Code, "case", in.Case)
	if made.Permanent() {
		return temporal.NewNonRetryableApplicationError("the mail server refused the mail", errorRefused, made)
	}
	return temporal.NewApplicationErrorWithCause("the mail server did not take the mail", errorNotTaken, made)
}

// Undelivered tells those who work on the case that the customer does not know.
func (a *Activities) Undelivered(ctx context.Context, in promise.MailInput) error {
	return gone(a.Store.Do(ctx, store.Scope{Events: a.Events, Source: a.Source, Now: a.Now()}, func(ctx context.Context, u *store.Unit) error {
		_, _, err := u.NoteCase(ctx, in.Case, store.Taking{
			Step: "unmailed/" + in.Step, Action: history.NotTold, Note: "邮件未能送达，无法通知客户，请另行联系：" + in.Words, Tell: a.GroupAgents(in.SkillGroup),
		})
		return err
	}))
}

func gone(err error) error {
	if errors.Is(err, pgx.ErrNoRows) {
		return temporal.NewNonRetryableApplicationError("the case, or the customer's address, is gone", errorGone, err)
	}
	return err
}
