package dataplane

import (
	"net"
	"slices"
	"strings"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/domain/mail"
	"github.com/yingda-dev/yingda/internal/domain/oncall"
)

// webhookKey is the key of the Secret that signs what the Brand's webhook is told.
const webhookKey = "key"

// CallSecrets name the Secrets by which the Brand's webhook, provider and mail server are called. Nothing waits for them, and their versions are in no
// annotation: who calls reads the files anew for each call.
func CallSecrets(brand *v1alpha1.Brand) []string {
	var names []string
	for _, m := range slices.Concat(webhookMounts(brand), providerMounts(brand), mailMounts(brand)) {
		if !slices.Contains(names, m.secret) {
			names = append(names, m.secret)
		}
	}
	return names
}

// WebhookArgs tell the router which webhooks it may call, where the key is, and whom to trust.
func WebhookArgs(brand *v1alpha1.Brand, settings Settings) []string {
	args := allowedHosts(settings)
	for _, m := range webhookMounts(brand) {
		switch m.keys[0] {
		case webhookKey:
			args = append(args, "--webhook-key-file="+m.file(webhookKey))
		case caKey:
			args = append(args, "--webhook-ca-file="+m.file(caKey))
		}
	}
	return args
}

func webhookMounts(brand *v1alpha1.Brand) []mount {
	if brand.Spec.OnCall == nil {
		return nil
	}
	var mounts []mount
	if ref := brand.Spec.OnCall.Webhook.SecretRef; ref != nil {
		mounts = append(mounts, mount{purpose: "on-call-webhook", secret: ref.Name, keys: []string{webhookKey}})
	}
	if ref := brand.Spec.OnCall.Webhook.CASecretRef; ref != nil {
		mounts = append(mounts, mount{purpose: "on-call-webhook-ca", secret: ref.Name, keys: []string{caKey}})
	}
	return mounts
}

func allowedHosts(settings Settings) []string {
	if len(settings.AllowedWebhookHosts) == 0 {
		return nil
	}
	return []string{"--allowed-webhook-hosts=" + strings.Join(settings.AllowedWebhookHosts, ",")}
}

// called are the addresses of what the workload calls on the Brand's behalf.
func (w Workload) called() []string {
	spec, hosts := w.Brand.Spec, w.Settings.AllowedWebhookHosts
	var addresses []string
	switch {
	case w.Component == Router && spec.OnCall != nil:
		addresses = calledOverHTTPS(spec.OnCall.Webhook.URL, hosts)
	case (w.Component == Workflows || w.Component == Desk) && spec.Provider != nil:
		addresses = calledOverHTTPS(spec.Provider.URL, hosts)
	}
	if w.Component == Workflows && spec.Mail != nil && mail.Allowed(spec.Mail, hosts) {
		addresses = append(addresses, mail.Server(spec.Mail))
	}
	return addresses
}

func calledOverHTTPS(address string, hosts []string) []string {
	if !oncall.Allowed(address, hosts) {
		return nil
	}
	host, err := oncall.Host(address)
	if err != nil {
		return nil
	}
	if !strings.Contains(host, ":") {
		host = net.JoinHostPort(host, "443")
	}
	return []string{host}
}
