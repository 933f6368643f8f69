package main

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/yingda-dev/yingda/internal/catalog"
	"github.com/yingda-dev/yingda/internal/domain/oncall"
	"github.com/yingda-dev/yingda/internal/outcall"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/workers/workflows/aftersales"
)

// providerFlags say how the Brand's provider may be called.
type providerFlags struct {
	allowedHosts []string
	files        outcall.Files
}

func (f *providerFlags) bind(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringSliceVar(&f.allowedHosts, "allowed-webhook-hosts", nil, "hosts, with a port if it is not 443, of the provider that pays and sends; none refuses any")
	flags.StringVar(&f.files.KeyFile, "provider-key-file", "", "file with the key that signs what the provider is told; it is read anew for each call")
	flags.StringVar(&f.files.CAFile, "provider-ca-file", "", "file with the authorities that signed the provider's certificate; empty for the system's; it is read anew for each call")
}

// afterSalesActivities are the steps of after-sales cases.
func afterSalesActivities(p *process, database *store.Store, answers directory, f providerFlags) *aftersales.Activities {
	return &aftersales.Activities{
		Store: database, Directory: answers, Provider: func() *aftersales.Provider { return f.of(answers.view.Snapshot()) },
		Events: p.names().Events(), Source: "/" + p.namespace + "/" + p.brand + "/workflows", Now: time.Now,
		Logger: p.logger, Metrics: aftersales.NewMetrics(p.registry),
	}
}

// of is the Brand's provider; nil where it declares none that may be called.
func (f *providerFlags) of(snapshot *catalog.Snapshot) *aftersales.Provider {
	if snapshot.Brand == nil || snapshot.Brand.Spec.Provider == nil || !oncall.Allowed(snapshot.Brand.Spec.Provider.URL, f.allowedHosts) {
		return nil
	}
	declared := snapshot.Brand.Spec.Provider
	return &aftersales.Provider{URL: declared.URL, Files: f.files, Authorities: declared.CASecretRef, Now: time.Now}
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
