package router

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/configz"
	"github.com/yingda-dev/yingda/internal/domain/oncall"
	"github.com/yingda-dev/yingda/internal/outcall"
)

const (
	webhookTimeout = 5 * time.Second
	// webhookAnswer is how much of an answer is read, so that its connection ends well; nobody looks at it.
	webhookAnswer = 4 << 10
)

// Webhook is what a router may call on the Brand's behalf.
type Webhook struct {
	// AllowedHosts are the hosts, with a port if it is not 443, that may be called.
	AllowedHosts []string
	outcall.Files
}

// callWebhook says what came of a call, and with what status it was refused. What the other side answers is in no error.
func (r *Router) callWebhook(ctx context.Context, hook yingdav1.OnCallWebhook, notice oncall.Notice) (outcome configz.CallOutcome, code int32, err error) {
	body, err := json.Marshal(notice)
	if err != nil {
		return configz.CallUnsigned, 0, fmt.Errorf("writing the call: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, hook.URL, bytes.NewReader(body))
	if err != nil {
		return configz.CallUnreachable, 0, fmt.Errorf("making the call: %w", err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "yingda")
	request.Header.Set(oncall.HeaderIdempotencyKey, notice.ID)
	if hook.SecretRef != nil {
		key, err := r.Webhook.Key()
		if err != nil {
			return configz.CallUnsigned, 0, err
		}
		request.Header.Set(oncall.HeaderSignature, oncall.Sign(key, body, r.Now()))
	}
	caller, err := r.Webhook.Client(hook.CASecretRef, webhookTimeout)
	if err != nil {
		return configz.CallUntrusted, 0, err
	}
	answer, err := caller.Do(request)
	if _, untrusted := errors.AsType[*tls.CertificateVerificationError](err); untrusted {
		return configz.CallUntrusted, 0, fmt.Errorf("calling: %w", err)
	}
	if err != nil {
		return configz.CallUnreachable, 0, fmt.Errorf("calling: %w", err)
	}
	defer answer.Body.Close()
	_, _ = io.CopyN(io.Discard, answer.Body, webhookAnswer) // The status has said what there is to say.
	if answer.StatusCode < http.StatusOK || answer.StatusCode >= http.StatusMultipleChoices {
		return configz.CallRefused, int32(answer.StatusCode), fmt.Errorf("it answered %d", answer.StatusCode) //nolint:gosec // Three digits.
	}
	return configz.CallDelivered, 0, nil
}
