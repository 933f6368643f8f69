package main

import (
	"cmp"
	"time"

	"github.com/yingda-dev/yingda/internal/catalog"
	rules "github.com/yingda-dev/yingda/internal/domain/mail"
	"github.com/yingda-dev/yingda/internal/mailer"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/workers/workflows/mail"
)

// mailActivities are the steps of e-mails to customers.
func mailActivities(p *process, database *store.Store, answers directory, f callFlags) *mail.Activities {
	return &mail.Activities{
		Store: database, Server: func() *mailer.Server { return f.mailServerOf(answers.view.Snapshot()) }, GroupAgents: answers.GroupAgents,
		Events: p.names().Events(), Source: "/" + p.namespace + "/" + p.brand + "/workflows", Now: time.Now,
		Logger: p.logger, Metrics: mail.NewMetrics(p.registry),
	}
}

// mailServerOf is the Brand's mail server; nil where it declares none that may be called.
func (f *callFlags) mailServerOf(snapshot *catalog.Snapshot) *mailer.Server {
	if snapshot.Brand == nil || snapshot.Brand.Spec.Mail == nil || !rules.Allowed(snapshot.Brand.Spec.Mail, f.allowedHosts) {
		return nil
	}
	declared := snapshot.Brand.Spec.Mail
	return &mailer.Server{
		Declared: *declared, Name: cmp.Or(declared.DisplayName, snapshot.Brand.Spec.DisplayName), Files: f.mail, Now: time.Now,
	}
}
