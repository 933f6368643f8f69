package store

import (
	"context"
	"fmt"

	"github.com/yingda-dev/yingda/internal/domain/aftersales"
	"github.com/yingda-dev/yingda/internal/domain/history"
	"github.com/yingda-dev/yingda/internal/promise"
)

// Untold is something of an after-sales case that the platform does not bring to its customer.
type Untold struct {
	Case string
	// Step names it, once a case; Words are what was to be told.
	Step, Words string
	// Mails says whether the Brand declares a mail server.
	Mails bool
	// Tell are those who hear of it where the customer cannot be written to either.
	Tell []string
}

// TellOtherwise has the customer told by e-mail, or else those who work on the case that they have to reach them. Where that was done before
// nothing changes, and fresh is false. A case that does not exist is pgx.ErrNoRows.
func (u *Unit) TellOtherwise(ctx context.Context, n Untold) (mailed, fresh bool, err error) {
	row, err := u.CaseGet(ctx, n.Case)
	if err != nil {
		return false, false, fmt.Errorf("reading a case: %w", err)
	}
	var inside aftersales.Case // Empty for a case of another kind, which holds no address.
	if c := CaseView(row); c.Kind == promise.CaseAfterSales {
		if inside, err = AfterSalesOf(c); err != nil {
			return false, false, err
		}
	}
	t := Taking{Step: "un" + n.Step, Action: history.NotTold, Note: "无法通知客户，请另行联系：" + n.Words, Tell: n.Tell}
	if mailed = n.Mails && inside.Application.Contact.Email != ""; mailed {
		t = Taking{Step: "mail/" + n.Step, Action: history.Told, Note: "平台消息无法送达，改发邮件通知客户"}
	}
	now, fresh, err := u.NoteCase(ctx, n.Case, t)
	if err != nil || !fresh || !mailed {
		return mailed, fresh, err
	}
	in := letter(now, &inside, n)
	return true, true, u.StartWorkflow(ctx, in.ID, promise.MailWorkflow, in)
}

// letter is the mail that tells the customer. Its subject is read on locked screens and in servers' logs.
func letter(c Case, inside *aftersales.Case, n Untold) promise.MailInput {
	about := inside.Application.Title() + " " + inside.Application.MaskedOrder()
	return promise.MailInput{
		ID: promise.MailID(c.ID, n.Step), Case: c.ID, Step: n.Step, SkillGroup: c.SkillGroup, Words: n.Words, Subject: "您的售后申请有新进展",
		Text: about + "\n\n" + n.Words + "\n\n此邮件由系统自动发出，如需帮助请在聊天窗口联系客服。\n",
	}
}
