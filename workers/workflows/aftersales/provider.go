package aftersales

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
	rules "github.com/yingda-dev/yingda/internal/domain/aftersales"
	"github.com/yingda-dev/yingda/internal/domain/oncall"
	"github.com/yingda-dev/yingda/internal/outcall"
)

const (
	callTimeout = 10 * time.Second
	// maxAnswer bounds what is read of an answer.
	maxAnswer = 64 << 10
)

// Provider is the Brand's own program that pays, sends and claims. docs/after-sales.md is its contract.
type Provider struct {
	// URL takes orders by POST, and tells by GET what became of one.
	URL string
	// Files hold the key that signs calls and, where the Brand names authorities, these.
	Files       outcall.Files
	Authorities *yingdav1.CredentialsReference
	Now         func() time.Time
}

// Order is what a provider is told, as JSON: the same bytes each time.
type Order struct {
	// Key is that of the header Idempotency-Key.
	Key       string          `json:"key"`
	Operation rules.Operation `json:"operation"`
	// Case is the case's id, Kind and Reason the application's.
	Case   string       `json:"case"`
	Kind   rules.Kind   `json:"kind"`
	Reason rules.Reason `json:"reason"`
	// Order is the order's number.
	Order string `json:"order"`
	// Amount in fen of refund and reversal, Currency CNY.
	Amount   int64  `json:"amount,omitempty"`
	Currency string `json:"currency,omitempty"`
	// Items of a shipment; empty for what the order's case is about as a whole.
	Items []rules.Item `json:"items,omitempty"`
	// Refund is the reference of the refund that a reversal takes back.
	Refund string `json:"refund,omitempty"`
	// Tracking is that of the parcel in which the goods of a claim came back.
	Tracking string `json:"tracking,omitempty"`
}

// answer is what a provider says.
type answer struct {
	// State is done or pending.
	State     string `json:"state"`
	Reference string `json:"reference"`
	// Reason of a refusal.
	Reason string `json:"reason"`
	// refused says that it did not and will not do it.
	refused bool
}

// order tells the provider what to do. An error says nothing of what it did.
func (p *Provider) order(ctx context.Context, key string, body []byte) (answer, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, p.URL, bytes.NewReader(body))
	if err != nil {
		return answer{}, fmt.Errorf("making the call: %w", err)
	}
	request.Header.Set("Content-Type", "application/json")
	return p.call(request, key, body)
}

// ask asks the provider what became of a key that it took.
func (p *Provider) ask(ctx context.Context, key string) (answer, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.URL+"?key="+url.QueryEscape(key), http.NoBody)
	if err != nil {
		return answer{}, fmt.Errorf("making the call: %w", err)
	}
	return p.call(request, key, []byte(key))
}

// call signs and makes a call. What the other side says is in no error.
func (p *Provider) call(request *http.Request, key string, signed []byte) (answer, error) {
	request.Header.Set("User-Agent", "yingda")
	request.Header.Set(oncall.HeaderIdempotencyKey, key)
	secret, err := p.Files.Key()
	if err != nil {
		return answer{}, err
	}
	request.Header.Set(oncall.HeaderSignature, oncall.Sign(secret, signed, p.Now()))
	client, err := p.Files.Client(p.Authorities, callTimeout)
	if err != nil {
		return answer{}, err
	}
	response, err := client.Do(request)
	if err != nil {
		return answer{}, fmt.Errorf("calling the provider: %w", err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return answer{}, fmt.Errorf("reading the provider's answer: %w", err)
	}
	return understand(response.StatusCode, body)
}

// understand reads an answer. All that is not clearly one way or the other is an error, and the call is made again.
func understand(status int, body []byte) (a answer, err error) {
	switch {
	case status == http.StatusConflict || status == http.StatusUnprocessableEntity:
		_ = json.Unmarshal(body, &a) // A refusal without a reason is one, too.
		return answer{refused: true, Reason: a.Reason}, nil
	case status < http.StatusOK || status >= http.StatusMultipleChoices:
		return answer{}, fmt.Errorf("the provider answered %d", status)
	}
	if err := json.Unmarshal(body, &a); err != nil || a.State != "done" && a.State != "pending" {
		return answer{}, fmt.Errorf("the provider answered %d without the state done or pending", status)
	}
	return a, nil
}
