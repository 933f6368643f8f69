//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"
)

const (
	pollInterval = 100 * time.Millisecond
	// soon is enough for anything that takes a second on an idle machine.
	soon = 20 * time.Second
	// cleanupLimit bounds what a test does after its own context has ended.
	cleanupLimit = time.Minute
	callLimit    = 30 * time.Second
	maxAnswer    = 32 << 20
)

// await looks again and again until what it sees is good; what it saw last explains a failure.
func await[T any](t testing.TB, what string, limit time.Duration, look func(context.Context) (T, error), good func(T) bool) T {
	t.Helper()
	seen, ok := watch(t.Context(), limit, look, good)
	if !ok {
		t.Fatalf("waited %s for: %s\nlast seen: %s", limit, what, seen)
	}
	return seen.value
}

// sight is what was seen last.
type sight[T any] struct {
	value T
	err   error
}

func (s sight[T]) String() string {
	if s.err != nil {
		return s.err.Error()
	}
	return describe(s.value)
}

// watch is await for those who go on when it was in vain.
func watch[T any](ctx context.Context, limit time.Duration, look func(context.Context) (T, error), good func(T) bool) (seen sight[T], ok bool) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	ticker := time.NewTicker(pollInterval)
	defer ticker.Stop()
	for {
		value, err := look(ctx)
		if err == nil && good(value) {
			return sight[T]{value: value}, true
		}
		// The end of the time is no news; what was seen before it is.
		if err == nil || ctx.Err() == nil {
			seen = sight[T]{value: value, err: err}
		}
		select {
		case <-ctx.Done():
			return seen, false
		case <-ticker.C:
		}
	}
}

// describe shows a value in full, for a failure's message.
func describe(value any) string {
	text, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		return fmt.Sprintf("%+v", value)
	}
	return string(text)
}

// must ends the test when a step fails.
func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// cleanly gives a cleanup a context of its own: that of the test has ended by then.
func cleanly(t testing.TB, f func(context.Context) error) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(ctx, cleanupLimit)
		defer cancel()
		if err := f(ctx); err != nil {
			t.Errorf("cleaning up: %v", err)
		}
	})
}

// statusError is an answer that is no success.
type statusError struct {
	method, url, body string
	status            int
}

func (e *statusError) Error() string {
	return fmt.Sprintf("%s %s: status %d: %s", e.method, e.url, e.status, e.body)
}

// call does one HTTP request with JSON both ways; token may be empty, in and out nil.
func call(ctx context.Context, method, url, token string, in, out any) error {
	answer, err := fetch(ctx, method, url, token, in)
	if err != nil || out == nil {
		return err
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return fmt.Errorf("reading the answer of %s %s: %w: %s", method, url, err, answer)
	}
	return nil
}

// fetch does one HTTP request and returns the body of its answer.
func fetch(ctx context.Context, method, url, token string, in any) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	body := io.Reader(http.NoBody)
	if in != nil {
		text, err := json.Marshal(in)
		if err != nil {
			return nil, fmt.Errorf("encoding a request: %w", err)
		}
		body = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, method, url, body)
	if err != nil {
		return nil, fmt.Errorf("making a request: %w", err)
	}
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	return answered(req)
}

// answered does a request and returns the body of an answer that is a success.
func answered(req *http.Request) ([]byte, error) {
	method, url := req.Method, req.URL.String()
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, fmt.Errorf("calling %s: %w", url, err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return nil, fmt.Errorf("reading the answer of %s: %w", url, err)
	}
	if resp.StatusCode >= http.StatusMultipleChoices {
		return nil, &statusError{method, url, string(bytes.TrimSpace(answer)), resp.StatusCode}
	}
	return answer, nil
}
