package main

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/yingda-dev/yingda/internal/catalog"
	"github.com/yingda-dev/yingda/internal/mailer"
	"github.com/yingda-dev/yingda/internal/outcall"
	"github.com/yingda-dev/yingda/internal/provider"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/workers/workflows/aftersales"
)

// callFlags say how the Brand's provider and its mail server may be called.
type callFlags struct {
	allowedHosts []string
	provider     outcall.Files
	mail         mailer.Files
}

func (f *callFlags) bindProvider(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringSliceVar(&f.allowedHosts, "allowed-webhook-hosts", nil,
		"hosts, with a port if it is not 443, of the provider that pays and sends and of the mail server; none refuses any")
	flags.StringVar(&f.provider.KeyFile, "provider-key-file", "", "file with the key that signs what the provider is told; it is read anew for each call")
	flags.StringVar(&f.provider.CAFile, "provider-ca-file", "", "file with the authorities that signed the provider's certificate; empty for the system's; it is read anew for each call")
}

func (f *callFlags) bindMail(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.mail.UsernameFile, "mail-username-file", "", "file with the name by which the mail server is signed in to; it is read anew for each mail")
	flags.StringVar(&f.mail.PasswordFile, "mail-password-file", "", "file with the password by which the mail server is signed in to; it is read anew for each mail")
	flags.StringVar(&f.mail.CAFile, "mail-ca-file", "",
		"file with the authorities that signed the mail server's certificate; empty for the system's; it is read anew for each mail")
}

// afterSalesActivities are the steps of after-sales cases.
func afterSalesActivities(p *process, database *store.Store, answers directory, f callFlags) *aftersales.Activities {
	return &aftersales.Activities{
		Store: database, Directory: answers, Provider: func() *provider.Provider { return f.providerOf(answers.view.Snapshot()) },
		Mails:  func() bool { return f.mailServerOf(answers.view.Snapshot()) != nil },
		Events: p.names().Events(), Source: "/" + p.namespace + "/" + p.brand + "/workflows", Now: time.Now,
		Logger: p.logger, Metrics: aftersales.NewMetrics(p.registry),
	}
}

// providerOf is the Brand's provider; nil where it declares none that may be called.
func (f *callFlags) providerOf(snapshot *catalog.Snapshot) *provider.Provider {
	return provider.Of(snapshot.Brand, f.allowedHosts, f.provider, time.Now)
}

func (d directory) HasNotice(channel, name string) bool {
	c, known := d.view.Snapshot().Channel(channel)
	return known && c.HasNotice(name)
}

func (d directory) Due(name string, since time.Time, within time.Duration) (time.Time, bool) {
	group, _ := d.view.Snapshot().Group(name)
	due := group.Due(since, within)
	if due == nil {
		return time.Time{}, false
	}
	return *due, true
}

func (d directory) WorkingDays(name string, since time.Time, n int) time.Time {
	group, _ := d.view.Snapshot().Group(name)
	return group.WorkingDays(since, n)
}
