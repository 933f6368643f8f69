package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/yingda-dev/yingda/connectors/wechat"
)

// pusher plays the platform's pushes: secure mode, JSON, 512 bytes of text in each message. It keeps connections open, as
// the platform does, and writes and reads them without net/http's client, whose goroutines would cost as much processor
// time as the connector does.
type pusher struct {
	*environment
	key     *wechat.Key
	run     string
	webhook *url.URL
	// idle are connections to the webhook that nobody uses now.
	idle chan *pushConn
	next atomic.Int64
}

// push is one prepared request: signing and encrypting are the platform's work and stay out of the measurement.
type push struct {
	content string
	request []byte
}

type pushConn struct {
	net.Conn
	answers *bufio.Reader
	used    time.Time
}

func newPusher(e *environment) (*pusher, error) {
	key, err := wechat.ParseKey(e.aesKey)
	if err != nil {
		return nil, fmt.Errorf("reading the key: %w", err)
	}
	var run [4]byte
	_, _ = rand.Read(run[:]) // crypto/rand's Read never fails.
	webhook, err := url.Parse(e.webhookURL)
	if err != nil {
		return nil, fmt.Errorf("reading the webhook's URL: %w", err)
	}
	return &pusher{environment: e, key: key, run: hex.EncodeToString(run[:]), webhook: webhook, idle: make(chan *pushConn, 256)}, nil
}

const (
	contentSize = 512
	// platformPatience is how long WeChat waits for an answer.
	platformPatience = 5 * time.Second
	// idleTime is well below the time after which the webhook closes a connection that nobody uses.
	idleTime = 30 * time.Second
)

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
	return push{content: content, request: request(p.webhook.Host, p.webhook.Path+"?"+query.Encode(), body)}
}

// request is a POST as it goes over the wire.
func request(host, target string, body []byte) []byte {
	head := fmt.Sprintf("POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n", target, host, len(body))
	return append([]byte(head), body...)
}

// send delivers one push; anything but "success" within the platform's 5 s is an error.
func (p *pusher) send(ctx context.Context, m push) error {
	conn, err := p.connection(ctx)
	if err != nil {
		return err
	}
	if err := conn.push(m.request); err != nil {
		return errors.Join(err, conn.Close())
	}
	select {
	case p.idle <- conn:
		return nil
	default:
		return conn.Close()
	}
}

func (p *pusher) connection(ctx context.Context) (*pushConn, error) {
	for {
		select {
		case conn := <-p.idle:
			if time.Since(conn.used) < idleTime {
				return conn, nil
			}
			_ = conn.Close() // The webhook may have closed it as well.
			continue
		default:
		}
		break
	}
	conn, err := (&net.Dialer{Timeout: platformPatience}).DialContext(ctx, "tcp", p.webhook.Host)
	if err != nil {
		return nil, fmt.Errorf("reaching the webhook: %w", err)
	}
	return &pushConn{Conn: conn, answers: bufio.NewReader(conn)}, nil
}

func (c *pushConn) push(request []byte) error {
	c.used = time.Now()
	if err := c.SetDeadline(c.used.Add(platformPatience)); err != nil {
		return fmt.Errorf("pushing: %w", err)
	}
	if _, err := c.Write(request); err != nil {
		return fmt.Errorf("pushing: %w", err)
	}
	resp, err := http.ReadResponse(c.answers, nil)
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
