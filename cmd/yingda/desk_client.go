package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/spf13/cobra"
)

const (
	deskTimeout = 20 * time.Second
	// deskAnswer is the largest answer of a desk that is read.
	deskAnswer = 32 << 20
)

// deskClient asks a desk's API as an agent.
type deskClient struct {
	address   string
	tokenFile string
}

func (c *deskClient) bind(cmd *cobra.Command) {
	cmd.PersistentFlags().StringVar(&c.address, "desk", "", "address of the brand's desk, such as https://desk.example (default DESK_URL)")
	cmd.PersistentFlags().StringVar(&c.tokenFile, "token-file", "", "file with the trial token of the agent who asks (default YINGDA_TOKEN, the token itself)")
}

// get asks for a path and decodes the answer. Its errors say what to do.
func (c *deskClient) get(ctx context.Context, path string, answer any) error {
	address := strings.TrimSuffix(cmp.Or(c.address, os.Getenv("DESK_URL")), "/")
	if address == "" {
		return fmt.Errorf("say where the desk is: --desk URL or DESK_URL; kubectl get brands shows it")
	}
	if u, err := url.Parse(address); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return fmt.Errorf("--desk is an address such as https://desk.example, not %s", address)
	}
	token, err := readToken(c.tokenFile)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, deskTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address+path, http.NoBody) //nolint:gosec // Whoever runs the command says where the desk is.
	if err != nil {
		return fmt.Errorf("asking the desk: %w", err)
	}
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := http.DefaultClient.Do(request) //nolint:gosec // As above.
	if err != nil {
		return fmt.Errorf("reaching the desk: %w; is --desk right, and can it be reached from here? (kubectl port-forward service/<brand>-desk 8080)", err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, deskAnswer))
	if err != nil {
		return fmt.Errorf("reading the desk's answer: %w", err)
	}
	if response.StatusCode != http.StatusOK {
		return refusedByDesk(address, response.StatusCode, body)
	}
	if err := json.Unmarshal(body, answer); err != nil {
		return fmt.Errorf("reading the desk's answer: %w; is %s a desk of this version?", err, address)
	}
	return nil
}

// refusedByDesk says why the desk refused, and what to do where that is known.
func refusedByDesk(address string, status int, body []byte) error {
	var problem huma.ErrorModel
	_ = json.Unmarshal(body, &problem) // What is no problem was not said by a desk: the status is all there is.
	switch status {
	case http.StatusUnauthorized:
		return fmt.Errorf("the desk knows no agent with this token: read it anew from the Secret <agent>-trial-token")
	case http.StatusTooManyRequests:
		return fmt.Errorf("the desk was given too many wrong tokens: wait a little")
	case http.StatusNotFound:
		if problem.Detail == "" {
			return fmt.Errorf("there is no desk at %s: check --desk", address)
		}
		return fmt.Errorf("there is no such case, or the agent may not see it: yingda case list shows those that they may")
	default:
		return fmt.Errorf("the desk answered %d: %s", status, cmp.Or(problem.Detail, http.StatusText(status)))
	}
}
