package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/yingda-dev/yingda/connectors/wechat"
)

// pusher plays the platform's pushes: secure mode, JSON, 512 bytes of text in each message.
type pusher struct {
	*environment
	key    *wechat.Key
	client *http.Client
	run    string
	next   atomic.Int64
}

// push is one prepared request: signing and encrypting are the platform's work and stay out of the measurement.
type push struct {
	content string
	url     string
	body    []byte
}

func newPusher(e *environment) (*pusher, error) {
	key, err := wechat.ParseKey(e.aesKey)
	if err != nil {
		return nil, fmt.Errorf("reading the key: %w", err)
	}
	var run [4]byte
	_, _ = rand.Read(run[:]) // crypto/rand's Read never fails.
	transport := &http.Transport{MaxIdleConnsPerHost: 256, MaxConnsPerHost: 256}
	return &pusher{environment: e, key: key, run: hex.EncodeToString(run[:]), client: &http.Client{Transport: transport, Timeout: 5 * time.Second}}, nil
}

const contentSize = 512

func (p *pusher) prepare(customer string) push {
	n := p.next.Add(1)
	id := strconv.FormatInt(time.Now().UnixNano(), 10)
	content := fmt.Sprintf("bench %s %d ", p.run, n)
	content += strings.Repeat("x", contentSize-len(content))
	plain, err := json.Marshal(map[string]any{
		"ToUserName": "gh_bench", "FromUserName": customer, "CreateTime": time.Now().Unix(), "MsgType": "text", "Content": content, "MsgId": json.Number(id),
	})
	if err != nil {
		panic(err) // Strings and numbers always have a JSON form.
	}
	var random [16]byte
	_, _ = rand.Read(random[:]) // crypto/rand's Read never fails.
	encrypted := p.key.Encrypt(random, plain, p.appID)
	timestamp, nonce := strconv.FormatInt(time.Now().Unix(), 10), strconv.FormatInt(n, 10)
	query := url.Values{
		"timestamp": {timestamp}, "nonce": {nonce}, "openid": {customer}, "encrypt_type": {"aes"},
		"signature": {wechat.Sign(p.token, timestamp, nonce)}, "msg_signature": {wechat.Sign(p.token, timestamp, nonce, encrypted)},
	}
	body, err := json.Marshal(map[string]string{"ToUserName": "gh_bench", "Encrypt": encrypted})
	if err != nil {
		panic(err) // Strings always have a JSON form.
	}
	return push{content: content, url: p.webhookURL + "?" + query.Encode(), body: body}
}

// send delivers one push; anything but "success" is an error.
func (p *pusher) send(ctx context.Context, m push) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, m.url, bytes.NewReader(m.body))
	if err != nil {
		return fmt.Errorf("making a push: %w", err)
	}
	resp, err := p.client.Do(req)
	if err != nil {
		return fmt.Errorf("pushing: %w", err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK || string(answer) != "success" {
		return fmt.Errorf("pushing: status %d, answer %q, %w", resp.StatusCode, answer, err)
	}
	return nil
}
