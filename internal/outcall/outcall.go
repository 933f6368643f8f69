// Package outcall makes clients for what a Brand has called: over https, with authorities and keys from mounted files.
//
// It decides nothing about where a call goes: see oncall.Allowed. Invariants: a call goes where it was sent and nowhere else, neither by
// redirects nor by way of somebody else; what is in the files is read anew for each call, and in no error.
package outcall

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/tlsfiles"
)

// maxHeaders bounds the headers of an answer.
const maxHeaders = 16 << 10

// Files are by what calls are secured.
type Files struct {
	// KeyFile holds the key that signs; empty when the Brand names none.
	KeyFile string
	// CAFile holds the authorities to trust; empty when the Brand names none.
	CAFile string
}

// Client makes a client for one call. Authorities are those that the Brand names; nil trusts the system's.
func (f Files) Client(authorities *yingdav1.CredentialsReference, timeout time.Duration) (*http.Client, error) {
	if authorities != nil && f.CAFile == "" {
		return nil, errors.New("not sent: the Brand names authorities that this replica was not started with")
	}
	trust, err := tlsfiles.Files{CA: f.CAFile}.Config()
	if err != nil {
		return nil, fmt.Errorf("not sent: %w", err)
	}
	return &http.Client{
		Timeout:       timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			TLSClientConfig: trust, TLSHandshakeTimeout: timeout, ForceAttemptHTTP2: true, DisableKeepAlives: true, MaxResponseHeaderBytes: maxHeaders,
		},
	}, nil
}

// Key is what the Secret holds now. White space around it is not part of it: editors leave it behind.
func (f Files) Key() ([]byte, error) {
	if f.KeyFile == "" {
		return nil, errors.New("not sent: the Brand names a Secret that this replica was not started with")
	}
	key, err := os.ReadFile(f.KeyFile)
	if err != nil {
		return nil, fmt.Errorf("not sent: reading the key that signs: %w", err)
	}
	if key = bytes.TrimSpace(key); len(key) == 0 {
		return nil, errors.New("not sent: the key that signs is empty")
	}
	return key, nil
}
