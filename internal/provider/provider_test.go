package provider

import (
	"encoding/pem"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/domain/oncall"
	"github.com/yingda-dev/yingda/internal/outcall"
)

// answering is a provider that answers so what is signed as it should be.
func answering(t *testing.T, status int, body string) *Provider {
	t.Helper()
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !oncall.Verify([]byte("shared"), []byte(r.URL.Query().Get("order")), r.Header.Get(oncall.HeaderSignature), time.Now()) {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(server.Close)
	p := &Provider{
		URL: server.URL, Authorities: &yingdav1.CredentialsReference{Name: "ca"}, Now: time.Now,
		Files: outcall.Files{KeyFile: filepath.Join(t.TempDir(), "key"), CAFile: filepath.Join(t.TempDir(), "ca.crt")},
	}
	for file, content := range map[string][]byte{
		p.Files.KeyFile: []byte("shared\n"), p.Files.CAFile: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}),
	} {
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

func TestLook(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("长", 101)
	for name, tc := range map[string]struct {
		status int
		body   string
		want   Order
		err    string
	}{
		"an order": {
			200, `{"number":"LM 1&2","state":"已发货","paid":9900,"deliveredAt":"2026-11-20T08:00:00Z","items":[{"name":"真丝衬衫 M","quantity":2}],"tracking":"SF1","freightInsured":true,"address":"上海"}`,
			Order{
				Number: "LM 1&2", State: "已发货", Paid: 99_00, DeliveredAt: time.Date(2026, 11, 20, 8, 0, 0, 0, time.UTC),
				Items: []Item{{Name: "真丝衬衫 M", Quantity: 2}}, Tracking: "SF1", FreightInsured: true,
			},
			"",
		},
		"texts that are too long are cut": {200, `{"number":"LM 1&2","state":"` + long + `","items":[{"name":"` + long + `","quantity":-1}]}`, Order{
			Number: "LM 1&2", State: long[:300], Items: []Item{{Name: long[:300]}},
		}, ""},
		"too many items are cut":         {200, `{"number":"LM 1&2","items":[` + strings.Repeat(`{"name":"a"},`, 50) + `{"name":"b"}]}`, Order{Number: "LM 1&2", Items: repeated(50)}, ""},
		"nothing is known of the order":  {404, "", Order{}, "no such order"},
		"another order":                  {200, `{"number":"LM3"}`, Order{}, "without the order"},
		"less than nothing was paid":     {200, `{"number":"LM 1&2","paid":-1}`, Order{}, "without the order"},
		"no JSON":                        {200, "<html>", Order{}, "without the order"},
		"more than is read of an answer": {200, `{"number":"LM 1&2","more":"` + strings.Repeat("x", maxAnswer) + `"}`, Order{}, "without the order"},
		"a failure":                      {500, "boom", Order{}, "answered 500"},
		"another place":                  {302, "", Order{}, "answered 302"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := answering(t, tc.status, tc.body).Look(t.Context(), "LM 1&2")
			if (err == nil) != (tc.err == "") || err != nil && !strings.Contains(err.Error(), tc.err) {
				t.Errorf("error %v, want %q", err, tc.err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("order (-want +got):\n%s", diff)
			}
			if (tc.status == http.StatusNotFound) != errors.Is(err, ErrUnknownOrder) {
				t.Errorf("error %v for %d", err, tc.status)
			}
		})
	}
}

func repeated(n int) []Item {
	items := make([]Item, n)
	for i := range items {
		items[i].Name = "a"
	}
	return items
}

func TestWhatAnAnswerMeans(t *testing.T) {
	t.Parallel()
	for sentence, tc := range map[string]struct {
		status int
		body   string
		want   Answer
		unsure bool
	}{
		"done":                               {200, `{"state":"done","reference":"R1"}`, Answer{State: "done", Reference: "R1"}, false},
		"under way":                          {202, `{"state":"pending"}`, Answer{State: "pending"}, false},
		"nobody knows what another state is": {200, `{"state":"soon"}`, Answer{}, true},
		"refused":                            {422, `{"reason":"closed"}`, Answer{Refused: true, Reason: "closed"}, false},
		"refused without a reason":           {422, ``, Answer{Refused: true}, false},
		"refused because it conflicts":       {409, `{"reason":"sent"}`, Answer{Refused: true, Reason: "sent"}, false},
		"a conflict alone may be a key under way":    {409, `{"error":"in flight"}`, Answer{}, true},
		"nobody knows what the provider fell over":   {500, `{"reason":"closed"}`, Answer{}, true},
		"nobody knows what is asked for another way": {302, ``, Answer{}, true},
	} {
		t.Run(sentence, func(t *testing.T) {
			t.Parallel()
			got, err := understand(tc.status, []byte(tc.body))
			if diff := cmp.Diff(tc.want, got); diff != "" || (err != nil) != tc.unsure {
				t.Errorf("error %v; -want +got:\n%s", err, diff)
			}
		})
	}
}

func TestNoErrorQuotesTheOrder(t *testing.T) {
	t.Parallel()
	p := answering(t, 200, "")
	p.Files.CAFile = ""
	p.Authorities = nil
	if _, err := p.Look(t.Context(), "LM20261120001"); err == nil || strings.Contains(err.Error(), "LM2026") {
		t.Errorf("error %v", err)
	}
}

func TestOf(t *testing.T) {
	t.Parallel()
	declares := &yingdav1.Brand{Spec: yingdav1.BrandSpec{Provider: &yingdav1.BrandProvider{URL: "https://erp.example/yingda"}}}
	for name, tc := range map[string]struct {
		brand *yingdav1.Brand
		hosts []string
		want  bool
	}{
		"one that may be called":     {declares, []string{"erp.example"}, true},
		"one that may not be called": {declares, []string{"other.example"}, false},
		"a brand without one":        {&yingdav1.Brand{}, []string{"erp.example"}, false},
		"a brand that is not known":  {nil, []string{"erp.example"}, false},
	} {
		if got := Of(tc.brand, tc.hosts, outcall.Files{}, time.Now); (got != nil) != tc.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
