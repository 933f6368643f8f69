package desk

import (
	"encoding/pem"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/domain/oncall"
	"github.com/yingda-dev/yingda/internal/provider"
	"github.com/yingda-dev/yingda/internal/store"
)

// knowing is a world whose Brand has a provider that knows one order.
func knowing(t *testing.T) (*world, *desk) {
	t.Helper()
	w := newWorld(t)
	erp := httptest.NewTLSServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		switch number := r.URL.Query().Get("order"); {
		case !oncall.Verify([]byte("shared"), []byte(number), r.Header.Get(oncall.HeaderSignature), w.clock()) || number == "LM3":
			rw.WriteHeader(http.StatusInternalServerError)
		case number != "LM1":
			rw.WriteHeader(http.StatusNotFound)
		default:
			_, _ = io.WriteString(rw, `{"number":"LM1","state":"待发货","paid":9900,"freightInsured":true,"buyer":"王女士"}`)
		}
	}))
	t.Cleanup(erp.Close)
	objects := brand()
	for _, object := range objects {
		if b, ok := object.(*yingdav1.Brand); ok {
			b.Spec.Provider = &yingdav1.BrandProvider{
				URL: erp.URL, SecretRef: yingdav1.CredentialsReference{Name: "erp"}, CASecretRef: &yingdav1.CredentialsReference{Name: "ca"},
			}
		}
	}
	w.catalog.Set(objects...)
	w.provider.KeyFile, w.provider.CAFile = filepath.Join(t.TempDir(), "key"), filepath.Join(t.TempDir(), "ca.crt")
	for file, content := range map[string][]byte{
		w.provider.KeyFile: []byte("shared"), w.provider.CAFile: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: erp.Certificate().Raw}),
	} {
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	host, err := url.Parse(erp.URL)
	if err != nil {
		t.Fatal(err)
	}
	w.with = func(c *Config) { c.ProviderHosts = []string{host.Host} }
	return w, w.starts()
}

func TestAnAgentLooksUpAnOrder(t *testing.T) {
	w, d := knowing(t)
	path := "/api/conversations/" + w.assigned("after-sales", "xiaomei", "c").String() + "/order?number="
	got := asks[provider.Order](d.as("xiaomei"), http.StatusOK, http.MethodGet, path+"LM1", nil)
	if diff := cmp.Diff(provider.Order{Number: "LM1", State: "待发货", Paid: 99_00, FreightInsured: true}, got); diff != "" {
		t.Errorf("the order (-want +got):\n%s", diff)
	}
	for number, want := range map[string]struct {
		status int
		reason string
	}{"LM2": {http.StatusNotFound, "NoSuchOrder"}, "LM3": {http.StatusBadGateway, "ProviderFailed"}} {
		if got := asks[refused](d.as("xiaomei"), want.status, http.MethodGet, path+number, nil); got.Type != "urn:yingda:problem:"+want.reason {
			t.Errorf("%s: %+v", number, got)
		}
	}
	// Who may not see the conversation does not learn of orders by it.
	asks[refused](d.as("xiaohong"), http.StatusNotFound, http.MethodGet, path+"LM1", nil)
	asks[refused](d.as("xiaomei"), http.StatusUnprocessableEntity, http.MethodGet, path+strings.Repeat("1", 65), nil)
}

func TestABrandWithoutAProviderLooksOrdersUpElsewhere(t *testing.T) {
	w := newWorld(t)
	d := w.starts()
	path := "/api/conversations/" + w.assigned("after-sales", "xiaomei", "c").String() + "/order?number=LM1"
	if got := asks[refused](d.as("xiaomei"), http.StatusConflict, http.MethodGet, path, nil); got.Type != "urn:yingda:problem:NoProvider" {
		t.Errorf("it says %+v", got)
	}
}

func TestAnAgentHasAnOrderChanged(t *testing.T) {
	w, d := knowing(t)
	path := "/api/conversations/" + w.assigned("after-sales", "xiaomei", "c").String() + "/order-changes"
	to := NewAddress{Recipient: "王女士", Phone: "13800001234", Address: "上海市徐汇区1号"}
	request := map[string]any{"key": uuid.New(), "order": "LM1", "operation": "address", "address": to, "note": "客户写错了"}
	for range 2 {
		made := asks[CaseDetail](d.as("xiaomei"), http.StatusAccepted, http.MethodPost, path, request)
		if diff := cmp.Diff(&to, made.Address); diff != "" || made.Owner != "xiaomei" || made.Due == nil || !made.Due.Equal(w.clock().Add(2*time.Hour)) {
			t.Errorf("made %+v; address (-want +got):\n%s", made.CaseView, diff)
		}
		if strings.Contains(string(made.Detail)+made.Title, "1380") {
			t.Errorf("the address is in what all desks are sent: %s", made.Detail)
		}
	}
	if n := len(w.outboxOf(store.TargetStart + "Order")); n != 1 {
		t.Errorf("%d processes were started, want 1", n)
	}
	for reason, change := range map[string]map[string]any{
		"UnderWay":   {"operation": "cancel"},
		"BadAddress": {"operation": "address", "order": "LM2"},
	} {
		body := map[string]any{"key": uuid.New(), "order": "LM1"}
		maps.Copy(body, change)
		if got := d.as("xiaomei").sends(http.MethodPost, path, body); !strings.Contains(string(got.body), "urn:yingda:problem:"+reason) {
			t.Errorf("%s: %d %s", reason, got.status, got.body)
		}
	}
}

func TestWhatIsUnderWayAtTheProviderIsNotDoneByHand(t *testing.T) {
	w, d := knowing(t)
	path := "/api/conversations/" + w.assigned("after-sales", "xiaomei", "c").String() + "/order-changes"
	made := asks[CaseDetail](d.as("xiaomei"), http.StatusAccepted, http.MethodPost, path, map[string]any{"key": uuid.New(), "order": "LM1", "operation": "cancel"})
	if len(made.Allowed) != 1 || made.Allowed[0].Action != "assign" || made.Address != nil {
		t.Errorf("made %+v", made)
	}
	actions := "/api/cases/" + made.Name + "/actions"
	if got := asks[refused](d.as("xiaomei"), http.StatusConflict, http.MethodPost, actions, CaseActionRequest{Key: uuid.New(), Action: "done"}); got.Type != "urn:yingda:problem:UnderWay" {
		t.Errorf("it says %+v", got)
	}
	given := asks[CaseDetail](d.as("xiaomei"), http.StatusAccepted, http.MethodPost, actions, CaseActionRequest{Key: uuid.New(), Action: "assign", Owner: "laowang"})
	if given.Owner != "laowang" {
		t.Errorf("given to %s", given.Owner)
	}
}
