package dataplane

import (
	"net"
	"slices"
	"strings"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/domain/oncall"
)

// webhookKey is the key of the Secret that signs what the Brand's webhook is told.
const webhookKey = "key"

// WebhookSecrets name the Secrets by which the Brand's webhook is called. Nothing waits for them, and their versions are in no
// annotation: the router reads the files anew for each call.
func WebhookSecrets(brand *v1alpha1.Brand) []string {
	var names []string
	for _, m := range webhookMounts(brand) {
		if !slices.Contains(names, m.secret) {
			names = append(names, m.secret)
		}
	}
	return names
}

// WebhookArgs tell the router which webhooks it may call, where the key is, and whom to trust.
func WebhookArgs(brand *v1alpha1.Brand, settings Settings) []string {
	var args []string
	if len(settings.AllowedWebhookHosts) > 0 {
		args = append(args, "--allowed-webhook-hosts="+strings.Join(settings.AllowedWebhookHosts, ","))
	}
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

// callsWebhook says whether the workload calls the Brand's webhook.
func (w Workload) callsWebhook() bool {
	return w.Component == Router && w.Brand.Spec.OnCall != nil && oncall.Allowed(w.Brand.Spec.OnCall.Webhook.URL, w.Settings.AllowedWebhookHosts)
}

func webhookAddress(brand *v1alpha1.Brand) []string {
	host, err := oncall.Host(brand.Spec.OnCall.Webhook.URL)
	if err != nil {
		return nil
	}
	if !strings.Contains(host, ":") {
		host = net.JoinHostPort(host, "443")
	}
	return []string{host}
}
