package desk

import (
	"bytes"
	"log/slog"
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/keyset"
	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"
	"google.golang.org/protobuf/proto"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/temporal"
)

const temporalUI = "https://temporal.example"

// encrypted is a payload as Temporal has it, and what it was before.
func encrypted(t *testing.T, codec converter.PayloadCodec) (sealed, plain *commonpb.Payload) {
	t.Helper()
	plain, err := converter.GetDefaultDataConverter().ToPayload("我要退款")
	if err != nil {
		t.Fatal(err)
	}
	payloads, err := codec.Encode([]*commonpb.Payload{plain})
	if err != nil {
		t.Fatal(err)
	}
	return payloads[0], plain
}

func newCodec(t *testing.T) converter.PayloadCodec {
	t.Helper()
	handle, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		t.Fatal(err)
	}
	keys, err := aead.New(handle)
	if err != nil {
		t.Fatal(err)
	}
	return temporal.NewCodec(keys)
}

// decodes is a desk that has keys, an admin, and the web UI of a Temporal.
func decodes(t *testing.T) (d *desk, codec converter.PayloadCodec, said *bytes.Buffer) {
	t.Helper()
	w := newWorld(t)
	w.catalog.Set(append(brand(), agent("boss", "office", func(a *yingdav1.Agent) { a.Spec.Role = yingdav1.RoleAdmin }))...)
	codec, said = newCodec(t), &bytes.Buffer{}
	w.with = func(c *Config) {
		c.Payloads, c.TemporalUI, c.Logger = codec, temporalUI, slog.New(slog.NewTextHandler(said, nil))
	}
	return w.starts(), codec, said
}

func (d *desk) remoteCodec(as *visitor) converter.PayloadCodec {
	return converter.NewRemotePayloadCodec(converter.RemotePayloadCodecOptions{
		Endpoint: d.url + codecPath,
		ModifyRequest: func(r *http.Request) error {
			maps.Copy(r.Header, as.headers)
			return nil
		},
	})
}

func TestAdminsReadWhatTemporalKeepsAndItIsLogged(t *testing.T) {
	d, codec, said := decodes(t)
	sealed, plain := encrypted(t, codec)
	for name, admin := range map[string]*visitor{"by a token": d.as("boss"), "by a session": d.signsIn("boss")} {
		got, err := d.remoteCodec(admin).Decode([]*commonpb.Payload{sealed, plain})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, payload := range got {
			if !proto.Equal(payload, plain) {
				t.Errorf("%s: read %v, want %v", name, payload, plain)
			}
		}
	}
	if log := said.String(); strings.Count(log, "agent=boss payloads=2") != 2 || strings.Contains(log, "退款") {
		t.Errorf("the log says %s", log)
	}
	if _, err := d.remoteCodec(d.as("boss")).Encode([]*commonpb.Payload{plain}); err == nil {
		t.Error("the desk encrypts what it is given")
	}
}

func TestNobodyElseReadsWhatTemporalKeeps(t *testing.T) {
	d, codec, said := decodes(t)
	sealed, _ := encrypted(t, codec)
	strange, _ := encrypted(t, newCodec(t))
	for name, tt := range map[string]struct {
		visitor *visitor
		body    any
		status  int
		reason  string
	}{
		"somebody who is not signed in": {&visitor{d, http.Header{}}, payloads(sealed), 401, "SignInFirst"},
		"an agent":                      {d.as("xiaomei"), payloads(sealed), 403, "AdminsOnly"},
		"a supervisor":                  {d.as("laowang"), payloads(sealed), 403, "AdminsOnly"},
		"an admin of another brand":     {d.as("boss"), payloads(strange), 422, "Undecipherable"},
		"an admin who sends no JSON":    {d.as("boss"), []byte("我要退款"), 400, "BadPayloads"},
		"an admin who sends too much":   {d.as("boss"), bytes.Repeat([]byte(" "), maxPayloads+1), 413, "TooManyPayloads"},
	} {
		t.Run(name, func(t *testing.T) {
			got := asks[refused](tt.visitor, tt.status, http.MethodPost, codecPath+"/decode", tt.body)
			if got.Type != "urn:yingda:problem:"+tt.reason {
				t.Errorf("refused with %s, want %s", got.Type, tt.reason)
			}
		})
	}
	if log := said.String(); strings.Contains(log, "退款") || strings.Contains(log, "Decoded") || !strings.Contains(log, "agent=xiaomei") {
		t.Errorf("the log says %s", log)
	}
}

// payloads is the body of a request.
func payloads(of ...*commonpb.Payload) any { return &commonpb.Payloads{Payloads: of} }

func TestOnlyTemporalsOwnPageMayAskFromElsewhere(t *testing.T) {
	d, codec, _ := decodes(t)
	sealed, _ := encrypted(t, codec)
	for name, tt := range map[string]struct {
		origin, method, path string
		status               int
		allowed              string
	}{
		"its preflight":             {temporalUI, http.MethodOptions, codecPath + "/decode", 204, temporalUI},
		"its request":               {temporalUI, http.MethodPost, codecPath + "/decode", 200, temporalUI},
		"another page's preflight":  {"https://evil.example", http.MethodOptions, codecPath + "/decode", 401, ""},
		"another page's request":    {"https://evil.example", http.MethodPost, codecPath + "/decode", 403, ""},
		"its request for sessions":  {temporalUI, http.MethodPost, "/api/session", 403, ""},
		"its preflight of the rest": {temporalUI, http.MethodOptions, "/api/conversations", 401, ""},
	} {
		t.Run(name, func(t *testing.T) {
			v := d.as("boss")
			if tt.method == http.MethodOptions {
				v = &visitor{d, http.Header{}}
			}
			v.headers.Set("Origin", tt.origin)
			v.headers.Set("Sec-Fetch-Site", "cross-site")
			got := v.sends(tt.method, tt.path, payloads(sealed))
			if got.status != tt.status || got.header.Get("Access-Control-Allow-Origin") != tt.allowed {
				t.Errorf("status %d and allowed %q, want %d and %q", got.status, got.header.Get("Access-Control-Allow-Origin"), tt.status, tt.allowed)
			}
		})
	}
}
