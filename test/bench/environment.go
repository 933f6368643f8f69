package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"time"
)

const (
	namespace = "lumi"
	brand     = "lumi"
	// channel is a mini-program's, official an official account's.
	channel  = "shop"
	official = "service"
	agent    = "xiaomei"
)

// environment is the running stack, as .run/env and the cluster describe it.
type environment struct {
	kubeconfig, deskURL, brokers, kafka string
	tracesURL, databaseURL              string
	shop, service                       account
	agentToken                          string
}

// account is what the platform knows of a Channel.
type account struct{ webhookURL, appID, token, aesKey string }

func loadEnvironment(ctx context.Context) (*environment, error) {
	text, err := os.ReadFile(".run/env")
	if err != nil {
		return nil, fmt.Errorf("reading .run/env: %w (run make up, and this from the root of the checkout)", err)
	}
	values := map[string]string{}
	for line := range strings.Lines(string(text)) {
		key, value, _ := strings.Cut(strings.TrimPrefix(strings.TrimSpace(line), "export "), "=")
		values[key] = strings.Trim(value, "'")
	}
	e := &environment{kubeconfig: values["KUBECONFIG"], deskURL: values["DESK_URL"], brokers: values["KAFKA_BROKERS"], kafka: values["KAFKA"], tracesURL: values["TRACES_URL"], databaseURL: values["DATABASE_URL"]}
	for _, field := range []struct {
		into         *string
		object, path string
		secret       bool
	}{
		{&e.shop.webhookURL, "channel/" + channel, "{.status.webhookURL}", false},
		{&e.shop.appID, "channel/" + channel, "{.spec.miniProgram.appID}", false},
		{&e.shop.token, "secret/shop-wechat", "{.data.token}", true},
		{&e.shop.aesKey, "secret/shop-wechat", "{.data.encodingAESKey}", true},
		{&e.service.webhookURL, "channel/" + official, "{.status.webhookURL}", false},
		{&e.service.appID, "channel/" + official, "{.spec.officialAccount.appID}", false},
		{&e.service.token, "secret/service-wechat", "{.data.token}", true},
		{&e.service.aesKey, "secret/service-wechat", "{.data.encodingAESKey}", true},
		{&e.agentToken, "secret/" + agent + "-trial-token", "{.data.token}", true},
	} {
		value, err := e.kubectl(ctx, "get", field.object, "-o", "jsonpath="+field.path)
		if err != nil {
			return nil, err
		}
		if field.secret {
			plain, err := base64.StdEncoding.DecodeString(value)
			if err != nil {
				return nil, fmt.Errorf("decoding %s: %w", field.object, err)
			}
			value = string(plain)
		}
		*field.into = value
	}
	return e, nil
}

func (e *environment) kubectl(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "bin/k8s/kubectl", append([]string{"-n", namespace}, args...)...)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+e.kubeconfig)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("running kubectl %s: %w: %s", args[0], err, stderr.String())
	}
	return stdout.String(), nil
}

// desk calls the workbench's API as the agent.
func (e *environment) desk(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader = http.NoBody
	if in != nil {
		text, err := json.Marshal(in)
		if err != nil {
			return fmt.Errorf("encoding a request: %w", err)
		}
		body = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, method, e.deskURL+path, body)
	if err != nil {
		return fmt.Errorf("making a request: %w", err)
	}
	req.Header.Set("Authorization", "Bearer "+e.agentToken)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("calling the desk: %w", err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return fmt.Errorf("reading the desk's answer: %w", err)
	}
	if resp.StatusCode >= http.StatusBadRequest {
		return fmt.Errorf("calling the desk: %s %s: status %d: %s", method, path, resp.StatusCode, answer)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(answer, out)
}

// await asks until done says yes.
func await(ctx context.Context, what string, limit time.Duration, done func() (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	for {
		ok, err := done()
		if ok || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return errors.New("waited in vain for " + what)
		case <-ticker.C:
		}
	}
}
