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

// pusher plays the platform's pushes: secure mode, 512 bytes of text in each message. It keeps connections open, as
// the platform does, and writes and reads them without net/http's client, whose goroutines would cost as much processor
// time as the connector does.
type pusher struct {
	account
	dialect
	key     *wechat.Key
	run     string
	webhook *url.URL
	// idle are connections to the webhook that nobody uses now.
	idle chan *pushConn
	next atomic.Int64
}

// dialect is how a kind of account is pushed to.
type dialect struct {
	// words start every text.
	words string
	// message is a text of a customer, envelope what goes over the wire when it is encrypted.
	message  func(customer, content, id string) ([]byte, error)
	envelope func(encrypted string) ([]byte, error)
	// due says whether an answer is the one that the platform should get.
	due func(answer string) bool
}

// miniProgram has JSON, and everything is answered later.
func miniProgram() dialect {
	return dialect{
		words: "bench",
		message: func(customer, content, id string) ([]byte, error) {
			return json.Marshal(map[string]any{
				"ToUserName": "gh_bench", "FromUserName": customer, "CreateTime": time.Now().Unix(), "MsgType": "text", "Content": content, "MsgId": json.Number(id),
			})
		},
		envelope: func(encrypted string) ([]byte, error) {
			return json.Marshal(map[string]string{"ToUserName": "gh_bench", "Encrypt": encrypted})
		},
		due: func(answer string) bool { return answer == "success" },
	}
}

// officialAccount has XML, and a question that a rule of the sample's Playbook answers at once.
func officialAccount() dialect {
	return dialect{
		words: "运费",
		message: func(customer, content, id string) ([]byte, error) {
			return fmt.Appendf(nil, "<xml><ToUserName>gh_bench</ToUserName><FromUserName>%s</FromUserName><CreateTime>%d</CreateTime>"+
				"<MsgType>text</MsgType><Content>%s</Content><MsgId>%s</MsgId></xml>", customer, time.Now().Unix(), content, id), nil
		},
		envelope: func(encrypted string) ([]byte, error) {
			return fmt.Appendf(nil, "<xml><ToUserName>gh_bench</ToUserName><Encrypt>%s</Encrypt></xml>", encrypted), nil
		},
		due: func(answer string) bool { return strings.Contains(answer, "<Encrypt>") },
	}
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

func newPusher(to account, speaks dialect) (*pusher, error) {
	key, err := wechat.ParseKey(to.aesKey)
	if err != nil {
		return nil, fmt.Errorf("reading the key: %w", err)
	}
	var run [4]byte
	_, _ = rand.Read(run[:]) // crypto/rand's Read never fails.
	webhook, err := url.Parse(to.webhookURL)
	if err != nil {
		return nil, fmt.Errorf("reading the webhook's URL: %w", err)
	}
	return &pusher{account: to, dialect: speaks, key: key, run: hex.EncodeToString(run[:]), webhook: webhook, idle: make(chan *pushConn, 256)}, nil
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
	content := fmt.Sprintf("%s %s %d ", p.words, p.run, n)
	content += strings.Repeat("x", contentSize-len(content))
	plain, err := p.message(customer, content, id)
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
	body, err := p.envelope(encrypted)
	if err != nil {
		panic(err) // Strings always have a JSON form.
	}
	return push{content: content, request: request(p.webhook.Host, p.webhook.Path+"?"+query.Encode(), body)}
}

// request is a POST as it goes over the wire. The product looks at the body to tell JSON from XML.
func request(host, target string, body []byte) []byte {
	head := fmt.Sprintf("POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n", target, host, len(body))
	return append([]byte(head), body...)
}

// send delivers one push; anything but the answer that is due, within the platform's 5 s, is an error.
func (p *pusher) send(ctx context.Context, m push) error {
	conn, err := p.connection(ctx)
	if err != nil {
		return err
	}
	if err := conn.push(m.request, p.due); err != nil {
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

func (c *pushConn) push(request []byte, due func(answer string) bool) error {
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
	if err != nil || resp.StatusCode != http.StatusOK || !due(string(answer)) {
		return fmt.Errorf("pushing: status %d, answer %q, %w", resp.StatusCode, answer, err)
	}
	return nil
}
