package officialaccount

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/connectors"
	"github.com/yingda-dev/yingda/connectors/wechat"
)

// The account of vector E5.
const (
	testToken   = "spamtest"
	testAppID   = "wx2c2769f8efd9abc2"
	testKey     = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
	testAccount = "gh_10f6c3c3ac5a"
	testOpenID  = "oyORnuP8q7ou2gfYjqLzSIWZf0rs"
)

// published is the time of the platform's published example.
func published() time.Time { return time.Unix(1409735669, 0) }

// open makes the connector of a Channel; address is where its platform is.
func open(t testing.TB, mode v1alpha1.MessageMode, address string, secret ...func(map[string][]byte)) *connector {
	t.Helper()
	data := map[string][]byte{"appSecret": []byte("hush"), "token": []byte(testToken), "encodingAESKey": []byte(testKey)}
	for _, change := range secret {
		change(data)
	}
	opened, err := Type{}.Open(connectors.Config{
		Channel: &v1alpha1.Channel{
			ObjectMeta: metav1.ObjectMeta{Name: "service"},
			Spec: v1alpha1.ChannelSpec{OfficialAccount: &v1alpha1.OfficialAccountSpec{
				WeChatAccount: v1alpha1.WeChatAccount{AppID: testAppID, MessageMode: mode, APIBaseURL: address},
			}},
		},
		Secret: data,
		Services: connectors.Services{
			Clock: published, Files: &files{uploaded: map[uuid.UUID]string{}}, Logger: slog.New(slog.DiscardHandler),
			ObserveCall: func(string, string, time.Duration) {},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	c, ok := opened.(*connector)
	if !ok {
		t.Fatalf("Open = %T", opened)
	}
	t.Cleanup(c.Close)
	return c
}

// signed is the query of a call with a plain body.
func signed() url.Values {
	timestamp := strconv.FormatInt(published().Unix(), 10)
	return url.Values{"timestamp": {timestamp}, "nonce": {"n"}, "signature": {wechat.Sign(testToken, timestamp, "n")}}
}

// call pushes a body; reason is why it was refused.
func call(t testing.TB, c *connector, query url.Values, body string) (received connectors.Received, reason string) {
	t.Helper()
	received, err := c.Receive(httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/lumi/service?"+query.Encode(), strings.NewReader(body)))
	if refused, ok := errors.AsType[*connectors.RefusedError](err); ok {
		return received, refused.Reason
	}
	if err != nil {
		t.Fatal(err)
	}
	return received, ""
}

// xmlOf is a push of a customer's with these fields.
func xmlOf(fields string) string {
	return "<xml><ToUserName><![CDATA[" + testAccount + "]]></ToUserName><FromUserName><![CDATA[" + testOpenID +
		"]]></FromUserName><CreateTime>1409735668</CreateTime>" + fields + "</xml>"
}

// files has every picture that it is asked for.
type files struct {
	mu       sync.Mutex
	uploaded map[uuid.UUID]string
}

func (*files) Read(context.Context, string, uuid.UUID) (connectors.File, error) {
	return connectors.File{ContentType: "image/png", Data: []byte("\x89PNG")}, nil
}

func (f *files) Uploaded(_ context.Context, _ string, id uuid.UUID) (string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.uploaded[id], nil
}

func (f *files) SetUploaded(_ context.Context, _ string, id uuid.UUID, platformID string, _ time.Time) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.uploaded[id] = platformID
	return nil
}

// platform takes what is sent, and names uploads after their type and number.
type platform struct {
	mu      sync.Mutex
	uploads int
	sent    []string
	// refuse answers the next sends with these codes.
	refuse []int
}

func newPlatform(t *testing.T) (p *platform, address string) {
	t.Helper()
	p = &platform{}
	server := httptest.NewServer(p)
	t.Cleanup(server.Close)
	return p, server.URL
}

func (p *platform) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	answer := map[string]any{"errcode": 0, "access_token": "a", "expires_in": 7200}
	switch {
	case strings.HasSuffix(r.URL.Path, "/media/upload"):
		p.uploads++
		kind := r.URL.Query().Get("type")
		name := "media_id"
		if kind == "thumb" {
			name = "thumb_media_id"
		}
		answer[name] = kind + "-" + strconv.Itoa(p.uploads)
	case strings.HasSuffix(r.URL.Path, "/custom/send"), strings.HasSuffix(r.URL.Path, "/custom/typing"), strings.HasSuffix(r.URL.Path, "/template/send"):
		if len(p.refuse) > 0 {
			answer["errcode"] = p.refuse[0]
			p.refuse = p.refuse[1:]
			break
		}
		body, _ := io.ReadAll(r.Body)
		p.sent = append(p.sent, strings.TrimSpace(string(body)))
	}
	encoded, err := json.Marshal(answer)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	_, _ = w.Write(encoded)
}
