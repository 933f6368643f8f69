package aftersales

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/yingda-dev/yingda/internal/outcall"
)

const signingKey = "between you and me"

// program is a provider as docs/after-sales.md asks for one: it does each key once, and remembers it.
type program struct {
	*httptest.Server

	files outcall.Files
	mu    sync.Mutex
	// done is what was moved by key, in fen for money; orders are what each key was told, to the byte.
	done   map[string]int64
	orders map[string]string
	// calls are how often each operation was told or asked of.
	calls map[string]int
	// answers may answer in its place: of an operation, and how often it was told or asked before.
	answers func(operation string, before int) (status int, body string)
	// meanwhile runs after something was done and before that is answered.
	meanwhile func(operation string)
}

func newProvider(t *testing.T) *program {
	t.Helper()
	p := &program{done: map[string]int64{}, orders: map[string]string{}, calls: map[string]int{}}
	p.Server = httptest.NewTLSServer(http.HandlerFunc(p.serve))
	t.Cleanup(p.Close)
	p.files = outcall.Files{KeyFile: filepath.Join(t.TempDir(), "key"), CAFile: filepath.Join(t.TempDir(), "ca.crt")}
	for file, content := range map[string][]byte{
		p.files.KeyFile: []byte(signingKey + "\n"),
		p.files.CAFile:  pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.Certificate().Raw}),
	} {
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

// arguments have a worker call it.
func (p *program) arguments() []string { return []string{p.URL, p.files.KeyFile, p.files.CAFile} }

func (p *program) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	key := r.Header.Get("Idempotency-Key")
	signed := body
	if r.Method == http.MethodGet {
		signed = []byte(key)
	}
	if !signedBy(r.Header.Get("Yingda-Signature"), signed) || key == "" {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	operation := strings.Split(key, "/")[len(strings.Split(key, "/"))-2]
	status, answer := p.answer(r.Method, key, operation, string(body), r.URL.Query().Get("key"))
	if p.meanwhile != nil {
		p.meanwhile(operation)
	}
	w.WriteHeader(status)
	_, _ = io.WriteString(w, answer)
}

func (p *program) answer(method, key, operation, body, asked string) (int, string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	before := p.calls[operation]
	p.calls[operation]++
	if p.answers != nil {
		if status, answer := p.answers(operation, before); status >= http.StatusMultipleChoices {
			return status, answer
		} else if status != 0 {
			p.do(method, key, body)
			return status, answer
		}
	}
	if method == http.MethodGet {
		if _, known := p.done[asked]; !known {
			return http.StatusNotFound, ""
		}
	} else if other, told := p.orders[key]; told && other != body {
		return http.StatusBadRequest, `{"reason":"another order under the same key"}`
	}
	p.do(method, key, body)
	return http.StatusOK, `{"state":"done","reference":"P-` + operation + `"}`
}

// do does what a key says, once.
func (p *program) do(method, key, body string) {
	if method != http.MethodPost {
		return
	}
	var order Order
	if err := json.Unmarshal([]byte(body), &order); err != nil {
		return
	}
	if _, known := p.done[key]; !known {
		p.done[key] = order.Amount
	}
	p.orders[key] = body
}

// moved is what was done by operation for the cases whose id begins so, with that left out.
func (p *program) moved(prefix string) map[string]int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	moved := map[string]int64{}
	for key, amount := range maps.All(p.done) {
		if !strings.HasPrefix(key, prefix) {
			continue
		}
		parts := strings.Split(key, "/")
		moved[strings.Join(parts[len(parts)-2:], "/")] += amount
	}
	return moved
}

// called is how often an operation was told or asked of.
func (p *program) called(operation string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.calls[operation]
}

// signedBy checks a signature as the documentation tells receivers to.
func signedBy(signature string, body []byte) bool {
	at, code, _ := strings.Cut(signature, ",v1=")
	mac := hmac.New(sha256.New, []byte(signingKey))
	mac.Write([]byte(strings.TrimPrefix(at, "t=") + "."))
	mac.Write(body)
	return hmac.Equal([]byte(hex.EncodeToString(mac.Sum(nil))), []byte(code))
}
