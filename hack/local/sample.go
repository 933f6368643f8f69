package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"
)

const (
	sampleChannel  = "shop"
	sampleAgent    = "xiaomei"
	sampleCustomer = "o-first-customer"
	simulatorApps  = simulatorURL + "/sim/v1/apps"
	playDeadline   = 60 * time.Second
)

// sample is the sample brand as it runs.
type sample struct {
	kafka, deskURL, webhookURL, token string
	app                               simulatorApp
}

// getter reads fields of a namespace's objects; after the first error it reads nothing more.
type getter struct {
	ctx       context.Context //nolint:containedctx // It lives for one function.
	l         *local
	namespace string
	err       error
}

func (g *getter) text(object, path string) string {
	if g.err != nil {
		return ""
	}
	var text string
	text, g.err = g.l.kubectl(g.ctx, "-n", g.namespace, "get", object, "-o", "jsonpath="+path)
	return text
}

func (g *getter) secret(name, key string) string {
	plain, err := base64.StdEncoding.DecodeString(g.text("secret/"+name, "{.data."+key+"}"))
	if g.err == nil {
		g.err = err
	}
	return string(plain)
}

// find asks the cluster where the sample's parts are.
func (s *sample) find(ctx context.Context, l *local) error {
	g := &getter{ctx: ctx, l: l, namespace: sampleBrand}
	s.deskURL = g.text("brand/"+sampleBrand, "{.status.deskURL}")
	s.webhookURL = g.text("channel/"+sampleChannel, "{.status.webhookURL}")
	s.token = g.secret(sampleAgent+"-trial-token", "token")
	return g.err
}

// play lets a customer write, the agent answer, and the customer read it, then ends the conversation. The texts of each run
// are its own, so that nothing of an earlier run is taken for this one's.
func (s *sample) play(ctx context.Context, l *local) error {
	ctx, cancel := context.WithTimeout(ctx, playDeadline)
	defer cancel()
	order := time.Now().Format("20060102150405")
	question, answer := "你好,订单 "+order+" 什么时候发货?", "您好,订单 "+order+" 会在 48 小时内发货。"
	if err := call(ctx, http.MethodPut, s.deskURL+"/api/duty", s.token, map[string]bool{"onDuty": true}, nil); err != nil {
		return err
	}
	if busy, err := s.busy(ctx); err != nil {
		return err
	} else if busy {
		l.step("  %s is full with conversations of before, so it is left out: close some at the workbench", sampleAgent)
		return nil
	}
	if err := call(ctx, http.MethodPost, s.customer()+"/messages", "", map[string]string{"content": question}, nil); err != nil {
		return err
	}
	l.step("  customer: %s", question)
	conversation, err := s.awaitQuestion(ctx, question)
	if err != nil {
		return err
	}
	l.step("  the conversation is with %s", sampleAgent)
	say := map[string]any{"key": newKey(), "content": map[string]string{"kind": "text", "text": answer}}
	if err := call(ctx, http.MethodPost, conversation+"/messages", s.token, say, nil); err != nil {
		return err
	}
	if err := s.awaitAnswer(ctx, answer); err != nil {
		return err
	}
	l.step("  the customer reads: %s", answer)
	return call(ctx, http.MethodPost, conversation+"/close", s.token, nil, nil)
}

// busy says that the agent would be given nothing new.
func (s *sample) busy(ctx context.Context) (bool, error) {
	var me struct {
		Capacity int `json:"capacity"`
		Used     int `json:"used"`
	}
	err := call(ctx, http.MethodGet, s.deskURL+"/api/me", s.token, nil, &me)
	return me.Used >= me.Capacity, err
}

func (s *sample) platformApp() string { return simulatorApps + "/" + s.app.AppID }
func (s *sample) customer() string    { return s.platformApp() + "/customers/" + sampleCustomer }

// awaitQuestion waits until the agent's desk shows the very message, and returns its conversation's URL.
func (s *sample) awaitQuestion(ctx context.Context, question string) (string, error) {
	for {
		conversation, err := s.findQuestion(ctx, question)
		if conversation != "" || err != nil && ctx.Err() == nil {
			return conversation, err
		}
		select {
		case <-ctx.Done():
			return "", fmt.Errorf("the message did not reach %s's desk in time: bin/k8s/kubectl -n %s get yingda,pods shows why", sampleAgent, sampleBrand)
		case <-time.After(pollInterval):
		}
	}
}

// findQuestion looks through what is with the agent; the URL is empty when the message is not there.
func (s *sample) findQuestion(ctx context.Context, question string) (string, error) {
	var list struct {
		Conversations []struct {
			ID       string `json:"id"`
			Customer string `json:"customer"`
		} `json:"conversations"`
	}
	if err := call(ctx, http.MethodGet, s.deskURL+"/api/conversations?state=assigned&mine=true", s.token, nil, &list); err != nil {
		return "", err
	}
	for _, c := range list.Conversations {
		if c.Customer != sampleCustomer {
			continue
		}
		url := s.deskURL + "/api/conversations/" + c.ID
		var transcript struct {
			Messages []struct {
				Content struct {
					Text string `json:"text"`
				} `json:"content"`
			} `json:"messages"`
		}
		if err := call(ctx, http.MethodGet, url, s.token, nil, &transcript); err != nil {
			return "", err
		}
		for _, m := range transcript.Messages {
			if m.Content.Text == question {
				return url, nil
			}
		}
	}
	return "", nil
}

// awaitAnswer waits until the customer's phone shows the very message.
func (s *sample) awaitAnswer(ctx context.Context, answer string) error {
	for seen := 0; ; {
		var received struct {
			Messages []struct {
				N    int    `json:"n"`
				Text string `json:"text"`
			} `json:"messages"`
		}
		if err := call(ctx, http.MethodGet, fmt.Sprintf("%s/received?after=%d&wait=10s", s.customer(), seen), "", nil, &received); err != nil {
			return fmt.Errorf("waiting for the answer to reach the customer: %w", err)
		}
		for _, m := range received.Messages {
			seen = max(seen, m.N)
			if m.Text == answer {
				return nil
			}
		}
	}
}

// explain prints what runs where and what to try next.
func (s *sample) explain(l *local) {
	fmt.Printf(`
Workbench        %s
  sign in as     %s, token %s
WeChat simulator http://%s      (write as a customer)
Temporal's UI    http://%s
Traces           http://%s      (where each message spends its time)
Kafka            %s (%s)
Webhook          %s
Kubernetes       export KUBECONFIG=%s
Everything       source .run/env

Try next:
  bin/k8s/kubectl get yingda -n %s
  bin/k8s/kubectl -n %s patch servicelevel standard --type merge -p '{"spec":{"complaint":{"ladder":[{"after":"10s","notify":"Supervisor"}]}}}'
  curl http://%s/sim/v1/apps/%s/customers/o-you/messages -d '{"content":"我要投诉"}'
  # after 10 s the supervisor sees it: sign in as laozhang, with the token in Secret laozhang-trial-token
  make brand BRAND=qiming      # a second brand, from one folder of YAML
  make down
`, s.deskURL, sampleAgent, s.token, simulator, temporalUI, tracesPage, kafkaAddress, s.kafka, s.webhookURL, l.cluster.kubeconfig,
		sampleBrand, sampleBrand, simulator, s.app.AppID)
}

// call does one HTTP request with JSON both ways; an answer of 400 or more is an error that quotes it.
func call(ctx context.Context, method, url, token string, in, out any) error {
	var body io.Reader = http.NoBody
	if in != nil {
		text, err := json.Marshal(in)
		if err != nil {
			return fmt.Errorf("encoding a request: %w", err)
		}
		body = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, method, url, body)
	if err != nil {
		return fmt.Errorf("making a request: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("calling %s: %w", url, err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return fmt.Errorf("reading the answer of %s: %w", url, err)
	}
	if resp.StatusCode >= http.StatusBadRequest {
		return fmt.Errorf("calling %s: status %d: %s", url, resp.StatusCode, answer)
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return fmt.Errorf("reading the answer of %s: %w", url, err)
	}
	return nil
}

func fileDigest(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("opening %s: %w", path, err)
	}
	defer func() { _ = f.Close() }()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", fmt.Errorf("reading %s: %w", path, err)
	}
	return hex.EncodeToString(h.Sum(nil))[:16], nil
}

// newKey is a random idempotency key: running make up again sends a new answer.
func newKey() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // crypto/rand's Read never fails.
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
