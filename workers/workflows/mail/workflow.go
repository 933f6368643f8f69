// Package mail is the workflow that writes one e-mail to a case's customer.
//
//	Send --> taken
//	  |  ^ the server wants it later, or cannot be reached: again, for a day
//	  +--> refused, or too late: Undelivered, in the case's history and at the desks of its group
//
// It decides nothing about what is told, nor by what means: see aftersales. Invariants: each try is the same mail, by its Message-ID; a
// customer whose address was erased is not written to; what a server answers is told to nobody, for it may quote the customer.
//
// SMTP cannot promise that a mail arrives once: a server that took it and was cut off before it could say so gets it again.
package mail

import (
	"errors"

	sdk "go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/yingda-dev/yingda/internal/promise"
	"github.com/yingda-dev/yingda/internal/temporal"
)

// kind is by what people find mails in Temporal.
const kind = "mail"

// Workflow writes one mail; its type is promise.MailWorkflow.
func Workflow(ctx workflow.Context, input promise.MailInput) (promise.MailStatus, error) {
	if err := (temporal.Attributes{Brand: promise.BrandOf(input.ID), Kind: kind}).Upsert(ctx); err != nil {
		return promise.MailStatus{}, err
	}
	err := send(ctx, input)
	var failed *sdk.ApplicationError
	switch {
	case err == nil:
		return promise.MailStatus{Taken: true}, nil
	case errors.As(err, &failed) && failed.Type() == errorGone:
		return promise.MailStatus{}, nil
	}
	// Also where the workflow was cancelled: the customer does not know.
	detached, _ := workflow.NewDisconnectedContext(ctx)
	return promise.MailStatus{}, undelivered(detached, input)
}
