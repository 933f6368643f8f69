package router

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/domain/oncall"
)

const (
	webhookTimeout = 5 * time.Second
	// webhookAnswer is how much of an answer is read, so that its connection ends well; nobody looks at it.
	webhookAnswer = 4 << 10
)

// The outcomes of a call of the webhook.
const (
	outcomeDelivered   = "delivered"
	outcomeRefused     = "refused"
	outcomeUnreachable = "unreachable"
	outcomeUnsigned    = "unsigned"
)

// Webhook is what a router may call on the Brand's behalf.
type Webhook struct {
	// AllowedHosts are the hosts, with a port if it is not 443, that may be called.
	AllowedHosts []string
	// KeyFile holds the key that signs; empty when the Brand names none.
	KeyFile string
}

// newCaller makes the client: it goes where it was sent and nowhere else, neither by redirects nor by way of somebody else. Nil
// trusts the system's authorities.
func newCaller(authorities *x509.CertPool) *http.Client {
	return &http.Client{
		Timeout:       webhookTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: authorities}, TLSHandshakeTimeout: webhookTimeout,
			ForceAttemptHTTP2: true, DisableKeepAlives: true, MaxResponseHeaderBytes: webhookAnswer,
		},
	}
}

// callWebhook says what came of a call. What the other side answers is in no error.
func (r *Router) callWebhook(ctx context.Context, hook yingdav1.OnCallWebhook, notice oncall.Notice) (outcome string, err error) {
	body, err := json.Marshal(notice)
	if err != nil {
		return outcomeUnsigned, fmt.Errorf("writing the call: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, hook.URL, bytes.NewReader(body))
	if err != nil {
		return outcomeUnreachable, fmt.Errorf("making the call: %w", err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "yingda")
	request.Header.Set(oncall.HeaderIdempotencyKey, notice.ID)
	if hook.SecretRef != nil {
		key, err := r.Webhook.key()
		if err != nil {
			return outcomeUnsigned, err
		}
		request.Header.Set(oncall.HeaderSignature, oncall.Sign(key, body, r.Now()))
	}
	answer, err := r.caller.Do(request)
	if err != nil {
		return outcomeUnreachable, fmt.Errorf("calling: %w", err)
	}
	defer answer.Body.Close()
	_, _ = io.CopyN(io.Discard, answer.Body, webhookAnswer) // The status has said what there is to say.
	if answer.StatusCode < http.StatusOK || answer.StatusCode >= http.StatusMultipleChoices {
		return outcomeRefused, fmt.Errorf("it answered %d", answer.StatusCode)
	}
	return outcomeDelivered, nil
}

// key is what the Secret holds now. White space around it is not part of it: editors leave it behind.
func (w Webhook) key() ([]byte, error) {
	if w.KeyFile == "" {
		return nil, errors.New("not sent: the Brand names a Secret that this replica was not started with")
	}
	key, err := os.ReadFile(w.KeyFile)
	if err != nil {
		return nil, fmt.Errorf("not sent: reading the key that signs: %w", err)
	}
	if key = bytes.TrimSpace(key); len(key) == 0 {
		return nil, errors.New("not sent: the key that signs is empty")
	}
	return key, nil
}
