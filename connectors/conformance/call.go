package conformance

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"

	"github.com/yingda-dev/yingda/connectors/conformance/world"
)

// Post makes a BadCall with that body.
func Post(ctx context.Context, url, body string) (Answer, error) {
	return post(ctx, url, strings.NewReader(body))
}

// PostEndlessly makes a BadCall whose body is text again and again, until it is answered.
func PostEndlessly(ctx context.Context, url, text string) (Answer, error) {
	return post(ctx, url, &endless{text: text})
}

func post(ctx context.Context, url string, body io.Reader) (Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, world.Patience)
	defer cancel()
	var sent atomic.Int64
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, io.TeeReader(body, counter{&sent}))
	if err != nil {
		return Answer{}, fmt.Errorf("making a call: %w", err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return Answer{}, fmt.Errorf("calling: %w", err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		return Answer{}, fmt.Errorf("reading an answer: %w", err)
	}
	return Answer{Refused: res.StatusCode >= 400 && res.StatusCode < 500, Text: string(text), Sent: sent.Load()}, nil
}

// endless is a text again and again.
type endless struct {
	text string
	at   int
}

func (e *endless) Read(p []byte) (int, error) {
	n := copy(p, e.text[e.at:])
	e.at = (e.at + n) % len(e.text)
	return n, nil
}

// counter counts what is written to it.
type counter struct{ n *atomic.Int64 }

func (c counter) Write(p []byte) (int, error) {
	c.n.Add(int64(len(p)))
	return len(p), nil
}
