// Package provider calls the Brand's own program, which pays, sends, and knows the orders. docs/after-sales.md is its contract.
//
// Invariants: an error of Tell or Ask says nothing of what the provider did; what the other side says is in no error.
package provider

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/domain/oncall"
	"github.com/yingda-dev/yingda/internal/outcall"
)

// Timeout bounds one call.
const Timeout = 10 * time.Second

// maxAnswer bounds what is read of an answer.
const maxAnswer = 64 << 10

// Provider is the Brand's own program.
type Provider struct {
	// URL takes orders by POST, and tells by GET what became of one, and of an order's number what it knows of it.
	URL string
	// Files hold the key that signs calls and, where the Brand names authorities, these.
	Files       outcall.Files
	Authorities *yingdav1.CredentialsReference
	Now         func() time.Time
}

// Of is the provider that a Brand declares; nil where it declares none that may be called.
func Of(brand *yingdav1.Brand, allowedHosts []string, files outcall.Files, now func() time.Time) *Provider {
	if brand == nil || brand.Spec.Provider == nil || !oncall.Allowed(brand.Spec.Provider.URL, allowedHosts) {
		return nil
	}
	return &Provider{URL: brand.Spec.Provider.URL, Files: files, Authorities: brand.Spec.Provider.CASecretRef, Now: now}
}

// Answer is what a provider says of what it was told.
type Answer struct {
	// State is done or pending.
	State     string `json:"state"`
	Reference string `json:"reference"`
	// Reason of a refusal.
	Reason string `json:"reason"`
	// Refused says that it did not and will not do it.
	Refused bool `json:"-"`
}

// Tell tells the provider what to do, under a key by which it does it once.
func (p *Provider) Tell(ctx context.Context, key string, body []byte) (Answer, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, p.URL, bytes.NewReader(body))
	if err != nil {
		return Answer{}, fmt.Errorf("making the call: %w", err)
	}
	request.Header.Set("Content-Type", "application/json")
	return p.act(request, key, body)
}

// Ask asks the provider what became of a key that it took.
func (p *Provider) Ask(ctx context.Context, key string) (Answer, error) {
	request, err := p.get(ctx, "key", key)
	if err != nil {
		return Answer{}, err
	}
	return p.act(request, key, []byte(key))
}

func (p *Provider) get(ctx context.Context, name, value string) (*http.Request, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.URL+"?"+name+"="+url.QueryEscape(value), http.NoBody)
	if err != nil {
		return nil, fmt.Errorf("making the call: %w", err)
	}
	return request, nil
}

func (p *Provider) act(request *http.Request, key string, signed []byte) (Answer, error) {
	request.Header.Set(oncall.HeaderIdempotencyKey, key)
	status, body, err := p.call(request, signed)
	if err != nil {
		return Answer{}, err
	}
	return understand(status, body)
}

// call signs and makes a call.
func (p *Provider) call(request *http.Request, signed []byte) (status int, body []byte, err error) {
	request.Header.Set("User-Agent", "yingda")
	secret, err := p.Files.Key()
	if err != nil {
		return 0, nil, err
	}
	request.Header.Set(oncall.HeaderSignature, oncall.Sign(secret, signed, p.Now()))
	client, err := p.Files.Client(p.Authorities, Timeout)
	if err != nil {
		return 0, nil, err
	}
	response, err := client.Do(request)
	if err != nil {
		return 0, nil, fmt.Errorf("calling the provider: %w", withoutURL(err))
	}
	defer response.Body.Close()
	if body, err = io.ReadAll(io.LimitReader(response.Body, maxAnswer)); err != nil {
		return 0, nil, fmt.Errorf("reading the provider's answer: %w", err)
	}
	return response.StatusCode, body, nil
}

// withoutURL is an error without what was asked for, such as an order's number.
func withoutURL(err error) error {
	if wrong, ok := errors.AsType[*url.Error](err); ok {
		return wrong.Err
	}
	return err
}

// understand reads an answer. All that is not clearly one way or the other is an error, and the call is made again.
func understand(status int, body []byte) (a Answer, err error) {
	switch {
	case status == http.StatusConflict || status == http.StatusUnprocessableEntity:
		_ = json.Unmarshal(body, &a)
		// A conflict without a reason is, of many payment systems, a key of which the first call is still under way.
		if status == http.StatusConflict && a.Reason == "" {
			return Answer{}, errors.New("the provider answered 409 without a reason")
		}
		return Answer{Refused: true, Reason: a.Reason}, nil
	case status < http.StatusOK || status >= http.StatusMultipleChoices:
		return Answer{}, fmt.Errorf("the provider answered %d", status)
	}
	if err := json.Unmarshal(body, &a); err != nil || a.State != "done" && a.State != "pending" {
		return Answer{}, fmt.Errorf("the provider answered %d without the state done or pending", status)
	}
	return a, nil
}
