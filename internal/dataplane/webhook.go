package dataplane

import (
	"net"
	"strings"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/domain/oncall"
)

// webhookKey is the key of the Secret that signs what the Brand's webhook is told.
const webhookKey = "key"

// WebhookSecret names the Secret that signs what the Brand's webhook is told; empty when nothing does. Nothing waits for it, and
// its version is in no annotation: the router reads the file anew for each call.
func WebhookSecret(brand *v1alpha1.Brand) string {
	if brand.Spec.OnCall != nil && brand.Spec.OnCall.Webhook.SecretRef != nil {
		return brand.Spec.OnCall.Webhook.SecretRef.Name
	}
	return ""
}

// WebhookArgs tell the router which webhooks it may call, and where the key is.
func WebhookArgs(brand *v1alpha1.Brand, settings Settings) []string {
	var args []string
	if len(settings.AllowedWebhookHosts) > 0 {
		args = append(args, "--allowed-webhook-hosts="+strings.Join(settings.AllowedWebhookHosts, ","))
	}
	for _, m := range webhookMounts(brand) {
		args = append(args, "--webhook-key-file="+m.file(webhookKey))
	}
	return args
}

func webhookMounts(brand *v1alpha1.Brand) []mount {
	if name := WebhookSecret(brand); name != "" {
		return []mount{{purpose: "on-call-webhook", secret: name, keys: []string{webhookKey}}}
	}
	return nil
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
