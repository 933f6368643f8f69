package outcall_test

import (
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/outcall"
)

func file(t *testing.T, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// private are authorities that a Brand names.
func private() *yingdav1.CredentialsReference { return &yingdav1.CredentialsReference{Name: "ca"} }

func TestACallGoesWhereItWasSentAndNowhereElse(t *testing.T) {
	reached := false
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached = true }))
	t.Cleanup(elsewhere.Close)
	server := httptest.NewTLSServer(http.RedirectHandler(elsewhere.URL, http.StatusTemporaryRedirect))
	t.Cleanup(server.Close)
	files := outcall.Files{CAFile: file(t, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))}
	client, err := files.Client(private(), time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL, strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	answer, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusTemporaryRedirect || reached {
		t.Errorf("it answered %d; reached elsewhere: %t", answer.StatusCode, reached)
	}
}

func TestWhatIsNotThereIsNotCalled(t *testing.T) {
	if _, err := (outcall.Files{}).Client(private(), time.Minute); err == nil {
		t.Error("the Brand names authorities, and others are trusted")
	}
	if _, err := (outcall.Files{CAFile: file(t, []byte("hidden"))}).Client(private(), time.Minute); err == nil || strings.Contains(err.Error(), "hidden") {
		t.Errorf("authorities that are none: %v", err)
	}
	for name, files := range map[string]outcall.Files{
		"no key":           {},
		"a key that went":  {KeyFile: filepath.Join(t.TempDir(), "gone")},
		"a key of nothing": {KeyFile: file(t, []byte(" \n"))},
	} {
		if _, err := files.Key(); err == nil {
			t.Errorf("%s signs", name)
		}
	}
	key, err := outcall.Files{KeyFile: file(t, []byte("word\n"))}.Key()
	if err != nil || string(key) != "word" {
		t.Errorf("the key is %q, %v", key, err)
	}
}
